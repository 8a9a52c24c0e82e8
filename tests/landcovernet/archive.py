"""Tiny LandCoverNet archives in both layouts, whose clouds are known by hand."""

import json

import numpy as np
from affine import Affine

from nndacss.landcovernet.names import BANDS
from tests.datasets.examples import write_tif

SIDE = 16
CORNER = {"crs": "EPSG:32635", "transform": Affine(10, 0, 500000, 0, -10, 1000000)}


def labels(codes=None, consensus=80):
    """Bands of a label: columns of classes 0 to 7, two pixels wide."""
    if codes is None:
        codes = np.repeat(np.arange(8), SIDE // 8)[None].repeat(SIDE, axis=0)
    return np.stack([codes, np.full_like(codes, consensus)]).astype(np.uint16)


def layers(cloud=0.0, missing=0.0, level=1000):
    """Bands and layers of a date; `cloud` and `missing` are shares of its rows.

    Band k has `level` + 100 k counts, CLD is 100 in cloud and 0 elsewhere.
    """
    cloudy, gone = round(cloud * SIDE), SIDE - round(missing * SIDE)
    result = {}
    for number, band in enumerate(BANDS):
        counts = np.full((1, SIDE, SIDE), level + 100 * number, dtype=np.uint16)
        counts[:, gone:] = 0
        result[band] = counts
    scl = np.full((1, SIDE, SIDE), 4, dtype=np.uint8)
    cld = np.zeros((1, SIDE, SIDE), dtype=np.uint8)
    scl[:, :cloudy], cld[:, :cloudy] = 9, 100
    scl[:, gone:], cld[:, gone:] = 0, 255
    return {**result, "SCL": scl, "CLD": cld}


def write_stac(folder, chips, label=None, above="landcovernet_af/ref_landcovernet_af_v1"):
    """chip -> date -> layers, in the STAC layout; returns the folder of the collections."""
    base = folder / above
    own, images = "ref_landcovernet_af_v1_labels", "ref_landcovernet_af_v1_source_sentinel_2"
    members = []
    for chip, dates in chips.items():
        place = base / own / f"{own}_{chip}"
        write_tif(place / "labels.tif", labels() if label is None else label, **CORNER)
        hrefs = [f"../../{images}/{images}_{chip}_{day}/stac.json" for day in dates]
        links = [{"rel": "source", "href": href} for href in hrefs]
        (place / "stac.json").write_text(json.dumps({"links": links}))
        members.append({"rel": "item", "href": f"{own}_{chip}/stac.json"})
        for day, bands in dates.items():
            for band, values in bands.items():
                write_tif(
                    base / images / f"{images}_{chip}_{day}" / f"{band}.tif", values, **CORNER
                )
    (base / own).mkdir(parents=True, exist_ok=True)
    (base / own / "collection.json").write_text(json.dumps({"links": members}))
    return base


def write_bucket(folder, chips):
    """chip -> date -> layers, in the layout of the old bucket."""
    for chip, dates in chips.items():
        tile, number = chip.split("_")
        place = folder / "data" / "v1.0" / "2018" / tile / number
        write_tif(place / f"{chip}_2018_LC_10m.tif", labels(), **CORNER)
        for day, bands in dates.items():
            for band, values in bands.items():
                name = f"{chip}_{day}"
                write_tif(place / name / f"{name}_{band}_10m.tif", values, **CORNER)
    return folder
