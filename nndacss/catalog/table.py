"""All items as one table in the layout of stac-geoparquet, for DuckDB, GeoPandas, pgstac or QGIS.

The items of the table differ from those beside the products in what a row of another file needs:
they name their collection, and their links and assets begin at `base`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import stac_geoparquet.arrow

from nndacss.catalog.collection import NAME

#: Items that are held in memory at a time: about 100 MB.
_CHUNK = 1000


def row(name: str, item: Mapping[str, Any], collection: str, base: str) -> dict[str, Any]:
    """An item as it is in the table; `base` is the root's address, or `.` for its own folder."""
    assets = {
        key: {**asset, "href": _based(asset["href"], f"{base}/{name}")}
        for key, asset in item["assets"].items()
    }
    kinds = {"type": "application/json"}
    links = [
        {"rel": "self", "href": f"{base}/{name}/item.json", "type": "application/geo+json"},
        {"rel": "collection", "href": f"{base}/{NAME}", **kinds},
        {"rel": "root", "href": f"{base}/{NAME}", **kinds},
    ]
    return {**item, "collection": collection, "links": links, "assets": assets}


def _based(href: str, base: str) -> str:
    return f"{base}/{href.removeprefix('./')}" if href.startswith("./") else href


def as_table(rows: Iterator[dict[str, Any]]) -> bytes:
    """The file's content: GeoParquet 1.1 with a row an item, zstd."""
    with TemporaryDirectory(prefix="nndacss-catalog-") as folder:
        chunks = Path(folder) / "chunks"
        chunks.mkdir()
        table = stac_geoparquet.arrow.parse_stac_items_to_arrow(
            rows, chunk_size=_CHUNK, schema="ChunksToDisk", tmpdir=chunks
        )
        path = Path(folder) / "items.parquet"
        stac_geoparquet.arrow.to_parquet(table, path, compression="zstd")
        return path.read_bytes()
