"""Pictures, report and item: everything that is made from the finished rasters and numbers."""

from __future__ import annotations

import time
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import rasterio
from rasterio.windows import Window

from nndacss.labels.climate import Climate
from nndacss.product import cog, item, quicklook, report, sheets
from nndacss.product.footprint import footprint
from nndacss.product.inputs import Inputs
from nndacss.product.limits import limits
from nndacss.product.networks import adjustment, networks
from nndacss.product.quicklook import FALSE, TRUE, Picture
from nndacss.product.sheets import Source
from nndacss.stage import Context

#: Picture -> what it shows; in the order of the page.
PICTURES = {
    "before": "True colour before: the scene",
    "after": "True colour after: the product",
    "false": "False colour of the product: swir16, nir08, red",
    "overlay": "Mask over true colour",
    "detail_before": "A detail before, the scene's own pixels",
    "detail_after": "The same detail after, 10 m",
}


def publish(
    context: Context, inputs: Inputs, folder: Path, measured: Mapping[str, Any], started: float
) -> None:
    """Write all that follows the rasters; the item comes last."""
    pictures, classes = draw(inputs, folder)
    for name, picture in pictures.items():
        quicklook.save(picture, _picture(inputs, folder, name))
    shown = {name: report.photo(picture) for name, picture in pictures.items()}
    labels = inputs.raster("mask").sheet.labels
    for label in labels:
        uri = report.sheet_of(classes, label)
        if uri and label.name not in ("clear", "nodata"):
            shown[f"class_{label.name}"] = uri
    numbers = collect(context, inputs, folder, measured, list(pictures), started)
    report.write_text(report.render(numbers, shown), folder / "report.html")
    report.write_json(numbers, folder / "report.json")
    built = stac_item(context, inputs, folder, numbers)
    item.validate(built, folder / "item.json")
    report.write_json(built, folder / "item.json")


def _picture(inputs: Inputs, folder: Path, name: str) -> Path:
    return folder / f"{inputs.base}_{name}.png"


def draw(inputs: Inputs, folder: Path) -> tuple[dict[str, Picture], Any]:
    """All pictures by name, and the mask at their size."""
    sheet = inputs.raster("reflectance").sheet
    image = inputs.path(folder, inputs.raster("reflectance"))
    mask = inputs.path(folder, inputs.raster("mask"))
    grid = quicklook.small(inputs.grid)
    codes = quicklook.mask_view(mask, grid.shape)
    pictures: dict[str, Picture] = {}
    true = _there(TRUE, sheet.bands)
    after = quicklook.product_view(image, sheet, true, grid.shape)
    look = quicklook.stretch(after, codes == Climate.CLEAR)
    pictures["before"] = look(quicklook.scene_view(inputs.scene, true, grid))
    pictures["after"] = look(after)
    false = _there(FALSE, sheet.bands)
    other = quicklook.product_view(image, sheet, false, grid.shape)
    pictures["false"] = quicklook.stretch(other, codes == Climate.CLEAR)(other)
    pictures["overlay"] = quicklook.overlay(
        pictures["after"], codes, inputs.raster("mask").sheet.labels
    )
    rows, columns = inputs.grid.shape
    piece = quicklook.most_telling(image, sheet, codes, (rows, columns))
    if piece is not None:
        # a Sentinel-2 scene changes only in its 20 m bands, so its detail is in false colour
        pictures |= _details(inputs, (image, mask), false if inputs.own else true, piece)
    return pictures, codes


def _there(wanted: tuple[str, ...], bands: tuple[str, ...]) -> tuple[str, ...]:
    """The bands of a picture; where one lacks, the product's first band three times."""
    return wanted if set(wanted) <= set(bands) else (bands[0],) * 3


def _details(
    inputs: Inputs, files: tuple[Path, Path], roles: tuple[str, ...], piece: tuple[slice, slice]
) -> dict[str, Picture]:
    """Both sides of the detail, from the image and mask in `files`."""
    sheet = inputs.raster("reflectance").sheet
    window = Window.from_slices(*piece)
    indexes = [sheet.bands.index(role) + 1 for role in roles]
    with rasterio.open(files[0]) as image, rasterio.open(files[1]) as mask:
        counts, codes = image.read(indexes, window=window), mask.read(1, window=window)
    after = quicklook.reflectance(counts, sheet)
    look = quicklook.stretch(after, codes == Climate.CLEAR)
    before = quicklook.scene_pixels(inputs.scene, roles, inputs.grid[piece])
    return {"detail_before": look(before), "detail_after": look(after)}


def collect(
    context: Context,
    inputs: Inputs,
    folder: Path,
    measured: Mapping[str, Any],
    pictures: list[str],
    started: float,
) -> dict[str, Any]:
    """Everything that the report says, as plain JSON."""
    agreement = measured["agreement"]
    if agreement is not None:
        agreement = {**agreement, "by_construction": inputs.mask["method"] == "quality"}
    mask = {key: inputs.mask[key] for key in ("method", "provisional", "note")}
    mask["note"] = mask["note"].removeprefix("provisional: ")
    seconds = {name: round(value, 2) for name, value in inputs.seconds.items()}
    seconds["product"] = round(time.perf_counter() - started, 2)
    return {
        **measured,
        "agreement": agreement,
        "product": _product(context, inputs),
        "mask": mask,
        "networks": networks(inputs),
        "losses": list(inputs.losses),
        "limits": limits(inputs.scene.level, mask, inputs.harmonize, inputs.own, inputs.settings),
        "recipe": _recipe(context, inputs),
        "software": software(),
        "seconds": seconds,
        "files": _files(inputs, folder, pictures),
        "legend": [
            {"name": label.name, "colour": "#{:02x}{:02x}{:02x}".format(*label.colour)}
            for label in inputs.raster("mask").sheet.labels
        ],
    }


def _product(context: Context, inputs: Inputs) -> dict[str, Any]:
    scene, grid = inputs.scene, inputs.grid
    rows, columns = grid.shape
    epsg = grid.crs.epsg if grid.crs is not None else None
    return {
        "id": context.order.target,
        "scene": scene.identity.name,
        "level": scene.level,
        "acquired": scene.identity.acquired.isoformat(timespec="seconds"),
        "platform": scene.platform,
        "origin": scene.origin,
        "target": inputs.harmonize["sensor"],
        "own": inputs.own,
        "method": inputs.harmonize["method"],
        "pan": inputs.harmonize["pan"],
        "composed": inputs.settings.compose,
        "bands": list(inputs.harmonize["roles"]),
        "sun_elevation": round(scene.sun_elevation, 2),
        "sun_azimuth": round(scene.sun_azimuth % 360, 2),
        "crs": f"EPSG:{epsg}" if epsg else str(grid.crs),
        "rows": rows,
        "columns": columns,
        "metres": abs(grid.affine.a),
        "megapixels": round(rows * columns / 1e6, 3),
    }


def _recipe(context: Context, inputs: Inputs) -> dict[str, Any]:
    """Digests, versions and changed settings of every stage, in the order of the work."""
    order = ("acquire", "mask", "harmonize", "product")
    stages = [
        {
            "stage": name,
            "digest": inputs.recipes[name].digest,
            "version": inputs.recipes[name].version,
            "settings": {
                f"{section}.{key}": value
                for section, values in inputs.recipes[name].settings.items()
                for key, value in values.items()
            },
        }
        for name in order
        if name in inputs.recipes
    ]
    foreign = dict(inputs.recipes["acquire"].inputs) if "acquire" in inputs.recipes else {}
    return {"digest": context.order.recipe.digest, "stages": stages, "inputs": foreign}


def software() -> dict[str, str]:
    """Name -> version of what made the pixels and files."""
    found = {}
    for name in ("nndacss", "numpy", "rasterio"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "checkout"
    return found | cog.versions()


def _files(inputs: Inputs, folder: Path, pictures: list[str]) -> list[dict[str, Any]]:
    listed = [(inputs.path(folder, source), source.sheet.title) for source in _all(inputs)]
    listed += [(_picture(inputs, folder, name), PICTURES[name]) for name in pictures]
    return [
        {"name": path.name, "title": title, "bytes": path.stat().st_size} for path, title in listed
    ]


def _all(inputs: Inputs) -> list[Source]:
    return [*inputs.rasters, Source(sheets.sun(), Path())]


def stac_item(
    context: Context, inputs: Inputs, folder: Path, numbers: Mapping[str, Any]
) -> dict[str, Any]:
    """The item with all assets of the folder."""
    target = item.bands_of(inputs.harmonize["sensor"])
    assets: dict[str, Any] = {}
    for source in _all(inputs):
        path = inputs.path(folder, source)
        assets[source.sheet.thing] = item.raster_asset(path, source.sheet, target)
    for entry in PICTURES:
        path = _picture(inputs, folder, entry)
        if path.exists():
            role = "thumbnail" if entry == "after" else "overview"
            assets[f"picture_{entry}"] = item.plain_asset(path, PICTURES[entry], [role])
    for name, title in (("report.html", "Report"), ("report.json", "The report's numbers")):
        path = folder / name
        asset = item.plain_asset(path, title, ["metadata"])
        del asset["file:size"]  # holds times, so its size is not the product's
        assets[name.replace(".", "_")] = asset
    mask = inputs.path(folder, inputs.raster("mask"))
    place = footprint(mask, inputs.raster("mask").sheet.nodata)
    acquired = inputs.scene.identity.acquired
    properties = _properties(context, inputs, numbers)
    return item.build(context.order.target, acquired, place, properties, assets)


def _properties(context: Context, inputs: Inputs, numbers: Mapping[str, Any]) -> dict[str, Any]:
    scene, product = inputs.scene, numbers["product"]
    share = {name: 100 * entry["share"] for name, entry in numbers["cover"]["classes"].items()}
    kind = "Sentinel-2" if inputs.own else "Sentinel-2-like"
    return {
        "title": f"{kind} reflectance from {scene.identity.name}",
        "platform": scene.platform,
        "instruments": [item.instrument(scene.platform)],
        "gsd": product["metres"],
        "eo:cloud_cover": round(share["cloud"], 4),
        "eo:snow_cover": round(share["snow"], 4),
        "view:sun_elevation": product["sun_elevation"],
        "view:sun_azimuth": product["sun_azimuth"],
        "processing:level": "L1" if scene.level == "TOA" else "L2",
        "processing:lineage": _lineage(inputs, product),
        "processing:software": numbers["software"],
        **item.projection(inputs.grid),
        "nndacss:shadow_cover": round(share["shadow"], 4),
        "nndacss:valid_share": numbers["cover"]["valid_share"],
        "nndacss:level": scene.level,
        "nndacss:target_sensor": product["target"],
        "nndacss:source_product": scene.identity.name,
        "nndacss:origin": scene.origin,
        "nndacss:source_digests": numbers["recipe"]["inputs"],
        "nndacss:recipe": context.order.recipe.digest,
        "nndacss:harmonize": product["method"],
        **adjustment(inputs),
        "nndacss:sharpened": product["pan"],
        "nndacss:offset_applied": True,
        "nndacss:brdf_normalized": False,
        "nndacss:composed": product["composed"],
        "nndacss:mask_method": inputs.mask["method"],
        "nndacss:mask_provisional": inputs.mask["provisional"],
        **({"nndacss:mask_weights": inputs.mask["weights"]} if "weights" in inputs.mask else {}),
        "nndacss:losses": list(inputs.losses),
        "nndacss:limits": numbers["limits"],
    }


def _lineage(inputs: Inputs, product: Mapping[str, Any]) -> str:
    """How the image came of the scene, in one sentence."""
    pan = " with the pan band" if product["method"] == "deep" else ", sharpened by the pan band"
    made = f"harmonized to {product['target']} by {product['method']}"
    if product["composed"] != "none":
        made += f", cloud and shadow composed ({product['composed']})"
    return (
        f"{inputs.scene.identity.name}: resampled once per band to {product['metres']:g} m"
        f"{pan if product['pan'] else ''}, "
        f"{'otherwise as observed' if inputs.own else made}; mask by {inputs.mask['method']}"
    )
