"""Progress in the console: a bar on a terminal, a line every tenth elsewhere."""

from __future__ import annotations

import logging
import sys
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

log = logging.getLogger("luigi-interface")


class Progress:
    """Context manager that shows how far one stage is."""

    def __init__(self, title: str, **about: Any) -> None:
        """`about` goes to JSON logs along with the fraction."""
        self._title = title
        self._about = about
        self._tenth = -1
        self._bar: Bar | None = None

    def __enter__(self) -> Progress:
        if sys.stderr.isatty():
            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.percentage:3.0f} %"),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
                TextColumn("{task.fields[message]}"),
            )
            self._bar = Bar(*columns, console=Console(stderr=True), transient=True)
            self._bar.add_task(self._title, total=1.0, message="")
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

    def update(self, fraction: float, message: str) -> None:
        """Show `fraction` (0..1) and what is being done."""
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=fraction, message=message)
        elif int(fraction * 10) > self._tenth:
            self._tenth = int(fraction * 10)
            about = {"event": "progress", "fraction": round(fraction, 3), **self._about}
            extra = {"fields": about}
            log.info("%s: %d %%, %s", self._title, round(100 * fraction), message, extra=extra)
