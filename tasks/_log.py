"""What happens, for machines: JSON lines with event, scene, stage and digest.

`[machine] log_json = FILE` (or `--machine-log-json FILE`, `-` for standard output) gets one line
for each thing that happens, beside the text on the terminal. Lines of several processes may mix in
one file: each is written at once, at its end.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import luigi

from nndacss.errors import OutputError, complain

#: Things that happen; they reach JSON logs and never the terminal.
events = logging.getLogger("nndacss.events")
events.setLevel(logging.INFO)
events.propagate = False
events.addHandler(logging.NullHandler())

_LUIGI = os.path.dirname(luigi.__file__)


class NoChatter(logging.Filter):
    """Leaves out what luigi says of its own doings, unless it is a warning."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is kept."""
        return record.levelno >= logging.WARNING or not record.pathname.startswith(_LUIGI)


def tell(event: str, message: str, level: int = logging.INFO, /, **fields: Any) -> None:
    """Something happened: a word for it, a sentence, and numbers and names."""
    events.log(level, "%s", message, extra={"fields": {"event": event, **fields}})


class JsonLines(logging.Handler):
    """Writes records as JSON, one a line, to a file descriptor."""

    def __init__(self, descriptor: int, common: Mapping[str, Any] | None = None) -> None:
        super().__init__(logging.INFO)
        self._descriptor = descriptor
        self._common = dict(common or {})

    def emit(self, record: logging.LogRecord) -> None:
        """One line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            "host": socket.gethostname(),
            "pid": record.process,
            **self._common,
            **getattr(record, "fields", {}),
        }
        self.write(line)

    def write(self, line: Mapping[str, Any]) -> None:
        """One line, as it is; a full disk or a closed pipe must not end the work."""
        with suppress(OSError):
            os.write(self._descriptor, (json.dumps(line, default=str) + "\n").encode())


def forward(line: Mapping[str, Any]) -> None:
    """A line that another process made, to this one's JSON logs."""
    for handler in events.handlers:
        if isinstance(handler, JsonLines):
            handler.write(line)


def attach(place: str) -> None:
    """Have events, and what this package logs, written to `place` from now on."""
    if not place or any(isinstance(handler, JsonLines) for handler in events.handlers):
        return
    try:
        descriptor = sys.stdout.fileno() if place == "-" else _opened(Path(place))
    except OSError as error:
        remedy = "correct [machine] log_json"
        found = error.strerror or str(error)
        raise OutputError(complain(place, found, "a file to append to", remedy)) from error
    listen(JsonLines(descriptor))


def listen(handler: JsonLines) -> None:
    """Have a handler told of events, and of what this package logs."""
    handler.addFilter(NoChatter())
    events.addHandler(handler)
    logging.getLogger("luigi-interface").addHandler(handler)


def _opened(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
