"""What a harmonizer is fitted to: its mean, its sharpness, its standard deviation.

A target that is known at 20 m only (B8A, B11, B12 of a real Sentinel-2 image) is compared with
the 2 x 2 mean of the result: nothing is learnt about what nobody saw. All terms are divided by a
band's `scale`, so that bands count alike, and a band counts by its pixels that are known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, sqrt

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own custom

from nndacss.harmonizer.settings import LossSettings
from nndacss.pairs.degrade import OLI_SIGMA
from nndacss.sensors import REFLECTIVE

#: The first of the bands that Sentinel-2 has at 20 m only; the others follow it.
FIRST_COARSE = REFLECTIVE.index("nir08")
#: Reflectance below which the Charbonnier distance is round.
ROUND = 1e-3
#: Where a Gaussian is cut, in sigma, as scipy does.
_CUT = 4.0


@dataclass(frozen=True)
class Errors:
    """Result minus target at the pixels of the truth; all (n, 6, rows, columns)."""

    error: Tensor
    """0 where not known; where the truth is coarse each 2 x 2 mean, repeated."""
    known: Tensor
    """bool"""
    fine: Tensor
    """bool: the truth is known at 10 m there."""


def errors(mean: Tensor, inputs: Tensor, target: Tensor, coarse: Tensor) -> Errors:
    """Compare a mean (n, 6, rows, columns) with the target, where input and target are known.

    `inputs` (n, 7, rows, columns), NaN missing: a pixel counts where its six bands are there.
    `coarse` (n,) bool.
    """
    known = ~torch.isnan(target) & seen(inputs)
    difference = torch.where(known, mean - target, 0.0)
    whole = at_truth(known.to(mean.dtype), coarse) > 0.99  # all four of a mean's pixels
    error = torch.where(whole, at_truth(difference, coarse), 0.0)
    fine = whole.clone()
    fine[coarse, FIRST_COARSE:] = False
    return Errors(error, whole, fine)


def seen(inputs: Tensor) -> Tensor:
    """(n, 1, rows, columns) bool: where all six bands of the input are there."""
    return ~torch.isnan(inputs[:, : len(REFLECTIVE)]).any(dim=1, keepdim=True)


def at_truth(values: Tensor, coarse: Tensor) -> Tensor:
    """(n, 6, rows, columns) with the coarse bands of coarse pairs as repeated 2 x 2 means."""
    if not coarse.any():
        return values
    late = values[:, FIRST_COARSE:]
    means = F.interpolate(F.avg_pool2d(late, 2), scale_factor=2, mode="nearest")
    chosen = torch.where(coarse.view(-1, 1, 1, 1), means, late)
    return torch.cat([values[:, :FIRST_COARSE], chosen], dim=1)


def band_mean(values: Tensor, known: Tensor, scale: Tensor) -> Tensor:
    """Mean of a band over its known pixels, over `scale` (6,); then the mean of the bands.

    Bands without a known pixel do not count; 0 where no band has any.

    `values` (n, 6, rows, columns) must be finite everywhere.
    """
    weight = known.to(values.dtype)
    count = weight.sum((0, 2, 3))
    means = (values * weight).sum((0, 2, 3)) / count.clamp_min(1) / scale
    there = (count > 0).to(values.dtype)
    return (means * there).sum() / there.sum().clamp_min(1)


def distance(error: Tensor, kind: str) -> Tensor:
    """Absolute value; for `charbonnier` sqrt(error^2 + ROUND^2) - ROUND."""
    return (error.square() + ROUND**2).sqrt() - ROUND if kind == "charbonnier" else error.abs()


def gradient(found: Errors, scale: Tensor) -> Tensor:
    """Mean absolute error of the differences between neighbours, where the truth is fine."""
    error, fine = found.error, found.fine
    across = (error[..., 1:] - error[..., :-1]).abs()
    down = (error[..., 1:, :] - error[..., :-1, :]).abs()
    return 0.5 * (
        band_mean(across, fine[..., 1:] & fine[..., :-1], scale)
        + band_mean(down, fine[..., 1:, :] & fine[..., :-1, :], scale)
    )


def likelihood(found: Errors, log_sigma: Tensor, coarse: Tensor) -> Tensor:
    """Mean of -log of the Laplace density of the errors, whose standard deviation is sigma.

    A Laplace distribution of scale b has the standard deviation b sqrt 2: it fits errors, which
    are mostly small and seldom large, and one edge does not outweigh a field. The errors are
    taken as given, so that the spread does not bend the mean. The sigma of a 2 x 2 mean is the
    mean of its pixels', as of errors that are alike.
    """
    width = at_truth(log_sigma.exp(), coarse) / sqrt(2)
    value = torch.log(2 * width) + found.error.detach().abs() / width
    return band_mean(value, found.known, torch.ones_like(value[0, :, 0, 0]))


def kernel(sigma: float) -> Tensor:
    """One line of a Gaussian of `sigma` pixels, cut at 4 sigma, sum 1."""
    reach = ceil(_CUT * sigma)
    places = torch.arange(-reach, reach + 1, dtype=torch.float64)
    line = torch.exp(-0.5 * (places / sigma) ** 2)
    return (line / line.sum()).to(torch.float32)


def view(pixels: Tensor) -> tuple[Tensor, int]:
    """What Landsat sees around each 10 m pixel: the mean of 3 x 3, blurred by OLI's point spread.

    (n, bands, rows, columns), finite, to the same without a border of pixels that depend on what
    lies outside; gives the border's width too.
    """
    line = kernel(OLI_SIGMA[30] / 10).to(pixels)
    line = F.conv1d(line.view(1, 1, -1), pixels.new_full((1, 1, 3), 1 / 3), padding=2).flatten()
    bands, border = pixels.shape[1], len(line) // 2
    rows = F.conv2d(pixels, line.view(1, 1, -1, 1).expand(bands, 1, -1, 1), groups=bands)
    return F.conv2d(rows, line.view(1, 1, 1, -1).expand(bands, 1, 1, -1), groups=bands), border


def consistency(mean: Tensor, base: Tensor, ground: Tensor, scale: Tensor) -> Tensor:
    """Mean absolute difference between the mean as Landsat sees it and the stepped input.

    `base` (n, 6, rows, columns) is the input in the target's bands, `ground` (n, 1, rows, columns)
    bool where it is known. The input has been seen through the point spread already, so that it is
    compared as it is. Pixels that see missing ground do not count; 0 where none is left.
    """
    # where nothing is known both are the same, whatever it is
    seen_mean, border = view(torch.where(ground, mean, 0.0))
    if not seen_mean.numel():
        return mean.sum() * 0.0
    size = 2 * border + 1
    missing = F.max_pool2d((~ground).to(mean.dtype), (size, 1), stride=1)
    around = F.max_pool2d(missing, (1, size), stride=1) == 0
    inner = base[..., border:-border, border:-border]
    difference = torch.where(around, seen_mean - inner, 0.0).abs()
    return band_mean(difference, around.expand_as(difference), scale)


def total(
    mean: Tensor,
    log_sigma: Tensor | None,
    base: Tensor,
    batch: Mapping[str, Tensor],
    settings: LossSettings,
) -> Tensor:
    """The whole loss of one batch (see `nndacss.harmonizer.data`)."""
    found = errors(mean, batch["inputs"], batch["target"], batch["coarse"])
    scale = torch.tensor(settings.scale).to(mean)
    loss = band_mean(distance(found.error, settings.distance), found.known, scale)
    if settings.gradient:
        loss = loss + settings.gradient * gradient(found, scale)
    if settings.consistency:
        ground = seen(batch["inputs"])
        loss = loss + settings.consistency * consistency(mean, base, ground, scale)
    if settings.spread and log_sigma is not None:
        loss = loss + settings.spread * likelihood(found, log_sigma, batch["coarse"])
    return loss
