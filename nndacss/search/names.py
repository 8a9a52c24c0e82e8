"""Which agency product a STAC item is.

Archives call the same product differently (`..._T1_SR`, ids without the day of processing,
`S2A_31UFU_20230701_0_L2A`), but its own name is in its files' addresses or its properties.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple

from nndacss.readers.landsat import names as landsat
from nndacss.readers.sentinel2 import names as sentinel2

Item = Mapping[str, Any]


def product_of(item: Item) -> str | None:
    """The agency's name of the product; None where nothing tells it.

    >>> product_of({"id": "LC08_L2SP_017051_20151205_20200908_02_T1_SR"})
    'LC08_L2SP_017051_20151205_20200908_02_T1'
    """
    for text in _texts(item):
        name = landsat.product_in(text) or sentinel2.product_in(text)
        if name is not None:
            return name
    return None


def acquisition(product: str) -> tuple[str, ...] | None:
    """What all processings of one acquisition by one sensor at one level share."""
    if (parts := landsat.parts(product)) is not None:
        return (parts.sensor, parts.level[:2], parts.place, parts.acquired)
    if (tile := sentinel2.parts(product)) is not None:
        return (tile.satellite, tile.level, tile.tile, tile.start)
    return None


class Shared(NamedTuple):
    """What a Landsat acquisition's Level-1 and Level-2 products share."""

    sensor: str
    place: str
    date: date


def landsat_acquisition(product: str, level: str) -> Shared | None:
    """The acquisition of a Landsat product of a level (`L1`, `L2`); None for others."""
    parts = landsat.parts(product)
    if parts is None or parts.level[:2] != level:
        return None
    return Shared(parts.sensor, parts.place, date.fromisoformat(parts.acquired))


def taken_on(product: str) -> date | None:
    """The day of acquisition in UTC, by the product's name."""
    key = acquisition(product)
    return None if key is None else date.fromisoformat(key[3][:8])


def processed(product: str) -> tuple[str, ...]:
    """Sorts processings of one acquisition, the latest last; final tiers after real time."""
    if (parts := landsat.parts(product)) is not None:
        final = not product.endswith("_RT")
        return (parts.collection, str(int(final)), parts.processed, parts.level)
    tile = sentinel2.parts(product)
    return () if tile is None else (tile.baseline, tile.made)


def place(product: str) -> str | None:
    """WRS-2 path and row (`017051`) or MGRS tile (`29UNU`)."""
    if (parts := landsat.parts(product)) is not None:
        return parts.place
    tile = sentinel2.parts(product)
    return None if tile is None else tile.tile


def _texts(item: Item) -> Iterator[str]:
    """Where the name may stand: product URI, folders and names of files, id."""
    properties = item.get("properties") or {}
    for key in ("s2:product_uri", "landsat:product_id"):
        if properties.get(key):
            yield str(properties[key])
    for asset in (item.get("assets") or {}).values():
        # a file of Sentinel-2 starts with its tile, so only its folder is named in full
        yield from reversed(str(asset.get("href", "")).split("?")[0].split("/"))
    yield str(item.get("id", ""))
