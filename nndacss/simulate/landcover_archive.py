"""Writing chips in LandCoverNet's two layouts, see `nndacss.datasets.landcovernet_files`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nndacss.identity import drafted
from nndacss.landcovernet.names import images_collection, labels_collection
from nndacss.simulate.landcover_labels import METRES, LabelChip
from nndacss.simulate.landcover_view import Layers

_MISSING = {"CLD": 255}


def continent_folder(folder: Path, continent: str) -> Path:
    """Where a continent's collections lie, as on Source Cooperative."""
    return folder / f"landcovernet_{continent}" / f"ref_landcovernet_{continent}_v1"


def label_path(folder: Path, label: LabelChip, layout: str) -> Path:
    """The file of a label."""
    if layout == "bucket":
        tile, number = label.chip.split("_")
        return folder / "2018" / tile / number / f"{label.chip}_2018_LC_10m.tif"
    collection = labels_collection(label.continent)
    place = continent_folder(folder, label.continent) / collection
    return place / f"{collection}_{label.chip}" / "labels.tif"


def image_path(folder: Path, label: LabelChip, day: str, band: str, layout: str) -> Path:
    """The file of a band or layer on a day, yyyymmdd."""
    if layout == "bucket":
        tile, number = label.chip.split("_")
        name = f"{label.chip}_{day}"
        return folder / "2018" / tile / number / name / f"{name}_{band}_10m.tif"
    collection = images_collection(label.continent)
    place = continent_folder(folder, label.continent) / collection
    return place / f"{collection}_{label.chip}_{day}" / f"{band}.tif"


def write_label(folder: Path, label: LabelChip, dates: Sequence[str], layout: str) -> None:
    """Label, and in the STAC layout its item with links to the images that there are."""
    path = label_path(folder, label, layout)
    path.parent.mkdir(parents=True, exist_ok=True)
    if label.source is not None and (label.source / "labels.tif").exists():
        with drafted(path) as draft:
            shutil.copyfile(label.source / "labels.tif", draft)
    else:
        both = np.stack([label.codes, label.consensus]).astype(np.uint16)
        write_raster(path, both, label, nodata=0)
    if layout == "bucket":
        return
    images = images_collection(label.continent)
    links = [
        _link("source", f"../../{images}/{images}_{label.chip}_{day}/stac.json") for day in dates
    ]
    own = labels_collection(label.continent)
    item = _item(f"{own}_{label.chip}", own, "2018-07-01T00:00:00Z", {"labels": "labels.tif"})
    _write_json(path.with_name("stac.json"), {**item, "links": [*item["links"], *links]})
    days = "\n".join([f",{label.tile}", *(f"{n},{day}" for n, day in enumerate(dates))])
    with drafted(path.with_name("source_dates.csv")) as draft:
        draft.write_text(days + "\n")


def write_image(folder: Path, label: LabelChip, day: str, layers: Layers, layout: str) -> None:
    """All bands and layers of a day, in the STAC layout with its item."""
    for band, values in layers.items():
        path = image_path(folder, label, day, band, layout)
        write_raster(path, values[None], label, nodata=_MISSING.get(band, 0))
    if layout == "stac":
        collection = images_collection(label.continent)
        when = f"{day[:4]}-{day[4:6]}-{day[6:]}T10:30:00Z"
        files = {band: f"{band}.tif" for band in layers}
        item = _item(f"{collection}_{label.chip}_{day}", collection, when, files)
        _write_json(path.with_name("stac.json"), item)


def write_collections(folder: Path, chips: Sequence[tuple[LabelChip, Sequence[str]]]) -> None:
    """`collection.json` of labels and images, with a link to each item."""
    continents = sorted({label.continent for label, _ in chips})
    for continent in continents:
        own = [(label, dates) for label, dates in chips if label.continent == continent]
        labels, images = labels_collection(continent), images_collection(continent)
        items = {
            labels: [f"{labels}_{label.chip}" for label, _ in own],
            images: [f"{images}_{label.chip}_{day}" for label, dates in own for day in dates],
        }
        for name, members in items.items():
            links = [_link("item", f"{member}/stac.json") for member in members]
            document = {
                "type": "Collection",
                "stac_version": "1.0.0",
                "id": name,
                "description": "A stand-in for LandCoverNet, painted by nndacss.",
                "license": "CC-BY-4.0",
                "extent": {
                    "spatial": {"bbox": [[-180, -90, 180, 90]]},
                    "temporal": {"interval": [["2018-01-01T00:00:00Z", "2018-12-31T23:59:59Z"]]},
                },
                "links": links,
            }
            _write_json(continent_folder(folder, continent) / name / "collection.json", document)


def write_raster(
    path: Path, values: NDArray[np.generic], label: LabelChip, nodata: int | None
) -> None:
    """(bands, rows, columns) as a GeoTIFF on a label's pixels, whole or not at all."""
    import rasterio
    from affine import Affine

    profile = {
        "driver": "GTiff",
        "count": values.shape[0],
        "height": values.shape[1],
        "width": values.shape[2],
        "dtype": values.dtype.name,
        "crs": f"EPSG:{label.epsg}",
        "transform": Affine(METRES, 0, label.west, 0, -METRES, label.north),
        "nodata": nodata,
        "compress": "deflate",
    }
    with drafted(path) as draft, rasterio.open(draft, "w", **profile) as raster:
        raster.write(values)


def _link(rel: str, href: str) -> dict[str, str]:
    return {"rel": rel, "href": href, "type": "application/json"}


def _item(name: str, collection: str, when: str, files: Mapping[str, str]) -> dict[str, Any]:
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": name,
        "collection": collection,
        "geometry": None,
        "properties": {"datetime": when},
        "links": [_link("collection", "../collection.json"), _link("self", "stac.json")],
        "assets": {key: {"href": href} for key, href in files.items()},
    }


def _write_json(path: Path, document: Mapping[str, Any]) -> None:
    with drafted(path) as draft:
        draft.write_text(json.dumps(document, indent=1))
