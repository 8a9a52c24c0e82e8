"""Networks as painters: whose weights, for which bands, and that batches change nothing."""

import numpy as np
import pytest
import torch

from nndacss.errors import SettingsError, WeightsError
from nndacss.identity import Order, Recipe
from nndacss.inpaint.bank import MaskBank
from nndacss.inpaint.networks import Networks, open_networks
from nndacss.inpaint.options import PaintOptions
from nndacss.inpaint.painter import Painter, Patch
from nndacss.inpaint.plan import inpaint_order, located, with_weights
from nndacss.inpaint.settings import InpaintSettings
from nndacss.inpaint.steps import Request
from nndacss.inpaint.weights import checked_weights
from nndacss.samples.settings import SamplesSettings
from nndacss.samples.store import SampleStore
from nndacss.sensors import REFLECTIVE
from nndacss.train.data import SampleData
from nndacss.train.paint import Painting
from nndacss.train.plan import train_order
from nndacss.train.settings import TrainSettings
from tests.inpaint.scenes import FakeRestorer, X, pair_bank, scene
from tests.inpaint.test_stage import make_samples
from tests.inpainter.small import save_small

pytestmark = pytest.mark.usefixtures("one_thread")
SAMPLES = Order(Recipe("samples", 1, {}, {"twin": "00"}), "small")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    return {name: str(save_small(folder, name)) for name in ("cloud", "shadow")}


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    return pair_bank(tmp_path_factory.mktemp("bank") / "bank.h5")


def options(weights, **more):
    more = {"modes": ("clouds_on_empty",), "thin_chance": 0.0, **more}
    return PaintOptions(renderer="network", weights=weights, **more)


def test_requests_are_answered_in_order_whatever_their_kind():
    networks = Networks({"cloud": FakeRestorer(0.5), "shadow": FakeRestorer(0.1)})
    requests = []
    for number, name in enumerate(("cloud", "shadow", "cloud", "cloud")):
        size = (6, 20, 30 if number == 3 else 20)
        pixels, hole = np.full(size, number / 10, np.float32), np.zeros(size[1:], bool)
        hole[5:9, 5:9] = True
        requests.append(Request(name, pixels, REFLECTIVE, hole))
    answers = networks.answer(requests)
    found = [float(answer[0, 6, 6]) for answer in answers]
    assert found == pytest.approx([0.5, 0.11, 0.52, 0.53])
    assert [answer.shape for answer in answers] == [request.pixels.shape for request in requests]


def test_real_networks_paint_a_batch_like_its_patches(weights, bank):
    paint = options(weights, cover=(0.2, 0.5))
    painter = Painter(MaskBank(bank), paint, open_networks(paint, REFLECTIVE))
    patches = [Patch(*scene(seed, "empty"), REFLECTIVE, 20.0, (45.0, 120.0)) for seed in range(4)]
    together = painter.paint_batch(patches, [np.random.default_rng(n) for n in range(4)])
    optics = Painter(MaskBank(bank), paint.model_copy(update={"renderer": "physical"}))
    different = 0
    for number, patch in enumerate(patches):
        (alone,) = painter.paint_batch([patch], [np.random.default_rng(number)])
        np.testing.assert_array_equal(together[number].pixels, alone.pixels)
        (plain,) = optics.paint_batch([patch], [np.random.default_rng(number)])
        np.testing.assert_array_equal(plain.sets, alone.sets)
        apart = np.nan_to_num(np.abs(plain.pixels - alone.pixels)).max(axis=0) > 0.02
        different += bool((apart & (alone.sets == X)).any())
    assert different >= 3


def test_a_recipe_knows_the_weights_and_not_their_place(weights, bank, tmp_path):
    def order(renderer, places):
        paint = {"chance": 0.5, "bank": str(bank), "renderer": renderer, "weights": places}
        return train_order(SAMPLES, {"train": TrainSettings(paint=paint)}, "net")

    known = order("network", weights)
    paint = known.recipe.settings["train"]["paint"]
    assert set(paint["weights_sha256"]) == {"cloud", "shadow"}
    assert str(tmp_path.parent) not in str(known.recipe)
    again = {name: str(save_small(tmp_path, name)) for name in weights}
    assert order("network", again).recipe.digest == known.recipe.digest
    other = {**again, "cloud": str(save_small(tmp_path, "cloud", seed=3))}
    assert order("network", other).recipe.digest != known.recipe.digest
    # what is not used is in no recipe
    plain = order("physical", {})
    assert order("physical", weights).recipe.digest == plain.recipe.digest
    assert "renderer" not in plain.recipe.settings["train"]["paint"]
    # and the fit finds them again
    restored = located(PaintOptions(weights_sha256=paint["weights_sha256"]), known.location)
    assert restored.weights == weights


def test_sample_sets_know_their_weights_too(weights, bank):
    paint = options(weights, bank=str(bank))
    settings = {"inpaint": InpaintSettings(paint=paint), "samples": SamplesSettings()}
    order = inpaint_order(SAMPLES, None, settings)
    assert set(order.recipe.settings["inpaint"]["paint"]["weights_sha256"]) == {"cloud", "shadow"}
    settings["samples"] = SamplesSettings(roles=("blue", "coastal"))
    with pytest.raises(WeightsError, match="2 bands, coastal among them; expected any of its 6"):
        inpaint_order(SAMPLES, None, settings)


def test_weights_that_do_not_fit(weights):
    with pytest.raises(WeightsError, match="found weights for shadow; expected cloud"):
        checked_weights(options({"cloud": weights["shadow"]}))
    with pytest.raises(WeightsError, match=r"6 bands|3 bands, pan among them"):
        checked_weights(options(weights), ("blue", "red", "pan"))
    known, _ = with_weights(options(weights), REFLECTIVE)
    wrong = known.model_copy(update={"weights_sha256": {"cloud": "0" * 64}})
    with pytest.raises(WeightsError, match="expected sha256 000000000000"):
        open_networks(wrong, REFLECTIVE)
    assert open_networks(PaintOptions(), ("anything",)) is None


def test_only_what_is_painted_needs_weights():
    assert PaintOptions(modes=("duplicate",)).structures == ()
    assert PaintOptions(modes=("shadow_for_cloud",)).structures == ("shadow",)
    assert PaintOptions(modes=("snow_on_empty",)).structures == ("snow",)
    assert PaintOptions(modes=("clouds_on_empty",)).structures == ("cloud", "shadow")
    assert PaintOptions().structures == ("cloud", "shadow")
    assert PaintOptions(snow_chance=0.1).structures == ("cloud", "shadow", "snow")


def test_training_without_a_bank_is_refused():
    paint = {"chance": 0.5, "modes": ("duplicate",)}
    with pytest.raises(SettingsError, match="without a bank"):
        train_order(SAMPLES, {"train": TrainSettings(paint=paint)}, "net")


def training(bank, weights, workers):
    paint = {"chance": 0.7, "bank": str(bank), "weights": weights, "renderer": "network"}
    paint |= {"modes": ("clouds_on_empty", "duplicate"), "cover": (0.2, 0.5)}
    return TrainSettings(
        batch=4, crop=32, monitor=0.2, cross_validated=(), workers=workers, paint=paint
    )


@pytest.mark.parametrize("renderer", ["physical", "network"])
def test_painting_in_training_is_the_same_in_batches(tmp_path, bank, weights, renderer):
    make_samples(tmp_path / "samples.h5")
    settings = training(bank, weights, 0)
    paint = settings.paint.model_copy(update={"renderer": renderer})
    settings = settings.model_copy(update={"paint": paint})
    with SampleStore(tmp_path / "samples.h5") as store:
        painting = Painting(store, settings)
        drawn = [(*store.read(n), store.records[n], 2, n) for n in range(8)]
        together = painting.many(drawn)
        changed = 0
        for one, (pixels, sets) in zip(drawn, together, strict=True):
            alone = painting(*one)
            np.testing.assert_array_equal(pixels, alone[0])
            np.testing.assert_array_equal(sets, alone[1])
            changed += not np.array_equal(sets, one[1])
        assert changed >= 2


def test_loader_processes_paint_with_networks(tmp_path, bank, weights):
    make_samples(tmp_path / "samples.h5")
    batches = [
        list(
            SampleData(tmp_path / "samples.h5", training(bank, weights, workers)).train_dataloader()
        )
        for workers in (0, 1)
    ]
    for one, other in zip(*batches, strict=True):
        assert torch.equal(one["pixels"].nan_to_num(-9), other["pixels"].nan_to_num(-9))
        assert torch.equal(one["sets"], other["sets"])
