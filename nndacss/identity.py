"""What makes two results the same: canonical JSON, digests, recipes.

A result is named `<scene or model>_<digest8>`. The digest is the sha256 of the canonical JSON of
its recipe: stage, the stage's VERSION, its own settings that differ from the default, the
digests of its inputs, the sha256 of its weights, precision. Time, path, host, device, executor
and thread count never enter.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from nndacss.errors import OutputError, SettingsError, complain


def canonical(value: Any) -> str:
    """JSON with sorted keys, no spaces, no NaN: one text per value.

    >>> canonical({"b": 1.0, "a": (1, 2)})
    '{"a":[1,2],"b":1.0}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(value: Any) -> str:
    """sha256 hex of the canonical JSON."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


@dataclass(frozen=True)
class Recipe:
    """All that decides a stage's pixels."""

    stage: str
    """The folder in `nndacss` that does the work."""
    version: int
    """The stage's VERSION, raised when its pixels change."""
    settings: Mapping[str, Mapping[str, Any]]
    """Per settings section, the values that differ from the default."""
    inputs: Mapping[str, str]
    """Name -> digest of each input."""
    level: str | None = None
    """`TOA` or `SR`, where the stage works on one scene."""
    weights: str | None = None
    """sha256 from the weights' card."""
    precision: str | None = None
    """`float32`, `bf16`, ... where a network runs."""

    @property
    def digest(self) -> str:
        """sha256 hex, the identity of what this recipe makes.

        What does not apply (None) is left out, so that a field that some later stage needs does
        not rename what was made before.
        """
        return digest({key: value for key, value in asdict(self).items() if value is not None})


@dataclass(frozen=True)
class Order:
    """A recipe with what a machine needs to carry it out; only the recipe is identity."""

    recipe: Recipe
    name: str
    """Scene or model, the readable half of the target's name."""
    location: Mapping[str, str] = field(default_factory=dict)
    """Where foreign inputs lie on this machine, e.g. `{"scene": "/data/LC08_..."}`, and on which
    `device` to compute, where the user said."""

    @property
    def target(self) -> str:
        """`<scene or model>_<digest8>`."""
        return f"{self.name}_{self.recipe.digest[:8]}"

    def save(self, work: Path) -> Path:
        """Write to `<work>/recipes/<digest>.json`, whole or not at all; returns that path."""
        path = recipe_path(work, self.recipe.digest)
        text = json.dumps({"digest": self.recipe.digest, **asdict(self)}, indent=2, sort_keys=True)
        if path.exists() and path.read_text() == text:
            return path
        with drafted(path) as draft:
            draft.write_text(text)
        return path


def recipe_path(work: Path, digest_: str) -> Path:
    """`<work>/recipes/<digest>.json`."""
    return work / "recipes" / f"{digest_}.json"


def load_order(path: Path) -> Order:
    """Read what `Order.save` wrote; SettingsError where it is no recipe or was altered."""
    try:
        data = json.loads(path.read_text())
        order = Order(Recipe(**data["recipe"]), data["name"], data["location"])
        stated = data["digest"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        found = f"no readable recipe ({type(error).__name__}: {error})"
        remedy = "run the task that makes it again"
        raise SettingsError(complain(path, found, "a recipe written by a task", remedy)) from error
    if stated != order.recipe.digest:
        found = f"digest {order.recipe.digest[:8]}"
        remedy = "recipes are not edited: change the settings and run again"
        raise SettingsError(complain(path, found, f"{stated[:8]}, as it says", remedy))
    return order


@contextmanager
def drafted(path: Path) -> Iterator[Path]:
    """A draft beside `path` that takes its place when the block ends well, else vanishes.

    The draft's name carries host, pid and a random part and keeps the suffix (GDAL and numpy
    look at it). Two writers of one path are harmless: the last one wins, both are whole.
    """
    tag = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    draft = path.with_name(f".draft-{tag}-{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield draft
        os.replace(draft, path)
    except OutputError:  # of a draft inside this one: said already
        raise
    except OSError as error:
        raise OutputError(complain(path, _reason(error), "a writable place", _REMEDY)) from error
    finally:
        with suppress(OSError):  # a read-only system refuses it even where there is no draft
            draft.unlink()


_REMEDY = "free disk space or choose another folder, and run again: finished parts are kept"


def _reason(error: OSError) -> str:
    return f"{error.strerror or error} while writing"
