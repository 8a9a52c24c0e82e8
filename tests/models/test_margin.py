"""Clouds and shadows reach further over clear ground, in images of fine pixels alone."""

import numpy as np
import pytest

from nndacss.errors import SettingsError
from nndacss.labels.climate import SCHEME
from nndacss.models.margin import check, widened
from nndacss.models.mask_model import load_mask_model
from tests.models.small import save_small

CLASSES = SCHEME.classes


def sure(labels: np.ndarray) -> np.ndarray:
    """Probabilities of a network that is sure of these labels."""
    return np.stack([labels == code for code in range(4)]).astype(np.float32)


def test_by_hand():
    labels = np.zeros((40, 60), int)
    labels[10:18, 10:18], labels[10:18, 30:38] = 3, 1  # 64 pixels each
    labels[12, 18] = 2
    labels[30:37, 10:17], labels[30:37, 30:37] = 3, 1  # 49: specks
    there = np.ones(labels.shape, bool)
    labels[:8, 50:58], there[:8, 50:58] = 3, False  # what a network says of nothing
    before = sure(labels)
    found = widened(before, there, CLASSES, 1)
    expected = labels.copy()
    expected[9:19, 9:19], expected[9:19, 29:39] = 3, 1
    expected[12, 18] = 2  # snow stays
    np.testing.assert_array_equal(found.argmax(axis=0), expected)
    np.testing.assert_allclose(found.sum(axis=0), 1)
    np.testing.assert_array_equal(before, sure(labels))


def test_only_what_is_clear_is_given_away():
    before = np.full((4, 10, 10), [[[0.3]], [[0.1]], [[0.5]], [[0.1]]], np.float32)
    before[:, 1:9, 1:9] = np.array([0, 0, 0, 1])[:, None, None]
    found = widened(before, np.ones((10, 10), bool), CLASSES, 1)
    np.testing.assert_allclose(found[:, 0, 0], (0, 0.1, 0.5, 0.4), atol=1e-6)


def test_in_images_of_fine_pixels_alone(tmp_path):
    wide, plain = (
        load_mask_model(save_small(tmp_path, f"m{margin}", margin=margin), "cpu", threads=1)
        for margin in (1, 0)
    )
    assert wide.card.sha256 != plain.card.sha256
    pixels = np.random.default_rng(0).uniform(0, 0.8, (6, 96, 96)).astype(np.float32)
    np.testing.assert_array_equal(wide(pixels).probability, plain(pixels).probability)
    finer = wide(pixels, metres=10.0).probability - plain(pixels, metres=10.0).probability
    assert finer[0].min() < -0.01
    assert finer[0].max() <= 1e-6
    np.testing.assert_allclose(finer[2], 0, atol=1e-6)


def test_errors():
    with pytest.raises(SettingsError, match=r"train\.margin: found no class .*shadow"):
        check(("clear", "cloud"))
