"""The Python door: what it gives for any image, and what it refuses."""

import threading

import numpy as np
import pytest
import torch

import nndacss
from nndacss.errors import InputError, WeightsError
from nndacss.labels.climate import SCHEME
from nndacss.models.card import MaskCard, load_card, load_weights
from nndacss.models.fold import fold_batch_norm
from nndacss.models.mask_model import Planes, block_mean, load_mask_model
from nndacss.models.segmentation import build, encode
from nndacss.sensors import REFLECTIVE
from tests.models.small import save_small

VISIBLE = ("blue", "green", "red")


@pytest.fixture(scope="module")
def card(tmp_path_factory):
    return save_small(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def model(card):
    return load_mask_model(card, "cpu", threads=2)


def image(rows, columns, bands=6, seed=0):
    rng = np.random.default_rng(seed)
    coarse = rng.random((bands, rows // 8 + 1, columns // 8 + 1), dtype=np.float32)
    fine = coarse.repeat(8, axis=1).repeat(8, axis=2)[:, :rows, :columns]
    return fine * 0.6 + rng.random((bands, rows, columns), dtype=np.float32) * 0.05


def reference(card, pixels):
    """One tile through the network as it was saved: no folding, no tiling."""
    stated, tensors = load_weights(card, MaskCard)
    network = build(stated.architecture, 6, 4)
    network.load_state_dict(tensors)
    with torch.no_grad():
        planes = encode(torch.from_numpy(pixels)[None], stated.roles, stated.scaling)
        return network.eval()(planes).softmax(dim=1)[0].numpy()


def test_one_tile_is_what_the_network_says(card, model):
    pixels = image(256, 224)
    result = model(pixels, metres=30)
    expected = reference(card, pixels)
    assert np.abs(result.probability - expected).max() < 1e-3
    margin = np.sort(expected, axis=0)
    sure = margin[-1] - margin[-2] > 2e-3
    assert (result.labels == expected.argmax(axis=0))[sure].all()
    assert set(np.unique(result.labels)) == {0, 1, 2, 3}


def test_indices_are_made_of_what_the_network_sees(tmp_path):
    """Of bands that were averaged to its pixels; missing where a band is."""
    path = save_small(tmp_path, indices=("ndvi", "ndbi"))
    card = load_card(path, MaskCard)
    assert card.bands == REFLECTIVE
    image = np.full((6, 4, 6), 0.2, np.float32)
    image[3, :2] = 0.3
    image[3, 2:, ::2] = 0.6  # over both columns 0.4
    image[4, :, 4:] = np.nan
    seen = Planes(image, REFLECTIVE, card, 2).read(slice(0, 2), slice(0, 3))
    assert seen.shape == (8, 2, 3)
    np.testing.assert_allclose(seen[3], [[0.3] * 3, [0.4] * 3], rtol=1e-6)
    np.testing.assert_allclose(seen[6], [[0.1 / 0.5] * 3, [0.2 / 0.6] * 3], rtol=1e-5)
    np.testing.assert_allclose(seen[7, :, :2], [[-0.1 / 0.5] * 2, [-0.2 / 0.6] * 2], rtol=1e-5)
    assert np.isnan(seen[7, :, 2]).all()
    less = Planes(image[:4], REFLECTIVE[:4], card, 2).read(slice(0, 2), slice(0, 3))
    np.testing.assert_array_equal(less[6], seen[6])
    assert np.isnan(less[[4, 5, 7]]).all()


def test_an_image_cannot_bring_its_own_index(tmp_path):
    model = load_mask_model(save_small(tmp_path, indices=("ndvi",)), "cpu", threads=1)
    image = np.full((7, 32, 32), 0.2, np.float32)
    with pytest.raises(InputError, match=r"roles: found ndvi; expected small knows blue"):
        model(image, roles=(*REFLECTIVE, "ndvi"))
    assert model(image[:6], roles=REFLECTIVE).labels.shape == (32, 32)


def test_folding_changes_nothing(card):
    stated, tensors = load_weights(card, MaskCard)
    networks = []
    for folded in (False, True):
        network = build(stated.architecture, 6, 4)
        network.load_state_dict(tensors)
        network.eval()
        if folded:
            assert fold_batch_norm(network, torch.zeros(1, 12, 32, 32)) > 30
            assert not [m for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d)]
        networks.append(network)
    planes = torch.randn(2, 12, 96, 64)
    with torch.no_grad():
        plain, folded = (network(planes) for network in networks)
    assert (plain - folded).abs().max() < 1e-5 * plain.abs().max()


@pytest.mark.parametrize("metres", [10, 15, 20, 30, 60])
@pytest.mark.parametrize("shape", [(1, 1), (7, 50), (300, 261)])
def test_any_size_at_any_resolution(model, shape, metres):
    result = model(image(*shape), metres=metres)
    assert result.labels.shape == shape
    assert result.labels.dtype == np.uint8
    assert result.probability.shape == (4, *shape)
    assert result.probability.dtype == np.float32
    assert np.abs(result.probability.sum(axis=0) - 1).max() < 2e-3
    assert np.array_equal(result.labels, result.probability.argmax(axis=0))


def test_ten_metres_are_twenty_metres_brought_back(model):
    """Constant squares of 2 x 2: at a square's own corner point the two must agree."""
    coarse = image(120, 140)
    fine = coarse.repeat(2, axis=1).repeat(2, axis=2)
    at_20, at_10 = model(coarse, metres=20), model(fine, metres=10)
    # a pixel of 10 m lies a quarter of a 20 m pixel off its centre: weights 9, 3, 3, 1 of 16
    p = at_20.probability
    middle = p[:, 1:-1, 1:-1] * 9 + p[:, :-2, 1:-1] * 3 + p[:, 1:-1, :-2] * 3 + p[:, :-2, :-2]
    assert np.abs(at_10.probability[:, 2:-2:2, 2:-2:2] - middle / 16).max() < 1e-3


def test_missing_pixels_are_255_and_nan_and_a_gap_in_swir_is_not(model):
    pixels = image(200, 180)
    pixels[1, 20:31, 40:61] = np.nan  # green is required
    pixels[4, 100:140, 100:140] = np.nan  # swir16 is not
    for metres in (10, 30):
        result = model(pixels, metres=metres)
        missing = np.zeros((200, 180), dtype=bool)
        missing[20:31, 40:61] = True
        assert np.array_equal(result.labels == 255, missing)
        assert np.array_equal(np.isnan(result.probability), np.broadcast_to(missing, (4, 200, 180)))
    nothing = model(np.full((6, 40, 40), np.nan, dtype=np.float32), metres=30)
    assert (nothing.labels == 255).all()


def test_band_subsets(model):
    pixels = image(96, 96)
    six = model(pixels, metres=30)
    four = model(pixels[:4], (*VISIBLE, "nir08"), 30)
    absent = pixels.copy()
    absent[4:] = np.nan
    assert np.array_equal(four.probability, model(absent, metres=30).probability)
    assert not np.array_equal(four.probability, six.probability)
    shuffled = model(pixels[[3, 1, 2, 0]], ("nir08", "green", "red", "blue"), 30)
    assert np.array_equal(shuffled.probability, four.probability)
    broad = model(pixels[:4], (*VISIBLE, "nir"), 30, nir_as_nir08=True)
    assert np.array_equal(broad.probability, four.probability)
    assert model(pixels[:3], VISIBLE, 30, visible_only=True).labels.max() < 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pixels": np.zeros((6, 20), np.float32)}, r"shape \(6, 20\)"),
        (
            {"pixels": np.zeros((20, 20, 6), np.float32)},
            r"expected \(bands, rows, columns\) with 6",
        ),
        ({"pixels": np.zeros((6, 0, 9), np.float32)}, "shape"),
        ({"pixels": np.zeros((6, 20, 20), np.uint16)}, "uint16 numbers.*scale and offset"),
        ({"pixels": np.full((6, 20, 20), 8312.0)}, "values from 8312 to 8312"),
        ({"pixels": np.full((6, 20, 20), -9999.0)}, "values from -9999.*NaN"),
        ({"metres": 0}, "metres: found 0"),
        ({"metres": -10}, "more than 0"),
        ({"metres": 300}, "at most 60 m"),
        ({"metres": float("nan")}, "metres"),
        ({"roles": REFLECTIVE[:5]}, "with 5 bands"),
        ({"roles": "blue"}, "sequence of names"),
        ({"roles": (*VISIBLE, "nir", "swir16", "swir22")}, "nir_as_nir08=True"),
        ({"roles": ("coastal", *REFLECTIVE[1:])}, "coastal.*knows blue"),
        ({"roles": ("blue", "blue", *REFLECTIVE[2:])}, "each band once"),
    ],
)
def test_what_is_refused(model, change, message):
    asked = {"pixels": image(20, 20), "roles": REFLECTIVE, "metres": 30} | change
    with pytest.raises(InputError, match=message) as error:
        model(**asked)
    assert "\n" not in str(error.value)


def test_what_bands_are_needed_is_said(model):
    with pytest.raises(InputError, match=r"no nir08 among blue, green, red.*visible_only=True"):
        model(image(20, 20, 3), VISIBLE, 30)
    with pytest.raises(InputError, match="no green"):
        model(image(20, 20, 3), ("blue", "red", "nir08"), 30)


def test_from_several_threads_at_once(model):
    images = [image(300, 200, seed=seed) for seed in range(4)]
    alone = [model(pixels, metres=30).probability for pixels in images]
    found = [None] * 4

    def work(index):
        found[index] = model(images[index], metres=30).probability

    threads = [threading.Thread(target=work, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(a, b) for a, b in zip(alone, found, strict=True))


def test_the_callers_torch_threads_are_left_alone(model):
    torch.set_num_threads(2)
    try:
        model(image(40, 40), metres=30)
        seen = [torch.get_num_threads()]
        thread = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
        thread.start()
        thread.join()
        assert seen == [2, 2]
    finally:
        torch.set_num_threads(1)


def test_block_mean_by_hand():
    pixels = np.array([[[1, 3, 5], [np.nan, 8, np.nan], [2, 4, np.nan]]], dtype=np.float32)
    expected = [[4, 5], [3, np.nan]]
    assert np.array_equal(block_mean(pixels, 2)[0], expected, equal_nan=True)


def test_the_card_comes_along(model, card):
    assert model.card == load_card(card, MaskCard)
    assert nndacss.load_mask_model is load_mask_model


def test_weights_that_do_not_fit(tmp_path, card):
    with pytest.raises(WeightsError, match=r"nothing.*no such weights"):
        load_mask_model("nothing")
    damaged = tmp_path / "small.json"
    damaged.write_bytes(card.read_bytes())
    with pytest.raises(WeightsError, match="no weights file"):
        load_mask_model(damaged)
    data = bytearray(card.with_suffix(".safetensors").read_bytes())
    data[-1] ^= 1
    damaged.with_suffix(".safetensors").write_bytes(data)
    with pytest.raises(WeightsError, match=r"sha256.*fetch both again"):
        load_mask_model(damaged)
    other = save_small(tmp_path, "cover", scheme="land_cover")
    with pytest.raises(WeightsError, match="weights for land_cover"):
        load_mask_model(other)
    other = save_small(tmp_path, "order", classes=SCHEME.classes[::-1])
    with pytest.raises(WeightsError, match=r"\(cloud, snow"):
        load_mask_model(other)
    bands = save_small(tmp_path, "bands", roles=REFLECTIVE[:4])
    with pytest.raises(WeightsError, match="the network its card states"):
        load_mask_model(bands, "cpu")
