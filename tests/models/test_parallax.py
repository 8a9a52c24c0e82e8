"""Displacement between bands moves the odds of cloud: by hand, on real chips, in weights."""

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import ndimage

from nndacss.datasets.biome_chips import BiomeChips
from nndacss.errors import SettingsError
from nndacss.labels.climate import SCHEME, Climate
from nndacss.models.card import MaskCard, load_card
from nndacss.models.displacement import evidence, raised
from nndacss.models.mask_model import load_mask_model
from nndacss.models.parallax import Parallax, check
from nndacss.models.runner import Network
from nndacss.sensors import REFLECTIVE
from tests.models.small import save_small

SIDE, CLASSES = 256, SCHEME.classes
MIDDLE = np.s_[96:160, 96:160]


def by_hand(squared: float) -> float:
    """Log-odds of cloud at a displacement that is known exactly."""
    cloud = np.exp(-squared / (2 * 0.2564)) / 0.2564  # 0.5^2 + 0.08^2
    ground = 0.92 * np.exp(-squared / (2 * 0.0064)) / 0.0064
    loose = 0.08 * np.exp(-squared / (2 * 0.09)) / 0.09
    return float(np.log(cloud / (ground + loose)))


STILL = by_hand(0.0)  # log(3.9 / 144.6)


def image(shift: tuple[float, float], contrast: float = 0.05, level: float = 0.8) -> np.ndarray:
    """Blue, green and red of one even texture: green moved by `shift`, red by half of it more."""
    rng = np.random.default_rng(1)
    texture = ndimage.gaussian_filter(rng.standard_normal((SIDE, SIDE)), 1.5, mode="wrap")
    texture *= contrast / texture.std()
    moved = [
        np.fft.ifft2(ndimage.fourier_shift(np.fft.fft2(texture), by)).real
        for by in (np.zeros(2), np.array(shift), 1.5 * np.array(shift))
    ]
    return (np.stack(moved) + level).astype(np.float32)


def opinion(**odds: float) -> np.ndarray:
    """The same probabilities everywhere."""
    values = np.array([odds.get(name, 0.05) for name in CLASSES], dtype=np.float32)
    values /= values.sum()
    return np.broadcast_to(values[:, None, None], (len(CLASSES), SIDE, SIDE)).copy()


def of(bands: np.ndarray) -> np.ndarray:
    """An image of six bands, the last three of which say nothing."""
    return np.concatenate([bands, np.full_like(bands, 0.3)])


def change(bands: np.ndarray, before: np.ndarray, **options: object) -> np.ndarray:
    """By how much the log of each probability against that of clear ground has grown."""
    after = raised(before, of(bands), REFLECTIVE, CLASSES, Parallax(**options))
    assert after.dtype == np.float32
    np.testing.assert_allclose(after.sum(axis=0), 1, atol=1e-5)
    clear = Climate.CLEAR
    return np.log(after / after[clear]) - np.log(before / before[clear])


def test_still_ground_by_hand():
    found = evidence(image((0.0, 0.0)), Parallax())
    assert found.shape == (SIDE, SIDE)
    np.testing.assert_allclose(found, STILL, atol=0.01)


@pytest.mark.parametrize("shift", [(0.5, 0.0), (0.0, -0.5), (0.3, 0.4), (0.1, 0.0)])
def test_displaced_cloud_by_hand(shift):
    # d in green and 1.5 d in red, which counts
    squared = 1.5**2 * (shift[0] ** 2 + shift[1] ** 2)
    # slopes between every other pixel are a little flat: d comes out up to a tenth too large
    least, most = by_hand(squared), by_hand(1.21 * squared)
    found = np.median(evidence(image(shift), Parallax())[MIDDLE])
    assert least < found < most + 0.05
    assert most - least < 0.3 * (least - STILL)


def test_what_is_known_badly_says_little():
    rng = np.random.default_rng(2)
    sure = evidence(image((0.0, 0.0), contrast=1e-3), Parallax(windows=(8.0,)))
    noisy = image((0.0, 0.0), contrast=1e-3) + rng.normal(0, 1e-3, (3, SIDE, SIDE))
    doubtful = evidence(noisy.astype(np.float32), Parallax(windows=(8.0,)))
    wide = evidence(noisy.astype(np.float32), Parallax(windows=(64.0,)))
    assert np.median(sure) < -3.6
    assert -2.5 < np.median(doubtful) < 0
    assert np.median(wide) < np.median(doubtful) - 0.5
    grown = evidence(noisy.astype(np.float32), Parallax())
    assert np.median(grown) < -2.9  # a window decides that is wide enough


def test_nothing_to_go_by():
    flat = np.full((3, SIDE, SIDE), 0.8, dtype=np.float32)
    assert np.abs(evidence(flat, Parallax())).max() < 1e-3
    unlike = image((0.3, 0.0))
    unlike[1:] = 0.8 - 0.1 * (unlike[1:] - 0.8)  # dark where blue is bright
    np.testing.assert_array_equal(evidence(unlike, Parallax()), 0)
    missing = np.full((3, SIDE, SIDE), np.nan, dtype=np.float32)
    np.testing.assert_array_equal(evidence(missing, Parallax()), 0)


def test_gaps_move_nothing():
    still, gap = image((0.0, 0.0)), image((0.0, 0.0))
    gap[1, 100:140, 80:120] = np.nan
    gap[:, :, 240:] = np.nan
    np.testing.assert_allclose(evidence(gap, Parallax()), evidence(still, Parallax()), atol=0.02)


def test_bands_that_lie_badly_on_each_other():
    """As 2 of 24 clear chips of Sentinel-2: alone it does not make cloud of what is surely snow."""
    shifted = image((0.25, 0.0))
    found = evidence(shifted, Parallax())
    assert 1 < np.median(found) < 2.5
    assert np.median(evidence(shifted, Parallax(loose_share=0.0))) > 4


def test_displaced_snow_is_cloud():
    by = change(image((0.9, 0.0)), opinion(snow=0.9))
    np.testing.assert_allclose(by[Climate.SNOW][MIDDLE], -6.0, atol=1e-3)
    for other in (Climate.CLOUD, Climate.SHADOW):
        np.testing.assert_allclose(by[other], 0, atol=1e-4)
    assert change(image((0.9, 0.0)), opinion(snow=0.9), most=0.0)[Climate.SNOW].max() < 1e-4


def test_still_and_bright_is_no_cloud():
    by = change(image((0.0, 0.0)), opinion(cloud=0.9))
    np.testing.assert_allclose(by[Climate.CLOUD], STILL, atol=0.02)
    np.testing.assert_allclose(by[Climate.SNOW], 0, atol=1e-4)
    half = change(image((0.0, 0.0), contrast=0.01, level=0.55), opinion(cloud=0.9))
    assert np.median(half[Climate.CLOUD]) == pytest.approx(STILL / 2, abs=0.15)
    least = change(image((0.0, 0.0)), opinion(cloud=0.9), least=-1.0)
    np.testing.assert_allclose(least[Climate.CLOUD], -1.0, atol=1e-3)


def test_a_network_that_is_too_sure_is_weighed_as_such():
    for before, bands in (
        (opinion(cloud=0.6, snow=0.3), image((0.0, 0.0))),
        (opinion(cloud=0.3, snow=0.6), image((0.5, 0.0))),
    ):
        plain, more = (change(bands, before, overconfidence=times) for times in (1.0, 1.5))
        np.testing.assert_allclose(more, 1.5 * plain, atol=0.01)
        assert np.abs(plain).max() > 1


def test_fog_and_all_that_is_clear_stay():
    for bands, before in (
        (image((0.0, 0.0), contrast=0.01, level=0.35), opinion(cloud=0.9)),  # dull
        (image((0.0, 0.0)), opinion(clear=0.9)),
        (image((0.6, 0.0)), opinion(clear=0.9)),
        (image((0.6, 0.0)), opinion(shadow=0.9)),
    ):
        assert raised(before, of(bands), REFLECTIVE, CLASSES, Parallax()) is before


def test_a_window_beside_a_cloud():
    """Snow that holds still on one side, a cloud on the other: the snow is none for it."""
    still, cloud = image((0.0, 0.0)), image((0.5, 0.2))
    both = np.where(np.arange(SIDE) < 128, still, cloud)
    found = evidence(both, Parallax())
    assert found[:, :96].max() <= 0
    assert found[:, 160:].min() > 3
    # far from the cloud it is sure, near it stillness decides nothing
    assert np.median(found[:, :8]) < -2
    assert np.median(found[:, 96:112]) > -0.5


@pytest.mark.parametrize(
    ("name", "truth"),
    [
        ("SnowIce_00_1415", "still"),
        ("SnowIce_01_0909", "still"),
        ("Water_01_0922", "still"),
        ("Forest_06_0515", "raised"),
        ("Urban_01_0609", "raised"),
        ("GrassCrops_00_1014", "raised"),
    ],
)
def test_real_snow_and_overcast(name, truth, shared_data):
    """Chips of L8 Biome that are all snow or ice, and all cloud; no colour tells them all apart."""
    chips = BiomeChips(folder=shared_data("landsat8-biome-chips"))
    sample = chips.load(name)
    found = evidence(sample.pixels[[sample.roles.index(r) for r in REFLECTIVE[:3]]], Parallax())
    middle = np.quantile(found, [0.1, 0.5, 0.9])
    if truth == "still":
        assert middle[2] < -1
    else:
        assert middle[0] > 2


def test_it_is_a_part_of_weights(tmp_path):
    card = save_small(tmp_path, "with", parallax=Parallax(most=3.0))
    plain = save_small(tmp_path, "without")
    stated, other = (load_card(path, MaskCard) for path in (card, plain))
    assert stated.parallax == Parallax(most=3.0)
    assert other.parallax is None
    assert stated.sha256 != other.sha256

    pixels = of(image((0.4, 0.0)))[None]
    with_it, without = (Network(path)(pixels)[0] for path in (card, plain))
    expected = raised(without, pixels[0], REFLECTIVE, CLASSES, Parallax(most=3.0))
    assert np.abs(expected - without).max() > 0.05
    np.testing.assert_array_equal(with_it, expected)
    np.testing.assert_array_equal(Network(card).suited(1, push_broom=False)(pixels)[0], without)


def test_a_whisk_broom_has_none(tmp_path):
    model = load_mask_model(save_small(tmp_path, "with", parallax=Parallax()), "cpu", threads=1)
    plain = load_mask_model(save_small(tmp_path, "without"), "cpu", threads=1)
    pixels = of(image((0.4, 0.0)))
    without = plain(pixels).probability
    assert np.abs(model(pixels).probability - without).max() > 0.05
    np.testing.assert_array_equal(model(pixels, push_broom=False).probability, without)
    np.testing.assert_array_equal(plain(pixels, push_broom=False).probability, without)


def test_errors():
    for wrong in (
        {"windows": ()},
        {"windows": (8.0, 4.0)},
        {"windows": (0.0, 4.0)},
        {"bright": (0.5, 0.5)},
        {"cloud": 0.05},
        {"least": 1.0},
    ):
        with pytest.raises(ValidationError):
            Parallax(**wrong)
    check(REFLECTIVE, CLASSES)
    with pytest.raises(SettingsError, match=r"train\.parallax.*no band blue in the network"):
        check(("green", "red", "nir08"), CLASSES)
    with pytest.raises(SettingsError, match=r"train\.parallax.*no class snow"):
        check(REFLECTIVE, ("clear", "cloud"))
