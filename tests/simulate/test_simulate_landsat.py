"""The products: layout, bytes, truth and calibration."""

import hashlib
import subprocess
import sys
import tarfile

import numpy as np
import pytest
import rasterio

from nndacss.errors import GridError, OutputError, SettingsError
from nndacss.simulate import write_landsat
from nndacss.simulate.__main__ import main
from nndacss.simulate.sky import Layer, Sky
from nndacss.simulate.targets import Flat
from tests.simulate.simulated import band, labels

SMALL = {"rows": 70, "columns": 90}


def digests(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_names_are_the_agencys(pair):
    assert pair.l1.name == "LC08_L1TP_195025_20260415_20260420_02_T1"
    assert pair.l2.name == "LC08_L2SP_195025_20260415_20260420_02_T1"
    first = {path.name.removeprefix(pair.l1.name) for path in pair.l1.iterdir()}
    assert first == {f"_B{n}.TIF" for n in range(1, 12)} | {
        *("_QA_PIXEL.TIF", "_QA_RADSAT.TIF", "_SAA.TIF", "_SZA.TIF"),
        *("_MTL.txt", "_MTL.json", "_MTL.xml"),
    }
    second = {path.name.removeprefix(pair.l2.name) for path in pair.l2.iterdir()}
    assert second == {f"_SR_B{n}.TIF" for n in range(1, 8)} | {
        *("_ST_B10.TIF", "_QA_PIXEL.TIF", "_QA_RADSAT.TIF", "_SR_QA_AEROSOL.TIF"),
        *("_MTL.txt", "_MTL.json", "_MTL.xml"),
    }
    assert {path.name for path in pair.l1.parent.iterdir()} == {
        pair.l1.name,
        pair.l2.name,
        pair.truth.name,
    }


def test_rasters_are_as_the_agencys(pair):
    for name, dtype in (("B4", "uint16"), ("B8", "uint16"), ("SAA", "int16"), ("SZA", "int16")):
        with rasterio.open(pair.l1 / f"{pair.l1.name}_{name}.TIF") as dataset:
            assert dataset.dtypes == (dtype,)
            assert dataset.crs.to_epsg() == 32632
            assert dataset.profile["tiled"]
            assert dataset.profile["compress"] == "deflate"
            assert dataset.tags()["AREA_OR_POINT"] == "Point"
    assert band(pair.l1, "B8").shape == (599, 579)
    # Sun at 150 degrees, 45 high: azimuth and zenith in hundredths of a degree, 0 where fill.
    assert set(np.unique(band(pair.l1, "SAA"))) == {0, 15000}
    assert set(np.unique(band(pair.l1, "SZA"))) == {0, 4500}


def test_same_arguments_same_bytes(tmp_path):
    first = write_landsat(tmp_path / "a", **SMALL, seed=3)
    second = write_landsat(tmp_path / "b", **SMALL, seed=3)
    other = write_landsat(tmp_path / "c", **SMALL, seed=4)
    assert digests(tmp_path / "a") == digests(tmp_path / "b")
    assert (band(first.l1, "B4") == band(second.l1, "B4")).all()
    assert (band(first.l1, "B4") != band(other.l1, "B4")).mean() > 0.5


def test_blocks_and_threads_change_no_pixel(tmp_path):
    names = ("B1", "B5", "B8", "B9", "B10", "QA_PIXEL")
    whole = write_landsat(tmp_path / "whole", **SMALL, cover=0.4)
    parts = write_landsat(tmp_path / "parts", **SMALL, cover=0.4, block=37, threads=3)
    for name in names:
        np.testing.assert_array_equal(band(whole.l1, name), band(parts.l1, name))
    for name in ("SR_B2", "SR_B7", "ST_B10", "SR_QA_AEROSOL"):
        np.testing.assert_array_equal(band(whole.l2, name), band(parts.l2, name))
    np.testing.assert_array_equal(labels(whole.truth), labels(parts.truth))


def test_a_part_of_a_scene_sees_the_same_ground(tmp_path):
    still = {"sky": None, "swath": False, "west": 613_215.0}
    whole = write_landsat(tmp_path / "whole", rows=60, columns=60, north=5_487_405.0, **still)
    still["west"] += 300
    part = write_landsat(tmp_path / "part", rows=40, columns=50, north=5_486_805.0, **still)
    np.testing.assert_array_equal(band(part.l1, "B5"), band(whole.l1, "B5")[20:60, 10:60])
    np.testing.assert_array_equal(band(part.l1, "B8"), band(whole.l1, "B8")[40:119, 20:119])


def test_flat_ground_comes_back_within_half_a_count(tmp_path):
    pair = write_landsat(
        tmp_path,
        rows=20,
        columns=20,
        scene=Flat(0.2),
        sky=None,
        noise=False,
        swath=False,
        sun_elevation=30.0,
    )
    # Level 1: (2e-5 DN - 0.1) / sin(30 degrees), so half a count is 1e-5 / 0.5 = 2e-5.
    for name in ("B1", "B4", "B7", "B8"):
        reflectance = (2e-5 * band(pair.l1, name) - 0.1) / 0.5
        assert np.abs(reflectance - 0.2).max() <= 2e-5 * 1.001
    # Level 2: 2.75e-5 DN - 0.2, half a count is 1.375e-5.
    for name in ("SR_B1", "SR_B7"):
        assert np.abs(2.75e-5 * band(pair.l2, name) - 0.2 - 0.2).max() <= 1.375e-5 * 1.001
    # Brightness temperature of Level 1 is surface temperature of Level 2 without an atmosphere.
    radiance = 3.342e-4 * band(pair.l1, "B10") + 0.1
    kelvin = 1321.0789 / np.log(774.8853 / radiance + 1)
    surface = 0.00341802 * band(pair.l2, "ST_B10") + 149.0
    assert np.abs(kelvin - surface).max() < 0.01
    assert 270 < surface.mean() < 310
    # Nothing but clear: bit 6, and low confidence (01) of cloud, shadow, snow and cirrus.
    assert set(np.unique(band(pair.l1, "QA_PIXEL"))) == {64 + 256 + 1024 + 4096 + 16384}
    assert not labels(pair.truth).any()
    assert not band(pair.l1, "QA_RADSAT").any()


def test_saturation_is_flagged(tmp_path):
    # Level 1 ends at 2e-5 * 65535 - 0.1 = 1.2107 = 1.5 * sin(53.8 degrees).
    still = {"sky": None, "noise": False, "swath": False, "sun_elevation": 70.0}
    pair = write_landsat(tmp_path, rows=4, columns=4, scene=Flat(1.5), **still)
    assert (band(pair.l1, "B5") == 65535).all()
    assert set(np.unique(band(pair.l1, "QA_RADSAT"))) == {127}
    assert 'SATURATION_BAND_5 = "Y"' in (pair.l1 / f"{pair.l1.name}_MTL.txt").read_text()


def test_quality_bits_are_the_truth(pair):
    bits, known = band(pair.l1, "QA_PIXEL").astype(int), labels(pair.truth)
    fill = known == 255
    assert ((bits & 1 == 1) == fill).all()
    assert (bits[fill] == 1).all()
    assert ((bits >> 3 & 1 == 1) == (known == 3)).all()
    assert ((bits >> 4 & 1 == 1) == (known == 1)).all()
    snow = bits >> 5 & 1 == 1
    assert (snow[known == 2]).all()
    assert not snow[(known == 0) | (known == 3)].any()
    assert ((bits >> 8 & 3 == 3) == (known == 3)).all()
    assert ((bits >> 10 & 3 == 3) == (known == 1)).all()
    clear, dilated = bits >> 6 & 1 == 1, bits >> 1 & 1 == 1
    assert (clear == (~fill & (known != 3) & ~dilated)).all()
    assert not (dilated & (known == 3)).any()
    np.testing.assert_array_equal(bits, band(pair.l2, "QA_PIXEL"))
    assert {0, 1, 2, 3, 255} == set(np.unique(known))
    # Real scenes hold these values: clear land, cloud, shadow on clear land, snow.
    assert {21824, 22280, 23888, 30048, 1} <= set(np.unique(bits))


def test_cover_in_metadata_and_near_to_asked(pair):
    known = labels(pair.truth)
    cover = (known == 3).sum() / (known != 255).sum()
    text = (pair.l1 / f"{pair.l1.name}_MTL.txt").read_text()
    assert f"CLOUD_COVER = {100 * cover:.2f}" in text
    assert abs(cover - 0.2) < 0.05


def test_fill_is_fill_in_every_band(pair):
    fill = labels(pair.truth) == 255
    assert 0.05 < fill.mean() < 0.3
    for name in ("B1", "B9", "B10"):
        np.testing.assert_array_equal(band(pair.l1, name) == 0, fill)
    for name in ("SR_B7", "ST_B10"):
        np.testing.assert_array_equal(band(pair.l2, name) == 0, fill)
    # Pan pixel (2i, 2j) has the centre of pixel (i, j).
    np.testing.assert_array_equal((band(pair.l1, "B8") == 0)[::2, ::2], fill)


@pytest.mark.parametrize(
    ("north", "azimuth", "down", "right"),
    [
        # Northern: sun in the south-east (135), shadow to the north-west: up and left.
        (5_487_405.0, 135.0, -20, -20),
        # Southern: sun in the north-east (45), shadow to the south-west: down and left.
        (-4_116_195.0, 45.0, 20, -20),
    ],
)
def test_shadow_lies_where_geometry_puts_it(tmp_path, north, azimuth, down, right):
    # Cloud at 848.53 m, sun at 45 degrees: 848.53 m aside, 600 m = 20 pixels on each axis.
    sky = Sky(2, 0.15, altitude=848.528, veils=0.0, haze=0.0)
    pair = write_landsat(
        tmp_path,
        rows=260,
        columns=260,
        north=north,
        scene=Flat(0.3),
        sky=sky,
        noise=False,
        swath=False,
        sun_azimuth=azimuth,
    )
    red = 2.75e-5 * band(pair.l2, "SR_B4") - 0.2
    bits = band(pair.l1, "QA_PIXEL").astype(int)
    # Well inside a cloud (bright) the ground 20 pixels on is dark unless cloud covers it.
    core = red > 0.55
    moved = np.roll(core, (down, right), axis=(0, 1))
    rim = slice(20, -20)
    seen = moved[rim, rim] & (bits >> 3 & 1 == 0)[rim, rim] & (bits >> 1 & 1 == 0)[rim, rim]
    assert seen.sum() > 30
    assert (bits >> 4 & 1 == 1)[rim, rim][seen].all()
    assert red[rim, rim][seen].max() < 0.22
    astray = np.roll(core, (-down, -right), axis=(0, 1))[rim, rim]
    assert astray.sum() > 30
    assert (bits >> 4 & 1 == 1)[rim, rim][astray].mean() < 0.3


def test_archive_holds_the_files_at_its_top(tmp_path):
    pair = write_landsat(tmp_path / "a", **SMALL, archive=True)
    again = write_landsat(tmp_path / "b", **SMALL, archive=True)
    assert pair.l2.suffix == ".tar"
    assert pair.l1.read_bytes() == again.l1.read_bytes()
    with tarfile.open(pair.l1) as tar:
        names = tar.getnames()
    assert f"{pair.l1.stem}_MTL.txt" in names
    assert len(names) == 18
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == sorted(
        [pair.l1.name, pair.l2.name, pair.truth.name]
    )


def test_an_existing_product_is_an_error(tmp_path):
    pair = write_landsat(tmp_path, **SMALL)
    before = digests(tmp_path)
    with pytest.raises(OutputError, match=pair.l1.name):
        write_landsat(tmp_path, **SMALL, seed=9)
    assert digests(tmp_path) == before
    second = write_landsat(tmp_path, **SMALL, spacecraft=9)
    assert second.l1.name.startswith("LC09_L1TP_")


def test_a_failure_leaves_nothing(tmp_path):
    class Broken:
        def reflectance(self, x, y, roles):
            raise RuntimeError("no ground here")

    with pytest.raises(RuntimeError, match="no ground here"):
        write_landsat(tmp_path / "out", **SMALL, scene=Broken())
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        ({"epsg": 32732}, GridError, "negative northing"),
        ({"rows": 1}, GridError, "2 x 2"),
        ({"sun_elevation": 0}, SettingsError, "sun_elevation"),
        ({"path_row": (300, 1)}, SettingsError, "path_row"),
        ({"spacecraft": 7}, SettingsError, "8 or 9"),
        ({"date": "yesterday"}, SettingsError, "YYYY-MM-DD"),
        ({"block": 0}, SettingsError, "block"),
        ({"cover": 2}, SettingsError, "cover"),
    ],
)
def test_wrong_arguments_are_named(tmp_path, wrong, error, words):
    with pytest.raises(error, match=words):
        write_landsat(tmp_path, **{**SMALL, **wrong})
    assert not list(tmp_path.iterdir())


def test_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file"):
        write_landsat(tmp_path / "file" / "out", **SMALL)


def test_command_names_both_products(tmp_path, capsys):
    arguments = [str(tmp_path), "--rows", "40", "--columns", "50", "--seed", "2", "--south"]
    assert main(arguments) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith("LC08_L1TP_091086_20261012_20261017_02_T1")
    assert second.endswith("LC08_L2SP_091086_20261012_20261017_02_T1")
    with rasterio.open(f"{first}/{first.rpartition('/')[2]}_B8.TIF") as dataset:
        assert dataset.crs.to_epsg() == 32655
        assert dataset.bounds.top < 0
    assert main(arguments) == 1
    assert "error: " in capsys.readouterr().err


def test_importing_the_package_is_cheap():
    code = "import sys, nndacss.simulate; sys.exit(bool({'numpy', 'rasterio'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_layer_without_level_is_no_cloud():
    layer = Layer(0, 1000.0, 5.0, (500.0,), np.inf)
    assert not layer.thickness(np.zeros((1, 3)), np.zeros((2, 1))).any()
