"""Small products whose items are as `nndacss.product` writes them."""

import json
import os
from datetime import UTC, datetime

import numpy as np
import rasterio
from affine import Affine

from nndacss.product import item


def make(root, name, day="2026-04-15", corner=(600_000, 5_500_000), cloud=10.0, **more):
    """A product folder with one band of 8 x 8 pixels in UTM 32N, its item last."""
    folder = root / name
    folder.mkdir(parents=True)
    west, north = corner
    transform = Affine(10, 0, west, 0, -10, north)
    shape = {"width": 8, "height": 8, "count": 1, "dtype": "int16"}
    with rasterio.open(
        folder / "red.tif", "w", driver="GTiff", crs="EPSG:32632", transform=transform, **shape
    ) as raster:
        raster.write(np.full((8, 8), int(cloud), dtype=np.int16), 1)
    longitude, latitude = more.pop("place", (9.0, 50.0))
    box = [longitude, latitude, longitude + 0.1, latitude + 0.1]
    ring = [(box[i], box[j]) for i, j in ((0, 1), (2, 1), (2, 3), (0, 3), (0, 1))]
    polygon = {"type": "Polygon", "coordinates": [[list(point) for point in ring]]}
    asset = {"href": "./red.tif", "type": item.COG, "roles": ["data"]}
    asset["file:size"] = (folder / "red.tif").stat().st_size
    properties = {"platform": "landsat-8", "eo:cloud_cover": cloud, "gsd": 10, **more}
    acquired = datetime.fromisoformat(f"{day}T10:00:00").replace(tzinfo=UTC)
    value = item.build(name, acquired, (polygon, box), properties, {"red": asset})
    draft = folder / f".draft-{os.getpid()}"
    draft.write_text(json.dumps(value))
    draft.replace(folder / "item.json")
    return folder
