"""Simulated pairs: the same pixels as the simulation's own chips, on the right lattice."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from nndacss.errors import SettingsError
from nndacss.harmonize.spectral import step
from nndacss.pairs import twin
from nndacss.pairs.kinds import Twin
from nndacss.pairs.response import drawn, spectral
from nndacss.pairs.shift import shift_between
from nndacss.samples.cut import average
from nndacss.simulate.chips import chip

SEED, SIDE = 11, 120
PLAIN = {"shift": 0, "pan_shift": 0, "width": 0, "no_pan": 0, "response": "simulated"}


def image(seed=SEED, size=SIDE, **options):
    """Inputs, target and draw of one image."""
    source = Twin(image=size, **options)
    return twin.image_of(source, seed, np.random.default_rng(1))


@pytest.fixture(scope="module")
def plain():
    return image(**PLAIN)


def around(sensor, asked):
    """The simulation's own chip on the same 10 m pixels."""
    west, north = 60 * np.floor(asked.west / 60), 60 * np.ceil(asked.north / 60)
    left, top = round((asked.west - west) / 10), round((north - asked.north) / 10)
    place = {"west": float(west), "north": float(north), "cover": 0.0}
    found = chip(SEED, sensor, "SR", 10, SIDE + 6, SIDE + 6, **place).pixels
    return found[:, top : top + SIDE, left : left + SIDE]


def test_input_is_the_chip_of_landsat(plain):
    inputs, _, asked = plain
    np.testing.assert_allclose(inputs[:6], around("landsat8_oli", asked), atol=2e-5)


def test_target_is_the_chip_of_sentinel2(plain):
    _, target, asked = plain
    found = around("sentinel2_msi", asked)
    np.testing.assert_allclose(target[:3], found[:3], atol=1e-6)
    # sharper than what the sensor's 20 m bands hold, and of the same level
    for ours, theirs in zip(target[3:], found[3:], strict=True):
        assert abs(ours.mean() - theirs.mean()) < 2e-3
        assert np.abs(np.diff(ours)).mean() > 1.05 * np.abs(np.diff(theirs)).mean()


def apart(image, reference):
    """Metres east and south, at 30 m: what lies below is Landsat's aliasing."""
    east, south, _ = shift_between(average(image, 3), average(reference, 3))
    return 30 * east, 30 * south


def test_everything_is_registered():
    inputs, target, _ = image(size=360, **PLAIN)
    np.testing.assert_allclose(apart(inputs[:6], target), (0, 0), atol=1)
    np.testing.assert_allclose(apart(inputs[6:], target[1:2]), (0, 0), atol=1)


def test_drawn_shifts_are_in_the_pixels():
    inputs, target, asked = image(size=360, **PLAIN | {"shift": 9, "pan_shift": 6})
    assert np.hypot(*asked.shift) > 3
    assert np.hypot(*asked.pan_shift) > 2
    np.testing.assert_allclose(apart(inputs[:6], target), asked.shift, atol=1)
    both = np.add(asked.shift, asked.pan_shift)
    np.testing.assert_allclose(apart(inputs[6:], target[1:2]), both, atol=1)


def test_a_drawn_response_is_a_map_of_the_lands_bands(monkeypatch):
    """On noise-free uniform bands a response does what its matrix says; here on whole images."""
    matrix, offset = np.array(step("sentinel-2a").matrix), np.full(6, 0.02)
    monkeypatch.setattr(twin, "drawn", lambda draw: spectral(np.eye(6), np.zeros(6)))
    own = image(**PLAIN | {"response": "drawn"})[1]
    monkeypatch.setattr(twin, "drawn", lambda draw: spectral(matrix, offset))
    mapped = image(**PLAIN | {"response": "drawn"})[1]
    expected = np.tensordot(matrix, own, 1) + 0.02
    # what mixes at the ground mixes at the top up to the bands' transmittances, and noise
    np.testing.assert_allclose(mapped.mean((1, 2)), expected.mean((1, 2)), atol=2e-3)


def test_pan_keeps_the_haze(monkeypatch):
    real, found = twin.moment, []
    for haze in (0.02, 0.4):
        air = partial(lambda seed, haze: replace(real(seed), haze=haze), haze=haze)
        monkeypatch.setattr(twin, "moment", air)
        found.append(image(**PLAIN)[0])
    clear, hazy = found
    assert np.abs(clear[:6].mean((1, 2)) - hazy[:6].mean((1, 2))).max() < 0.012
    assert hazy[6].min() > clear[6].min() + 0.01  # light from the air in dark places
    assert hazy[6].std() < 0.95 * clear[6].std()


def test_pairs_depend_on_their_seed_alone():
    first = list(Twin(image=72, no_pan=0.5).pairs("a", "0000005", 24))
    again = list(Twin(image=72, no_pan=0.5, first=3, count=9).pairs("b", "0000005", 24))
    assert len(first) == len(again) == 9
    assert [(p.record.row, p.record.column) for p in first[:4]] == [
        (0, 0),
        (0, 24),
        (0, 48),
        (24, 0),
    ]
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.inputs, two.inputs)
        np.testing.assert_array_equal(one.target, two.target)
    without = [bool(np.isnan(pair.inputs[6]).all()) for pair in first]
    assert 0 < sum(without) < 9
    assert not np.isnan(np.stack([p.inputs[:6] for p in first])).any()
    assert {p.record.scene for p in first} == {"twin-5"}
    assert not any(p.record.coarse_truth for p in first)


def test_corners_take_all_places_of_the_lattice():
    source = Twin()
    corners = {
        (asked.west % 30, asked.north % 30)
        for asked in (twin.conditions(source, n, np.random.default_rng(n)) for n in range(60))
    }
    assert len(corners) == 9


def test_a_pair_larger_than_the_image():
    with pytest.raises(SettingsError, match=r"\[\[pairs.sources\]\] t: found image = 48"):
        next(Twin(image=48).pairs("t", "0000001", 72))


def test_drawn_responses_stay_in_their_range():
    middle = np.array(step("sentinel-2a").matrix)
    matrices = np.array([drawn(np.random.default_rng(n)).matrix for n in range(300)])
    share = middle[0, 1]  # green in blue
    assert 0.5 * share < matrices[:, 0, 1].min() < 0.6 * share
    assert 1.4 * share < matrices[:, 0, 1].max() < 1.55 * share
    # a band of its own: between none and 1.2 of the published slope 1.0053
    slope = matrices[:, 1, 1]
    assert 1 + 1.2 * (1 / 1.0053 - 1) <= slope.min() < slope.max() <= 1
    assert np.count_nonzero(matrices.any(axis=0)) == 8
