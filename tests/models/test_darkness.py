"""Contrast moves the odds of shadow: by hand, where it must not, and as a part of weights."""

import numpy as np
import pytest
from pydantic import ValidationError

from nndacss.errors import SettingsError
from nndacss.labels.climate import SCHEME, Climate
from nndacss.models.card import MaskCard, load_card
from nndacss.models.contrast import shaded
from nndacss.models.darkness import Darkness, check
from nndacss.models.runner import Network
from nndacss.sensors import REFLECTIVE
from tests.models.small import save_small

SIDE, CLASSES = 256, SCHEME.classes
CLOUD, PATCH, FAR = np.s_[100:130, 100:130], np.s_[100:112, 60:72], np.s_[240:248, 240:248]


def scene(nir: float, swir: float) -> np.ndarray:
    """Even ground with a cloud, and a patch of ground that is darker near it."""
    pixels = np.full((6, SIDE, SIDE), 0.2, dtype=np.float32)
    pixels[3], pixels[4] = 0.4, 0.3
    for where in (PATCH, FAR):
        pixels[(3, *where)] *= nir
        pixels[(4, *where)] *= swir
    pixels[(slice(None), *CLOUD)] = 0.7
    return pixels


def opinion(shadow: float = 0.1, cloud: bool = True) -> np.ndarray:
    """Probabilities: the cloud is known, all else is `shadow` with that probability."""
    result = np.empty((4, SIDE, SIDE), dtype=np.float32)
    rest = (1 - shadow) / 3
    result[:] = np.array([rest + 0.1, shadow, rest - 0.05, rest - 0.05])[:, None, None]
    if cloud:
        result[(slice(None), *CLOUD)] = np.array([0.04, 0.03, 0.03, 0.9])[:, None, None]
    return result


def log_odds(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """By how much the odds of shadow against clear ground have grown."""
    first, second = (np.log(one[Climate.SHADOW] / one[Climate.CLEAR]) for one in (before, after))
    return second - first


def moved(pixels: np.ndarray, before: np.ndarray, **options: object) -> np.ndarray:
    darkness = Darkness(**({"slope": 10.0, "least": -2.0, "most": 4.0} | options))
    after = shaded(before, pixels, REFLECTIVE, CLASSES, darkness)
    assert after.dtype == np.float32
    np.testing.assert_allclose(after.sum(axis=0), 1, atol=1e-5)
    # the others among themselves are as likely as they were
    np.testing.assert_allclose(
        after[Climate.SNOW] / after[Climate.CLOUD],
        before[Climate.SNOW] / before[Climate.CLOUD],
        rtol=1e-4,
    )
    return log_odds(before, after)


def test_by_hand():
    # 144 dark pixels among some 16,000 that count: the background is the ground, to 1 %
    by = moved(scene(0.8, 0.7), opinion(), slope=5.0, start=0.1)
    assert by[105, 65] == pytest.approx(5 * (np.log(1 / 0.8) - 0.1), abs=0.06)  # 0.62
    assert by[180, 60] == pytest.approx(5 * (0 - 0.1), abs=0.06)


def test_it_is_never_more_than_the_limits():
    by = moved(scene(0.2, 0.2), opinion(), most=3.0, least=-0.5)
    np.testing.assert_allclose(by[PATCH], 3.0, atol=1e-3)
    assert by[115, 115] == pytest.approx(-0.5, abs=1e-3)  # the cloud is brighter than the ground


def test_what_is_dark_in_one_band_gains_nothing():
    for nir, swir in ((0.3, 1.0), (1.0, 0.3)):
        by = moved(scene(nir, swir), opinion())
        np.testing.assert_allclose(by[PATCH], 10 * (0 - 0.15), atol=0.1)


def test_no_cloud_no_evidence():
    pixels, before = scene(0.5, 0.5), opinion(cloud=False)
    assert shaded(before, pixels, REFLECTIVE, CLASSES, Darkness()) is before


def test_cloud_where_nothing_was_seen_is_none():
    pixels, before = scene(0.5, 0.5), opinion()
    pixels[(slice(None), *CLOUD)] = np.nan
    assert shaded(before, pixels, REFLECTIVE, CLASSES, Darkness()) is before


def test_it_fades_with_the_distance_from_clouds():
    by = moved(scene(0.5, 0.5), opinion(), near=40.0, fade=20.0)
    whole = by[106, 66]  # 35 pixels from the cloud
    assert whole > 3
    # (244, 244) is 115 rows and columns from the cloud's last
    distance = np.hypot(115, 115)
    assert by[244, 244] == pytest.approx(whole * np.exp(-(distance - 40) / 20), rel=0.1)


def test_shadow_that_the_network_knows_is_no_background():
    # half the ground is dark: against the mean of all, it is by log(2) / 2 darker
    pixels = scene(1.0, 1.0)
    pixels[3:5, :, :100] *= 0.5
    unknown = opinion()
    known = unknown.copy()
    known[:, :, :100] = np.array([0.03, 0.9, 0.04, 0.03])[:, None, None]
    weak, strong = (moved(pixels, one, most=9.0)[105, 60] for one in (unknown, known))
    assert strong > weak + 1
    assert strong < 10 * (np.log(2) - 0.15)


def test_the_edge_of_clouds_is_no_background():
    pixels = scene(0.8, 0.8)
    plain = moved(pixels, opinion())
    rim = pixels.copy()
    rim[:, 99:131, 99:131] = 0.7  # a pixel around the cloud that the network left out
    np.testing.assert_allclose(moved(rim, opinion())[PATCH], plain[PATCH], atol=1e-5)
    assert np.abs(moved(rim, opinion(), grow=0)[PATCH] - plain[PATCH]).min() > 0.01


def test_gaps_change_nothing_and_hide_nothing():
    pixels = scene(0.5, 0.5)
    pixels[3:5, 200:, :] = np.nan
    pixels[4, 100:106, 60:72] = np.nan  # short-wave infrared alone is missing in half the patch
    by = moved(pixels, opinion())
    np.testing.assert_array_equal(by[200:], 0)
    np.testing.assert_allclose(by[PATCH], 4.0, atol=1e-3)


def test_the_first_bands_that_there_are():
    pixels = scene(0.5, 0.7)
    pixels[(1, *PATCH)] *= 0.6
    pixels[(2, *PATCH)] *= 0.75
    # 0.7 in short-wave infrared; without it 0.75 in red, where near infrared has 0.5
    for lacking, least in (((), 0.7), ((4,), 0.75), ((3, 4), 0.75)):
        pixels[list(lacking)] = np.nan
        by = moved(pixels, opinion())[105, 65]
        assert by == pytest.approx(10 * (np.log(1 / least) - 0.15), abs=0.1)
    pixels[(1, *PATCH)] *= 1.5  # 0.9
    assert moved(pixels, opinion())[105, 65] == pytest.approx(-0.45, abs=0.1)
    pixels[2] = np.nan
    np.testing.assert_array_equal(moved(pixels, opinion()), 0)


def test_a_tile_under_cloud_has_nothing_to_compare_with():
    before = opinion()
    before[:] = np.array([0.04, 0.03, 0.03, 0.9])[:, None, None]
    after = shaded(before, scene(0.5, 0.5), REFLECTIVE, CLASSES, Darkness())
    np.testing.assert_allclose(after, before, atol=1e-6)


def test_weights_that_state_it(tmp_path):
    plain = Network(save_small(tmp_path, "plain"))
    given = Darkness(slope=8.0)
    place = save_small(tmp_path, "darker", darkness=given)
    assert load_card(place, MaskCard).darkness == given
    tile = scene(0.5, 0.5)[None]
    before, after = plain(tile), Network(place)(tile)
    assert (before.argmax(axis=1) == Climate.CLOUD).any()
    assert not np.allclose(before, after)
    np.testing.assert_array_equal(after[0], shaded(before[0], tile[0], REFLECTIVE, CLASSES, given))


def test_networks_that_cannot_have_it():
    with pytest.raises(
        SettingsError, match=r"train\.darkness.*no class clear, cloud, shadow.*take it"
    ):
        check(Darkness(), REFLECTIVE, ("water", "woody"))
    with pytest.raises(SettingsError, match=r"train\.darkness.*swir16.*blue, red"):
        check(Darkness(bands=(("red",), ("swir16",))), ("blue", "red"), CLASSES)


@pytest.mark.parametrize("bands", [(), ((),), (("nir08",), ())])
def test_a_group_of_no_bands_is_refused(bands):
    with pytest.raises(ValidationError, match=r"bands.*\n.*at least 1 item"):
        Darkness(bands=bands)
