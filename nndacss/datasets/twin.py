"""Simulated chips, with their truth: one a seed, sensor, level and pixel size.

Simulated, so a model trained on them says so in its card. Every chip is another place, sun, sky
and season (`nndacss.simulate.chips.moment`). Truth: cloud where the optical thickness at 0.55 um
is at least 0.3, shadow where clouds take at least 20 % of the direct beam; water and snow of the
ground itself, known under clouds too (`Sample.strata`). Part of this project.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from pydantic import Field

from nndacss.datasets import Dataset, Sample
from nndacss.labels.sets import Sets, from_labels, of
from nndacss.raster import Pixels

#: Raised when the simulation draws other pixels or labels for the same seed.
VERSION = 2


class Twin(Dataset):
    """Options: which seeds, and how they are seen."""

    first: int = Field(default=0, ge=0)
    """First seed. Keep training and test sets apart by ranges of seeds."""
    count: int = Field(default=100, ge=1)
    """How many seeds."""
    sensors: tuple[Literal["landsat8_oli", "sentinel2_msi"], ...] = (
        "landsat8_oli",
        "sentinel2_msi",
    )
    levels: tuple[Literal["TOA", "SR"], ...] = ("TOA", "SR")
    metres: tuple[Literal[10, 20, 30], ...] = (20, 30)
    """Pixel sizes. A Landsat chip below 30 m is resampled, as in a 10 m product."""
    views: Literal["one", "all"] = "one"
    """`one`: each seed is seen in one of the combinations of sensor, level and pixel size, in
    turn, for the most variety; `all`: each seed in every combination, to compare them."""
    side: int = Field(default=256, ge=8)
    """Rows and columns, pixels of `metres`."""
    strict: bool = True
    """False for training: a pixel so near to a threshold of the truth that no person who labels
    images would see the difference may be either class, see `near_threshold`."""

    def names(self) -> tuple[str, ...]:
        """`<seed>_<sensor>_<level>_<metres>m`, sorted."""
        views = list(itertools.product(self.sensors, self.levels, self.metres))
        found = []
        for seed in range(self.first, self.first + self.count):
            chosen = views if self.views == "all" else [views[seed % len(views)]]
            found += [f"{seed:07d}_{sensor}_{level}_{m}m" for sensor, level, m in chosen]
        return tuple(sorted(found))

    def scene(self, name: str) -> str:
        """`twin-<seed>`: one ground and sky, however it is seen."""
        return f"twin-{int(name.partition('_')[0])}"

    def fingerprint(self) -> Mapping[str, Any]:
        """All options and the version of the simulation."""
        return {"version": VERSION, **self.model_dump(mode="json")}

    def load(self, name: str) -> Sample:
        """One chip, computed now."""
        from nndacss.simulate.chips import chip

        seed, rest = name.split("_", 1)
        sensor, level, metres = rest.rsplit("_", 2)
        seen: Literal["TOA", "SR"] = "TOA" if level == "TOA" else "SR"
        made = chip(int(seed), sensor, seen, float(metres[:-1]), self.side, self.side)
        sets = from_labels(made.labels)
        return Sample(
            name=name,
            scene=self.scene(name),
            pixels=made.pixels,
            roles=made.roles,
            sets=sets if self.strict else near_threshold(sets, made.thickness, made.beam_loss),
            sensor=sensor,
            level=level,
            metres=made.metres,
            sun=(made.sun_elevation, made.sun_azimuth),
            strata={"water": made.water, "snow_below": made.snow},
        )


def near_threshold(sets: Sets, thickness: Pixels, beam_loss: Pixels) -> Sets:
    """`sets`, with a second class where the truth is near its threshold; all (rows, columns).

    Clouds of half the threshold's thickness or more (0.15 to 0.3) may be cloud as well. Where
    clouds take 10 to 40 % of the beam, ground may be shadow, and shadow may be ground: the edge
    of a veil's shadow is invisible on fields.
    """
    clear, shadow, snow, cloud = (np.uint16(of(code)) for code in range(4))
    ground = (sets == clear) | (sets == snow)
    faint = (beam_loss >= 0.1) & (beam_loss < 0.4)
    result = np.where(faint & ground, sets | shadow, sets)
    result = np.where(faint & (sets == shadow), shadow | clear | snow, result)
    veiled = (thickness >= 0.15) & (sets != cloud) & (sets != 0)
    return np.where(veiled, result | cloud, result).astype(np.uint16)


DATASET = Twin
