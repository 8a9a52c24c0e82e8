"""One model on test data: counts of every sample, and the worst of them kept as pictures."""

from __future__ import annotations

import heapq
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nndacss.datasets import Dataset, Sample
from nndacss.errors import DatasetError, complain
from nndacss.evaluate.calibration import tally
from nndacss.evaluate.models import Labels, Model, Probable, Unsuited, seen
from nndacss.evaluate.pictures import Picture, triptych
from nndacss.evaluate.settings import EvaluateSettings, TestData
from nndacss.labels import NODATA, Scheme
from nndacss.metrics.counts import count, without_borders
from nndacss.plugins import load
from nndacss.raster import Pixels

#: Kinds of data that we made ourselves; figures on them stand apart from real ones.
SIMULATED = frozenset({"twin"})

#: By their months, so that they mean the same on both hemispheres.
QUARTERS = ("Jan-Mar", "Apr-Jun", "Jul-Sep", "Oct-Dec")
_DATE = re.compile(r"_(?:19|20)\d\d(?P<month>0[1-9]|1[0-2])\d\d$")

Report = Callable[[float, str], None]


@dataclass(frozen=True)
class Exposure:
    """What a model has seen in training."""

    trained: frozenset[str] = frozenset()
    """Scenes that it learned from, or was chosen by."""
    left_out: frozenset[str] | None = None
    """Scenes of the cross-validated data that its fold left out; None where it has no fold."""


@dataclass(frozen=True, order=True)
class Shown:
    """One of the worst samples."""

    error: float
    """Share of labelled pixels that are wrong."""
    name: str
    picture: Picture = field(compare=False)


@dataclass
class Scored:
    """All that came of one model on one of the test data."""

    entry: TestData
    samples: list[dict[str, Any]] = field(default_factory=list)
    worst: list[Shown] = field(default_factory=list)
    unsuited: str = ""
    """Why the model cannot be scored here, where it cannot."""


def held_out(dataset: Dataset, entry: TestData, exposure: Exposure) -> list[str]:
    """The samples that may be scored: of cross-validated data, those of the fold left out.

    DatasetError where any of them is of a scene that the model learned from.
    """
    names = [(name, dataset.scene(name)) for name in dataset.names()]
    left_out = exposure.left_out
    if entry.cross_validated and left_out is not None:
        names = [(name, scene) for name, scene in names if scene in left_out]
    known = sorted({scene for _, scene in names} & exposure.trained)
    if known:
        found = f"{len(known)} scenes that the model was trained on, e.g. {known[0]}"
        remedy = "mark the data cross_validated and set folds, or test on other data"
        expected = "scenes it never saw"
        raise DatasetError(complain(f"test data {entry.title!r}", found, expected, remedy))
    return [name for name, _ in names]


def score(
    model: Model,
    dataset: Dataset,
    entry: TestData,
    settings: EvaluateSettings,
    names: Sequence[str],
    report: Report | None = None,
) -> Scored:
    """Score `names`; stops at the first image that the model cannot take, and says why."""
    scheme: Scheme = load("labels", dataset.scheme)
    result = Scored(entry)
    for number, name in enumerate(names):
        if report:
            report(number / len(names), f"{entry.title}: {number + 1} of {len(names)}")
        sample = dataset.load(name)
        started = time.perf_counter()
        try:
            labels, probability = _said(model, sample, entry, settings)
        except Unsuited as reason:
            return Scored(entry, unsuited=str(reason))
        seconds = time.perf_counter() - started
        found = compare(sample, labels, scheme, settings.tolerance)
        if probability is not None and settings.calibration:
            counted = tally(sample.sets, probability, seen(sample), settings.calibration)
            found["calibration"] = counted
        result.samples.append(_record(sample, entry, seconds) | found)
        _keep(result.worst, sample, labels, settings.worst, scheme)
    result.worst.sort(reverse=True)
    return result


def simulated(entry: TestData) -> bool:
    """Whether test data are made by a program: their kind is, or the settings say so."""
    return entry.kind in SIMULATED or entry.simulated


def _said(
    model: Model, sample: Sample, entry: TestData, settings: EvaluateSettings
) -> tuple[Labels, Pixels | None]:
    """Labels, and probabilities where they are asked for and the model gives them."""
    if settings.calibration and isinstance(model, Probable):
        found = model.predict(sample, entry)
        return found.labels, found.probability
    return model(sample, entry), None


def compare(sample: Sample, labels: Labels, scheme: Scheme, tolerance: int) -> dict[str, Any]:
    """Counts over all labelled pixels that were seen, as JSON.

    `counts`; `edgeless`, the same without borders, where asked; `strata`, the same for each
    stratum of the sample, where it has some. DatasetError for a stratum of another size.
    """
    where = seen(sample)
    found: dict[str, Any] = {"counts": count(sample.sets, labels, scheme.classes, where).to_json()}
    if tolerance:
        sets = without_borders(sample.sets, tolerance)
        found["edgeless"] = count(sets, labels, scheme.classes, where).to_json()
    strata = {}
    for name, part in sorted(sample.strata.items()):
        if part.shape != sample.sets.shape:
            subject = f"{sample.name}, stratum {name}"
            expected = f"size {sample.sets.shape}"
            remedy = "make it of the size of the labels"
            raise DatasetError(complain(subject, str(part.shape), expected, remedy))
        strata[name] = count(sample.sets, labels, scheme.classes, where & part).to_json()
    return found | ({"strata": strata} if strata else {})


def _record(sample: Sample, entry: TestData, seconds: float) -> dict[str, Any]:
    """What a sample is."""
    return {
        "data": entry.title,
        "name": sample.name,
        "scene": sample.scene,
        "sensor": sample.sensor,
        "level": sample.level,
        "metres": sample.metres,
        "pixels": int(np.prod(sample.sets.shape)),
        "labelled": int(((sample.sets != 0) & seen(sample)).sum()),
        "seconds": round(seconds, 3),
        **quarter(sample.name),
    }


def quarter(name: str) -> dict[str, str]:
    """The quarter of the year of a sample whose name ends with its date; else nothing.

    >>> quarter("30PWT_12_20180714"), quarter("LC08_1984")
    ({'quarter': 'Jul-Sep'}, {})
    """
    found = _DATE.search(name)
    return {"quarter": QUARTERS[(int(found["month"]) - 1) // 3]} if found else {}


def error_rate(sample: Sample, labels: Labels) -> float:
    """Share of labelled pixels whose label does not allow what the model says; 0 without any."""
    labelled = (sample.sets != 0) & seen(sample)
    allowed = (sample.sets >> np.minimum(labels, 15)) & 1
    wrong = labelled & ((allowed == 0) | (labels == NODATA))
    return float(wrong.sum() / max(1, labelled.sum()))


def _keep(worst: list[Shown], sample: Sample, labels: Labels, number: int, scheme: Scheme) -> None:
    """Put the sample on the heap of the worst, if it is one of them."""
    error = error_rate(sample, labels)
    if number == 0 or error == 0 or (len(worst) == number and error <= worst[0].error):
        return
    shown = Shown(error, sample.name, triptych(sample, labels, scheme))
    if len(worst) < number:
        heapq.heappush(worst, shown)
    else:
        heapq.heapreplace(worst, shown)
