"""A page with what was rejected, and why: true colours beside the label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nndacss.clean.verdict import KEPT, REJECTED, Row
from nndacss.datasets.landcovernet import CODES
from nndacss.datasets.landcovernet_files import Archive
from nndacss.datasets.landcovernet_read import read_label, read_pixels
from nndacss.errors import DatasetError
from nndacss.identity import drafted
from nndacss.labels.land_cover import SCHEME
from nndacss.labels.sets import translate
from nndacss.landcovernet.names import BANDS
from nndacss.page import template
from nndacss.samples.show import css, data_url, painted, spread, true_colour

#: Bands of a picture, the first that are there: natural colours, or else one band in grey.
_NATURAL = ("B02", "B03", "B04")
#: Kept images beside the rejected ones, for comparison.
_KEPT = 12


@dataclass(frozen=True)
class Figure:
    """One image on the page."""

    row: Row
    colour: str
    """Data URL of the true colours, empty where they cannot be read."""
    label: str
    """Data URL of the label, likewise."""


def write_sheet(page: Path, rows: Sequence[Row], archive: Archive, pictures: int) -> None:
    """Write the page, whole or not at all; at most so many rejected images are pictured."""
    rejected = [row for row in rows if row.verdict == REJECTED]
    kept = [row for row in rows if row.verdict == KEPT]
    shown = [rejected[place] for place in spread(len(rejected), pictures)] if rejected else []
    some = [kept[place] for place in spread(len(kept), min(_KEPT, pictures))] if kept else []
    said = [row for row in rows if row.overruled]
    text = template("nndacss.clean", "sheet.html.j2").render(
        images=len(rows),
        kept=len(kept),
        rejected=len(rejected),
        overruled=said,
        legend=[
            {"name": name.replace("_", " "), "colour": css(colour)}
            for name, colour in zip(SCHEME.classes, SCHEME.colours, strict=True)
        ],
        groups=[
            {"title": "Rejected", "figures": [figure(row, archive) for row in shown]},
            {"title": "Kept, for comparison", "figures": [figure(row, archive) for row in some]},
        ],
    )
    with drafted(page) as draft:
        draft.write_text(text)


def figure(row: Row, archive: Archive) -> Figure:
    """The pictures of a row, as far as its files can be read."""
    image = archive.images.get(row.name)
    chip = image.chip if image is not None else row.name
    try:
        label, _ = read_label(archive.labels[chip])
        sets = translate(label.pixels[0], dict.fromkeys(range(256), 0) | CODES, chip)
        drawn = data_url(painted(sets, SCHEME)[::2, ::2])
    except (DatasetError, KeyError):
        return Figure(row, "", "")
    if image is None:
        return Figure(row, "", drawn)
    bands = [band for band in _NATURAL if band in image.files]
    bands = bands if len(bands) == len(_NATURAL) else [b for b in BANDS if b in image.files][:1]
    try:
        pixels = read_pixels(image, bands, label)
    except DatasetError:
        return Figure(row, "", drawn)
    roles = [BANDS[band] for band in bands]
    return Figure(row, data_url(np.ascontiguousarray(true_colour(pixels, roles)[::2, ::2])), drawn)
