"""One TOML file as the orders of all its stages: samples -> train -> evaluate -> experiment.

With `[[views.sources]]` the samples are composed: views -> compose -> train -> ...; with
`inpaint.train` they are painted: samples, mask bank -> inpaint -> train -> ...

Light: it runs in the scheduler's process. All that can be wrong with the settings, the archives
or the weights is found here, before anything long starts.

A stage that several runs share is one order, since equal recipes are one: variants that differ in
training only share their samples, and names of shared targets come from the recipe alone.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from nndacss.compose.plan import compose_order
from nndacss.errors import SettingsError, complain
from nndacss.evaluate.baselines import installed, missing
from nndacss.evaluate.plan import TestPlan
from nndacss.experiment.settings import Baseline, ExperimentSettings, Variant
from nndacss.identity import Order, Recipe
from nndacss.inpaint.plan import painted_orders
from nndacss.inpaint.settings import InpaintSettings
from nndacss.models.card import MaskCard, find, load_card
from nndacss.plugins import load
from nndacss.pretrain.plan import pretrain_orders
from nndacss.samples.plan import samples_order
from nndacss.settings import Settings, build, read_table, version
from nndacss.train.plan import train_order
from nndacss.views.plan import views_order
from nndacss.views.settings import ViewsSettings

#: Set by the experiment for each run, so a variant cannot.
_OURS = ("seed", "fold", "folds")


@dataclass(frozen=True)
class Run:
    """One line of the experiment's book: a model and the order that scores it."""

    model: str
    """Variant or baseline, as tables call it."""
    kind: str
    """`variant` or `baseline`."""
    seed: int | None
    fold: int | None
    evaluate: Order
    needs: tuple[Order, ...] = ()
    """Samples (with the views or the bank that they are made of) and training."""

    @property
    def key(self) -> str:
        """Its name among the experiment's inputs."""
        parts = [self.model]
        parts += [f"seed {self.seed}"] if self.seed is not None else []
        parts += [f"fold {self.fold}"] if self.fold is not None else []
        return ", ".join(parts)


@dataclass(frozen=True)
class ExperimentPlan:
    """Everything that is decided before work starts."""

    runs: tuple[Run, ...]
    summary: Order
    """The `experiment` stage, whose inputs are the runs."""
    losses: tuple[str, ...]
    """What will not be in the tables, one sentence each."""

    def save(self, work: Path) -> None:
        """Write all recipes."""
        for run in self.runs:
            for order in (*run.needs, run.evaluate):
                order.save(work)
        self.summary.save(work)


def plan_experiment(config: Path | None, overrides: Sequence[str] = ()) -> ExperimentPlan:
    """All orders. SettingsError, DatasetError or WeightsError say what is wrong and where."""
    table, source = read_table(config, overrides)
    base = build(table, source)
    settings = cast(ExperimentSettings, base["experiment"])
    _check_overruled(base["train"], settings, source)
    tests = TestPlan(base)
    runs: list[Run] = []
    for variant in settings.variants:
        runs += _variant_runs(variant, table, settings, source)
    _distinct(runs)
    losses = []
    for baseline in settings.baselines:
        if absent := missing(baseline.kind):
            losses.append(f"{baseline.label} is not installed: {absent}")
        else:
            runs.append(_baseline_run(baseline, tests))
    _check_names(settings, tests)
    if not runs:
        raise SettingsError("; ".join(["nothing to score: no variant and no baseline", *losses]))
    return ExperimentPlan(tuple(runs), _summary(settings, runs, losses, tests), tuple(losses))


def _check_overruled(train: Any, settings: ExperimentSettings, source: str) -> None:
    """SettingsError for a held-out fold or seed that would be overruled without a word."""
    if train.fold >= 0:
        found = f"train.fold = {train.fold}"
        expected = f"experiment.folds = {train.folds} and experiment.only = [{train.fold}]"
    elif train.seed and train.seed not in settings.seeds:
        found = f"train.seed = {train.seed}"
        expected = f"experiment.seeds = [{train.seed}]"
    else:
        return
    raise SettingsError(complain(source, found, expected, "remove it and say it so"))


def _variant_runs(
    variant: Variant, table: Mapping[str, Any], settings: ExperimentSettings, source: str
) -> Iterator[Run]:
    """Seeds x folds of one variant."""
    changes = variant.changes()
    named = f"{source}, variant {variant.name!r}"
    if ours := sorted(set(changes.get("train", {})) & set(_OURS)):
        expected = "experiment.seeds and experiment.folds to say so"
        raise SettingsError(complain(named, f"train.{ours[0]}", expected, "remove it"))
    own = merged(table, changes)
    first = build(own, named)
    tests = TestPlan(first)
    tests.check_folds(settings.folds)
    *before, samples = _sample_orders(first)
    before += pretrain_orders(first)
    pretrained = before[-1] if before and before[-1].recipe.stage == "pretrain" else None
    _check_cross_validated(first, tests, named)
    for seed in settings.seeds:
        for fold in _folds(settings):
            folds = {} if fold is None else {"folds": settings.folds}
            place = {"seed": seed, "fold": -1 if fold is None else fold, **folds}
            settled = build(merged(own, {"train": place}), named)
            name = _model_name(seed, fold, settings.folds)
            train = train_order(samples, settled, name, pretrained)
            evaluate = tests.order(train.name, {"kind": "trained"}, {"train": train.recipe.digest})
            yield Run(variant.name, "variant", seed, fold, evaluate, (*before, samples, train))


def _folds(settings: ExperimentSettings) -> Sequence[int | None]:
    """The folds to train; None where there are none."""
    if not settings.folds:
        return (None,)
    return settings.only or range(settings.folds)


def _sample_orders(settings: Mapping[str, Settings]) -> tuple[Order, ...]:
    """What is trained on, last, after all that it is made of: cut, painted or composed samples."""
    painted = cast(InpaintSettings, settings["inpaint"]).train
    if not cast(ViewsSettings, settings["views"]).sources:
        return painted_orders(settings) if painted else (samples_order(settings),)
    if painted:
        remedy = "remove one of them; composed samples are painted by [train.paint]"
        found = "inpaint.train and [[views.sources]]"
        raise SettingsError(complain("experiment", found, "one kind of samples", remedy))
    views = views_order(settings)
    return views, compose_order(views, settings)


def _model_name(seed: int, fold: int | None, folds: int) -> str:
    """From the recipe alone, so that equal recipes have one folder whatever asked for them."""
    return f"segmentation-s{seed}" + ("" if fold is None else f"-f{fold}of{folds}")


def _baseline_run(baseline: Baseline, tests: TestPlan) -> Run:
    model: dict[str, Any] = {"kind": baseline.kind}
    model |= {"metres": baseline.metres} if baseline.metres else {}
    if baseline.kind != "weights":
        model["version"] = installed(baseline.kind)
        order = tests.order(baseline.kind, model)
        return Run(baseline.label, "baseline", None, None, order)
    card = load_card(baseline.weights, MaskCard)
    expected = load("labels", tests.scheme).classes
    if card.classes != expected:
        found, remedy = f"classes {', '.join(card.classes)}", "choose weights of the data's scheme"
        raise SettingsError(complain(baseline.weights, found, ", ".join(expected), remedy))
    location = {"weights": str(find(baseline.weights).resolve())}
    order = tests.order(card.name, model, location=location, weights=card.sha256)
    return Run(baseline.label, "baseline", None, None, order)


def merged(table: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of `table` with `changes` in it; tables are merged, all else is replaced.

    >>> merged({"a": {"b": 1, "c": 2}}, {"a": {"c": 3}})
    {'a': {'b': 1, 'c': 3}}
    """
    result = dict(copy.deepcopy(dict(table)))
    for key, value in changes.items():
        inner = result.get(key)
        both = isinstance(value, Mapping) and isinstance(inner, Mapping)
        result[key] = merged(inner, value) if both and inner is not None else copy.deepcopy(value)
    return result


def _distinct(runs: Sequence[Run]) -> None:
    """SettingsError where two variants are the same: a change that changes nothing misleads."""
    known: dict[str, str] = {}
    for run in runs:
        digest = run.evaluate.recipe.digest
        if digest in known:
            found = f"variants {known[digest]!r} and {run.key!r} with the same settings"
            remedy = "correct what one of them sets, or remove it"
            raise SettingsError(complain("experiment", found, "variants that differ", remedy))
        known[digest] = run.key


def _check_cross_validated(settings: Mapping[str, Settings], tests: TestPlan, named: str) -> None:
    """Data tested in folds must be trained on in folds, under the same archive."""
    wanted = [entry for entry in tests.settings.test if entry.cross_validated]
    samples: Any = settings["samples"]
    views: Any = settings["views"]
    train: Any = settings["train"]
    entries = views.sources or samples.datasets
    folded = {entry.kind for entry in entries if entry.title in train.cross_validated}
    for entry in wanted:
        if entry.kind not in folded:
            found = f"test data {entry.title!r} cross_validated, but its kind is not in folds"
            place = "views.sources" if views.sources else "samples.datasets"
            expected = f"an entry of kind {entry.kind!r} in {place}, named in"
            expected += " train.cross_validated"
            remedy = "add it there, or remove cross_validated from the test data"
            raise SettingsError(complain(named, found, expected, remedy))


def _check_names(settings: ExperimentSettings, tests: TestPlan) -> None:
    """Test data and classes that thresholds and leak checks name must be there."""
    data, classes = tuple(tests.data), load("labels", tests.scheme).classes
    named = [("thresholds.data", wanted.data, data) for wanted in settings.thresholds]
    named += [("thresholds.label", wanted.label, classes) for wanted in settings.thresholds]
    for check in settings.leak_checks:
        named += [("leak_checks.data", check.data, data)]
        named += [("leak_checks.source", check.source, data)] if check.source else []
        named += [("leak_checks.labels", label, classes) for label in check.labels]
    for key, value, known in named:
        if value not in known:
            expected = f"one of {', '.join(known)}"
            raise SettingsError(complain(f"experiment.{key}", repr(value), expected, "correct it"))


def _summary(
    settings: ExperimentSettings, runs: Sequence[Run], losses: Sequence[str], tests: TestPlan
) -> Order:
    # lists, since a recipe's tables are sorted by key
    book = [
        {"key": run.key, "model": run.model, "kind": run.kind, "seed": run.seed, "fold": run.fold}
        for run in runs
    ]
    about = [_about(tests, title) for title in tests.data]
    shared: dict[str, Any] = {"experiment": settings.changed()}
    shared["plan"] = {"runs": book, "data": about, "losses": list(losses)}
    inputs = {run.key: run.evaluate.recipe.digest for run in runs}
    recipe = Recipe("experiment", version("experiment"), shared, inputs)
    return Order(recipe, settings.name)


def _about(tests: TestPlan, title: str) -> dict[str, Any]:
    """What tables say of test data before anything is scored."""
    dataset = tests.data[title]
    names = dataset.names()
    scenes = len({dataset.scene(name) for name in names})
    kind = type(dataset).__module__.rpartition(".")[2]
    return {"title": title, "kind": kind, "samples": len(names), "scenes": scenes}
