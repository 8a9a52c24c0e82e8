"""The twin: seeds, views and truth."""

import numpy as np
import pytest

from nndacss.datasets.twin import DATASET, VERSION, near_threshold
from nndacss.simulate.chips import chip


def test_names_take_the_views_in_turn():
    names = DATASET(first=8, count=3, levels=("TOA",), metres=(20, 30)).names()
    assert names == (
        "0000008_landsat8_oli_TOA_20m",
        "0000009_landsat8_oli_TOA_30m",
        "0000010_sentinel2_msi_TOA_20m",
    )


def test_all_views_of_a_seed_are_one_scene():
    dataset = DATASET(count=2, views="all")
    assert len(dataset.names()) == 2 * 2 * 2 * 2
    assert {dataset.scene(name) for name in dataset.names()} == {"twin-0", "twin-1"}


def test_a_sample_is_the_chip_with_its_truth():
    sample = DATASET(first=3, count=1, side=48).load("0000003_sentinel2_msi_SR_30m")
    made = chip(3, "sentinel2_msi", "SR", 30, 48, 48)
    np.testing.assert_array_equal(sample.pixels, made.pixels)
    np.testing.assert_array_equal(sample.sets, 1 << made.labels.astype(int))
    assert (sample.sensor, sample.level, sample.metres) == ("sentinel2_msi", "SR", 30.0)


@pytest.mark.parametrize("sensor", ["landsat8_oli", "sentinel2_msi"])
def test_strata_are_what_lies_on_the_ground_whatever_the_sky(sensor):
    """Water and snow of a cloudy sample are those of the same ground under an empty sky."""
    # partly hidden by clouds: lakes, and snow down to the plains
    for seed, name in ((8, "water"), (4, "snow_below")):
        dataset = DATASET(first=seed, count=1, sensors=[sensor], levels=["SR"], metres=[20])
        found = dataset.load(f"{seed:07d}_{sensor}_SR_20m")
        bare = chip(seed, sensor, "SR", 20, 256, 256, cover=0.0, veils=0.0)
        true = {"water": bare.water, "snow_below": bare.snow}
        for stratum, where in true.items():
            np.testing.assert_array_equal(found.strata[stratum], where)
        part = found.strata[name]
        hidden = found.sets[part] == 8
        assert part.sum() > 300
        assert 0 < hidden.mean() < 1
        near, green = (bare.pixels[bare.roles.index(role)][part] for role in ("nir08", "green"))
        assert np.median(near) < 0.08 if name == "water" else np.median(green) > 0.3
        assert (bare.labels[bare.snow] == 2).all()


def test_near_a_threshold_a_pixel_may_be_either():
    # clear, clear in a veil's shadow, deep shadow, faint shadow, snow by a thin edge, cloud, none
    sets = np.array([[1, 1, 2, 2, 4, 8, 0]], dtype=np.uint16)
    thickness = np.array([[0, 0, 0, 0, 0.2, 0.4, 0.2]], dtype=np.float32)
    loss = np.array([[0, 0.15, 0.6, 0.3, 0, 0.2, 0.2]], dtype=np.float32)
    found = near_threshold(sets, thickness, loss)
    assert found.tolist() == [[1, 1 | 2, 2, 1 | 2 | 4, 4 | 8, 8, 0]]


def test_only_the_sets_change_when_not_strict():
    strict, loose = (
        DATASET(first=3, count=1, side=48, strict=strict).load("0000003_sentinel2_msi_SR_30m")
        for strict in (True, False)
    )
    np.testing.assert_array_equal(strict.pixels, loose.pixels)
    assert ((strict.sets & ~loose.sets) == 0).all()


def test_options_decide_the_fingerprint():
    assert DATASET(count=2).fingerprint() != DATASET(count=3).fingerprint()
    assert DATASET(count=2).fingerprint() == DATASET(count=2).fingerprint()


#: What version 2 of the simulation draws: mean reflectance of all bands of a few chips.
DRAWN = {2: [0.44271, 0.22631, 0.07088, 0.67114]}


def test_version_is_raised_when_the_simulation_changes():
    # stores are named after it: without it, old samples would pass for new ones
    dataset = DATASET(first=20, count=4, side=48)
    found = [float(dataset.load(name).pixels.mean()) for name in dataset.names()]
    assert found == pytest.approx(DRAWN.get(VERSION, []), rel=1e-3), (
        "the simulation draws other pixels: raise VERSION in nndacss/datasets/twin.py, "
        f"and set DRAWN to {{<version>: {[round(value, 5) for value in found]}}}"
    )
