"""Inpainting networks: what they may change, what they must not, whose weights they take."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from nndacss.errors import InputError, WeightsError
from nndacss.models.card import find
from nndacss.models.inpainter import Restorer, apply, open_network
from nndacss.models.inpainter_card import PUBLISHED_ROLES, inpainter_card
from nndacss.models.inpainter_window import around, windowed
from nndacss.models.segmentation import build
from nndacss.models.torchvision_fix import ensure_torchvision
from nndacss.sensors import REFLECTIVE
from tests.inpainter.small import ARCHITECTURE, SCALING, save_small

ensure_torchvision()
import segmentation_models_pytorch as smp  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return save_small(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def restorer(weights):
    return Restorer(weights)


def patches(count=3, bands=6, rows=64, columns=96, seed=0):
    """Noise on slow waves, some nodata, and a hole of another place and size in each patch."""
    rng = np.random.default_rng(seed)
    wave = np.sin(np.arange(rows)[:, None] / 9) * np.cos(np.arange(columns) / 7)
    pixels = 0.3 + 0.1 * wave + 0.02 * rng.standard_normal((count, bands, rows, columns))
    hole = np.zeros((count, rows, columns), bool)
    for place in range(count):
        hole[place, 5 * place : 5 * place + 20, 10 : 30 + 8 * place] = True
    pixels = pixels.astype(np.float32)
    pixels[:, :, :8, :14] = np.nan
    pixels[0, 2, 12:40, :] = np.nan
    return pixels, hole


def same(first, second):
    return np.array_equal(first, second, equal_nan=True)


def test_only_seen_pixels_of_the_hole_change(restorer):
    pixels, hole = patches()
    before = pixels.copy(), hole.copy()
    found = restorer.restore(pixels, hole)
    assert same(pixels, before[0])
    assert same(hole, before[1])
    there = np.broadcast_to(hole[:, None], pixels.shape) & ~np.isnan(pixels)
    assert same(found[~there], pixels[~there])
    assert (found[there] != pixels[there]).mean() > 0.99
    assert (found.dtype, found.shape) == (np.float32, pixels.shape)
    assert ((found[there] >= 0) & (found[there] <= 1.5)).all()


def test_it_is_the_network_of_its_card_worked_out_by_hand(restorer, weights):
    """Planes made by numpy, an unfolded network, rows and columns filled up to 32."""
    pixels, hole = patches(rows=50, columns=70)
    network = build(ARCHITECTURE, 6, 6)
    network.load_state_dict(load_file(weights.with_suffix(".safetensors")))
    offset = np.array([SCALING.offset[role] for role in REFLECTIVE])[:, None, None]
    spread = np.array([SCALING.spread[role] for role in REFLECTIVE])[:, None, None]
    for index, (image, hidden) in enumerate(zip(pixels, hole, strict=True)):
        planes = np.zeros((1, 12, 64, 96), np.float32)
        seen = ~np.isnan(image) & ~hidden
        planes[0, :6, :50, :70] = np.where(seen, (np.nan_to_num(image) - offset) / spread, 0)
        planes[0, 6:, :50, :70] = np.where(seen, 1, np.where(np.isnan(image), 0, -1))
        with torch.no_grad():
            output = network.eval()(torch.from_numpy(planes))[0, :, :50, :70].numpy()
        wanted = np.where(
            hidden & ~np.isnan(image), np.clip(output * spread + offset, 0, 1.5), image
        )
        found = restorer.restore(pixels[[index]], hole[[index]])[0]
        np.testing.assert_allclose(found, wanted, atol=5e-5)


def test_a_batch_is_its_patches_one_by_one(restorer, weights):
    pixels, hole = patches(5)
    found = restorer.restore(pixels, hole)
    for index in range(5):
        one = [index]
        assert same(restorer.restore(pixels[one], hole[one])[0], found[index])
    assert same(Restorer(weights, threads=3).restore(pixels, hole), found)
    mixed = [3, 0, 4]
    assert same(restorer.restore(pixels[mixed], hole[mixed]), found[mixed])


def test_a_plain_loop_of_whole_patches_gives_equal_pixels(restorer, weights):
    pixels, hole = patches()
    card, network = open_network(weights)
    for image, hidden, found in zip(pixels, hole, restorer.restore(pixels, hole), strict=True):
        filled = apply(card, network, image[None], hidden[None])[0]
        wanted = np.where(hidden & ~np.isnan(image), filled, image)
        np.testing.assert_allclose(found, wanted, atol=5e-5)


def test_what_is_hidden_is_not_seen(restorer):
    pixels, hole = patches()
    other = np.where(hole[:, None] & ~np.isnan(pixels), np.float32(0.9), pixels)
    assert same(restorer.restore(pixels, hole), restorer.restore(other, hole))


def test_a_patch_without_a_hole_comes_back(restorer):
    pixels, hole = patches()
    hole[1] = False
    found = restorer.restore(pixels, hole)
    assert same(found[1], pixels[1])
    assert not same(found[0], pixels[0])
    assert same(restorer.restore(pixels[:0], hole[:0]), pixels[:0])


def test_any_of_its_bands_in_any_order(restorer):
    pixels, hole = patches()
    alone = restorer.restore(pixels[:, [2, 0]], hole, ("red", "blue"))
    fewer = np.full_like(pixels, np.nan)
    fewer[:, [0, 2]] = pixels[:, [0, 2]]
    assert same(alone, restorer.restore(fewer, hole)[:, [2, 0]])
    assert not same(alone, restorer.restore(pixels, hole)[:, [2, 0]])


def test_threads_of_the_caller_stay_as_they_were(restorer):
    torch.set_num_threads(2)
    restorer.restore(*patches(1))
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda p, h: (p[:, :5], h), r"shape \(3, 5, 64, 96\); expected \(n, 6, rows, columns\)"),
        (lambda p, h: (p, h, ("red", "nir")), "bands red, nir; expected some of blue, green"),
        (lambda p, h: (p[:, :2], h, ("red", "red")), "each once"),
        (lambda p, h: (p, h[:, :, :90]), r"hole of shape \(3, 64, 90\), bool; expected \(3, 64"),
        (lambda p, h: (p, np.pad(h, ((0, 0), (0, 9), (0, 0)))), "cut the mask to the patch"),
        (lambda p, h: (p, h.astype(np.uint8)), r"uint8; expected .* bool"),
        (lambda p, h: (p.astype(np.float64), h), "float64 numbers; expected float32"),
        (lambda p, h: (p, h | (np.arange(3) == 1)[:, None, None]), "all that is seen of patch 1"),
    ],
)
def test_what_cannot_be_restored_is_one_line(restorer, spoil, message):
    with pytest.raises(InputError, match=message) as error:
        restorer.restore(*spoil(*patches()))
    assert "\n" not in str(error.value)


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A state dict in the published form, with random weights: the very network and file name."""
    torch.manual_seed(0)
    network = smp.UnetPlusPlus(
        encoder_name="timm-efficientnet-b0", encoder_weights=None, in_channels=8, classes=8
    )
    path = tmp_path_factory.mktemp("published") / "UNet_Ef_b0_InpaintClouds_2losses_ep_100"
    with torch.no_grad():
        for _ in range(2):
            network.train()(torch.rand(2, 8, 64, 64))
    torch.save(network.state_dict(), path)
    return network.eval(), path


def test_published_state_dicts_do_what_the_published_code_does(published):
    """By its own steps: hole at 0, clip, and only pixels of the hole are taken."""
    network, path = published
    pixels, hole = patches(2, 8, 64, 64)
    pixels = np.nan_to_num(pixels, nan=0.1)
    restorer = Restorer(path)
    found = restorer.restore(pixels, hole)
    assert (restorer.structure, restorer.roles) == ("cloud", PUBLISHED_ROLES)
    for image, hidden, ours in zip(pixels, hole, found, strict=True):
        corrupted = torch.from_numpy(image) * torch.from_numpy(~hidden)
        with torch.no_grad():
            theirs = network(corrupted[None]).clip(0, 1)[0]
        wanted = torch.where(torch.from_numpy(hidden), theirs, torch.from_numpy(image))
        np.testing.assert_allclose(ours, wanted.numpy(), atol=5e-5)


def test_the_published_form_is_known_by_names_and_shapes(published):
    """Layers as segmentation-models-pytorch has written them since 0.2, counted by hand."""
    tensors = torch.load(published[1], weights_only=True)
    assert len(tensors) == 492
    shapes = {name: tuple(value.shape) for name, value in tensors.items()}
    assert shapes["encoder.conv_stem.weight"] == (32, 8, 3, 3)
    assert shapes["encoder.blocks.6.0.conv_pwl.weight"] == (320, 1152, 1, 1)
    assert shapes["decoder.blocks.x_0_0.conv1.0.weight"] == (256, 320 + 112, 3, 3)
    assert shapes["decoder.blocks.x_0_4.conv2.0.weight"] == (16, 16, 3, 3)
    assert shapes["segmentation_head.0.weight"] == (8, 16, 3, 3)


def test_files_that_are_no_published_weights(published, tmp_path):
    tensors = torch.load(published[1], weights_only=True)
    nameless = tmp_path / "weights.pth"
    torch.save(tensors, nameless)
    with pytest.raises(WeightsError, match="no structure in the file's name"):
        Restorer(nameless)
    whole = tmp_path / "InpaintSnow_model"
    torch.save(published[0], whole)  # a pickled model: code
    with pytest.raises(WeightsError, match="pickled code is never run"):
        Restorer(whole)
    few = tmp_path / "InpaintShadows_3bands.pth"
    torch.save({**tensors, "encoder.conv_stem.weight": torch.zeros(32, 3, 3, 3)}, few)
    with pytest.raises(WeightsError, match=r"conv_stem.*8 bands in and out"):
        Restorer(few)
    wrapped = tmp_path / "InpaintShadows_gpu"
    torch.save({f"module.{name}": value for name, value in tensors.items()}, wrapped)
    assert Restorer(wrapped).structure == "shadow"


def test_a_card_of_something_else_is_refused(weights, tmp_path):
    facts = json.loads(weights.read_text())
    del facts["structure"]
    (tmp_path / "mask.json").write_text(json.dumps(facts))
    with pytest.raises(WeightsError, match=r"no structure.*inpainting network"):
        inpainter_card(tmp_path / "mask.json")
    with pytest.raises(WeightsError, match="no such weights"):
        Restorer("inpainter_fog_v1")


@pytest.mark.parametrize("place", [(0, 0), (3, 70), (90, 5), (100, 100), (61, 47)])
def test_fine_levels_around_the_hole_give_the_pixels_of_the_whole_patch(weights, place):
    """Holes in corners, at borders and inside: each pixel of the hole, and no window cuts one."""
    _, network = open_network(weights)
    planes = torch.randn(1, 12, 128, 160, generator=torch.Generator().manual_seed(1))
    hole = torch.zeros(1, 128, 160, dtype=torch.bool)
    hole[0, place[0] : place[0] + 17, place[1] : place[1] + 9] = True
    hole[0, place[0] + 20, place[1] + 25] = True
    with torch.no_grad():
        wanted, found = network(planes), windowed(network)(planes, hole)
    there = hole[:, None].expand_as(wanted)
    torch.testing.assert_close(found[there], wanted[there], atol=2e-5, rtol=2e-5)
    assert (found == 0).all(dim=1).float().mean() > 0.3  # and the rest is not computed


def test_the_window_is_the_hole_with_a_margin_that_is_needed(weights):
    """Its rim, where it meets zeros instead of its neighbours, is wrong; the hole is right."""
    _, network = open_network(weights)
    planes = torch.randn(1, 12, 128, 128, generator=torch.Generator().manual_seed(1))
    hole = torch.zeros(1, 128, 128, dtype=torch.bool)
    hole[0, 60:64, 60:64] = True
    # three convolutions at every pixel and eight at every second: 19, then up to a multiple of 4
    assert around(hole, 19) == (slice(40, 84), slice(40, 84))
    with torch.no_grad():
        wanted, found = network(planes), windowed(network)(planes, hole)
    away = ((found - wanted).abs() / wanted.std())[0].amax(dim=0)
    assert away[60:64, 60:64].max() < 1e-5
    assert away[40, 40:84].max() > 1e-2
    assert (found[0, :, :40] == 0).all()
    assert (found[0, :, :, 84:] == 0).all()


def test_another_network_is_computed_whole(weights):
    other = build(ARCHITECTURE.model_copy(update={"name": "Unet"}), 6, 6).eval()
    planes, hole = torch.randn(1, 12, 64, 64), torch.ones(1, 64, 64, dtype=torch.bool)
    with torch.no_grad():
        torch.testing.assert_close(windowed(other)(planes, hole), other(planes), rtol=0, atol=0)


#: Reflectance of ground in blue, green, red, nir08, swir16, swir22: fields, and bare soil.
GROUND = {
    "fields": (0.09, 0.10, 0.08, 0.35, 0.20, 0.11),
    "soil": (0.13, 0.15, 0.18, 0.26, 0.34, 0.28),
}


@pytest.fixture(scope="module")
def delivered():
    return {structure: Restorer(structure) for structure in ("cloud", "shadow", "snow")}


@pytest.mark.parametrize("ground", GROUND)
@pytest.mark.parametrize("side", [24, 60, 100])
def test_the_delivered_weights_paint_what_they_are_for(delivered, ground, side):
    """Holes of several sizes in two sorts of ground: light and colour of cloud, shadow, snow."""
    rng = np.random.default_rng(0)
    base = np.array(GROUND[ground], np.float32)[:, None, None]
    texture = 1 + 0.1 * rng.standard_normal((1, 128, 128)).astype(np.float32)
    pixels, hole = (base * texture)[None], np.zeros((1, 128, 128), bool)
    hole[0, 10 : 10 + side, 20 : 20 + side] = True
    inner = np.zeros((128, 128), bool)
    inner[15 : 5 + side, 25 : 15 + side] = True
    found = {
        name: restorer.restore(pixels, hole)[0][:, inner].mean(axis=1)
        for name, restorer in delivered.items()
    }
    below = pixels[0][:, inner].mean(axis=1)
    visible, swir16 = slice(0, 3), 4
    assert found["cloud"][visible].min() > 1.3 * below[visible].max()
    assert np.ptp(found["cloud"][visible]) < 0.2 * found["cloud"][visible].mean()  # white
    assert (found["shadow"][3:] < 0.85 * below[3:]).all()
    assert found["snow"][visible].min() > 0.25
    assert found["snow"][swir16] < 0.5 * found["snow"][visible].min()


def test_the_delivered_files_are_small_and_say_what_they_are(delivered):
    for structure, restorer in delivered.items():
        card = restorer.card
        path = find(card.name)
        assert path.with_suffix(".safetensors").stat().st_size < 3e6
        assert (card.name, card.structure) == (f"inpainter_{structure}_v1", structure)
        assert card.roles == REFLECTIVE
        twin, chips = (card.training["data"][name] for name in ("twin", "biome_chips"))
        assert (twin["simulated"], chips["simulated"]) == (True, False)
        assert (chips["samples"] == 0) == (structure == "snow")
        assert any("simulated" in note for note in card.notes)
        (score,) = (entry for entry in card.scores if entry["data"] == "monitor")
        assert score["l1"] < score["one_colour"]
