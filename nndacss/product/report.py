"""The report: `report.json` holds every number, `report.html` shows them and the pictures.

One file, no outside address: it opens from a memory stick. The page is rendered from exactly the
dictionary that `report.json` holds; each number in it carries its key (`<data data-key=...>`), so
a test can compare the two. What differs between runs (times) stands between `volatile` comments.
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray
from PIL import Image

from nndacss.identity import drafted
from nndacss.page import template
from nndacss.product import charts
from nndacss.product.quicklook import Picture
from nndacss.product.sheets import Label

#: What shows through where a picture has no data.
PAPER = (233, 230, 222)
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
VOLATILE = ("<!--volatile-->", "<!--/volatile-->")


def render(numbers: Mapping[str, Any], pictures: Mapping[str, str]) -> str:
    """The page. `pictures` are data URIs by name; absent ones are left out of the page."""
    top = charts.axis_top(numbers["histograms"])
    curves = {
        role: Markup(charts.histogram(role, counts, numbers["histograms"], top))
        for role, counts in numbers["histograms"]["bands"].items()
    }

    def number(key: str, form: str = "{}", factor: float = 1.0) -> Markup:
        return _number(numbers, key, form, factor)

    page = template("nndacss.product", "report.html.j2")
    return page.render(
        **numbers,
        n=number,
        curves=curves,
        pictures={k: Markup(v) for k, v in pictures.items()},
        size=_size,
        colours=charts.COLOURS,
        date=_date(numbers["product"]["acquired"]),
    )


def _number(numbers: Mapping[str, Any], key: str, form: str, factor: float) -> Markup:
    """A value of the report by its dotted key, formatted, with the exact value beside it."""
    value: Any = numbers
    for part in key.split("."):
        value = value[int(part)] if isinstance(value, list) else value[part]
    if value is None:
        return Markup('<span class="none">none</span>')
    shown = form.format(value * factor if factor != 1 else value)
    shown = shown.replace("-", "\N{MINUS SIGN}") if not isinstance(value, str) else shown
    return Markup('<data data-key="{}" value="{}">{}</data>').format(key, repr(value), shown)


def _date(moment: str) -> str:
    """The day in words.

    >>> _date("2026-04-05T10:10:00+00:00")
    '5 April 2026'
    """
    day = datetime.fromisoformat(moment)
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def _size(count: int) -> str:
    """Bytes for people.

    >>> _size(999), _size(1234567)
    ('999 B', '1.2 MB')
    """
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} B"


def photo(picture: Picture) -> str:
    """A picture as a JPEG data URI, on the page's own grey where there is no data."""
    alpha = picture[..., 3:].astype(np.float32) / 255
    flat = picture[..., :3] * alpha + np.array(PAPER, dtype=np.float32) * (1 - alpha)
    image = Image.fromarray(np.rint(flat).astype(np.uint8))
    stream = io.BytesIO()
    image.save(stream, format="JPEG", quality=86, subsampling=0, optimize=True)
    return _uri("jpeg", stream)


def sheet_of(codes: NDArray[np.uint8], label: Label) -> str | None:
    """One class as a see-through PNG data URI; None where it is everywhere or nowhere."""
    where = codes == label.value
    if where.all() or not where.any():
        return None
    image = Image.fromarray(where.astype(np.uint8), mode="P")
    image.putpalette([*(0, 0, 0), *label.colour])
    stream = io.BytesIO()
    image.save(stream, format="PNG", optimize=True, transparency=0, bits=1)
    return _uri("png", stream)


def _uri(kind: str, stream: io.BytesIO) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(stream.getvalue()).decode()}"


def write_json(value: Mapping[str, Any], path: Path) -> None:
    """JSON with sorted keys, whole or not at all."""
    with drafted(path) as draft:
        text = json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
        draft.write_text(text + "\n", encoding="utf-8")


def write_text(text: str, path: Path) -> None:
    """Text, whole or not at all."""
    with drafted(path) as draft:
        draft.write_text(text, encoding="utf-8")
