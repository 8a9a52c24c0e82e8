"""Why a scene failed: `<work>/failures/<scene>_<digest8>.json`, removed when it succeeds."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from nndacss.identity import drafted

#: What a record is cut to: an error is one line, a foreign traceback is not kept.
_LONGEST = 2000


@dataclass(frozen=True)
class Failure:
    """The last failure of one target."""

    target: str
    """`<scene>_<digest8>` of the product that was to be made."""
    scene: str
    digest: str
    """Of the product's recipe; empty where the scene could not be planned."""
    stage: str
    """Where it failed: `plan`, `fetch`, `acquire`, `mask`, `harmonize`, `product`."""
    reason: str
    """One line."""
    place: str = ""
    """Where the scene lies, or its id where it is in an archive."""
    settings: str = ""
    """Digest of the settings it was to be made with."""
    batch: str = ""
    """The run in which it failed."""
    time: str = ""
    """UTC."""
    host: str = ""
    attempts: int = 1
    """Runs in which it failed, one after the other."""
    since: str = ""
    """UTC, of the first of them."""


def folder(work: Path) -> Path:
    """Where the records are."""
    return work / "failures"


def now() -> str:
    """This moment, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def keep(work: Path, failure: Failure) -> Failure:
    """Write a record; it counts the runs in which the target failed one after the other."""
    before = load(work, failure.target)
    moment = failure.time or now()
    attempts, since = failure.attempts, moment
    if before is not None:
        attempts = before.attempts + (before.batch != failure.batch)
        since = before.since
    reason = " ".join(failure.reason.split())[:_LONGEST]
    changed = {"time": moment, "attempts": attempts, "since": since, "reason": reason}
    kept = Failure(**{**asdict(failure), **changed})
    with drafted(_path(work, failure.target)) as draft:
        draft.write_text(json.dumps(asdict(kept), indent=1, sort_keys=True))
    return kept


def load(work: Path, target: str) -> Failure | None:
    """The record of a target, where there is one that can be read."""
    return _read(_path(work, target))


def load_all(work: Path) -> Iterator[Failure]:
    """All records, by target."""
    for path in sorted(folder(work).glob("[!.]*.json")):
        found = _read(path)
        if found is not None:
            yield found


def settle(work: Path, places: Collection[str], settings: str) -> None:
    """Forget the failures of scenes that are made by now with the same settings.

    A scene that was damaged and is delivered anew has another digest, and so another target.
    """
    for record in list(load_all(work)):
        if record.settings == settings and record.place in places:
            remove(work, record.target)


def remove(work: Path, target: str) -> None:
    """Forget a target's failure."""
    _path(work, target).unlink(missing_ok=True)


def _path(work: Path, target: str) -> Path:
    return folder(work) / f"{target}.json"


def _read(path: Path) -> Failure | None:
    try:
        return Failure(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None
