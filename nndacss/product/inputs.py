"""What the product stage works from: the scene, the stages before it, and their rasters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import rasterio
from odc.geo.geobox import GeoBox

from nndacss.harmonize.spectral import Spectral
from nndacss.identity import Recipe, load_order, recipe_path
from nndacss.mask.settings import MaskSettings
from nndacss.product import sheets
from nndacss.product.settings import ProductSettings
from nndacss.product.sheets import Source
from nndacss.readers import open_scene
from nndacss.readers.scene import Scene
from nndacss.settings import restore
from nndacss.stage import Context
from nndacss.tile.settings import TileSettings


@dataclass(frozen=True)
class Inputs:
    """All of it, opened and checked once."""

    scene: Scene
    grid: GeoBox
    """The product's grid."""
    rasters: tuple[Source, ...]
    """What becomes a COG, with the raster it is made of."""
    mask: Mapping[str, Any]
    """Summary of the mask stage: method, provisional, note."""
    harmonize: Mapping[str, Any]
    """Summary of the harmonize stage: method, sensor, roles, spectral, pan, weights."""
    tile: TileSettings
    """The lattice on which the image was computed."""
    mask_settings: MaskSettings
    settings: ProductSettings
    losses: tuple[str, ...]
    seconds: Mapping[str, float]
    """Wall clock of the stages before."""
    recipes: Mapping[str, Recipe]
    """Of all stages, this one included."""

    @property
    def quality(self) -> bool:
        """Whether the agency's quality bits are carried along."""
        return self.has("quality")

    def has(self, thing: str) -> bool:
        """Whether there is such a raster."""
        return any(source.sheet.thing == thing for source in self.rasters)

    @property
    def spectral(self) -> Spectral:
        """The change of band responses that the image holds."""
        table = self.harmonize["spectral"]
        rows = tuple(tuple(row) for row in table["matrix"])
        return Spectral(tuple(table["roles"]), rows, tuple(table["offset"]))

    @property
    def own(self) -> bool:
        """Whether the scene is Sentinel-2's, so that its bands are the product's own."""
        return bool(self.harmonize["sensor"] == self.scene.platform)

    def raster(self, thing: str) -> Source:
        """The source of one of the rasters."""
        return next(source for source in self.rasters if source.sheet.thing == thing)

    @property
    def base(self) -> str:
        """What all file names begin with: scene and level."""
        return f"{self.scene.identity.name}_{self.scene.level.lower()}"

    def path(self, folder: Path, source: Source) -> Path:
        """Where a raster of the product lies."""
        return folder / f"{self.base}_{source.sheet.thing}.tif"


def gather(context: Context) -> Inputs:
    """Open the scene and the stages that this product is made of."""
    settings = cast(ProductSettings, restore(context.order.recipe.settings, "product"))
    folders, done, recipes = {}, {}, {"product": context.order.recipe}
    for name, digest in context.order.recipe.inputs.items():
        folders[name], done[name] = context.input(name)
        recipe = load_order(recipe_path(context.work, digest)).recipe
        recipes[recipe.stage] = recipe
    places = done["scene"]["summary"]
    scene = open_scene(places["scene"], l1=places["l1"])
    harmonize = done["harmonize"]["summary"]
    rasters = tuple(_rasters(folders, scene, settings, harmonize))
    with rasterio.open(rasters[0].path) as first:
        grid = GeoBox.from_rio(first)
    return Inputs(
        scene,
        grid,
        rasters,
        done["mask"]["summary"],
        harmonize,
        cast(TileSettings, restore(recipes["harmonize"].settings, "tile")),
        cast(MaskSettings, restore(recipes["mask"].settings, "mask")),
        settings,
        tuple(scene.losses),
        {recipes_name(name): entry["seconds"] for name, entry in done.items()},
        recipes,
    )


def recipes_name(name: str) -> str:
    """The stage behind an input's name in the recipe."""
    return "acquire" if name == "scene" else name


def _rasters(
    folders: Mapping[str, Path],
    scene: Scene,
    settings: ProductSettings,
    harmonize: Mapping[str, Any],
) -> list[Source]:
    roles, own = harmonize["roles"], harmonize["sensor"] == scene.platform
    uncertainty = folders["harmonize"] / "uncertainty.vrt"
    found = [
        Source(
            sheets.reflectance(roles, scene.level, own), folders["harmonize"] / "reflectance.vrt"
        ),
        Source(sheets.mask(), folders["mask"] / "labels.vrt"),
        Source(sheets.source(), folders["harmonize"] / "source.vrt"),
    ]
    if uncertainty.exists():
        found.append(Source(sheets.uncertainty(roles), uncertainty))
    quality = folders["mask"] / "quality.vrt"
    if quality.exists():
        found.append(Source(sheets.quality(scene.collection), quality))
    probability = folders["mask"] / "probability.vrt"
    if probability.exists():
        found.append(Source(sheets.probability(), probability))
    raw = folders["mask"] / "raw.vrt"
    if raw.exists():
        found.append(Source(sheets.raw_mask(), raw))
    if settings.mask_format != "labels":
        found.append(Source(sheets.recoded(settings.mask_format), folders["mask"] / "labels.vrt"))
    return found
