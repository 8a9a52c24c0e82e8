"""Labelled data, one archive a module, its codes mapped once on reading.

A dataset module exports `DATASET`, a `Dataset` class. Its pydantic fields are its options in a
config (`[[samples.datasets]]`, key `kind` names the module), so an unknown option is an error.
To add one: write the module with `names`, `scene`, `fingerprint` and `load`; state licence and
citation in its docstring; map the archive's codes with `nndacss.labels.sets.translate`. The
contract test walks this folder (write it a small example in `tests/datasets/examples.py`).
Options that are places are of type `Path`: they never enter a recipe. Importing a dataset module
must not open a raster nor import torch or rasterio: those belong inside `load`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from nndacss.entries import Origin
from nndacss.errors import DatasetError, complain
from nndacss.labels.sets import Sets
from nndacss.raster import Pixels

#: Parts of an image that a data set may tell apart, so that they are scored apart, by what lies on
#: the ground: the pixels where the sky hides it, or shades it, and those where nothing does.
STRATA = {"water": "open water", "snow_below": "snow or ice"}


@dataclass(frozen=True)
class Sample:
    """One labelled image of any size."""

    name: str
    """Unique inside its dataset."""
    scene: str
    """The place and time it was cut from: what a split must not tear."""
    pixels: Pixels
    """(bands, rows, columns) float32 reflectance, 1.0 = 100 %; NaN where missing."""
    roles: tuple[str, ...]
    """One a band. A Sentinel-2 image brings `nir` (B08), `nir08` (B8A) or both."""
    sets: Sets
    """(rows, columns) which classes each pixel may be; 0 unlabelled."""
    sensor: str
    """E.g. `landsat8_oli`."""
    level: str
    """`TOA` or `SR`."""
    metres: float
    """Pixel size."""
    sun: tuple[float, float] | None
    """Elevation and azimuth in degrees; None where the archive does not say."""
    strata: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    """Name in `STRATA` -> (rows, columns) where that lies on the ground, as far as the archive
    knows it; empty where it does not say."""
    weight: NDArray[np.float32] | None = None
    """(rows, columns) how sure each label is, 0..1 (0 where there is none); None: all alike."""

    def __post_init__(self) -> None:
        expected = (len(self.roles), *self.sets.shape)
        if self.pixels.shape != expected or self.pixels.dtype != np.float32:
            found = f"pixels {self.pixels.shape} {self.pixels.dtype}"
            remedy = "image and label must be of one size"
            raise DatasetError(complain(self.name, found, f"{expected} float32", remedy))
        weight = self.weight
        if weight is not None and (weight.shape != self.sets.shape or weight.dtype != np.float32):
            found = f"weight {weight.shape} {weight.dtype}"
            remedy = "give each label pixel one weight"
            raise DatasetError(complain(self.name, found, f"{self.sets.shape} float32", remedy))


class Dataset(Origin):
    """One labelled archive; fields of a subclass are its options, its names are samples."""

    scheme: ClassVar[str] = "climate"
    """Module of `nndacss.labels`."""

    @abstractmethod
    def scene(self, name: str) -> str:
        """The scene of a sample, known without reading pixels."""

    @abstractmethod
    def load(self, name: str) -> Sample:
        """One sample, whole; DatasetError names the file where it cannot be used."""
