"""Entries of a config that name data: `[[samples.datasets]]`, `[[pairs.sources]]` and their like.

An entry's `kind` chooses a class, a subclass of `Origin`; all keys that the entry does not know
are that class's options. A recipe holds the options but the paths, and a fingerprint of the
content: the same files elsewhere make the same thing. Light, for the scheduler's process.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ConfigDict, Field, ValidationError

from nndacss.errors import DatasetError, SettingsError, complain
from nndacss.identity import digest
from nndacss.settings import Settings, wanted


class Origin(Settings):
    """Where data come from, an archive or a generator; fields of a subclass are its options.

    Options of type `Path` are places: they never enter a recipe.
    """

    def places(self) -> dict[str, str]:
        """Options that are paths, as absolute paths: where the data lie on this machine."""
        return {key: str(value.resolve()) for key, value in self if isinstance(value, Path)}

    def options(self) -> dict[str, Any]:
        """The other options that differ from their default, as plain JSON types."""
        return {key: value for key, value in self.changed().items() if key not in self.places()}

    @abstractmethod
    def names(self) -> Sequence[str]:
        """All images or other units of it, sorted; DatasetError where the data are not there."""

    @abstractmethod
    def fingerprint(self) -> Mapping[str, Any]:
        """What decides the content, as JSON: names and sizes of files, or a generator's options.

        Never a path, host or time.
        """


Kind = TypeVar("Kind", bound=Origin)


class Entry(Settings):
    """One archive or generator; all further keys are options of its kind and checked by it."""

    model_config = ConfigDict(frozen=True, extra="allow")

    kind: str
    """Which class."""
    name: str = Field(default="", pattern="^[A-Za-z0-9_-]*$")
    """What its data are called in the store; default: the kind. Unique."""

    @property
    def title(self) -> str:
        """The name, or the kind where none is given."""
        return self.name or self.kind

    @property
    def options(self) -> dict[str, Any]:
        """The keys for the origin itself."""
        return dict(self.model_extra or {})


def build(entry: Entry, kind: type[Kind], table: str, location: Mapping[str, str] | None) -> Kind:
    """The origin of an entry of `[[table]]`; SettingsError names the entry and the wrong option.

    `location` is an order's, see `located`, where the paths are not in the entry.
    """
    prefix = f"{entry.title}."
    places = {
        k.removeprefix(prefix): v for k, v in (location or {}).items() if k.startswith(prefix)
    }
    try:
        return kind.model_validate(entry.options | places)
    except ValidationError as error:
        subject = f"[[{table}]] {entry.title}"
        raise SettingsError(_complaint(subject, kind, error)) from error


def stated(entry: Entry, origin: Origin) -> dict[str, Any]:
    """An entry for a recipe: without its paths and defaults."""
    own = entry.model_dump(include=set(type(entry).model_fields), exclude_defaults=True)
    return {**own, **origin.options()}


def located(origins: Mapping[str, Origin]) -> dict[str, str]:
    """The places of some origins, for an order: `<title>.<option>` -> path."""
    return {
        f"{title}.{key}": path
        for title, origin in origins.items()
        for key, path in origin.places().items()
    }


def fingerprint(origin: Origin) -> str:
    """sha256 hex of what decides an origin's content."""
    return digest(origin.fingerprint())


def check_unchanged(title: str, origin: Origin, planned: str) -> None:
    """DatasetError where the content is no longer what it was when a recipe was made."""
    if fingerprint(origin) != planned:
        found = "other files than when the task was planned"
        places = ", ".join(origin.places().values()) or title
        raise DatasetError(complain(places, found, "the same", "run the task again"))


def _complaint(subject: str, kind: type[Origin], error: ValidationError) -> str:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    known = ", ".join(kind.model_fields)
    if first["type"] == "extra_forbidden":
        return complain(subject, f"unknown option {key}", f"one of {known}", "correct the name")
    if first["type"] == "missing":
        return complain(subject, f"no {key}", f"options {known}", f"add {key} = ...")
    found = f"{key} = {first['input']!r}" if key else "options that do not go together"
    return complain(subject, found, wanted(first["msg"]), "correct the value")
