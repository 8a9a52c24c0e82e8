"""A scene with a label raster: tiles, grids, codes, and what must not pass."""

import numpy as np
import pytest
import rasterio
from affine import Affine
from odc.geo.geobox import GeoBox

from nndacss.datasets.label_raster import opened
from nndacss.datasets.labelled_scene import DATASET
from nndacss.errors import DatasetError, InputError
from nndacss.labels.sets import from_labels
from nndacss.readers import open_scene
from nndacss.simulate.landsat import write_landsat
from nndacss.simulate.sentinel2 import write_sentinel2
from tests.datasets.examples import write_tif


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    return write_landsat(tmp_path_factory.mktemp("scene"), seed=5, rows=150, columns=170)


@pytest.fixture(scope="module")
def truth(pair):
    """Codes, transform and CRS of the label raster."""
    with rasterio.open(pair.truth) as raster:
        return raster.read(1), raster.transform, raster.crs


def whole(dataset):
    """All tiles put together: pixels, sets, and how often a pixel was labelled."""
    tiles = [(name, dataset.load(name)) for name in dataset.names()]
    places = [tuple(int(number) for number in name.split("_")) for name, _ in tiles]
    rows = max(r + s.sets.shape[0] for (r, _), (_, s) in zip(places, tiles, strict=True))
    columns = max(c + s.sets.shape[1] for (_, c), (_, s) in zip(places, tiles, strict=True))
    pixels = np.full((len(tiles[0][1].roles), rows, columns), np.nan, dtype=np.float32)
    sets, times = np.zeros((rows, columns), np.uint16), np.zeros((rows, columns), int)
    for (row, column), (_, sample) in zip(places, tiles, strict=True):
        height, width = sample.sets.shape
        place = np.s_[row : row + height, column : column + width]
        pixels[:, *place] = sample.pixels
        sets[place] |= sample.sets
        times[place] += sample.sets != 0
    return pixels, sets, times


def test_every_label_comes_once(pair, truth):
    codes, _, _ = truth
    _, sets, times = whole(DATASET(product=pair.l1, labels=pair.truth, tile=64))
    np.testing.assert_array_equal(sets, from_labels(codes))
    assert times.max() == 1


def test_pixels_are_the_scene_s_own(pair):
    pixels, _, _ = whole(DATASET(product=pair.l1, labels=pair.truth, roles=("red",), tile=64))
    scene = open_scene(pair.l1)
    with rasterio.open(pair.l1 / f"{pair.l1.name}_B4.TIF") as raster:
        counts = raster.read(1)
    # USGS, Landsat 8-9 Collection 2 Level 1 Data Format Control Book: DN x 2e-5 - 0.1, over sine
    expected = (counts * 2e-5 - 0.1) / np.sin(np.deg2rad(scene.sun_elevation))
    seen = counts > 0
    np.testing.assert_allclose(pixels[0][seen], expected[seen], atol=1e-5)
    assert np.isnan(pixels[0][~seen]).all()


def test_labels_of_a_part_lie_where_their_crs_says(pair, truth, tmp_path):
    codes, transform, crs = truth
    moved = transform @ Affine.translation(30, 20)
    path = write_tif(tmp_path / "part.tif", codes[None, 20:84, 30:100], crs=crs, transform=moved)
    part = DATASET(product=pair.l2, labels=path, roles=("nir08",), tile=128).load("000000_000000")
    scene = open_scene(pair.l2)
    own = scene.read(("nir08",)).pixels[:, 20:84, 30:100]
    np.testing.assert_array_equal(part.pixels, own)
    assert (part.level, part.metres, part.sensor) == ("SR", 30.0, "landsat8_oli")
    assert part.sun == (scene.sun_elevation, scene.sun_azimuth)


def test_finer_labels_are_brought_to_metres(pair, truth, tmp_path):
    codes, transform, crs = truth
    fine = np.kron(codes, np.ones((2, 2), dtype=np.uint8))
    fine[::2, ::2] = 3 - fine[::2, ::2] % 4  # one in four differs: the majority stays
    path = write_tif(
        tmp_path / "fine.tif", fine[None], crs=crs, transform=transform @ Affine.scale(0.5)
    )
    dataset = DATASET(product=pair.l1, labels=path, metres=30, roles=("blue",), tile=200)
    (name,) = dataset.names()
    sample = dataset.load(name)
    assert sample.metres == 30.0
    inside = codes != 255
    np.testing.assert_array_equal(sample.sets[inside], from_labels(codes)[inside])
    own = open_scene(pair.l1).read(("blue",)).pixels
    np.testing.assert_array_equal(sample.pixels, own)


def test_own_codes_and_nodata(pair, truth, tmp_path):
    codes, transform, crs = truth
    ours = np.full(codes.shape, 7, dtype=np.uint16)
    ours[0, :3] = 11, 12, 500
    path = write_tif(tmp_path / "c.tif", ours[None], crs=crs, transform=transform, nodata=500)
    meanings = {"7": [], "11": "shadow", "12": ["clear", "snow"]}
    dataset = DATASET(product=pair.l1, labels=path, codes=meanings, tile=64)
    first, *_, last = dataset.names()
    assert dataset.load(first).sets[0, :4].tolist() == [2, 5, 0, 0]
    empty = dataset.load(last)
    assert not empty.sets.any()
    assert np.isnan(empty.pixels).all()


def test_labels_without_crs_must_have_the_size_of_a_band(pair, truth, tmp_path):
    codes, _, _ = truth
    path = write_tif(tmp_path / "plain.tif", codes[None])
    found = whole(DATASET(product=pair.l1, labels=path, tile=64))[1]
    np.testing.assert_array_equal(found, from_labels(codes))
    write_tif(path, codes[None, 1:])
    with pytest.raises(DatasetError, match=r"no CRS; expected a CRS, or the size of a band"):
        DATASET(product=pair.l1, labels=path).names()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"crs": "EPSG:32601"}, r"found EPSG:32601; expected EPSG:326"),
        ({"transform": Affine(30, 0, 0, 0, -30, 0)}, r"found labels at 0, "),
        ({"transform": Affine(30, 0, 0, 0, 30, 0)}, r"expected square, north up"),
        ({"transform": Affine(30, 1, 0, 0, -30, 0)}, r"expected square, north up"),
        ({"dtype": "float32"}, r"1 bands of float32; expected one band of whole numbers"),
        ({"bands": 2}, r"2 bands of uint8"),
    ],
)
def test_labels_elsewhere(pair, truth, tmp_path, change, message):
    codes, transform, crs = truth
    place = {"crs": crs, "transform": transform} | {
        key: value for key, value in change.items() if key in ("crs", "transform")
    }
    bands = np.stack([codes] * change.get("bands", 1)).astype(change.get("dtype", "uint8"))
    path = write_tif(tmp_path / "labels.tif", bands, **place)
    with pytest.raises(DatasetError, match=message):
        DATASET(product=pair.l1, labels=path).names()


def test_unknown_code(pair, truth, tmp_path):
    codes, transform, crs = truth
    path = write_tif(
        tmp_path / "labels.tif", np.full_like(codes, 9)[None], crs=crs, transform=transform
    )
    with pytest.raises(DatasetError, match=r"labels.tif: found label codes \[9\]"):
        DATASET(product=pair.l1, labels=path).load("000000_000000")


def test_metres_must_fit(pair):
    with pytest.raises(DatasetError, match=r"metres = 45 for labels of 30 m; expected a multiple"):
        DATASET(product=pair.l1, labels=pair.truth, metres=45).names()


@pytest.mark.parametrize(
    ("codes", "message"),
    [({"300": "clear"}, "no number from 0 to 255"), ({"1": "fog"}, "no class 'fog'")],
)
def test_wrong_meanings(pair, codes, message):
    with pytest.raises(ValueError, match=message):
        DATASET(product=pair.l1, labels=pair.truth, codes=codes)


def test_level_1_and_2_are_one_scene(pair):
    one = DATASET(product=pair.l1, labels=pair.truth)
    two = DATASET(product=pair.l2, labels=pair.truth)
    assert one.scene("000000_000000") == two.scene("000000_000000")
    assert one.fingerprint() != two.fingerprint()


def test_no_product_and_no_labels(pair, tmp_path):
    with pytest.raises(InputError, match="nothing"):
        DATASET(product=tmp_path / "x", labels=pair.truth).fingerprint()
    with pytest.raises(DatasetError, match="no such file; expected a label raster"):
        DATASET(product=pair.l1, labels=tmp_path / "x.tif").fingerprint()


def test_scene_is_opened_once_a_process(pair):
    assert opened(pair.l1) is opened(pair.l1)
    assert isinstance(opened(pair.l1).grid("red"), GeoBox)


def test_sentinel2(tmp_path):
    made = write_sentinel2(tmp_path, seed=2, rows=120, columns=132, levels=("L1C",))
    dataset = DATASET(product=made.l1c, labels=made.truth)
    (name,) = dataset.names()
    sample = dataset.load(name)
    with rasterio.open(made.truth) as raster:
        np.testing.assert_array_equal(sample.sets, from_labels(raster.read(1)))
        metres = raster.res[0]
    (band,) = made.l1c.glob("GRANULE/*/IMG_DATA/*_B04.jp2")
    with rasterio.open(band) as raster:
        counts = raster.read(1).astype(np.float64)
    # Sentinel-2 Products Specification Document, baseline 04.00 on: (DN - 1000) / 10000
    assert metres == sample.metres == 10.0
    red = sample.pixels[sample.roles.index("red")]
    np.testing.assert_allclose(red, (counts - 1000) / 10000, atol=1e-6)
    assert (sample.sensor, sample.level) == ("sentinel2_msi", "TOA")
    assert sample.sun == pytest.approx((45, 150), abs=0.5)
