"""Pictures, report and STAC item of a map: everything that follows its rasters."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from markupsafe import Markup
from odc.geo.geobox import GeoBox

from nndacss.land_cover.air import AirTaken, Seen
from nndacss.land_cover.counts import Counts
from nndacss.land_cover.plan import ITEM
from nndacss.land_cover.settings import LandCoverSettings
from nndacss.land_cover.sheets import STEP
from nndacss.models.card import LandCoverCard, load_card
from nndacss.page import template
from nndacss.product import item, quicklook, report
from nndacss.product.footprint import footprint
from nndacss.product.publish import software
from nndacss.product.quicklook import Picture
from nndacss.product.sheets import Sheet
from nndacss.raster import Pixels
from nndacss.stage import Context

#: Picture -> what it shows.
PICTURES = {"colours": "True colour", "map": "Land cover", "certainty": "How sure the network was"}
#: Ink of a map's nodata, and ends of the certainty's ramp: unsure, sure.
_PAPER = (233, 230, 222, 255)
_UNSURE, _SURE = (250, 244, 226), (14, 95, 102)


@dataclass(frozen=True)
class Made:
    """A map's rasters, with what they were made of."""

    folder: Path
    image: Seen
    grid: GeoBox
    sheets: tuple[Sheet, ...]
    settings: LandCoverSettings
    cover: Mapping[str, Any] = field(default_factory=dict)
    """What `Counts.result` says."""

    def path(self, sheet: Sheet) -> Path:
        """Where a raster lies."""
        return self.folder / f"{self.image.name}_{sheet.thing}.tif"

    def picture(self, name: str) -> Path:
        """Where a picture lies."""
        return self.folder / f"{self.image.name}_{name}.png"

    def counted(self, counts: Counts) -> Made:
        """The same, with its counts."""
        return replace(self, cover=counts.result())


def publish(context: Context, made: Made, started: float) -> None:
    """Write all that follows the rasters; the item comes last."""
    pictures = draw(context, made)
    for name, picture in pictures.items():
        quicklook.save(picture, made.picture(name))
    card = load_card(context.order.location["weights"], LandCoverCard)
    numbers = collect(context, made, card, started)
    shown = {name: Markup(report.photo(picture)) for name, picture in pictures.items()}
    page = template("nndacss.land_cover", "report.html.j2").render(
        m=numbers, pictures=shown, titles=PICTURES
    )
    report.write_text(page, made.folder / "report.html")
    report.write_json(numbers, made.folder / "report.json")
    built = stac_item(context, made, numbers)
    item.validate(built, made.folder / ITEM)
    report.write_json(built, made.folder / ITEM)


def draw(context: Context, made: Made) -> dict[str, Picture]:
    """Image, map and certainty at the size of a quicklook."""
    grid = quicklook.small(made.grid)
    codes = quicklook.mask_view(made.path(made.sheets[0]), grid.shape)
    seen = codes != made.sheets[0].nodata
    colours = made.image.colours(grid)
    palette = np.zeros((256, 4), dtype=np.uint8)
    for label in made.sheets[0].labels:
        palette[label.value] = (*label.colour, 255)
    palette[made.sheets[0].nodata] = _PAPER
    found = {"colours": quicklook.stretch(colours, seen)(colours)}
    found["map"] = palette[codes]
    sure = _certainty(context.folder / "probability.vrt", grid)
    ramp = np.array(_UNSURE) + (np.array(_SURE) - _UNSURE) * np.nan_to_num(sure)[..., None]
    alpha = np.where(seen, 255, 0)[..., None]
    found["certainty"] = np.concatenate([np.rint(ramp), alpha], axis=2).astype(np.uint8)
    return found


def _certainty(path: Path, grid: GeoBox) -> Pixels:
    """(rows, columns) probability of the likeliest class, NaN where missing."""
    with rasterio.open(path) as raster:
        steps = raster.read(out_shape=(raster.count, *grid.shape)).astype(np.float32)
        steps[steps == raster.nodata] = np.nan
    return np.asarray(steps.max(axis=0) * np.float32(STEP))


def collect(context: Context, made: Made, card: LandCoverCard, started: float) -> dict[str, Any]:
    """Everything that the report says, as plain JSON."""
    image, grid, recipe = made.image, made.grid, context.order.recipe
    files = [made.path(sheet) for sheet in made.sheets]
    return {
        "id": context.order.target,
        "scene": image.name,
        "kind": image.kind,
        "level": image.level,
        "platform": image.platform,
        "origin": image.origin,
        "acquired": image.acquired.isoformat(timespec="seconds"),
        "rows": grid.shape[0],
        "columns": grid.shape[1],
        "metres": abs(grid.affine.a),
        "crs": f"EPSG:{grid.crs.epsg}" if grid.crs is not None and grid.crs.epsg else str(grid.crs),
        "cover": dict(made.cover),
        "hidden": made.settings.hidden,
        "hides": image.hides,
        "weights": _weights(card),
        "limits": limits(made, card),
        "recipe": {
            "digest": recipe.digest,
            "version": recipe.version,
            "settings": {
                f"{section}.{key}": value
                for section, values in recipe.settings.items()
                for key, value in values.items()
            },
            "inputs": dict(recipe.inputs),
        },
        "software": software(),
        "files": [{"name": path.name, "bytes": path.stat().st_size} for path in files],
        "seconds": round(time.perf_counter() - started, 2),
    }


def _weights(card: LandCoverCard) -> dict[str, Any]:
    """What mapped, from its card."""
    return {
        "name": card.name,
        "sha256": card.sha256,
        "purpose": card.purpose,
        "planes": list(card.roles),
        "scores": [dict(entry) for entry in card.scores],
        "data": _learned(card),
        "licence": card.licence,
    }


def _learned(card: LandCoverCard) -> list[dict[str, Any]]:
    """Training data by name, from the card."""
    data = card.training.get("data", {})
    return [{"name": name, **about} for name, about in data.items() if isinstance(about, Mapping)]


def limits(made: Made, card: LandCoverCard) -> list[str]:
    """What a user of the map must know, in sentences."""
    found = []
    if any(about.get("simulated") for about in _learned(card)):
        found.append(
            "The network learned from simulated images: the map shows that the way works, and "
            "nothing about real ground."
        )
    if not made.image.kind.startswith("Sentinel-2"):
        found.append(
            "The image is Landsat's, made like Sentinel-2's: detail below 30 m was inferred, and "
            "the network learned from Sentinel-2 itself."
        )
    if isinstance(made.image, AirTaken):
        found.append(
            "The image is top-of-atmosphere reflectance, the network learned from surface "
            "reflectance: air and a mean haze were taken off, not those of the day. A Level-2A "
            "product of the same scene gives a better map."
        )
    if made.settings.hidden == "nodata" and not made.image.hides:
        found.append(
            "Nothing says where cloud is: ground under cloud is mapped as if it were seen. "
            "AdaptScene makes a product with a mask of such a scene, which can be mapped instead."
        )
    found.append(
        "One date was mapped. Crops, snow and grass change over the year: the labels that the "
        "network learned are a year's."
    )
    return [*found, *card.notes]


def stac_item(context: Context, made: Made, numbers: Mapping[str, Any]) -> dict[str, Any]:
    """The item with all assets of the folder."""
    assets: dict[str, Any] = {}
    for sheet in made.sheets:
        asset = item.raster_asset(made.path(sheet), sheet, {})
        assets[sheet.thing] = {**asset, "roles": ["data", "classification", sheet.thing]}
    for name, title in PICTURES.items():
        role = "thumbnail" if name == "map" else "overview"
        assets[f"picture_{name}"] = item.plain_asset(made.picture(name), title, [role])
    for name, title in (("report.html", "Report"), ("report.json", "The report's numbers")):
        asset = item.plain_asset(made.folder / name, title, ["metadata"])
        del asset["file:size"]  # holds times, so its size is not the map's
        assets[name.replace(".", "_")] = asset
    place = footprint(made.path(made.sheets[0]), made.sheets[0].nodata)
    image = made.image
    properties = {
        "title": f"Land cover from {image.name}",
        "platform": image.platform,
        "instruments": [item.instrument(image.platform)],
        "gsd": numbers["metres"],
        "processing:level": "L3",
        "processing:lineage": f"{image.kind} {image.name}, mapped by {numbers['weights']['name']}",
        "processing:software": numbers["software"],
        **item.projection(made.grid),
        "nndacss:recipe": context.order.recipe.digest,
        "nndacss:source_product": image.name,
        "nndacss:origin": image.origin,
        "nndacss:land_cover_weights": {key: numbers["weights"][key] for key in ("name", "sha256")},
        "nndacss:land_cover_share": {
            row["name"]: row["share"] for row in numbers["cover"]["classes"]
        },
        "nndacss:mapped_share": numbers["cover"]["mapped_share"],
        "nndacss:limits": numbers["limits"],
    }
    return item.build(context.order.target, image.acquired, place, properties, assets)
