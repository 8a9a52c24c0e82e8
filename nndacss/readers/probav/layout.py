"""Where things lie in Proba-V's HDF5 files, and the grid that MAPPING describes."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from affine import Affine
from odc.geo.geobox import GeoBox

from nndacss.errors import BandError, MetadataError, complain

#: Names of the bands, in the order of every array here.
BANDS = ("BLUE", "RED", "NIR", "SWIR")
LEVELS = ("LEVEL2A", "LEVEL3")
#: Top of atmosphere, or of canopy (corrected for the atmosphere).
QUANTITIES = ("TOA", "TOC")
#: Soft cloud cover that a conversion carries along.
CLOUDS = "CM_RESAMPLED"
#: Set by the published program and by ours: which class of theirs read the Landsat scene.
CONVERTED = "class_image"

#: Name -> degrees of a pixel.
_STEPS = {"100M": 1 / 1008, "333M": 1 / 336, "1KM": 1 / 112}
_SUFFIX = re.compile(r"_(100M|333M|300M|1KM)(?=[_.])", re.IGNORECASE)
_AGAIN = "get the file again"


@dataclass(frozen=True)
class Mapping:
    """The nine values of a MAPPING attribute that matter."""

    x_reference: float
    """Where in its pixel `x` lies: 0 left edge, 0.5 centre."""
    y_reference: float
    x: float
    """Degrees east, of the upper left pixel."""
    y: float
    """Degrees north."""
    x_step: float
    y_step: float
    """Degrees, positive."""

    def affine(self, corner: bool = False) -> Affine:
        """Pixel edges to degrees; `corner` takes x and y for the corner, whatever MAPPING says."""
        left = self.x - (0 if corner else self.x_reference * self.x_step)
        top = self.y + (0 if corner else self.y_reference * self.y_step)
        return Affine(self.x_step, 0.0, left, 0.0, -self.y_step, top)


def level_of(file: h5py.File, path: Path) -> str:
    """`LEVEL2A` or `LEVEL3`; BandError names the groups there are."""
    for level in LEVELS:
        if level in file:
            return level
    found = f"groups {', '.join(sorted(file)) or 'none'}"
    remedy = "give a Proba-V L2A, S1 or S10 product, or one that ConvertPV made"
    raise BandError(complain(path, found, " or ".join(LEVELS), remedy))


def quantity_of(file: h5py.File, level: str, path: Path) -> str:
    """`TOA`, or `TOC` where only that is there; BandError where a band is missing."""
    for quantity in QUANTITIES:
        there = [band for band in BANDS if band_path(level, band, quantity) in file]
        if len(there) == len(BANDS):
            return quantity
        if there:
            absent = next(band for band in BANDS if band not in there)
            found = f"no {band_path(level, absent, quantity)}"
            raise BandError(complain(path, found, f"the bands {', '.join(BANDS)}", _AGAIN))
    found = f"no band below {level}/RADIOMETRY"
    raise BandError(complain(path, found, f"the bands {', '.join(BANDS)}", _AGAIN))


def band_path(level: str, band: str, quantity: str) -> str:
    """Where a band's counts lie."""
    return f"{level}/RADIOMETRY/{band}/{quantity}"


def status_path(level: str) -> str:
    """Where the status map lies."""
    return f"{level}/QUALITY/SM"


def scale_of(dataset: h5py.Dataset, path: Path) -> tuple[float, float]:
    """(offset, scale): reflectance = (count - offset) / scale; MetadataError where unusable."""
    values = []
    for name in ("OFFSET", "SCALE"):
        value = _number(dataset.attrs.get(name))
        if value is None or (name == "SCALE" and value <= 0):
            found = f"{name} = {dataset.attrs.get(name)} of {dataset.name}"
            expected = "a number" if name == "OFFSET" else "a positive number (2000 as delivered)"
            raise MetadataError(complain(path, found, expected, _AGAIN))
        values.append(value)
    return values[0], values[1]


def nodata_of(dataset: h5py.Dataset) -> float:
    """The count that marks missing pixels; -1 where the file does not say."""
    value = _number(dataset.attrs.get("NO_DATA"))
    return -1.0 if value is None else value


def mapping_of(dataset: h5py.Dataset, path: Path) -> Mapping:
    """MAPPING as numbers; MetadataError where it is not there or not in degrees."""
    texts = [_text(value) for value in dataset.attrs.get("MAPPING", ())]
    numbers = [_number(text) for text in texts[1:7]]
    if len(texts) < 7 or None in numbers or "lat" not in texts[0].lower():
        found = f"MAPPING = {texts or 'nothing'} of {dataset.name}"
        expected = "Geographic Lat/Lon, two references, corner, two steps"
        raise MetadataError(complain(path, found, expected, _AGAIN))
    mapping = Mapping(*(float(number) for number in numbers if number is not None))
    if mapping.x_step <= 0 or mapping.y_step <= 0:
        found = f"steps {mapping.x_step} and {mapping.y_step} of {dataset.name}"
        raise MetadataError(complain(path, found, "positive degrees", _AGAIN))
    return mapping


def grid_of(file: h5py.File, dataset: h5py.Dataset, path: Path) -> GeoBox:
    """The grid of a dataset in EPSG:4326."""
    mapping = mapping_of(dataset, path)
    corner = CONVERTED in file.attrs and _is_corner(file, mapping)
    return GeoBox(dataset.shape, mapping.affine(corner), "EPSG:4326")


def _is_corner(file: h5py.File, mapping: Mapping) -> bool:
    """Whether a conversion's MAPPING gives the corner: as its GeoTransform does, or without one."""
    stated = file["crs"].attrs.get("GeoTransform") if "crs" in file else None
    words = [] if stated is None else _text(np.ravel(stated)[0]).split()
    left = _number(words[0]) if words else None
    return left is None or abs(left - mapping.x) < mapping.x_step / 4


def resolution_of(grid: GeoBox, path: Path) -> str:
    """`100M`, `333M` or `1KM` by the pixel size; MetadataError where the name says another."""
    step = abs(grid.affine.a)
    near = [name for name, degrees in _STEPS.items() if abs(step / degrees - 1) < 0.01]
    if not near:
        expected = ", ".join(f"1/{round(1 / degrees)}" for degrees in _STEPS.values())
        found = f"pixels of {step:.6g} degrees"
        raise MetadataError(complain(path, found, f"{expected} degree", "check the product"))
    said = _SUFFIX.search(path.name)
    if said and said[1].upper().replace("300M", "333M") != near[0]:
        found = f"{said[1]} in its name and pixels of {step:.6g} degrees, which are {near[0]}"
        raise MetadataError(complain(path, found, "one resolution", "rename it, or get it again"))
    return near[0]


def _text(value: Any) -> str:
    return value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)


def _number(value: Any) -> float | None:
    """A finite number out of an attribute: scalar, text, or an array of one."""
    if value is not None and getattr(value, "size", 1) == 1 and hasattr(value, "item"):
        value = value.item()
    try:
        number = float(_text(value))
    except ValueError:
        return None
    return number if math.isfinite(number) else None
