"""Paired differences against t tests and scipy's bootstrap, and against distributions that we know.

Where every scene has the same union of truth and prediction, pooled IoU is the plain mean of the
scenes' IoU, and the questions become those of Student (scenes) and of Welch (runs).
"""

import numpy as np
import pytest
from scipy import stats

from nndacss.metrics.paired import DRAWS, below, difference

UNION = 1000
SHIFT = np.array([100, 0, 0])


def even(iou):
    """Tallies of scenes of one union, from (runs, scenes) IoU."""
    right = np.rint(np.atleast_2d(iou) * UNION).astype(np.int64)
    # a tenth of what is missing is missed, the rest wrongly said: every scene shows the class
    missed = (UNION - right) // 10 + 1
    return np.stack([right, UNION - right - missed, missed], axis=-1)


def iou(tallies):
    return tallies[..., 0] / UNION


def test_scenes_are_those_of_a_paired_t_test():
    rng = np.random.default_rng(1)
    other = rng.uniform(0.3, 0.6, 14)
    mine, theirs = even(other + rng.normal(0.05, 0.06, 14)), even(other)
    found = difference(mine, theirs)
    test = stats.ttest_rel(iou(mine)[0], iou(theirs)[0])
    interval = test.confidence_interval(0.95)
    assert found.value == pytest.approx((iou(mine) - iou(theirs)).mean())
    assert (found.scenes, found.showing, found.runs) == (14, 14, (1, 1))
    assert found.freedom == pytest.approx(13)
    assert found.low == pytest.approx(interval.low, abs=0.03 * (found.high - found.low))
    assert found.high == pytest.approx(interval.high, abs=0.03 * (found.high - found.low))
    assert found.luck == 0


def test_runs_are_those_of_welch():
    """All scenes alike, so that only runs differ: three of one model, five of the other."""
    mine, theirs = np.array([0.61, 0.70, 0.66]), np.array([0.52, 0.50, 0.53, 0.57, 0.49])
    tallies = [even(np.repeat(values[:, None], 8, 1)) for values in (mine, theirs)]
    found = difference(*tallies)
    test = stats.ttest_ind(mine, theirs, equal_var=False)
    interval = test.confidence_interval(0.95)
    width = interval.high - interval.low
    assert found.freedom == pytest.approx(test.df, rel=0.1)
    assert found.low == pytest.approx(interval.low, abs=0.05 * width)
    assert found.high == pytest.approx(interval.high, abs=0.05 * width)
    assert found.verdict == ("better" if test.pvalue < 0.05 else "inconclusive")
    assert found.luck > 0.9


def uneven(rng, scenes, shift, runs=1, luck=0.0):
    """Two models on scenes of very unequal area; their IoU differs by `shift` / 1.25 in truth.

    Of an area A (log-normal) the other model finds a share r (beta, mean 0.5), this one
    r + shift + noise; both say the class on A / 4 that is not of it, so IoU = E[found] / 1.25.
    """
    area = rng.lognormal(8, 0.8, scenes)
    share = 0.3 + 0.4 * rng.beta(2, 2, scenes)
    made = []
    for more in (shift, 0.0):
        own = rng.uniform(-0.08, 0.08, (runs, scenes)) + rng.uniform(-luck, luck, (runs, 1))
        found = area * (share + more + own)
        made.append(np.rint(np.stack([found, 0 * found + area / 4, area - found], axis=-1)))
    return tuple(tallies.astype(np.int64) for tallies in made)


def test_standard_error_is_that_of_scipy():
    mine, theirs = (tallies[0] for tallies in uneven(np.random.default_rng(2), 40, 0.05))
    found = difference(mine[None], theirs[None])

    def statistic(*columns, axis):
        sums = [column.sum(axis=axis) for column in columns]
        return sums[0] / (sums[0] + sums[1] + sums[2]) - sums[3] / (sums[3] + sums[4] + sums[5])

    told = stats.bootstrap(
        (*mine.T, *theirs.T),
        statistic,
        paired=True,
        vectorized=True,
        n_resamples=DRAWS,
        batch=500,
        method="percentile",
        rng=np.random.default_rng(3),
    )
    # scipy draws n of n scenes, which makes the variance too small by (n - 1) / n
    assert found.error == pytest.approx(told.standard_error * (40 / 39) ** 0.5, rel=0.06)
    assert found.value == pytest.approx(statistic(*mine.T, *theirs.T, axis=0))


@pytest.mark.parametrize(("runs", "luck"), [(1, 0.0), (3, 0.06)])
def test_intervals_hold_the_truth_and_find_what_they_say_they_can(runs, luck):
    def repeated(shift, times=400):
        rng = np.random.default_rng([runs, round(1e6 * shift)])
        return [difference(*uneven(rng, 20, shift, runs, luck), draws=400) for _ in range(times)]

    still = repeated(0.0)
    false = np.mean([found.verdict != "inconclusive" for found in still])
    assert 0.015 <= false <= 0.09
    detectable = np.mean([found.detectable for found in still])
    moved = repeated(1.25 * detectable)
    held = np.mean([found.low <= detectable <= found.high for found in moved])
    assert 0.91 <= held <= 0.985
    assert 0.7 <= np.mean([found.verdict == "better" for found in moved]) <= 0.88


def test_the_smallest_detectable_difference_is_found_four_times_in_five():
    """Differences of scenes from one normal distribution: the power is known in closed form."""
    rng, scenes, spread = np.random.default_rng(8), 16, 0.06
    error, t = spread / scenes**0.5, stats.t(scenes - 1)
    shift = (t.ppf(0.975) + t.ppf(0.8)) * error
    assert stats.nct.sf(t.ppf(0.975), scenes - 1, shift / error) == pytest.approx(0.8, abs=0.01)
    found = []
    for _ in range(600):
        other = rng.uniform(0.3, 0.5, scenes)
        mine = other + rng.normal(shift, spread, scenes)
        found.append(difference(even(mine), even(other), draws=500))
    assert np.mean([one.verdict == "better" for one in found]) == pytest.approx(0.8, abs=0.04)
    known = np.sqrt(np.mean([one.detectable**2 for one in found]))
    assert known == pytest.approx(shift, rel=0.04)


def test_pairing_takes_out_what_scenes_share():
    rng = np.random.default_rng(5)
    mine, theirs = uneven(rng, 30, 0.05)
    apart = difference(mine, theirs[:, rng.permutation(30)])
    assert apart.value == pytest.approx(difference(mine, theirs).value)
    assert apart.error > 1.4 * difference(mine, theirs).error


def test_scenes_without_the_class_still_cost_false_alarms():
    theirs = np.zeros((1, 20, 3), dtype=np.int64)
    theirs[0, :8] = [80, 0, 20]
    mine = theirs.copy()
    mine[0, 8:, 1] = 50  # says the class on all scenes that have none
    found = difference(mine, theirs)
    assert found.value == pytest.approx(640 / (800 + 600) - 640 / 800)
    assert (found.scenes, found.showing) == (20, 8)
    assert (found.equal, found.freedom) == (8, 7)
    assert found.verdict == "worse"


def test_one_large_cloud_leaves_few_scenes():
    theirs = np.tile([60, 0, 40], (1, 12, 1))
    theirs[0, 0] *= 10
    found = difference(theirs + np.array([10, 0, -10]), theirs)
    # one scene of 1000 pixels and eleven of 100
    assert found.equal == pytest.approx(2100**2 / (1000**2 + 11 * 100**2))
    assert found.freedom == pytest.approx(found.equal - 1)
    assert found.showing == 12


def test_too_few_scenes_are_no_interval():
    six, five = (even(np.linspace(0.4, 0.5, n)) for n in (6, 5))
    assert difference(six + SHIFT, six).error is not None
    found = difference(five + SHIFT, five)
    assert (found.low, found.high, found.detectable, found.luck) == (None, None, None, None)
    assert found.value > 0
    assert found.verdict == "inconclusive"
    assert difference(six * [0, 1, 0], six * [0, 1, 0]) is None  # no truth shows the class
    assert not below(found, difference(six, six))


def test_equal_models_do_not_differ():
    same = even(np.linspace(0.4, 0.8, 9))
    found = difference(same, same)
    assert (found.value, found.low, found.high, found.verdict) == (0, 0, 0, "inconclusive")


def test_the_same_numbers_give_the_same_answer():
    pair = uneven(np.random.default_rng(6), 12, 0.02, runs=2, luck=0.1)
    assert difference(*pair) == difference(*pair)


def test_no_interval_goes_beyond_what_can_be():
    mine = even(np.repeat([[0.1], [0.9]], 8, 1))
    found = difference(mine, even(np.full((1, 8), 0.5)))
    assert (found.low, found.high) == (-1, 1)
    assert found.detectable > 1


def test_differences_on_other_scenes():
    rng = np.random.default_rng(7)
    small, large = (difference(*uneven(rng, 30, shift)) for shift in (0.02, 0.2))
    assert below(small, large)
    assert not below(large, small)
    assert not below(large, large)


@pytest.mark.parametrize(
    ("mine", "theirs", "message"),
    [
        ((1, 6, 3), (1, 7, 3), "6 and 7 scenes"),
        ((1, 6, 4), (1, 6, 3), r"expected \(runs, scenes, 3\)"),
        ((0, 6, 3), (1, 6, 3), "one run or more"),
    ],
)
def test_tallies_that_cannot_be_compared(mine, theirs, message):
    with pytest.raises(ValueError, match=message):
        difference(np.ones(mine, dtype=np.int64), np.ones(theirs, dtype=np.int64))
