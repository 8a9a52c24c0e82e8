"""What a person sees of a batch: a line a scene, a bar on a terminal, and a table at the end."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from nndacss.operations.outcomes import STATES, Outcome, totals
from nndacss.operations.plans import Planned
from nndacss.operations.sizes import text as size_text

#: How a state looks, and what it means.
_LOOKS = {
    "done": ("green", "made by this run"),
    "skipped": ("dim", "nothing to do"),
    "failed": ("bold red", "no product; the reasons are below"),
    "unfinished": ("yellow", "not reached; the same command goes on"),
    "todo": ("cyan", "would be made"),
}
#: Columns of a log file or of a mail.
_WIDTH = 120
#: Lines of a table of reasons on the terminal; the report has all.
_LINES = 20


def console(*, error: bool = True) -> Console:
    """The terminal; elsewhere plain text, wide enough for a line a scene."""
    stream = sys.stderr if error else sys.stdout
    return Console(stderr=error, width=None if stream.isatty() else _WIDTH, highlight=False)


class Board:
    """Context manager that shows a batch as it goes on."""

    def __init__(self, total: int, report: Callable[[float, str], None]) -> None:
        """`report` is told the share of the scenes that are settled, and a sentence."""
        self._console, self._report = console(), report
        self._total, self._count, self._failed = total, 0, set[str]()
        self._bar: Progress | None = None

    def __enter__(self) -> Board:
        if self._console.is_terminal and self._total:
            columns = (
                TextColumn("scenes"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
                TextColumn("{task.fields[message]}"),
            )
            self._bar = Progress(*columns, console=self._console, transient=True)
            self._bar.add_task("scenes", total=self._total, message="")
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def say(self, message: str) -> None:
        """A line, with the time."""
        moment = f"{datetime.now():%H:%M:%S}"
        self._console.print(f"[dim]{moment}[/] {escape(message)}", soft_wrap=True)

    def happened(self, line: Mapping[str, Any]) -> None:
        """What a chunk told."""
        event = line.get("event")
        if event == "scene_done":
            self._settle(line["product"], "done", line["product"])
        elif event == "scene_failed":
            where = f"{line['product']} in {line['stage']}: {line['message']}"
            self._settle(line["product"], "failed", where)
        elif event in ("stage_started", "progress") and self._bar is not None:
            share = f" {line['fraction']:.0%}" if "fraction" in line else ""
            now = f"{line['stage']}{share} {line['scene']}"
            self._bar.update(self._bar.task_ids[0], message=now)

    def _settle(self, product: str, state: str, told: str) -> None:
        if product in self._failed:  # two stages of one scene may both say why
            return
        if state == "failed":
            self._failed.add(product)
        self._count += 1
        said = f"{self._count} of {self._total} scenes, {len(self._failed)} failed"
        self._report(self._count / self._total, said)
        if self._bar is not None:
            self._bar.advance(self._bar.task_ids[0])
        moment = f"{datetime.now():%H:%M:%S}"
        look, _ = _LOOKS[state]
        place = f"{self._count:>{len(str(self._total))}}/{self._total}"
        line = f"[dim]{moment} {place}[/] [{look}]{state:<6}[/] {escape(told)}"
        self._console.print(line, soft_wrap=True)


def show_plan(scenes: Sequence[Planned]) -> None:
    """What a run would do, a line a scene."""
    screen = console()
    for scene in scenes:
        look, _ = _LOOKS[scene.state]
        why = [scene.reason] if scene.reason else []
        if scene.state == "todo" and scene.other:
            why.insert(0, "made before with other settings, weights or inputs")
        state = {"todo": "to do"}.get(scene.state, scene.state)
        told = f"  [dim]{escape('; '.join(why))}[/]" if why else ""
        screen.print(f"[{look}]{state:<8}[/] {escape(scene.target)}{told}", soft_wrap=True)


def expected(scenes: Iterable[Planned], workers: int) -> str:
    """Scenes to do, and what they are expected to take, in one line."""
    todo = [scene for scene in scenes if scene.state == "todo"]
    seconds = sum(scene.seconds for scene in todo) / workers
    work, product = (sum(getattr(scene, name) for scene in todo) for name in ("work", "product"))
    return (
        f"{len(todo)} to do, about {duration(seconds)}, {size_text(product * 1e6)} of products and "
        f"{size_text(work * 1e6)} of work files"
    )


def show_outcomes(found: Sequence[Outcome], seconds: float) -> None:
    """Counts by state, then why scenes failed or were not reached."""
    screen = console()
    counts = totals(list(found))
    table = Table(show_header=False, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for state in STATES:
        if counts[state] or state in ("done", "failed"):
            look, meaning = _LOOKS[state]
            look = look if counts[state] else "dim"
            table.add_row(f"[{look}]{state}[/]", str(counts[state]), _more(state, found, meaning))
    screen.print()
    screen.print(f"[bold]{len(found)} scenes in {duration(seconds)}[/]")
    screen.print(table)
    wrong = [one for one in found if one.state in ("failed", "unfinished")]
    for one in wrong[:_LINES]:
        look, _ = _LOOKS[one.state]
        where = f" in {one.stage}" if one.stage else ""
        times = f", {one.attempts} times now" if one.attempts > 1 else ""
        head = f"[{look}]{one.state}[/]{where}{times}: {escape(one.planned.id)}"
        screen.print(f"\n{head}\n  {escape(one.reason)}", soft_wrap=True)
    if len(wrong) > _LINES:
        screen.print(f"\n... and {len(wrong) - _LINES} more: BatchReport lists all of them")
    screen.print()


def _more(state: str, found: Sequence[Outcome], meaning: str) -> str:
    mine = [one for one in found if one.state == state]
    if state == "done" and mine:
        return size_text(sum(one.megabytes for one in mine) * 1e6)
    if state == "skipped" and mine:
        reasons = [one.reason.split(",")[0].split(" /")[0] for one in mine]
        kinds = {reason: reasons.count(reason) for reason in dict.fromkeys(reasons)}
        listed = sorted(kinds.items(), key=lambda kind: -kind[1])[:3]
        return escape(", ".join(f"{count} {reason}" for reason, count in listed))
    return f"[dim]{meaning}[/]" if mine else ""


def duration(seconds: float) -> str:
    """Time for people.

    >>> duration(8.4), duration(75), duration(7300)
    ('8 s', '1 min 15 s', '2 h 1 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
