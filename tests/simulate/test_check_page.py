"""The twin's page: on a tiny folder of made-up data, on nothing, and on real data."""

import json
import re

import numpy as np
import pytest
import rasterio
from PIL import Image

from nndacss.simulate.check import difficulty, real, shapes, spectra
from nndacss.simulate.check.__main__ import check, main
from nndacss.simulate.check.parts import Labelled, Table
from nndacss.simulate.check.statistics import Counts
from nndacss.simulate.check.twin import Twin, labelled
from nndacss.simulate.chips import chip

pytestmark = pytest.mark.filterwarnings(
    "ignore::rasterio.errors.NotGeoreferencedWarning"  # the archives have no georeference either
)


@pytest.fixture(scope="module")
def twin():
    return Twin(count=4, side=64, skies=6, mask_side=128)


def _biome(folder, part, name, codes, value):
    """A chip of 64 x 64: cloud is 0.6, shadow half of the ground's `value`."""
    pixels = np.full((8, 64, 64), value, dtype=np.float32)
    pixels[:, codes == 64] = value / 2
    pixels[:, codes >= 192] = 0.6
    stem = folder / "landsat8-biome-chips" / part
    stem.mkdir(parents=True, exist_ok=True)
    for kind, bands in (("image", pixels), ("mask", codes[None])):
        profile = {"count": len(bands), "height": 64, "width": 64, "dtype": bands.dtype}
        path = stem / f"{name}_{kind}.tif"
        with rasterio.open(path, "w", driver="GTiff", **profile) as file:
            file.write(bands)


@pytest.fixture
def folder(tmp_path):
    codes = np.full((64, 64), 128, dtype=np.uint8)
    codes[:16], codes[16:24], codes[24:40] = 255, 192, 64
    _biome(tmp_path, "train", "Forest_00", codes, 0.2)
    _biome(tmp_path, "val", "Forest_01", codes, 0.1)
    _biome(tmp_path, "val", "Water_00", np.full((64, 64), 128, dtype=np.uint8), 0.05)
    masks = tmp_path / "masks-real-shapes" / "cloud-sentinel2-catalogue"
    masks.mkdir(parents=True)
    for number in range(4):
        mask = np.zeros((128, 128), dtype=np.uint8)
        mask[10 : 40 + number, 20:50] = 255
        Image.fromarray(mask).save(masks / f"S2A_{number}.png")
    return tmp_path


def test_biome_codes_are_mapped(folder):
    forest, water = real.biome(folder, "val")
    assert forest.cloud.mean() == pytest.approx(24 / 64)
    assert forest.thin.mean() == pytest.approx(8 / 64)
    assert forest.kind("thick").mean() == pytest.approx(16 / 64)
    assert forest.kind("clear").mean() == pytest.approx(24 / 64)
    assert forest.shadow.mean() == pytest.approx(16 / 64)
    assert water.shadow is None  # code 64 is not in that scene: nobody marked shadows
    assert forest.roles == ("blue", "green", "red", "nir08", "swir16", "swir22", "cirrus")


def test_shadow_depth_is_a_ratio_within_a_chip(folder):
    depth = spectra.shadow_depth(real.biome(folder, "val"))
    assert depth["red"] == pytest.approx((0.5, 0.5, 0.5))


def test_one_band_rule_on_pooled_pixels(folder):
    # 0.6 is cloud everywhere and nowhere else: any band is a perfect rule.
    _, threshold, iou = difficulty.one_band(real.biome(folder, "val"))
    assert iou == 1
    assert threshold == pytest.approx(0.6)


def test_every_second_mask_is_held_back(folder, twin):
    part = shapes.shapes(folder, twin)
    assert part.numbers["real"]["0.02 to 0.2"]["masks"] == 2


def test_page_on_a_small_folder(folder, twin, tmp_path, monkeypatch):
    monkeypatch.setattr(difficulty, "find_spec", lambda _: None)
    monkeypatch.setattr("nndacss.simulate.check.twin.Twin", lambda **_: twin)
    page = tmp_path / "out" / "page.html"
    parts = check(folder, page, 4, 6)
    text = page.read_text()
    assert 'src="http' not in text
    assert not re.search(r"<script|<link|url\(", text)
    assert text.count("<img") >= 3
    for part in parts:
        assert part.title in text
        for table in part.tables:
            assert isinstance(table, Table)
            assert table.verdict
    # What is absent is said, with the command for what can be installed.
    assert "spectra is absent" in text
    assert "pip install &#39;ukis-csmask[cpu]==1.0.0&#39;" in text
    numbers = json.loads(page.with_suffix(".json").read_text())
    scores = numbers["parts"]["Difficulty"]["numbers"]["Biome val (held back)"]
    assert scores["one_band"]["cloud_iou"] == 1
    assert scores["chips"] == 2


@pytest.mark.parametrize("made", [False, True])
def test_wrong_folder_is_named(tmp_path, capsys, made):
    data = tmp_path / "nowhere"
    if made:
        data.mkdir()
    page = tmp_path / "page.html"
    assert main([str(data), "--page", str(page)]) == 1
    error = capsys.readouterr().err
    assert str(data) in error
    assert "landsat8-biome-chips" in error
    assert not page.exists()


def test_too_few_chips_are_refused(folder, capsys):
    assert main([str(folder), "--chips", "1"]) == 1
    assert "--chips" in capsys.readouterr().err


def test_twin_chips_come_with_their_truth():
    made = chip(5, "landsat8_oli", "TOA", 30, 64, 64, cover=0.5, veils=0.0)
    one = labelled(made, "seed 5")
    assert (one.cloud == (made.thickness >= 0.3)).all()
    assert (one.thin == (one.cloud & (made.thickness < 2))).all()
    parts = [one.kind(kind) for kind in ("clear", "thin", "thick", "shadow")]
    assert np.sum(parts, axis=0).max() == 1  # no pixel is of two kinds


def test_averaged_chip_keeps_the_majority():
    cloud = np.zeros((6, 6), dtype=bool)
    cloud[:3, :2] = True  # 6 of the 9 pixels of the first block
    cloud[0, 3] = True  # 1 of 9 of the second
    pixels = np.zeros((1, 6, 6), dtype=np.float32)
    pixels[0, :3, :2] = 0.9
    one = Labelled("a", "twin", pixels, ("red",), "SR", cloud, None, None, metres=10)
    small = difficulty.averaged(one, 3)
    assert small.metres == 30
    assert small.cloud.tolist() == [[True, False], [False, False]]
    assert small.pixels[0, 0, 0] == pytest.approx(0.6)


def test_a_band_that_finds_all_clouds_fails_the_twin():
    scores = {"chips": 1, "cloud_share": 0.5}
    band = {"band": "blue", "threshold": 0.3, "cloud_iou": 0.95}
    table = difficulty._table({"twin, Landsat TOA 30 m": {**scores, "one_band": band}}, False)
    assert table.agrees is False
    assert "Too easy" in table.verdict
    band = {**band, "cloud_iou": 0.9}
    table = difficulty._table({"twin, Landsat TOA 30 m": {**scores, "one_band": band}}, False)
    assert table.agrees is True


def test_real_landsat_spectra_are_reflectance(shared_data):
    archives = real.surfaces(shared_data("spectra").parent)
    rock = archives["Landsat SR"]["rock"], archives["Sentinel-2 SR"]["rock"]
    # The same kind of rock through two sensors: alike once the offset is taken off.
    for role in ("green", "red", "nir08", "swir16", "swir22"):
        first, second = (np.nanmedian(part[role]) for part in rock)
        assert first == pytest.approx(second, abs=0.03)


@pytest.mark.slow
def test_network_is_scored_beside_real_chips(shared_data):
    pytest.importorskip("ukis_csmask")
    chips = real.biome(shared_data("landsat8-biome-chips").parent, "val")
    # A chip that is half cloud, with shadows: the network finds most of the cloud.
    forest = next(one for one in chips if one.name == "Forest_00_1008")
    cloud, shadow = difficulty.csmask_counts([difficulty.csmask(forest)])
    assert isinstance(cloud, Counts)
    assert cloud.iou > 0.8
    assert shadow.iou > 0.4
    assert cloud.hit + cloud.missed == forest.cloud.sum()


def test_doubtful_clouds_can_be_left_out():
    thickness = np.float32([[0.0, 0.5, 0.5, 3.0]])
    cloud = thickness >= 0.3
    pixels = np.zeros((1, 1, 4), dtype=np.float32)
    one = Labelled("a", "twin", pixels, ("red",), "TOA", cloud, None, ~cloud, thickness=thickness)
    found = np.array([[2, 0, 1, 1]], dtype=np.uint8)
    assert difficulty.csmask_counts([(found, one)]) == (Counts(2, 0, 1), Counts(1, 0, 0))
    plain = difficulty.csmask_counts([(found, one)], doubtful=False)
    assert plain == (Counts(1, 0, 0), Counts(1, 0, 0))
