"""Which edit gives which stage's result another name, and which does not."""

import hashlib
import json
import os
import shutil
import tarfile

import pytest

from nndacss.chain import STAGES, plan
from nndacss.models.harmonizer_card import harmonizer_card
from nndacss.settings import load_settings
from nndacss.simulate.landsat import write_landsat
from tests.models.small_harmonizer import small_harmonizer


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    return write_landsat(tmp_path_factory.mktemp("scenes"), seed=1, rows=40, columns=40)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    return [small_harmonizer(folder, f"member{seed}", seed) for seed in range(2)]


def digests(scene, *overrides, l1=None):
    planned = plan(scene, l1, load_settings(None, overrides))
    return {stage: order.recipe.digest for stage, order in planned.orders.items()}


BANDPASS = "harmonize.method=bandpass"


@pytest.mark.parametrize(
    ("override", "renamed"),
    [
        ("tile.grid=landsat", {"mask", "harmonize", "product"}),
        ("tile.window=256", {"mask", "harmonize", "product"}),
        ("mask.dilated=true", {"mask", "product"}),
        ("harmonize.target=sentinel-2b", {"harmonize", "product"}),
        ('harmonize.roles=["blue", "green", "red"]', set(STAGES)),
        ("product.mask_format=scl", {"product"}),
        ("mask.dilated=false", set()),  # the default, said aloud
        ("tile.grid=s2", set()),
        # of no network, so of no meaning
        ("harmonize.precision=bfloat16", set()),
        ("harmonize.uncertainty=false", set()),
        ("harmonize.force_toa=true", set()),
        ("harmonize.device=cpu", set()),
        ('harmonize.weights=["absent"]', set()),
    ],
)
def test_settings(pair, override, renamed):
    before, after = digests(pair.l2, BANDPASS), digests(pair.l2, BANDPASS, override)
    assert {stage for stage in STAGES if before[stage] != after[stage]} == renamed


@pytest.mark.parametrize(
    ("override", "renamed"),
    [
        ("tile.window=256", {"mask", "harmonize", "product"}),
        ("mask.dilated=true", {"mask", "harmonize", "product"}),  # it says where the ground is
        ("mask.device=cpu", set()),
        (BANDPASS, {"harmonize", "product"}),
        ("harmonize.method=auto", set()),  # which stands for the same
        ("harmonize.sharpen=false", {"harmonize", "product"}),
        ("harmonize.precision=float32", {"harmonize", "product"}),
        ("harmonize.precision=bfloat16", set()),
        ("harmonize.uncertainty=false", {"harmonize", "product"}),
        ("harmonize.device=cpu", set()),
        ("harmonize.force_toa=true", set()),  # the level is in the recipe
        ("other weights", {"harmonize", "product"}),
        ("an ensemble", {"harmonize", "product"}),
        ("the same weights elsewhere", set()),
    ],
)
def test_settings_with_a_network(pair, weights, tmp_path, override, renamed):
    def named(*cards):
        return "harmonize.weights=" + json.dumps([str(card) for card in cards])

    own = ["harmonize.method=deep", named(weights[0])]
    if override == "the same weights elsewhere":
        for suffix in (".json", ".safetensors"):
            shutil.copy(weights[0].with_suffix(suffix), tmp_path)
        override = named(tmp_path / weights[0].name)
    override = {"other weights": named(weights[1]), "an ensemble": named(*weights)}.get(
        override, override
    )
    before, after = digests(pair.l2, *own), digests(pair.l2, *own, override)
    assert {stage for stage in STAGES if before[stage] != after[stage]} == renamed


def test_a_network_waits_for_the_mask_and_bandpass_does_not(pair, weights):
    deep = ["harmonize.method=deep", f"harmonize.weights={json.dumps([str(weights[0])])}"]
    planned = plan(pair.l2, None, load_settings(None, [*deep, "harmonize.device=cpu"]))
    order, mask = planned.orders["harmonize"], planned.orders["mask"]
    card = harmonizer_card(weights[0])
    assert order.recipe.inputs["mask"] == mask.recipe.digest
    assert (order.recipe.weights, order.recipe.precision) == (card.sha256, "bfloat16")
    assert str(weights[0].parent) not in json.dumps(order.recipe.settings)
    assert order.location["device"] == "cpu"
    assert order.location["weights"] == str(weights[0])
    assert not {"device", "weights"} & set(mask.location)
    plain = plan(pair.l2, None, load_settings(None, [BANDPASS])).orders["harmonize"].recipe
    assert set(plain.inputs) == {"scene"}
    assert (plain.weights, plain.precision, plain.settings) == (None, None, {})


def test_the_name_of_a_bandpass_result_stays(pair):
    """As it was before there was any other method, but for the version of the pixels."""
    found = plan(pair.l2, None, load_settings(None, [BANDPASS])).orders["harmonize"]
    scene = {"scene": plan(pair.l2, None, load_settings(None)).orders["acquire"].recipe.digest}
    plain = {"inputs": scene, "level": "SR", "settings": {}, "stage": "harmonize", "version": 2}
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    assert found.recipe.digest == hashlib.sha256(text.encode()).hexdigest()


def test_place_time_and_packing_do_not_count(pair, tmp_path):
    folders = [pair.l2, pair.l1]
    for folder in folders:
        copy = tmp_path / "copy" / folder.name
        shutil.copytree(folder, copy)
        for file in copy.iterdir():
            os.utime(file, (0, 0))
        (copy / "notes.txt").write_text("not part of the product")
        (tmp_path / "tar").mkdir(exist_ok=True)
        with tarfile.open(tmp_path / "tar" / f"{folder.name}.tar", "w") as tar:
            for file in sorted(folder.iterdir(), reverse=True):
                tar.add(file, file.name)
    expected = digests(pair.l2)
    assert digests(tmp_path / "copy" / pair.l2.name) == expected
    assert digests(tmp_path / "tar" / f"{pair.l2.name}.tar") == expected


@pytest.mark.parametrize("change", ["metadata", "size", "no l1"])
def test_another_product_is_another_result(pair, tmp_path, change):
    copy = tmp_path / pair.l2.name
    shutil.copytree(pair.l2, copy)
    if change != "no l1":
        shutil.copytree(pair.l1, tmp_path / pair.l1.name)
    if change == "metadata":
        (mtl,) = copy.glob("*_MTL.txt")
        mtl.write_text(mtl.read_text().replace("SUN_ELEVATION = ", "SUN_ELEVATION =  "))
    if change == "size":
        (band,) = copy.glob("*_SR_B4.TIF")
        with band.open("ab") as file:
            file.write(b"\0")
    before, after = digests(pair.l2), digests(copy)
    assert not {stage for stage in STAGES if before[stage] == after[stage]}


def test_the_sibling_is_found_and_its_absence_told(pair, weights, tmp_path):
    found = plan(pair.l2, None, load_settings(None, [BANDPASS]))
    assert found.l1 is not None
    assert found.l1.name == pair.l1.name
    assert found.losses == ()
    copy = tmp_path / pair.l2.name
    shutil.copytree(pair.l2, copy)
    alone = plan(copy, None, load_settings(None, [BANDPASS]))
    assert alone.l1 is None
    assert "no pan band, so no detail below 30 m" in alone.losses[0]
    deep = ["harmonize.method=deep", f"harmonize.weights={json.dumps([str(weights[0])])}"]
    (loss,) = plan(copy, None, load_settings(None, deep)).losses
    assert "no pan band, so detail below 30 m is inferred" in loss
    unsharpened = plan(copy, None, load_settings(None, ["harmonize.sharpen=false"]))
    assert unsharpened.losses == ()


def test_the_level_is_in_the_recipe(pair):
    levels = {
        plan(path, None, load_settings(None)).orders["mask"].recipe.level
        for path in (pair.l1, pair.l2)
    }
    assert levels == {"TOA", "SR"}
