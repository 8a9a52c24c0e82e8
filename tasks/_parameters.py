"""Parameters that luigi lacks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import luigi

from nndacss.errors import SettingsError, complain


def check_local(place: str) -> None:
    """SettingsError for an address where only a folder of this machine will do."""
    if "://" in place:
        expected = "a folder of this machine"
        remedy = (
            "write it here and copy it; AdaptScene and ReprocessScenes go to a store themselves"
        )
        raise SettingsError(complain(place, "an object store", expected, remedy))


class SetParameter(luigi.Parameter[tuple[str, ...]]):
    """`--set section.key=value`, given as often as needed; kept as a tuple of strings."""

    @classmethod
    def _parser_kwargs(cls, param_name: str, task_name: str | None = None) -> dict[str, Any]:
        plain = super()._parser_kwargs(param_name, task_name)  # type: ignore[no-untyped-call]
        return {**plain, "action": "append"}

    def parse(self, x: str | Sequence[str]) -> tuple[str, ...]:
        """From the command line (a list) or from luigi (one string, one setting a line)."""
        lines = x.splitlines() if isinstance(x, str) else x
        return tuple(line for line in lines if line.strip())

    def serialize(self, x: Sequence[str]) -> str:
        """One setting a line."""
        return "\n".join(x)
