"""The losses against numbers worked by hand, scipy and torch's own distributions."""

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import uniform_filter

from nndacss.harmonizer.losses import (
    ROUND,
    Errors,
    at_truth,
    band_mean,
    consistency,
    distance,
    errors,
    gradient,
    likelihood,
    total,
    view,
)
from nndacss.harmonizer.settings import LossSettings
from nndacss.pairs.degrade import OLI_SIGMA, oli_spread

ONE = torch.ones(6)
NAN = float("nan")


def fields(*shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).uniform(0.05, 0.4, shape)).float()


def test_only_coarse_bands_of_coarse_pairs_are_averaged():
    values = fields(2, 6, 4, 4)
    found = at_truth(values, torch.tensor([False, True]))
    assert torch.equal(found[0], values[0])
    assert torch.equal(found[1, :3], values[1, :3])
    expected = values[1, 3:, 2:4, 0:2].mean(dim=(1, 2))
    for row, column in ((2, 0), (2, 1), (3, 0), (3, 1)):
        torch.testing.assert_close(found[1, 3:, row, column], expected)


def test_errors_know_what_is_known():
    mean, inputs = torch.full((2, 6, 4, 4), 0.3), torch.full((2, 7, 4, 4), 0.2)
    target = torch.full((2, 6, 4, 4), 0.1)
    inputs[:, 6] = NAN  # no pan is no reason
    inputs[0, 2, 0, 0] = NAN  # one band missing: no band counts there
    target[:, 4, 3, 3] = NAN
    found = errors(mean, inputs, target, torch.tensor([False, True]))
    torch.testing.assert_close(found.error, 0.2 * found.known)
    expected = torch.ones(2, 6, 4, 4, dtype=torch.bool)
    expected[0, :, 0, 0] = False
    expected[0, 4, 3, 3] = False
    expected[1, 4, 2:, 2:] = False  # a 20 m mean of which a part is missing
    assert torch.equal(found.known, expected)
    assert torch.equal(found.fine[0], expected[0])
    assert torch.equal(found.fine[1, :3], expected[1, :3])
    assert not found.fine[1, 3:].any()


def test_a_coarse_truth_teaches_nothing_below_it():
    target = fields(1, 6, 2, 2)
    target[:, 3:] = target[:, 3:].mean(dim=(2, 3), keepdim=True)
    checks = 0.1 * torch.tensor([[1.0, -1.0], [-1.0, 1.0]])
    found = errors(target + checks, torch.ones(1, 7, 2, 2), target, torch.tensor([True]))
    torch.testing.assert_close(found.error[0, :3].abs(), torch.full((3, 2, 2), 0.1))
    torch.testing.assert_close(found.error[0, 3:], torch.zeros(3, 2, 2), atol=1e-7, rtol=0)


def test_bands_count_alike_whatever_their_pixels():
    values = torch.zeros(1, 6, 2, 2)
    known = torch.zeros(1, 6, 2, 2, dtype=torch.bool)
    values[0, 0], known[0, 0] = 0.02, True
    values[0, 1, 0, 0], known[0, 1, 0, 0] = 0.06, True
    scale = torch.tensor([0.01, 0.02, 1, 1, 1, 1])
    assert band_mean(values, known, scale).item() == pytest.approx((2 + 3) / 2)
    assert band_mean(values, torch.zeros_like(known), scale).item() == 0


def test_charbonnier_is_l1_but_round():
    error = torch.tensor([0.0, 0.5, -0.5])
    assert distance(error, "l1").tolist() == [0, 0.5, 0.5]
    rounded = math.hypot(0.5, ROUND) - ROUND
    assert distance(error, "charbonnier").tolist() == pytest.approx([0, rounded, rounded])


def test_gradient_by_hand():
    error = torch.zeros(1, 6, 2, 3)
    error[0, 0] = torch.tensor([[0.0, 1.0, 1.0], [0.0, 1.0, 3.0]])
    known = torch.zeros(1, 6, 2, 3, dtype=torch.bool)
    known[0, 0] = True
    # across: 1, 0, 1, 2; down: 0, 0, 2
    expected = 0.5 * (4 / 4 + 2 / 3)
    assert gradient(Errors(error, known, known), ONE).item() == pytest.approx(expected)
    fine = known.clone()
    fine[0, 0, 1, 2] = False
    expected = 0.5 * (2 / 3 + 0)
    assert gradient(Errors(error, known, fine), ONE).item() == pytest.approx(expected)


def test_likelihood_is_that_of_laplace_and_leaves_the_mean_alone():
    error = (fields(1, 6, 4, 4) - 0.2).requires_grad_()
    known = torch.ones(1, 6, 4, 4, dtype=torch.bool)
    log_sigma = fields(1, 6, 4, 4, seed=1).log().requires_grad_()
    fine = torch.tensor([False])
    found = likelihood(Errors(error, known, known), log_sigma, fine)
    law = torch.distributions.Laplace(torch.zeros(()), log_sigma.exp() / math.sqrt(2))
    torch.testing.assert_close(found, -law.log_prob(error).mean())
    found.backward()
    assert error.grad is None
    assert log_sigma.grad.abs().min() > 0
    # of one sigma for all, the best is sqrt 2 times the mean absolute error
    sigmas = torch.linspace(0.01, 0.5, 491)
    plain = Errors(error.detach(), known, known)
    costs = [likelihood(plain, sigma.log().expand(1, 6, 4, 4), fine).item() for sigma in sigmas]
    best = sigmas[int(np.argmin(costs))].item()
    assert best == pytest.approx(math.sqrt(2) * error.abs().mean().item(), abs=0.001)


def test_a_sigma_of_four_pixels_is_their_mean():
    known = torch.ones(1, 6, 2, 2, dtype=torch.bool)
    error = torch.full((1, 6, 2, 2), 0.05)
    sigma = torch.tensor([[0.1, 0.2], [0.3, 0.6]]).expand(1, 6, 2, 2)
    found = likelihood(Errors(error, known, known), sigma.log(), torch.tensor([True]))
    b = torch.cat([sigma[:, :3], torch.full((1, 3, 2, 2), 0.3)], dim=1) / math.sqrt(2)
    torch.testing.assert_close(found, (torch.log(2 * b) + 0.05 / b).mean())


def test_the_view_is_that_of_the_pairs():
    pixels = fields(1, 6, 40, 44).numpy()
    found, border = view(torch.from_numpy(pixels))
    expected = uniform_filter(oli_spread(pixels, OLI_SIGMA[30], 10), (0, 0, 3, 3))
    inner = np.s_[..., border:-border, border:-border]
    assert found.shape == expected[inner].shape
    np.testing.assert_allclose(found.numpy(), expected[inner], atol=2e-6)


def test_consistency_asks_for_what_landsat_saw():
    ramp = torch.linspace(0, 0.5, 40).expand(1, 6, 40, 40).clone()
    ground = torch.ones(1, 1, 40, 40, dtype=torch.bool)
    assert consistency(ramp, ramp, ground, ONE).item() == pytest.approx(0, abs=1e-6)
    checks = 0.1 * (-1.0) ** (torch.arange(40)[:, None] + torch.arange(40))
    # the mean of 3 x 3 checks is a ninth of one
    assert consistency(ramp + checks, ramp, ground, ONE).item() < 0.1 / 9
    assert consistency(ramp + 0.02, ramp, ground, ONE).item() == pytest.approx(0.02, rel=1e-4)
    spoilt, half = ramp.clone(), ground.clone()
    spoilt[..., :15], half[..., :15] = 9.0, False
    assert consistency(spoilt, ramp, half, ONE).item() == pytest.approx(0, abs=1e-6)
    assert consistency(spoilt, ramp, torch.zeros_like(ground), ONE).item() == 0


@pytest.mark.parametrize("coarse", [True, False])
def test_what_is_missing_spoils_no_gradient(coarse):
    inputs, target = fields(1, 7, 24, 24), fields(1, 6, 24, 24, seed=1)
    inputs[..., 10:12] = NAN
    target[:, 3, :5] = NAN
    mean = fields(1, 6, 24, 24, seed=2).requires_grad_()
    log_sigma = fields(1, 6, 24, 24, seed=3).log().requires_grad_()
    batch = {"inputs": inputs, "target": target, "coarse": torch.tensor([coarse])}
    loss = total(mean, log_sigma, inputs[:, :6].nan_to_num(), batch, LossSettings())
    loss.backward()
    assert math.isfinite(loss.item())
    for leaf in (mean, log_sigma):
        assert torch.isfinite(leaf.grad).all()
        assert (leaf.grad[..., 10:12] == 0).all()
    # each weight counts
    for word in ("gradient", "consistency", "spread"):
        without = LossSettings(**{word: 0.0})
        assert total(mean, log_sigma, inputs[:, :6].nan_to_num(), batch, without) != loss
