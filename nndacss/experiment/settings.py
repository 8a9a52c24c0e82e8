"""Settings of an experiment: section `[experiment]`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from nndacss.settings import Settings

VERSION = 2

_NAME = r"^[A-Za-z0-9_.+-]+$"
Metric = Literal["iou", "f1", "precision", "recall", "specificity", "balanced_accuracy", "accuracy"]


class Variant(Settings):
    """One way to do it: a name and what it changes."""

    name: str = Field(pattern=_NAME)
    note: str = ""
    """One sentence for readers of the report."""
    set: Mapping[str, Any] = {}
    """What differs from the file's other sections: `set.train.epochs = 3`."""

    def changes(self) -> dict[str, dict[str, Any]]:
        """Section -> key -> value, of nested tables and of quoted keys like `"train.epochs"`.

        >>> Variant(name="a", set={"train": {"epochs": 3}, "train.batch": 2}).changes()
        {'train': {'epochs': 3, 'batch': 2}}
        """
        found: dict[str, dict[str, Any]] = {}
        for key, value in self.set.items():
            section, _, name = key.partition(".")
            found.setdefault(section, {}).update({name: value} if name else value)
        return found

    @field_validator("set")
    @classmethod
    def _sections(cls, value: Mapping[str, Any]) -> Mapping[str, Any]:
        for key, inner in value.items():
            if "." not in key and not isinstance(inner, Mapping):
                raise ValueError(f"{key!r} is no section.key; write set.train.epochs = 3")
            if key.partition(".")[0] == "experiment":
                raise ValueError("a variant cannot change [experiment] itself")
        return value


class Baseline(Settings):
    """Another model on the same pixels."""

    kind: Literal["ukis_csmask", "weights"]
    """`ukis_csmask`: that package, where installed. `weights`: our own, by name or path."""
    name: str = ""
    """How tables call it; by default what it is."""
    weights: str = ""
    """Of kind `weights`: a name in `checkpoints/`, or a path."""
    metres: float = Field(default=0.0, ge=0)
    """Finer images are averaged to about this before the model sees them; 0: as they are."""

    @property
    def label(self) -> str:
        """Name in tables."""
        own = self.weights if self.kind == "weights" else self.kind
        return self.name or own + (f" at {self.metres:g} m" if self.metres else "")


class Threshold(Settings):
    """A score that is wanted; the report says whether it is reached, the task does not fail."""

    data: str
    """Name of test data."""
    label: str
    """A class, e.g. `cloud`."""
    metric: Metric = "iou"
    at_least: float


class LeakCheck(Settings):
    """Whether a gain over the reference stays where it must if it is no leaked label.

    Training images that are composed with the true mask can tell the label by their texture.
    """

    variant: str
    """The variant whose gain is checked."""
    data: str
    """Name of the test data on which it should gain."""
    control: str = ""
    """A variant that is composed with a wrong mask, so that its texture does not tell the label:
    the gain should stay."""
    source: str = ""
    """Name of test data of the sensor that training images come from, not composed: the gain
    should not turn into a loss."""
    labels: tuple[str, ...] = ("shadow", "cloud")
    """Classes that are checked."""


class ExperimentSettings(Settings):
    """What is compared, how often, and by which scores."""

    name: str = Field(default="experiment", pattern=_NAME)
    note: str = ""
    """The question that the experiment answers, for readers of the report."""
    folds: int = Field(default=0, ge=0)
    """Models a variant, each leaving out one part of the cross-validated scenes; 0: one model."""
    only: tuple[int, ...] | None = None
    """Which of the folds are trained: `[0]` with `folds = 10` keeps a tenth of the scenes for the
    test and trains once; none: all of them."""
    seeds: tuple[int, ...] = Field(default=(0,), min_length=1)
    """Each variant is trained once a seed (and fold)."""
    metrics: tuple[Metric, ...] = Field(default=("iou", "f1", "balanced_accuracy"), min_length=1)
    """In this order in the tables; all are in the files."""
    variants: tuple[Variant, ...] = (Variant(name="default"),)
    """`[[experiment.variants]]`; an empty list trains nothing and scores the baselines alone."""
    baselines: tuple[Baseline, ...] = ()
    """`[[experiment.baselines]]`."""
    thresholds: tuple[Threshold, ...] = ()
    """`[[experiment.thresholds]]`."""
    reference: str | None = None
    """Name of the variant or baseline that all others are compared with; none compares nothing."""
    leak_checks: tuple[LeakCheck, ...] = ()
    """`[[experiment.leak_checks]]`."""

    @field_validator("folds")
    @classmethod
    def _not_one(cls, folds: int) -> int:
        if folds == 1:
            raise ValueError("one fold would train on nothing; 0 trains on all, 2 or more fold")
        return folds

    @field_validator("only")
    @classmethod
    def _of_the_folds(
        cls, only: tuple[int, ...] | None, info: ValidationInfo
    ) -> tuple[int, ...] | None:
        if only is None:
            return only
        folds = info.data.get("folds", 0)
        if not folds:
            raise ValueError("there are no folds to choose from; set experiment.folds to 2 or more")
        if not only or not set(only) <= set(range(folds)):
            raise ValueError(f"choose some of the folds 0 to {folds - 1}")
        return only

    @field_validator("variants", "baselines")
    @classmethod
    def _distinct(cls, given: tuple[Any, ...]) -> tuple[Any, ...]:
        labels = [item.name if isinstance(item, Variant) else item.label for item in given]
        twice = [name for name, count in Counter(labels).items() if count > 1]
        if twice:
            raise ValueError(f"{twice[0]!r} is there twice; names must differ")
        return given

    @field_validator("reference")
    @classmethod
    def _there(cls, reference: str | None, info: ValidationInfo) -> str | None:
        known = [item.name for item in info.data.get("variants", ())]
        known += [item.label for item in info.data.get("baselines", ())]
        if reference is not None and reference not in known:
            raise ValueError(f"choose a variant or baseline: {', '.join(known)}")
        return reference

    @field_validator("leak_checks")
    @classmethod
    def _checkable(
        cls, checks: tuple[LeakCheck, ...], info: ValidationInfo
    ) -> tuple[LeakCheck, ...]:
        known = [item.name for item in info.data.get("variants", ())]
        reference = info.data.get("reference")
        for check in checks:
            for name in filter(None, (check.variant, check.control)):
                if name not in known or name == reference:
                    others = ", ".join(other for other in known if other != reference)
                    raise ValueError(f"{name!r} is none of the variants {others}")
            if not (check.control or check.source):
                raise ValueError(f"no `control` and no `source` to check {check.variant!r} with")
            if check.control == check.variant:
                raise ValueError(f"{check.variant!r} cannot be its own control")
        if checks and reference is None:
            raise ValueError("a gain is over `reference`: set it")
        return checks


SETTINGS = ExperimentSettings
