"""A page that shows what a store holds: `python -m nndacss.samples.show samples.h5 page.html`.

Self-contained: counts and class shares per dataset, and for some samples of each the true colours
beside the label sets.
"""

from __future__ import annotations

import base64
import io
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nndacss.identity import drafted
from nndacss.labels import Scheme
from nndacss.labels.sets import Sets
from nndacss.page import show_store, template
from nndacss.plugins import load
from nndacss.raster import Pixels
from nndacss.samples.layout import Record
from nndacss.samples.store import SampleStore

#: Pictures of a dataset.
PICTURES = 24
#: Least reflectance that is white; a brighter sample is white at its 98th percentile.
WHITE = 0.35
GAMMA = 0.6
_UNLABELLED = (232, 229, 220)
_MISSING = (255, 255, 255)


@dataclass(frozen=True)
class Picture:
    """One sample on the page."""

    record: Record
    colour: str
    """Data URL of the true colours."""
    labels: str
    """Data URL of the label sets."""
    shares: str
    """Which sets it shows, in words."""


def show(store: SampleStore, page: Path) -> None:
    """Write the page, whole or not at all."""
    scheme: Scheme = load("labels", store.scheme)
    totals: Counter[int] = Counter()
    groups = [group(store, title, scheme, totals) for title in titles(store)]
    text = template("nndacss.samples", "show.html.j2").render(
        store=store,
        scenes=len({record.scene for record in store.records}),
        megabytes=store.path.stat().st_size / 1e6,
        digest=str(store.header.recipe.get("digest", ""))[:8],
        groups=groups,
        legend=[
            {"name": set_name(value, scheme), "colour": css(set_colour(value, scheme))}
            for value in sorted(totals, key=lambda value: (bin(value).count("1"), value))
        ],
        roles=", ".join(store.roles),
    )
    with drafted(page) as draft:
        draft.write_text(text)


def titles(store: SampleStore) -> list[str]:
    """Datasets, in the order of the store."""
    return list(dict.fromkeys(record.dataset for record in store.records))


def group(store: SampleStore, title: str, scheme: Scheme, totals: Counter[int]) -> dict[str, Any]:
    """What the page says of one dataset; adds the pixels of each set to `totals`."""
    indexes = [i for i, record in enumerate(store.records) if record.dataset == title]
    records = [store.records[i] for i in indexes]
    counts: Counter[int] = Counter()
    for index in indexes:
        values, numbers = np.unique(store.read_raw(index)[1], return_counts=True)
        counts.update(dict(zip(values.tolist(), numbers.tolist(), strict=True)))
    totals.update(counts)
    everything = sum(counts.values())
    chosen = [indexes[i] for i in spread(len(indexes), PICTURES)]
    return {
        "title": title,
        "samples": len(records),
        "images": len({record.name for record in records}),
        "scenes": len({record.scene for record in records}),
        "what": sorted({f"{r.sensor} {r.level} {r.metres:g} m" for r in records}),
        "shares": [
            {
                "name": set_name(value, scheme),
                "colour": css(set_colour(value, scheme)),
                "percent": 100 * number / everything,
                "pixels": number,
            }
            for value, number in counts.most_common()
        ],
        "pictures": [picture(store, index, scheme) for index in chosen],
    }


def spread(count: int, most: int) -> list[int]:
    """At most `most` of `count` places, evenly spread.

    >>> spread(10, 4)
    [0, 2, 5, 7]
    """
    return [place * count // min(count, most) for place in range(min(count, most))]


def picture(store: SampleStore, index: int, scheme: Scheme) -> Picture:
    """One sample as two pictures."""
    pixels, sets = store.read(index)
    values, numbers = np.unique(sets, return_counts=True)
    order = np.argsort(-numbers)
    words = (f"{set_name(int(values[i]), scheme)} {numbers[i] / sets.size:.1%}" for i in order)
    return Picture(
        record=store.records[index],
        colour=data_url(true_colour(pixels, store.roles)),
        labels=data_url(painted(sets, scheme)),
        shares=" · ".join(words),
    )


def true_colour(pixels: Pixels, roles: Sequence[str]) -> NDArray[np.uint8]:
    """(rows, columns, 3); the first band in grey where there is no red, green and blue."""
    natural = ("red", "green", "blue")
    wanted = natural if set(natural) <= set(roles) else (roles[0],) * 3
    bands = np.stack([pixels[roles.index(role)] for role in wanted], axis=2)
    seen = bands[~np.isnan(bands)]
    white = max(WHITE, float(np.percentile(seen, 98))) if seen.size else WHITE
    bright = np.clip(np.nan_to_num(bands) / white, 0, 1) ** GAMMA
    colours: NDArray[np.uint8] = np.rint(255 * bright).astype(np.uint8)
    colours[np.isnan(bands).any(axis=2)] = _MISSING
    return colours


def painted(sets: Sets, scheme: Scheme) -> NDArray[np.uint8]:
    """(rows, columns, 3): a set of one class in its colour, of several in a pale mixture."""
    result = np.zeros((*sets.shape, 3), dtype=np.uint8)
    for value in np.unique(sets):
        result[sets == value] = set_colour(int(value), scheme)
    return result


def set_colour(value: int, scheme: Scheme) -> tuple[int, int, int]:
    """Red, green, blue of a set."""
    members = list(_members(value, scheme))
    if not members:
        return _UNLABELLED
    mean = np.mean([scheme.colours[code] for code in members], axis=0)
    pale = mean if len(members) == 1 else 0.5 * mean + 0.5 * 255
    red, green, blue = (round(float(channel)) for channel in pale)
    return red, green, blue


def set_name(value: int, scheme: Scheme) -> str:
    """A set in words.

    >>> from nndacss.labels.climate import SCHEME
    >>> set_name(5, SCHEME), set_name(0, SCHEME)
    ('clear or snow', 'unlabelled')
    """
    return " or ".join(scheme.classes[code] for code in _members(value, scheme)) or "unlabelled"


def css(colour: tuple[int, int, int]) -> str:
    """A colour as `#rrggbb`."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


def data_url(colours: NDArray[np.uint8]) -> str:
    """A PNG inside the page."""
    buffer = io.BytesIO()
    Image.fromarray(colours).save(buffer, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def _members(value: int, scheme: Scheme) -> Iterator[int]:
    return (code for code in range(len(scheme.classes)) if value >> code & 1)


def main(argv: Sequence[str] | None = None) -> int:
    """Write a store's page; 1 and one line on standard error where that cannot be done."""
    return show_store(SampleStore, show, SampleStore.noun, argv)


if __name__ == "__main__":
    sys.exit(main())
