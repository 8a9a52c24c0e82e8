"""Reading LandCoverNet's rasters: labels, bands and the layers of quality, checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nndacss.datasets.landcovernet_files import Image
from nndacss.datasets.rasters import Read, codes_of, read, to_reflectance
from nndacss.errors import DatasetError, complain
from nndacss.landcovernet.names import CLD, SCL
from nndacss.raster import Pixels

#: Reflectance of one count, Sentinel-2 L2A before processing baseline 04.00: there is no offset.
GAIN = 1 / 10_000
#: SCL codes of what hides the ground: saturated or defective, cloud shadow, cloud of medium and of
#: high probability, thin cirrus (Sentinel-2 L2A product definition, table of the scene classes).
HIDDEN = (1, 3, 8, 9, 10)
#: Of these, cloud.
CLOUDY = (8, 9, 10)
#: Missing values of the layers.
_NO_SCL, _NO_CLD = 0, 255


def read_label(path: Path) -> tuple[Read, NDArray[np.uint8]]:
    """The label, its first band as uint8, and the consensus (rows, columns) 0..100.

    A label of one band says nothing about consensus; it is 100 then. DatasetError where the values
    are no codes.
    """
    stored = read(path)
    if len(stored.pixels) > 2 or stored.pixels.dtype.kind not in "iu":
        found = f"{len(stored.pixels)} bands of {stored.pixels.dtype}"
        expected = "band 1 class, band 2 consensus, whole numbers"
        raise DatasetError(complain(path, found, expected, "check that it is the label file"))
    if stored.pixels.min() < 0 or stored.pixels.max() > 255:
        found = f"values {stored.pixels.min()} to {stored.pixels.max()}"
        raise DatasetError(complain(path, found, "codes 0 to 7 and 0 to 100", "get it again"))
    pixels = stored.pixels.astype(np.uint8)
    consensus = pixels[1] if len(pixels) == 2 else np.full(pixels.shape[1:], 100, dtype=np.uint8)
    return replace(stored, pixels=pixels[:1]), consensus


def read_pixels(image: Image, bands: Sequence[str], label: Read) -> Pixels:
    """(bands, rows, columns) reflectance, NaN where missing.

    DatasetError where a file is missing, damaged, or does not lie on the label's pixels.
    """
    layers = []
    for band in bands:
        stored = read(image.file(band))
        codes_of(label, stored)
        layers.append(to_reflectance(stored.pixels[0], GAIN, 0.0))
    return np.stack(layers)


def scene_classes(image: Image, label: Read) -> NDArray[np.uint8]:
    """(rows, columns) SCL codes."""
    return _layer(image, SCL, label)


def hidden(image: Image, label: Read) -> NDArray[np.bool_]:
    """(rows, columns) where SCL says that something hides or shades the ground."""
    return np.isin(scene_classes(image, label), HIDDEN)


def clouded(image: Image, layer: str, label: Read | None = None) -> tuple[float, float]:
    """Mean cloud cover of what is there, and the share that is missing, both 0..1.

    By `CLD` cloud cover is the mean probability, by `SCL` the share of pixels that are cloud. Where
    nothing is there, cloud cover is 1.
    """
    codes = _layer(image, layer, label)
    missing = codes == (_NO_CLD if layer == CLD else _NO_SCL)
    if missing.all():
        return 1.0, 1.0
    seen = codes[~missing]
    cover = np.minimum(seen, 100).mean() / 100 if layer == CLD else np.isin(seen, CLOUDY).mean()
    return float(cover), float(missing.mean())


def _layer(image: Image, layer: str, label: Read | None) -> NDArray[np.uint8]:
    stored = read(image.file(layer))
    if stored.pixels.max() > 255 or stored.pixels.dtype.kind not in "iu":
        found = f"values up to {stored.pixels.max()}"
        raise DatasetError(complain(stored.path, found, f"{layer} codes", "get it again"))
    if label is not None:
        codes_of(label, stored)
    codes: NDArray[np.uint8] = stored.pixels[0].astype(np.uint8)
    return codes
