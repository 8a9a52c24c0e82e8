"""The page and its numbers: one HTML file without outside addresses, and JSON beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from nndacss.identity import drafted
from nndacss.page import template
from nndacss.simulate.check.parts import Part


def render(parts: Sequence[Part], facts: Mapping[str, str]) -> str:
    """The page; `facts` are shown at its top."""
    tables = [table for part in parts for table in part.tables if table.agrees is not None]
    return template("nndacss.simulate.check", "page.html.j2").render(
        parts=parts,
        facts=facts,
        judged=len(tables),
        good=sum(bool(table.agrees) for table in tables),
        markup=Markup,
    )


def save(parts: Sequence[Part], facts: Mapping[str, str], path: Path) -> Path:
    """Write the page to `path` and its numbers beside it, each whole or not at all.

    Returns the path of the numbers.
    """
    numbers = path.with_suffix(".json")
    held = {
        "facts": dict(facts),
        "parts": {
            part.title: {
                "numbers": part.numbers,
                "missing": part.missing,
                "verdicts": {
                    table.title: {"agrees": table.agrees, "words": table.verdict}
                    for table in part.tables
                },
            }
            for part in parts
        },
    }
    with drafted(numbers) as draft:
        text = json.dumps(plain(held), indent=1, ensure_ascii=False, allow_nan=False)
        draft.write_text(text + "\n", encoding="utf-8")
    with drafted(path) as draft:
        draft.write_text(render(parts, facts), encoding="utf-8")
    return numbers


def plain(value: Any) -> Any:
    """The same as JSON knows it: floats of five digits, NaN as null.

    >>> plain({"a": (float("nan"), 0.1234567)})
    {'a': [None, 0.12346]}
    """
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    if isinstance(value, (float, np.floating)):
        return float(f"{value:.5g}") if np.isfinite(value) else None
    return value
