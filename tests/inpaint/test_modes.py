"""The six published ways to paint: what each means, and what holds for all of them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import ndimage

from nndacss.errors import WeightsError
from nndacss.inpaint.bank import MaskBank
from nndacss.inpaint.modes import MODES, content, open_water
from nndacss.inpaint.networks import Networks
from nndacss.inpaint.options import NAMES, PaintOptions
from nndacss.inpaint.painter import Painter, Patch
from nndacss.inpaint.precedence import CLOUD_MAYBE, SHADOW_FROM, SHADOW_MAYBE, placed
from nndacss.inpaint.tools import moved
from nndacss.sensors import REFLECTIVE
from tests.inpaint.scenes import SIDES, C, FakeRestorer, H, S, X, disc, pair_bank, scene

CASES = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
SUN = (40.0, 150.0)
#: Which scenes a mode suits.
SUITED = dict(zip(NAMES, ("all", "cloud", "empty", "snow", "empty", "cloud"), strict=True))


@pytest.fixture(scope="module")
def paired(tmp_path_factory):
    return MaskBank(pair_bank(tmp_path_factory.mktemp("bank") / "bank.h5"))


def networks():
    return Networks(
        {name: FakeRestorer(n / 4) for n, name in enumerate(("shadow", "snow", "cloud"))}
    )


def painter(bank, *modes, renderer="physical", **more):
    options = PaintOptions(modes=modes, renderer=renderer, **more)
    return Painter(bank, options, networks() if renderer == "network" else None)


def patch(seed, kind, sun=SUN):
    pixels, sets = scene(seed, kind)
    return Patch(pixels, sets, REFLECTIVE, 20.0, sun, ("TOA", "SR")[seed % 2])


def paint(paints, one, seed):
    (done,) = paints.paint_batch([one], [np.random.default_rng(seed)])
    return done


def ground(sets, value=0.2):
    """An even patch with these labels."""
    return Patch(
        np.full((6, *sets.shape), value, np.float32), sets.astype(np.uint16), REFLECTIVE, 20.0,
        SUN, "SR",
    )  # fmt: skip


@CASES
@given(
    seed=st.integers(0, 10_000),
    mode=st.sampled_from(NAMES),
    kind=st.sampled_from(["suited", "all"]),
    renderer=st.sampled_from(["physical", "network"]),
    pairs=st.sampled_from([0.0, 1.0]),
)
def test_what_holds_for_every_mode(paired, seed, mode, kind, renderer, pairs):
    one = patch(seed, SUITED[mode] if kind == "suited" else kind, SUN if seed % 4 else None)
    before = one.pixels.copy(), one.sets.copy()
    paints = painter(paired, mode, renderer=renderer, pair_chance=pairs, snow_chance=0.5)
    done = paint(paints, one, seed)
    # the input is not modified, and no branch returns it
    np.testing.assert_array_equal(one.pixels, before[0])
    np.testing.assert_array_equal(one.sets, before[1])
    assert not np.shares_memory(done.pixels, one.pixels)
    assert not np.shares_memory(done.sets, one.sets)
    # the same seed, the same sample
    again = paint(paints, one, seed)
    np.testing.assert_array_equal(done.pixels, again.pixels)
    np.testing.assert_array_equal(done.sets, again.sets)
    # nodata is untouched, all else a reflectance
    np.testing.assert_array_equal(np.isnan(done.pixels), np.isnan(one.pixels))
    assert done.pixels.dtype == np.float32
    assert np.nanmin(done.pixels) >= 0
    assert np.nanmax(done.pixels) < 1.5
    # labels are sets of the four classes, and unlabelled stays so
    assert done.sets.dtype == np.uint16
    assert done.sets.max() <= 15
    np.testing.assert_array_equal(done.sets == 0, one.sets == 0)
    # never a sum: what a pixel may be is what it was or what was painted
    painted = {"snow_on_empty": S, "snow_with_clouds": S, "shadow_for_cloud": H}.get(
        mode, X | H | S
    )
    assert not (done.sets & ~one.sets & ~np.uint16(painted)).any()
    # cloud over shadow over snow over clear: nothing gives way to what it hides
    assert (done.sets[one.sets == X] == X).all()
    assert not (done.sets[one.sets == H] & (C | S)).any()
    assert not (done.sets[one.sets == S] & C).any()
    assert (done.mode == "") == bool(done.skipped)
    if done.skipped:
        np.testing.assert_array_equal(done.pixels, one.pixels)
        np.testing.assert_array_equal(done.sets, one.sets)


@CASES
@given(
    seed=st.integers(0, 10_000),
    mode=st.sampled_from(NAMES),
    renderer=st.sampled_from(["physical", "network"]),
)
def test_what_keeps_its_label_keeps_its_look(paired, seed, mode, renderer):
    """The image changes under the painted mask and its faint feather alone."""
    one = patch(seed, SUITED[mode])
    done = paint(painter(paired, mode, renderer=renderer), one, seed)
    # where the painted class is no news to the label, it says nothing of the mask
    told = (done.sets == one.sets) & np.isin(one.sets, (C, C | S if mode[:4] != "snow" else C))
    change = np.nanmax(np.abs(done.pixels - one.pixels), axis=0, initial=0)[told]
    copied = mode == "duplicate"
    faint = 0 if copied else CLOUD_MAYBE + SHADOW_FROM * SHADOW_MAYBE * np.nanmax(one.pixels)
    if mode[:4] == "snow":
        faint = 0.2  # cover below which nobody would call it snow
    assert change.max(initial=0) <= faint


@pytest.mark.parametrize("renderer", ["physical", "network"])
def test_a_batch_is_what_its_patches_are(paired, renderer):
    patches = [patch(seed, kind) for seed, kind in enumerate(("all", "cloud", "empty", "snow") * 2)]
    paints = painter(paired, *NAMES, renderer=renderer, pair_chance=0.5)
    rngs = [np.random.default_rng([7, n]) for n in range(8)]
    together = paints.paint_batch(patches, rngs)
    assert len({done.mode for done in together}) > 2
    for number, (one, done) in enumerate(zip(patches, together, strict=True)):
        (single,) = paints.paint_batch([one], [np.random.default_rng([7, number])])
        np.testing.assert_array_equal(done.pixels, single.pixels)
        np.testing.assert_array_equal(done.sets, single.sets)
        assert done.story == single.story


def test_requests_of_several_patches_are_one_batch(paired):
    restorers = {name: FakeRestorer(0.5) for name in ("cloud", "shadow", "snow")}
    options = PaintOptions(modes=("snow_on_empty",), renderer="network", cover=(0.2, 0.6))
    paints = Painter(paired, options, Networks(restorers))
    paints.paint_batch(
        [patch(n, "empty") for n in range(5)], [np.random.default_rng(n) for n in range(5)]
    )
    assert restorers["snow"].batches == [5]
    assert restorers["cloud"].batches == []


def test_a_network_paints_inside_the_hole_with_a_feathered_border(paired):
    one = ground(np.full(SIDES, C))
    more = {"cover": (0.3, 0.5), "thin_chance": 0.0, "thick": (40.0, 45.0), "second_chance": 0.0}
    optics, soft, sharp = (
        paint(painter(paired, "clouds_on_empty", **more, **how), one, 4)
        for how in (
            {},
            {"renderer": "network", "feather": 60.0},
            {"renderer": "network", "feather": 0},
        )
    )
    np.testing.assert_array_equal(soft.sets, optics.sets)
    # thin cloud carries the brightness of what is around, a little of the network's too
    apart = np.abs(soft.pixels - optics.pixels).max(axis=0) > 0.02
    assert apart.any()
    assert np.isin(soft.sets[apart], (X, H, X | H)).all()
    # deep inside it is the fake network's colour: 0.5 and a tenth of what it saw
    far = ndimage.distance_transform_edt(optics.sets == X)
    deep = (far > 4) & (optics.pixels[2] > 0.85)
    assert deep.any()
    assert np.ptp(sharp.pixels[0, deep]) < 1e-6
    assert 0.51 < sharp.pixels[0, deep][0] < 0.6
    np.testing.assert_allclose(soft.pixels[:, deep], sharp.pixels[:, deep], atol=1e-3)
    # the pixel at the border has a quarter of it: 60 m are three pixels of 20 m
    rim = (far == 1) & (optics.pixels[2] > 0.3)
    assert rim.any()
    full, quarter = sharp.pixels - optics.pixels, soft.pixels - optics.pixels
    np.testing.assert_allclose(quarter[0, rim], full[0, rim] / 4, atol=0.01)


def test_a_copy_is_moved_along_the_sun(paired):
    sets = np.where(disc((96, 96), 48, 48, 6), X, C)
    one = ground(sets)
    pixels = one.pixels.copy()
    pixels[:, sets == X] = np.random.default_rng(0).uniform(0.5, 0.9, (6, (sets == X).sum()))
    one = replace(one, pixels=pixels)
    done = paint(painter(paired, "duplicate", feather=0.0, shift=(500.0, 500.0)), one, 1)
    # 500 m are 25 pixels of 20 m; the sun at 150 degrees lies 0.5 east and 0.866 south
    fresh = (done.sets == X) & (sets != X)
    centre = np.mean(np.nonzero(fresh), axis=1) - 48
    assert min(np.abs(centre - sign * np.array([22, 12])).max() for sign in (1, -1)) < 0.6
    down, right = np.rint(centre).astype(int)
    np.testing.assert_array_equal(
        done.pixels[:, fresh], np.roll(pixels, (down, right), (1, 2))[:, fresh]
    )
    assert fresh.sum() == (sets == X).sum()
    np.testing.assert_array_equal(done.pixels[:, ~fresh], pixels[:, ~fresh])


def test_copies_are_drawn_anew_for_each_sample(paired):
    one = ground(np.where(disc((96, 96), 48, 48, 6), X, C))
    steps = {paint(painter(paired, "duplicate"), one, seed).story[-1] for seed in range(6)}
    assert len(steps) > 3


def test_a_copied_cloud_takes_its_shadow_along(paired):
    sets = np.where(disc((96, 96), 40, 48, 6), X, C)
    sets[disc((96, 96), 60, 40, 6)] = H
    one, code = ground(sets), None
    for seed in range(20):
        done = paint(painter(paired, "duplicate", feather=0.0, shift=(200.0, 200.0)), one, seed)
        clouds = ((done.sets == X) & (sets != X)).sum()
        shadows = ((done.sets == H) & (sets != H)).sum()
        if clouds:
            code = X
            assert shadows > 0
    assert code == X


#: Sun, and where the shadow of a cloud lies from it: both hemispheres, morning.
SUNS = {(45.0, 135.0): (-1, -1), (45.0, 45.0): (1, -1), (45.0, 180.0): (-1, 0), (45.0, 0.0): (1, 0)}


@pytest.mark.parametrize("sun", SUNS)
def test_a_cloud_gets_its_shadow_away_from_the_sun(paired, sun):
    sets = np.where(disc((128, 128), 64, 64, 9), X, C)
    one = replace(ground(sets), sun=sun)
    pixels = one.pixels.copy()
    pixels[:, sets == X] = 0.7
    one = replace(one, pixels=pixels)
    low = {"low": (600.0, 600.0), "high_chance": 0.0}
    done = paint(painter(paired, "shadow_for_cloud", **low), one, 3)
    shade = done.sets == H
    assert shade.sum() > 60
    assert not (shade & (sets == X)).any()
    np.testing.assert_array_equal(done.pixels[:, sets == X], pixels[:, sets == X])
    middle = np.mean(np.nonzero(shade), axis=1) - 64
    # 600 m at 45 degrees are 30 pixels, and the sensor's parallax up to 5
    wanted = np.array(SUNS[sun]) / np.hypot(*SUNS[sun]) * 30
    assert np.hypot(*(middle - wanted)) < 9
    assert (done.pixels[:, shade] < 0.16).all(axis=0).mean() > 0.5


def test_a_thin_cloud_throws_a_faint_shadow(paired):
    sets = np.where(disc((128, 128), 64, 64, 12), X, C)
    darkest = []
    for bright in (0.25, 0.7):
        one = ground(sets)
        one.pixels[:, sets == X] = bright
        done = paint(painter(paired, "shadow_for_cloud", high_chance=0.0), one, 3)
        darkest.append(done.pixels[3, sets != X].min())
    assert 0.2 > darkest[0] > darkest[1] + 0.02


def test_snow_beside_clouds_covers_clear_ground_alone(paired):
    sets = np.full((96, 96), C)
    sets[:30], sets[30:45], sets[45:60, :40] = X, H, S
    done = paint(painter(paired, "snow_with_clouds", cover=(0.5, 0.6)), ground(sets), 5)
    fresh = (done.sets == S) & (sets != S)
    assert fresh.any()
    assert (sets[fresh] == C).all()
    np.testing.assert_array_equal(done.pixels[:, :45], ground(sets).pixels[:, :45])
    np.testing.assert_array_equal(done.sets[:45], sets[:45])


def test_clouds_hide_snow_and_its_label(paired):
    one = ground(np.full((96, 96), S), 0.6)
    done = paint(painter(paired, "clouds_on_empty_or_snow", cover=(0.3, 0.6)), one, 2)
    assert (done.sets == X).mean() > 0.1
    assert not (done.sets[done.sets != S] & C).any()


def test_no_snow_on_open_water(paired):
    one = ground(np.full((96, 96), C))
    # green above near infrared, and that dark
    one.pixels[:, :, :48] = np.float32([0.09, 0.07, 0.04, 0.02, 0.01, 0.01])[:, None, None]
    assert open_water(one.pixels, REFLECTIVE)[:, :48].all()
    for seed in range(4):
        done = paint(painter(paired, "snow_on_empty", cover=(0.5, 0.6)), one, seed)
        np.testing.assert_array_equal(done.pixels[:, :, :48], one.pixels[:, :, :48])
        assert (done.sets[:, :48] == C).all()


def test_no_snow_on_snow_that_nobody_labelled(paired):
    one = ground(np.full((96, 96), C | H | S))
    one.pixels[:, :, :48] = np.float32([0.9, 0.9, 0.9, 0.8, 0.1, 0.08])[:, None, None]
    done = [
        paint(painter(paired, "snow_on_empty", cover=(0.5, 0.6)), one, seed) for seed in range(4)
    ]
    for each in done:
        np.testing.assert_array_equal(each.pixels[:, :, :48], one.pixels[:, :, :48])
    assert any((each.sets[:, 48:] == H | S).any() for each in done)


@pytest.mark.parametrize("azimuth", [30.0, 100.0, 170.0])
def test_a_matched_pair_is_turned_to_the_sun(paired, azimuth):
    """Wherever the sun stands, the pair's shadow lies opposite it, as far as it was."""
    steps = []
    for seed in range(30):
        one = replace(ground(np.full((160, 160), C)), sun=(45.0, azimuth))
        more = {"pair_chance": 1.0, "cover": (0.1, 0.2), "zoom": (1.0, 1.0), "thin_chance": 0.0}
        done = paint(painter(paired, "clouds_on_empty", **more), one, seed)
        cloud, shadow = done.sets == X, done.sets == H
        border = np.ones_like(cloud)
        border[12:-12, 12:-12] = False
        if len(done.story) == 1 and not ((cloud | shadow) & border).any() and shadow.sum() > 40:
            steps.append(np.mean(np.nonzero(shadow), axis=1) - np.mean(np.nonzero(cloud), axis=1))
    assert steps
    for down, right in steps:
        # the sensor's own parallax turns it by some degrees
        along = -np.sin(np.radians(azimuth)) * right + np.cos(np.radians(azimuth)) * down
        assert np.hypot(down, right) == pytest.approx(20, abs=3)
        assert along > 0.9 * np.hypot(down, right)


def columns(**first):
    """Clear ground whose first columns are of other classes: `cloud=9` makes nine of them cloud."""
    sets, start = np.full(SIDES, C), 0
    for name, count in first.items():
        sets[:, start : start + count] = {"cloud": X, "shadow": H, "snow": S}[name]
        start += count
    return sets


UNFIT = [
    ("duplicate", columns(), "no structure"),
    ("shadow_for_cloud", columns(), "no cloud"),
    ("shadow_for_cloud", columns(cloud=50), "more than half"),
    ("shadow_for_cloud", columns(cloud=9, shadow=9), "have their shadows"),
    ("clouds_on_empty", columns(snow=9), "not clear"),
    ("clouds_on_empty_or_snow", columns(shadow=9), "is there"),
    ("snow_on_empty", columns(cloud=9), "not clear"),
    ("snow_with_clouds", columns(), "no cloud"),
]


@pytest.mark.parametrize(("mode", "sets", "reason"), UNFIT)
def test_a_patch_that_a_mode_does_not_suit_comes_back(paired, mode, sets, reason):
    assert reason in MODES[mode].unfit(content(sets.astype(np.uint16)))
    done = paint(painter(paired, mode), ground(sets), 0)
    assert reason in done.skipped
    np.testing.assert_array_equal(done.sets, sets)


def test_another_mode_is_taken_where_one_does_not_suit(paired):
    modes = ("duplicate", "clouds_on_empty")
    assert paint(painter(paired, *modes), ground(np.full(SIDES, C)), 0).mode == "clouds_on_empty"


def test_the_network_renderer_needs_networks(paired):
    with pytest.raises(WeightsError, match="found no networks"):
        Painter(paired, PaintOptions(renderer="network"))
    paints = Painter(
        paired, PaintOptions(modes=("snow_on_empty",), renderer="network"), Networks({})
    )
    with pytest.raises(WeightsError, match="snow: found weights of none"):
        paint(paints, patch(1, "empty"), 1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"modes": ("clouds",)}, "modes must be different, of duplicate"),
        ({"modes": ("duplicate", "duplicate")}, "modes must be different"),
        ({"weights": {"fog": "a"}}, "weights are of cloud, shadow, snow"),
        ({"shift": (9.0, 3.0)}, "shift must be two rising numbers"),
    ],
)
def test_settings_that_mean_nothing(changes, message):
    with pytest.raises(ValueError, match=message):
        PaintOptions(**changes)


def test_moved_and_placed_by_hand():
    grid = np.arange(6).reshape(2, 3)
    assert moved(grid, (0, 1), fill=9).tolist() == [[9, 0, 1], [9, 3, 4]]
    assert moved(grid, (-1, -2), fill=9).tolist() == [[5, 9, 9], [9, 9, 9]]
    assert (moved(grid, (2, 0), fill=9) == 9).all()
    sets = np.array([C, S, H, X, C | H | S, C | X, 0], np.uint16)
    everywhere, nowhere = np.ones(7, bool), np.zeros(7, bool)
    assert placed(sets, np.uint16(X), everywhere, nowhere).tolist() == [X, X, X, X, X, X, 0]
    assert placed(sets, np.uint16(H), everywhere, nowhere).tolist() == [H, H, H, X, H, H | X, 0]
    assert placed(sets, np.uint16(S), everywhere, nowhere).tolist() == [S, S, H, X, H | S, S | X, 0]
    assert placed(sets, np.uint16(H), nowhere, everywhere).tolist() == [
        C | H, S | H, H, X, C | H | S, C | X | H, 0,
    ]  # fmt: skip
