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
    labels = np.zeros((9, 12), int)
    labels[4, 2], labels[4, 6], labels[3, 3], labels[0, 11] = 3, 1, 2, 3
    there = np.ones(labels.shape, bool)
    there[0, 11] = False
    before = sure(labels)
    found = widened(before, there, CLASSES, 1)
    expected = labels.copy()
    expected[3:6, 1:4], expected[3:6, 5:8] = 3, 1
    expected[3, 3] = 2  # snow stays
    np.testing.assert_array_equal(found.argmax(axis=0), expected)
    np.testing.assert_allclose(found.sum(axis=0), 1)
    np.testing.assert_array_equal(before, sure(labels))


def test_only_what_is_clear_is_given_away():
    before = np.full((4, 3, 3), [[[0.3]], [[0.1]], [[0.5]], [[0.1]]], np.float32)
    before[:, 1, 1] = 0, 0, 0, 1
    found = widened(before, np.ones((3, 3), bool), CLASSES, 1)
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
