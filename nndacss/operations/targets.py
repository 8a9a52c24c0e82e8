"""All targets of a work root by the recipes that it holds, and what was made from what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from nndacss.errors import SettingsError
from nndacss.identity import Order, load_order, recipe_path
from nndacss.operations.roots import Root
from nndacss.operations.sizes import Size, measure
from nndacss.stage import DONE, run_record, stage_folder

#: Folder of a work root in which products are made that go to an object store.
DELIVERY = "delivery"
#: Stages whose result lies in a product root, and the file that is written last there.
IN_ROOT = {"product": "item.json", "experiment": "result.json"}


@dataclass(frozen=True)
class Target:
    """What one recipe makes."""

    order: Order
    folder: Path
    """Its work folder, which may not be there."""
    root: Root | None
    """The product root, of stages whose result lies there."""
    staged: Path
    """Where it is made before it goes to an object store; may not be there, as above."""

    @property
    def digest(self) -> str:
        """Of the recipe."""
        return self.order.recipe.digest

    @property
    def stage(self) -> str:
        """The stage that makes it."""
        return self.order.recipe.stage

    @property
    def finished(self) -> bool:
        """Whether it is whole."""
        if self.root is not None:
            return self.root.has(self.order.target, IN_ROOT[self.stage])
        return (self.folder / DONE).is_file()

    @property
    def fetched(self) -> list[Path]:
        """Scenes that were fetched for it from an archive, and are there; not the user's own."""
        where = self.order.location
        scenes = [Path(where[name]) for name in ("scene", "l1") if f"{name}_listing" in where]
        return [scene for scene in scenes if scene.exists() and self.stage == "acquire"]

    @property
    def places(self) -> list[Path]:
        """Its folders in the work root that are there."""
        return [place for place in (self.folder, self.staged) if place.is_dir()]

    @property
    def published(self) -> Size | None:
        """What lies of it in the product root, whole or not; None where that is nothing."""
        if self.root is None or not self.root.files(self.order.target):
            return None
        return self.root.measure(self.order.target)

    @property
    def size(self) -> Size:
        """Of all that is there of it."""
        return sum((measure(place) for place in self.places), self.published or Size())


@dataclass(frozen=True)
class Targets:
    """The targets of a work root and one product root."""

    work: Path
    root: Root
    by_digest: Mapping[str, Target]
    unreadable: tuple[Path, ...]
    """Recipes that cannot be read."""

    def made_from(self, digests: Iterable[str]) -> set[str]:
        """Digests of all that was made from the given ones, directly or not; without these."""
        users: dict[str, list[str]] = defaultdict(list)
        for digest, target in self.by_digest.items():
            for source in target.order.recipe.inputs.values():
                users[source].append(digest)
        given = set(digests)
        return _closure(given, users) - given

    def inputs_of(self, digests: Iterable[str]) -> set[str]:
        """Digests of all that the given ones were made from, directly or not; with these."""
        sources = {
            digest: list(target.order.recipe.inputs.values())
            for digest, target in self.by_digest.items()
        }
        return _closure(set(digests), sources) & set(self.by_digest)

    def notes(self, digest: str) -> list[Path]:
        """The small files that are kept of a target: its recipe, and what its run took."""
        paths = (recipe_path(self.work, digest), run_record(self.work, digest))
        return [path for path in paths if path.exists()]


def _closure(begin: set[str], following: Mapping[str, list[str]]) -> set[str]:
    reached, todo = set(begin), list(begin)
    while todo:
        for digest in following.get(todo.pop(), ()):
            if digest not in reached:
                reached.add(digest)
                todo.append(digest)
    return reached


def read_targets(work: Path, root: Root) -> Targets:
    """All targets of the recipes in `<work>/recipes`."""
    found: dict[str, Target] = {}
    broken: list[Path] = []
    for path in _recipes(work):
        try:
            order = load_order(path)
        except SettingsError:
            broken.append(path)
            continue
        found[order.recipe.digest] = target_of(order, work, root)
    return Targets(work, root, found, tuple(broken))


def target_of(order: Order, work: Path, root: Root) -> Target:
    """What an order makes."""
    its = root if order.recipe.stage in IN_ROOT else None
    staged = work / DELIVERY / order.target
    return Target(order, stage_folder(work, order), its, staged)


def _recipes(work: Path) -> Iterator[Path]:
    yield from sorted((work / "recipes").glob("[!.]*.json"))
