"""Every model against the experiment's reference, scene by scene."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nndacss.experiment.results import ByScene, Result, by_scene
from nndacss.metrics.paired import Difference, difference

#: All pixels, not a stratum.
ALL = "counts"


class Comparisons:
    """Differences between models of an experiment, from their counts scene by scene."""

    def __init__(self, results: Sequence[Result], classes: Sequence[str]) -> None:
        self._classes = list(classes)
        self._models: dict[str, list[Result]] = {}
        for result in results:
            self._models.setdefault(result.model, []).append(result)
        self._counts: dict[tuple[str, str, str], ByScene | None] = {}

    def knows(self, model: str, label: str) -> bool:
        """Whether the model has a class at all."""
        results = self._models.get(model, ())
        return any(label in result.counts["model"]["classes"] for result in results)

    def __call__(
        self, model: str, other: str, title: str, label: str, which: str = ALL
    ) -> Difference | None:
        """IoU of `model` less that of `other`; None where either has none, or no truth shows it."""
        if not (self.knows(model, label) and self.knows(other, label)):
            return None
        mine, theirs = (self._of(name, title, which) for name in (model, other))
        if mine is None or theirs is None:
            return None
        scenes = sorted(set(mine.scenes) & set(theirs.scenes))
        code = self._classes.index(label)
        return difference(mine.of(scenes, code), theirs.of(scenes, code)) if scenes else None

    def _of(self, model: str, title: str, which: str) -> ByScene | None:
        key = (model, title, which)
        if key not in self._counts:
            self._counts[key] = by_scene(self._models.get(model, ()), title, which)
        return self._counts[key]


def rows(
    compare: Comparisons,
    models: Sequence[str],
    reference: str,
    parts: Mapping[str, Sequence[str]],
    classes: Sequence[str],
) -> Iterator[dict[str, Any]]:
    """One row a test data, part of the image ("" for all of it), class and model.

    `parts` gives the strata of each test data.
    """
    for title, strata in parts.items():
        for part in ("", *strata):
            for label in classes:
                for model in models:
                    if model == reference:
                        continue
                    found = compare(model, reference, title, label, part or ALL)
                    if found is not None:
                        place = {"model": model, "reference": reference, "data": title}
                        yield {**place, "part": part, "class": label, **as_row(found)}


def as_row(found: Difference) -> dict[str, Any]:
    """A difference as plain JSON."""
    return {
        "difference": found.value,
        "low": found.low,
        "high": found.high,
        "detectable": found.detectable,
        "verdict": found.verdict,
        "scenes": found.scenes,
        "showing": found.showing,
        "equal": found.equal,
        "runs": found.runs[0],
        "reference_runs": found.runs[1],
        "error": found.error,
        "freedom": found.freedom,
        "luck": found.luck,
    }


def told(found: Difference) -> str:
    """A difference in words: `+0.031, +0.010 to +0.052`."""
    if found.low is None or found.high is None:
        return f"{signed(found.value)}, too few scenes for an interval"
    return f"{signed(found.value)}, {signed(found.low)} to {signed(found.high)}"


def signed(value: float) -> str:
    """A difference with three places and its sign, never a minus before zeros.

    >>> signed(0.0312), signed(-0.0001)
    ('+0.031', '+0.000')
    """
    return f"{round(value, 3) + 0.0:+.3f}".replace("-", "\N{MINUS SIGN}")
