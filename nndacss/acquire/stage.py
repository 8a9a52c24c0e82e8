"""The acquire stage: fetch, unpack where windows cannot be read in place, read everything once.

A scene of an archive is fetched first (`nndacss.acquire.fetch`). A folder and an uncompressed
`.tar` are read where they lie; a `.tar.gz` or `.zip` is unpacked into the work folder, since a
compressed stream cannot be read by windows. Every block of every band is read once, so a
truncated file is found here and not after an hour of work. Of a scene that is read where it is
(`acquire.remote`, see `nndacss.acquire.inplace`) only the headers are.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from nndacss.acquire import inplace
from nndacss.acquire.fetch import fetch, quarantine
from nndacss.acquire.listing import Listing, load_listing
from nndacss.acquire.settings import AcquireSettings
from nndacss.errors import BandError, InputError, complain
from nndacss.harmonize.settings import HarmonizeSettings
from nndacss.identity import Order
from nndacss.readers import Scene, identify, open_scene, unpack
from nndacss.settings import restore
from nndacss.stage import Context

#: Shares of the progress bar: fetching, unpacking, reading.
_FETCHED, _UNPACKED = 0.7, 0.8
#: Seconds between two reports: each may be a message to a scheduler elsewhere.
_EVERY = 1.0


def acquire_scene(context: Context) -> Mapping[str, Any]:
    """Body of the stage; the summary says where the scene can be read."""
    order = context.order
    roles = cast(HarmonizeSettings, restore(order.recipe.settings, "harmonize")).roles
    places: dict[str, str | None] = {"l1": None}
    fetched = _Fetched(context)
    for name, digest in order.recipe.inputs.items():
        path = fetched.bring(name) if fetched.is_remote(name) else Path(order.location[name])
        found = identify(path).digest
        if found != digest:
            remedy = "run the command again with the path of the scene"
            expected = f"{digest[:8]}, as when the run was planned"
            raise InputError(complain(path, f"digest {found[:8]}", expected, remedy))
        context.progress(_FETCHED, f"listing {path.name}")
        places[name] = str(_ready(path, context.folder / name))
    l1 = places["l1"]
    in_place = "in_place" in fetched.summary
    told = "reading headers" if in_place else "reading every block once"
    context.progress(_UNPACKED, told)
    scene = open_scene(Path(str(places["scene"])), Path(l1) if l1 else None)
    try:
        if in_place:
            _check_bands(scene, roles)
        else:
            _verify(scene, roles)
    except BandError:
        fetched.put_away()
        raise
    return {**places, "losses": list(scene.losses), "level": scene.level, **fetched.summary}


def _check_bands(scene: Scene, roles: tuple[str, ...]) -> None:
    """That they are there; their blocks are read when they are needed, and by nobody before."""
    for role in roles:
        scene.grid(role)


def _verify(scene: Scene, roles: tuple[str, ...]) -> None:
    scene.verify(roles)
    first = getattr(scene, "level_1", None)
    if first is not None:  # the mask reads its reflective bands, where it has them
        first.verify(tuple(role for role in roles if role in first.roles))


def _ready(path: Path, folder: Path) -> Path:
    """A place where windows can be read: the path itself, or an unpacked copy."""
    if path.is_dir() or path.suffix == ".tar":
        return path.resolve()
    return folder if folder.is_dir() else unpack(path, folder)


class _Fetched:
    """The scene and its twin, where they come from an archive."""

    def __init__(self, context: Context) -> None:
        self._context, self._order = context, context.order
        self._listings: dict[str, Listing] = {
            name: load_listing(Path(path))
            for name in self._order.recipe.inputs
            if (path := self._order.location.get(f"{name}_listing"))
        }
        self._total = sum(listing.size for listing in self._listings.values())
        self._before = 0
        self._began, self._next = time.monotonic(), 0.0
        self.summary: dict[str, Any] = {}

    def is_remote(self, name: str) -> bool:
        """Whether it has to be fetched, or was."""
        return name in self._listings

    def bring(self, name: str) -> Path:
        """Fetch it, with progress of both together in bytes; or have it read where it is."""
        listing, how = self._listings[name], _how(self._order, name)
        if how.remote and not listing.scene.is_dir():
            self.summary["in_place"] = True
            return inplace.lay_out(listing, how.parallel)
        path = fetch(listing, self._tell, how.parallel)
        self._before += listing.size
        self.summary["fetched_bytes"] = self._before
        return path

    def put_away(self) -> None:
        """What was fetched and cannot be read goes out of the way, to be fetched anew.

        Of a pair both go: which of them is damaged, the error's text says to people.
        """
        for listing in self._listings.values():
            if listing.scene.is_dir():
                quarantine(listing.scene)

    def _tell(self, done: int, _: int) -> None:
        done += self._before
        seconds = time.monotonic() - self._began
        if seconds < self._next and done < self._total:
            return
        self._next = seconds + _EVERY
        share = done / self._total if self._total else 1.0
        speed = f"{done / 1e6 / seconds:.1f} MB/s" if seconds > 1 else "..."
        message = f"fetched {done / 1e9:.2f} of {self._total / 1e9:.2f} GB, {speed}"
        self._context.progress(_FETCHED * min(share, 1.0), message)


def _how(order: Order, name: str) -> AcquireSettings:
    changed = json.loads(order.location.get(f"{name}_fetch", "{}"))
    return cast(AcquireSettings, restore({"acquire": changed}, "acquire"))
