"""A contact sheet: what each mode makes of real samples, for a person to judge.

    python -m nndacss.inpaint.sheet samples.h5 bank.h5 sheet.html        or sheet.png
        --modes duplicate shadow_for_cloud --rows 3 --renderer network --realism

One row a sample: as it is, its labels, the labels after painting, painted, and the difference
(grey is none, brighter is brighter). With `--realism` the page also says how well a small network
tells real clouds from painted ones, and how band statistics inside them compare, see
`nndacss.inpaint.realism`.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from nndacss.errors import DatasetError, NndacssError, complain
from nndacss.identity import drafted
from nndacss.inpaint.bank import MaskBank
from nndacss.inpaint.modes import MODES, content
from nndacss.inpaint.networks import open_networks
from nndacss.inpaint.options import NAMES, PaintOptions
from nndacss.inpaint.painter import FREE, LEAST_GROUND, Painted, Painter, Patch
from nndacss.inpaint.precedence import GROUND
from nndacss.inpaint.realism import Realism, realism
from nndacss.labels import Scheme
from nndacss.page import template
from nndacss.plugins import load
from nndacss.raster import Pixels
from nndacss.samples.show import css, data_url, set_colour, set_name, true_colour
from nndacss.samples.show import painted as coloured
from nndacss.samples.store import SampleStore
from nndacss.train.draws import seeded

Colours = NDArray[np.uint8]

#: Change of reflectance that is shown white, or black.
CHANGE = 0.4
#: Tries of other chance for a sample before another one is taken: a draw may fall outside.
_TRIES = 4
_GAP, _LINE = 6, 16


@dataclass(frozen=True)
class Row:
    """One sample of the sheet."""

    mode: str
    caption: str
    pictures: tuple[Colours, ...]
    """As it is, its labels, labels after, painted, difference; (rows, columns, 3) each."""


def sheet(
    store: SampleStore, painter: Painter, modes: Sequence[str], rows: int, seed: int
) -> Iterator[Row]:
    """Rows of each mode, of samples that suit it, spread over the store.

    A mode that suits no sample has no row.
    """
    for mode in modes:
        own = () if mode == FREE else (mode,)
        one = Painter(
            painter.bank, painter.settings.model_copy(update={"modes": own}), painter.networks
        )
        suited = [index for index in range(len(store)) if _suits(store, index, mode)]
        order = seeded("sheet", seed, mode).permutation(len(suited))
        found = 0
        for index in (suited[place] for place in order):
            row = _row(store, index, one, mode, seed)
            if row is not None and found < rows:
                found += 1
                yield row
            if found >= rows:
                break


def _suits(store: SampleStore, index: int, mode: str) -> bool:
    _, sets = store.read_raw(index)
    ground = (sets & GROUND != 0).mean() >= LEAST_GROUND
    return bool(ground) and (mode == FREE or not MODES[mode].unfit(content(sets)))


def _row(store: SampleStore, index: int, painter: Painter, mode: str, seed: int) -> Row | None:
    """None where no try has changed at least a hundredth of the sample."""
    pixels, sets = store.read(index)
    record = store.records[index]
    patch = Patch(pixels, sets, store.roles, record.metres, record.sun, record.level)
    for attempt in range(_TRIES):
        (done,) = painter.paint_batch([patch], [seeded("sheet", seed, mode, index, attempt)])
        if (done.sets != sets).mean() > 0.01:
            scheme = load("labels", store.scheme)
            return Row(
                mode, _caption(record.name, done), pictures(patch, done, store.roles, scheme)
            )
    return None


def _caption(name: str, done: Painted) -> str:
    sun = done.geometry
    where = (
        f", sun {sun.sun_elevation:.0f}° {sun.sun_azimuth:.0f}° ({done.sun_from})" if sun else ""
    )
    return f"{name}{where}; {', '.join(done.story)}"


def pictures(
    patch: Patch, done: Painted, roles: Sequence[str], scheme: Scheme
) -> tuple[Colours, ...]:
    """The five pictures of a row; both images are shown at one brightness."""
    both = np.concatenate([patch.pixels, done.pixels], axis=2)
    before, after = np.split(true_colour(both, roles), 2, axis=1)
    return (
        before,
        coloured(patch.sets, scheme),
        coloured(done.sets, scheme),
        after,
        difference(patch.pixels, done.pixels, roles),
    )


def difference(before: Pixels, after: Pixels, roles: Sequence[str]) -> Colours:
    """(rows, columns, 3) change of red, green, blue, or of the first band; grey is none."""
    natural = ("red", "green", "blue")
    bands = [roles.index(role) for role in natural] if set(natural) <= set(roles) else [0] * 3
    change = np.nan_to_num(after[bands] - before[bands])
    shown = np.rint(np.clip(127.5 + 127.5 * change / CHANGE, 0, 255))
    return np.ascontiguousarray(np.moveaxis(shown, 0, 2)).astype(np.uint8)


def png(rows: Sequence[Row]) -> bytes:
    """All rows as one picture with captions."""
    side = max(picture.shape[1] for row in rows for picture in row.pictures)
    high = max(picture.shape[0] for row in rows for picture in row.pictures)
    width = 5 * side + 4 * _GAP
    image = Image.new("RGB", (width, len(rows) * (high + _LINE + _GAP)), (255, 255, 255))
    draw = ImageDraw.Draw(image)
    for number, row in enumerate(rows):
        top = number * (high + _LINE + _GAP)
        draw.text((2, top + 2), f"{row.mode}: {row.caption}"[: width // 6], fill=(0, 0, 0))
        for place, picture in enumerate(row.pictures):
            image.paste(Image.fromarray(picture), (place * (side + _GAP), top + _LINE))
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def html(rows: Sequence[Row], store: SampleStore, told: Realism | None, renderer: str) -> str:
    """The page."""
    scheme: Scheme = load("labels", store.scheme)
    single = [1 << code for code in range(len(scheme.classes))]
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        strip = {"caption": row.caption, "pictures": [data_url(one) for one in row.pictures]}
        groups.setdefault(row.mode, []).append(strip)
    return template("nndacss.inpaint", "sheet.html.j2").render(
        store=store,
        renderer=renderer,
        groups=groups,
        realism=told,
        legend=[
            {"name": set_name(value, scheme), "colour": css(set_colour(value, scheme))}
            for value in single
        ],
    )


def main(argv: Sequence[str] | None = None) -> int:
    """The command; 0, or 1 with one line on standard error."""
    asked = _parser().parse_args(argv)
    try:
        _write(asked)
    except NndacssError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def _write(asked: argparse.Namespace) -> None:
    with SampleStore(asked.store) as store:
        options = PaintOptions(
            bank=asked.bank, renderer=asked.renderer, pair_chance=asked.pairs, modes=NAMES
        )
        networks = open_networks(options, store.roles)
        painter = Painter(MaskBank(asked.bank), options, networks)
        rows = list(sheet(store, painter, asked.modes, asked.rows, asked.seed))
        if not rows:
            found = f"no sample for {', '.join(asked.modes)}"
            remedy = "give other samples or modes"
            raise DatasetError(complain(asked.store, found, "samples that they suit", remedy))
        told = realism(store, painter, asked.seed) if asked.realism else None
        with drafted(Path(asked.page)) as draft:
            if draft.suffix == ".png":
                draft.write_bytes(png(rows))
            else:
                draft.write_text(html(rows, store, told, asked.renderer))
        if told is not None:
            sys.stdout.write(f"{told.sentence}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m nndacss.inpaint.sheet",
        description="A page that shows what each way to paint makes of samples.",
    )
    parser.add_argument("store", help="samples.h5")
    parser.add_argument("bank", help="a mask bank")
    parser.add_argument("page", help="file to write: .html or .png")
    known = (*NAMES, FREE)
    parser.add_argument("--modes", nargs="+", default=known, choices=known, metavar="MODE")
    parser.add_argument("--rows", type=int, default=3, help="samples of a mode (3)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pairs", type=float, default=0.0, help="chance of matched pairs (0)")
    parser.add_argument("--renderer", choices=("physical", "network"), default="physical")
    parser.add_argument("--realism", action="store_true", help="also train the judge, a minute")
    return parser


if __name__ == "__main__":
    sys.exit(main())
