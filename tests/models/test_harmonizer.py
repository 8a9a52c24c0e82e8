"""Harmonizers: ensembles against hand-worked statistics, and weights that do not fit."""

import json

import numpy as np
import pytest

from nndacss.errors import InputError, WeightsError
from nndacss.models.card import load_weights, save_weights
from nndacss.models.harmonizer import Harmonizer
from nndacss.models.harmonizer_card import HarmonizerCard, harmonizer_card
from nndacss.models.runtime import native_bfloat16
from tests.models.small import save_small
from tests.models.small_harmonizer import small_harmonizer


@pytest.fixture(scope="module")
def members(tmp_path_factory):
    folder = tmp_path_factory.mktemp("harmonizers")
    return [small_harmonizer(folder, f"member{seed}", seed) for seed in range(3)]


def pixels(side=48, count=1):
    rng = np.random.default_rng(0)
    return rng.uniform(0.02, 0.4, (count, 7, side, side)).astype(np.float32)


def test_an_ensemble_is_mean_and_variance(members):
    image = pixels()
    single = np.stack([Harmonizer([name])(image) for name in members])
    together = Harmonizer(members)(image)
    means, sigmas = single[:, :, :6], single[:, :, 6:]
    np.testing.assert_allclose(together[:, :6], means.mean(axis=0), atol=1e-6)
    variance = means.var(axis=0, ddof=1) + (sigmas**2).mean(axis=0)
    np.testing.assert_allclose(together[:, 6:], np.sqrt(variance), atol=1e-6)


def test_a_tile_does_not_depend_on_its_batch(members):
    images = pixels(count=3)
    one = Harmonizer(members[:1])
    np.testing.assert_allclose(one(images)[1:2], one(images[1:2]), atol=1e-6)


@pytest.mark.skipif(not native_bfloat16(), reason="this processor has no bfloat16 arithmetic")
def test_bfloat16_is_near(members):
    image = pixels(96)
    exact, near = (
        Harmonizer(members[:1])(image),
        Harmonizer(members[:1], precision="bfloat16")(image),
    )
    assert not np.array_equal(exact, near)
    assert np.sqrt(np.mean((exact - near)[:, :6] ** 2)) < 0.001


@pytest.mark.parametrize("shape", [(1, 6, 48, 48), (1, 7, 48, 50), (7, 48, 48), (1, 7, 0, 48)])
def test_wrong_shapes(members, shape):
    with pytest.raises(InputError, match=r"\(n, 7, rows, columns\), sides multiples of 6"):
        Harmonizer(members[:1])(np.zeros(shape, dtype=np.float32))


def test_weights_of_a_mask(tmp_path):
    with pytest.raises(
        WeightsError, match=r"no family, deviation.*expected a weights card of a harmonizer"
    ):
        harmonizer_card(save_small(tmp_path))


def test_no_weights():
    with pytest.raises(WeightsError, match="at least one"):
        Harmonizer([])


def edited(members, folder, **changes):
    """The first member's weights under a card with other entries."""
    card, tensors = load_weights(members[0], HarmonizerCard)
    card = card.model_copy(update={"name": "edited", **changes})
    save_weights(card, tensors, folder / "edited")
    return folder / "edited.json"


def test_another_width_names_the_layer(members, tmp_path):
    name = edited(members, tmp_path, architecture={"width": 16, "blocks": 1})
    with pytest.raises(WeightsError, match=r"layer enter\.weight: \(8, 65, 3, 3\); expected \(16,"):
        Harmonizer([name])


def test_another_depth_names_the_layer(members, tmp_path):
    name = edited(members, tmp_path, architecture={"width": 8, "blocks": 2})
    with pytest.raises(WeightsError, match=r"layer blocks\.1\.first\.weight: absent"):
        Harmonizer([name])


def test_an_architecture_of_another_family(members, tmp_path):
    name = edited(members, tmp_path, architecture={"depth": 5, "up": "upsample"})
    with pytest.raises(WeightsError, match="an architecture of the family detail"):
        harmonizer_card(name)


def test_bands_in_another_order(members, tmp_path):
    name = edited(members, tmp_path)
    card = json.loads(name.read_text())
    card["roles"] = card["roles"][::-1]
    name.write_text(json.dumps(card))
    with pytest.raises(WeightsError, match="a harmonizer's bands are blue, green"):
        harmonizer_card(name)


def test_members_for_two_satellites(members, tmp_path):
    name = edited(members, tmp_path, target="sentinel-2b")
    with pytest.raises(WeightsError, match="members for sentinel-2a, sentinel-2b"):
        Harmonizer([members[0], name])


def test_a_processor_without_bfloat16_computes_in_float32(members, monkeypatch):
    monkeypatch.setattr("nndacss.models.harmonizer.native_bfloat16", lambda: False)
    image = pixels()
    found = Harmonizer(members[:1], precision="bfloat16")(image)
    assert np.array_equal(found, Harmonizer(members[:1])(image))
