"""Each scene of a list planned: what is to be made, was made before, or cannot be planned."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, cast

from nndacss.acquire.area import is_outside
from nndacss.acquire.source import Sources
from nndacss.chain import Plan, plan
from nndacss.errors import InputError, NndacssError
from nndacss.estimate import expect
from nndacss.identity import Order, digest
from nndacss.operations import products
from nndacss.operations.dates import Period
from nndacss.operations.roots import Root
from nndacss.operations.scenes import Listed
from nndacss.product.settings import ProductSettings
from nndacss.settings import Settings
from nndacss.tile.settings import TileSettings

State = Literal["todo", "skipped", "failed"]
#: Scenes that are planned at a time.
_AT_ONCE = 8


@dataclass(frozen=True)
class Planned:
    """One scene of a batch, decided before work starts."""

    id: str
    state: State
    reason: str = ""
    """Why it is skipped or cannot be planned; of one to do, what is lost."""
    path: str = ""
    name: str = ""
    """The product id that the metadata state."""
    target: str = ""
    """`<scene>_<digest8>` of its product; of a scene that cannot be planned, of its path."""
    stages: Mapping[str, str] = field(default_factory=dict)
    """Stage -> digest of its recipe."""
    acquired: str = ""
    """UTC."""
    other: int = 0
    """Products of this scene in the root that were made otherwise."""
    seconds: float = 0.0
    """Expected; so are the next two."""
    work: float = 0.0
    """MB."""
    product: float = 0.0
    """MB."""

    @property
    def place(self) -> str:
        """What tells the scene from others, whatever it holds: its path, or its id."""
        return self.path or self.id

    @property
    def digest(self) -> str:
        """Of the product's recipe; empty where it could not be planned."""
        return self.stages.get("product", "")

    def as_json(self) -> dict[str, Any]:
        """As `plan.json` holds it."""
        return asdict(self)


@dataclass(frozen=True)
class Planner:
    """Plans scenes with one set of settings for one product root."""

    settings: Mapping[str, Settings]
    sources: Sources
    root: Root
    """Product root."""
    threads: int
    """Of a stage, for the estimates."""
    dates: Period | None = None
    """Scenes of other days are skipped."""

    def plan_all(self, scenes: Iterable[Listed]) -> Iterator[tuple[Planned, Mapping[str, Order]]]:
        """Each scene's plan with its orders, as listed; one that has nothing to do has no orders.

        A scene of an archive is planned from its metadata, which are asked for where they are not
        known yet: several scenes at a time, since that is waiting.
        """
        made = sorted(products.names(self.root))
        seen: dict[str, str] = {}
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for planned, orders in pool.map(lambda scene: self._plan(scene, made), scenes):
                if planned.state == "todo" and planned.target in seen:
                    why = f"the same scene as {seen[planned.target]}"
                    yield replace(planned, state="skipped", reason=why), {}
                    continue
                seen.setdefault(planned.target, planned.path or planned.id)
                yield planned, orders

    def _plan(self, scene: Listed, made: list[str]) -> tuple[Planned, Mapping[str, Order]]:
        begun = Planned(scene.id, "failed", path=scene.path, target=unplanned(scene))
        try:
            source = self.sources.of_record(scene.as_json())
            twin = scene.l1 if isinstance(scene.l1, str) else ""
            l1 = self.sources.of_record({"path": twin}) if twin else None
            found = plan(source, l1, self.settings)
        except NndacssError as error:
            return replace(begun, reason=str(error)), {}
        except OSError as error:  # a folder that may not be read, a disk that is gone
            reason = f"{error.filename or scene.path}: {error.strerror or error}"
            return replace(begun, reason=reason), {}
        return self._decide(begun, found, made)

    def _decide(
        self, begun: Planned, found: Plan, made: list[str]
    ) -> tuple[Planned, Mapping[str, Order]]:
        target = found.orders["product"].target
        others = [name for name in made if name[:-9] == found.scene.name and name != target]
        planned = replace(
            begun,
            state="todo",
            reason="; ".join(found.losses),
            name=found.scene.name,
            target=target,
            stages={stage: order.recipe.digest for stage, order in found.orders.items()},
            acquired=found.scene.acquired.isoformat(),
            other=len(others),
        )
        if self.dates and found.scene.acquired.date() not in self.dates:
            day = found.scene.acquired.date()
            return replace(planned, state="skipped", reason=f"of {day}, not in --dates"), {}
        if is_outside(found.scene, cast(TileSettings, self.settings["tile"]).bbox):
            return replace(planned, state="skipped", reason="outside the area"), {}
        product = products.find(self.root, target)
        if product is not None and product.fault:
            return replace(planned, state="failed", reason=product.complaint), {}
        if product is not None:
            return replace(planned, state="skipped", reason="done before"), {}
        return self._with_estimate(planned, found), found.orders

    def _with_estimate(self, planned: Planned, found: Plan) -> Planned:
        tile = cast(TileSettings, self.settings["tile"])
        composed = cast(ProductSettings, self.settings["product"]).compose != "none"
        deep = bool(found.harmonize.cards)
        size = expect(found.scene.square_km, tile, self.threads, deep=deep, composed=composed)
        return replace(planned, seconds=size.seconds, work=size.work, product=size.product)


def unplanned(scene: Listed) -> str:
    """A name for the failure of a scene whose digest cannot be told: by where it lies."""
    place = scene.path or str(scene.item.get("id", ""))
    return f"{scene.id}_{digest({'place': place})[:8]}"


def limited(planned: list[Planned], limit: int) -> list[Planned]:
    """With all but the first `limit` scenes to do left for another run; 0 is no limit."""
    if limit < 0:
        raise InputError(f"--limit: found {limit}; expected 0 (no limit) or more; correct it")
    result, count = [], 0
    for scene in planned:
        if scene.state == "todo":
            count += 1
            if limit and count > limit:
                result.append(replace(scene, state="skipped", reason="beyond --limit"))
                continue
        result.append(scene)
    return result
