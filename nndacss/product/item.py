"""The STAC item of a product: STAC 1.1 with the extensions that say what the files hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import rasterio
from odc.geo.geobox import GeoBox
from pystac.errors import STACValidationError
from pystac.validation import validate_dict

from nndacss.errors import OutputError, complain
from nndacss.plugins import load, names
from nndacss.product.sheets import Bit, Label, Sheet
from nndacss.sensors import Band

_BASE = "https://stac-extensions.github.io"
EXTENSIONS = tuple(
    f"{_BASE}/{name}/v{version}/schema.json"
    for name, version in (
        ("eo", "2.0.0"),
        ("raster", "2.0.0"),
        ("projection", "2.0.0"),
        ("classification", "2.0.0"),
        ("processing", "1.2.0"),
        ("view", "1.0.0"),
        ("file", "2.1.0"),
    )
)
COG = "image/tiff; application=geotiff; profile=cloud-optimized"


def bands_of(target: str) -> Mapping[str, Band]:
    """Role -> band of the sensor that flies on the platform `target`, e.g. `sentinel-2a`."""
    for name in names("sensors"):
        sensor = load("sensors", name)
        if target in sensor.platforms:
            return {band.role: band for band in sensor.bands}
    return {}


def instrument(platform: str) -> str:
    """What observes on a platform, in STAC's words: `oli`, `msi`.

    >>> instrument("landsat-9"), instrument("sentinel-2b")
    ('oli', 'msi')
    """
    for name in names("sensors"):
        sensor = load("sensors", name)
        if platform in sensor.platforms:
            return str(sensor.name).rpartition("_")[2]
    return "unknown"


def raster_asset(path: Path, sheet: Sheet, target: Mapping[str, Band]) -> dict[str, Any]:
    """One COG: its grid, and its bands with units, nodata, classes and bits."""
    with rasterio.open(path) as raster:
        grid = GeoBox.from_rio(raster)
    metres = abs(grid.affine.a)
    common: dict[str, Any] = {"data_type": sheet.dtype, "nodata": sheet.nodata}
    common["raster:spatial_resolution"] = metres
    if sheet.scale != 1 and not sheet.coded:
        common |= _scale(sheet)
    if sheet.unit:
        common["unit"] = sheet.unit
    if sheet.labels:
        common["classification:classes"] = [_class(label, sheet) for label in sheet.labels]
    if sheet.bits and not sheet.coded:
        common |= _bits(sheet)
    return {
        "href": f"./{path.name}",
        "type": COG,
        "title": sheet.title,
        "roles": _roles(sheet),
        "gsd": metres,
        **projection(grid),
        **common,
        "bands": [_band(name, target) | _own(name, sheet) for name in sheet.bands],
        "file:size": path.stat().st_size,
    }


def _scale(sheet: Sheet) -> dict[str, Any]:
    return {"raster:scale": sheet.scale, "raster:offset": 0}


def _bits(sheet: Sheet) -> dict[str, Any]:
    return {"classification:bitfields": [_bitfield(bit) for bit in sheet.bits]}


def _own(name: str, sheet: Sheet) -> dict[str, Any]:
    """What one band holds where bands differ: numbers here, bits there."""
    if not sheet.coded:
        return {}
    if name in sheet.coded:
        return _bits(sheet)
    return {"description": f"one standard deviation of {name}"} | _scale(sheet)


def projection(grid: GeoBox) -> dict[str, Any]:
    """The grid in the words of the projection extension."""
    bounds = grid.extent.boundingbox
    code = grid.crs.epsg if grid.crs is not None else None
    place: dict[str, Any] = {"proj:code": f"EPSG:{code}" if code else None}
    if not code:
        place["proj:wkt2"] = str(grid.crs)
    return place | {
        "proj:shape": list(grid.shape),
        "proj:transform": list(grid.affine)[:6],
        "proj:bbox": [bounds.left, bounds.bottom, bounds.right, bounds.top],
    }


def _roles(sheet: Sheet) -> list[str]:
    kinds = {
        "reflectance": ["data", "reflectance"],
        "sun": ["metadata", "sun-elevation", "sun-azimuth"],
        "quality": ["metadata", "quality"],
        "source": ["metadata"],
        "probability": ["metadata", "cloud"],
        "uncertainty": ["metadata", "uncertainty"],
    }
    return kinds.get(sheet.thing, ["data-mask", "cloud", "cloud-shadow", "snow-ice"])


def _band(name: str, target: Mapping[str, Band]) -> dict[str, Any]:
    if name not in target:
        return {"name": name}
    band = target[name]
    return {
        "name": name,
        "description": f"like {band.name}",
        "eo:common_name": name,
        "eo:center_wavelength": band.wavelength,
        "eo:full_width_half_max": band.width,
    }


def _class(label: Label, sheet: Sheet) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "value": label.value,
        "name": _word(label.name),
        "title": label.name,
        "description": label.description,
        "color_hint": "{:02X}{:02X}{:02X}".format(*label.colour),
    }
    return entry | ({"nodata": True} if label.value == sheet.nodata else {})


def _bitfield(bit: Bit) -> dict[str, Any]:
    """A field with its values: yes and no, or the numbers that its description explains."""
    if bit.length == 1:
        no = (0, f"not_{bit.name}", f"not: {bit.description}")
        values = [no, (1, bit.name, bit.description)]
    else:
        numbers = range(1 << bit.length)
        values = [(value, f"{bit.name}_{value}", bit.description) for value in numbers]
    return {
        "name": bit.name,
        "description": bit.description,
        "offset": bit.offset,
        "length": bit.length,
        "classes": [
            {"value": value, "name": name, "description": text} for value, name, text in values
        ],
    }


def _word(text: str) -> str:
    """A class name in the characters that the extension allows."""
    kept = "".join(letter if letter.isalnum() else "_" for letter in text.lower())
    return "_".join(part for part in kept.split("_") if part)


def plain_asset(path: Path, title: str, roles: Sequence[str]) -> dict[str, Any]:
    """A picture, the report or its numbers."""
    kinds = {".png": "image/png", ".html": "text/html", ".json": "application/json"}
    asset = {"href": f"./{path.name}", "type": kinds[path.suffix], "title": title}
    return {**asset, "roles": list(roles), "file:size": path.stat().st_size}


def build(
    name: str,
    acquired: datetime,
    place: tuple[dict[str, Any], list[float]],
    properties: Mapping[str, Any],
    assets: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    """The item as plain JSON; times of making are the only thing that differs between runs."""
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    moment = acquired.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    geometry, bbox = place
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": list(EXTENSIONS),
        "id": name,
        "geometry": geometry,
        "bbox": bbox,
        "properties": {
            "datetime": moment,
            "created": now,
            "updated": now,
            "processing:datetime": now,
            **properties,
        },
        "links": [],
        "assets": dict(assets),
    }


def validate(item: Mapping[str, Any], path: Path) -> None:
    """Against the core schema that pystac brings along; OutputError says what is wrong.

    The extensions' schemas lie on the web only. `tests/product/test_item.py` checks their rules
    one by one.
    """
    core = {**item, "stac_extensions": []}
    try:
        validate_dict(core)
    except STACValidationError as error:
        remedy = "this is a fault of ours: please report it"
        raise OutputError(complain(path, str(error), "a valid STAC item", remedy)) from error
