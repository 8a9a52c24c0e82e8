"""Weights in recipes: what renames a mask, and what is refused before any work."""

import json

import pytest

from nndacss.chain import STAGES, plan
from nndacss.errors import WeightsError
from nndacss.mask import weights as module
from nndacss.mask.settings import MaskSettings
from nndacss.mask.weights import PRECISION, mask_card, planned_card
from nndacss.models.card import MaskCard, load_card
from nndacss.settings import load_settings
from tests.models.small import save_small


def orders(pair, *overrides):
    """Without a network that harmonizes, which would need the mask."""
    settings = load_settings(None, ["harmonize.method=bandpass", *overrides])
    return plan(pair.l2, None, settings).orders


def renamed(before, after):
    return {s for s in STAGES if before[s].recipe.digest != after[s].recipe.digest}


def test_the_sha_is_in_the_masks_recipe(pair, weights):
    named = orders(pair, f"mask.weights={weights}")
    assert named["mask"].recipe.weights == load_card(weights, MaskCard).sha256
    assert named["mask"].recipe.precision == PRECISION
    assert named["harmonize"].recipe.weights is None
    plain = orders(pair, f"mask.weights={weights}", "mask.method=quality")
    assert plain["mask"].recipe.weights is None


def test_other_weights_rename_mask_and_product(pair, weights, tmp_path):
    path = save_small(tmp_path, "mine")
    before = orders(pair, f"mask.weights={path}")
    save_small(tmp_path, "mine", seed=1)
    assert renamed(before, orders(pair, f"mask.weights={path}")) == {"mask", "product"}


def test_the_device_renames_nothing_and_is_handed_on(pair, weights):
    before = orders(pair, f"mask.weights={weights}")
    after = orders(pair, f"mask.weights={weights}", "mask.device=cpu")
    assert renamed(before, after) == set()
    assert after["mask"].location["device"] == "cpu"
    assert "device" not in before["mask"].location


@pytest.mark.parametrize(
    "override", ["mask.level=SR", "mask.probability=false", "mask.dilate={cloud = 30.0}"]
)
def test_settings_of_the_network_rename(pair, weights, override):
    before = orders(pair, f"mask.weights={weights}")
    after = orders(pair, f"mask.weights={weights}", override)
    assert renamed(before, after) == {"mask", "product"}


def test_level_1_is_looked_for_where_only_the_mask_wants_it(pair, weights):
    sharpless = ("harmonize.sharpen=false", f"mask.weights={weights}")
    settings = load_settings(None, sharpless)
    assert plan(pair.l2, None, settings).l1 is not None
    settings = load_settings(None, [*sharpless, "mask.level=SR"])
    assert plan(pair.l2, None, settings).l1 is None


def test_auto_without_installed_weights_is_no_network(monkeypatch):
    monkeypatch.setattr(module, "installed", lambda name: False)
    assert planned_card(MaskSettings()) is None


def test_weights_that_are_missing_or_of_another_kind_fail_the_plan(pair, tmp_path):
    with pytest.raises(WeightsError, match=r"nothing: found no such weights"):
        orders(pair, "mask.method=network", "mask.weights=nothing")
    with pytest.raises(WeightsError, match="nothing"):
        orders(pair, "mask.weights=nothing")  # with auto too: it was named
    cover = save_small(tmp_path, "cover", scheme="land_cover")
    with pytest.raises(WeightsError, match=r"weights for land_cover.*weights of a mask"):
        orders(pair, f"mask.weights={cover}")
    odd = save_small(tmp_path, "odd", required=("blue", "thermal"))
    with pytest.raises(WeightsError, match="required bands"):
        mask_card(odd)
    card = json.loads(odd.read_text())
    del card["scaling"]
    odd.write_text(json.dumps(card))
    with pytest.raises(WeightsError, match=r"odd\.json.*scaling.*a weights card"):
        orders(pair, f"mask.weights={odd}")
