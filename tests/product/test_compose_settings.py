"""How a product is composed: what renames it, and what is refused before any work."""

from __future__ import annotations

import pytest

from nndacss.chain import plan
from nndacss.errors import InputError, SettingsError
from nndacss.settings import load_settings
from nndacss.simulate.landsat import write_landsat
from tests.readers.safe_recipes import Recipe as SafeRecipe


@pytest.fixture(scope="module")
def landsat(tmp_path_factory):
    return write_landsat(tmp_path_factory.mktemp("scenes"), seed=1, rows=40, columns=40)


def name(scene, *overrides):
    orders = plan(scene, None, load_settings(None, overrides)).orders
    return {stage: order.recipe.digest for stage, order in orders.items()}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ((), ("product.compose=none",), True),
        ((), ("product.feather=60", "product.cutoff=100"), True),  # of nothing
        ((), ("product.compose=landsat",), False),
        (("product.compose=landsat",), ("product.compose=fourier",), False),
        (("product.compose=landsat",), ("product.compose=landsat", "product.cutoff=100"), True),
        (("product.compose=landsat",), ("product.compose=landsat", "product.feather=60"), False),
        (("product.compose=fourier",), ("product.compose=fourier", "product.cutoff=100"), False),
    ],
)
def test_what_renames_a_product(landsat, one, other, same):
    before, after = name(landsat.l2, *one), name(landsat.l2, *other)
    assert (before["product"] == after["product"]) == same
    assert before["harmonize"] == after["harmonize"]


@pytest.mark.parametrize("way", ["landsat", "fourier"])
def test_what_cannot_be_composed_is_told_before_any_work(landsat, tmp_path, way):
    asked = f"product.compose={way}"
    fewer = load_settings(None, [asked, 'harmonize.roles=["blue", "red"]'])
    with pytest.raises(SettingsError, match=rf"blue, red; expected all of .* = {way}"):
        plan(landsat.l2, None, fewer)
    safe = SafeRecipe(level="2A").write(tmp_path)
    with pytest.raises(InputError, match=rf"not Landsat-8/9's.*product.compose = {way}"):
        plan(safe, None, load_settings(None, [asked]))
    assert plan(safe, None, load_settings(None, [])).orders


@pytest.mark.parametrize("setting", ["compose=deep", "feather=-1", "cutoff=30", "cutoff=5000"])
def test_settings_beyond_sense(setting):
    with pytest.raises(SettingsError, match=setting.partition("=")[0]):
        load_settings(None, [f"product.{setting}"])
