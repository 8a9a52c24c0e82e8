"""A map of a scene: what the network says, where it says nothing, and what is written."""

import json

import numpy as np
import pytest
import rasterio
import torch
from rio_cogeo import cog_validate

from nndacss.errors import InputError, SettingsError, WeightsError
from nndacss.land_cover.model import load_land_cover_model
from nndacss.land_cover.plan import map_plan
from nndacss.land_cover.stage import map_land_cover
from nndacss.models.card import LandCoverCard, load_weights
from nndacss.models.segmentation import build, encode
from nndacss.readers import open_scene
from nndacss.settings import load_settings
from nndacss.stage import Context
from tests.land_cover.small import SIX, SIZE, TEN, mapped, product, raster, safe, save_land
from tests.models.small import save_small
from tests.readers.safe_recipes import Recipe

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("map")
    return folder, safe(folder / "scenes"), save_land(folder)


@pytest.fixture(scope="module")
def whole(place, tmp_path_factory):
    return mapped(place, tmp_path_factory.mktemp("whole"))


def test_one_tile_is_what_the_bare_network_says(place, tmp_path):
    """An image of one tile: no blending, so torch alone must give the same."""
    scene_ = safe(tmp_path / "small", size=240)
    folder = mapped(place, tmp_path, "land_cover.hidden=map", scene=scene_)
    scene = open_scene(scene_)
    pixels = scene.read(TEN, scene.grid("red")).pixels
    red, nir = pixels[2], pixels[3]
    planes = np.concatenate([pixels, ((nir - red) / (nir + red))[None]])
    planes = np.pad(planes, ((0, 0), (0, 16), (0, 16)), constant_values=np.nan)
    card, tensors = load_weights(place[2], LandCoverCard)
    network = build(card.architecture, len(card.roles), 7).eval()
    network.load_state_dict(tensors)
    with torch.no_grad():
        inputs = encode(torch.from_numpy(planes)[None], card.roles, card.scaling)
        expected = network(inputs).softmax(1)[0, :, :240, :240].numpy()
    there = np.isfinite(pixels).all(axis=0)
    found = raster(folder, "probability")
    np.testing.assert_allclose(found[:, there] * 0.004, expected[:, there], atol=0.004)
    codes = raster(folder, "land_cover")[0]
    assert (codes[~there] == 255).all()
    assert (~there).sum() == 400
    top = np.sort(expected, axis=0)
    sure = there & (top[-1] - top[-2] > 0.01)  # float16 tiles: no tie decides
    np.testing.assert_array_equal(codes[sure], expected.argmax(axis=0)[sure] + 1)
    assert len(np.unique(codes[sure])) >= 3


def test_clouds_hide_the_ground(place, whole, tmp_path):
    """SCL: medium and high cloud, cirrus, shadow; not snow, water or vegetation."""
    codes = raster(whole, "land_cover")[0]
    hidden = np.zeros((SIZE // 2, SIZE // 2), dtype=bool)
    hidden[40:60, 50:70] = hidden[70:80, 50:70] = hidden[90:95, 5:9] = True
    expected = hidden.repeat(2, 0).repeat(2, 1)
    expected[:20, :20] = True
    np.testing.assert_array_equal(codes == 255, expected)
    np.testing.assert_array_equal((raster(whole, "probability") == 255).all(axis=0), expected)
    seen = mapped(place, tmp_path, "land_cover.hidden=map")
    again = raster(seen, "land_cover")[0]
    assert (again == 255).sum() == 400
    np.testing.assert_array_equal(again[~expected], codes[~expected])


def test_how_the_work_is_shared_changes_nothing(place, whole, tmp_path):
    parts = ("tile.window=64", "tile.part=128")
    cut = mapped(place, tmp_path, *parts, threads=2)
    for thing in ("land_cover", "probability"):
        np.testing.assert_array_equal(raster(whole, thing), raster(cut, thing))
    box = "tile.grid=box:EPSG:32632:400760,5799420,10,100,90"
    area = mapped(place, tmp_path / "area", box)
    np.testing.assert_array_equal(
        raster(area, "land_cover")[0], raster(whole, "land_cover")[0, 60:160, 80:170]
    )


def test_what_is_written(whole):
    item = json.loads((whole / "item.json").read_text())
    (path,) = whole.glob("*_land_cover.tif")
    for file in whole.glob("*.tif"):
        assert cog_validate(file)[0]
    with rasterio.open(path) as opened:
        assert opened.colormap(1)[1] == (41, 98, 190, 255)
        assert opened.tags(1)["CLASS_6"] == "cultivated"
        assert (opened.nodata, opened.crs.to_epsg()) == (255, 32632)
    total = raster(whole, "probability").astype(int)
    seen = total[0] != 255
    assert abs(total[:, seen].sum(axis=0) - 250).max() <= 4  # 7 roundings
    classes = item["assets"]["land_cover"]["classification:classes"]
    assert [entry["value"] for entry in classes] == [1, 2, 3, 4, 5, 6, 7, 255]
    assert item["assets"]["probability"]["bands"][5]["name"] == "cultivated"
    numbers = json.loads((whole / "report.json").read_text())
    codes = raster(whole, "land_cover")[0]
    for row in numbers["cover"]["classes"]:
        count = int((codes == row["code"]).sum())
        assert row["pixels"] == count
        assert row["square_km"] == pytest.approx(count * 1e-4, abs=1e-4)
    assert sum(numbers["cover"]["certainty"]) == (codes != 255).sum()
    page = (whole / "report.html").read_text()
    assert "A simulated scene" in page
    assert "learned from simulated images" in page
    assert page.count("data:image/jpeg") == 3


def test_a_finished_map_is_kept_and_a_cut_one_goes_on(place, tmp_path):
    folder = mapped(place, tmp_path)
    before = (folder / "item.json").read_bytes()
    codes = raster(folder, "land_cover")
    assert mapped_again(place, tmp_path)["kept"]
    (folder / "item.json").unlink()
    (path,) = folder.glob("*_land_cover.tif")
    path.write_bytes(path.read_bytes()[:2000])
    parts = sorted((tmp_path / "land_cover").rglob("parts/*.tif"))
    parts[0].unlink()
    assert mapped_again(place, tmp_path)["computed"] == 1
    np.testing.assert_array_equal(raster(folder, "land_cover"), codes)
    assert json.loads(before)["assets"] == json.loads((folder / "item.json").read_text())["assets"]


def mapped_again(place, root):
    _, whole_, weights = place
    settings = load_settings(None, [f"land_cover.weights={weights}"])
    plan = map_plan(str(whole_), settings, root / "scenes")
    return map_land_cover(Context(plan.order, root, root / "products", 1))


def test_a_product_of_ours(place, tmp_path):
    weights = save_land(tmp_path, bands=SIX)
    there = product(tmp_path / "LC08_0f")
    folder = mapped((None, None, weights), tmp_path, scene=there)
    codes = raster(folder, "land_cover")[0]
    expected = np.zeros((64, 64), dtype=bool)
    expected[:20, :10] = expected[:, -4:] = True  # cloud and shadow; snow stays
    np.testing.assert_array_equal(codes == 255, expected)
    with rasterio.open(there / "a_reflectance.tif") as opened:
        pixels = opened.read().astype(np.float32) / 10000
    pixels[pixels < -0.9] = np.nan
    said = load_land_cover_model(weights, "cpu", 1)(pixels, SIX, 10.0)
    np.testing.assert_array_equal(codes[~expected], said.labels[~expected] + 1)
    item = json.loads((folder / "item.json").read_text())
    assert item["properties"]["platform"] == "landsat-8"
    assert any("Landsat's" in limit for limit in item["properties"]["nndacss:limits"])


def test_what_cannot_be_mapped(place, tmp_path):
    _, whole_, weights = place

    def plan(scene, *overrides, card=weights):
        settings = load_settings(None, [f"land_cover.weights={card}", *overrides])
        return map_plan(str(scene), settings, tmp_path / "scenes")

    with pytest.raises(SettingsError, match="--weights"):
        plan(whole_, card="")
    mask = save_small(tmp_path)
    with pytest.raises(WeightsError, match="a weights card of land cover"):
        plan(whole_, card=mask)
    with pytest.raises(InputError, match="TOA reflectance; expected SR"):
        plan(Recipe(size=60).write(tmp_path), "land_cover.toa=refuse")
    there = product(tmp_path / "LC08_0f")
    with pytest.raises(
        InputError, match=r"LC08_0f: found no nir; expected blue, .*trained on the bands"
    ):
        plan(there)
    (there / "item.json").write_text("{}")
    with pytest.raises(InputError, match=r"item\.json: found an item with KeyError"):
        plan(there)


def test_identity(place, tmp_path):
    _, whole_, weights = place

    def digest(*overrides, card=weights):
        settings = load_settings(None, [f"land_cover.weights={card}", *overrides])
        return map_plan(str(whole_), settings, tmp_path).order.recipe.digest

    same = digest()
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for file in (weights, weights.with_suffix(".safetensors")):
        (moved / file.name).write_bytes(file.read_bytes())
    assert digest(card=moved / "land.json") == same
    assert digest("land_cover.device=cpu") == same
    assert digest("land_cover.hidden=map") != same
    assert digest("tile.part=1024") != same
