"""Real patches: a Landsat scene that `ConvertPV` brought to Proba-V, and a Proba-V product.

Both lie on latitude and longitude with one pixel size, but not on one lattice: patches are cut by
the nearest whole pixel, so that they may be off by half a pixel. The published pairs are not
nearer than that in time, and no loss compares them pixel by pixel.

Clouds are what the makers say: the status map of Proba-V (unknown where it is undefined), and the
labels that the conversion carries along (unknown where there are none). Landsat as it was is not in
a converted product: `l8` is missing.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

import numpy as np

from nndacss.domains.kinds import Products
from nndacss.domains.settings import DomainsSettings
from nndacss.domains.source import BANDS, Patch, PatchRecord
from nndacss.errors import DatasetError, complain
from nndacss.raster import Pixels
from nndacss.readers.probav import Product, open_product
from nndacss.readers.probav.status import CLOUD, UNDEFINED, codes

log = logging.getLogger("nndacss")


def patches(options: Products, title: str, name: str, settings: DomainsSettings) -> Iterator[Patch]:
    """All patches that are complete in both, row by row of the Proba-V product.

    DatasetError where the two do not overlap, are of another resolution or change their roles.
    """
    side = settings.side
    with open_product(options.landsat) as landsat, open_product(options.probav) as probav:
        _check(landsat, probav, settings.resolution)
        down, across = offset(landsat, probav)
        (height, width), (rows, columns) = probav.shape, landsat.shape
        first = max(0, -down), max(0, -across)
        last = min(height, rows - down), min(width, columns - across)
        if last[0] - first[0] < side or last[1] - first[1] < side:
            found = f"an overlap of less than {side} x {side} pixels with {landsat.path.name}"
            remedy = "choose two products of one place, or lower domains.side"
            raise DatasetError(complain(probav.path, found, "room for a patch", remedy))
        count = 0
        for row in range(first[0], last[0] - side + 1, settings.stride):
            for column in range(first[1], last[1] - side + 1, settings.stride):
                record = PatchRecord(title, "products", name, landsat.path.stem, row, column)
                patch = _patch(landsat, probav, (row, column), (down, across), side, record)
                if patch is not None:
                    count += 1
                    yield patch
        log.info("%s: %d complete patches", title, count)


def offset(landsat: Product, probav: Product) -> tuple[int, int]:
    """Rows and columns from a Proba-V pixel to the nearest pixel of the converted scene."""
    mine, theirs = probav.grid.affine, landsat.grid.affine
    return round((mine.f - theirs.f) / theirs.e), round((mine.c - theirs.c) / theirs.a)


def _check(landsat: Product, probav: Product, resolution: str) -> None:
    for product in (landsat, probav):
        if product.resolution != resolution:
            found, remedy = f"a {product.resolution} product", "set domains.resolution"
            raise DatasetError(complain(product.path, found, resolution, remedy))
    if not landsat.converted:
        found, expected = "no conversion", "a file that ConvertPV wrote"
        raise DatasetError(complain(landsat.path, found, expected, "exchange the two paths?"))
    if probav.converted:
        found, expected = "a converted Landsat scene", "a Proba-V product"
        raise DatasetError(complain(probav.path, found, expected, "exchange the two paths?"))
    if probav.quantity != "TOA":
        found, expected = probav.quantity, "top-of-atmosphere reflectance"
        raise DatasetError(complain(probav.path, found, expected, "take the Level-2A product"))


def _patch(
    landsat: Product,
    probav: Product,
    place: tuple[int, int],
    move: tuple[int, int],
    side: int,
    record: PatchRecord,
) -> Patch | None:
    """One patch; None where a pixel of it is missing in either."""
    (row, column), (down, across) = place, move
    here = slice(row, row + side), slice(column, column + side)
    there = (
        slice(row + down, row + down + side),
        slice(column + across, column + across + side),
    )
    pv, lu = probav.read(here), landsat.read(there)
    if np.isnan(pv).any() or np.isnan(lu).any():
        return None
    unknown = np.full((side, side), np.nan, dtype=np.float32)
    clouds = landsat.read_clouds(there)
    return Patch(
        pv=np.ascontiguousarray(np.moveaxis(pv, 0, -1)),
        lu=np.ascontiguousarray(np.moveaxis(lu, 0, -1)),
        l8=np.full((side, side, len(BANDS)), np.nan, dtype=np.float32),
        pv_cloud=_status_clouds(probav, here, unknown),
        lu_cloud=unknown if clouds is None else clouds,
        l8_cloud=unknown,
        record=record,
    )


def _status_clouds(probav: Product, at: tuple[slice, slice], unknown: Pixels) -> Pixels:
    """1 where the status map says cloud, 0 where it says something else, NaN where undefined."""
    status = probav.read_status(at)
    if status is None:
        return unknown
    code = codes(status)
    clouds: Pixels = np.where(code == UNDEFINED, unknown, (code == CLOUD).astype(np.float32))
    return clouds
