"""What a composition starts from, and what it gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nndacss.errors import DatasetError, InputError, SettingsError, complain
from nndacss.harmonize.bandpass import COEFFICIENTS, adjust
from nndacss.labels.climate import Climate
from nndacss.raster import Pixels
from nndacss.sensors import REFLECTIVE

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Views:
    """One window of a place as both images show it; never written to.

    InputError, DatasetError or SettingsError where images, labels or `target` are not as below.
    """

    landsat: Pixels
    """(6, rows, columns) float32 Landsat's own reflectance brought to the grid by cubic
    convolution, bands in the order of `nndacss.sensors.REFLECTIVE`; NaN missing."""
    harmonized: Pixels
    """(6, rows, columns) float32 Sentinel-2-like reflectance; a pixel with a NaN has not been
    harmonized, `bandpass` stands in for it (see `whole`)."""
    labels: NDArray[np.uint8]
    """(rows, columns) codes of `nndacss.labels.climate`; 255 is nodata whatever the pixels are."""
    metres: float = 10.0
    """Side of a pixel."""
    at: tuple[int, int] = (0, 0)
    """Row and column of the first pixel in the output grid of the whole scene."""
    target: str = "sentinel-2a"
    """Whose band responses `bandpass` imitates."""
    needed: Mask | None = None
    """(rows, columns) pixels whose result is used; others may come out as they went in."""

    def __post_init__(self) -> None:
        _check_image("Landsat image", self.landsat)
        _check_image("harmonized image", self.harmonized)
        _check_labels(self.labels)
        size = self.landsat.shape[1:]
        for name, other in (("harmonized image", self.harmonized), ("labels", self.labels)):
            if other.shape[-2:] != size:
                found, remedy = f"{other.shape[-2:]} pixels", "bring all to one grid first"
                error = DatasetError if other is self.labels else InputError
                raise error(complain(name, found, f"{size}, as the Landsat image", remedy))
        if self.target not in COEFFICIENTS:
            known = " or ".join(COEFFICIENTS)
            raise SettingsError(complain("target", repr(self.target), known, "choose one"))

    @cached_property
    def valid(self) -> Mask:
        """(rows, columns): labelled, and every band of Landsat is there. The rest is nodata."""
        return np.asarray(_there(self.landsat) & (self.labels != Climate.NODATA))

    @cached_property
    def whole(self) -> Pixels:
        """(6, rows, columns): harmonized, or `bandpass` where that is missing; NaN at nodata."""
        there, image = _there(self.harmonized), self.harmonized
        if not there[self.valid].all():
            image = np.where(there, image, adjust(self.landsat, REFLECTIVE, self.target))
        return np.where(self.valid, image, np.float32(np.nan))

    def of(self, classes: Sequence[str]) -> Mask:
        """(rows, columns): valid pixels of classes given by name in lower case."""
        codes = [Climate[name.upper()] for name in classes]
        return self.valid & np.isin(self.labels, codes)


def _there(pixels: Pixels) -> Mask:
    """(rows, columns): no band is NaN or infinite."""
    return np.asarray(np.isfinite(pixels).all(axis=0))


def _check_image(name: str, pixels: Pixels) -> None:
    if (
        pixels.dtype != np.float32
        or pixels.ndim != 3
        or len(pixels) != len(REFLECTIVE)
        or not pixels.size
    ):
        found = f"{pixels.dtype} of shape {pixels.shape}"
        expected = f"float32 of shape ({len(REFLECTIVE)}, rows, columns)"
        remedy = f"give reflectance of {', '.join(REFLECTIVE)}"
        raise InputError(complain(name, found, expected, remedy))


def _check_labels(labels: NDArray[np.uint8]) -> None:
    codes = [int(code) for code in Climate]
    expected = f"(rows, columns) of uint8 codes {', '.join(map(str, codes))}"
    if labels.dtype != np.uint8 or labels.ndim != 2:
        found = f"{labels.dtype} of shape {labels.shape}"
        raise DatasetError(complain("labels", found, expected, "convert them"))
    unknown = set(np.flatnonzero(np.bincount(labels.ravel())).tolist()) - set(codes)
    if unknown:
        remedy = "map the archive's codes first"
        raise DatasetError(complain("labels", f"code {min(unknown)}", expected, remedy))


@dataclass(frozen=True)
class Composed:
    """One window of a composed image."""

    pixels: Pixels
    """(6, rows, columns) float32 reflectance, NaN in all bands at nodata."""
    changed: Mask
    """(rows, columns): where anything but the harmonized image (or its stand-in) went in."""
