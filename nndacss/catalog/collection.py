"""The static STAC collection of a product root."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pystac.errors import STACValidationError
from pystac.validation import validate_dict

from nndacss.errors import OutputError, complain

NAME = "collection.json"
TABLE = "items.parquet"
#: Where a collection keeps the digest of what it was made of.
STATE = "nndacss:state"
#: Properties that are summed up as the values that occur.
_LISTED = ("platform", "instruments", "gsd", "processing:level", "proj:code")
#: Properties that are summed up as a range.
_RANGED = ("eo:cloud_cover", "eo:snow_cover")
#: Values that a summary lists at most; of more it would say nothing.
_MOST = 100


@dataclass(frozen=True)
class About:
    """What people are told of a collection."""

    id: str = "nndacss"
    title: str = "Sentinel-2-like products with cloud, shadow and snow masks"
    description: str = (
        "Landsat-8/9 and Sentinel-2 scenes at 10 m on Sentinel-2's grid and in its bands, with "
        "masks of cloud, cloud shadow and snow, made by NNDACSS."
    )
    license: str = "other"
    """SPDX identifier, or `other`."""


@dataclass
class Summary:
    """What a collection says of its items, gathered one by one."""

    names: list[str] = field(default_factory=list)
    """Folders of the products."""
    boxes: list[list[float]] = field(default_factory=list)
    """West, south, east, north in degrees."""
    times: list[str] = field(default_factory=list)
    """RFC 3339, UTC."""
    listed: dict[str, set[Any]] = field(default_factory=dict)
    ranged: dict[str, list[float]] = field(default_factory=dict)

    def add(self, name: str, item: Mapping[str, Any]) -> None:
        """Take in one product's item."""
        self.names.append(name)
        self.boxes.append(list(item["bbox"]))
        properties = item["properties"]
        self.times.append(properties["datetime"])
        for key in _LISTED:
            value = properties.get(key)
            values = value if isinstance(value, list) else [] if value is None else [value]
            self.listed.setdefault(key, set()).update(values)
        for key in _RANGED:
            if isinstance(value := properties.get(key), int | float):
                self.ranged.setdefault(key, []).append(float(value))

    def extent(self) -> dict[str, Any]:
        """Where and when; around the whole Earth where an item crosses the antimeridian."""
        west, south, east, north = zip(*self.boxes, strict=True)
        crossing = any(left > right for left, _, right, _ in self.boxes)
        span = (-180.0, 180.0) if crossing else (min(west), max(east))
        return {
            "spatial": {"bbox": [[span[0], min(south), span[1], max(north)]]},
            "temporal": {"interval": [[min(self.times), max(self.times)]]},
        }

    def summaries(self) -> dict[str, Any]:
        """Values that occur, and ranges."""
        found: dict[str, Any] = {
            key: sorted(values)
            for key, values in self.listed.items()
            if values and len(values) <= _MOST
        }
        for key, values in self.ranged.items():
            found[key] = {"minimum": min(values), "maximum": max(values)}
        return found


def build(about: About, summary: Summary, table: bytes, state: str) -> dict[str, Any]:
    """The collection as plain JSON; the same items give the same text.

    `table` is the content of `items.parquet`, whose checksum tells whether both files are of one
    update; `state` is kept to tell whether anything has changed since.
    """
    items = [
        {"rel": "item", "href": f"./{name}/item.json", "type": "application/geo+json"}
        for name in summary.names
    ]
    root = {"rel": "root", "href": f"./{NAME}", "type": "application/json"}
    return {
        "type": "Collection",
        "stac_version": "1.1.0",
        "stac_extensions": ["https://stac-extensions.github.io/file/v2.1.0/schema.json"],
        "id": about.id,
        "title": about.title,
        "description": about.description,
        "license": about.license,
        STATE: state,
        "extent": summary.extent(),
        "summaries": summary.summaries(),
        "links": [root, *items],
        "assets": {
            "items": {
                "href": f"./{TABLE}",
                "type": "application/vnd.apache.parquet",
                "title": "All items in one table (stac-geoparquet)",
                "roles": ["collection-mirror"],
                "file:size": len(table),
                "file:checksum": checksum(table),
            }
        },
    }


def checksum(content: bytes) -> str:
    """SHA-256 as a multihash, as STAC states it."""
    return f"1220{hashlib.sha256(content).hexdigest()}"


def as_text(collection: Mapping[str, Any], place: str) -> bytes:
    """The file's content; OutputError where it is no valid collection (by pystac's own schema)."""
    try:
        # the extension's schema lies on the web only
        validate_dict({**collection, "stac_extensions": []})
    except STACValidationError as error:
        remedy = "correct --collection and --license"
        raise OutputError(complain(place, str(error), "a valid collection", remedy)) from error
    return (json.dumps(collection, indent=1) + "\n").encode()
