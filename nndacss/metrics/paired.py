"""Whether one model is better than another on the same scenes, as far as the scenes can tell.

What is compared is the IoU of pooled pixels, averaged over a model's runs (seeds, folds). Neither
the scenes nor the runs are all that there could be, so both are drawn anew with replacement: scenes
once for both models, which is what pairs them, and runs for each model by itself. Drawing rows and
columns of a table apart is the pigeonhole bootstrap, on the safe side where a run's luck differs
from scene to scene (Owen 2007, The Annals of Applied Statistics 1, 386, doi:10.1214/07-AOAS122).

Of n scenes n - 1 are drawn, and of n runs n - 1, so that the variance has no bias of (n - 1) / n
(Rao and Wu 1988, Journal of the American Statistical Association 83, 231): with two or three seeds
that is much. Standard error: the draws' standard deviation. Interval: difference +- t * error, t
for the degrees of freedom of a sum of variances (Satterthwaite 1946, Biometrics Bulletin 2, 110),
since a few seeds know little of their own spread. Scenes count there as so many of equal weight
(Kish 1965, Survey Sampling; Carter, Schnepel and Steigerwald 2017, The Review of Economics and
Statistics 99, 698): where one large cloud makes half of the pixels, twenty scenes are few. On
simulated scenes with areas of log-normal spread 0.3 to 1.4 such intervals held the truth in 92 to
97 % of cases, and with n - 1 in place of Kish's number in 88 to 96 %; see
`tests/metrics/test_paired.py`.

The smallest detectable difference is the one that this test would call better or worse four times
in five: (t(0.975) + t(0.8)) * error (Bloom 1995, Evaluation Review 19, 547).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

Tallies = NDArray[np.int64]
"""(runs, scenes, 3) pixels of one class: right, wrongly said to be it, missed."""
Values = NDArray[np.float64]
Verdict = Literal["better", "worse", "inconclusive"]

#: How sure an interval is, and how often a difference of the smallest detectable size is found.
LEVEL, POWER = 0.95, 0.8
#: Five scenes that all agree do so by chance in 2 of 2^5 cases: more often than 1 - LEVEL.
FEWEST = 6
#: The standard error of so many draws is itself good to about 1 % (1 / sqrt(2 * DRAWS)).
DRAWS = 5000
_SEED = 1979


@dataclass(frozen=True)
class Difference:
    """IoU of one model less that of another, -1 to 1. None: too few scenes to tell."""

    value: float
    error: float | None
    """Standard error."""
    freedom: float | None
    """Degrees of freedom of the error."""
    scenes: int
    """Scenes that both scored."""
    showing: int
    """Those of them whose truth shows the class."""
    equal: float
    """So many scenes of equal weight would tell as much; at most `showing`."""
    runs: tuple[int, int]
    """Of the model and of the other; a luck of training that was tried once is not in `error`."""
    luck: float | None
    """Share of the error's variance that is of runs, 0 to 1; the rest is of scenes."""

    @property
    def low(self) -> float | None:
        """Lower end of the interval; no difference is below -1."""
        if self.error is None:
            return None
        return max(-1.0, self.value - self._t(_TAIL) * self.error)

    @property
    def high(self) -> float | None:
        """Upper end of the interval; no difference is above 1."""
        if self.error is None:
            return None
        return min(1.0, self.value + self._t(_TAIL) * self.error)

    @property
    def detectable(self) -> float | None:
        """The smallest difference that would have been found with probability `POWER`.

        Above 1 none would have been.
        """
        return None if self.error is None else (self._t(_TAIL) + self._t(POWER)) * self.error

    @property
    def verdict(self) -> Verdict:
        """Whether the interval leaves out 0, and on which side."""
        if self.low is not None and self.low > 0:
            return "better"
        return "worse" if self.high is not None and self.high < 0 else "inconclusive"

    def _t(self, probability: float) -> float:
        return float(stdtrit(self.freedom, probability))


_TAIL = 1 - (1 - LEVEL) / 2


def difference(model: Tallies, other: Tallies, draws: int = DRAWS) -> Difference | None:
    """IoU of `model` less that of `other` on the same scenes, in the same order.

    Their truth is the same, so right + missed of a scene is too. None where no scene shows the
    class. The same numbers give the same answer; the order of scenes changes it within the error
    of the draws. ValueError where the shapes are not (runs, scenes, 3) of equal scenes.
    """
    shapes = model.shape, other.shape
    if any(len(shape) != 3 or shape[0] < 1 or shape[2] != 3 for shape in shapes):
        raise ValueError(f"tallies are {shapes}; expected (runs, scenes, 3), one run or more")
    if model.shape[1] != other.shape[1]:
        raise ValueError(f"{model.shape[1]} and {other.shape[1]} scenes; expected the same ones")
    scenes = model.shape[1]
    showing = int((model[..., 0] + model[..., 2] > 0).any(axis=0).sum())
    if showing == 0:
        return None
    runs = len(model), len(other)
    each = [_iou(tallies.sum(axis=1)) for tallies in (model, other)]
    value = float(each[0].mean() - each[1].mean())
    weight = model.sum(axis=2).mean(axis=0) + other.sum(axis=2).mean(axis=0)
    equal = min(float(weight.sum() ** 2 / np.square(weight).sum()), float(showing))
    if showing < FEWEST:
        return Difference(value, None, None, scenes, showing, equal, runs, None)
    rng = np.random.default_rng(_SEED)
    drawn = _draws(rng, scenes, draws)
    found = _drawn(rng, drawn, model) - _drawn(rng, drawn, other)
    error = float(np.nanstd(found, ddof=1))
    of_runs = [(float(own.var(ddof=1)) / own.size, own.size) for own in each if own.size > 1]
    luck = min(1.0, sum(variance for variance, _ in of_runs) / error**2) if error else 0.0
    freedom = _freedom(error, of_runs, max(equal - 1, 1.0))
    return Difference(value, error, freedom, scenes, showing, equal, runs, luck)


def below(one: Difference, other: Difference) -> bool:
    """Whether `one` is surely the smaller difference, the two being of different scenes."""
    if one.error is None or other.error is None:
        return False
    freedom = min(one.freedom or 1.0, other.freedom or 1.0)
    error = float(np.hypot(one.error, other.error))
    return one.value + float(stdtrit(freedom, _TAIL)) * error < other.value


def _iou(tallies: NDArray[np.int64] | Values) -> Values:
    """IoU of (..., 3) tallies; NaN where the truth does not show the class."""
    right, wrong, missed = np.moveaxis(np.asarray(tallies, dtype=np.float64), -1, 0)
    there = right + missed > 0
    found: Values = np.where(there, right / np.where(there, right + wrong + missed, 1), np.nan)
    return found


def _draws(rng: np.random.Generator, size: int, draws: int) -> Values:
    """(draws, size) how often each of `size` is drawn, `size` - 1 in all, or one of one."""
    times = rng.multinomial(max(1, size - 1), np.full(size, 1 / size), draws)
    return times.astype(np.float64)


def _drawn(rng: np.random.Generator, scenes: Values, tallies: Tallies) -> Values:
    """(draws,) mean IoU of drawn runs on drawn scenes; NaN where these do not show the class."""
    each = np.stack([_iou(scenes @ own.astype(np.float64)) for own in tallies], axis=1)
    chosen = _draws(rng, len(tallies), len(scenes))
    found: Values = (each * chosen).sum(axis=1) / chosen.sum(axis=1)
    return found


def _freedom(error: float, of_runs: list[tuple[float, int]], of_scenes: float) -> float:
    """Satterthwaite's degrees of freedom: parts of the variance, each with its own.

    `of_runs` are variances of mean scores over runs, with the number of runs; the rest of the
    variance is of scenes, with `of_scenes` degrees of freedom.
    """
    whole = error**2
    rest = max(whole - sum(variance for variance, _ in of_runs), 0.0)
    spread = rest**2 / of_scenes
    spread += sum(variance**2 / (runs - 1) for variance, runs in of_runs)
    most = of_scenes + sum(runs - 1 for _, runs in of_runs)
    return float(np.clip(whole**2 / spread, 1.0, most)) if spread > 0 else float(most)
