"""Settings: TOML files, one section a stage, each section's class in that stage's folder.

`load_settings` reads a file (or none), applies `section.key=value` overrides and gives typed,
frozen settings; an unknown section or key is an error that lists the known ones. A stage's
`settings.py` exports `SETTINGS` (a `Settings` class) and `VERSION`.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

import nndacss
from nndacss.errors import SettingsError, complain


class Settings(BaseModel):
    """Base of all sections: immutable, unknown keys forbidden."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def changed(self) -> dict[str, Any]:
        """The values that differ from the default, as plain JSON types."""
        return self.model_dump(mode="json", exclude_defaults=True)


@cache
def sections() -> dict[str, type[Settings]]:
    """Section name -> its class: every package of the library that has a `settings` module."""
    found = {}
    for package in pkgutil.iter_modules(nndacss.__path__):
        if package.ispkg and importlib.util.find_spec(f"nndacss.{package.name}.settings"):
            module = importlib.import_module(f"nndacss.{package.name}.settings")
            found[package.name] = module.SETTINGS
    return found


def version(stage: str) -> int:
    """The VERSION of a stage."""
    number: int = importlib.import_module(f"nndacss.{stage}.settings").VERSION
    return number


def load_settings(config: Path | None, overrides: Sequence[str] = ()) -> dict[str, Settings]:
    """All sections, from a TOML file and `section.key=value` overrides (these win).

    A key of a table in a section is `section.table.key`.

    An override's value is read as TOML (`true`, `0.5`, `["blue", "red"]`), or else as a plain
    string, so that `tile.grid=landsat` needs no quotes.
    """
    table, source = read_table(config, overrides)
    return build(table, source)


def read_table(
    config: Path | None, overrides: Sequence[str] = ()
) -> tuple[dict[str, dict[str, Any]], str]:
    """The file's sections with the overrides in them, not checked yet, and how errors call them."""
    table = _read(config) if config else {}
    source = str(config) if config else "--set"
    for override in overrides:
        names, value = _split(override)
        place = table
        for name in names[:-1]:
            place = place.setdefault(name, {})
            if not isinstance(place, dict):
                raise SettingsError(f"{source}: {name} is a value; expected a section [{name}]")
        place[names[-1]] = value
        source = "--set" if not config else f"{config} with --set"
    return table, source


def build(table: Mapping[str, Any], source: str) -> dict[str, Settings]:
    """All sections of a table, typed; SettingsError names `source`, the key and what is known."""
    unknown = sorted(set(table) - set(sections()))
    if unknown:
        expected = f"one of [{'], ['.join(sections())}]"
        remedy = "correct the name or remove the section"
        raise SettingsError(complain(source, f"section [{unknown[0]}]", expected, remedy))
    return {
        name: _build(cls, table.get(name, {}), name, source) for name, cls in sections().items()
    }


def restore(changed: Mapping[str, Mapping[str, Any]], section: str) -> Settings:
    """A section as a recipe holds it: its changed values over today's defaults."""
    return _build(sections()[section], dict(changed.get(section, {})), section, "recipe")


def _read(config: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(config.read_text())
    except OSError as error:
        remedy = "check the path given as --config"
        raise SettingsError(complain(config, str(error.strerror), "a TOML file", remedy)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(complain(config, str(error), "valid TOML", "correct it")) from error


def _split(override: str) -> tuple[list[str], Any]:
    """Names from the section down to the key, and the value."""
    name, equals, text = override.partition("=")
    names = name.strip().split(".")
    if not equals or len(names) < 2 or not all(names):
        remedy = "write for example --set tile.grid=landsat"
        raise SettingsError(complain("--set", repr(override), "section.key=value", remedy))
    try:
        return names, tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return names, text.strip()


def _build(cls: type[Settings], table: Any, section: str, source: str) -> Settings:
    if not isinstance(table, dict):
        raise SettingsError(f"{source}: {section} is a value; expected a section [{section}]")
    try:
        return cls.model_validate(table)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join([section, *(str(part) for part in first["loc"])])
        if first["type"] == "extra_forbidden":
            known = ", ".join(sorted(cls.model_fields))
            message = complain(source, f"unknown key {key}", f"one of {known}", "correct the name")
        else:
            found = f"{key} = {first['input']!r}"
            message = complain(source, found, wanted(first["msg"]), "correct the value")
        raise SettingsError(message) from error


def wanted(message: str) -> str:
    """What pydantic says of a value, without what stands before it in each such sentence.

    >>> wanted("Value error, zoom must be above 0"), wanted("Input should be greater than 0")
    ('zoom must be above 0', 'greater than 0')
    """
    return message.removeprefix("Value error, ").removeprefix("Input should be ")
