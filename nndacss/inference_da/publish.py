"""An adapted product as COGs with a STAC item and quicklooks, by the project's own writers.

<name>_reflectance.tif    blue, red, nir, swir16 as Landsat-8 would see them, x 10000
<name>_mask.tif           0 clear, 3 cloud, 255 missing
<name>_probability.tif    probability of cloud in steps of 0.004
quicklook.png, quicklook_mask.png
item.json                 last
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import rasterio
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from rasterio.windows import Window

from nndacss.errors import InputError, complain
from nndacss.harmonize.result import NODATA, SCALE
from nndacss.identity import drafted
from nndacss.inference_da.plan import PROVENANCE
from nndacss.inference_da.write import CLOUD
from nndacss.labels.climate import Climate
from nndacss.models.probav_card import ROLES
from nndacss.product import item, quicklook, sheets
from nndacss.product.cog import write_cog
from nndacss.product.footprint import footprint
from nndacss.product.sheets import Sheet, Source
from nndacss.product.survey import survey
from nndacss.readers.probav import Product, open_product

#: Metres of a degree of latitude (WGS 84's equatorial radius).
DEGREE = 111_319.49
#: Rows that are brought over at once.
_ROWS = 256
#: Bands of a quicklook, as red, green and blue: Proba-V sees no green.
_SHOWN = ("swir16", "nir", "red")
#: Probability from which on a pixel is cloud, as published.
THRESHOLD = 0.5

_CLASSES = (Climate.CLEAR, Climate.CLOUD, Climate.NODATA)
REFLECTANCE = Sheet(
    thing="reflectance",
    title="Landsat-8-like top-of-atmosphere reflectance",
    dtype="int16",
    nodata=NODATA,
    bands=ROLES,
    reduce="average",
    scale=SCALE,
)
MASK = replace(
    sheets.mask(),
    title="Cloud mask",
    labels=tuple(label for label in sheets.mask().labels if label.value in _CLASSES),
)
PROBABILITY = Sheet(
    "probability", "Probability of cloud", "uint8", 255, ("cloud",), "average", scale=0.004
)


def publish(adapted: Path, folder: Path, recipe: str, threads: int) -> None:
    """Write all files of an adapted product into `folder`, the item last.

    InputError where the product does not say when it was observed.
    """
    with open_product(adapted) as product, ExitStack() as stack:
        if product.acquired is None:
            remedy = "publish needs the time: get the product again"
            raise InputError(complain(adapted, "no time of observation", "a start date", remedy))
        name = adapted.stem
        sources = stack.enter_context(_rasters(adapted, product, folder))
        made = stack.enter_context(
            survey(sources, (), folder, threads, lambda _: None, lambda _: None)
        )
        assets = {}
        for source, overviews in zip(sources, made, strict=True):
            path = folder / f"{name}_{source.sheet.thing}.tif"
            write_cog(source.path, overviews, source.sheet, path, threads)
            assets[source.sheet.thing] = _asset(path, source.sheet, product.grid)
        assets |= _pictures(folder, name, product.grid)
        entry = item.build(
            name,
            product.acquired,
            footprint(folder / f"{name}_mask.tif", MASK.nodata),
            _properties(adapted, product, recipe),
            assets,
        )
    item.validate(entry, folder / "item.json")
    with drafted(folder / "item.json") as draft:
        draft.write_text(json.dumps(entry, indent=2) + "\n")


@contextmanager
def _rasters(adapted: Path, product: Product, folder: Path) -> Iterator[list[Source]]:
    """The product's layers as plain GeoTIFFs, which vanish when the block ends."""
    with ExitStack() as stack:
        sources = []
        for sheet in (REFLECTANCE, MASK, PROBABILITY):
            path = stack.enter_context(_scratch(folder / f".{adapted.stem}_{sheet.thing}.tif"))
            sources.append(Source(sheet, path))
        with h5py.File(adapted, "r", locking=False) as file, ExitStack() as files:
            targets = [files.enter_context(_raster(source, product.grid)) for source in sources]
            for top in range(0, product.shape[0], _ROWS):
                rows = slice(top, min(top + _ROWS, product.shape[0]))
                at = Window(0, top, product.shape[1], rows.stop - top)
                bands = product.read((rows, slice(None)))
                layers = _layers(bands, file[CLOUD][rows])
                for target, layer in zip(targets, layers, strict=True):
                    target.write(layer, window=at)
        yield sources


@contextmanager
def _scratch(path: Path) -> Iterator[Path]:
    """A file that vanishes when the block ends; two processes never share it."""
    with drafted(path) as draft:
        draft.touch()
        yield draft
    path.unlink(missing_ok=True)


def _raster(source: Source, grid: GeoBox) -> Any:
    sheet = source.sheet
    return rasterio.open(
        source.path,
        "w",
        driver="GTiff",
        width=grid.shape[1],
        height=grid.shape[0],
        count=len(sheet.bands),
        dtype=sheet.dtype,
        nodata=sheet.nodata,
        crs=str(grid.crs),
        transform=grid.affine,
        tiled=True,
        compress="zstd",
        bigtiff="if_safer",
    )


def _layers(
    bands: NDArray[np.float32], cloud: NDArray[np.float32]
) -> Sequence[NDArray[np.generic]]:
    """Reflectance, mask and probability in the counts of their sheets, (bands, rows, columns)."""
    missing = np.isnan(bands[0])
    counts = np.where(missing, NODATA, np.rint(np.where(missing, 0, bands) / SCALE))
    gone = missing | (cloud < 0)
    label = np.where(cloud > THRESHOLD, Climate.CLOUD, Climate.CLEAR)
    steps = np.rint(np.where(gone, 0, cloud) / PROBABILITY.scale)
    return (
        counts.astype(np.int16),
        np.where(gone, MASK.nodata, label).astype(np.uint8)[None],
        np.where(gone, PROBABILITY.nodata, steps).astype(np.uint8)[None],
    )


def _asset(path: Path, sheet: Sheet, grid: GeoBox) -> dict[str, Any]:
    """A COG's entry; its pixel size in metres, which the grid's degrees are not."""
    metres = round(abs(grid.affine.a) * DEGREE, 1)
    asset = item.raster_asset(path, sheet, item.bands_of("proba-v"))
    if sheet is MASK:
        asset["roles"] = ["data-mask", "cloud"]
    return asset | {"gsd": metres, "raster:spatial_resolution": metres}


def _pictures(folder: Path, name: str, grid: GeoBox) -> dict[str, Any]:
    """Quicklooks of the bands, plain and with cloud over them, and their entries."""
    shape = quicklook.small(grid).shape
    pixels = quicklook.product_view(folder / f"{name}_reflectance.tif", REFLECTANCE, _SHOWN, shape)
    codes = quicklook.mask_view(folder / f"{name}_mask.tif", shape)
    picture = quicklook.stretch(pixels, codes == Climate.CLEAR)(pixels)
    plain, masked = folder / "quicklook.png", folder / "quicklook_mask.png"
    quicklook.save(picture, plain)
    quicklook.save(quicklook.overlay(picture, codes, MASK.labels), masked)
    shown = ", ".join(_SHOWN)
    return {
        "quicklook": item.plain_asset(plain, f"Quicklook ({shown})", ["thumbnail"]),
        "quicklook_mask": item.plain_asset(masked, "Quicklook with cloud", ["overview"]),
    }


def _properties(adapted: Path, product: Product, recipe: str) -> dict[str, Any]:
    with h5py.File(adapted, "r", locking=False) as file:
        told = json.loads(file.attrs[PROVENANCE])
    lineage = (
        f"{told['product']} translated to Landsat-8 by {told['generator']['name']}; cloud by "
        f"{told['cloud']['name']} from the translated bands"
    )
    return {
        "title": f"{adapted.stem}: adapted to Landsat-8",
        "platform": "landsat-8" if product.converted else "proba-v",
        "instruments": ["oli" if product.converted else "vegetation"],
        "gsd": round(abs(product.grid.affine.a) * DEGREE, 1),
        "processing:lineage": lineage,
        "nndacss:recipe": recipe,
        "nndacss:weights": {name: told[name] for name in ("generator", "cloud")},
        "nndacss:notes": told["notes"],
    }
