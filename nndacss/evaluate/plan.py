"""From settings and a model to the order of its evaluation; light, for the scheduler's process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from nndacss.entries import fingerprint, located, stated
from nndacss.errors import DatasetError, SettingsError, complain
from nndacss.evaluate.settings import EvaluateSettings
from nndacss.identity import Order, Recipe
from nndacss.samples.plan import build
from nndacss.settings import Settings, version

#: What the stage writes into its folder.
FILE = "counts.json"


class TestPlan:
    """The test data of some settings, opened and fingerprinted once for any number of models.

    SettingsError for a wrong option or no test data, DatasetError where an archive is missing.
    """

    __test__ = False  # no test class, whatever its name

    def __init__(self, settings: Mapping[str, Settings]) -> None:
        self.settings = cast(EvaluateSettings, settings["evaluate"])
        if not self.settings.test:
            raise SettingsError("no [[evaluate.test]] in the config: nothing to score on")
        self.data = {
            entry.title: build(entry, place="evaluate.test") for entry in self.settings.test
        }
        schemes = {dataset.scheme for dataset in self.data.values()}
        if len(schemes) > 1:
            listed = ", ".join(sorted(schemes))
            raise SettingsError(f"test data of several label schemes: {listed}; score them apart")
        self.scheme = schemes.pop()
        self._inputs = {f"test:{title}": fingerprint(data) for title, data in self.data.items()}
        self._location = located(self.data)
        for title, dataset in self.data.items():
            if not dataset.names():
                found, expected = "no sample", "labelled images"
                remedy = "check the options of the test data"
                raise DatasetError(complain(f"test data {title!r}", found, expected, remedy))

    def check_folds(self, folds: int) -> None:
        """SettingsError where cross-validated data cannot be, for want of folds or of scenes."""
        for entry in self.settings.test:
            if not entry.cross_validated:
                continue
            subject = f"test data {entry.title!r}"
            if not folds:
                found, expected = "cross_validated = true", "experiment.folds of 2 or more"
                remedy = "set folds, or test on data that are not trained on"
                raise SettingsError(complain(subject, found, expected, remedy))
            # parts of one archive may be tested apart: folds are of all of its scenes
            parts = [self.data[e.title] for e in self.settings.test if e.kind == entry.kind]
            scenes = len({data.scene(name) for data in parts for name in data.names()})
            if scenes < folds:
                found, expected = f"{scenes} scenes", f"at least experiment.folds = {folds}"
                raise SettingsError(complain(subject, found, expected, "use fewer folds"))

    def order(
        self,
        name: str,
        model: Mapping[str, Any],
        inputs: Mapping[str, str] | None = None,
        location: Mapping[str, str] | None = None,
        weights: str | None = None,
    ) -> Order:
        """One model on all test data; `model` is what `models.open_model` opens."""
        entries = [stated(entry, self.data[entry.title]) for entry in self.settings.test]
        changed = {"evaluate": self.settings.changed() | {"test": entries}, "model": dict(model)}
        recipe = Recipe(
            "evaluate",
            version("evaluate"),
            changed,
            {**(inputs or {}), **self._inputs},
            weights=weights,
        )
        return Order(recipe, name, {**(location or {}), **self._location})
