"""The acquire stage: unpack where windows cannot be read in place, then read everything once.

A folder and an uncompressed `.tar` are read where they lie; a `.tar.gz` or `.zip` is unpacked into
the work folder, since a compressed stream cannot be read by windows. Every block of every band is
read once, so a truncated file is found here and not after an hour of work.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from nndacss.errors import InputError, complain
from nndacss.harmonize.settings import HarmonizeSettings
from nndacss.readers import identify, open_scene, unpack
from nndacss.settings import restore
from nndacss.stage import Context


def acquire_scene(context: Context) -> Mapping[str, Any]:
    """Body of the stage; the summary says where the scene can be read."""
    order = context.order
    roles = cast(HarmonizeSettings, restore(order.recipe.settings, "harmonize")).roles
    places: dict[str, str | None] = {"l1": None}
    for name, digest in order.recipe.inputs.items():
        path = Path(order.location[name])
        found = identify(path).digest
        if found != digest:
            remedy = "run the command again with the path of the scene"
            expected = f"{digest[:8]}, as when the run was planned"
            raise InputError(complain(path, f"digest {found[:8]}", expected, remedy))
        context.progress(0.1, f"listing {path.name}")
        places[name] = str(_ready(path, context.folder / name))
    context.progress(0.4, "reading every block once")
    l1 = places["l1"]
    scene = open_scene(Path(str(places["scene"])), Path(l1) if l1 else None)
    scene.verify(roles)
    first = getattr(scene, "level_1", None)
    if first is not None:  # the mask reads its reflective bands, where it has them
        first.verify(tuple(role for role in roles if role in first.roles))
    return {**places, "losses": list(scene.losses), "level": scene.level}


def _ready(path: Path, folder: Path) -> Path:
    """A place where windows can be read: the path itself, or an unpacked copy."""
    if path.is_dir() or path.suffix == ".tar":
        return path.resolve()
    return folder if folder.is_dir() else unpack(path, folder)
