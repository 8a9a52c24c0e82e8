"""The SAFE products: layout, bytes, radiometry, place, and what both sensors see alike."""

import hashlib
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
import zipfile

import numpy as np
import pytest
import rasterio
from osgeo import gdal

import nndacss
from nndacss.errors import GridError, OutputError, SettingsError
from nndacss.harmonize.bandpass import COEFFICIENTS
from nndacss.sensors import REFLECTIVE
from nndacss.simulate import write_landsat, write_sentinel2
from nndacss.simulate.__main__ import main
from nndacss.simulate.sky import Sky
from nndacss.simulate.targets import Flat, PointTarget, Ramp
from tests.simulate.simulated import band, labels

gdal.UseExceptions()
STILL = {"sky": None, "noise": False}
SMALL = {"rows": 180, "columns": 240}


def image(product, name):
    """Counts and georeference of a band, read by rasterio."""
    (path,) = product.glob(f"GRANULE/*/IMG_DATA/**/*_{name}*.jp2")
    with rasterio.open(path) as dataset:
        return dataset.read(1), dataset.transform, dataset.crs.to_epsg()


def digests(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    return write_sentinel2(
        tmp_path_factory.mktemp("safe"), rows=360, columns=300, cover=0.4, thickness=True
    )


def test_names_are_the_agencys(scene):
    # The sun stands at 150 degrees at 9:56 UTC on 15 April near 49.5 N, 10.6 E.
    assert scene.l1c.name.startswith("S2A_MSIL1C_20260415T0956")
    assert "_N0511_R065_T32UPV_" in scene.l1c.name
    assert scene.l2a.name.startswith("S2A_MSIL2A_20260415T0956")
    first = {path.stem.rpartition("_")[2] for path in scene.l1c.glob("GRANULE/*/IMG_DATA/*.jp2")}
    assert len(first) == 13
    assert {"B01", "B8A", "B10"} <= first
    second = {p.stem.split("_", 2)[2] for p in scene.l2a.glob("GRANULE/*/IMG_DATA/R*/*.jp2")}
    assert {"B02_10m", "B8A_20m", "SCL_20m", "B01_60m"} <= second
    assert not any("B10" in name for name in second)


@pytest.mark.parametrize(("name", "metres"), [("B02", 10), ("B8A", 20), ("B09", 60)])
def test_grids_are_the_agencys(scene, name, metres):
    pixels, place, epsg = image(scene.l1c, name)
    assert pixels.dtype == np.uint16
    assert pixels.shape == (3600 // metres, 3000 // metres)
    assert (place.a, place.e, place.c, place.f) == (metres, -metres, 613_200, 5_487_420)
    assert epsg == 32632


def test_gdal_opens_the_product_by_its_metadata(scene):
    for product, name in ((scene.l1c, "MTD_MSIL1C.xml"), (scene.l2a, "MTD_MSIL2A.xml")):
        whole = gdal.Open(str(product / name))
        assert whole.GetMetadataItem("PROCESSING_BASELINE") == "05.11"
        ten = gdal.Open(whole.GetSubDatasets()[0][0])
        assert ten.GetGeoTransform() == (613_200, 10, 0, 5_487_420, 0, -10)
        red = ten.GetRasterBand(1).ReadAsArray()
        np.testing.assert_array_equal(red, image(product, "B04")[0])


def test_metadata_name_what_is_there(scene):
    for product in (scene.l1c, scene.l2a):
        (metadata,) = product.glob("MTD_MSI*.xml")
        named = {f"{e.text}.jp2" for e in ElementTree.parse(metadata).iter("IMAGE_FILE")}
        there = {p.relative_to(product).as_posix() for p in product.glob("GRANULE/*/IMG*/**/*.jp2")}
        assert named == there
        listed = {
            element.get("href").removeprefix("./")
            for element in ElementTree.parse(product / "manifest.safe").iter("fileLocation")
        }
        files = {p.relative_to(product).as_posix() for p in product.rglob("*") if p.is_file()}
        assert listed == files - {"manifest.safe"}


def test_our_reader_reads_it(scene):
    opened = nndacss.open_scene(scene.l2a)
    assert opened.origin == "Simulated by NNDACSS, not an observation"
    assert (opened.sun_elevation, opened.sun_azimuth) == pytest.approx((45.0, 150.0), abs=1e-6)
    read = opened.read(("red",)).pixels[0]
    counts, _, _ = image(scene.l2a, "B04")
    np.testing.assert_allclose(read, (counts - 1000.0) / 10_000, atol=1e-6)
    known, flags = labels(scene.truth), opened.quality_flags(opened.grid("swir16"))
    blocks = (known == 3).reshape(180, 2, 150, 2).any(axis=(1, 3))
    np.testing.assert_array_equal(flags.cloud | flags.cirrus, blocks)
    with rasterio.open(next(scene.l2a.glob("GRANULE/*/QI_DATA/MSK_CLDPRB_20m.jp2"))) as mask:
        np.testing.assert_array_equal(mask.read(1), np.where(blocks, 100, 0))


def test_truth_is_thickness_of_three_tenths(scene):
    with rasterio.open(scene.thickness) as dataset:
        thickness = dataset.read(1)
    np.testing.assert_array_equal(labels(scene.truth) == 3, thickness >= 0.3)
    assert 0.3 < (thickness >= 0.3).mean() < 0.5


@pytest.mark.parametrize(("baseline", "offset"), [("02.09", 0), ("04.00", -1000), ("05.11", -1000)])
def test_flat_ground_comes_back_in_every_baseline(tmp_path, baseline, offset):
    scene = write_sentinel2(
        tmp_path, rows=60, columns=60, scene=Flat(0.2), baseline=baseline, **STILL
    )
    for product, names in ((scene.l1c, ("B01", "B04", "B12")), (scene.l2a, ("B08", "B8A"))):
        for name in names:
            # 0.2 * 10000 - offset
            assert np.unique(image(product, name)[0]).tolist() == [2000 - offset]
        text = next(product.glob("MTD_MSI*.xml")).read_text()
        assert text.count(">-1000<") == (13 if offset else 0)
        assert nndacss.open_scene(product).read(("red",)).pixels == pytest.approx(0.2, abs=1e-6)
    assert not labels(scene.truth).any()
    assert set(np.unique(image(scene.l2a, "SCL")[0])) == {5}


def test_same_arguments_same_bytes_whatever_block_and_threads(tmp_path):
    write_sentinel2(tmp_path / "a", **SMALL, seed=3, cover=0.4, thickness=True)
    write_sentinel2(tmp_path / "b", **SMALL, seed=3, cover=0.4, thickness=True, block=7, threads=3)
    first, second = digests(tmp_path / "a"), digests(tmp_path / "b")
    # GeoTIFFs beside the products are tiled: the order of writing shows in their bytes.
    products = {name for name in first if ".SAFE/" in name}
    assert len(products) == 13 + 12 + 3 + 2 * 3
    assert {n: first[n] for n in products} == {n: second[n] for n in products}
    for one in (tmp_path / "a").glob("*.tif"):
        with rasterio.open(one) as left, rasterio.open(tmp_path / "b" / one.name) as right:
            np.testing.assert_array_equal(left.read(1), right.read(1))


def test_zip_holds_the_product_and_is_the_same_every_time(tmp_path):
    one = write_sentinel2(tmp_path / "a", rows=60, columns=60, archive=True)
    two = write_sentinel2(tmp_path / "b", rows=60, columns=60, archive=True)
    assert one.l1c.name.endswith(".SAFE.zip")
    assert one.l1c.read_bytes() == two.l1c.read_bytes()
    with zipfile.ZipFile(one.l1c) as archive:
        assert f"{one.l1c.stem}/MTD_MSIL1C.xml" in archive.namelist()
    found = nndacss.open_scene(one.l1c).read(("blue",)).pixels
    assert np.isfinite(found).all()


@pytest.mark.parametrize("place", [{}, {"epsg": 32755, "north": 5_883_800.0, "west": 600_000.0}])
@pytest.mark.parametrize("name", ["B02", "B8A", "B01"])
def test_point_lies_where_it_was_put(tmp_path, place, name):
    west, north = place.get("west", 613_200.0), place.get("north", 5_487_420.0)
    x, y = west + 523.0, north - 611.0
    down = 10_000_000 if place else 0
    # Means over whole pixels keep the centre of a square of whole pixels: 60 m is one for all.
    target = PointTarget(x, y - down, size=60.0)
    scene = write_sentinel2(tmp_path, rows=120, columns=120, scene=target, **STILL, **place)
    counts, at, epsg = image(scene.l1c, name)
    assert epsg == place.get("epsg", 32632)
    weight = (counts - 1000.0) / 10_000 - 0.1
    assert weight.sum() * at.a**2 == pytest.approx(0.8 * 3600, rel=0.01)
    weight[np.abs(weight) < 2e-4] = 0
    rows, columns = np.indices(counts.shape) + 0.5
    found = [
        ((start + step * index) * weight).sum() / weight.sum()
        for start, step, index in ((at.c, at.a, columns), (at.f, at.e, rows))
    ]
    assert found == pytest.approx((x, y), abs=0.02 * at.a, rel=0)


def test_ramp_has_its_value_at_every_centre(tmp_path):
    ramp = Ramp(613_800.0, 5_486_820.0, east=2e-4, north=-1e-4)
    scene = write_sentinel2(tmp_path, rows=120, columns=120, scene=ramp, **STILL)
    for name in ("B04", "B11", "B09"):
        counts, at, _ = image(scene.l1c, name)
        rows, columns = np.indices(counts.shape) + 0.5
        x, y = at.c + at.a * columns, at.f + at.e * rows
        true = 0.3 + 2e-4 * (x - 613_800) - 1e-4 * (y - 5_486_820)
        assert np.abs((counts - 1000.0) / 10_000 - true).max() < 5.1e-5


def thirty(fine):
    """10 m pixels to Landsat's 30 m ones, whose edges lie 15 m on: (1/2, 1, 1, 1/2) / 3."""
    for axis in (0, 1):
        fine = np.moveaxis(fine, axis, 0)
        count = (fine.shape[0] - 5) // 3
        parts = [fine[1 + n : 1 + n + 3 * count : 3] for n in range(4)]
        fine = np.moveaxis((parts[0] / 2 + parts[1] + parts[2] + parts[3] / 2) / 3, 0, axis)
    return fine


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """role -> the same ground through both sensors, both on Landsat's grid."""
    folder = tmp_path_factory.mktemp("both")
    landsat = write_landsat(folder, rows=99, columns=99, north=5_487_405.0, swath=False, **STILL)
    scene = write_sentinel2(folder, rows=306, columns=306, levels=("L1C",), **STILL)
    sun = np.sin(np.radians(45))
    found = {}
    for number, role in enumerate(REFLECTIVE, 2):
        one = (2e-5 * band(landsat.l1, f"B{number}") - 0.1) / sun
        name = {"blue": "B02", "green": "B03", "red": "B04", "nir08": "B8A"}.get(role)
        name = name or {"swir16": "B11", "swir22": "B12"}[role]
        other = (image(scene.l1c, name)[0] - 1000.0) / 10_000
        if other.shape[0] == 153:
            other = other.repeat(2, axis=0).repeat(2, axis=1)
        found[role] = one, thirty(other)[:99, :99]
    return found


def test_both_sensors_see_the_same_ground_in_the_same_place(both):
    for role in ("blue", "green", "red"):
        one, other = (part[2:-2, 2:-2] for part in both[role])
        here = np.corrcoef(one.ravel(), other.ravel())[0, 1]
        assert here > 0.98
        for shift, axis in ((1, 0), (-1, 0), (1, 1), (-1, 1)):
            aside = np.roll(both[role][1], shift, axis)[2:-2, 2:-2]
            assert 1 - np.corrcoef(one.ravel(), aside.ravel())[0, 1] > 4 * (1 - here)


def test_bands_differ_as_published_for_real_scenes(both):
    # Landsat = slope * Sentinel-2 + offset, fitted by others to thousands of real scenes.
    for role in REFLECTIVE:
        one, other = (part[2:-2, 2:-2].ravel() for part in both[role])
        slope, offset = COEFFICIENTS["sentinel-2a"][role]
        assert np.abs(one - (slope * other + offset)).mean() < 0.006
        assert abs(one.mean() - (slope * other.mean() + offset)) < 0.004


def test_a_cloud_is_seen_aside_but_its_shadow_is_not(tmp_path):
    # 3000 m * tan(5.7106 degrees) = 300 m = 30 pixels to the east: before a place stands the
    # cloud that is over 30 pixels further east.
    sky = Sky(2, 0.3, altitude=3000.0, veils=0.0).over((613_200, 5_484_420, 616_200, 5_487_420))
    common = {"rows": 300, "columns": 300, "sky": sky, "levels": ("L1C",), "scene": Flat(0.1)}
    down = write_sentinel2(tmp_path / "down", view=(0.0, 90.0), **common)
    aside = write_sentinel2(tmp_path / "aside", view=(5.710593, 90.0), **common)
    one, other = labels(down.truth), labels(aside.truth)
    assert ((one[:, 30:] == 3) == (other[:, :-30] == 3)).mean() > 0.999
    assert 0.1 < (one == 3).mean() < 0.5
    open_in_both = (one != 3) & (other != 3)
    np.testing.assert_array_equal(one[open_in_both], other[open_in_both])


def test_bands_see_a_cloud_one_after_the_other(tmp_path):
    # B02 to B12 take 2.085 s; 10 km * 7.45 / 786 * 2.085 = 198 m along the flight path, 193 degrees
    # from north: the later band finds the veil 193 m = 9.6 pixels further north.
    sky = Sky(5, 0.5, veils=1.0).over((613_200, 5_480_220, 620_400, 5_487_420))
    high = [layer for layer in sky.layers if layer.height > 5000]
    assert len(high) == 1
    scene = write_sentinel2(
        tmp_path, rows=720, columns=720, sky=sky, scene=Flat(0.05), noise=False, levels=("L1C",)
    )
    blue = image(scene.l1c, "B02")[0].reshape(360, 2, 360, 2).mean(axis=(1, 3))
    late = image(scene.l1c, "B12")[0].astype(float)
    inner = blue[16:-16, 16:-16].ravel()

    def likeness(shift):
        """How much the late picture, carried down and right, is like the early one."""
        moved = np.roll(late, shift, axis=(0, 1))[16:-16, 16:-16]
        return np.corrcoef(inner, moved.ravel())[0, 1]

    shifts = [(down, right) for down in range(-14, 15) for right in range(-6, 7)]
    down, right = max(shifts, key=likeness)
    metres = high[0].height * 7.45 / 786 * 2.085
    north, east = metres * np.cos(np.radians(13)), metres * np.sin(np.radians(13))
    assert (down * 20, right * 20) == pytest.approx((north, -east), abs=21)


def test_beyond_the_swath_is_fill(tmp_path):
    scene = write_sentinel2(tmp_path, **SMALL, swath=0.6)
    fill = labels(scene.truth) == 255
    assert 0.3 < fill.mean() < 0.5
    assert not fill[:, 0].any()
    np.testing.assert_array_equal(image(scene.l1c, "B04")[0] == 0, fill)
    np.testing.assert_array_equal(image(scene.l2a, "B11")[0] == 0, fill[::2, ::2])


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        ({"epsg": 3031}, GridError, "32701"),
        ({"rows": 100}, GridError, "multiples of 6"),
        ({"baseline": "5.11"}, SettingsError, "baseline"),
        ({"baseline": "06.00"}, SettingsError, "baseline"),
        ({"levels": ("L3",)}, SettingsError, "levels"),
        ({"swath": 0}, SettingsError, "swath"),
        ({"sun_elevation": 0}, SettingsError, "sun_elevation"),
        ({"block": 0}, SettingsError, "block"),
        ({"date": "yesterday"}, SettingsError, "YYYY-MM-DD"),
    ],
)
def test_wrong_arguments_are_named(tmp_path, wrong, error, words):
    with pytest.raises(error, match=words):
        write_sentinel2(tmp_path, **{**SMALL, **wrong})
    assert not list(tmp_path.iterdir())


def test_an_existing_product_is_an_error(tmp_path):
    scene = write_sentinel2(tmp_path, rows=60, columns=60)
    before = digests(tmp_path)
    with pytest.raises(OutputError, match=scene.l1c.name):
        write_sentinel2(tmp_path, rows=60, columns=60, seed=9)
    assert digests(tmp_path) == before


def test_command_writes_both_sensors_over_one_place(tmp_path, capsys):
    size = ["--rows", "60", "--columns", "60"]
    assert main([str(tmp_path), "--sensor", "both", "--south", "--cover", "0.5", *size]) == 0
    l1, l2, l1c, l2a = (tmp_path / line for line in capsys.readouterr().out.splitlines())
    assert nndacss.open_scene(l1c).identity.name in l2a.with_name(l1c.name).name
    with rasterio.open(l1.with_name(f"{l1.name}_truth.tif")) as dataset:
        frame, known = dataset.bounds, dataset.read(1)
    assert l2.exists()
    with rasterio.open(l1c.with_name(f"{l1c.stem}_truth.tif")) as dataset:
        assert dataset.crs.to_epsg() == 32755
        at, fine = dataset.transform, dataset.read(1)
    # The label at a Landsat pixel's centre, from both. Lines of sight differ by 6 degrees, so
    # clouds lie elsewhere, but not what is on the ground.
    column = np.floor((frame.left + 30 * (np.arange(60) + 0.5) - at.c) / 10).astype(int)
    row = np.floor((at.f - (frame.top + 1e7 - 30 * (np.arange(60) + 0.5))) / 10).astype(int)
    same = fine[np.ix_(row, column)]
    seen = (known != 255) & (known != 3) & (same != 3)
    assert (known[seen] == 1).any()
    assert (same == known)[seen].mean() > 0.97


@pytest.mark.slow
def test_memory_does_not_grow_with_the_scene(tmp_path):
    code = (
        "import resource, sys; from nndacss.simulate import write_sentinel2;"
        "n = int(sys.argv[1]); write_sentinel2(sys.argv[2], rows=n, columns=n);"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)"
    )
    peaks = [
        int(
            subprocess.run(
                [sys.executable, "-c", code, str(side), str(tmp_path / str(side))],
                check=True,
                capture_output=True,
                text=True,
            ).stdout
        )
        for side in (1500, 3000)
    ]
    assert peaks[1] < peaks[0] + 100
