"""What must hold for every painted image, and where clouds and shadows end up."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import ndimage, signal

from nndacss.errors import DatasetError
from nndacss.inpaint import precedence, render
from nndacss.inpaint.bank import MaskBank
from nndacss.inpaint.cast import Geometry
from nndacss.inpaint.harvest import build_bank
from nndacss.inpaint.options import PaintSettings
from nndacss.inpaint.painter import Painter
from nndacss.inpaint.precedence import clouded, shadowed, snowed
from nndacss.inpaint.shapes import EDGE, FAINT, Cloud, lay
from nndacss.inpaint.steps import View, alone, overcast_steps
from nndacss.inpaint.texture import SIDE, Texture, tile
from nndacss.inpaint.tools import Tools
from nndacss.inpaint.weather import Layer
from nndacss.sensors import REFLECTIVE
from tests.inpaint.banks import write_raster

SIDES = (96, 80)
C, H, S, X = 1, 2, 4, 8  # clear, shadow, snow, cloud
CASES = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def scene(seed):
    """Ground of several brightnesses, every kind of label set, missing pixels and a lost band."""
    rng = np.random.default_rng(seed)
    pixels = rng.uniform(0.02, 0.5, (6, *SIDES)).astype(np.float32)
    pixels = ndimage.uniform_filter(pixels, (1, 5, 5))
    sets = np.kron(
        rng.choice([C, C, C | S, C | H | S, H, S, X, 0, C | X], (6, 5)), np.ones((16, 16))
    )
    pixels[:, :7] = np.nan
    pixels[2, 20:30, 20:30] = np.nan
    if seed % 3 == 0:
        pixels[5] = np.nan
    return pixels, sets.astype(np.uint16)


def seen(pixels, sets):
    """A surface image under one sun."""
    light = render.light(pixels, REFLECTIVE, "SR", 40.0)
    return View(pixels, sets, REFLECTIVE, 20.0, Geometry(40.0, 150.0), light)


def paint(bank, seed, sun=(40.0, 150.0), snow=0.5, pixels=None, sets=None, **more):
    if pixels is None:
        pixels, sets = scene(seed)
    paints = Painter(bank, PaintSettings(chance=1.0, snow_chance=snow, **more))
    rng = np.random.default_rng(seed)
    return paints.paint(pixels, sets, REFLECTIVE, 20.0, sun, rng, ("TOA", "SR")[seed % 2])


@CASES
@given(seed=st.integers(0, 10_000))
def test_what_holds_for_every_image(bank, seed):
    pixels, sets = scene(seed)
    before = pixels.copy(), sets.copy()
    sun = None if seed % 5 == 0 else (40.0, 150.0)
    painted, labels = paint(bank, seed, sun, pixels=pixels, sets=sets)
    np.testing.assert_array_equal(pixels, before[0])
    np.testing.assert_array_equal(sets, before[1])
    again = paint(bank, seed, sun, pixels=pixels, sets=sets)
    np.testing.assert_array_equal(painted, again[0])
    np.testing.assert_array_equal(labels, again[1])
    # nodata stays, everything else is a reflectance
    np.testing.assert_array_equal(np.isnan(painted), np.isnan(before[0]))
    assert painted.dtype == np.float32
    assert np.nanmin(painted) >= 0
    assert np.nanmax(painted) < 1.5
    # labels are sets of the four classes; what is unlabelled or cloud stays so
    assert labels.dtype == np.uint16
    assert labels.max() <= 15
    np.testing.assert_array_equal(labels == 0, before[1] == 0)
    assert np.all(labels[before[1] == X] == X)
    # nothing becomes clear that was not
    assert np.all((labels & C == 0) | (before[1] & C != 0))
    # no shadow is cast on clouds and shadows that are there
    kept = (before[1] == X) | (before[1] == H)
    assert np.all((labels[kept] & ~before[1][kept] & ~np.uint16(X)) == 0)


@CASES
@given(seed=st.integers(0, 10_000))
def test_what_keeps_its_label_keeps_its_look(bank, seed):
    """Outside the painted structures what changes is fainter than what would change a label."""
    pixels, sets = scene(seed)
    sets = np.where(sets == 0, C, sets).astype(np.uint16)
    before = pixels.copy()
    painted, labels = paint(bank, seed, snow=0.0, pixels=pixels, sets=sets)
    np.testing.assert_array_equal(pixels, before)
    change = np.nanmax(np.abs(painted - before), axis=0, initial=0)
    same = (labels == sets) & (sets & (C | S) != 0) & (sets & (H | X) == 0)
    # less than the smallest shares of cloud and of sunlight that change a label
    dim = precedence.SHADOW_FROM * precedence.SHADOW_MAYBE
    faint = precedence.CLOUD_MAYBE + dim * np.nanmax(before)
    assert change[same].max(initial=0) <= faint


def test_far_from_clouds_and_shadows_nothing_changes(bank):
    untouched = []
    for seed in range(10):
        pixels, sets = scene(seed)
        painted, _ = paint(bank, seed, snow=0.0, pixels=pixels, sets=sets)
        there = ~np.isnan(pixels)
        untouched.append((painted[there] == pixels[there]).mean())
    # a patch may be under cloud, shadow and their faint feathers altogether; most are not
    assert np.median(untouched) > 0.3


def test_other_chance_is_another_sky(bank):
    pixels, sets = scene(1)
    first, second = (paint(bank, seed, pixels=pixels, sets=sets)[0] for seed in (1, 3))
    assert np.nanmax(np.abs(first - second)) > 0.05


def test_an_image_without_ground_comes_back(bank):
    pixels, _ = scene(1)
    for sets in (np.full(SIDES, X, np.uint16), np.zeros(SIDES, np.uint16)):
        painted, labels = paint(bank, 1, pixels=pixels, sets=sets)
        np.testing.assert_array_equal(painted, pixels)
        np.testing.assert_array_equal(labels, sets)
        assert painted is not pixels


def plain_ground():
    """Clear everywhere, one brightness."""
    return np.full((6, *SIDES), 0.3, np.float32), np.full(SIDES, C, np.uint16)


@pytest.mark.parametrize("seed", range(4))
def test_a_larger_shadow_from_labels_less_and_paints_the_same(bank, seed):
    pixels, sets = plain_ground()
    own = {"cover": (0.1, 0.4), "width": (30.0, 60.0), "thin_chance": 0.0, "high_chance": 0.0}
    (one, all_of_it), (two, less) = (
        paint(bank, seed, snow=0.0, pixels=pixels, sets=sets, shadow_from=least, **own)
        for least in (0.2, 0.4)
    )
    np.testing.assert_array_equal(one, two)
    sure, still = all_of_it == H, less == H
    assert 0 < still.sum() < sure.sum()
    assert not (still & ~sure).any()
    # what is no longer certain may be shadow: 0.3 of 0.4 is less than 0.2
    assert (less[sure & ~still & (all_of_it & X == 0)] & H != 0).all()
    # what stays certain is darker than the brightest of what does not
    lit = one[3] / pixels[3]
    assert lit[still].max() < lit[sure & ~still].max()


def test_a_smaller_width_makes_small_clouds_thick(bank):
    """The same small outlines are brighter where the cloud grows thick sooner."""
    pixels, sets = plain_ground()
    bright = []
    for width in ((30.0, 30.0), (700.0, 700.0)):
        own = {"width": width, "thin_chance": 0.0, "zoom": (0.3, 0.3), "cover": (0.2, 0.2)}
        shown = [
            paint(bank, seed, snow=0.0, pixels=pixels, sets=sets, second_chance=0.0, **own)
            for seed in range(0, 12, 2)
        ]
        bright.append(np.mean([image[0][labels == X].mean() for image, labels in shown]))
    assert bright[0] > 1.1 * bright[1]


def test_input_that_cannot_be_painted(bank):
    pixels, sets = scene(1)
    with pytest.raises(DatasetError, match="label set 16"):
        paint(bank, 1, pixels=pixels, sets=np.full(SIDES, 16, np.uint16))
    with pytest.raises(DatasetError, match="of one size"):
        paint(bank, 1, pixels=pixels[:, 1:], sets=sets)


def test_labels_by_precedence():
    sets = np.array([C, C | S, C | H | S, S, H, X, C | X, 0], np.uint16)
    sure, maybe = np.full(8, 0.9, np.float32), np.full(8, 0.03, np.float32)
    seen, unseen = np.full(8, 0.1, np.float32), np.full(8, 0.001, np.float32)
    assert clouded(sets, sure, seen).tolist() == [X, X, X, X, X, X, X, 0]
    either = [C | X, C | S | X, C | H | S | X, S | X, H | X, X, C | X, 0]
    assert clouded(sets, maybe, seen).tolist() == either
    assert clouded(sets, sure, unseen).tolist() == either
    assert shadowed(sets, sure, seen).tolist() == [H, H, H, H, H, X, H | X, 0]
    either = [C | H, C | S | H, C | H | S, S | H, H, X, C | X | H, 0]
    assert shadowed(sets, sure, unseen).tolist() == either
    assert snowed(sets, sure).tolist() == [S, S, H | S, S, H, X, S | X, 0]
    assert snowed(sets, np.full(8, 0.3)).tolist() == [C | S, C | S, 7, S, H, X, C | S | X, 0]
    none = np.zeros(8, np.float32)
    for change in (clouded(sets, none, seen), shadowed(sets, none, seen), snowed(sets, none)):
        np.testing.assert_array_equal(change, sets)


def disc_cloud(folder, metres, height):
    """A cloud over the middle of a patch, round, 300 m in radius."""
    rows, columns = np.indices((201, 201)) - 100
    write_raster(folder / "in" / "disc.tif", rows**2 + columns**2 < 15**2)
    build_bank([folder / "in"], folder / "disc.h5", 20.0)
    bank, rng = MaskBank(folder / "disc.h5"), np.random.default_rng(0)
    outline = lay(bank, "cloud", (120, 120), metres, 1.0, 0.1, rng)
    # put its middle on the middle of the patch, however it was drawn
    spot = type(outline.spot)(0, 100.0, 100.0)
    outline = type(outline)(bank, spot, outline.matrix, outline.centre, outline.scale)
    layer = Layer(
        height=height, depth=1.0, hem=5.0, width=20.0, peak=40.0, rough=0.0, zoom=1.0, grain=1.0,
        stretch=1.0, absorption=1.0, ice=0.0, relief=0.0,
    )  # fmt: skip
    return Cloud(layer, metres, outline, Texture(rng, 1.0))


def overcast(pixels, sets, geometry, clouds):
    """Pixels of 20 m below clouds, and their labels."""
    air = render.light(pixels, REFLECTIVE, "SR", geometry.sun_elevation)
    view = View(pixels, sets, REFLECTIVE, 20.0, geometry, air)
    done = alone(overcast_steps(view, clouds, 0.0))
    return done.pixels, done.sets


#: Sun elevation and azimuth, and where the shadow's middle lies: (down, right) pixels of 20 m.
SUNS = [((45, 180), (-40, 0)), ((45, 0), (40, 0)), ((45, 90), (0, -40)), ((60, 135), (-16, -16))]


@pytest.mark.parametrize(("sun", "expected"), SUNS)
def test_shadows_fall_away_from_the_sun(tmp_path, sun, expected):
    cloud = disc_cloud(tmp_path, 20.0, 800.0)
    pixels = np.full((6, 120, 120), 0.2, np.float32)
    sets = np.full((120, 120), C, np.uint16)
    painted, labels = overcast(pixels, sets, Geometry(*sun), [cloud])
    middle = np.mean(np.nonzero(labels == X), axis=1)
    assert middle == pytest.approx((59.5, 59.5), abs=0.6)
    # as large as the cloud, too: matched against the cloud by correlation
    shade = (painted[3] < 0.17).astype(float)
    template = (labels == X).astype(float)
    match = signal.fftconvolve(shade, template[::-1, ::-1], mode="same")
    best = np.array(np.unravel_index(match.argmax(), match.shape)) - 59
    assert best == pytest.approx(expected, abs=1.6)
    assert (labels == H).sum() == pytest.approx((labels == X).sum(), rel=0.25)
    # and the rest of the patch is as it was
    far = ndimage.distance_transform_edt(labels == C) > 4
    np.testing.assert_array_equal(painted[:, far], pixels[:, far])


def test_the_shadow_of_a_cloud_beside_the_patch(tmp_path):
    cloud = disc_cloud(tmp_path, 20.0, 3000.0)
    # 3000 m to the north at 45 degrees is 150 pixels: that far below the patch it stands
    beside = Cloud(cloud.layer, 20.0, _shifted(cloud.outline, 150), cloud.texture)
    assert beside.thickness(0, 0, (120, 120)).max() == 0
    slant = beside.slant(Geometry(45, 180), (120, 120))
    middle = np.average(np.indices((120, 120)).reshape(2, -1), axis=1, weights=slant.ravel())
    assert middle == pytest.approx((59.5, 59.5), abs=1.0)
    # along a beam from 30 degrees it is twice as thick as straight down
    low = cloud.slant(Geometry(30, 0), (600, 120))
    assert low.max() == pytest.approx(2 * cloud.thickness(0, 0, (120, 120)).max(), rel=1e-3)


def _shifted(outline, rows):
    centre = (outline.centre[0] + rows, outline.centre[1])
    return type(outline)(outline.bank, outline.spot, outline.matrix, centre, outline.scale)


def test_the_shadow_of_a_tall_cloud_reaches_further(tmp_path):
    cloud = disc_cloud(tmp_path, 20.0, 800.0)
    # from base to top 800 m, 40 pixels; it fills about the lower third: sqrt(6 / 40)
    tall = replace(cloud, layer=replace(cloud.layer, depth=800.0, width=2000.0))
    slant = tall.slant(Geometry(45, 0), (200, 120))
    rows = np.flatnonzero(slant.max(axis=1) > 0.2)
    # so soft a cloud is smaller than its outline
    assert 59.5 + 40 - 15 < rows[0] < 59.5 + 40 - 5
    assert 59.5 + 40 + 5 < rows[-1] < 59.5 + 40 + 15 + 20
    # no light is lost nor made by cutting it into slabs
    straight_down = tall.thickness(0, 0, (200, 120)).sum()
    assert slant.sum() == pytest.approx(straight_down * 2**0.5, rel=0.02)


def test_no_shadow_on_clouds_and_shadows_that_are_there(tmp_path):
    cloud = disc_cloud(tmp_path, 20.0, 800.0)
    pixels = np.full((6, 120, 120), 0.2, np.float32)
    sets = np.full((120, 120), C, np.uint16)
    sets[:, :60], sets[:, 60:] = X, H
    painted, _ = overcast(pixels, sets, Geometry(45, 0), [cloud])
    np.testing.assert_array_equal(painted[:, 90:], pixels[:, 90:])


def test_clouds_end_with_their_hem(bank):
    rng = np.random.default_rng(3)
    outline = lay(bank, "cloud", (96, 96), 20.0, 1.0, 0.2, rng)
    layer = Layer(
        height=900.0, depth=200.0, hem=25.0, width=30.0, peak=20.0, rough=0.0, zoom=1.0, grain=1.0,
        stretch=1.0, absorption=1.0, ice=0.0, relief=0.2,
    )  # fmt: skip
    thickness = Cloud(layer, 20.0, outline, Texture(rng, 1.0)).thickness(0, 0, (96, 96))
    distance = outline.distance(0, 0, (96, 96))
    far = distance < -25 * np.log(EDGE / FAINT) - 0.01
    assert far.any()
    assert thickness[far].max() == 0
    assert thickness[~far].min() >= 0
    assert np.all(thickness[distance > 0] > EDGE - 2 * FAINT)
    deep = distance > 90
    assert np.all(thickness[deep] > 0.9 * 20)


def test_one_field_however_it_is_cut(bank):
    rng = np.random.default_rng(4)
    outline = lay(bank, "cloud", (64, 64), 30.0, 1.3, 0.2, rng)
    texture = Texture(rng, 1.2, 2.0)
    for field in (outline.distance, texture.at):
        whole, part = field(0, 0, (64, 64)), field(20, 30, (30, 20))
        np.testing.assert_allclose(part, whole[20:50, 30:50], atol=2e-3 * np.abs(whole).max())


def test_tiles_repeat_without_a_seam():
    field = tile(0, 3.5)
    inside = np.abs(np.diff(field, axis=0)).mean()
    seam = np.abs(field[0] - field[-1]).mean()
    assert field.shape == (SIDE, SIDE)
    assert field.std() == pytest.approx(1, abs=1e-3)
    assert seam == pytest.approx(inside, rel=0.25)


@CASES
@given(seed=st.integers(0, 10_000))
def test_water_is_dark_clear_ground_and_leaves_clouds_and_shadows_alone(bank, seed):
    pixels, sets = scene(seed)
    view = seen(pixels, sets)
    done = Tools(bank, PaintSettings()).water(view, np.random.default_rng(seed))
    open_ = sets & C != 0
    # wherever something may be cloud or shadow alone, nothing happens
    np.testing.assert_array_equal(done.sets[~open_], sets[~open_])
    np.testing.assert_array_equal(done.pixels[:, ~open_], pixels[:, ~open_])
    assert set(np.unique(done.sets[done.sets != sets])) <= {C}
    np.testing.assert_array_equal(np.isnan(done.pixels), np.isnan(pixels))
    # water is 0.5 to 2.6 % in near infrared, and glint: at least half of what became water is that
    brightest, before, after = 0.026 + 0.012 + 0.015, pixels[3], done.pixels[3]
    became = (done.sets != sets) & ~np.isnan(before)
    assert (after[became] <= (np.maximum(before, brightest) + brightest)[became] / 2 + 1e-6).all()
    assert (after[became] > -0.02).all()


def test_painting_with_water_turns_some_ground_into_it(bank):
    pixels = np.full((6, *SIDES), 0.3, np.float32)
    sets = np.full(SIDES, C | H | S, np.uint16)
    found = [
        paint(bank, seed, snow=0.0, pixels=pixels, sets=sets, water_chance=chance)[0][3].min()
        for seed in range(1, 13, 2)
        for chance in (0.0, 1.0)
    ]
    # shadow leaves a third of the near infrared at least
    assert min(found[0::2]) > 0.05
    assert sum(lowest < 0.05 for lowest in found[1::2]) >= 4


def test_ground_of_other_brightness_keeps_the_air_and_stays_below_sand():
    light = render.Light(
        np.array([0.1, 0.0], np.float32), np.ones(2, np.float32), np.ones(2, np.float32)
    )
    pixels = np.stack([np.full((4, 4), 0.2, np.float32), np.full((4, 4), 0.4, np.float32)])
    pixels[:, 0, 0] = np.nan
    pixels[0, 1, 1] = 0.05  # darker than the air: left alone
    done = render.ground(pixels, light, np.array([2.0, 2.0]))
    # 0.1 + 2 x 0.1; twice 0.4 would be 0.8, more than the 0.5 of bright sand
    assert done[0, 3, 3] == pytest.approx(0.3)
    assert done[1, 3, 3] == pytest.approx(0.5)
    assert done[0, 1, 1] == pytest.approx(0.05)
    assert np.isnan(done[:, 0, 0]).all()
    dark = render.ground(pixels, light, np.array([0.5, 0.5]))
    assert dark[:, 3, 3].tolist() == pytest.approx([0.15, 0.2])
    # what is brighter than sand already is not made darker by a factor above 1
    snow = render.ground(np.full((1, 4, 4), 0.9, np.float32), light, np.array([1.5]))
    assert (snow == np.float32(0.9)).all()


@CASES
@given(seed=st.integers(0, 10_000))
def test_ground_is_changed_only_where_no_cloud_may_be(bank, seed):
    pixels, sets = scene(seed)
    view = seen(pixels, sets)
    tools = Tools(bank, PaintSettings(ground_gain=2.0))
    cloudy = tools.ground(view, np.random.default_rng(seed))
    assert bool((sets & X).any()) == (cloudy is view)
    bare = replace(view, sets=np.full_like(sets, C))
    done = tools.ground(bare, np.random.default_rng(seed))
    np.testing.assert_array_equal(done.sets, bare.sets)
    bright = pixels > 0.01
    ratio = done.pixels[bright] / pixels[bright]
    # twice in all bands, and its cube root in one
    assert ratio.min() > 2 ** -(4 / 3) * 0.999
    assert ratio.max() < 2 ** (4 / 3) * 1.001


def test_painting_with_other_ground_makes_it_brighter_and_darker(bank):
    pixels = np.full((6, *SIDES), 0.2, np.float32)
    sets = np.full(SIDES, C | H | S, np.uint16)
    found = [
        float(
            np.median(paint(bank, seed, snow=0.0, pixels=pixels, sets=sets, ground_gain=2.0)[0][3])
        )
        for seed in range(12)
    ]
    assert min(found) < 0.16
    assert max(found) > 0.25


def test_fill_and_haze_make_shadows_paler(bank):
    """Median near infrared of what surely is shadow, of ground of 0.3 below thick clouds."""
    pixels, sets = np.full((6, *SIDES), 0.3, np.float32), np.full(SIDES, C, np.uint16)
    thick = {"thin_chance": 0.0, "high_chance": 0.0, "second_chance": 0.0, "width": (30.0, 30.1)}

    def shadow(band, **more):
        found = []
        for seed in range(0, 16, 2):  # top of atmosphere
            done, labels = paint(bank, seed, snow=0.0, pixels=pixels, sets=sets, **thick, **more)
            found.append(done[band][labels == H])
        return float(np.median(np.concatenate(found)))

    plain, filled, hazy = shadow(3), shadow(3, fill=(0.5, 0.5)), shadow(3, haze=(0.4, 0.4))
    # half of what the clouds take comes back
    assert filled > plain + 0.05
    assert hazy == pytest.approx(plain, abs=0.03)
    assert shadow(0, haze=(0.4, 0.4)) > shadow(0) + 0.015


@pytest.mark.parametrize(
    "wrong", [{"fill": (0.5, 0.2)}, {"fill": (0.0, 1.2)}, {"haze": (0.3, 0.1)}, {"haze": (0, 0.1)}]
)
def test_wrong_ranges_of_light_are_refused(wrong):
    with pytest.raises(ValueError, match=r"(fill|haze) must be"):
        PaintSettings(**wrong)
