"""COGs: valid, tagged, and true to their source."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import rasterio
from osgeo import gdal
from rio_cogeo import cog_validate

from nndacss.product import cog, sheets
from tests.product.conftest import NAME, read

THINGS = ("reflectance", "mask", "source", "quality", "sun")


@pytest.mark.parametrize("thing", THINGS)
def test_is_a_valid_cog_with_overviews_down_to_one_block(product, thing):
    path = product / f"{NAME}_sr_{thing}.tif"
    valid, errors, warnings = cog_validate(path, strict=True)
    assert (valid, errors, warnings) == (True, [], [])
    with rasterio.open(path) as raster:
        assert raster.profile["compress"] == "deflate"
        assert raster.block_shapes[0] == (512, 512) or max(raster.shape) < 512
        assert raster.overviews(1) == ([2] if max(raster.shape) > 512 else [])


def test_pixels_are_those_of_the_source(product, chain):
    folder, _ = chain.input("harmonize")
    for thing in ("reflectance", "source"):
        expected = read(folder / f"{thing}.vrt")
        assert np.array_equal(read(product / f"{NAME}_sr_{thing}.tif"), expected)


def test_scale_nodata_and_names_through_rasterio_and_osgeo(product):
    path = product / f"{NAME}_sr_reflectance.tif"
    roles = ("blue", "green", "red", "nir08", "swir16", "swir22")
    with rasterio.open(path) as raster:
        assert raster.descriptions == roles
        assert raster.scales == (0.0001,) * 6
        assert raster.offsets == (0.0,) * 6
        assert raster.nodatavals == (-9999.0,) * 6
        assert raster.dtypes[0] == "int16"
    dataset = gdal.Open(str(path))
    band = dataset.GetRasterBand(4)
    found = (band.GetDescription(), band.GetScale(), band.GetOffset(), band.GetNoDataValue())
    assert found == ("nir08", 0.0001, 0.0, -9999.0)


def test_colours_and_class_names_through_rasterio_and_osgeo(product):
    path = product / f"{NAME}_sr_mask.tif"
    with rasterio.open(path) as raster:
        colours = raster.colormap(1)
        assert colours[3][:3] == (240, 140, 40)
        assert colours[1][:3] == (63, 48, 112)
        assert raster.nodata == 255
        assert raster.tags(1)["CLASS_3"] == "cloud"
        assert raster.tags(1)["CLASS_255"] == "nodata"
    dataset = gdal.Open(str(path))
    dataset.GetGeoTransform()  # GDAL 3.6 reads a TIFF's sidecar only when asked where it lies
    band = dataset.GetRasterBand(1)
    assert band.GetCategoryNames()[:4] == ["clear", "shadow", "snow", "cloud"]
    assert band.GetColorTable().GetColorEntry(2)[:3] == (64, 196, 220)
    assert band.GetMetadata()["CLASS_0"] == "clear"


def test_bits_are_named_in_the_file(product):
    with rasterio.open(product / f"{NAME}_sr_quality.tif") as raster:
        assert raster.tags(1)["BIT_3"] == "cloud"
        assert raster.tags(1)["BIT_8_9"] == "cloud_confidence"
    with rasterio.open(product / f"{NAME}_sr_source.tif") as raster:
        assert raster.tags(1)["BIT_4"] == "no_pan"


def test_sun_angles_are_degrees_of_the_scene(product):
    with rasterio.open(product / f"{NAME}_sr_sun.tif") as raster:
        counts = raster.read()
        assert raster.scales == (0.01, 0.01)
        assert raster.units == ("degree", "degree")
        assert raster.shape == (24, 22)
        assert raster.transform.a == 300
    assert np.all(counts[0] == 4125)
    assert np.all(counts[1] == 21350 - 36000)  # 213.5 as -146.5


@pytest.mark.parametrize(("coding", "codes"), [("fmask", (0, 8, 16, 2, 255)),
                                                ("scl", (5, 3, 11, 9, 0))])  # fmt: skip
def test_other_codings_by_table(tmp_path, chain, truth, coding, codes):
    folder, _ = chain.input("mask")
    sheet = sheets.recoded(coding)
    path = tmp_path / "coded.tif"
    cog.write_cog(folder / "labels.vrt", (), sheet, path, 1)
    table = dict(zip((0, 1, 2, 3, 255), codes, strict=True))
    expected = np.vectorize(table.get)(truth)
    assert np.array_equal(read(path)[0], expected)
    with rasterio.open(path) as raster:
        assert raster.nodata == codes[-1]


def test_the_same_bytes_with_any_number_of_threads(tmp_path, chain):
    folder, _ = chain.input("harmonize")
    sheet = sheets.reflectance(("blue", "green", "red", "nir08", "swir16", "swir22"), "SR")
    for threads in (1, 3):
        path = tmp_path / f"{threads}.tif"
        cog.write_cog(folder / "reflectance.vrt", (), sheet, path, threads)
    assert (tmp_path / "1.tif").read_bytes() == (tmp_path / "3.tif").read_bytes()


def test_a_truncated_file_is_not_readable(tmp_path, product):
    whole = (product / f"{NAME}_sr_reflectance.tif").read_bytes()
    for share in (0.2, 0.9, 1.0):
        path = tmp_path / "cut.tif"
        path.write_bytes(whole[: int(share * len(whole))])
        assert cog.readable(path) == (share == 1.0)
    assert not cog.readable(tmp_path / "none.tif")


def test_disk_full_names_the_file_and_leaves_nothing(tmp_path, chain):
    folder, _ = chain.input("harmonize")
    program = textwrap.dedent(f"""
        import resource, sys
        from pathlib import Path
        from nndacss.errors import OutputError
        from nndacss.product import cog, sheets
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
        sheet = sheets.reflectance(("blue", "green", "red", "nir08", "swir16", "swir22"), "SR")
        try:
            source = Path({str(folder / "reflectance.vrt")!r})
            cog.write_cog(source, (), sheet, Path({str(tmp_path / "full.tif")!r}), 1)
        except OutputError as error:
            print(error)
            sys.exit(7)
        """)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 7, done.stderr
    assert "full.tif" in done.stdout
    assert "disk space" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_read_only_folder_names_the_file():
    """As an ordinary user, since root may write anywhere."""
    if os.geteuid() != 0:
        pytest.skip("only root can become the user that may not write")
    program = textwrap.dedent("""
        import os, sys, tempfile
        from pathlib import Path
        import numpy as np, rasterio
        from osgeo import gdal
        from nndacss.errors import OutputError
        from nndacss.product import cog, sheets
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o555)
            with rasterio.open(f"{folder}/in.tif", "w", width=9, height=9, count=1,
                               dtype="uint8", driver="GTiff") as file:
                file.write(np.ones((1, 9, 9), dtype=np.uint8))
            os.seteuid(65534)
            try:
                cog.write_cog(Path(f"{folder}/in.tif"), (), sheets.source(),
                              Path(f"{folder}/out.tif"), 1)
            except OutputError as error:
                print(error)
            finally:
                os.seteuid(0)
            print(sorted(os.listdir(folder)))
        """)
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", program],
                          capture_output=True, text=True)  # fmt: skip
    assert "out.tif: found Permission denied" in done.stdout, done.stderr
    assert done.stdout.splitlines()[-1] == "['in.tif']"
