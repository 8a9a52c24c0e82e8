"""Cleaning: the work of finished products, and what nobody refers to any more.

Only the stages of the product chain are cleaned, and the records of batches and failures: what
training made (samples, weights, ...) costs too much to be removed without being named (Invalidate
does that). What a running batch needs stays.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from nndacss.chain import STAGES
from nndacss.identity import load_order, recipe_path
from nndacss.operations import failures, sizes
from nndacss.operations.batch import batches
from nndacss.operations.sizes import TRASH, Size, measure
from nndacss.operations.targets import Target, Targets, read_targets, target_of

#: Seconds of a day.
DAY = 86_400.0


@dataclass(frozen=True)
class Leftover:
    """Something to be removed."""

    path: Path
    kind: str
    """Why: `finished`, `fetched`, `unreferenced`, `record`, `remains`."""
    size: Size


def leftovers(work: Path, root: Path, days: float, *, keep_fetched: bool = False) -> list[Leftover]:
    """What can be removed, with its size.

    Of products that are whole in `root`: their work, and scenes that were fetched for them. Older
    than `days`: work of products that are not whole, folders whose recipe is gone, lists of
    searches, records of batches and failures. And what a removal that was killed left behind.
    """
    before = time.time() - days * DAY
    chain = _Chain(read_targets(work, root), _needed(work), before)
    found = [
        *chain.finished(),
        *([] if keep_fetched else chain.fetched()),
        *chain.unreferenced(),
        *_records(work, before),
        *_remains(work, root),
    ]
    return list({leftover.path: leftover for leftover in found}.values())


def clean(found: Iterable[Leftover]) -> Size:
    """Remove them; how much that was."""
    total = Size()
    for leftover in found:
        sizes.remove(leftover.path)
        total += leftover.size
    return total


def discard(work: Path, root: Path, stages: Mapping[str, str], batch: str) -> None:
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
            sizes.remove(target.folder)


def _target(work: Path, root: Path, digest: str) -> Target:
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
        return max(size.newest for digest in chain for _, size in self._measured(digest))

    def _measured(self, digest: str) -> list[tuple[Path, Size]]:
        target = self._targets.by_digest[digest]
        parts = [*target.places, *self._targets.notes(digest)]
        return [(part, measure(part)) for part in parts]

    def finished(self) -> Iterator[Leftover]:
        """Work of whole products; their recipes, and what their runs took, are kept."""
        for digest in sorted(self._of_whole - self._kept):
            folder = self._targets.by_digest[digest].folder
            if folder.is_dir():
                yield Leftover(folder, "finished", measure(folder))

    def fetched(self) -> Iterator[Leftover]:
        """Scenes that were fetched for whole products, or for what is not needed any more."""
        by_use: dict[bool, set[Path]] = {True: set(), False: set()}
        for target in self._chain:
            used = target.digest in self._kept
            by_use[used].update(target.fetched)
        for path in sorted(by_use[False] - by_use[True]):
            yield Leftover(path, "fetched", measure(path))

    def unreferenced(self) -> Iterator[Leftover]:
        """Old work that belongs to no whole product, with its recipe and its run's record.

        Of a product that was begun, what is in the product root, too: nobody can use it.
        """
        for target in self._chain:
            if target.digest in self._kept | self._of_whole:
                continue
            measured = self._measured(target.digest)
            if all(size.newest < self._before for _, size in measured):
                yield from (Leftover(part, "unreferenced", size) for part, size in measured)
        known = {target.folder for target in self._targets.by_digest.values()}
        for stage in STAGES:
            for folder in sorted((self._targets.work / stage).glob("[!.]*")):
                if folder not in known and (size := measure(folder)).newest < self._before:
                    yield Leftover(folder, "unreferenced", size)


def _records(work: Path, before: float) -> Iterator[Leftover]:
    """Old records of batches (but the latest, which BatchReport tells), failures and searches."""
    old = [batch.folder for batch in batches(work)[:-1] if not batch.running()]
    old += sorted(failures.folder(work).glob("[!.]*.json"))
    old += sorted((work / "search").glob("[!.]*"))
    for path in old:
        if (size := measure(path)).newest < before:
            yield Leftover(path, "record", size)


def _remains(work: Path, root: Path) -> Iterator[Leftover]:
    """What a removal that was killed has left."""
    places = (root, *(work / stage for stage in (*STAGES, "batches", "scenes", "search")))
    for path in sorted(path for place in places for path in place.glob(f"{TRASH}*")):
        yield Leftover(path, "remains", measure(path))
