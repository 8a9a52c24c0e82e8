"""Whether a gain over the reference is one of a leaked label, in plain sentences.

Composed training images are made with the true mask, so a network can learn how the composition
looks in place of what a cloud is. A check looks for that: a gain should stay where the composition
no longer tells the label (the control), and should not turn into a loss on images that were never
composed (the source): there the reference is at home, so that no gain is no sign of a leak either.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from nndacss.experiment.differences import Comparisons, told
from nndacss.experiment.settings import ExperimentSettings
from nndacss.metrics.paired import Difference, below

State = Literal["no gain", "stays", "vanishes", "loss", "open"]
"""`no gain`: nothing to check. `open`: the scenes cannot tell, or there are no scores."""


def leaks(settings: ExperimentSettings, compare: Comparisons) -> Iterator[dict[str, Any]]:
    """One row a leak check, class and test (control, source): `state`, `alarm`, a `sentence`.

    Nothing is said of a class that the test data do not show, or before there are scores; and but
    once that there is no gain, however many controls it has.
    """
    without: set[tuple[str, str, str]] = set()
    for check in settings.leak_checks:
        for label in check.labels:
            gain = compare(check.variant, settings.reference or "", check.data, label)
            if gain is None:
                continue
            claim = Claim(check.variant, settings.reference or "", check.data, label, gain)
            if gain.verdict != "better":
                if (what := (check.variant, check.data, label)) not in without:
                    without.add(what)
                    yield claim.none()
                continue
            if check.control:
                yield claim.against_control(check.control, compare)
            if check.source:
                yield claim.against_source(check.source, compare)


@dataclass(frozen=True)
class Claim:
    """A gain that is to be checked."""

    variant: str
    reference: str
    data: str
    label: str
    gain: Difference

    def none(self) -> dict[str, Any]:
        """Where the variant does not gain."""
        return self._row("", None, "no gain", f"No gain to check for a leaked label: {self._what}.")

    def against_control(self, control: str, compare: Comparisons) -> dict[str, Any]:
        """Whether it stays where the composition does not tell the label."""
        kept = compare(control, self.reference, self.data, self.label)
        left = compare(control, self.variant, self.data, self.label)
        if kept is None or left is None:
            return self._unscored(control)
        beside = f"its control {control} differs by {told(kept)}"
        if kept.verdict == "better":
            return self._stays(control, kept, beside)
        if left.verdict == "worse":
            said = f"Possible label leak: {self._what} vanishes, {beside}."
            return self._row(control, kept, "vanishes", said, alarm=True)
        return self._open(control, kept, beside)

    def against_source(self, source: str, compare: Comparisons) -> dict[str, Any]:
        """Whether it is there on images that were never composed."""
        kept = compare(self.variant, self.reference, source, self.label)
        if kept is None:
            return self._unscored(source)
        beside = f"on un-composed images ({source}) the difference is {told(kept)}"
        if kept.verdict == "better":
            return self._stays(source, kept, beside)
        if kept.verdict == "worse":
            said = f"Possible label leak: {self._what} turns into a loss, {beside}."
            return self._row(source, kept, "loss", said, alarm=True)
        if below(kept, self.gain):
            said = f"As to a leaked label: {self._what} vanishes, {beside}; that is no loss there."
            return self._row(source, kept, "vanishes", said)
        return self._open(source, kept, beside)

    @property
    def _what(self) -> str:
        gain = "the gain" if self.gain.verdict == "better" else "the difference"
        place = f"of {self.variant} over {self.reference} in {self.label} on {self.data}"
        return f"{gain} {place} ({told(self.gain)})"

    def _unscored(self, against: str) -> dict[str, Any]:
        said = f"Not checked for a leaked label: {self._what}; {against} has no scores."
        return self._row(against, None, "open", said)

    def _stays(self, against: str, kept: Difference, beside: str) -> dict[str, Any]:
        said = f"No sign of a leaked label: {self._what} stays, {beside}."
        return self._row(against, kept, "stays", said)

    def _open(self, against: str, kept: Difference, beside: str) -> dict[str, Any]:
        said = f"It cannot be told whether a leaked label makes {self._what}: {beside}."
        return self._row(against, kept, "open", said)

    def _row(
        self,
        against: str,
        kept: Difference | None,
        state: State,
        sentence: str,
        alarm: bool = False,
    ) -> dict[str, Any]:
        return {
            "variant": self.variant,
            "data": self.data,
            "class": self.label,
            "against": against,
            "gain": self.gain.value,
            "kept": None if kept is None else kept.value,
            "state": state,
            "alarm": alarm,
            "sentence": sentence,
        }
