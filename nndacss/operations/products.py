"""The products of a product root: which are there, and whether they still are as they were made.

A product is complete when its `item.json` is there, which was written last. The item states the
size of each file, so that a product that somebody edited or cut short afterwards shows.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from nndacss.errors import NndacssError, complain
from nndacss.operations.roots import Root
from nndacss.product.deliver import ITEM

#: Items that are read at a time where that is waiting for a network.
_AT_ONCE = 16


@dataclass(frozen=True)
class Product:
    """One complete product."""

    place: str
    """Its folder's path or address."""
    item: Mapping[str, Any]
    """Its STAC item; empty where that cannot be read."""
    fault: str
    """What is not as it was made; empty where all is."""

    @property
    def complaint(self) -> str:
        """Of a product with a fault: what was found, and what to do."""
        name = self.place.rpartition("/")[2]
        remedy = f"remove it (Invalidate --target {name}) and run again"
        return complain(self.place, self.fault, "it as it was made", remedy)

    @property
    def megabytes(self) -> float:
        """MB of all files that the item names."""
        assets = self.item.get("assets", {}).values()
        return float(sum(asset.get("file:size", 0) for asset in assets)) / 1e6


def names(root: Root) -> set[str]:
    """Folder names of all complete products of a root."""
    return {name for name in root.folders() if root.has(name)}


def find(root: Root, name: str) -> Product | None:
    """The product of that name; None where there is no complete one."""
    if not root.has(name):
        return None
    place = f"{root.address}/{name}"
    try:
        content = root.read(name, ITEM)
        if content is None:  # removed a moment ago
            return None
        item = json.loads(content)
        faults = list(_faults(root.files(name), item))
    except NndacssError:
        raise  # the store does not answer: that is no fault of the product's
    except (OSError, ValueError, AttributeError, KeyError, TypeError) as error:
        fault = f"an {ITEM} that cannot be read ({type(error).__name__}: {error})"
        return Product(place, {}, fault)
    return Product(place, item, faults[0] if faults else "")


def find_all(root: Root, wanted: Iterable[str]) -> dict[str, Product]:
    """Name -> product, of those that are complete."""
    listed = sorted(name for name in set(wanted) if root.has(name))
    with ThreadPoolExecutor(1 if root.disk else _AT_ONCE) as pool:
        found = pool.map(lambda name: find(root, name), listed)
        return {name: product for name, product in zip(listed, found, strict=True) if product}


def _faults(files: Mapping[str, int], item: Mapping[str, Any]) -> Iterator[str]:
    for asset in item["assets"].values():
        if asset["href"].startswith(("http:", "https:", "s3:", "/")):
            continue
        name = asset["href"].removeprefix("./")
        if name not in files:
            yield f"no {name}"
        elif "file:size" in asset and files[name] != asset["file:size"]:
            yield f"{name} with {files[name]} bytes where {asset['file:size']} were written"
