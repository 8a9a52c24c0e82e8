"""The detail network: what it may and may not do, whatever its weights."""

import numpy as np
import pytest
import torch

from nndacss.harmonize.spectral import step
from nndacss.models.detail import DetailArchitecture, build

ARCHITECTURE = DetailArchitecture(width=8, blocks=1)
SIDE = 96


@pytest.fixture(scope="module")
def network():
    """Random weights that add detail of a few percent."""
    torch.manual_seed(0)
    network = build(ARCHITECTURE).eval().requires_grad_(requires_grad=False)
    torch.nn.init.normal_(network.leave.weight, std=0.3)
    torch.nn.init.normal_(network.doubt[-1].weight, std=0.3)
    return network


def image(seed=0):
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.uniform(0.02, 0.4, (1, 7, SIDE, SIDE)).astype(np.float32))


def stepped(pixels):
    return step("sentinel-2a").apply(pixels[:, :6].numpy())


def test_fresh_weights_are_nearly_the_spectral_step():
    pixels = image()
    torch.manual_seed(0)
    mean, _ = build(ARCHITECTURE)(pixels)
    np.testing.assert_allclose(mean.detach().numpy(), stepped(pixels), atol=1e-3)


def test_detail_has_no_mean_over_a_field(network):
    """Far wider than 210 m, the mean is the spectral step's."""
    pixels = image()
    mean, _ = network(pixels)
    detail = mean.numpy() - stepped(pixels)
    assert np.abs(detail).mean() > 0.01
    inner = np.abs(detail[..., 12:-12, 12:-12].mean(axis=(2, 3)))
    assert inner.max() < 0.05 * np.abs(detail).mean()


def test_nothing_depends_on_what_is_out_of_reach(network):
    """Reach is stated in the card, and tiles overlap by it: it must be enough, and not idle."""
    pixels, reach, middle = image(), ARCHITECTURE.reach, SIDE // 2
    first = network(pixels)
    changed = pixels.clone()
    changed[..., middle + reach + 1 :] += 0.1
    second = network(changed)
    for before, after in zip(first, second, strict=True):
        assert torch.equal(before[..., : middle + 1], after[..., : middle + 1])
    near = np.s_[..., : middle + 6]
    assert not torch.equal(first[0][near], second[0][near])


def test_missing_ground_is_not_seen(network):
    """Whatever lies under a missing pixel, and NaN never spreads."""
    pixels = image()
    pixels[:, 2, 30:50, 30:50] = np.nan
    other = pixels.clone()
    other[:, 3, 30:50, 30:50] = 0.9
    mean, log_sigma = network(pixels)
    assert torch.isfinite(mean).all()
    assert torch.isfinite(log_sigma).all()
    assert torch.equal(mean, network(other)[0])


def test_pan_that_is_missing_is_told_from_dark_pan(network):
    pixels = image()
    without, dark = pixels.clone(), pixels.clone()
    without[:, 6] = np.nan
    dark[:, 6] = network.offset[6].item()  # what stands in the place of missing pan
    assert not torch.equal(network(without)[0], network(dark)[0])


def test_sigma_is_bounded_and_calibrated(network):
    _, log_sigma = network(image())
    assert (log_sigma.exp() >= 1.99e-4).all()
    network.calibration[:] = 0.5
    _, moved = network(image())
    network.calibration[:] = 0.0
    free = (log_sigma > np.log(2.1e-4)) & (moved < np.log(0.099))
    np.testing.assert_allclose((moved - log_sigma)[free].numpy(), 0.5, atol=1e-5)
