"""Loss and counts over label sets: a label says which classes a pixel may be, bit k for class k.

The likelihood of a set is the probability that the network gives to all its classes together, so
a label {clear, snow} teaches "no cloud, no shadow" and leaves the rest open. A set of one class
gives the usual cross-entropy; the empty set is no label.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Sequence


def members(sets: Tensor, classes: int) -> Tensor:
    """(batch, rows, columns) integer sets -> (batch, classes, rows, columns) bool membership."""
    bits = 1 << torch.arange(classes, device=sets.device, dtype=sets.dtype)
    return (sets[:, None] & bits[:, None, None]) != 0


def likelihood(
    logits: Tensor, sets: Tensor, weights: Tensor | None = None, sure: Tensor | None = None
) -> Tensor:
    """Mean of -log(sum of probability over the set) over labelled pixels; 0 where there is none.

    `logits` (batch, classes, rows, columns); `weights` (2 ** classes,): how much a pixel counts,
    by its set; `sure` (batch, rows, columns): how much by itself, 0..1. As in cross-entropy, the
    sum is divided by the sum of the weights.
    """
    labelled = sets != 0
    # an empty set would give log(0); its pixels are taken as "any class", whose loss is 0
    allowed = members(sets, logits.shape[1]) | ~labelled[:, None]
    chosen = logits.masked_fill(~allowed, -torch.inf)
    loss = torch.logsumexp(logits, dim=1) - torch.logsumexp(chosen, dim=1)
    weight = labelled.to(loss.dtype)
    if weights is not None:
        weight = weight * weights.to(loss.dtype)[sets.long()]
    if sure is not None:
        weight = weight * sure.to(loss.dtype)
    return (loss * weight).sum() / weight.sum().clamp_min(1e-12)


def decided(sets: Tensor, classes: int) -> tuple[Tensor, Tensor]:
    """Where each class is certain and where it is excluded, both (batch, classes, rows, columns).

    A class is certain where the set holds nothing else, excluded where a label leaves it out;
    where the set holds it among others it is neither.
    """
    member = members(sets, classes)
    single = (sets != 0) & ((sets & (sets - 1)) == 0)
    return member & single[:, None], ~member & (sets != 0)[:, None]


def dice(logits: Tensor, sets: Tensor, sure: Tensor | None = None) -> Tensor:
    """1 - soft Dice, averaged over the classes that the batch holds for certain; 0 if none.

    Pixels whose set does not decide a class do not count for that class; others count by `sure`
    (batch, rows, columns), 0..1.
    """
    probability = logits.softmax(dim=1)
    certain, excluded = decided(sets, logits.shape[1])
    axes = (0, 2, 3)
    true_pixels = certain
    if sure is not None:
        weight = sure[:, None].to(probability.dtype)
        probability, true_pixels = probability * weight, certain * weight
    found = (probability * certain).sum(axes)
    claimed = (probability * (certain | excluded)).sum(axes)
    true = true_pixels.sum(axes).to(probability.dtype)
    score = 2 * found / (claimed + true).clamp_min(1e-12)
    there = (true > 0).to(probability.dtype)
    return ((1 - score) * there).sum() / there.sum().clamp_min(1.0)


def counts(labels: Tensor, sets: Tensor, classes: int) -> Tensor:
    """(batch, classes, 3) int64: true positives, false positives, false negatives of each image.

    `labels` (batch, rows, columns) is the class chosen by the network.
    """
    predicted = members(1 << labels.to(sets.dtype), classes)
    certain, excluded = decided(sets, classes)
    parts = (predicted & certain, predicted & excluded, ~predicted & certain)
    return torch.stack([part.sum((2, 3)) for part in parts], dim=-1)


def intersection_over_union(counted: Tensor) -> Tensor:
    """(..., classes) IoU from (..., classes, 3) counts; NaN for a class that has no true pixel."""
    true, wrong, missed = counted.to(torch.float64).unbind(-1)
    score = true / (true + wrong + missed)
    return torch.where(true + missed > 0, score, torch.nan)


def set_weights(pixels: Sequence[float], power: float, limit: float) -> tuple[float, ...]:
    """Weight of a pixel by its set: the set's share of all pixels to minus `power`, 1 to `limit`.

    `pixels` holds how many pixels have each set, 0 .. 2 ** classes - 1. A set's share holds those
    that are certain of one of its classes: "not cloud" is as common as all that is no cloud. A
    set without any weighs as much as the rarest that is there.

    >>> set_weights([0, 36, 9, 55], 0.5, 5.0)  # nothing, {0}, {1}, {0, 1}
    (0.0, 1.66..., 3.33..., 1.0)
    """
    mass = np.array(pixels, dtype=np.float64)
    mass[0] = 0
    there = mass > 0
    if not there.any():
        return (0.0,) + (1.0,) * (len(mass) - 1)
    every = np.arange(len(mass))
    for bit in (1 << code for code in range(len(mass).bit_length() - 1)):
        holds = (every & bit) != 0
        mass[holds] += mass[every[holds] ^ bit]
    mass[mass == 0] = mass[there].min()
    weights = np.minimum((mass / mass[there].max()) ** -power, limit)
    # a set that is nowhere may be larger than any that is
    weights = np.maximum(weights, 1.0)
    weights[0] = 0
    return tuple(float(value) for value in weights)
