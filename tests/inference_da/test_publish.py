"""COGs, item and quicklooks of an adapted product."""

import json

import h5py
import numpy as np
import pytest
import rasterio
from rio_cogeo.cogeo import cog_validate

from nndacss.errors import InputError
from nndacss.inference_da.plan import Wanted, inference_order, published_by
from nndacss.inference_da.stage import adapt_product
from nndacss.readers.probav import open_product
from tests.inference_da.products import write
from tests.models import keras_files
from tests.stages import begun

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Folder of the publication, adapted product and order."""
    root = tmp_path_factory.mktemp("publish")
    product = write(root / "PROBAV_333M.HDF5")
    generator = keras_files.save(root / "full.hdf5", keras_files.generator_arrays())
    cloud = keras_files.save(root / "cloud.hdf5", keras_files.cloud_arrays(seed=4))
    wanted = Wanted(product, root / "out.HDF5", generator, cloud, root / "stac", "cpu")
    order = inference_order(wanted)
    adapt_product(begun(order, root / "work"))
    return root / "stac" / "out", wanted, order


def test_cogs_hold_the_product(published):
    folder, wanted, _ = published
    with open_product(wanted.destination) as product:
        pixels, grid = product.read(), product.grid
    with h5py.File(wanted.destination) as file:
        cloud = file["CM_DAGANS"][()]
    missing = np.isnan(pixels[0])
    with rasterio.open(folder / "out_reflectance.tif") as raster:
        assert raster.descriptions == ("blue", "red", "nir", "swir16")
        assert raster.transform == grid.affine
        assert raster.crs.to_epsg() == 4326
        stored = raster.read()
        assert (stored[:, missing] == raster.nodata).all()
        np.testing.assert_allclose(stored[:, ~missing] * 1e-4, pixels[:, ~missing], atol=6e-5)
    with rasterio.open(folder / "out_mask.tif") as raster:
        codes = raster.read(1)
    assert np.array_equal(codes == 3, cloud > 0.5)
    assert np.array_equal(codes == 255, missing)
    with rasterio.open(folder / "out_probability.tif") as raster:
        steps = raster.read(1)
    assert np.abs(steps[~missing] * 0.004 - cloud[~missing]).max() < 0.0021
    for name in ("reflectance", "mask", "probability"):
        valid, errors, _ = cog_validate(folder / f"out_{name}.tif")
        assert valid, errors


def test_the_item(published):
    folder, _, order = published
    item = json.loads((folder / "item.json").read_text())
    assert item["properties"]["datetime"] == "2014-07-05T09:59:13.000Z"
    assert item["properties"]["platform"] == "proba-v"
    assert "translated to Landsat-8 by full" in item["properties"]["processing:lineage"]
    # the upper left pixel's centre is 10 E, 50 N; 70 rows of 1/336 degree
    north = 50 + 0.5 / 336
    west, south, east, top = item["bbox"]
    assert (west, top) == pytest.approx((10 - 0.5 / 336, north), abs=1e-4)
    assert (east, south) == pytest.approx((10 + 90.5 / 336, north - 70 / 336), abs=1e-4)
    mask = item["assets"]["mask"]
    assert mask["gsd"] == pytest.approx(331.3)
    assert [one["name"] for one in mask["classification:classes"]] == ["clear", "cloud", "nodata"]
    for asset in item["assets"].values():
        assert (folder / asset["href"]).stat().st_size == asset["file:size"]
    assert published_by(folder / "item.json", order.recipe.digest)
    assert not published_by(folder / "item.json", "0" * 64)
    files = {path.name for path in folder.iterdir() if not path.name.endswith(".aux.xml")}
    assert len(files) == 6, "no scratch file is left"


def test_only_what_is_missing_is_made_again(published, tmp_path):
    folder, wanted, order = published
    (folder / "item.json").unlink()
    before = wanted.destination.stat().st_mtime_ns
    adapt_product(begun(order, tmp_path / "work"))
    assert published_by(folder / "item.json", order.recipe.digest)
    assert wanted.destination.stat().st_mtime_ns == before


def test_without_a_time_there_is_no_item(tmp_path, published):
    _, wanted, _ = published
    product = write(tmp_path / "pv.HDF5", converted=True)
    with h5py.File(product, "r+") as file:
        del file.attrs["START_DATE"]
    again = Wanted(
        product, tmp_path / "o.HDF5", wanted.generator, wanted.cloud, tmp_path / "stac", "cpu"
    )
    with pytest.raises(InputError, match="no time of observation"):
        adapt_product(begun(inference_order(again), tmp_path / "work"))
    assert not list(tmp_path.rglob("item.json"))
