"""Invalidation: chosen targets removed, with everything that was made from them.

Whatever depends on a target that is gone would otherwise stay "done", made from what nobody can
look at any more. The next run makes all of it again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from nndacss.errors import InputError, complain
from nndacss.operations import failures, sizes
from nndacss.operations.roots import Root
from nndacss.operations.sizes import Size
from nndacss.operations.targets import IN_ROOT, Target, read_targets
from nndacss.stage import DONE


@dataclass(frozen=True)
class Choice:
    """Which targets; all that is given must hold."""

    scene: str = ""
    """Pattern of the scene's or model's name, e.g. `LC08_*_195025_*`."""
    target: str = ""
    """Pattern of `<name>_<digest8>`."""
    stage: str = ""
    digest: str = ""
    """How the recipe's digest begins."""

    def __contains__(self, target: Target) -> bool:
        order = target.order
        return (
            (not self.scene or fnmatchcase(order.name, self.scene))
            and (not self.target or fnmatchcase(order.target, self.target))
            and self.stage in ("", order.recipe.stage)
            and target.digest.startswith(self.digest)
        )


@dataclass(frozen=True)
class Doomed:
    """A target to be removed."""

    target: Target
    chosen: bool
    """Else it was made from one that is."""
    size: Size


def choose(work: Path, root: Root, choice: Choice) -> list[Doomed]:
    """The chosen targets that are there, and all that was made from them; by stage and name.

    InputError where nothing is said, or nothing known is meant.
    """
    if choice == Choice():
        expected = "at least one of --scene, --target, --stage and --digest"
        raise InputError(complain("Invalidate", "no choice", expected, "say what to remove"))
    targets = read_targets(work, root)
    chosen = {digest for digest, target in targets.by_digest.items() if target in choice}
    if not chosen:
        known = sorted({target.stage for target in targets.by_digest.values()})
        found = f"none of {len(targets.by_digest)} recipes that fits"
        expected = f"targets of the stages {', '.join(known) or 'none'}"
        remedy = "check the pattern, --output-root and [machine] work"
        raise InputError(complain(work / "recipes", found, expected, remedy))
    doomed = [
        Doomed(target, target.digest in chosen, target.size)
        for target in map(targets.by_digest.__getitem__, chosen | targets.made_from(chosen))
        if target.places or target.published
    ]
    return sorted(doomed, key=lambda one: (one.target.stage, one.target.order.target))


def invalidate(doomed: Iterable[Doomed], work: Path) -> None:
    """Remove them: first what says that they are whole, of all; then their files."""
    listed = list(doomed)
    for target in (one.target for one in listed):
        if target.root is not None and target.published:
            target.root.unmark(target.order.target, IN_ROOT[target.stage])
        for place in target.places:
            (place / DONE).unlink(missing_ok=True)
        failures.remove(work, target.order.target)
    for target in (one.target for one in listed):
        if target.root is not None and target.published:
            target.root.remove(target.order.target)
        for place in target.places:
            sizes.remove(place)
