"""Where archives of labels are published: one table in each dataset module that has one.

A dataset module that can be fetched exports `ARCHIVES`. What a publisher does not state is None:
an unknown size is not checked, an unknown sum must be confirmed by whoever fetches.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Archive:
    """One file at a publisher's address."""

    name: str
    """What to call it here: a file name, with folders where the dataset expects them."""
    address: str
    size: int | None = None
    """Bytes, where the publisher states them."""
    sha256: str | None = None
    """Where the publisher states it."""
    form: Literal["archive", "file"] = "archive"
    """`archive`: a zip or tar, unpacked into a folder; `file`: kept as it is."""
    wanted: bool = True
    """False for another packaging of the same, which is fetched only by name."""

    @property
    def place(self) -> str:
        """What it becomes in the folder of the dataset: a file, or a folder without its ending.

        >>> Archive("LC80420082013220LGN00.tar.gz", "https://example.org/a").place
        'LC80420082013220LGN00'
        """
        if self.form == "file":
            return self.name
        return self.name.removesuffix(".zip").removesuffix(".gz").removesuffix(".tar")


def found_in(folder: Path, pattern: str) -> list[Path]:
    """What matches below `folder`, sorted; nothing in hidden folders, which hold drafts."""
    found = sorted(folder.rglob(pattern)) if folder.is_dir() else []
    return [path for path in found if not any(p[0] == "." for p in path.relative_to(folder).parts)]
