from __future__ import annotations

import math
import os
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from odc.geo.geobox import GeoBox
from pyproj import Transformer

from nndacss.errors import BandError, GridError, LossWarning
from nndacss.readers import open_scene, unpack
from nndacss.readers.layers import Handles
from nndacss.readers.scene import Scene
from nndacss.tile.warp import nearest, warp
from tests.readers.recipes import Recipe, pack

# most products here lack nothing that a test needs
pytestmark = pytest.mark.filterwarnings("ignore::nndacss.errors.LossWarning")
SIX = ["blue", "green", "red", "nir08", "swir16", "swir22"]


def ramp(lines: int = 12, samples: int = 10, step: int = 100) -> np.ndarray:
    return (5000 + step * np.arange(lines * samples)).reshape(lines, samples).astype(np.uint16)


def test_top_of_atmosphere_reflectance(tmp_path: Path) -> None:
    numbers = {"2": np.full((12, 10), 10000), "8": 20000}
    numbers["2"][0, :3] = 0, 1, 65535
    scene = open_scene(Recipe(numbers=numbers).write(tmp_path))
    blue = scene.read(["blue"])
    assert blue.pixels.dtype == np.float32
    # (2e-5 * 10000 - 0.1) / sin(30 degrees)
    assert blue.pixels[0, 1, 1] == pytest.approx(0.2, abs=1e-7)
    assert np.isnan(blue.pixels[0, 0, 0])
    assert blue.pixels[0, 0, 1] == pytest.approx(-0.19996, abs=1e-7)
    assert blue.pixels[0, 0, 2] == pytest.approx(2.4214, abs=5e-7)
    assert np.isnan(blue.pixels).sum() == 1
    assert blue.grid == scene.grid("blue")
    assert scene.read(["pan"]).pixels[0, 0, 0] == pytest.approx(0.6, abs=1e-7)
    assert (scene.level, scene.sun_elevation, scene.sun_azimuth) == ("TOA", 30.0, 147.0)
    assert (scene.sensor.name, scene.platform) == ("landsat8_oli", "landsat-8")


def test_calibration_is_right_for_every_number(tmp_path: Path) -> None:
    every = np.arange(65536).reshape(256, 256)
    recipe = Recipe(lines=256, samples=256, sun=(7.3, 10.0), numbers={"4": every, "10": every})
    scene = open_scene(recipe.write(tmp_path))
    exact = (2e-5 * every[every > 0] - 0.1) / math.sin(math.radians(7.3))
    red = scene.read(["red"]).pixels[0]
    assert np.isnan(red[0, 0])
    assert np.abs(red[every > 0] - exact).max() < 1.5e-6  # values reach 9.5 under so low a sun
    assert np.abs(red[every > 0] - exact).max() / 9.5 < 2e-7
    exact = 1321.0789 / np.log(774.8853 / (3.342e-4 * every[every > 0] + 0.1) + 1)
    kelvin = scene.read(["lwir11"]).pixels[0]
    assert np.abs(kelvin[every > 0] - exact).max() < 1e-4


def test_brightness_temperature_uses_both_constants(tmp_path: Path) -> None:
    scene = open_scene(Recipe(numbers={"10": 25000, "11": 25000}).write(tmp_path))
    # radiance 3.342e-4 * 25000 + 0.1 = 8.455
    # 1321.0789 / ln(774.8853 / 8.455 + 1) = 291.70; 1201.1442 / ln(480.8883 / 8.455 + 1) = 295.97
    kelvin = scene.read(["lwir11", "lwir12"]).pixels[:, 0, 0]
    assert kelvin == pytest.approx([291.70, 295.97], abs=0.02)


def test_surface_reflectance_and_temperature(tmp_path: Path) -> None:
    numbers = {"2": 10000, "7": 7273, "10": 44000}
    scene = open_scene(Recipe(kind="L2SP", numbers=numbers).write(tmp_path))
    assert scene.level == "SR"
    assert scene.roles == ("coastal", *SIX, "lwir11")
    # 2.75e-5 * 10000 - 0.2; 7273 is zero reflectance; 0.00341802 * 44000 + 149
    pixels = scene.read(["blue", "swir22", "lwir11"]).pixels[:, 3, 3]
    assert pixels == pytest.approx([0.075, 7.5e-6, 299.39288], rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("collection", ["pre", "1", "2"])
@pytest.mark.parametrize("kind", ["L1TP", "L1GT"])
def test_all_generations_read_alike(tmp_path: Path, collection: str, kind: str) -> None:
    recipe = Recipe(collection=collection, kind=kind, formats=("json",))
    scene = open_scene(recipe.write(tmp_path))
    assert scene.roles == (
        "coastal", *SIX, "pan", "cirrus", "lwir11", "lwir12",
    )  # fmt: skip
    assert scene.read(SIX).pixels == pytest.approx(np.full((6, 12, 10), 0.2))
    assert scene.quality().shape == (12, 10)
    assert scene.collection == collection


def test_quality_is_decoded_by_the_collection(tmp_path: Path) -> None:
    for collection in ("1", "2"):
        scene = open_scene(
            Recipe(collection=collection, numbers={"QA_PIXEL": 2800}).write(tmp_path)
        )
        flags = scene.quality_flags()
        assert flags is not None
        assert bool(flags.cloud.all()) is (collection == "1")
        assert bool(flags.cloud.any()) is (collection == "1")


def test_bands_keep_their_role_and_order(tmp_path: Path) -> None:
    numbers = {str(n): 1000 * n for n in range(1, 12)}
    scene = open_scene(Recipe(numbers=numbers).write(tmp_path))
    order = ["swir22", "blue", "cirrus"]
    raster = scene.read(order)
    assert raster.roles == tuple(order)
    expected = [(2e-5 * 1000 * n - 0.1) / 0.5 for n in (7, 2, 9)]
    assert raster.pixels[:, 5, 5] == pytest.approx(expected, abs=1e-7)


# windows and grids


def window(grid: GeoBox, row: int, column: int, shape: tuple[int, int]) -> GeoBox:
    return GeoBox(shape, grid.affine @ Affine.translation(column, row), grid.crs)


@pytest.mark.parametrize(
    ("row", "column", "shape"),
    [(0, 0, (12, 10)), (3, 4, (5, 2)), (-4, -3, (9, 6)), (10, 8, (6, 7)), (40, 0, (3, 3)),
     (-9, -9, (4, 4)), (-2, -2, (30, 30))],
)  # fmt: skip
def test_windows_on_the_own_lattice_are_exact(
    tmp_path: Path, row: int, column: int, shape: tuple[int, int]
) -> None:
    scene = open_scene(Recipe(numbers={"2": ramp()}).write(tmp_path))
    whole = np.pad(scene.read(["blue"]).pixels[0], 60, constant_values=np.nan)
    wanted = whole[60 + row :, 60 + column :][: shape[0], : shape[1]]
    grid = window(scene.grid("blue"), row, column, shape)
    np.testing.assert_array_equal(scene.read(["blue"], grid).pixels[0], wanted)
    np.testing.assert_array_equal(scene.present(["blue"], grid), ~np.isnan(wanted))
    codes = scene.quality(grid)
    np.testing.assert_array_equal(codes, np.where(np.isnan(wanted), 1, 21824))


@pytest.mark.parametrize("crs", ["EPSG:32632", "EPSG:32633", "EPSG:4326"])
@pytest.mark.parametrize("kernel", ["cubic", "bilinear", "average"])
def test_a_window_equals_the_whole_band_warped(tmp_path: Path, crs: str, kernel: str) -> None:
    rng = np.random.default_rng(0)
    numbers = rng.integers(6000, 20000, (40, 50))
    numbers[rng.random((40, 50)) < 0.05] = 0
    scene = open_scene(Recipe(lines=40, samples=50, numbers={"2": numbers}).write(tmp_path))
    src = scene.grid("blue")
    x, y = Transformer.from_crs("EPSG:32632", crs, always_xy=True).transform(390600, 5688700)
    step = 10 if crs != "EPSG:4326" else 1.2e-4
    grid = GeoBox((30, 20), Affine(step, 0, x, 0, -step, y), crs)
    whole = scene.read(["blue"])
    expected = warp(whole.pixels, src, grid, kernel)
    np.testing.assert_allclose(scene.read(["blue"], grid, kernel).pixels, expected, atol=2e-6)
    there = nearest(whole.valid[None].astype(np.uint8), src, grid, 0)[0] == 1
    np.testing.assert_array_equal(scene.present(["blue"], grid), there)


def test_a_plane_comes_out_where_it_lies(tmp_path: Path) -> None:
    """DN is linear in x and y, at 30 and at 15 m; so must the 10 m image be, at its own places."""
    recipe = Recipe(lines=40, samples=50, zone=21, upper_left=(441000.0, -2188020.0))

    def plane(lines: int, samples: int, cell: float) -> np.ndarray:
        x, y = np.meshgrid(np.arange(samples) * cell, np.arange(lines) * cell)
        return 10000 + 4 * x + 2 * y

    recipe.numbers = {"2": plane(40, 50, 30), "8": plane(79, 99, 15)}
    scene = open_scene(recipe.write(tmp_path))
    grid = GeoBox((60, 70), Affine(10, 0, 441200, 0, -10, -2188200), "EPSG:32621")
    x, y = np.meshgrid(441205 + 10 * np.arange(70), -2188205 - 10 * np.arange(60))
    expected = (2e-5 * (10000 + 4 * (x - 441000) + 2 * (-2188020 - y)) - 0.1) / 0.5
    # 0.1 m in x is 1.6e-5 here
    raster = scene.read(["blue", "pan"], grid)
    np.testing.assert_allclose(raster.pixels[0], expected, atol=5e-6)
    np.testing.assert_allclose(raster.pixels[1], expected, atol=5e-6)


def test_bands_of_several_grids_need_a_grid(tmp_path: Path) -> None:
    scene = open_scene(Recipe().write(tmp_path))
    with pytest.raises(GridError, match="pan"):
        scene.read(["blue", "pan"])
    with pytest.raises(GridError, match="at least one"):
        scene.read([])
    raster = scene.read(["pan", "blue", "red"], scene.grid("pan"))
    assert raster.pixels[:, 10, 10] == pytest.approx([0.2, 0.2, 0.2])


def test_georeference_of_the_files_is_honoured(tmp_path: Path) -> None:
    recipe = Recipe(epsg=32721, upper_left=(441000.0, 7811980.0), zone=21)
    scene = open_scene(recipe.write(tmp_path))
    assert scene.grid("blue").crs.epsg == 32721
    assert scene.grid("blue").affine == Affine(30, 0, 440985, 0, -30, 7811995)
    assert scene.grid("pan").affine == Affine(15, 0, 440992.5, 0, -15, 7811987.5)


def test_signed_files_with_their_own_nodata(tmp_path: Path) -> None:
    from tests.readers.recipes import write_tif

    recipe = Recipe(collection="1", epsg=32632)
    folder = recipe.write(tmp_path)
    numbers = np.full((12, 10), 10000, dtype=np.int16)
    numbers[0, 0], numbers[0, 1] = -32768, 0
    x, y = recipe.upper_left
    where = {"crs": "EPSG:32632", "transform": Affine(30, 0, x - 15, 0, -30, y + 15)}
    write_tif(folder / recipe.file("2"), numbers, nodata=-32768, **where)
    write_tif(
        folder / recipe.file("QA_PIXEL"),
        np.where(numbers < 0, numbers, 2720).astype(np.int16),
        nodata=-32768,
        **where,
    )
    scene = open_scene(folder)
    pixels = scene.read(["blue"]).pixels[0]
    assert np.isnan(pixels).sum() == 2
    assert scene.quality()[0, 0] == 1
    assert scene.quality()[0, 1] == 2720
    scene.verify(["blue"])


# saturation and sun


def test_saturation_bits_of_collection_2(tmp_path: Path) -> None:
    marks = np.zeros((12, 10), dtype=int)
    marks[0, :4] = 1 << 1, 1 << 4, 1 << 11, 1 << 8  # blue, nir08, terrain occlusion, cirrus
    full = np.full((12, 10), 10000)
    full[5, 5] = 65535
    pan = np.full((23, 19), 10000)
    pan[22, 18] = 65535
    numbers = {"QA_RADSAT": marks, "2": full, "8": pan, "10": full}
    scene = open_scene(Recipe(numbers=numbers).write(tmp_path))
    where = {role: np.argwhere(scene.saturated([role])).tolist() for role in scene.roles}
    assert where["blue"] == [[0, 0]]
    assert where["nir08"] == [[0, 1]]
    assert where["cirrus"] == [[0, 3]]
    assert where["red"] == []
    assert where["pan"] == [[22, 18]]
    assert where["lwir11"] == [[5, 5]]
    both = scene.saturated(["blue", "nir08"])
    assert np.argwhere(both).tolist() == [[0, 0], [0, 1]]


def test_saturation_without_its_band(tmp_path: Path) -> None:
    full = np.full((12, 10), 10000)
    full[5, 5] = 65535
    level_1 = Recipe(without=("QA_RADSAT",), numbers={"2": full}).write(tmp_path)
    assert np.argwhere(open_scene(level_1).saturated(["blue", "red"])).tolist() == [[5, 5]]
    level_2 = Recipe(kind="L2SP", without=("QA_RADSAT",), numbers={"2": full}).write(tmp_path)
    assert not open_scene(level_2).saturated(["blue"]).any()
    assert np.argwhere(open_scene(level_2, level_1).saturated(["blue"])).tolist() == [[5, 5]]


def test_saturation_of_collection_1_is_of_some_band(tmp_path: Path) -> None:
    codes = np.full((12, 10), 2720)
    codes[2, 3] = 2724
    scene = open_scene(Recipe(collection="1", numbers={"QA_PIXEL": codes}).write(tmp_path))
    assert np.argwhere(scene.saturated(["green"])).tolist() == [[2, 3]]


def test_sun_angles(tmp_path: Path) -> None:
    azimuth = np.full((12, 10), 14050)
    azimuth[:, 5:] = -17900  # west of south: 181 degrees
    zenith = np.full((12, 10), 5512)
    zenith[0, 0] = azimuth[0, 0] = 0
    scene = open_scene(Recipe(numbers={"SZA": zenith, "SAA": azimuth}).write(tmp_path))
    grid = window(scene.grid("blue"), -1, 0, (13, 10))
    angles = scene.sun_angles(grid)
    assert angles.dtype == np.float32
    assert angles.shape == (2, 13, 10)
    assert angles[:, 5, 2] == pytest.approx([34.88, 140.5], abs=1e-4)
    assert angles[:, 5, 7] == pytest.approx([34.88, 181.0], abs=1e-4)
    assert angles[:, 0, 3] == pytest.approx([30.0, 147.0])  # outside the image
    assert angles[:, 1, 0] == pytest.approx([30.0, 147.0])  # fill
    constant = open_scene(Recipe(kind="L2SP").write(tmp_path)).sun_angles(grid)
    assert (constant == np.array([30, 147], dtype=np.float32)[:, None, None]).all()


# a Level-1 product given along


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    # the Level-1 product is a row and a column larger, as real ones may be
    level_2 = Recipe(kind="L2SP", upper_left=(390030.0, 5689170.0), lines=11, samples=9)
    level_1 = Recipe(numbers={"8": 20000, "9": 6000, "11": 25000, "2": 0})
    return level_2.write(tmp_path), level_1.write(tmp_path)


def test_level_1_lends_what_level_2_has_not(pair: tuple[Path, Path]) -> None:
    scene = open_scene(*pair)
    assert scene.roles == ("coastal", *SIX, "pan", "cirrus", "lwir11", "lwir12")
    assert scene.level == "SR"
    assert scene.identity.name.startswith("LC08_L2SP")
    raster = scene.read(["blue", "pan", "cirrus", "lwir11", "lwir12"], scene.grid("blue"))
    # SR blue; TOA pan and cirrus; surface temperature; brightness temperature
    expected = [0.075, 0.6, 0.04, 183.1802, 295.97]
    assert raster.pixels[:, 4, 4] == pytest.approx(expected, abs=0.01)
    assert scene.grid("pan").affine.c == 389992.5
    assert scene.sun_angles(scene.grid("blue"))[0, 0, 0] == pytest.approx(35.0)
    assert not scene.losses


def test_level_2_keeps_its_own_quality(pair: tuple[Path, Path]) -> None:
    scene = open_scene(*pair)
    assert scene.quality().shape == (11, 9)
    (pair[0] / f"{pair[0].name}_QA_PIXEL.TIF").unlink()
    assert open_scene(*pair).quality().shape == (12, 10)


# what is missing


OPTIONAL = {
    "8": "_B8.TIF is missing: detail below 30 m is not observed",
    "QA_PIXEL": "_QA_PIXEL.TIF is missing: no cloud",
    "QA_RADSAT": "_QA_RADSAT.TIF is missing: saturation",
    "10": "_B10.TIF is missing: no brightness temperature",
    "1": "_B1.TIF is missing",
    "9": "_B9.TIF is missing: thin high cloud",
    "11": "_B11.TIF is missing",
    "SZA": "no sun angle bands",
}


def test_a_whole_product_lacks_nothing(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scene = open_scene(Recipe().write(tmp_path))
        scene.verify()
    assert scene.losses == ()


@pytest.mark.parametrize("part", OPTIONAL)
def test_a_missing_optional_part_is_told_once(tmp_path: Path, part: str) -> None:
    folder = Recipe(without=(part,)).write(tmp_path)
    with pytest.warns(LossWarning) as caught:
        scene = open_scene(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scene.verify()
        scene.read(SIX)
    assert len(scene.losses) == len(caught) == 1
    assert OPTIONAL[part] in scene.losses[0]
    assert str(caught[0].message) == f"{scene.identity.name}: {scene.losses[0]}"
    assert caught[0].filename == __file__
    if part == "QA_PIXEL":
        assert scene.quality() is None
        assert scene.quality_flags() is None


def test_level_2_alone_tells_what_level_1_would_add(tmp_path: Path) -> None:
    losses = open_scene(Recipe(kind="L2SP").write(tmp_path)).losses
    assert [sentence.split(",")[0].split(":")[0] for sentence in losses] == [
        "no pan band",
        "no cirrus band",
        "no sun angle bands",
    ]
    everything = Recipe(kind="L2SP", place="195026", without=("1", "10", "QA_PIXEL", "QA_RADSAT"))
    losses = open_scene(everything.write(tmp_path)).losses
    assert len(losses) == 7
    assert any("surface temperature" in sentence for sentence in losses)
    assert any("saturated pixels are not marked" in sentence for sentence in losses)


def test_needed_bands_are_missed_only_when_asked_for(tmp_path: Path) -> None:
    folder = Recipe(kind="L2SP", without=("5", "6", "7")).write(tmp_path)
    scene = open_scene(folder)
    assert scene.roles == ("coastal", "blue", "green", "red", "lwir11")
    scene.verify(["blue", "green", "red"])
    for attempt in (
        lambda: scene.read(["nir08"]),
        lambda: scene.grid("nir08"),
        lambda: scene.saturated(["nir08"]),
        lambda: scene.verify(),
    ):
        with pytest.raises(BandError, match=f"^{folder.name}_SR_B5.TIF: found no such file"):
            attempt()
    with pytest.raises(BandError, match=r"no pan band.*give the Level-1 product"):
        scene.read(["pan"])
    with pytest.raises(BandError, match="no rededge071 band"):
        scene.read(["rededge071"])


# storage and threads


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz", f"{Recipe().product}.tgz", "b{c.tar"])
def test_archives_read_like_folders(tmp_path: Path, name: str) -> None:
    numbers = {"2": ramp(), "8": 12345}
    folder = Recipe(numbers=numbers).write(tmp_path / "in")
    archive = pack(folder, tmp_path / name)
    scene, packed = open_scene(folder), open_scene(archive)
    grid = GeoBox((20, 20), Affine(10, 0, 390030, 0, -10, 5689170), "EPSG:32632")
    expected = scene.read(["blue", "pan"], grid).pixels
    np.testing.assert_array_equal(packed.read(["blue", "pan"], grid).pixels, expected)
    packed.verify()
    unpacked = open_scene(unpack(archive, tmp_path / "out"))
    assert unpacked.identity == packed.identity == scene.identity
    np.testing.assert_array_equal(unpacked.read(["blue", "pan"], grid).pixels, expected)


def test_threads_have_their_own_handles(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    numbers = {n: rng.integers(1, 60000, (300, 300)) for n in ("2", "3", "4")}
    recipe = Recipe(lines=300, samples=300, numbers=numbers)
    scene = open_scene(pack(recipe.write(tmp_path / "in"), tmp_path / "a.tar"))
    expected = scene.read(["blue", "green", "red"]).pixels
    faults: list[object] = []

    def work(seed: int) -> None:
        rng = np.random.default_rng(seed)
        for _ in range(40):
            row, column = (int(n) for n in rng.integers(0, 250, 2))
            grid = window(scene.grid("blue"), row, column, (50, 50))
            got = scene.read(["blue", "green", "red"], grid).pixels
            if not np.array_equal(got, expected[:, row : row + 50, column : column + 50]):
                faults.append((row, column))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults


def test_handles_are_kept_per_thread_and_process(tmp_path: Path, monkeypatch) -> None:
    recipe = Recipe()
    path = str(recipe.write(tmp_path) / recipe.file("2"))
    handles = Handles()
    first = handles.get(path, "B2")
    assert handles.get(path, "B2") is first
    other: list[object] = []
    thread = threading.Thread(target=lambda: other.append(handles.get(path, "B2")))
    thread.start()
    thread.join()
    assert other[0] is not first
    monkeypatch.setattr(os, "getpid", lambda: -1)  # as after a fork
    assert handles.get(path, "B2") is not first


def test_the_contract_is_met(tmp_path: Path) -> None:
    scene: Scene = open_scene(Recipe().write(tmp_path))
    for name in Scene.__annotations__ | {k: 0 for k in vars(Scene) if not k.startswith("_")}:
        assert hasattr(scene, name), name
