"""The convert_pv stage: Landsat's rows to 90 m, then pieces of that to Proba-V's grid.

Two passes, with the 90 m image (a tenth of the scene's numbers) on disk between them, since a row
of latitude crosses many rows of Landsat. Blocks of rows are cut as suits the machine: every number
is computed from the same Landsat pixels in the same order. The pieces of the second pass are fixed
by the resolution.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from typing import Any, TypeVar

from nndacss.convert_pv.plan import Place, place_of, settings_of
from nndacss.convert_pv.scene import Source, open_source
from nndacss.convert_pv.scratch import Scratch, scratch
from nndacss.convert_pv.settings import ConvertSettings
from nndacss.convert_pv.write import Facts, product, recipe_of
from nndacss.errors import OutputError, complain
from nndacss.harmonize.physical.grids import TILES, coarse_grid, probav_grid
from nndacss.harmonize.physical.lanczos import BANDS, Piece, Resampler
from nndacss.harmonize.physical.psf import Block, reach_of
from nndacss.harmonize.physical.transform import coarse_rows
from nndacss.identity import drafted
from nndacss.raster import Pixels
from nndacss.stage import Context

#: Rows of 90 m pixels computed at once. Any number gives the same pixels.
BLOCK = 64

J = TypeVar("J")
R = TypeVar("R")


def convert_scene(context: Context) -> Mapping[str, Any]:
    """Body of the stage; the product goes below the product root."""
    order = context.order
    settings = settings_of(order)
    place = place_of(context.output, order)
    if place.product.exists():
        return _kept(place, context)
    source = open_source(context)
    coarse = coarse_grid(source.grid, settings.grid_shift)
    target = probav_grid(coarse, settings.resolution)
    layers = BANDS + 1 + (0 if source.clouds is None else 2)
    facts = Facts(
        order.name, source.scene.identity.acquired, source.scene.origin, order.recipe.digest
    )
    labelled = source.clouds is not None
    with (
        drafted(place.product) as draft,
        product(draft, target, settings, facts, labelled=labelled) as writer,
        scratch(context.folder, (layers, *coarse.shape)) as image,
    ):
        _to_coarse(context, source, image, settings)
        warp = Resampler(coarse, target, settings.grid_shift)
        cut = warp.pieces(TILES[settings.resolution])

        def work(at: Piece) -> tuple[Pixels, Pixels | None]:
            return warp.resample(image.get(*warp.needed(at)), at)

        for done, (at, (bands, clouds)) in enumerate(in_order(work, cut, context.threads), 1):
            writer.put(at, bands, clouds)
            context.progress(0.6 + 0.4 * done / len(cut), f"piece {done} of {len(cut)}")
        valid = writer.valid
    _write_card(place, context)
    rows, columns = target.shape
    return {"product": str(place.product), "shape": [rows, columns], "valid": valid}


def _to_coarse(context: Context, source: Source, image: Scratch, settings: ConvertSettings) -> None:
    """First pass: all rows of 90 m pixels into `image`."""
    count, reach = image.shape[1], reach_of(settings.edges)
    blocks = [
        Block(slice(first, min(first + BLOCK, count)), source.height)
        for first in range(0, count, BLOCK)
    ]

    def work(block: Block) -> None:
        rows = block.needed(reach)
        pixels, clouds = source.rows(rows)
        image.put(block.out, coarse_rows(pixels, clouds, rows.start, block, settings.edges))

    for done, _ in enumerate(in_order(work, blocks, context.threads), 1):
        context.progress(0.6 * done / len(blocks), f"rows {done} of {len(blocks)}")


def in_order(work: Callable[[J], R], jobs: Sequence[J], threads: int) -> Iterator[tuple[J, R]]:
    """Each job with its result, in order; a few threads work ahead, at most two jobs a thread."""
    waiting: deque[tuple[J, Future[R]]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for job in jobs:
                waiting.append((job, pool.submit(work, job)))
                if len(waiting) >= 2 * threads:
                    first, future = waiting.popleft()
                    yield first, future.result()
            while waiting:
                first, future = waiting.popleft()
                yield first, future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _kept(place: Place, context: Context) -> Mapping[str, Any]:
    """A product of the same recipe lost its card when a run was killed: it gets one again.

    A file that was made otherwise, or by somebody else, stays as it is: OutputError.
    """
    digest = recipe_of(place.product)
    if digest != context.order.recipe.digest:
        found = f"a product of recipe {digest[:8]}" if digest else "a file of another program"
        expected = "none, or one made with the same settings and inputs"
        remedy = "remove it, or choose another --outfolder"
        raise OutputError(complain(place.product, found, expected, remedy))
    _write_card(place, context)
    return {"product": str(place.product), "kept": True}


def _write_card(place: Place, context: Context) -> None:
    """The recipe beside the product, last: its presence is what done means."""
    recipe = context.order.recipe
    card = {"digest": recipe.digest, "scene": context.order.name, "recipe": asdict(recipe)}
    with drafted(place.card) as draft:
        draft.write_text(json.dumps(card, indent=2, sort_keys=True) + "\n")
