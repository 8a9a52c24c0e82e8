"""`python -m nndacss.product.compare A B`: whether two product folders hold the same product.

Rasters, pictures and all other files are compared by their bytes; JSON without the times it
holds; the report's page without what stands between its `volatile` comments. Exit code 0: the
same; 1: different, one line per difference; 2: not two complete products.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from nndacss.errors import InputError, NndacssError, complain
from nndacss.product.report import VOLATILE

#: Keys whose values differ between two runs of the same work.
TIMES = ("seconds", "created", "updated", "processing:datetime")
_PAGE = re.compile(re.escape(VOLATILE[0]) + ".*?" + re.escape(VOLATILE[1]), re.DOTALL)


def differences(first: Path, second: Path) -> list[str]:
    """One line per difference between two product folders; empty where they are the same.

    Raises InputError where one of them is no complete product.
    """
    names = [_names(folder) for folder in (first, second)]
    found = [f"{name}: only in {first}" for name in sorted(names[0] - names[1])]
    found += [f"{name}: only in {second}" for name in sorted(names[1] - names[0])]
    for name in sorted(names[0] & names[1]):
        found += [f"{name}: {what}" for what in _compare(first / name, second / name)]
    return found


def _names(folder: Path) -> set[str]:
    if not (folder / "item.json").is_file():
        found = "no item.json" if folder.is_dir() else "no such folder"
        remedy = "give the folder of a finished product"
        raise InputError(complain(folder, found, "a complete product", remedy))
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)) for path in files if not path.name.startswith(".draft-")}


def _compare(first: Path, second: Path) -> Iterator[str]:
    if first.suffix == ".json":
        yield from _unlike(_load(first), _load(second), "")
    elif first.suffix == ".html":
        pages = [_PAGE.sub("", path.read_text(encoding="utf-8")) for path in (first, second)]
        if pages[0] != pages[1]:
            yield "the pages differ beyond their times"
    elif _sha256(first) != _sha256(second):
        sizes = [path.stat().st_size for path in (first, second)]
        yield f"the bytes differ ({sizes[0]} and {sizes[1]} bytes)"


def _load(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        remedy = "make the product again"
        raise InputError(complain(path, str(error), "JSON", remedy)) from error


def _unlike(first: Any, second: Any, place: str) -> Iterator[str]:
    """Where two JSON values differ, times left out."""
    if isinstance(first, dict) and isinstance(second, dict):
        for key in sorted((first.keys() | second.keys()) - set(TIMES)):
            where = f"{place}.{key}" if place else key
            if key in first and key in second:
                yield from _unlike(first[key], second[key], where)
            else:
                yield f"{where} is in one only"
    elif isinstance(first, list) and isinstance(second, list) and len(first) == len(second):
        for index, (one, other) in enumerate(zip(first, second, strict=True)):
            yield from _unlike(one, other, f"{place}[{index}]")
    elif first != second or type(first) is not type(second):
        yield f"{place} is {_brief(first)} and {_brief(second)}"


def _brief(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m nndacss.product.compare",
        description="Compare two product folders: by bytes, JSON and pages without their times.",
    )
    parser.add_argument("first", type=Path)
    parser.add_argument("second", type=Path)
    asked = parser.parse_args(arguments)
    try:
        found = differences(asked.first, asked.second)
    except (NndacssError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    for line in found:
        sys.stdout.write(f"{line}\n")
    if not found:
        sys.stdout.write("the same product\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
