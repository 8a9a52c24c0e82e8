"""Statistics of the twin's page against numbers worked by hand."""

import numpy as np
import pytest

from nndacss.simulate.check.shapes import shape
from nndacss.simulate.check.statistics import (
    Counts,
    acutance,
    areas,
    best_threshold,
    coarser,
    counted,
    edge_density,
    edge_dimension,
    edges_by_scale,
    half_area,
    likeness,
    noise,
    shared,
    spectrum_slope,
    spread,
)


def test_spread_is_percentiles():
    assert spread(np.arange(101)) == (5.0, 50.0, 95.0)
    assert np.isnan(spread(np.zeros(0))).all()


def test_shared_area_of_histograms():
    rng = np.random.default_rng(1)
    first = rng.uniform(0, 1, 100_000)
    # Two boxes of width 1, half a width apart, have half their area in common.
    assert shared(first, first + 0.5) == pytest.approx(0.5, abs=0.03)
    assert shared(first, first) == pytest.approx(1)
    assert shared(first, first + 3) == 0
    assert np.isnan(shared(first, np.zeros(0)))


def test_counts_add_up_before_they_divide():
    there = np.array([[1, 1, 0, 0]], dtype=bool)
    found = np.array([[1, 0, 1, 0]], dtype=bool)
    every = np.ones_like(there)
    one = counted(found, there, every)
    assert one == Counts(1, 1, 1)
    assert one.iou == pytest.approx(1 / 3)
    # (1 + 9) / (3 + 9), not the mean of 1/3 and 1.
    assert (one + Counts(9, 0, 0)).iou == pytest.approx(10 / 12)
    assert counted(found, there, ~there) == Counts(0, 1, 0)
    assert np.isnan(Counts().iou)


def test_best_threshold_is_the_best_of_all():
    rng = np.random.default_rng(2)
    values = np.round(rng.uniform(0, 1, 400), 2)
    cloud = rng.uniform(0, 1, 400) < values**2
    every = {
        limit: counted(values >= limit, cloud, np.ones_like(cloud)).iou for limit in set(values)
    }
    threshold, iou = best_threshold(values, cloud)
    assert iou == pytest.approx(max(every.values()))
    assert every[threshold] == pytest.approx(iou)


def test_areas_of_objects():
    mask = np.zeros((10, 10), dtype=bool)
    mask[0, 0:3] = mask[5:7, 5:7] = True
    mask[3, 3] = mask[4, 4] = True  # touch by a corner: two objects, not one
    # 20 m pixels of 0.0004 km2: 3, 4, 1, 1 of them.
    assert sorted(areas(mask, 20)) == pytest.approx([0.0004, 0.0004, 0.0012, 0.0016])
    # 0.0016 + 0.0012 of 0.0036 is the first sum of half or more.
    assert half_area(areas(mask, 20)) == pytest.approx(0.0012)
    assert np.isnan(half_area(np.zeros(0)))


def test_edges_of_a_square():
    mask = np.zeros((64, 64), dtype=bool)
    mask[16:48, 16:48] = True
    # 4 sides of 32 pixels of 20 m: 2.56 km in 1.28 km squared, at any pixel size up to 16.
    assert edge_density(mask, 20) == pytest.approx(2.56 / 1.28**2)
    densities = edges_by_scale(mask, 20)
    assert densities[:5] == pytest.approx([densities[0]] * 5)
    assert edge_dimension(densities) == pytest.approx(1, abs=1e-6)


def test_coarser_takes_the_half():
    mask = np.array([[1, 0, 0, 0], [1, 0, 0, 1]], dtype=bool)
    assert coarser(mask, 2).tolist() == [[True, False]]


def test_likeness_of_stripes():
    stripes = np.zeros((8, 8), dtype=bool)
    stripes[:, ::2] = True
    # Across: opposite one pixel off (-1); along: the same (1); the mean of both is 0.
    assert likeness(stripes, 1) == pytest.approx(0)
    assert likeness(stripes, 2) == pytest.approx(1)
    assert np.isnan(likeness(np.ones((8, 8), dtype=bool), 1))


@pytest.mark.parametrize("size", [0.001, 0.01])
def test_noise_is_found_on_a_slope(size):
    rng = np.random.default_rng(3)
    rows, columns = np.mgrid[0:256, 0:256]
    plane = 0.1 + 1e-4 * rows + 2e-4 * columns + 1e-6 * columns**2
    assert noise(plane + size * rng.normal(size=plane.shape)) == pytest.approx(size, rel=0.05)
    assert noise(plane) < 1e-9


def test_acutance_of_a_step_a_ramp_and_between():
    step = np.zeros((12, 12))
    step[:, 6:] = 1
    assert acutance(step) == 1
    ramp = np.zeros((12, 12))
    ramp[:, 5], ramp[:, 6], ramp[:, 7:] = 1 / 3, 2 / 3, 1
    assert acutance(ramp) == pytest.approx(1 / 3)
    blurred = np.zeros((12, 12))
    blurred[:, 5], blurred[:, 6], blurred[:, 7:] = 0.2, 0.8, 1
    assert acutance(blurred) == pytest.approx(0.6)
    assert np.isnan(acutance(np.zeros((12, 12))))


def test_slope_of_a_spectrum_that_was_made():
    rng = np.random.default_rng(4)
    side = 256
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.fftfreq(side)))
    frequency[0, 0] = 1
    white = rng.normal(size=(side, side))
    assert spectrum_slope(white) == pytest.approx(0, abs=0.15)
    # Amplitude over frequency falls as f ** -1.25, so power as f ** -2.5.
    steep = np.fft.ifft2(np.fft.fft2(white) * frequency**-1.25).real
    assert spectrum_slope(steep) == pytest.approx(-2.5, abs=0.2)
    steep[3, 3] = np.nan
    assert np.isnan(spectrum_slope(steep))


def test_shape_of_a_mask():
    mask = np.zeros((100, 100), dtype=bool)
    mask[10:40, 10:40] = True
    mask[80, 80] = True  # one pixel: a slip of the pen, not an object
    one = shape(mask, 20)
    assert one.cover == pytest.approx(0.0901)
    assert one.objects == pytest.approx(25)  # one object in 4 km2
    assert one.half == pytest.approx(0.36)
