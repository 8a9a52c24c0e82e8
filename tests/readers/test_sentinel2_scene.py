"""Pixels of Sentinel-2 scenes, against hand-worked numbers, rasterio and GDAL's own drivers."""

from __future__ import annotations

import shutil
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from odc.geo.geobox import GeoBox
from rasterio.warp import Resampling, reproject
from rasterio.warp import transform as warp_points

import nndacss
from nndacss.errors import BandError, InputError, LossWarning, MetadataError
from nndacss.mask.quality import class_table
from nndacss.mask.settings import MaskSettings
from nndacss.readers.layers import Layer
from nndacss.readers.sentinel2.layers import SATURATED_REFLECTANCE
from nndacss.sensors import REFLECTIVE
from tests.readers.safe_recipes import METRES, Recipe, pack, rows, write_image


def open_scene(path, l1=None):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LossWarning)
        return nndacss.open_scene(path, l1)


def waves(metres: int, size: int = 60) -> np.ndarray:
    """DN 1500 to 4500 that differ from pixel to pixel."""
    side = size * 10 // metres
    row, column = np.mgrid[:side, :side] * metres / 10
    return np.rint(3000 + 1000 * np.sin(row / 7) * np.cos(column / 5) + 5 * row).astype("u2")


@pytest.fixture(scope="module")
def numbers():
    return {band: waves(metres) + n for n, (band, metres) in enumerate(METRES.items())} | {
        "SCL": np.arange(900).reshape(30, 30) % 12
    }


@pytest.fixture(scope="module")
def l1c(tmp_path_factory, numbers) -> Path:
    return Recipe(numbers=numbers).write(tmp_path_factory.mktemp("l1c"))


@pytest.fixture(scope="module")
def l2a(tmp_path_factory, numbers) -> Path:
    return Recipe(level="2A", numbers=numbers).write(tmp_path_factory.mktemp("l2a"))


@pytest.mark.parametrize("role", ["blue", "nir", "nir08", "swir22", "coastal", "cirrus"])
def test_each_band_at_its_native_resolution(l1c, numbers, role) -> None:
    scene = open_scene(l1c)
    band = scene.sensor.band(role)
    raster = scene.read([role])
    assert raster.grid.affine == Affine(band.metres, 0, 399960, 0, -band.metres, 5800020)
    assert raster.grid.crs.epsg == 32632
    expected = (numbers[band.name].astype(float) - 1000) / 10000
    np.testing.assert_allclose(raster.pixels[0], expected, atol=2e-7)


@pytest.mark.parametrize("kind", ["L1C", "L2A"])
def test_the_same_pixels_as_gdals_sentinel_2_driver(l1c, l2a, kind) -> None:
    safe, name = (l1c, "MTD_MSIL1C.xml") if kind == "L1C" else (l2a, "MTD_MSIL2A.xml")
    scene = open_scene(safe)
    with rasterio.open(safe / name) as product:
        subsets = [subset for subset in product.subdatasets if ":TCI:" not in subset]
    looked = set()
    for subset in subsets:
        with rasterio.open(subset) as raster:
            for index in raster.indexes:
                tags = raster.tags(index)
                band = tags.get("BANDNAME", "")
                roles = [b.role for b in scene.sensor.bands if b.name.replace("B0", "B") == band]
                if not roles or scene.sensor.band(roles[0]).metres != raster.transform.a:
                    continue
                own = scene.read(roles)
                assert own.grid.affine == raster.transform
                numbers = raster.read(index).astype(float)
                np.testing.assert_allclose(own.pixels[0], numbers / 10000 - 0.1, atol=2e-7)
                looked |= set(roles)
    assert looked >= {"blue", "green", "red", "nir", "nir08", "swir16", "swir22"}


def test_20_m_bands_on_the_10_m_grid_by_the_projects_kernel(l1c, numbers) -> None:
    """Against GDAL's own cubic warp, where the kernel lies inside the band."""
    scene = open_scene(l1c)
    grid = scene.grid("red")
    found = scene.read(["red", "nir08"], grid)
    np.testing.assert_allclose(found.band("red"), numbers["B04"] / 10000 - 0.1, atol=2e-6)
    expected = np.empty(grid.shape, dtype=np.float32)
    reproject(
        (numbers["B8A"] / 10000 - 0.1).astype(np.float32),
        expected,
        src_transform=scene.grid("nir08").affine,
        src_crs="EPSG:32632",
        dst_transform=grid.affine,
        dst_crs="EPSG:32632",
        resampling=Resampling.cubic,
    )
    inner = np.s_[4:-4, 4:-4]
    np.testing.assert_allclose(found.band("nir08")[inner], expected[inner], atol=2e-6)


def test_zero_is_nodata_before_the_offset(tmp_path) -> None:
    dn = np.full((60, 60), 1000, dtype="u2")  # reflectance 0: an observation
    dn[:10], dn[10] = 0, 1  # no observation; reflectance -0.0999
    scene = open_scene(Recipe(size=60, numbers={"B04": dn}, suffix="tif").write(tmp_path))
    red = scene.read(["red"]).pixels[0]
    assert np.isnan(red[:10]).all()
    assert red[10] == pytest.approx(-0.0999, abs=1e-6)
    assert np.abs(red[11:]).max() < 1e-6
    there = scene.present(REFLECTIVE, scene.grid("red"))
    assert not there[:10].any()
    assert there[10:].all()


def test_offsets_go_to_their_own_bands(tmp_path) -> None:
    offsets = {"B02": -1000, "B03": -500, "B04": 0, "B8A": -900}
    recipe = Recipe(offsets=offsets, size=12, suffix="tif")
    recipe.without = tuple(band for band in METRES if band not in offsets)
    scene = open_scene(recipe.write(tmp_path))
    means = scene.read(["blue", "green", "red", "nir08"], scene.grid("red")).pixels.mean((1, 2))
    assert means == pytest.approx([0.15, 0.2, 0.25, 0.16], abs=1e-6)


def test_a_band_without_its_offset_is_refused(tmp_path) -> None:
    safe = Recipe(offsets={"B04": -1000}, size=12, suffix="tif").write(tmp_path)
    with pytest.raises(MetadataError, match="no offset; expected one for B01"):
        open_scene(safe)


def test_saturated_pixels(tmp_path) -> None:
    dn = np.full((60, 60), 2500, dtype="u2")
    dn[20:22, 20:22] = 65535
    swir = np.full((30, 30), 2500, dtype="u2")
    swir[0, 0] = 65535
    scene = open_scene(Recipe(numbers={"B04": dn, "B12": swir}, suffix="tif").write(tmp_path))
    grid = scene.grid("red")
    assert scene.saturated(["red"]).sum() == 4
    assert scene.saturated(["swir22"], grid).sum() == 4  # one pixel of 20 m
    assert scene.saturated(["blue", "red", "swir22"], grid).sum() == 8
    assert scene.read(["red"]).pixels[0, 20, 20] == SATURATED_REFLECTANCE


def test_the_index_of_saturated_pixels_is_the_xmls(tmp_path) -> None:
    recipe = Recipe(size=12, suffix="tif", numbers={"B04": 4095}, changes={"65535": "4095"})
    assert open_scene(recipe.write(tmp_path)).saturated(["red"]).all()


def test_level_2a_takes_the_finest_file(tmp_path) -> None:
    """Real products hold coarser copies of the bands, and B01 also at 20 m."""
    recipe = Recipe(level="2A", size=60, suffix="tif")
    safe = recipe.write(tmp_path)
    images = safe / "GRANULE" / recipe.granule("32UMC")
    for band, metres in (("B04", 20), ("B04", 60), ("B8A", 60), ("B01", 20), ("SCL", 60)):
        side = 600 // metres
        path = images / f"{recipe.image(band, metres, '32UMC')}.tif"
        affine = Affine(metres, 0, 399960, 0, -metres, 5800020)
        code = np.full((side, side), 9, dtype="u1" if band == "SCL" else "u2")
        write_image(path, code, affine, 32632)
    scene = open_scene(safe)
    found = {role: scene.grid(role).affine.a for role in ("red", "nir08", "coastal")}
    assert found == {"red": 10, "nir08": 20, "coastal": 60}
    assert (scene.quality() == 4).all()
    (images / f"{recipe.image('B04', 10, '32UMC')}.tif").unlink()
    assert open_scene(safe).grid("red").affine.a == 20


def test_scene_classes(l2a) -> None:
    scene = open_scene(l2a)
    codes = scene.quality()
    assert codes.dtype == np.uint16
    np.testing.assert_array_equal(codes, np.arange(900).reshape(30, 30) % 12)
    flags = scene.decode_quality(np.arange(14, dtype=np.uint16))
    sets = {
        name: set(np.flatnonzero(getattr(flags, name)))
        for name in ("fill", "cloud", "cirrus", "shadow", "snow", "water", "clear", "dilated")
    }
    assert sets == {
        "fill": {0, 1, 12, 13},
        "cloud": {8, 9},
        "cirrus": {10},
        "shadow": {3},
        "snow": {11},
        "water": {6},
        "clear": {2, 4, 5, 6, 7},
        "dilated": set(),
    }
    low = scene.decode_quality(np.arange(14, dtype=np.uint16), "low")
    assert set(np.flatnonzero(low.cloud)) == {7, 8, 9}
    np.testing.assert_array_equal(scene.quality_flags().shadow, codes == 3)
    labels = class_table(scene, MaskSettings())[:12]
    assert labels.tolist() == [255, 255, 0, 1, 0, 0, 0, 0, 3, 3, 3, 2]


def test_scene_classes_on_10_m_by_nearest_neighbour(l2a) -> None:
    scene = open_scene(l2a)
    grid = scene.grid("red")
    codes = scene.quality(grid)
    np.testing.assert_array_equal(codes, scene.quality().repeat(2, 0).repeat(2, 1))
    outside = GeoBox((4, 4), grid.affine @ Affine.translation(-2, 0), grid.crs)
    np.testing.assert_array_equal(scene.quality(outside)[:, :2], scene.quality_fill)
    assert np.isnan(scene.read(["nir08"], outside).pixels[0, :, :2]).all()


def test_defective_pixels_count_as_saturated(l2a) -> None:
    scene = open_scene(l2a)
    defective = scene.saturated(["red"], scene.grid("red"))
    np.testing.assert_array_equal(defective, scene.quality(scene.grid("red")) == 1)


def test_level_1c_has_no_quality(l1c) -> None:
    scene = open_scene(l1c)
    assert scene.quality() is None
    assert scene.quality_flags() is None


def test_sun_angles_between_nodes(tmp_path) -> None:
    """Nodes at 0 and 5 km: zenith 30 40 / 50 60, azimuth 350 10 / 350 10 over north."""
    grid = (rows([30, 40], [50, 60]), rows([350, 10], [350, 10]))
    scene = open_scene(Recipe(size=6, sun_grid=grid, suffix="tif").write(tmp_path))

    def at(east: float, south: float) -> list[float]:
        affine = Affine(2, 0, 399960 + east - 1, 0, -2, 5800020 - south + 1)
        return scene.sun_angles(GeoBox((1, 1), affine, "EPSG:32632"))[:, 0, 0].tolist()

    assert at(0, 0) == pytest.approx([60, 350], abs=1e-4)
    assert at(2500, 0) == pytest.approx([55, 0], abs=1e-4)
    assert at(2500, 2500) == pytest.approx([45, 0], abs=1e-4)
    assert at(5000, 1250) == pytest.approx([45, 10], abs=1e-4)
    assert at(9000, 9000) == pytest.approx([30, 10], abs=1e-4)  # beyond: the border's
    other = GeoBox.from_bbox((7.52, 52.33, 7.54, 52.34), "EPSG:4326", shape=(3, 3))
    found = scene.sun_angles(other)
    x, y = warp_points("EPSG:4326", "EPSG:32632", [7.53], [52.335])  # the middle pixel's centre
    assert found[:, 1, 1].tolist() == pytest.approx(at(x[0] - 399960, 5800020 - y[0]), abs=1e-3)


def test_the_mean_sun_where_the_grid_has_gaps(tmp_path) -> None:
    scene = open_scene(Recipe(size=6, suffix="tif").write(tmp_path / "none"))
    assert scene.sun_angles(scene.grid("red"))[:, 0, 0].tolist() == [55, 150]
    gap = (rows([30, "NaN"], [30, "NaN"]), rows([100, 100], [100, 100]))
    scene = open_scene(Recipe(size=6, sun_grid=gap, suffix="tif").write(tmp_path / "gap"))
    affine = Affine(5000, 0, 399960 - 2500, 0, -5000, 5800020 + 2500)
    found = scene.sun_angles(GeoBox((1, 2), affine, "EPSG:32632"))
    assert found[:, 0, 0] == pytest.approx([60, 100])
    assert found[:, 0, 1] == pytest.approx([55, 150])


def test_a_window_equals_the_whole(l1c) -> None:
    scene = open_scene(l1c)
    grid = scene.grid("red")
    whole = scene.read(REFLECTIVE, grid).pixels
    places = [np.s_[r : r + 20, c : c + 20] for r in (0, 20, 40) for c in (0, 20, 40)]
    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(lambda at: scene.read(REFLECTIVE, grid[at]).pixels, places))
    for at, part in zip(places, parts, strict=True):
        np.testing.assert_allclose(part, whole[:, *at], atol=1e-6)


def test_only_the_window_is_read(tmp_path, monkeypatch) -> None:
    """Of JPEG 2000 the blocks that it touches: `test_sentinel2_blocks`."""
    scene = open_scene(Recipe(suffix="tif").write(tmp_path))
    sizes = []
    real = Layer.window

    def counted(self, rows, columns):
        sizes.append((rows.stop - rows.start, columns.stop - columns.start))
        return real(self, rows, columns)

    monkeypatch.setattr(Layer, "window", counted)
    scene.read(["red", "nir08"], scene.grid("red")[20:30, 20:30])
    # 10 m: the window itself; 20 m: half of it, and 3 pixels of the kernel on each side
    assert sizes == [(10, 10), (11, 11)]


def test_files_without_georeference_lie_where_the_granule_says(tmp_path) -> None:
    recipe = Recipe(suffix="tif", georeferenced=False, epsg=32753, corner=(300000.0, 6100000.0))
    scene = open_scene(recipe.write(tmp_path))
    assert scene.grid("nir08").affine == Affine(20, 0, 300000, 0, -20, 6100000)
    assert scene.grid("nir08").crs.epsg == 32753


def test_a_zip_is_read_in_place(l2a, tmp_path) -> None:
    scene = open_scene(pack(l2a, tmp_path / "{odd} name.zip"))
    expected = open_scene(l2a)
    grid = scene.grid("red")
    np.testing.assert_array_equal(
        scene.read(REFLECTIVE, grid).pixels, expected.read(REFLECTIVE, grid).pixels
    )
    np.testing.assert_array_equal(scene.quality(grid), expected.quality(grid))


def test_level_1c_lends_its_cirrus_band(l1c, l2a, tmp_path) -> None:
    assert "cirrus" not in open_scene(l2a).roles
    with pytest.raises(BandError, match="give the Level-1C product"):
        open_scene(l2a).read(["cirrus"])
    both = open_scene(l2a, l1c)
    np.testing.assert_array_equal(
        both.read(["cirrus"]).pixels, open_scene(l1c).read(["cirrus"]).pixels
    )
    other = Recipe(tile="32UNC", size=12, suffix="tif").write(tmp_path)
    with pytest.raises(InputError, match="tile 32UNC instead of 32UMC"):
        open_scene(l2a, other)
    with pytest.raises(InputError, match="stands alone"):
        open_scene(l1c, l2a)


def test_an_offset_applied_before_is_found_or_believed(tmp_path) -> None:
    """DN shifted by an archive that left the XML as it was: 500 is reflectance 0.05."""
    safe = Recipe(level="2A", numbers={"B02": 300}, suffix="tif").write(tmp_path)
    scene = open_scene(safe)
    assert scene.read(["blue"]).pixels == pytest.approx(-0.07, abs=1e-6)
    with pytest.raises(InputError, match=r"applied to the DN already.*boa_offset_applied"):
        scene.verify()
    (safe / "item.json").write_text('{"properties": {"earthsearch:boa_offset_applied": true}}')
    with pytest.warns(LossWarning, match="offsets are in the DN already"):
        scene = nndacss.open_scene(safe)
    scene.verify()
    assert scene.read(["blue"]).pixels == pytest.approx(0.03, abs=1e-6)
    zipped = open_scene(pack(safe, tmp_path / "a.zip"))
    assert zipped.read(["blue"]).pixels == pytest.approx(0.03, abs=1e-6)


def test_dark_water_is_no_reason_to_refuse(tmp_path) -> None:
    """Sen2Cor's surface reflectance of water may lie a little below 0."""
    open_scene(Recipe(level="2A", numbers={"B02": 900}, suffix="tif").write(tmp_path)).verify()


@pytest.mark.parametrize(
    ("baseline", "note"),
    [("06.00", "newer than the last one known here"), ("99.99", "Sen2Cor by a user")],
)
def test_baselines_from_elsewhere_are_noted(tmp_path, baseline, note) -> None:
    safe = Recipe(level="2A", baseline=baseline, size=12, suffix="tif").write(tmp_path)
    with pytest.warns(LossWarning, match=note):
        scene = nndacss.open_scene(safe)
    assert scene.read(["red"]).pixels == pytest.approx(0.15, abs=1e-6)


def test_a_missing_band_is_named_when_it_is_needed(tmp_path) -> None:
    safe = Recipe(without=("B04", "B01"), size=12, suffix="tif").write(tmp_path)
    with pytest.warns(LossWarning, match=r"coastal band \(B01\) is missing"):
        scene = nndacss.open_scene(safe)
    assert "red" not in scene.roles
    with pytest.raises(BandError, match=r"T32UMC_20230707T103631_B04: found no such file"):
        scene.verify()


@pytest.mark.parametrize("suffix", ["jp2", "tif"])
def test_a_truncated_band_is_found_before_work_starts(tmp_path, suffix) -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(1000, 9000, (60, 60)).astype("u2")
    safe = Recipe(numbers={"B04": noise}, suffix=suffix).write(tmp_path)
    (band,) = safe.rglob(f"*_B04.{suffix}")
    band.write_bytes(band.read_bytes()[: band.stat().st_size // 2])
    with pytest.raises(BandError, match=r"_B04\.\w+: found an unreadable file"):
        open_scene(safe).verify()


def test_bands_of_another_product(tmp_path) -> None:
    safe = Recipe(suffix="tif").write(tmp_path / "a")
    other = Recipe(suffix="tif", corner=(499980.0, 5800020.0)).write(tmp_path / "b")
    for band in ("B04", "B05"):
        (ours,), (theirs,) = safe.rglob(f"*_{band}.tif"), other.rglob(f"*_{band}.tif")
        shutil.copy(theirs, ours)
    with pytest.raises(BandError, match="bands of different"):
        open_scene(safe)


def test_a_band_of_another_kind(tmp_path) -> None:
    safe = Recipe(suffix="tif", size=12).write(tmp_path)
    (band,) = safe.rglob("*_B04.tif")
    write_image(band, np.zeros((12, 12), dtype="f4"), Affine(10, 0, 0, 0, -10, 0), 32632)
    with pytest.raises(BandError, match=r"B04\.tif: found 1 band\(s\) of float32"):
        open_scene(safe)


def test_a_product_of_nodata(tmp_path) -> None:
    numbers = dict.fromkeys(METRES, 0)
    safe = Recipe(size=12, numbers=numbers, suffix="tif").write(tmp_path)
    with pytest.raises(InputError, match="all nodata"):
        open_scene(safe).verify()
