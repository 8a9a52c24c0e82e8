"""STAC items of product folders, as archives write them."""

import hashlib
import json
from pathlib import Path

from nndacss.readers import identify

LANDSAT_ROLES = {
    "B1": "coastal",
    "B2": "blue",
    "B3": "green",
    "B4": "red",
    "B5": "nir08",
    "B6": "swir16",
    "B7": "swir22",
    "B8": "pan",
    "B9": "cirrus",
    "B10": "lwir11",
    "B11": "lwir12",
}


def multihash(data, algorithm="sha256"):
    code = {"md5": "d501", "sha256": "12", "sha512": "13"}[algorithm]
    digest = hashlib.new(algorithm, data)
    return f"{code}{digest.digest_size:02x}{digest.hexdigest()}"


def landsat_item(folder, base, *, collection="landsat-c2l2-sr", stated=True, suffix="", **facts):
    """An item for a Landsat folder that `base` serves; `stated`: with sizes and checksums."""
    folder = Path(folder)
    identity = identify(folder)
    assets = {}
    for file in sorted(folder.iterdir()):
        rest = file.name.removeprefix(f"{folder.name}_")
        band = rest.removeprefix("SR_").removeprefix("ST_").removesuffix(".TIF")
        assets[LANDSAT_ROLES.get(band, rest.lower().removesuffix(".tif"))] = asset(
            f"{base}/{folder.name}/{file.name}", file, stated
        )
    _, _, place, *_ = folder.name.split("_")
    properties = {
        "datetime": identity.acquired.isoformat().replace("+00:00", "Z"),
        "eo:cloud_cover": 10.0,
        "landsat:wrs_path": place[:3],
        "landsat:wrs_row": place[3:],
        **facts,
    }
    return item(folder.name + suffix, collection, properties, assets)


def safe_item(folder, base, *, collection="sentinel-2-l2a", renamed=False, **facts):
    """An item for a SAFE folder; `renamed`: its images under names of the archive's own."""
    folder = Path(folder)
    identity = identify(folder)
    assets = {}
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            inside = file.relative_to(folder)
            key = {"MTD_TL.xml": "granule_metadata"}.get(file.name, file.stem.lower())
            key = "product_metadata" if file.name.startswith("MTD_MSI") else key
            href = f"{base}/{folder.name}/{inside}"
            assets[key] = asset(href, file, True)
    properties = {"datetime": identity.acquired.isoformat().replace("+00:00", "Z"), **facts}
    properties["s2:product_uri"] = f"{identity.name}.SAFE"
    properties["grid:code"] = f"MGRS-{identity.key.split()[1]}"
    return item(identity.name, collection, properties, assets)


def asset(href, file, stated):
    facts = {"file:size": file.stat().st_size, "file:checksum": multihash(file.read_bytes())}
    return {"href": href, **(facts if stated else {})}


def item(name, collection, properties, assets, box=(8.0, 49.0, 8.5, 49.5)):
    west, south, east, north = box
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": name,
        "collection": collection,
        "bbox": list(box),
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": properties,
        "assets": assets,
        "links": [],
    }


def write_item(value, path):
    path.write_text(json.dumps(value))
    return path
