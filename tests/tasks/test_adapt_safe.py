"""AdaptScene given a Sentinel-2 SAFE: the same product, from its own bands."""

import json

import numpy as np
import pytest
import rasterio

from tests.readers.safe_recipes import METRES, Recipe, pack

SIZE = 180


def ground(metres):
    """DN of a smooth ground with a bright square; reflectance 0.1 to 0.2, and 0.7."""
    side = SIZE * 10 // metres
    row, column = np.mgrid[:side, :side] * metres / 10
    numbers = 2500 + 400 * np.sin(row / 11) * np.cos(column / 9)
    numbers[(row > 100) & (row < 140) & (column > 60) & (column < 120)] = 8000
    return np.rint(numbers).astype("u2")


@pytest.fixture
def safe(tmp_path):
    numbers = {band: ground(metres) for band, metres in METRES.items()}
    classes = np.full((SIZE // 2, SIZE // 2), 4)
    classes[52:69, 32:59], classes[20:30, 20:30], classes[:5, :5] = 9, 3, 11
    origin = "Simulated by a test, not an observation"
    recipe = Recipe(level="2A", satellite="S2B", size=SIZE, numbers=numbers, center=origin)
    recipe.numbers["SCL"] = classes
    recipe.numbers["B04"][:20, :20] = 0
    return recipe.write(tmp_path / "scenes")


def test_a_zipped_level_2a_product(bench, safe):
    zipped = pack(safe, bench.folder / f"{safe.stem}.zip")
    code, said = bench.run("--set", "mask.method=quality", scene=zipped)
    assert code == 0, said
    folder = bench.product()
    base = folder / f"{safe.stem}_sr_"
    with rasterio.open(f"{base}reflectance.tif") as image, rasterio.open(f"{base}mask.tif") as mask:
        counts, labels, grid = image.read(), mask.read(1), image.transform
        assert image.crs.to_epsg() == 32632
    assert (grid.a, grid.c, grid.f) == (10, 399960, 5800020)
    there = np.ones((SIZE, SIZE), dtype=bool)
    there[:20, :20] = False
    # 10 m bands are as observed: count = DN - 1000
    np.testing.assert_array_equal(counts[0][there], ground(10)[there].astype(int) - 1000)
    assert (counts[:, ~there] == -9999).all()
    # 20 m bands keep their means
    nir08 = counts[3].reshape(90, 2, 90, 2).mean((1, 3))
    error = np.abs(nir08 - (ground(20).astype(int) - 1000))[there[::2, ::2]]
    assert np.median(error) < 5
    expected = np.zeros((90, 90), dtype=int)
    expected[52:69, 32:59], expected[20:30, 20:30], expected[:5, :5] = 3, 1, 2
    expected = expected.repeat(2, 0).repeat(2, 1)
    np.testing.assert_array_equal(labels, np.where(there, expected, 255))
    with rasterio.open(f"{base}source.tif") as source, rasterio.open(f"{base}quality.tif") as scl:
        np.testing.assert_array_equal(source.read(1), np.where(there, 32, 0))
        assert scl.read(1)[120, 80] == 9
        assert scl.tags(1)["CLASS_9"] == "cloud, high probability"
    item = json.loads((folder / "item.json").read_text())["properties"]
    assert (item["platform"], item["instruments"]) == ("sentinel-2b", ["msi"])
    assert item["title"].startswith("Sentinel-2 reflectance from S2B_MSIL2A")
    change = item["nndacss:spectral"]
    assert change["matrix"] == np.eye(len(change["bands"])).tolist()
    assert not any(change["offset"])
    assert item["nndacss:mask_method"] == "quality"
    assert not any("pan" in sentence for sentence in item["nndacss:losses"])
    page = (folder / "report.html").read_text()
    assert "A simulated scene" in page
    assert "Landsat" not in page
    assert "Sentinel-2-like" not in page


def test_a_level_1c_folder_with_a_band_missing(bench, safe):
    recipe = Recipe(size=60, without=("B11",), suffix="tif")
    code, said = bench.run(scene=recipe.write(bench.folder))
    assert code != 0
    assert "T32UMC_20230707T103631_B11: found no such file" in said
    assert not list(bench.products.glob("*/item.json"))
