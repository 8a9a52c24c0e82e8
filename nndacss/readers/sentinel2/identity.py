"""Which product this is, from names, sizes and metadata; no raster is opened."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from nndacss.errors import InputError, complain
from nndacss.readers.scene import SceneIdentity
from nndacss.readers.sentinel2.files import Store, granule, list_files, metadata_file
from nndacss.readers.sentinel2.metadata import (
    Product,
    Tile,
    read_product,
    read_tile,
    says_shifted,
)
from nndacss.readers.sentinel2.names import band_in, is_image
from nndacss.sensors.sentinel2_msi import SENSOR


@dataclass(frozen=True)
class Safe:
    """One product, listed and its metadata read."""

    store: Store
    product: Product
    tile: Tile
    images: Mapping[str, str]
    """Band (or `SCL`) -> the file that is read for it."""
    shifted: bool
    """Whether the product says that its DN hold the offsets already."""
    identity: SceneIdentity


def load(path: Path) -> Safe:
    """Files, metadata and identity of the product at `path`."""
    if not path.exists():
        expected = "a Sentinel-2 SAFE folder or zip"
        raise InputError(complain(path, "nothing there", expected, "check the path"))
    store = list_files(path)
    source = metadata_file(store)
    folder, tile_source = granule(store)
    markers = [name for name in store.at_root if name.endswith(".json")]
    marker = next((name for name in markers if says_shifted(store.read(name))), None)
    contents = {name: store.read(name) for name in (source, tile_source)}
    product = read_product(source, contents[source], marker is not None)
    tile = read_tile(tile_source, contents[tile_source])
    images = _images(store, folder)
    stored = sorted({source, tile_source, *images.values(), *([marker] if marker else [])})
    files = tuple((name, store.sizes[name]) for name in stored)
    name = product.name
    if "_PRD_" in name:  # the products of before December 2016 may hold several tiles
        name = f"{name}_T{tile.name}"
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    facts = {"product": name, "metadata": digests, "files": files, "shifted": marker is not None}
    canonical = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    identity = SceneIdentity(
        name=name,
        digest=hashlib.sha256(canonical.encode()).hexdigest(),
        level=product.level,
        acquired=tile.sensed,
        sensor=SENSOR.name,
        key=f"{product.platform} {tile.name} {product.start:%Y%m%dT%H%M%S}",
        files=files,
        square_km=_square_km(tile),
        outline=product.outline,
    )
    return Safe(store, product, tile, images, marker is not None, identity)


def _images(store: Store, folder: str) -> Mapping[str, str]:
    """Each band's file: of its native resolution, or the nearest coarser, or else finer one.

    Level-2A products of before 2018 keep the scene classification among the quality files.
    """
    native = {band.name: band.metres for band in SENSOR.bands} | {"SCL": 20}
    found: dict[str, list[tuple[bool, int, str]]] = {}
    for place in ("IMG_DATA", "QI_DATA"):
        for name in store.under("GRANULE", folder, place):
            last = PurePosixPath(name).name
            parsed = band_in(last)
            if parsed is None or not is_image(last):
                continue
            if place == "QI_DATA" and parsed[0] != "SCL":  # masks named after the bands
                continue
            metres = parsed[1] or native[parsed[0]]
            gap = metres - native[parsed[0]]
            found.setdefault(parsed[0], []).append((gap < 0, abs(gap), name))
    return {band: min(files)[2] for band, files in sorted(found.items())}


def _square_km(tile: Tile) -> float:
    if not tile.planes:
        return 0.0
    plane = tile.planes[min(tile.planes)]
    return plane.rows * plane.columns * plane.metres**2 / 1e6
