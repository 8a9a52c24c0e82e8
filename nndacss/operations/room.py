"""Whether the disks have room for a batch, told before work starts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nndacss.errors import OutputError, complain
from nndacss.estimate import free_mb
from nndacss.operations.plans import Planned


def _disk(folder: Path) -> int:
    """Number of the file system where a folder is or will be."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder.stat().st_dev


def check_room(
    scenes: Sequence[Planned], work: Path, root: Path | None, workers: int, *, discard: bool
) -> list[str]:
    """What to warn of: a disk that has not room for all scenes, as they are expected.

    `workers` scenes are made at once; with `discard` a scene's parts are removed when its product
    is whole. `root` is None where products go to an object store: each is made in the work root
    and leaves it when it is uploaded. OutputError where not even the first of them fit.
    """
    works = sorted((scene.work for scene in scenes), reverse=True)
    products = sorted((scene.product for scene in scenes), reverse=True)
    at_once = sum(works[:workers]), sum(products[:workers])
    stays = sum(products) if root else at_once[1]
    in_all = at_once[0] if discard else sum(works), stays
    if root is None or _disk(work) == _disk(root):
        places: dict[Path, tuple[int, ...]] = {work: (0, 1)}
    else:
        places = {work: (0,), root: (1,)}
    warnings = []
    for place, which in places.items():
        free = free_mb(place)
        now, total = (sum(needed[index] for index in which) for needed in (at_once, in_all))
        if free < now:
            found = f"{free / 1e3:.1f} GB free"
            expected = f"about {now / 1e3:.1f} GB for the first {min(workers, len(scenes))}"
            remedy = "free disk space (Clean removes the work of finished products), then run again"
            raise OutputError(complain(place, found, f"{expected} of the scenes", remedy))
        if free < total:
            hint = "" if discard else "; --discard-work would need less"
            warnings.append(
                f"{place}: {free / 1e3:.1f} GB free, about {total / 1e3:.1f} GB needed for all "
                f"{len(scenes)} scenes{hint}"
            )
    return warnings
