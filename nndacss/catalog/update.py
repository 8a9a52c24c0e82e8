"""The catalog brought up to what a product root holds."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import chain
from typing import Any

from nndacss.catalog.collection import (
    NAME,
    STATE,
    TABLE,
    About,
    Summary,
    as_text,
    build,
    checksum,
)
from nndacss.catalog.shelf import Shelf, shelf_of
from nndacss.catalog.table import as_table, row
from nndacss.errors import InputError, OutputError, complain
from nndacss.identity import digest
from nndacss.operations import products
from nndacss.operations.roots import Root
from nndacss.product.deliver import ITEM

#: Raised when the same products make other files.
VERSION = 1
#: Times that it is begun anew because another writer was faster.
TRIES = 30
#: Longest pause before that, seconds, times a random share; grows with the tries.
PAUSE = 0.2
#: Items that are read at a time, and that are held before they go into the table.
_AT_ONCE, _READ = 16, 128


@dataclass
class Made:
    """The catalog as it should be now, and what differs from the one before."""

    seen: dict[str, str]
    """All complete products that were listed -> what changes when their item does."""
    files: dict[str, bytes] = field(default_factory=dict)
    """Name -> content, the table first; none where there is no product."""
    items: int = 0
    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    """Products whose item cannot be read -> why."""
    changed: bool = False
    """Whether a file was written or removed."""
    tries: int = 1

    def told(self, old: set[str], changed: bool, tries: int) -> Made:
        """With what differs from `old`, the products that were linked when the update began."""
        new = self.seen.keys() - self.left_out.keys()
        self.added, self.removed = sorted(new - old), sorted(old - new)
        self.changed, self.tries = changed, tries
        return self


#: Name -> content and tag of the files that are there.
_Before = Mapping[str, tuple[bytes, str] | None]


def update(root: Root, about: About, base: str = "") -> Made:
    """Make the catalog of all complete products; run twice, it changes nothing.

    `base` is what links and assets of the table begin with; by default the root's address in an
    object store, and relative to the table on a disk. InputError where there is neither a product
    nor a catalog, OutputError where the files cannot be written.
    """
    shelf = shelf_of(root)
    where = base.rstrip("/") or ("." if root.disk else root.address)
    changed, old = False, set[str]()
    with shelf.turn():
        for number in range(1, TRIES + 1):
            before: _Before = {name: shelf.read(name) for name in (TABLE, NAME)}
            linked = set(_linked(before[NAME]))
            old = linked if number == 1 else old
            seen = _listed_anew(root)  # after reading: what others wrote until then is in it, too
            state = digest({"about": asdict(about), "base": where, "seen": seen, "by": VERSION})
            if _current(before, state):
                kept = dict.fromkeys(seen.keys() - linked, "as before")
                made = Made(seen, {}, len(linked), left_out=kept)
                return made.told(old, changed, number)
            made = _make(root, about, where, seen, state)
            _check(made, before)
            written, wrote = _write(shelf, before, made.files)
            changed |= wrote
            made.told(old, changed, number)
            # products that come in faster than they are listed are the next update's
            if written and (number == TRIES or _listed_anew(root) == made.seen):
                return made
            time.sleep(PAUSE * min(number, 10) * random.random())
    remedy = "run it again when fewer do"
    found = f"that others replaced it {TRIES} times meanwhile"
    raise OutputError(complain(f"{root.address}/{NAME}", found, "a turn", remedy))


def _listed_anew(root: Root) -> dict[str, str]:
    root.refresh()
    return {name: root.stamp(name) for name in sorted(products.names(root))}


def _current(before: _Before, state: str) -> bool:
    """Whether both files are there, of one update, and made of just what there is now."""
    table, text = before[TABLE], before[NAME]
    if table is None or text is None:
        return False
    try:
        collection = json.loads(text[0])
        stated = collection["assets"]["items"]["file:checksum"]
        return bool(collection[STATE] == state and stated == checksum(table[0]))
    except (ValueError, KeyError, TypeError):
        return False


def _make(root: Root, about: About, base: str, seen: dict[str, str], state: str) -> Made:
    """What the catalog should be."""
    summary, made = Summary(), Made(seen)

    def rows() -> Iterator[dict[str, Any]]:
        for name, item in _items(root, made):
            summary.add(name, item)
            yield row(name, item, about.id, base)

    stream = rows()
    for first in stream:
        made.files[TABLE] = as_table(chain([first], stream))
        collection = build(about, summary, made.files[TABLE], state)
        made.files[NAME] = as_text(collection, f"{root.address}/{NAME}")
    made.items = len(summary.names)
    return made


def _items(root: Root, made: Made) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each product's item by name; some are read at a time where that is waiting."""
    names = list(made.seen)
    with ThreadPoolExecutor(1 if root.disk else _AT_ONCE) as pool:
        for begin in range(0, len(names), _READ):
            some = names[begin : begin + _READ]
            for name, content in zip(some, pool.map(partial(_read, root), some), strict=True):
                try:
                    yield name, _checked(content)
                except (ValueError, KeyError, TypeError, AttributeError) as error:
                    made.left_out[name] = f"{type(error).__name__}: {error}"


def _read(root: Root, name: str) -> bytes:
    return root.read(name, ITEM) or b""


def _checked(content: bytes) -> Mapping[str, Any]:
    """An item that has all that the catalog needs of it."""
    item: Mapping[str, Any] = json.loads(content)
    hrefs = [asset["href"] for asset in item["assets"].values()]
    if len(item["bbox"]) != 4 or not item["properties"]["datetime"] or not item["geometry"]:
        raise ValueError("no place or no time")
    if not all(isinstance(href, str) for href in hrefs):
        raise ValueError("an asset without address")
    return item


def _check(made: Made, before: _Before) -> None:
    """InputError where there is nothing to catalogue, and was nothing before."""
    if not made.files and not any(before.values()):
        remedy = "check --output-root, or make a product first"
        found = f"no readable product among {len(made.seen)}" if made.seen else "no product"
        raise InputError(complain("the catalog", found, "one at least", remedy))


def _linked(collection: tuple[bytes, str] | None) -> Iterator[str]:
    """Names of the products that a collection links to; none where it cannot be read."""
    try:
        for link in json.loads(collection[0] if collection else b"")["links"]:
            if link["rel"] == "item":
                yield link["href"].split("/")[-2]
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        return


def _write(shelf: Shelf, before: _Before, files: Mapping[str, bytes]) -> tuple[bool, bool]:
    """Whether all is as it should be now, and whether something was written for that."""
    if not files:
        for name in (NAME, TABLE):
            shelf.remove(name)
        return True, True
    wrote = False
    for name, content in files.items():
        was = before[name]
        if was is not None and was[0] == content:
            continue
        if not shelf.swap(name, content, was[1] if was else None):
            return False, wrote
        wrote = True
    return True, wrote
