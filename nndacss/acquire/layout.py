"""Which of an item's assets a reader needs, and where each lies inside the product.

By the agency's file names, so that it is the same for every archive; where an archive has names
of its own (`B02.tif`), by the band in them. The rest of a product (thumbnails, atmospheric
layers, angle coefficients) is never read, and not fetched.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from nndacss.errors import MetadataError, complain
from nndacss.readers.landsat import names as landsat
from nndacss.readers.sentinel2 import names as sentinel2
from nndacss.search.found import SIGNED, unsigned
from nndacss.search.names import product_of
from nndacss.sensors.sentinel2_msi import SENSOR

_LANDSAT = re.compile(
    r"_(?:(?:SR_|ST_)?B\d{1,2}|BQA|QA_PIXEL|QA_RADSAT|SZA|SAA)\.TIF", re.IGNORECASE
)
_METADATA_KEYS = {"product_metadata": "root", "granule_metadata": "granule"}
_NATIVE = {band.name: int(band.metres) for band in SENSOR.bands} | {"SCL": 20}
_OFFSET = "boa_offset_applied"


@dataclass(frozen=True)
class Wanted:
    """One file of a product."""

    name: str
    """Its path inside the product."""
    asset: str
    """Its name in the item."""
    href: str
    """Without signature."""
    signed: bool
    """Whether the item as given had a signature for it."""
    size: int | None
    """Bytes, where the item says so."""
    checksum: str | None
    """A multihash, where the item has one."""
    metadata: bool
    """Whether the product's identity needs its content."""


@dataclass(frozen=True)
class Layout:
    """A product as it will lie on disk."""

    product: str
    files: tuple[Wanted, ...]
    notes: Mapping[str, str]
    """Small files that the item's own properties make: name -> content."""


def layout(item: Mapping[str, Any]) -> Layout:
    """The files of an item; MetadataError where it is no product that can be read."""
    name = product_of(item)
    if name is not None and landsat.product_in(name):
        files = _landsat(item, name)
        missing = "" if any(file.metadata for file in files) else "*_MTL.txt, .json or .xml"
    elif name is not None:
        files = _sentinel(item)
        kinds = {file.name.count("/") for file in files if file.metadata}
        missing = ", ".join(
            what
            for depth, what in ((0, "the product's metadata (MTD_MSIL*.xml)"), (2, "MTD_TL.xml"))
            if depth not in kinds
        )
    else:
        files, missing = (), "files named as Landsat-8/9 or Sentinel-2 products are"
    if missing or name is None:
        keys = ", ".join(sorted(item.get("assets") or {})[:8])
        remedy = "choose a collection whose items have them (see the README), or another provider"
        raise MetadataError(complain(item.get("id"), f"assets {keys}", missing, remedy))
    return Layout(name, files, _notes(item))


def _landsat(item: Mapping[str, Any], product: str) -> tuple[Wanted, ...]:
    found = {}
    metadata = []
    for asset, href, all_hrefs, entry in _assets(item):
        for other in all_hrefs:
            name = _base(other)
            if landsat.product_in(name) != product:
                continue
            if landsat.metadata_of(name):
                metadata.append(_wanted(name, asset, href, entry, True))
                break
            if _LANDSAT.fullmatch(name.removeprefix(product)):
                found[name] = _wanted(name, asset, href, entry, False)
                break
    metadata.sort(key=lambda file: (landsat.format_rank(file.name), file.name))
    return (*metadata[:1], *(found[name] for name in sorted(found)))


def _sentinel(item: Mapping[str, Any]) -> tuple[Wanted, ...]:
    metadata: dict[str, Wanted] = {}
    images: dict[str, list[tuple[tuple[bool, int, int, str], Wanted]]] = {}
    level = "2A" if "MSIL2A" in (product_of(item) or "") else "1C"
    for asset, href, all_hrefs, entry in _assets(item):
        inside = next((path for other in all_hrefs if (path := _in_safe(other))), None)
        last = _with_metres(_base(inside or all_hrefs[0]))
        part = _metadata_part(asset, last)
        if part is not None:
            place = f"MTD_MSIL{level}.xml" if part == "root" else "GRANULE/tile/MTD_TL.xml"
            metadata[part] = _wanted(inside or place, asset, href, entry, True)
            continue
        band = sentinel2.band_in(last)
        if band is None or not sentinel2.is_image(last):
            continue
        metres = band[1] or _NATIVE[band[0]]
        place = f"GRANULE/tile/IMG_DATA/{band[0]}_{metres}m{PurePosixPath(last).suffix}"
        gap = metres - _NATIVE[band[0]]
        rank = (gap < 0, abs(gap), _rank(href), asset)
        file = _wanted(inside or place, asset, href, entry, False)
        images.setdefault(band[0], []).append((rank, file))
    best = [min(files, key=lambda pair: pair[0])[1] for _, files in sorted(images.items())]
    return (*metadata.values(), *best)


def _metadata_part(asset: str, last: str) -> str | None:
    if sentinel2.is_metadata(last):
        return "root"
    if sentinel2.is_tile_metadata(last):
        return "granule"
    return _METADATA_KEYS.get(asset.replace("-", "_")) if last.lower().endswith(".xml") else None


def _with_metres(name: str) -> str:
    """`SCL.tif`, as one archive has it, tells no resolution: it is 20 m."""
    path = PurePosixPath(name)
    return f"SCL_20m{path.suffix}" if path.stem == "SCL" else name


def _notes(item: Mapping[str, Any]) -> dict[str, str]:
    """What the reader must be told of what the archive did to the pixels."""
    properties = item.get("properties") or {}
    said = {key: True for key in properties if _applied(key, properties[key])}
    return {"item.json": json.dumps({"properties": said}, sort_keys=True)} if said else {}


def _applied(key: str, value: Any) -> bool:
    return key.rsplit(":", 1)[-1] == _OFFSET and value is True


def _assets(
    item: Mapping[str, Any],
) -> Iterator[tuple[str, str, tuple[str, ...], Mapping[str, Any]]]:
    """Name, the address to use, all addresses (in that order of ease), and the asset."""
    for asset, entry in sorted((item.get("assets") or {}).items()):
        others = (entry.get("alternate") or {}).values()
        hrefs = [str(entry.get("href", "")), *(str(other.get("href", "")) for other in others)]
        usable = sorted((href for href in hrefs if href), key=_rank)
        if usable:
            yield asset, usable[0], tuple(usable), entry


def _rank(href: str) -> int:
    """Plain web first, then object stores; USGS's web addresses want a browser's login."""
    parts = urlsplit(href)
    if parts.scheme == "s3":
        return 1
    return 2 if parts.hostname == "landsatlook.usgs.gov" else 0


def _in_safe(href: str) -> str | None:
    """The path inside the product, where the address shows it."""
    inside = urlsplit(href).path.partition(".SAFE/")[2]
    plain = re.fullmatch(r"[\w.-]+(?:/[\w.-]+)*", inside) and ".." not in inside.split("/")
    return inside if plain else None


def _base(href: str) -> str:
    return PurePosixPath(urlsplit(href).path).name


def _wanted(name: str, asset: str, href: str, entry: Mapping[str, Any], metadata: bool) -> Wanted:
    size = entry.get("file:size")
    checksum = entry.get("file:checksum") or entry.get("checksum:multihash")
    bare = unsigned(href)
    signed = bare != href or entry.get(SIGNED) is True
    return Wanted(name, asset, bare, signed, size, checksum, metadata)
