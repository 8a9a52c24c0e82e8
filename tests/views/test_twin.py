"""Simulated views: the simulation's own chips, on the same pixels, with Landsat's own truth."""

import numpy as np
import pytest

from nndacss.labels.sets import from_labels, to_labels
from nndacss.sensors import REFLECTIVE
from nndacss.simulate.chips import chip
from nndacss.views import twin
from nndacss.views.kinds import Twin

#: A place with clouds, shadows and clear ground.
SEED, SIDE = 5, 96


@pytest.fixture(scope="module")
def image():
    return twin.image(Twin(), f"{SEED:07d}", SIDE)


def inner(image, array):
    return array[..., image.margin : -image.margin, image.margin : -image.margin]


def test_bands_are_the_chip_of_landsat(image):
    expected = chip(SEED, "landsat8_oli", "SR", 10, SIDE, SIDE)
    found = inner(image, image.inputs)
    assert found.shape == (7, SIDE, SIDE)
    np.testing.assert_allclose(found[: len(REFLECTIVE)], expected.pixels, atol=2e-5)
    assert image.sun == (expected.sun_elevation, expected.sun_azimuth)
    assert (image.level, image.sensor, image.scene) == ("SR", "landsat8_oli", f"twin-{SEED}")


def test_pan_is_there_and_above_the_visible_bands_by_the_haze(image):
    pan, visible = image.inputs[-1], image.inputs[:3].mean(axis=0)
    assert np.isfinite(pan).all()
    assert np.corrcoef(pan.ravel(), visible.ravel())[0, 1] > 0.95


def test_labels_are_those_of_the_nearest_30_m_pixel(image):
    """Landsat's pixels have their edges 15 m off the 60 m lattice that the chip begins on."""
    truth = chip(SEED, "landsat8_oli", "SR", 30, SIDE // 3, SIDE // 3).labels
    places = np.arange(SIDE - 2)
    # a centre lies at 10 n + 5 m; the chip's pixel k reaches from 30 k - 15 to 30 k + 15
    pixel = np.floor((10 * places + 5 + 15 + 1e-6) / 30).astype(int)
    assert len(set(truth.ravel())) >= 3
    # a third of the centres lie on an edge between two pixels, where either is the nearest
    inside = (places % 3) != 1
    found = inner(image, to_labels(image.sets))[:-2, :-2]
    np.testing.assert_array_equal(
        found[np.ix_(inside, inside)], truth[np.ix_(pixel[inside], pixel[inside])]
    )


def test_a_truth_near_its_threshold_may_be_left_open(image):
    loose = twin.image(Twin(strict=False), f"{SEED:07d}", SIDE)
    np.testing.assert_array_equal(loose.inputs, image.inputs)
    several = to_labels(loose.sets) == 255
    assert 0 < several.mean() < 0.5
    # each open set holds the strict label
    held = loose.sets & from_labels(to_labels(image.sets))
    assert (held == image.sets).all()
