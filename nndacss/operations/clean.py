"""Cleaning: the work of finished products, and what nobody refers to any more.

Only the stages of the product chain are cleaned, and the records of batches and failures: what
training made (samples, weights, ...) costs too much to be removed without being named (Invalidate
does that). What a running batch needs stays.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from nndacss.chain import STAGES
from nndacss.identity import load_order, recipe_path
from nndacss.operations import failures, sizes
from nndacss.operations.batch import batches
from nndacss.operations.roots import Root
from nndacss.operations.sizes import TRASH, Size, measure
from nndacss.operations.targets import DELIVERY, Target, Targets, read_targets, target_of

#: Seconds of a day.
DAY = 86_400.0


@dataclass(frozen=True)
class Leftover:
    """Something to be removed."""

    place: str
    """Path, or address in an object store."""
    kind: str
    """Why: `finished`, `fetched`, `unreferenced`, `record`, `remains`."""
    size: Size
    remove: Callable[[], None]


def _leftover(path: Path, kind: str) -> Leftover:
    """A file or folder of a disk."""
    return Leftover(str(path), kind, measure(path), partial(sizes.remove, path))


def leftovers(work: Path, root: Root, days: float, *, keep_fetched: bool = False) -> list[Leftover]:
    """What can be removed, with its size.

    Of products that are whole in `root`: their work, and scenes that were fetched for them. Older
    than `days`: work of products that are not whole, folders whose recipe is gone, lists of
    searches, records of batches and failures; uploads to an object store that were begun and never
    ended. And what a removal that was killed left behind.
    """
    before = time.time() - days * DAY
    chain = _Chain(read_targets(work, root), _needed(work), before)
    found = [
        *chain.finished(),
        *([] if keep_fetched else chain.fetched()),
        *chain.unreferenced(),
        *_records(work, before),
        *_remains(work),
        *(Leftover(place, "remains", size, drop) for place, size, drop in root.remains(before)),
    ]
    return list({leftover.place: leftover for leftover in found}.values())


def clean(found: Iterable[Leftover]) -> Size:
    """Remove them; how much that was."""
    total = Size()
    for leftover in found:
        leftover.remove()
        total += leftover.size
    return total


def discard(work: Path, root: Root, stages: Mapping[str, str], batch: str) -> None:
    """Remove work and fetched files of one finished scene, unless another running batch needs them.

    `stages` are the digests of the scene's stages, `batch` is the caller's own.
    """
    needed = _needed(work, other_than=batch)
    mine = [digest for digest in stages.values() if recipe_path(work, digest).exists()]
    used = {path for digest in needed for path in _target(work, root, digest).fetched}
    for digest in mine:
        target = _target(work, root, digest)
        for path in target.fetched:
            if path not in used:
                sizes.remove(path)
        if digest not in needed:
            for place in target.places:
                sizes.remove(place)


def _target(work: Path, root: Root, digest: str) -> Target:
    return target_of(load_order(recipe_path(work, digest)), work, root)


def _needed(work: Path, other_than: str = "") -> set[str]:
    """Digests of all stages of the scenes that running batches have planned."""
    running = [batch for batch in batches(work) if batch.id != other_than and batch.running()]
    digests = [
        digest for batch in running for scene in batch.plan() for digest in scene.stages.values()
    ]
    return {digest for digest in digests if recipe_path(work, digest).exists()}


class _Chain:
    """The product chain's targets of a work root, and which of them are still needed."""

    def __init__(self, targets: Targets, needed: set[str], before: float) -> None:
        self._targets, self._before = targets, before
        self._chain = [t for t in targets.by_digest.values() if t.stage in STAGES]
        products = [target for target in self._chain if target.stage == "product"]
        whole = {target.digest for target in products if target.finished}
        self._of_whole = targets.inputs_of(whole)
        # what a run may be making this moment, or go on with, needs all that it is made from
        recent = {
            target.digest
            for target in products
            if not target.finished and self._newest(target) >= before
        }
        self._kept = targets.inputs_of(recent) | needed

    def _newest(self, product: Target) -> float:
        """When something of a product's chain was last written."""
        chain = self._targets.inputs_of({product.digest})
        return max(part.size.newest for digest in chain for part in self._parts(digest))

    def _parts(self, digest: str) -> Iterator[Leftover]:
        """All that is there of a target."""
        target = self._targets.by_digest[digest]
        for path in [*target.places, *self._targets.notes(digest)]:
            yield _leftover(path, "unreferenced")
        if target.root is not None and (size := target.published):
            name = target.order.target
            removed = partial(target.root.remove, name)
            yield Leftover(f"{target.root.address}/{name}", "unreferenced", size, removed)

    def finished(self) -> Iterator[Leftover]:
        """Work of whole products; their recipes, and what their runs took, are kept."""
        for digest in sorted(self._of_whole - self._kept):
            for place in self._targets.by_digest[digest].places:
                yield _leftover(place, "finished")

    def fetched(self) -> Iterator[Leftover]:
        """Scenes that were fetched for whole products, or for what is not needed any more."""
        by_use: dict[bool, set[Path]] = {True: set(), False: set()}
        for target in self._chain:
            used = target.digest in self._kept
            by_use[used].update(target.fetched)
        for path in sorted(by_use[False] - by_use[True]):
            yield _leftover(path, "fetched")

    def unreferenced(self) -> Iterator[Leftover]:
        """Old work that belongs to no whole product, with its recipe and its run's record.

        Of a product that was begun, what is in the product root, too: nobody can use it.
        """
        for target in self._chain:
            if target.digest in self._kept | self._of_whole:
                continue
            parts = list(self._parts(target.digest))
            if all(part.size.newest < self._before for part in parts):
                yield from parts
        targets = self._targets.by_digest.values()
        known = {place for target in targets for place in (target.folder, target.staged)}
        for stage in (*STAGES, DELIVERY):
            for folder in sorted((self._targets.work / stage).glob("[!.]*")):
                if folder not in known and measure(folder).newest < self._before:
                    yield _leftover(folder, "unreferenced")


def _records(work: Path, before: float) -> Iterator[Leftover]:
    """Old records of batches (but the latest, which BatchReport tells), failures and searches."""
    old = [batch.folder for batch in batches(work)[:-1] if not batch.running()]
    old += sorted(failures.folder(work).glob("[!.]*.json"))
    old += sorted((work / "search").glob("[!.]*"))
    for path in old:
        if measure(path).newest < before:
            yield _leftover(path, "record")


def _remains(work: Path) -> Iterator[Leftover]:
    """What a removal that was killed has left."""
    folders = (*STAGES, DELIVERY, "batches", "scenes", "search")
    places = [work / folder for folder in folders]
    for path in sorted(path for place in places for path in place.glob(f"{TRASH}*")):
        yield _leftover(path, "remains")
