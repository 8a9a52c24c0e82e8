"""Fourier domain adaptation: against hand-worked waves, plain numpy.fft, and albumentations."""

import itertools
import math
import os
from dataclasses import replace

import numpy as np
import pytest

from nndacss.compose.fourier import METHOD, reach
from nndacss.compose.options import ComposeOptions, FourierOptions
from nndacss.compose.views import Views
from tests.compose.places import place, texture


def adapted(views, seed=None, **fourier):
    rng = None if seed is None else np.random.default_rng(seed)
    return METHOD(views, ComposeOptions(fourier=FourierOptions(**fourier)), rng).pixels


def both(landsat, harmonized):
    landsat, harmonized = (np.asarray(image, dtype=np.float32) for image in (landsat, harmonized))
    return Views(landsat, harmonized, np.zeros(landsat.shape[1:], dtype=np.uint8))


def published(harmonized, landsat, beta):
    """The authors' method, written out: full complex spectra, shifted, a square overwritten."""
    result = np.empty(harmonized.shape)
    rows, columns = harmonized.shape[1:]
    b = math.floor(min(rows, columns) * beta)
    r, c = rows // 2, columns // 2
    for band in range(len(harmonized)):
        own = np.fft.fftshift(np.fft.fft2(harmonized[band].astype(np.float64)))
        other = np.fft.fftshift(np.fft.fft2(landsat[band].astype(np.float64)))
        amplitude, phase = np.abs(own), np.angle(own)
        place = np.s_[max(r - b, 0) : r + b + 1, max(c - b, 0) : c + b + 1]
        amplitude[place] = np.abs(other)[place]
        result[band] = np.fft.ifft2(np.fft.ifftshift(amplitude * np.exp(1j * phase))).real
    return result


def test_waves_worked_by_hand():
    """8 x 8 pixels, b = 1: mean and longest wave change their amplitude, and not their phase."""
    x = 2 * np.pi * np.arange(8) / 8 * np.ones((8, 1))
    harmonized = 0.3 + 0.1 * np.cos(x + 0.4) + 0.05 * np.cos(2 * x) + 0.02 * np.cos(x.T * 3)
    landsat = 0.5 + 0.2 * np.cos(x + 1.7) + 0.15 * np.cos(2 * x + 0.2) + 0.1 * np.cos(x.T * 3)
    wanted = 0.5 + 0.2 * np.cos(x + 0.4) + 0.05 * np.cos(2 * x) + 0.02 * np.cos(x.T * 3)
    views = both(np.stack([landsat] * 6), np.stack([harmonized] * 6))
    for beta in (1 / 8, 0.2):
        found = adapted(views, by="beta", beta=beta)
        np.testing.assert_allclose(found, np.stack([wanted] * 6), atol=1e-6)


def block_by_block(views, side, half, first):
    """The lattice written out, over an image that is mirrored as a whole first."""
    window = np.sin(np.pi * (np.arange(side) + 0.5) / side)
    window = np.outer(window, window)
    weight = window**2 / (window**2).sum()
    rows, columns = views.labels.shape
    around = [(0, 0), (side, side), (side, side)]
    harmonized, landsat = (
        np.pad(image.astype(np.float64), around, mode="symmetric")
        for image in (views.harmonized, views.landsat)
    )
    result = np.zeros_like(harmonized)
    for top in range((-first[0]) % (side // 2), rows + side, side // 2):
        for left in range((-first[1]) % (side // 2), columns + side, side // 2):
            cut = np.s_[:, top : top + side, left : left + side]
            own, other = harmonized[cut], landsat[cut]
            means = [(block * weight).sum((1, 2), keepdims=True) for block in (own, other)]
            found = published((own - means[0]) * window, (other - means[1]) * window, half / side)
            result[cut] += (found + means[1] * window) * window
    return result[:, side : side + rows, side : side + columns]


@pytest.mark.parametrize("first", [(0, 0), (5, -13)])
def test_block_by_block(first):
    """20 pixels a side, cut off at 50 m: 4 bins of 1 / 200 m."""
    views = replace(place((47, 61)), at=first)
    wanted = block_by_block(views, 20, 4, first)
    np.testing.assert_allclose(adapted(views, block=200, cutoff=50), wanted, atol=3e-6)


@pytest.mark.parametrize("shape", [(32, 32), (33, 33), (32, 45), (27, 20)])
@pytest.mark.parametrize("beta", [0, 0.02, 0.1, 0.3, 0.5])
def test_as_published(shape, beta):
    views = place(shape)
    wanted = published(views.harmonized, views.landsat, beta)
    np.testing.assert_allclose(adapted(views, by="beta", beta=beta), wanted, atol=2e-6)


@pytest.mark.parametrize("side", [96, 97])
def test_as_albumentations_where_that_is_right(side, monkeypatch):
    """Its square is c - b to c + b up to 1.3; in 2.0 it ends at c + b - 1.

    For even sides the latter lies one bin off on top of that. So in 2.0 the frequencies around the
    square's border are left out.
    """
    monkeypatch.setitem(os.environ, "NO_ALBUMENTATIONS_UPDATE", "1")
    why = "pip install albumentations opencv-python-headless to compare"
    library = pytest.importorskip("albumentations", reason=why)
    old = library.__version__.startswith(("1.0.", "1.1.", "1.2.", "1.3."))
    if old:
        from albumentations.augmentations.domain_adaptation import fourier_domain_adaptation
    else:
        from albumentations.augmentations.mixing.domain_adaptation_functional import (
            fourier_domain_adaptation,
        )
    views, beta = place((side, side)), 0.07
    b = math.floor(side * beta)
    ours = adapted(views, by="beta", beta=beta)
    images = (np.moveaxis(image, 0, -1) for image in (views.harmonized, views.landsat))
    theirs = np.moveaxis(fourier_domain_adaptation(*images, beta), -1, 0)
    if old:
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    assert theirs.max() < 1  # nothing was clipped
    bins = np.abs(np.fft.fftfreq(side) * side).round()
    farthest = np.maximum(bins[:, None], bins)
    off = 0 if side % 2 else 1
    right = (farthest < b - off) | (farthest > b + off)
    assert right.mean() > 0.9
    spectra = [np.fft.fft2(image)[:, right] / side**2 for image in (ours, theirs)]
    np.testing.assert_allclose(*spectra, atol=1e-6)


@pytest.mark.parametrize(
    "how", [{"block": 160}, {"by": "beta"}, {"by": "beta", "beta": 0}], ids=str
)
def test_the_mean_becomes_landsats(how):
    views = place((64, 64))
    moved = replace(views, harmonized=views.landsat - np.float32(0.125))
    np.testing.assert_allclose(adapted(moved, **how), views.landsat, atol=1e-6)
    if "by" in how:
        means = adapted(views, **how).mean(axis=(1, 2), dtype=np.float64)
        np.testing.assert_allclose(means, views.landsat.mean(axis=(1, 2)), rtol=1e-5)


def test_bright_clouds_stay_bright():
    views = place((64, 64))
    bright = np.where(views.labels == 3, np.float32(1.4), views.landsat)
    found = adapted(replace(views, landsat=bright, harmonized=bright - np.float32(0.3)), block=320)
    inside = np.s_[:, 16:24, 18:26]
    np.testing.assert_allclose(found[inside], 1.4, atol=1e-5)


def test_without_amplitude_landsats_phase():
    """A saturated, constant image has no phase: Landsat's low frequencies come as they are."""
    x = 2 * np.pi * np.arange(32) / 32
    landsat = np.broadcast_to(0.5 + 0.1 * np.sin(x + 1), (6, 32, 32))
    views = both(landsat, np.full((6, 32, 32), 0.8))
    np.testing.assert_allclose(adapted(views, by="beta", beta=0.1), landsat, atol=1e-6)


def test_cutoff_is_a_wavelength():
    """Waves longer than the cut-off change, shorter ones do not, whatever the pixel size."""
    for metres in (10, 20):
        side = 1280 // metres
        x = 2 * np.pi * (np.arange(side) + 0.5) * metres
        long, short = (
            np.broadcast_to(0.1 * np.cos(x / wave), (6, side, side)) for wave in (320, 80)
        )
        flat = np.full((6, side, side), 0.4)
        views = replace(both(flat + 2 * long + 2 * short, flat + long + short), metres=metres)
        found = adapted(views, block=1280, cutoff=160)
        inside = np.s_[:, side // 4 : side // 2, side // 4 : side // 2]
        np.testing.assert_allclose(
            found[inside], (flat + 2 * long + short)[inside], atol=2e-3, rtol=0
        )


def test_a_cutoff_that_divides_the_block_keeps_its_wave():
    """1700 m hold 4 waves of 425 m, though in float64 1700 * (1 / 425) is less than 4."""
    views = place((70, 70))
    exact, rather_less = (adapted(views, block=1700, cutoff=cutoff) for cutoff in (425, 424.9))
    np.testing.assert_array_equal(exact, rather_less)


def by_windows(views, size, margin, **how):
    """The image composed window by window, each with `margin` pixels more where there are any."""
    result = np.full_like(views.landsat, np.nan)
    rows, columns = views.labels.shape
    for top, left in itertools.product(range(0, rows, size), range(0, columns, size)):
        first = max(top - margin, 0), max(left - margin, 0)
        cut = np.s_[first[0] : top + size + margin, first[1] : left + size + margin]
        window = Views(
            np.ascontiguousarray(views.landsat[:, *cut]),
            np.ascontiguousarray(views.harmonized[:, *cut]),
            views.labels[cut],
            at=(views.at[0] + first[0], views.at[1] + first[1]),
        )
        kept = adapted(window, **how)[:, top - first[0] :, left - first[1] :][:, :size, :size]
        result[:, top : top + size, left : left + size] = kept
    return result


@pytest.mark.parametrize(("size", "at"), [(50, (0, 0)), (64, (1000, -37))])
def test_windows_agree_with_the_whole(size, at):
    views = replace(place((150, 170), nodata=True), at=at)
    how = {"block": 320, "cutoff": 100}
    margin = reach(FourierOptions(**how), 10)
    assert margin == 31
    pieces = by_windows(views, size, margin, **how)
    np.testing.assert_allclose(pieces, adapted(views, **how), atol=1e-6)


def test_a_smaller_margin_is_not_enough():
    """The law above is sharp: 12 pixels less and windows differ."""
    views, how = place((150, 170)), {"block": 320, "cutoff": 100}
    assert np.abs(by_windows(views, 50, 19, **how) - adapted(views, **how)).max() > 1e-4


def test_no_seams_between_blocks():
    """What is added is as smooth where a block begins or ends as elsewhere."""
    rng = np.random.default_rng(1)
    common, gain = texture(rng, (500, 500), 6), 1 + 0.5 * texture(rng, (500, 500), 20)
    views = both(common * gain, common)
    added = adapted(views, block=1280, cutoff=200) - views.harmonized
    assert np.abs(added).mean() > 0.03
    inner = np.s_[40:-40]
    steps = np.abs(np.diff(added, axis=2)).mean(axis=(0, 1))
    edges = np.zeros(499, dtype=bool)
    edges[[k * 64 - 1 for k in range(1, 8)]] = True
    assert steps[inner][edges[inner]].mean() / steps[inner][~edges[inner]].mean() < 1.05


def test_only_what_is_needed_is_computed():
    views = place((96, 96))
    needed = np.zeros((96, 96), dtype=bool)
    needed[10:14, 70:75] = True
    whole = adapted(views, block=160)
    part = adapted(replace(views, needed=needed), block=160)
    np.testing.assert_array_equal(part[:, needed], whole[:, needed])
    np.testing.assert_array_equal(part[:, 40:, :40], views.harmonized[:, 40:, :40])


def test_draws_stay_within_their_limits():
    views = place((64, 64))
    least = adapted(views, by="beta", beta=0)
    for seed in range(3):
        np.testing.assert_array_equal(adapted(views, seed, by="beta", beta_limit=0), least)
        # no wave of up to 640 m is longer than 10 km: the mean alone
        far = adapted(views, seed, block=640, cutoff_limit=1e4)
        np.testing.assert_array_equal(far, adapted(views, block=640, cutoff=1e5))
    # 24 draws of b in 0..6, each as likely as its share of [0, 0.1]
    tried = {b: adapted(views, by="beta", beta=(b + 0.5) / 64) for b in range(7)}
    seen = set()
    for seed in range(24):
        found = adapted(views, seed, by="beta")
        seen |= {b for b, image in tried.items() if np.array_equal(image, found)}
    assert seen >= {0, 1, 2, 3, 4, 5}


def test_mirrored_margin_keeps_opposite_edges_apart():
    """A cloud on the left edge brightens the right one through the transform's back door."""
    harmonized = np.full((6, 64, 64), 0.2) + texture(np.random.default_rng(2), (64, 64), 1) * 0.01
    landsat = harmonized.copy()
    landsat[:, :, :6] += 0.5
    harmonized[:, :, :6] += 0.1
    views = both(landsat, harmonized)
    bare, guarded = (adapted(views, by="beta", mirror=mirror) for mirror in (0, 200))
    far = np.s_[:, :, -4:]
    bleeding = [np.abs(image - harmonized)[far].mean() for image in (bare, guarded)]
    assert bleeding[1] < bleeding[0] / 3
