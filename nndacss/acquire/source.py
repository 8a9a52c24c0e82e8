"""Where a scene comes from: a path of this machine, or an archive.

source("LC08_L2SP_017051_20151205_20200908_02_T1", Path("work/scenes"), settings)
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, cast

from nndacss.acquire import inplace
from nndacss.acquire.access import read_item
from nndacss.acquire.kept import identify_once
from nndacss.acquire.listing import Listing, make_listing
from nndacss.acquire.settings import AcquireSettings
from nndacss.errors import InputError, complain
from nndacss.readers import SceneIdentity, find_l1
from nndacss.search.found import Found, own_address
from nndacss.search.names import acquisition
from nndacss.search.providers import Provider, provider, provider_of
from nndacss.search.query import as_found, search, twin
from nndacss.search.settings import SearchSettings
from nndacss.settings import Settings


class Source(Protocol):
    """A scene that can be planned."""

    @property
    def name(self) -> str:
        """For messages."""
        ...

    def identify(self) -> SceneIdentity:
        """Which product it is; nothing large is read."""
        ...

    def find_l1(self) -> Source | None:
        """The Level-1 product of the same acquisition, where it is kept."""
        ...

    def location(self, name: str) -> dict[str, str]:
        """What the acquire stage must know, under its input's `name`."""
        ...


@dataclass(frozen=True)
class Local:
    """A folder or archive on this machine."""

    path: Path
    notes: Path | None = field(default=None, compare=False)
    """Where is remembered what archives hold."""

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.name

    def identify(self) -> SceneIdentity:
        """By names, sizes and metadata."""
        return identify_once(self.path, self.notes)

    def find_l1(self) -> Local | None:
        """Beside it, by name."""
        found = find_l1(self.path)
        return Local(found, self.notes) if found else None

    def location(self, name: str) -> dict[str, str]:
        """Its path."""
        return {name: str(self.path.resolve())}


@dataclass(frozen=True)
class Remote:
    """A scene of an archive."""

    listing: Listing
    settings: AcquireSettings
    seek_l1: Callable[[], Source | None]

    @property
    def name(self) -> str:
        """The product."""
        return self.listing.product

    def identify(self) -> SceneIdentity:
        """By its listing."""
        return self.listing.identity

    def find_l1(self) -> Source | None:
        """In the same archive."""
        return self.seek_l1()

    @property
    def _place(self) -> Path:
        """A scene that is here already is not read where it came from."""
        here = self.listing.scene
        return inplace.place(self.listing) if self.settings.remote and not here.is_dir() else here

    def location(self, name: str) -> dict[str, str]:
        """Where it will be, and what to fetch how."""
        return {
            name: str(self._place.resolve()),
            f"{name}_listing": str(self.listing.path.resolve()),
            f"{name}_fetch": json.dumps(self.settings.changed(), sort_keys=True),
        }


@dataclass(frozen=True)
class Sources:
    """Finds scenes as users name them."""

    scenes: Path
    """Where fetched scenes are kept."""
    settings: Mapping[str, Settings]

    def of(self, scene: str) -> Source:
        """A path, a STAC item (an address or a `.json`), or a product's id.

        An id is looked for with the provider of `[search]`. A text that is none of these is
        taken for a path, and complained about when it is identified.
        """
        path = Path(scene)
        if scene.startswith(("http://", "https://")):
            archive = provider_of(scene)
            return self._of_item(read_item(scene, archive), scene, archive)
        if path.suffix.lower() == ".json" and path.is_file():
            item = read_item(scene, provider(""))
            return self._of_item(item, str(path.resolve()), provider_of(own_address(item)))
        if path.exists() or "/" in scene or acquisition(scene) is None:
            return Local(path, self._notes)
        return self._of_id(scene)

    def of_record(self, record: Mapping[str, Any]) -> Source:
        """A scene of a written list (`scenes.json`)."""
        item, path, l1 = record.get("item"), record.get("path"), record.get("l1")
        if path is not None:
            return Local(Path(str(path)), self._notes)
        if item is None:
            remedy = "write the list again"
            found = f"a scene with {', '.join(record)}"
            raise InputError(complain("scenes", found, "an item or a path", remedy))
        address = own_address(item)
        archive = provider_of(address)
        return self._remote(item, address, archive, lambda: self.of_record(l1) if l1 else None)

    def _of_item(self, item: Mapping[str, Any], where: str, archive: Provider) -> Source:
        found = as_found(item)
        return self._remote(item, where, archive, lambda: self._twin(found, archive))

    def _of_id(self, name: str) -> Source:
        searching = self._searching
        sensor = "sentinel2" if name.startswith("S2") else "landsat"
        level = "L2" if "_L2" in name or "_MSIL2" in name else "L1"
        asked = {"ids": (name,), "sensor": sensor, "level": level, "area": "", "bbox": None}
        elsewhere = {"dates": "", "path_row": (), "tile": (), "cloud_cover": 100.0}
        (found,) = search(searching.model_copy(update={**asked, **elsewhere}))
        archive = provider(searching.provider)
        l1 = found.l1
        return self._remote(
            found.item,
            own_address(found.item),
            archive,
            lambda: self._remote(l1.item, own_address(l1.item), archive) if l1 else None,
        )

    def _twin(self, found: Found, archive: Provider) -> Source | None:
        """Looked for only where the archive, or the user, says where Level 1 is."""
        if not archive.has_pan and not (self._searching.l1_collection and archive.api):
            return None
        l1 = twin(found, archive, self._searching)
        return self._remote(l1.item, own_address(l1.item), archive) if l1 else None

    def _remote(
        self,
        item: Mapping[str, Any],
        where: str,
        archive: Provider,
        seek_l1: Callable[[], Source | None] = lambda: None,
    ) -> Remote:
        listing = make_listing(item, archive.name, where, self.scenes)
        return Remote(listing, cast(AcquireSettings, self.settings["acquire"]), seek_l1)

    @property
    def _notes(self) -> Path:
        return self.scenes / ".identities"

    @property
    def _searching(self) -> SearchSettings:
        return cast(SearchSettings, self.settings["search"])
