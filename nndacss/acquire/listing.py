"""A scene of an archive before its pixels are here: its files, their sizes, its metadata.

That is all its identity needs (product id, metadata, file sizes), so every stage can be planned,
and a finished product recognised, before anything large is fetched. A listing is made once and
kept in `<scenes>/.listings/<key>/`; the scene itself comes to `<scenes>/<product>_<digest8>/`.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from nndacss.acquire.access import Door
from nndacss.acquire.layout import Layout, Wanted, layout
from nndacss.download import download
from nndacss.errors import SettingsError, complain
from nndacss.identity import canonical, digest, drafted
from nndacss.readers import SceneIdentity, identify
from nndacss.search.providers import provider
from nndacss.sums import multihash
from nndacss.web import remote_size

_LISTING = "listing.json"
#: Sizes that are asked for at once: each is one short request.
_ASKED_AT_ONCE = 8


@dataclass(frozen=True)
class Listing:
    """What is known of a scene in an archive."""

    folder: Path
    """Where the listing and the metadata files are."""
    product: str
    provider: str
    """Name or address, see `nndacss.search.providers`."""
    source: str
    """Where the item can be read again: its address, or a file of the user's."""
    collection: str
    files: tuple[Wanted, ...]
    """All with their sizes."""
    notes: Mapping[str, str]

    @property
    def path(self) -> Path:
        """The listing's own file."""
        return self.folder / _LISTING

    @cached_property
    def identity(self) -> SceneIdentity:
        """The scene's, the same as its reader gives once the files are here.

        The reader is shown a folder with the metadata as they are and, for the rest, holes of
        the right sizes, which take no space on disk.
        """
        with tempfile.TemporaryDirectory(prefix="nndacss-") as place:
            root = Path(place, f"{self.product}{self.suffix}")
            for file in self.files:
                copy = root / file.name
                copy.parent.mkdir(parents=True, exist_ok=True)
                if file.metadata:
                    copy.write_bytes((self.folder / file.name).read_bytes())
                else:
                    copy.touch()
                    os.truncate(copy, file.size or 0)
            for name, text in self.notes.items():
                (root / name).write_text(text)
            return identify(root)

    @property
    def suffix(self) -> str:
        """What the product's folder is called by the agency."""
        return ".SAFE" if self.product.startswith("S2") else ""

    @cached_property
    def scene(self) -> Path:
        """Where the scene comes to."""
        name = f"{self.identity.name}_{self.identity.digest[:8]}{self.suffix}"
        return self.folder.parent.parent / name

    @property
    def size(self) -> int:
        """Bytes in all."""
        return sum(file.size or 0 for file in self.files)

    def door(self) -> Door:
        """How its files are signed for."""
        return Door(provider(self.provider), {"collection": self.collection}, self.source)


def make_listing(item: Mapping[str, Any], archive: str, source: str, scenes: Path) -> Listing:
    """The listing of an item, made now or before; `scenes` is where scenes are kept.

    `archive` is the provider's name or address. Fetches the metadata files (some kB), and asks
    for the sizes that the item does not state. Errors of `layout` and `nndacss.download`.
    """
    found = layout(item)
    facts = {"product": found.product, "notes": dict(found.notes)}
    stated = [[file.name, file.href, file.size, file.checksum] for file in found.files]
    folder = scenes / ".listings" / digest(json.loads(canonical({**facts, "files": stated})))[:32]
    draft = Listing(
        folder,
        found.product,
        archive,
        source,
        str(item.get("collection") or ""),
        found.files,
        found.notes,
    )
    if draft.path.exists():
        return load_listing(draft.path)
    listing = replace(draft, files=_with_sizes(draft, found))
    with drafted(listing.path) as path:
        facts = asdict(replace(listing, folder=Path()))
        path.write_text(json.dumps({**facts, "folder": ""}, indent=1, default=str))
    return listing


def load_listing(path: Path) -> Listing:
    """What `make_listing` wrote; SettingsError where it is no longer there."""
    try:
        facts = json.loads(path.read_text())
        files = tuple(Wanted(**file) for file in facts.pop("files"))
        return Listing(**{**facts, "files": files, "folder": path.parent})
    except (OSError, ValueError, TypeError, KeyError) as error:
        found = f"no readable listing ({type(error).__name__})"
        remedy = "run the command again with the scene's item or id"
        raise SettingsError(complain(path, found, "one written when planned", remedy)) from error


def _with_sizes(draft: Listing, found: Layout) -> tuple[Wanted, ...]:
    """The files with their sizes; those of metadata are here then."""
    door = draft.door()

    def sized(file: Wanted) -> Wanted:
        url, sign = door.sign(file.href, file.asset if file.signed else "")
        if file.metadata:
            stated = multihash(file.checksum) if file.checksum else None
            here = download(url, draft.folder / file.name, stated, file.size, sign=sign)
            return replace(file, size=here.stat().st_size)
        return file if file.size is not None else replace(file, size=remote_size(url, sign))

    with ThreadPoolExecutor(_ASKED_AT_ONCE) as pool:
        return tuple(pool.map(sized, found.files))
