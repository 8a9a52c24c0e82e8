"""What the CycleGAN minimises, as published; every function gives a scalar.

Discriminators give logits. Reflectance is not scaled: a mean absolute difference of 0.01 with its
weight of 5 counts 0.05.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own custom

#: Probabilities are kept this far from 0 and 1 before their logarithm.
CLIP = 1e-6


def fooling(fake: Tensor) -> Tensor:
    """Of a generator: binary cross entropy of its images' logits against "from the sensor"."""
    return F.binary_cross_entropy_with_logits(fake, torch.ones_like(fake))


def telling(real: Tensor, fake: Tensor) -> Tensor:
    """Of a discriminator: the mean of its cross entropies on both sorts of images."""
    loss = F.binary_cross_entropy_with_logits
    return 0.5 * (loss(real, torch.ones_like(real)) + loss(fake, torch.zeros_like(fake)))


def difference(first: Tensor, second: Tensor) -> Tensor:
    """Mean absolute difference."""
    return (first - second).abs().mean()


def divergence(reference: Tensor, found: Tensor) -> Tensor:
    """Mean over pixels of KL(reference || found) between two probabilities of cloud."""
    p, q = (value.clamp(CLIP, 1 - CLIP) for value in (reference, found))
    return (p * (p / q).log() + (1 - p) * ((1 - p) / (1 - q)).log()).mean()


def penalty(discriminator: Callable[[Tensor], Tensor], real: Tensor) -> Tensor:
    """Mean over images of |d mean(logits) / d image|^2 (Mescheder et al. 2018, R1), as published.

    The mean of the logits is over the whole batch, so that the penalty of an image falls with the
    square of the batch.
    """
    images = real.detach().requires_grad_()
    (slope,) = torch.autograd.grad(discriminator(images).mean(), images, create_graph=True)
    return slope.flatten(1).square().sum(1).mean()


def frozen(network: nn.Module) -> nn.Module:
    """The network in eval mode and without trained parameters."""
    return network.eval().requires_grad_(requires_grad=False)
