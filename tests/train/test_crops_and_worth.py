"""Random resized crops take labels along, and a pixel counts by how sure its label is."""

import numpy as np
import torch

from nndacss.train.augment import ASPECT, augment, resized_crop
from nndacss.train.losses import dice, likelihood
from nndacss.train.settings import AugmentSettings


def test_crops_are_as_asked_and_labels_stay_with_their_pixels():
    side, crop, area = 96, 64, (0.2, 0.9)
    row, column = np.mgrid[:side, :side].astype(np.float32)
    codes = (row * side + column).astype(np.uint16)
    rng = np.random.default_rng(1)
    shares, aspects = [], []
    for _ in range(300):
        pixels, labels = resized_crop(np.stack([row, column]), codes[None], crop, area, rng)
        assert pixels.shape == (2, crop, crop)
        assert pixels.dtype == np.float32
        # the label under a pixel's centre lies within a source pixel of it
        down, across = np.divmod(labels[0].astype(int), side)
        assert np.abs(pixels[0] - down).max() <= 0.75
        assert np.abs(pixels[1] - across).max() <= 0.75
        # what is left between the first and the last centre, scaled up to the edges
        height, width = (np.ptp(plane) * crop / (crop - 1) for plane in pixels)
        shares.append(height * width / side**2)
        aspects.append(width / height)
    # ends are clipped to pixel centres, so sizes are known to a pixel or two
    assert 0.18 < min(shares) < 0.25
    assert 0.8 < max(shares) < 0.95
    assert ASPECT[0] - 0.06 < min(aspects) < max(aspects) < ASPECT[1] + 0.06


def test_what_is_not_asked_for_draws_nothing_else():
    """A setting that is off leaves the stream of chance, and so every older fit, as it was."""
    pixels = np.random.default_rng(0).random((6, 64, 64), dtype=np.float32)
    sets = np.ones((64, 64), dtype=np.uint16)
    roles = ("blue", "green", "red", "nir08", "swir16", "swir22")
    settings = AugmentSettings()
    alone = augment(pixels, sets, roles, 32, settings, np.random.default_rng(5))
    both = augment(pixels, np.stack([sets, sets]), roles, 32, settings, np.random.default_rng(5))
    np.testing.assert_array_equal(alone[0], both[0])
    np.testing.assert_array_equal(both[1][0], alone[1])
    np.testing.assert_array_equal(both[1][1], alone[1])


def test_a_sure_label_counts_more():
    torch.manual_seed(0)
    logits = torch.randn(2, 3, 4, 4)
    labels = torch.randint(0, 3, (2, 4, 4))
    sets = (1 << labels).int()
    sets[0, 0, 0] = 0
    sure = torch.rand(2, 4, 4)
    by_class = torch.tensor([0.0, 1.0, 2.0, 1.0, 3.0, 1.0, 1.0, 1.0])
    each = torch.nn.functional.cross_entropy(logits, labels, reduction="none")
    weight = sure * by_class[sets.long()] * (sets != 0)
    expected = (each * weight).sum() / weight.sum()
    torch.testing.assert_close(likelihood(logits, sets, by_class, sure), expected)
    one = torch.ones_like(sure)
    torch.testing.assert_close(likelihood(logits, sets, None, one), likelihood(logits, sets))
    torch.testing.assert_close(dice(logits, sets, one), dice(logits, sets))


def test_dice_forgets_pixels_of_no_worth():
    torch.manual_seed(1)
    logits = torch.randn(1, 2, 1, 4)
    sets = torch.tensor([[[1, 2, 1, 2]]], dtype=torch.int32)
    sure = torch.tensor([[[1.0, 1.0, 0.0, 0.0]]])
    expected = dice(logits[..., :2], sets[..., :2])
    torch.testing.assert_close(dice(logits, sets, sure), expected)
