"""The land_cover stage: an image and a network in, a folder with map, report and STAC item out.

Work is cut in parts that are kept as those of all stages: a run that was killed goes on where it
stopped. `item.json` is written last and means that all is there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from nndacss.errors import OutputError, complain
from nndacss.labels.land_cover import ARCHIVE_OFFSET, SCHEME
from nndacss.land_cover import sheets
from nndacss.land_cover.air import AirTaken, Seen
from nndacss.land_cover.counts import Counts
from nndacss.land_cover.image import open_image
from nndacss.land_cover.network import checked_card, mapper
from nndacss.land_cover.plan import ITEM, corrects
from nndacss.land_cover.publish import Made, publish
from nndacss.land_cover.settings import LandCoverSettings
from nndacss.models.card import LandCoverCard, load_card
from nndacss.models.device import Choice
from nndacss.models.mask_model import most_likely
from nndacss.process import release_memory
from nndacss.product import cog
from nndacss.product.sheets import Source
from nndacss.product.survey import survey
from nndacss.raster import Pixels
from nndacss.settings import restore
from nndacss.stage import Context, sweep_drafts
from nndacss.tile.grid import output_grid
from nndacss.tile.mosaic import mosaic
from nndacss.tile.parts import parts
from nndacss.tile.run import Layer, run_parts
from nndacss.tile.settings import TileSettings

#: Share of the progress that the network takes.
MAPPED = 0.8


def map_land_cover(context: Context) -> Mapping[str, Any]:
    """Body of the stage; returns the summary for `stage.json`."""
    started = time.perf_counter()
    folder = context.output / context.order.target
    if (folder / ITEM).exists():
        return {"map": context.order.target, "kept": True}
    _prepare(folder)
    settings = cast(LandCoverSettings, restore(context.order.recipe.settings, "land_cover"))
    image = _image(context)
    grid, count = compute(context, image, settings)
    release_memory()
    made = write_rasters(context, folder, image, grid, settings)
    release_memory()
    context.progress(0.93, "pictures and report")
    publish(context, made, started)
    return {"map": context.order.target, "kept": False, "computed": count}


def _prepare(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        remedy = "choose another --output-root or make it writable"
        found = error.strerror or str(error)
        raise OutputError(complain(folder, found, "a folder to write to", remedy)) from error
    sweep_drafts(folder)


def _image(context: Context) -> Seen:
    if "product" in context.order.recipe.inputs:
        image = open_image(Path(context.order.location["product"]), product=True)
    else:
        _, acquired = context.input("scene")
        image = open_image(Path(acquired["summary"]["scene"]), product=False)
    card = load_card(context.order.location["weights"], LandCoverCard)
    return AirTaken(image) if corrects(card, image.level) else image


def compute(context: Context, image: Seen, settings: LandCoverSettings) -> tuple[GeoBox, int]:
    """All parts of map and probabilities; returns their grid and how many were computed now."""
    tile = cast(TileSettings, restore(context.order.recipe.settings, "tile"))
    location = context.order.location
    card = checked_card(location["weights"], context.order.recipe.weights)
    device = cast(Choice, location.get("device", "auto"))
    grid = output_grid(image.grid, tile)
    cut = parts(grid, tile)
    layers = _layers()
    with mapper(image, location["weights"], card, device, context.threads) as probability:
        window = _window(image, probability, settings)
        count = run_parts(
            cut,
            layers,
            context.folder,
            window,
            context.threads,
            lambda done, total: context.progress(MAPPED * done / total, f"part {done} of {total}"),
        )
    for layer in layers:
        mosaic(cut, layer, context.folder)
    return grid, count


def _layers() -> list[Layer]:
    """What is computed; probabilities are needed for the report whether they are kept or not."""
    return [
        Layer("land_cover", "uint8", sheets.NODATA, ("land_cover",)),
        Layer("probability", "uint8", sheets.NODATA, SCHEME.classes, 2),
    ]


def _window(
    image: Seen, probability: Callable[[GeoBox], Pixels], settings: LandCoverSettings
) -> Callable[[GeoBox], Mapping[str, NDArray[Any]]]:
    """Both layers of a window."""

    def one(grid: GeoBox) -> Mapping[str, NDArray[Any]]:
        found = probability(grid)
        if settings.hidden == "nodata":
            found[:, image.hidden(grid)] = np.nan
        return {"land_cover": codes(found)[None], "probability": steps(found)}

    return one


def codes(probability: Pixels) -> NDArray[np.uint8]:
    """(classes, rows, columns) probabilities -> codes 1 to 7, 255 where missing."""
    labels = most_likely(probability)
    return np.where(labels == sheets.NODATA, labels, labels + ARCHIVE_OFFSET).astype(np.uint8)


def steps(probability: Pixels) -> NDArray[np.uint8]:
    """Probabilities 0..1 as they are stored."""
    missing = np.isnan(probability)
    count = np.rint(np.where(missing, 0, probability) / np.float32(sheets.STEP))
    return np.where(missing, sheets.NODATA, count).astype(np.uint8)


def write_rasters(
    context: Context, folder: Path, image: Seen, grid: GeoBox, settings: LandCoverSettings
) -> Made:
    """The COGs that are not there yet; counts classes on the way."""
    sources = [
        Source(sheet, context.folder / f"{sheet.thing}.vrt")
        for sheet in (sheets.land_cover(), sheets.probability())
    ]
    kept = sources if settings.probability else sources[:1]
    made = Made(folder, image, grid, tuple(source.sheet for source in kept), settings)
    wanted = [source for source in kept if not cog.readable(made.path(source.sheet))]
    counts = Counts(abs(grid.affine.a * grid.affine.e))
    # a map that is there already is surveyed all the same, for its counts
    with survey(
        wanted or kept[:1], sources, context.folder, context.threads, counts.add, lambda _: None
    ) as overviews:
        for source, files in zip(wanted, overviews, strict=False):
            context.progress(MAPPED + 0.1, f"writing {source.sheet.thing}")
            cog.write_cog(
                source.path, files, source.sheet, made.path(source.sheet), context.threads
            )
    return made.counted(counts)
