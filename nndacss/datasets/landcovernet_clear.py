"""LandCoverNet's clear ground: real Sentinel-2 L2A to paint climate structures on.

The images are those of `landcovernet`; the labels are climate's. "Clear" is where the scene
classification (SCL) sees plants, bare ground or water, "snow" where SCL and the land-cover label
agree on it. All else (cloud, shadow, dark or unclassified pixels, snow that only one of the two
sees) is unlabelled: SCL is a product, too uncertain to learn clouds from. Dates with more than
`most_hidden` of cloud and shadow carry no label.

CC BY 4.0. Alemohammad and Booth 2020, arXiv:2012.03111; source.coop/radiantearth/landcovernet.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from nndacss.datasets import Sample
from nndacss.datasets.landcovernet import LandCoverNet
from nndacss.datasets.landcovernet_read import HIDDEN, read_label, scene_classes
from nndacss.labels.climate import Climate
from nndacss.labels.land_cover import LandCover
from nndacss.labels.sets import Sets, of
from nndacss.landcovernet.names import SCL

#: SCL codes of clear ground: vegetation, not vegetated, water; and of snow.
_GROUND, _SNOW = (4, 5, 6), 11


class LandCoverNetClear(LandCoverNet):
    """Options: those of `landcovernet`, and how clear a date must be."""

    scheme: ClassVar[str] = "climate"

    most_hidden: Annotated[float, Field(ge=0, le=1)] = 0.02
    """Dates on which SCL sees more cloud and shadow carry no label at all."""

    def load(self, name: str) -> Sample:
        """One date of one chip, with climate labels and no weights."""
        sample = super().load(name)
        image, path = self._found(name)
        codes = scene_classes(image, read_label(path)[0])
        clear = np.isin(codes, _GROUND)
        permanent = sample.sets == of(LandCover.SNOW_ICE)
        seen = ~np.isnan(sample.pixels).all(axis=0)
        sets: Sets = np.select(
            [~seen, (codes == _SNOW) & permanent, clear & ~permanent],
            [0, of(Climate.SNOW), of(Climate.CLEAR)],
            0,
        ).astype(np.uint16)
        if np.isin(codes, HIDDEN).mean() > self.most_hidden:
            sets = np.zeros_like(sets)
        return replace(sample, sets=sets, weight=None)

    def _layers(self) -> set[str]:
        return {*super()._layers(), SCL}


DATASET = LandCoverNetClear
