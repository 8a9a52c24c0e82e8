"""The product stage: from the mask and the harmonized image to the product folder.

Order of work: composition, where it is asked for, in parts that are kept as those of the stages
before; then rasters, pictures, report, and the STAC item last. A file that is there and can be
read is kept, so a run that was killed goes on where it stopped.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nndacss.errors import OutputError, complain
from nndacss.identity import drafted
from nndacss.mask.quality import class_table
from nndacss.process import release_memory
from nndacss.product import cog, sheets
from nndacss.product.angles import write_sun
from nndacss.product.checks import check
from nndacss.product.composition import compose_product
from nndacss.product.consistency import Origin
from nndacss.product.counts import Counts
from nndacss.product.inputs import Inputs, gather
from nndacss.product.publish import publish
from nndacss.product.sheets import Source
from nndacss.product.survey import survey
from nndacss.stage import Context, sweep_drafts

ITEM = "item.json"
#: Rasters whose pixels are counted for the report.
COUNTED = ("reflectance", "mask", "quality", "source", "uncertainty")
#: Share of the progress that composition takes, where there is any.
COMPOSING = 0.2


def make_product(context: Context) -> Mapping[str, Any]:
    """Body of the stage; returns the summary for `stage.json`."""
    started = time.perf_counter()
    folder = context.output / context.order.target
    if (folder / ITEM).exists():
        return {"product": context.order.target, "kept": True}
    _prepare(folder)
    _make(context, folder, started)
    return {"product": context.order.target, "kept": False}


def _make(context: Context, folder: Path, started: float) -> None:
    inputs = gather(context)
    if inputs.settings.compose != "none":
        inputs = compose_product(context, inputs, COMPOSING)
        release_memory()
    counts = write_rasters(context, inputs, folder)
    context.progress(0.75, "comparing with the scene")
    reflectance = inputs.raster("reflectance")
    checks = check(
        inputs.path(folder, reflectance),
        reflectance.sheet,
        inputs.scene,
        inputs.tile,
        inputs.spectral,
        context.threads,
        Origin(inputs.path(folder, inputs.raster("source")), "weights" in inputs.harmonize),
    )
    release_memory()
    context.progress(0.88, "pictures and report")
    publish(context, inputs, folder, {**counts, **checks}, started)


def _prepare(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        remedy = "choose another --output-root or make it writable"
        found = error.strerror or str(error)
        raise OutputError(complain(folder, found, "a folder to write to", remedy)) from error
    sweep_drafts(folder)


def write_rasters(context: Context, inputs: Inputs, folder: Path) -> dict[str, Any]:
    """All COGs that are not there yet; gives what was counted on the way."""
    wanted = [source for source in inputs.rasters if not cog.readable(inputs.path(folder, source))]
    counted = [s for s in inputs.rasters if s.sheet.thing in COUNTED]
    reflectance = inputs.raster("reflectance").sheet
    agency = class_table(inputs.scene, inputs.mask_settings) if inputs.quality else None
    rows, columns = inputs.grid.shape
    counts = Counts(reflectance, rows * columns, agency)

    begun = 0.0 if inputs.settings.compose == "none" else COMPOSING

    def reading(fraction: float) -> None:
        context.progress(begun + (0.3 - begun) * fraction, "counting, overviews")

    work = context.folder
    with survey(wanted, counted, work, context.threads, counts.add, reading) as overviews:
        total, done = sum(len(source.sheet.bands) for source in wanted), 0
        for source, files in zip(wanted, overviews, strict=True):
            context.progress(0.3 + 0.45 * done / total, f"writing {source.sheet.thing}")
            done += len(source.sheet.bands)
            path = inputs.path(folder, source)
            release_memory()
            cog.write_cog(source.path, files, source.sheet, path, context.threads)
    release_memory()
    write_angles(context, inputs, folder)
    return {
        "cover": counts.cover(),
        "agreement": counts.agreement(),
        "histograms": counts.band_histograms(),
        "sources": counts.sources(),
        "uncertainty": counts.uncertainty() if inputs.has("uncertainty") else None,
    }


def write_angles(context: Context, inputs: Inputs, folder: Path) -> None:
    """The sun's COG, by way of a plain raster in the work folder."""
    sheet = sheets.sun()
    plain = Source(sheet, context.folder / "sun_plain.tif")
    path = inputs.path(folder, plain)
    if cog.readable(path):
        return
    with drafted(plain.path) as draft:
        write_sun(inputs.scene, inputs.grid, sheet, draft)
        cog.write_cog(draft, (), sheet, path, context.threads)
    plain.path.unlink(missing_ok=True)
