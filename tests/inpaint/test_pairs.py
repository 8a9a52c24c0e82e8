"""Which shadow is whose, and where the sun stands: signs by hand, both hemispheres."""

import numpy as np
import pytest
from scipy import ndimage

from nndacss.datasets.biome_chips import BiomeChips
from nndacss.datasets.twin import Twin
from nndacss.errors import DatasetError
from nndacss.inpaint.bank import MaskBank
from nndacss.inpaint.cast import turned_azimuth
from nndacss.inpaint.harvest import Sizes, pairs_of, write_bank
from nndacss.inpaint.options import PaintOptions
from nndacss.inpaint.painter import Painter, Patch
from nndacss.inpaint.pairs import azimuth_of, matches, usual_step, wedge
from nndacss.sensors import REFLECTIVE
from nndacss.train.augment import turn
from tests.inpaint.banks import blobs, make_bank
from tests.inpaint.scenes import C, H, S, X, disc, pair_bank

#: Steps (down, right) of shadows and the sun that throws them: north is up.
STEPS = {
    (-20, -20): 135.0,  # shadow to the north-west, sun in the south-east: northern morning
    (20, -20): 45.0,  # shadow to the south-west, sun in the north-east: southern morning
    (-30, -3): 174.3,
    (0, -25): 90.0,
}


def sky(step, shape=(160, 170), seed=3):
    """Clouds with shadows one step away, behind the clouds."""
    cloud = np.pad(blobs(seed, (100, 110), 6), 30)
    shadow = ndimage.shift(cloud.astype(int), step, order=0) > 0
    sets = np.where(cloud, X, np.where(shadow, H, C)).astype(np.uint16)
    return sets[: shape[0], : shape[1]]


@pytest.mark.parametrize("step", STEPS)
def test_the_step_and_the_sun_are_found(step):
    assert usual_step(sky(step), 30.0) == step
    assert azimuth_of(step) == pytest.approx(STEPS[step], abs=0.1)


def test_too_little_tells_nothing():
    clear = np.full((60, 60), C, np.uint16)
    assert usual_step(clear, 30.0) is None
    # shadows that lie nowhere near where clouds would throw them
    rng = np.random.default_rng(0)
    sets = np.where(rng.random((60, 60)) < 0.2, X, np.where(rng.random((60, 60)) < 0.3, H, C))
    assert usual_step(sets.astype(np.uint16), 30.0) is None


def test_where_a_shadow_is_looked_for():
    steps = wedge(135.0, 20)
    assert (steps < 0).all(axis=1).mean() > 0.95
    far = np.hypot(*steps.T)
    assert far.min() >= 3
    assert far.max() <= 20
    assert np.all(np.diff(far) > -1e-6)
    angles = (np.degrees(np.arctan2(-steps[:, 1], steps[:, 0])) % 360) - 135
    assert np.abs(angles).max() <= 12.001


def test_each_cloud_gets_its_own_shadow():
    sets = np.full((120, 140), C, np.uint16)
    sets[disc(sets.shape, 100, 60, 6)] = H  # of the first, 40 below
    sets[disc(sets.shape, 80, 100, 5)] = H  # of the second, lower: 20 below
    sets[disc(sets.shape, 60, 60, 6)] = X
    sets[disc(sets.shape, 60, 100, 5)] = X
    sets[disc(sets.shape, 40, 120, 5)] = X  # has none
    found = list(matches(sets, 30.0, 0.0, 0.01, 10.0))
    assert [match.step for match in found] == [(40, 0), (20, 0)]
    for match in found:
        moved = ndimage.shift(match.cloud.astype(int), match.step, order=0) > 0
        np.testing.assert_array_equal(moved, match.shadow)
        assert match.share == 1.0
    # 113 pixels of 900 square metres; the other 81
    assert len(list(matches(sets, 30.0, 0.0, 0.09, 10.0))) == 1
    assert list(matches(sets, 30.0, 180.0, 0.01, 10.0)) == []


def test_clouds_at_the_border_are_no_pairs():
    sets = np.full((80, 80), C, np.uint16)
    sets[disc(sets.shape, 40, 40, 6)] = H
    sets[disc(sets.shape, 2, 40, 6)] = X
    assert list(matches(sets, 30.0, 0.0, 0.01, 10.0)) == []


def test_pairs_come_back_from_the_bank(tmp_path):
    sets = sky((-20, -20))
    sets[:5] = S
    found = list(pairs_of(sets, "a", 30.0, None, Sizes(smallest=0.01)))
    assert found
    write_bank(tmp_path / "bank.h5", found, Sizes(), "a")
    bank = MaskBank(tmp_path / "bank.h5")
    assert len(bank.pairs) == len(found)
    for pair, one in zip(bank.pairs, found, strict=True):
        size = one.mask.shape
        for index, mask in ((pair.cloud, one.match.cloud), (pair.shadow, one.match.shadow)):
            np.testing.assert_array_equal(bank.distances(index, 0, 0, size) > 0, mask)
        assert pair.step == one.match.step
        assert pair.middle == pytest.approx(np.mean(np.nonzero(one.mask), axis=1))
    # small windows are of no use as outlines of whole skies
    with pytest.raises(DatasetError, match="no mask of cloud"):
        bank.members("cloud")


def test_a_bank_without_what_painting_needs(tmp_path):
    bank = MaskBank(make_bank(tmp_path))
    bank.check(("cloud", "shadow", "snow"), pairs=False)
    with pytest.raises(DatasetError, match="no matched pair of cloud and shadow"):
        bank.check(("cloud",), pairs=True)
    paired = MaskBank(pair_bank(tmp_path / "pairs.h5"))
    paired.check(("cloud", "snow"), pairs=True)


def test_an_unknown_sun_is_that_of_the_patchs_own_shadows(tmp_path):
    bank = MaskBank(pair_bank(tmp_path / "pairs.h5"))
    paints = Painter(bank, PaintOptions(modes=("duplicate",)))
    sets = sky((-20, -20))
    one = Patch(np.full((6, *sets.shape), 0.2, np.float32), sets, REFLECTIVE, 30.0, None)
    (done,) = paints.paint_batch([one], [np.random.default_rng(1)])
    assert done.sun_from == "pairs"
    assert done.geometry.sun_azimuth == pytest.approx(135.0)
    sets = np.where(sets == H, C, sets).astype(np.uint16)
    one = Patch(one.pixels, sets, REFLECTIVE, 30.0, None)
    (done,) = paints.paint_batch([one], [np.random.default_rng(1)])
    assert done.sun_from == "drawn"


@pytest.mark.parametrize("which", range(8))
@pytest.mark.parametrize("step", [(-20, -8), (6, -25)])
def test_the_sun_turns_with_the_image(step, which):
    sets = np.full((129, 129), C)
    sets[64, 64], sets[64 + step[0], 64 + step[1]] = X, H
    turned = turn(sets, which)
    (cloud,), (shadow,) = np.argwhere(turned == X), np.argwhere(turned == H)
    found = azimuth_of(tuple(shadow - cloud))
    assert found == pytest.approx(turned_azimuth(azimuth_of(step), which))


@pytest.mark.slow
def test_the_suns_of_simulated_scenes_are_found():
    twin, close = Twin(first=100, count=24, metres=(30,)), []
    for name in twin.names():
        chip = twin.load(name)
        step = usual_step(chip.sets, chip.metres)
        if step is not None:
            close.append(abs((azimuth_of(step) - chip.sun[1] + 180) % 360 - 180))
    assert len(close) >= 8
    assert np.mean(np.array(close) < 20) > 0.8


def test_real_pairs_agree_on_one_sun(shared_data):
    chips = BiomeChips(folder=shared_data("landsat8-biome-chips"))
    chip = chips.load("Forest_00_1008")
    azimuth = azimuth_of(usual_step(chip.sets, chip.metres))
    # Landsat passes at about ten in the morning: the sun is in the east
    assert 20 < azimuth < 170
    found = list(matches(chip.sets, chip.metres, azimuth, 0.02, 50))
    assert len(found) >= 2
    apart = [(azimuth_of(match.step) - azimuth + 180) % 360 - 180 for match in found]
    assert np.median(np.abs(apart)) < 8
