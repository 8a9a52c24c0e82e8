"""What one image and its label are like, in numbers that all later steps share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from nndacss.clean.settings import CleanSettings
from nndacss.datasets.landcovernet import CODES
from nndacss.datasets.landcovernet_files import Image
from nndacss.datasets.landcovernet_read import (
    HIDDEN,
    clouded,
    read_label,
    read_pixels,
    scene_classes,
)
from nndacss.datasets.rasters import Read
from nndacss.errors import DatasetError
from nndacss.identity import drafted
from nndacss.labels.land_cover import ARCHIVE_OFFSET, LandCover
from nndacss.labels.sets import translate

#: Pixels of each class that stand for an image.
_PIXELS = 80
#: Rows and columns of the small picture by which images are compared.
_SMALL = 16
#: Least reflectance, before its logarithm is taken.
_DARKEST = 0.002
#: Consensus below which a pixel's label is no evidence of what the class looks like.
_SURE = 60
#: Contrast of log reflectance below which a picture shows nothing.
_FLAT = 1e-4
#: SCL code of snow.
_SNOW = 11


@dataclass(frozen=True)
class Measure:
    """One image."""

    name: str
    problem: str = ""
    """Why it cannot be used at all; empty where it can."""
    labelled: float = 0.0
    """Share of the chip with a label."""
    consensus: float = 0.0
    """Mean of labelled pixels, 0..100."""
    cloud: float = 1.0
    missing: float = 1.0
    hidden: float = 1.0
    """Share that cloud, shadow or fresh snow hides, by SCL."""
    bounds: tuple[float, ...] = ()
    """West, south, east, north in degrees."""
    spectra: NDArray[np.float32] | None = None
    """(pixels, bands) natural logarithm of reflectance, some pixels of each class."""
    classes: NDArray[np.uint8] | None = None
    """(pixels,) their labels, codes of `LandCover`."""
    weights: NDArray[np.float32] | None = None
    """(pixels,) how many pixels of the image each stands for."""
    small: NDArray[np.float32] | None = None
    """(bands * 16 * 16,) a small picture, mean 0 and length 1."""

    def save(self, path: Path) -> None:
        """Write it, whole or not at all."""
        with drafted(path) as draft:
            np.savez(draft, **{key: value for key, value in self._items() if value is not None})

    def _items(self) -> Iterator[tuple[str, Any]]:
        return ((key, getattr(self, key)) for key in self.__dataclass_fields__)


def load_measure(path: Path) -> Measure:
    """What `save` wrote."""
    with np.load(path, allow_pickle=False) as stored:
        found = {key: stored[key] for key in stored.files}
    return Measure(
        name=str(found["name"]),
        problem=str(found["problem"]),
        labelled=float(found["labelled"]),
        consensus=float(found["consensus"]),
        cloud=float(found["cloud"]),
        missing=float(found["missing"]),
        hidden=float(found["hidden"]),
        bounds=tuple(float(value) for value in found["bounds"]),
        spectra=found.get("spectra"),
        classes=found.get("classes"),
        weights=found.get("weights"),
        small=found.get("small"),
    )


def measure(image: Image, label: Path, settings: CleanSettings) -> Measure:
    """Numbers of one image; where its files cannot be used, only the problem."""
    try:
        return _measured(image, label, settings)
    except DatasetError as error:
        return Measure(image.name, problem=str(error))


def _measured(image: Image, path: Path, settings: CleanSettings) -> Measure:
    label, consensus = read_label(path)
    codes = label.pixels[0]
    translate(codes, CODES, path)
    pixels = read_pixels(image, settings.bands, label)
    cloud, missing = clouded(image, settings.cloud, label)
    known = codes > 0
    empty: NDArray[np.bool_] = np.asarray(np.isnan(pixels).any(axis=0))
    scenes = scene_classes(image, label)
    fresh = (scenes == _SNOW) & (codes != LandCover.SNOW_ICE + ARCHIVE_OFFSET)
    hidden = np.isin(scenes, HIDDEN) | fresh
    usable = known & ~empty & ~hidden & (consensus >= _SURE)
    logs = np.log(np.maximum(np.nan_to_num(pixels), _DARKEST)).astype(np.float32)
    spectra, classes, weights = _some(logs, codes, usable, image.name)
    return Measure(
        name=image.name,
        labelled=float(known.mean()),
        consensus=float(consensus[known].mean()) if known.any() else 0.0,
        cloud=cloud,
        missing=max(missing, float(empty.mean())),
        hidden=float(hidden.mean()),
        bounds=_bounds(label),
        spectra=spectra,
        classes=classes,
        weights=weights,
        small=_small(logs, empty),
    )


def _some(
    logs: NDArray[np.float32], codes: NDArray[np.uint8], usable: NDArray[np.bool_], name: str
) -> tuple[NDArray[np.float32], NDArray[np.uint8], NDArray[np.float32]]:
    """Some pixels of each class, the same ones each time."""
    draw = np.random.default_rng(crc32(name.encode()))
    spectra, classes, weights = [], [], []
    for code in np.unique(codes[usable]):
        places = np.flatnonzero(usable & (codes == code))
        chosen = draw.choice(places, min(_PIXELS, places.size), replace=False)
        spectra.append(logs.reshape(len(logs), -1)[:, chosen].T)
        classes.append(np.full(chosen.size, code - ARCHIVE_OFFSET, dtype=np.uint8))
        weights.append(np.full(chosen.size, places.size / chosen.size, dtype=np.float32))
    if not spectra:
        none = np.zeros((0, len(logs)), dtype=np.float32)
        return none, np.zeros(0, dtype=np.uint8), np.zeros(0, dtype=np.float32)
    return np.concatenate(spectra), np.concatenate(classes), np.concatenate(weights)


def _small(logs: NDArray[np.float32], empty: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Means of 16 x 16 parts, each band without its mean; all of length 1.

    Missing pixels are as the mean of the others, so that they make no two images alike.
    """
    if empty.any() and not empty.all():
        means = logs[:, ~empty].mean(axis=1)
        logs = np.where(empty, means[:, None, None], logs)
    bands, rows, columns = logs.shape
    down, across = max(1, rows // _SMALL), max(1, columns // _SMALL)
    whole = logs[:, : down * (rows // down), : across * (columns // across)]
    means = whole.reshape(bands, rows // down, down, columns // across, across).mean(axis=(2, 4))
    means = means[:, :_SMALL, :_SMALL]
    flat = (means - means.mean(axis=(1, 2), keepdims=True)).ravel()
    length = float(np.linalg.norm(flat))
    if length < _FLAT * np.sqrt(flat.size):  # nothing to recognise, but rounding
        return np.zeros_like(flat)
    result: NDArray[np.float32] = (flat / length).astype(np.float32)
    return result


def _bounds(label: Read) -> tuple[float, ...]:
    """West, south, east, north in degrees; empty where the label says nothing."""
    from rasterio.transform import array_bounds
    from rasterio.warp import transform_bounds

    if label.crs is None:
        return ()
    rows, columns = label.pixels.shape[1:]
    bounds = array_bounds(rows, columns, label.transform)
    return tuple(float(value) for value in transform_bounds(label.crs, 4326, *bounds))


def by_chip(measures: Mapping[str, Measure]) -> dict[str, list[str]]:
    """Chip `<tile>_<nn>` -> names of its images, sorted."""
    chips: dict[str, list[str]] = {}
    for name in sorted(measures):
        chips.setdefault(name.rpartition("_")[0], []).append(name)
    return chips
