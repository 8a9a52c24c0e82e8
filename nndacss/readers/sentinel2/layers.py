"""Sentinel-2's band files as layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from odc.geo.crs import CRS
from odc.geo.geobox import GeoBox

from nndacss.errors import BandError, MetadataError, complain
from nndacss.raster import Pixels
from nndacss.readers.layers import Handles, Header, Layer, read_header
from nndacss.readers.sentinel2.blocks import Blocks
from nndacss.readers.sentinel2.identity import Safe
from nndacss.readers.sentinel2.metadata import Tile
from nndacss.readers.sentinel2.xml import REMEDY
from nndacss.readers.windows import check_one_grid, describe
from nndacss.sensors import Band
from nndacss.sensors.sentinel2_msi import SENSOR

#: What a saturated pixel counts as: brighter than ground and all but the brightest cloud, but not
#: the 6.5 that its DN 65535 would make, which a resampling kernel would spread into a dark ring.
SATURATED_REFLECTANCE = 2.0
#: Bands of two resolutions may begin this far from each other (metres): a crop that cuts each
#: resolution at whole pixels of its own.
_SLACK = 60.0
_GLANCE = 512


@dataclass(frozen=True)
class BandEntry:
    """reflectance = gain * DN + offset."""

    gain: float
    offset: float
    saturated: int
    """The DN of a saturated pixel."""
    k1: None = None
    k2: None = None


@dataclass(frozen=True, eq=False)
class MsiLayer(Layer):
    """A band or the scene classification on its grid."""

    blocks: Blocks = field(default_factory=Blocks)
    """Kept blocks, shared by the layers of a product."""

    def window(self, rows: slice, columns: slice) -> NDArray[Any]:
        """(rows, columns) raw numbers; of JPEG 2000 by whole blocks, which are kept."""
        if not self.header.file.lower().endswith(".jp2") or rows.start >= rows.stop:
            return super().window(rows, columns)
        high, wide = self.handles.get(self.path, self.header.file).block_shapes[0]
        shape = (rows.stop - rows.start, columns.stop - columns.start)
        result = np.empty(shape, dtype=self.header.dtype)
        for top in range(rows.start // high * high, rows.stop, high):
            for left in range(columns.start // wide * wide, columns.stop, wide):
                block = self._block(top, left, (high, wide))
                down, from_rows = _shared(rows, top, block.shape[0])
                across, from_columns = _shared(columns, left, block.shape[1])
                result[down, across] = block[from_rows, from_columns]
        return result

    def _block(self, top: int, left: int, size: tuple[int, int]) -> NDArray[Any]:
        """The block that begins there, smaller at the file's lower and right edge."""
        rows = slice(top, min(top + size[0], self.header.shape[0]))
        columns = slice(left, min(left + size[1], self.header.shape[1]))
        key = (self.path, top, left)
        return self.blocks.get(key, lambda: super(MsiLayer, self).window(rows, columns))

    def calibrated(self, numbers: NDArray[Any]) -> Pixels:
        """float32 reflectance, NaN where missing; right to about 1e-7."""
        pixels = super().calibrated(numbers)
        if isinstance(self.entry, BandEntry):
            pixels[numbers == self.entry.saturated] = SATURATED_REFLECTANCE
        return pixels

    def glance(self) -> Pixels:
        """The band at no more than 512 pixels a side, calibrated; quick, and not exact."""
        shape = tuple(min(size, _GLANCE) for size in self.header.shape)
        numbers = self.handles.get(self.path, self.header.file).read(1, out_shape=shape)
        return self.calibrated(numbers)


def _shared(wanted: slice, start: int, size: int) -> tuple[slice, slice]:
    """What `wanted` shares with a run of pixels, counted from the start of each."""
    first, last = max(wanted.start, start), min(wanted.stop, start + size)
    return slice(first - wanted.start, last - wanted.start), slice(first - start, last - start)


def open_layers(safe: Safe) -> tuple[Mapping[str, MsiLayer], MsiLayer | None]:
    """The bands by role and the scene classification; BandError where one does not belong."""
    files = (Handles(), Blocks())
    bands = {
        band.role: _layer(safe, files, band) for band in SENSOR.bands if band.name in safe.images
    }
    scl = _layer(safe, files, None) if "SCL" in safe.images else None
    every = [*bands.values(), *([scl] if scl else [])]
    for metres in {layer.grid.affine.a for layer in every}:
        check_one_grid([layer for layer in every if layer.grid.affine.a == metres])
    for layer in every[1:]:
        _check_place(layer, every[0])
    return bands, scl


def _layer(safe: Safe, files: tuple[Handles, Blocks], band: Band | None) -> MsiLayer:
    """The layer of a band, or of the scene classification."""
    handles, blocks = files
    name = safe.images[band.name if band else "SCL"]
    path, last = safe.store.gdal_path(name), PurePosixPath(name).name
    dtypes = ("uint16",) if band else ("uint8", "uint16")
    header = read_header(handles, path, last, dtypes)
    entry = None
    if band is not None:
        offset = safe.product.offsets.get(band.name)
        if offset is None:
            expected = f"one for {band.name}, as for other bands"
            message = complain(safe.product.source, "no offset", expected, REMEDY)
            raise MetadataError(message)
        gain = 1 / safe.product.quantification
        entry = BandEntry(gain, offset * gain, safe.product.saturated)
    return MsiLayer(handles, path, header, _grid(header, safe.tile), entry, blocks)


def _grid(header: Header, tile: Tile) -> GeoBox:
    """From the file where it says so, else from the metadata by its size."""
    if header.crs is not None and header.affine != Affine.identity():
        return GeoBox(header.shape, header.affine, CRS(header.crs))
    for plane in tile.planes.values():
        if header.shape == (plane.rows, plane.columns) and tile.epsg is not None:
            affine = Affine(plane.metres, 0, plane.left, 0, -plane.metres, plane.top)
            return GeoBox(header.shape, affine, CRS(f"EPSG:{tile.epsg}"))
    rows, columns = header.shape
    expected = f"one of the sizes that {tile.source} states with a HORIZONTAL_CS_CODE"
    found = f"no georeference, and {rows} x {columns} pixels"
    raise BandError(complain(header.file, found, expected, REMEDY))


def _check_place(layer: MsiLayer, first: MsiLayer) -> None:
    boxes = (layer.grid.boundingbox.bbox, first.grid.boundingbox.bbox)
    gaps = [abs(a - b) for a, b in zip(*boxes, strict=True)]
    if layer.grid.crs != first.grid.crs or max(gaps) > _SLACK:
        expected = f"the area of {first.header.file}, {describe(first.grid)}"
        remedy = "these are bands of different products; order the product again"
        raise BandError(complain(layer.header.file, describe(layer.grid), expected, remedy))
