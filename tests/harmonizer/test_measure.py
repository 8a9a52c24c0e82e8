"""Scores against the project's image metrics, and deviations against a law that is known."""

import numpy as np
import pytest
import torch

from nndacss.harmonizer.measure import Totals, calibration, snow_factor, snowy
from nndacss.metrics import image
from nndacss.sensors import REFLECTIVE


def batch_of(target, inputs=None, coarse=False, kind=0):
    count = len(target)
    if inputs is None:
        inputs = torch.full((count, 7, *target.shape[2:]), 0.2)
    return {
        "inputs": inputs,
        "target": target,
        "coarse": torch.full((count,), coarse),
        "kind": torch.full((count,), kind),
    }


def noisy(target, sigma, seed):
    rng = np.random.default_rng(seed)
    return target + torch.from_numpy(sigma * rng.standard_normal(target.shape)).float()


@pytest.fixture(scope="module")
def target():
    values = np.random.default_rng(0).uniform(0.05, 0.4, (3, 6, 12, 12))
    return torch.from_numpy(values).float()


def test_scores_are_those_of_the_image_metrics_over_all_pixels(target):
    target = target.clone()
    target[1, 2, :5] = torch.nan
    mean, base = noisy(target, 0.01, 1), noisy(target, 0.02, 2) + 0.005
    totals = Totals()
    for place in range(3):  # in parts: sums add up
        one = slice(place, place + 1)
        totals.add(batch_of(target[one]), mean[one].nan_to_num(), None, base[one].nan_to_num())
    scores = totals.scores()
    sums = [image.compare(a.numpy(), b.numpy()) for a, b in zip(mean, target, strict=True)]
    steps = [image.compare(a.numpy(), b.numpy()) for a, b in zip(base, target, strict=True)]
    whole, step = sums[0] + sums[1] + sums[2], steps[0] + steps[1] + steps[2]
    for index, role in enumerate(REFLECTIVE):
        for word in ("rmse", "bias", "psnr"):
            expected = getattr(whole, word)()[index]
            assert scores[f"twin/{word}_{role}"] == pytest.approx(expected, rel=1e-5), word
            expected = getattr(step, word)()[index]
            assert scores[f"twin/step_{word}_{role}"] == pytest.approx(expected, rel=1e-5), word
    errors = (mean - target).abs()
    assert scores["l1"] == pytest.approx(errors.nanmean(dim=(0, 2, 3)).mean().item(), rel=1e-5)
    assert not [word for word in scores if "sigma" in word]  # none was stated


def test_a_coarse_truth_is_compared_at_20_m(target):
    truth = target.clone()
    means = truth[:, 3:].unflatten(2, (6, 2)).unflatten(4, (6, 2)).mean(dim=(3, 5))
    truth[:, 3:] = means.repeat_interleave(2, 2).repeat_interleave(2, 3)
    totals = Totals()
    totals.add(batch_of(truth, coarse=True, kind=1), target, None, truth)
    scores = totals.scores()
    # the fine image differs from its own 2 x 2 means at 10 m, and not at 20 m
    assert scores["degraded/rmse_nir08"] == pytest.approx(0, abs=1e-6)
    assert totals.of("pixels").tolist() == [3 * 144] * 6


def test_deviations_are_checked_and_corrected():
    target = torch.full((4, 6, 48, 48), 0.2)
    sigma = torch.tensor([0.01, 0.02, 0.005, 0.03, 0.01, 0.02])
    mean = noisy(target, sigma[:, None, None].numpy(), 7)
    stated = (sigma * torch.tensor([1, 2, 0.5, 1, 1, 1])).log()[:, None, None]
    log_sigma = stated.expand_as(target)
    first, second = Totals(), Totals()
    first.add(batch_of(target), mean, log_sigma, target)
    scores = first.scores()
    assert scores["twin/rms_ratio_green"] == pytest.approx(0.5, rel=0.03)
    assert scores["twin/within_sigma_blue"] == pytest.approx(0.6827, abs=0.01)
    law = torch.distributions.Normal(target, log_sigma.exp())
    expected = -law.log_prob(mean).mean(dim=(0, 2, 3))
    assert scores["twin/likelihood_red"] == pytest.approx(expected[2].item(), rel=1e-4)
    amount = calibration(first)
    torch.testing.assert_close(
        amount.exp(), torch.tensor([1, 0.5, 2, 1, 1, 1.0]), rtol=0.03, atol=0
    )
    second.add(batch_of(target), mean, log_sigma + amount[:, None, None], target)
    for role in REFLECTIVE:
        assert second.scores()[f"twin/rms_ratio_{role}"] == pytest.approx(1, abs=1e-4)


def test_snow_is_known_by_its_colour():
    colours = {
        "snow": (0.8, 0.8, 0.78, 0.7, 0.1, 0.08),
        "cloud": (0.5, 0.5, 0.5, 0.55, 0.45, 0.35),
        "water": (0.06, 0.05, 0.03, 0.02, 0.01, 0.01),  # its index is high, its nir is dark
        "field": (0.05, 0.08, 0.06, 0.4, 0.2, 0.1),
        "nothing": (float("nan"),) * 6,
    }
    pixels = torch.tensor([(*colour, 0.5) for colour in colours.values()])
    assert snowy(pixels.T[None, :, :, None])[0, :, 0].tolist() == [True, *[False] * 4]


def test_snow_has_a_factor_where_there_is_enough_of_it():
    target = torch.full((1, 6, 40, 40), 0.2)
    inputs = torch.full((1, 7, 40, 40), 0.2)
    snow = torch.tensor([0.8, 0.8, 0.8, 0.7, 0.1, 0.1, 0.8])[:, None, None]
    inputs[0, :, :20] = snow
    mean = target.clone()
    mean[..., :20, :] = noisy(target[..., :20, :], 0.03, 4)
    mean[..., 20:, :] = noisy(target[..., 20:, :], 0.005, 5)
    log_sigma = torch.full_like(target, 0.01).log()
    totals = Totals()
    totals.add(batch_of(target, inputs), mean, log_sigma, target)
    assert snow_factor(totals, least=800) == pytest.approx(3.0, rel=0.05)
    assert snow_factor(totals, least=801) == 1.0
    calm = Totals()
    calm.add(batch_of(target, inputs), target + 1e-4, log_sigma, target)
    assert snow_factor(calm, least=800) == 1.0  # never below
