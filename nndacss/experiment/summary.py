"""Everything that the report of an experiment says, as plain JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from nndacss.experiment.differences import Comparisons, rows
from nndacss.experiment.leaks import leaks
from nndacss.experiment.results import Result, strata, units
from nndacss.experiment.settings import ExperimentSettings, Variant
from nndacss.experiment.tables import calibrations, quarters, scenes, scores, thresholds
from nndacss.identity import Order
from nndacss.metrics.counts import total
from nndacss.settings import restore


def summarise(order: Order, results: list[Result], pending: list[str]) -> dict[str, Any]:
    """The content of `result.json`, of the runs that are done."""
    own = order.recipe.settings
    settings = cast(ExperimentSettings, restore(own, "experiment"))
    classes = results[0].counts["classes"] if results else []
    plan = own["plan"]
    titles = [about["title"] for about in plan["data"]]
    models = list(dict.fromkeys(book["model"] for book in plan["runs"]))
    tables = _tables(models, titles, results, classes)
    return {
        "name": order.name,
        "digest": order.recipe.digest,
        "note": own["experiment"].get("note", ""),
        "complete": not pending,
        "pending": pending,
        "losses": plan["losses"],
        "metrics": settings.metrics,
        "first_metric": settings.metrics[0],
        "tolerance": _tolerance(results),
        "spread": _over(settings, titles, results),
        "classes": classes,
        "scheme": results[0].counts["scheme"] if results else "",
        "data": [_data(about, results) for about in plan["data"]],
        "models": [_model(name, own, results, pending) for name in models],
        **tables,
        **_compared(settings, models, titles, results, classes),
        "thresholds": list(thresholds(own, tables["scores"])),
    }


def _tables(
    models: Sequence[str], titles: Sequence[str], results: list[Result], classes: list[str]
) -> dict[str, list[dict[str, Any]]]:
    """Scores, those of strata (`parts`), confusion, scenes, and why a model has none."""
    found: dict[str, list[dict[str, Any]]] = {
        name: []
        for name in (
            *("scores", "parts", "confusion", "scenes"),
            *("quarters", "calibration", "unsuited"),
        )
    }
    for model in models:
        mine = [result for result in results if result.model == model]
        for title in titles:
            place = {"model": model, "data": title}
            pools = units(mine, title)
            if not pools:
                found["unsuited"] += _reasons(model, title, mine)
                continue
            for which in ("counts", "edgeless"):
                row = {**place, "borders": which == "counts"}
                found["scores"] += scores(row, mine, classes, which)
            for part in strata(mine, title):
                found["parts"] += scores({**place, "part": part}, mine, classes, part)
            pixels = total(pools, classes).to_json()["confusion"]
            found["confusion"].append({**place, "pixels": pixels})
            found["scenes"] += scenes(model, title, mine, classes)
            found["quarters"] += quarters(model, title, mine, classes)
            found["calibration"] += calibrations(model, title, mine)
    return found


def _compared(
    settings: ExperimentSettings,
    models: Sequence[str],
    titles: Sequence[str],
    results: list[Result],
    classes: list[str],
) -> dict[str, Any]:
    """Differences to the reference, and checks for a leaked label; empty without a reference."""
    reference = settings.reference
    if reference is None:
        return {"reference": None, "differences": [], "leaks": []}
    compare = Comparisons(results, classes)
    parts = {title: strata(results, title) for title in titles}
    return {
        "reference": reference,
        "differences": list(rows(compare, models, reference, parts, classes)),
        "leaks": list(leaks(settings, compare)),
    }


def _tolerance(results: list[Result]) -> int:
    """Pixels around borders that the second set of scores leaves out; 0 where there is none."""
    return max((result.counts["tolerance"] for result in results), default=0)


def _over(settings: ExperimentSettings, titles: list[str], results: list[Result]) -> str:
    """What the deviations are over, in words; "" where nothing was repeated."""
    folded = any(
        result.counts["data"][title]["cross_validated"] for result in results for title in titles
    )
    over = []
    if len(settings.seeds) > 1:
        over.append(f"{len(settings.seeds)} seeds")
    if settings.folds and not (folded and len(titles) == 1):
        over.append(f"{settings.folds} folds where data are not cross-validated")
    return " and ".join(over)


def _reasons(model: str, title: str, results: list[Result]) -> list[dict[str, Any]]:
    """Why a model has no scores on these data, where it says so."""
    reasons = {result.counts["data"][title]["unsuited"] for result in results} - {""}
    return (
        [{"model": model, "data": title, "reason": "; ".join(sorted(reasons))}] if reasons else []
    )


def _data(about: Mapping[str, Any], results: list[Result]) -> dict[str, Any]:
    """What test data are, with what was seen when they were scored."""
    title = about["title"]
    records = {
        record["name"]: record for result in results for record in result.records(title)
    }.values()
    told = (result.counts["data"][title] for result in results)
    facts: Mapping[str, Any] = next(told, {})
    return {
        **about,
        "simulated": facts.get("simulated", False),
        "cross_validated": facts.get("cross_validated", False),
        "note": facts.get("note", ""),
        "scored": len(records),
        "labelled": sum(record["labelled"] for record in records),
        "metres": sorted({record["metres"] for record in records}),
        "sensors": sorted({record["sensor"] for record in records}),
        "levels": sorted({record["level"] for record in records}),
    }


def _model(
    name: str, own: Mapping[str, Any], results: list[Result], pending: list[str]
) -> dict[str, Any]:
    """A variant or baseline with its runs."""
    book = {run["key"]: run for run in own["plan"]["runs"] if run["model"] == name}
    mine = [result for result in results if result.model == name]
    variants = {entry["name"]: entry for entry in own["experiment"].get("variants", ())}
    facts: Mapping[str, Any] = mine[0].counts["model"] if mine else {}
    runs = [
        {"key": r.key, "digest": r.digest, "seed": r.seed, "fold": r.fold, "weights": r.weights}
        for r in mine
    ]
    return {
        "name": name,
        "kind": next(iter(book.values()))["kind"],
        "note": variants.get(name, {}).get("note", ""),
        "changes": _lines(variants[name]) if name in variants else [],
        "settings": mine[0].settings if mine else {},
        "runs": runs,
        "done": len(runs),
        "planned": len(book),
        "pending": [key for key in pending if key in book],
        "is": facts.get("name", ""),
        "learned": _learned(facts.get("training", {}).get("data", {})),
    }


def _lines(variant: Mapping[str, Any]) -> list[str]:
    """What a variant sets, one `section.key = value` each."""
    changes = Variant.model_validate(variant).changes()
    return [f"{s}.{key} = {value}" for s, keys in changes.items() for key, value in keys.items()]


def _learned(data: Any) -> list[str]:
    """Training data in words, from a card."""
    if not isinstance(data, Mapping):
        return [str(data)] if data else []
    return [
        f"{name} ({'simulated, ' if about.get('simulated') else ''}{about.get('samples', 0)} "
        f"samples of {about.get('scenes', 0)} scenes)"
        for name, about in data.items()
    ]
