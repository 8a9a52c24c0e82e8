"""Values of a metadata file by group and key; every fault names file, group and key."""

from __future__ import annotations

import math

from nndacss.errors import MetadataError, complain
from nndacss.readers.landsat.mtl import Groups

REMEDY = "order the product again, or put the delivered metadata file beside the bands"


class Fields:
    """The groups of one metadata file."""

    def __init__(self, source: str, groups: Groups) -> None:
        self.source = source
        self._groups = groups

    def keys(self, group: str) -> tuple[str, ...]:
        """The keys of a group, in the file's order; none where there is no such group."""
        found = self._groups.get(group)
        return tuple(found) if isinstance(found, dict) else ()

    def get(self, key: str, *groups: str) -> str | None:
        """The text under `key` in the first of `groups` that has it."""
        for group in groups:
            if key in self.keys(group) and isinstance(self._groups[group][key], str):
                return str(self._groups[group][key])
        return None

    def text(self, key: str, *groups: str) -> str:
        """The text under `key`, which must be there."""
        value = self.get(key, *groups)
        if not value:
            raise self.fault(f"no {key} in {' or '.join(groups)}", "it")
        return value

    def number(self, key: str, *groups: str) -> float:
        """The finite number under `key`, which must be there."""
        value = self.text(key, *groups)
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise self.fault(f"{key} = {value}", "a number")
        return number

    def optional(self, key: str, *groups: str) -> float | None:
        """The number under `key`, None where there is none."""
        return None if self.get(key, *groups) is None else self.number(key, *groups)

    def file(self, key: str, group: str) -> str | None:
        """A plain file name; a path would lead out of the product."""
        name = self.get(key, group)
        if name is None or name == "":
            return None
        if "/" in name or "\\" in name or name in (".", ".."):
            raise self.fault(f"{key} = {name}", "a file name without folders")
        return name

    def fault(self, found: str, expected: str) -> MetadataError:
        """The error for a value; `found` names the key."""
        return MetadataError(complain(self.source, found, expected, REMEDY))
