"""A page that shows what a store holds: `python -m nndacss.pairs.show pairs.h5 page.html`.

Self-contained: per source how near the plain input comes to the target, band by band, and for
some pairs the input's true colours, pan, the target's true colours, and their difference.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nndacss.identity import drafted
from nndacss.metrics.image import Sums, compare
from nndacss.page import show_store, template
from nndacss.pairs.source import ROLES, PairRecord
from nndacss.pairs.store import PairStore
from nndacss.raster import Pixels
from nndacss.samples.show import GAMMA, data_url, spread

#: Pairs of a source that are shown.
PICTURES = 12
#: Least reflectance that is white; a brighter target is white at its 99th percentile.
WHITE = 0.15
#: Difference, reflectance, that is painted in full colour.
FULL = 0.05
_MISSING = (232, 229, 220)
_NATURAL = [ROLES.index(role) for role in ("red", "green", "blue")]


@dataclass(frozen=True)
class Picture:
    """One pair on the page; data URLs."""

    record: PairRecord
    before: str
    pan: str
    target: str
    difference: str


def show(store: PairStore, page: Path) -> None:
    """Write the page, whole or not at all."""
    titles = list(dict.fromkeys(record.dataset for record in store.records))
    text = template("nndacss.pairs", "show.html.j2").render(
        store=store,
        megabytes=store.path.stat().st_size / 1e6,
        digest=str(store.header.recipe.get("digest", ""))[:8],
        groups=[group(store, title) for title in titles],
        full=FULL,
    )
    with drafted(page) as draft:
        draft.write_text(text)


def group(store: PairStore, title: str) -> dict[str, Any]:
    """What the page says of one source."""
    indexes = [i for i, record in enumerate(store.records) if record.dataset == title]
    records = [store.records[i] for i in indexes]
    sums, landsat, panned = Sums.zero(len(ROLES)), np.zeros(len(ROLES)), 0
    for index in indexes:
        inputs, target = store.read(index)
        both = compare(inputs[: len(ROLES)], target)
        sums, landsat = sums + both, landsat + both.error + both.truth
        panned += bool(np.isfinite(inputs[-1]).any())
    return {
        "title": title,
        "kind": records[0].kind,
        "pairs": len(records),
        "scenes": len({record.scene for record in records}),
        "panned": panned,
        "levels": sorted({record.level for record in records}),
        "coarse": any(record.coarse_truth for record in records),
        "bands": [
            {"role": role, "input": a, "target": b, "rmse": c, "psnr": d, "ssim": e}
            for role, a, b, c, d, e in zip(
                ROLES,
                landsat / np.maximum(sums.pixels, 1),
                sums.mean(),
                sums.rmse(),
                sums.psnr(),
                sums.ssim(),
                strict=True,
            )
        ],
        "pictures": [picture(store, indexes[i]) for i in spread(len(indexes), PICTURES)],
    }


def picture(store: PairStore, index: int) -> Picture:
    """One pair as four pictures on one scale of brightness; pan on its own."""
    inputs, target = store.read(index)
    natural = target[_NATURAL]
    white = _white(natural)
    grey = np.repeat(inputs[-1:], 3, axis=0)
    return Picture(
        record=store.records[index],
        before=data_url(painted(inputs[_NATURAL], white)),
        pan=data_url(painted(grey, _white(grey))),
        target=data_url(painted(natural, white)),
        difference=data_url(differing(inputs[: len(ROLES)] - target)),
    )


def painted(bands: Pixels, white: float) -> NDArray[np.uint8]:
    """(3, rows, columns) reflectance as (rows, columns, 3) colours; missing pixels pale."""
    bright = np.clip(np.nan_to_num(bands) / white, 0, 1) ** GAMMA
    colours: NDArray[np.uint8] = np.rint(255 * bright).astype(np.uint8).transpose(1, 2, 0)
    colours[np.isnan(bands).any(axis=0)] = _MISSING
    return colours


def differing(difference: Pixels) -> NDArray[np.uint8]:
    """(rows, columns, 3): mean over the bands, red where positive and blue where negative."""
    mean = difference.mean(axis=0)
    strength = np.clip(np.nan_to_num(mean) / FULL, -1, 1)
    red, blue = 1 + np.minimum(strength, 0), 1 - np.maximum(strength, 0)
    colours = np.stack([red, np.minimum(red, blue), blue], axis=2)
    result: NDArray[np.uint8] = np.rint(255 * colours).astype(np.uint8)
    result[np.isnan(mean)] = _MISSING
    return result


def _white(bands: Pixels) -> float:
    seen = bands[~np.isnan(bands)]
    return max(WHITE, float(np.percentile(seen, 99))) if seen.size else WHITE


def main(argv: Sequence[str] | None = None) -> int:
    """Write a store's page; 1 and one line on standard error where that cannot be done."""
    return show_store(PairStore, show, PairStore.noun, argv)


if __name__ == "__main__":
    sys.exit(main())
