"""The products of a product root: which are there, and whether they still are as they were made.

A product is complete when its `item.json` is there, which was written last. The item states the
size of each file, so that a product that somebody edited or cut short afterwards shows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nndacss.errors import complain

ITEM = "item.json"


@dataclass(frozen=True)
class Product:
    """One complete product."""

    folder: Path
    item: Mapping[str, Any]
    """Its STAC item; empty where that cannot be read."""
    fault: str
    """What is not as it was made; empty where all is."""

    @property
    def complaint(self) -> str:
        """Of a product with a fault: what was found, and what to do."""
        remedy = f"remove it (Invalidate --target {self.folder.name}) and run again"
        return complain(self.folder, self.fault, "it as it was made", remedy)

    @property
    def megabytes(self) -> float:
        """MB of all files that the item names."""
        assets = self.item.get("assets", {}).values()
        return float(sum(asset.get("file:size", 0) for asset in assets)) / 1e6


def names(root: Path) -> set[str]:
    """Folder names of all complete products below a root."""
    if not root.is_dir():
        return set()
    return {
        entry.name
        for entry in root.iterdir()
        if not entry.name.startswith(".") and (entry / ITEM).is_file()
    }


def find(folder: Path) -> Product | None:
    """The product in a folder; None where there is no complete one."""
    path = folder / ITEM
    if not path.is_file():
        return None
    try:
        item = json.loads(path.read_text(encoding="utf-8"))
        faults = list(_faults(folder, item))
    except (OSError, ValueError, AttributeError, KeyError) as error:
        fault = f"an {ITEM} that cannot be read ({type(error).__name__}: {error})"
        return Product(folder, {}, fault)
    return Product(folder, item, faults[0] if faults else "")


def _faults(folder: Path, item: Mapping[str, Any]) -> Iterator[str]:
    for asset in item["assets"].values():
        if asset["href"].startswith(("http:", "https:", "s3:", "/")):
            continue
        file = folder / asset["href"]
        if not file.is_file():
            yield f"no {file.name}"
        elif "file:size" in asset and file.stat().st_size != asset["file:size"]:
            found, written = file.stat().st_size, asset["file:size"]
            yield f"{file.name} with {found} bytes where {written} were written"
