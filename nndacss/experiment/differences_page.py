"""Differences to the reference as cells and sentences of the report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from nndacss.experiment.differences import signed
from nndacss.experiment.tables import in_order
from nndacss.metrics.paired import DRAWS, FEWEST, LEVEL, POWER

#: Pixels of the small picture of an interval.
_WIDTH, _HEIGHT = 150, 12
_LINE = Markup(
    '<svg class="span" width="{w}" height="{h}" viewBox="0 0 {w} {h}" aria-hidden="true">'
    '<path d="M{zero:.1f} 0V{h}" stroke="#8b8577"/>'
    '<path d="M{low:.1f} {mid}H{high:.1f}" stroke="currentColor" stroke-width="2"/>'
    '<circle cx="{at:.1f}" cy="{mid}" r="3.5" fill="currentColor"/></svg>'
)
_CLASS = {"better": "ok", "worse": "bad", "inconclusive": "soft"}


class Differences:
    """Looked up in the result; `part` is a stratum, "" the whole images."""

    level, power = f"{LEVEL:.0%}".replace("%", " %"), f"{POWER:.0%}".replace("%", " %")
    draws, fewest = f"{DRAWS:,}", FEWEST

    def __init__(self, found: Mapping[str, Any]) -> None:
        self._found = found
        self._rows = {
            (row["model"], row["data"], row["class"], row["part"]): row
            for row in found["differences"]
        }

    @property
    def intervals(self) -> int:
        """How many differences have an interval."""
        return sum(row["low"] is not None for row in self._rows.values())

    @property
    def lucky(self) -> int:
        """How many of them are blurred more by the luck of training than by that of the scenes."""
        return sum((row["luck"] or 0) > 1 / 2 for row in self._rows.values())

    @property
    def by_chance(self) -> str:
        """How many of them leave out 0 by chance alone, where nothing differs."""
        expected = (1 - LEVEL) * self.intervals
        return f"{expected:.0f}" if expected >= 10 else f"{expected:.1f}"

    def classes(self, data: str, part: str = "") -> list[str]:
        """Classes that are compared; the ground itself comes last, as in all tables."""
        known = {key[2] for key in self._rows if (key[1], key[3]) == (data, part)}
        return in_order(known, self._found["classes"])

    def once(self) -> list[str]:
        """Models that were trained once, so that their luck in it is in no interval."""
        runs = {row["model"]: row["runs"] for row in self._rows.values()}
        runs |= {row["reference"]: row["reference_runs"] for row in self._rows.values()}
        models = self._found["models"]
        return [m["name"] for m in models if m["kind"] == "variant" and runs.get(m["name"]) == 1]

    def scenes(self, data: str, part: str = "") -> str:
        """How many scenes decide."""
        counts = []
        for name in self.classes(data, part):
            rows = [row for key, row in self._rows.items() if key[1:] == (data, name, part)]
            fewest = min(rows, key=lambda row: row["equal"])
            counts.append(f"{name} {fewest['showing']} ({fewest['equal']:.0f})")
        scenes = min(row["scenes"] for key, row in self._rows.items() if key[1] == data)
        said = f"Scenes that show the class, of {scenes}: {', '.join(counts)}."
        return f"{said} In brackets: so many of equal weight would tell as much."

    def cell(self, model: str, data: str, name: str, part: str = "") -> Markup:
        """A difference with its interval, a picture of it, and the verdict in words."""
        if model == self._found["reference"]:
            return Markup('<td class="none">reference</td>')
        row = self._rows.get((model, data, name, part))
        if row is None:
            return Markup('<td class="none">none</td>')
        value = Markup('<data value="{}">{}</data>').format(
            repr(row["difference"]), signed(row["difference"])
        )
        if row["low"] is None:
            words = Markup('<span class="tell soft">inconclusive: too few scenes ({})</span>')
            return Markup("<td>{}{}</td>").format(value, words.format(row["showing"]))
        ends = Markup(' <span class="soft">{} to {}</span>').format(
            signed(row["low"]), signed(row["high"])
        )
        words = Markup('<span class="tell {}">{}</span>').format(
            _CLASS[row["verdict"]], _words(row["verdict"], row["detectable"])
        )
        return Markup("<td>{}{}{}{}</td>").format(value, ends, self._line(row), words)

    def _line(self, row: Mapping[str, Any]) -> Markup:
        """The interval on a scale that is one for all models in the column."""
        same = [
            max(abs(other["low"]), abs(other["high"]))
            for key, other in self._rows.items()
            if key[1:] == (row["data"], row["class"], row["part"]) and other["low"] is not None
        ]
        scale = (_WIDTH / 2 - 5) / (max(same) or 1.0)
        low, at, high = (_WIDTH / 2 + scale * row[key] for key in ("low", "difference", "high"))
        zero, mid = _WIDTH / 2, _HEIGHT / 2
        return _LINE.format(w=_WIDTH, h=_HEIGHT, zero=zero, mid=mid, low=low, high=high, at=at)


def _words(verdict: str, detectable: float) -> str:
    if verdict != "inconclusive":
        return verdict
    if detectable > 1:
        return "inconclusive: the test could not have seen any difference"
    seen = f"{detectable:.2f}" if detectable >= 0.01 else f"{detectable:.3f}"
    return f"inconclusive: the test could have seen a difference of {seen}"
