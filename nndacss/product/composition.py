"""Composition of a product: its cloud and shadow from Landsat, or adapted to it, window by window.

The harmonize stage's image, the mask's labels and the scene's own bands go through
`nndacss.compose` in the lattice windows of the computation, each with as much around it as the
method looks at. So parts and threads change nothing, and an area of interest changes only what
lies as near to its rim. Windows without cloud and shadow are copied, and so is every pixel that
composition does not touch: not one of its bits changes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from rasterio.windows import Window

from nndacss.compose.by_class import by_class
from nndacss.compose.options import ComposeOptions
from nndacss.compose.views import Mask, Views
from nndacss.compose.window import halo
from nndacss.harmonize.ground import place
from nndacss.harmonize.result import BANDPASS, COMPOSED, NETWORK, NO_PAN, NODATA, SCALE, quantize
from nndacss.labels.climate import Climate
from nndacss.product.inputs import Inputs
from nndacss.product.settings import ProductSettings
from nndacss.product.sheets import Source
from nndacss.readers.scene import Scene
from nndacss.sensors import REFLECTIVE
from nndacss.stage import Context
from nndacss.tile.mosaic import mosaic
from nndacss.tile.parts import parts
from nndacss.tile.run import Layer, run_parts

#: product.compose -> the module of `nndacss.compose` that makes cloud and shadow.
ADAPTED = {"landsat": "bicubic", "fourier": "fourier"}
#: Rasters that composition changes.
THINGS = ("reflectance", "source", "uncertainty")

Slices = tuple[slice, slice]


def compose_options(settings: ProductSettings) -> ComposeOptions:
    """How `settings.compose`, which must not be `none`, is done; blocks are six cut-offs wide."""
    plain = ComposeOptions(adapted=ADAPTED[settings.compose], feather=settings.feather)
    block = max(plain.fourier.block, 6 * settings.cutoff)
    fourier = plain.fourier.model_copy(update={"cutoff": settings.cutoff, "block": block})
    return plain.model_copy(update={"fourier": fourier})


def compose_product(context: Context, inputs: Inputs, share: float) -> Inputs:
    """`inputs` with composed rasters of the stage's own folder in place of the harmonized ones.

    What exists there is not computed again. `share` of the stage's progress is told.
    """
    changed = [source for source in inputs.rasters if source.sheet.thing in THINGS]
    layers = [_layer(source) for source in changed]
    cut = parts(inputs.grid, inputs.tile)
    run_parts(
        cut,
        layers,
        context.folder,
        Composition.of(inputs),
        context.threads,
        lambda done, total: context.progress(share * done / total, "composing"),
    )
    made = {layer.name: mosaic(cut, layer, context.folder) for layer in layers}
    rasters = (
        Source(source.sheet, made.get(source.sheet.thing, source.path)) for source in inputs.rasters
    )
    return replace(inputs, rasters=tuple(rasters))


def _layer(source: Source) -> Layer:
    sheet = source.sheet
    return Layer(sheet.thing, sheet.dtype, sheet.nodata, sheet.bands, 2 if sheet.predictor else 1)


@dataclass(frozen=True)
class Composition:
    """Windows of one product, composed. Immutable; safe to use from several threads."""

    scene: Scene
    options: ComposeOptions
    target: str
    """Whose bands the image imitates."""
    grid: GeoBox
    """The product's."""
    sources: Mapping[str, Source]
    """`mask`, `reflectance` and `source`, and `uncertainty` where there is one."""

    @classmethod
    def of(cls, inputs: Inputs) -> Composition:
        """For a product that is to be composed."""
        sources = {s.sheet.thing: s for s in inputs.rasters if s.sheet.thing in (*THINGS, "mask")}
        options = compose_options(inputs.settings)
        return cls(inputs.scene, options, inputs.harmonize["sensor"], inputs.grid, sources)

    def __call__(self, window: GeoBox) -> Mapping[str, NDArray[Any]]:
        """All layers of one whole lattice window: (bands, rows, columns) as the files hold them."""
        own = window[within(window, self.grid)]
        layers = {name: self._read(name, own) for name in THINGS if name in self.sources}
        near = window.pad(math.ceil(self.options.feather / self._metres))
        if self._classes(near[within(near, self.grid)]).any():
            self._compose(layers, window, own)
        at = _place_in(own, window)
        return {name: self._spread(name, layers[name], window, at) for name in layers}

    def _compose(self, layers: dict[str, NDArray[Any]], window: GeoBox, own: GeoBox) -> None:
        """Change the layers of `own`, what the product has of `window`."""
        wide = window.pad(halo(self.options, self._metres))
        inside = wide[within(wide, self.grid)]
        at = _place_in(own, inside)
        composed = by_class(self._views(wide, inside, at), self.options, None)
        changed = composed.changed[at]
        roles = self.sources["reflectance"].sheet.bands
        order = [REFLECTIVE.index(role) for role in roles]
        counts = quantize(composed.pixels[:, *at])[order]
        layers["reflectance"] = np.where(changed, counts, layers["reflectance"])
        made = layers["source"] | np.uint8(COMPOSED)
        if self.options.adapted == "bicubic":
            made[:, self._classes(own)] &= ~np.uint8(BANDPASS | NETWORK | NO_PAN)
        layers["source"] = np.where(changed, made, layers["source"])
        if "uncertainty" in layers:
            layers["uncertainty"] = np.where(changed, np.int16(NODATA), layers["uncertainty"])

    def _views(self, wide: GeoBox, inside: GeoBox, at: Slices) -> Views:
        """Both images of `inside`, what the product has of `wide`; wanted are the pixels `at`."""
        # read as if the product had all of it: so Landsat's values do not depend on the area
        landsat = self.scene.read(REFLECTIVE, wide).pixels[:, *_place_in(inside, wide)]
        counts = self._read("reflectance", inside)
        roles = self.sources["reflectance"].sheet.bands
        counts = counts[[roles.index(role) for role in REFLECTIVE]]
        missing = (counts == NODATA).any(axis=0)
        pixels = np.where(missing, np.float32(np.nan), counts * np.float32(SCALE))
        labels = np.where(missing, np.uint8(Climate.NODATA), self._read("mask", inside)[0])
        needed = np.zeros(missing.shape, dtype=np.bool_)
        needed[at] = True
        return Views(landsat, pixels, labels, self._metres, place(inside), self.target, needed)

    def _classes(self, grid: GeoBox) -> Mask:
        """(rows, columns): where the mask says that a pixel is to be composed."""
        codes = [Climate[name.upper()] for name in self.options.classes]
        return np.isin(self._read("mask", grid)[0], codes)

    def _read(self, name: str, grid: GeoBox) -> NDArray[Any]:
        """(bands, rows, columns) of a raster on a part of the product's grid."""
        with rasterio.open(self.sources[name].path, sharing=False) as raster:
            pixels: NDArray[Any] = raster.read(
                window=Window.from_slices(*_place_in(grid, self.grid))
            )
        return pixels

    def _spread(self, name: str, pixels: NDArray[Any], window: GeoBox, at: Slices) -> NDArray[Any]:
        """A layer on the whole window, nodata where the product ends."""
        nodata = self.sources[name].sheet.nodata
        full = np.full((len(pixels), *window.shape), nodata, dtype=pixels.dtype)
        full[:, *at] = pixels
        return full

    @property
    def _metres(self) -> float:
        return abs(float(self.grid.affine.a))


def within(grid: GeoBox, whole: GeoBox) -> Slices:
    """Rows and columns of `grid` that lie inside `whole`, which it meets; both of one lattice."""
    rows, columns = (
        slice(max(there - own, 0), min(there - own + total, size))
        for own, there, size, total in zip(
            place(grid), place(whole), grid.shape, whole.shape, strict=True
        )
    )
    return rows, columns


def _place_in(grid: GeoBox, whole: GeoBox) -> Slices:
    """Rows and columns of `whole` that are `grid`."""
    rows, columns = (
        slice(own - there, own - there + size)
        for own, there, size in zip(place(grid), place(whole), grid.shape, strict=True)
    )
    return rows, columns
