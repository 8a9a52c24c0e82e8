"""Loss over label sets against hand-worked numbers and torch's own cross-entropy."""

import math

import pytest
import torch
from torch.nn.functional import cross_entropy

from nndacss.train.losses import (
    counts,
    decided,
    dice,
    intersection_over_union,
    likelihood,
    set_weights,
)


def logits_of(*pixels):
    """(1, classes, 1, pixels) logits whose softmax is the given probabilities."""
    return torch.tensor(pixels).log().T[None, :, None, :] + 3.0  # softmax ignores a constant


def test_likelihood_by_hand():
    logits = logits_of([0.1, 0.2, 0.3, 0.4], [0.7, 0.1, 0.1, 0.1])
    # {clear, shadow, snow} has 0.6, {clear} has 0.7
    both = likelihood(logits, torch.tensor([[[7, 1]]]))
    assert both.item() == pytest.approx(-(math.log(0.6) + math.log(0.7)) / 2, rel=1e-5)
    # unlabelled pixels do not count, and a set of all classes costs nothing
    assert likelihood(logits, torch.tensor([[[0, 1]]])).item() == pytest.approx(-math.log(0.7))
    assert likelihood(logits, torch.tensor([[[15, 0]]])).item() == pytest.approx(0, abs=1e-6)


def test_single_classes_give_cross_entropy():
    torch.manual_seed(0)
    logits = torch.randn(3, 4, 5, 6)
    labels = torch.randint(0, 4, (3, 5, 6))
    labels[0, 0] = 255
    sets = torch.where(labels == 255, 0, 1 << labels.clamp_max(4)).int()
    weights = torch.tensor([1.0, 2.0, 0.5, 3.0])
    table = torch.zeros(16)
    table[[1, 2, 4, 8]] = weights
    for theirs, ours in ((None, None), (weights, table)):
        expected = cross_entropy(logits, labels, theirs, ignore_index=255)
        torch.testing.assert_close(likelihood(logits, sets, ours), expected)


def test_a_set_has_a_weight_of_its_own():
    logits = logits_of([0.1, 0.2, 0.3, 0.4], [0.7, 0.1, 0.1, 0.1])
    table = torch.zeros(16)
    table[7], table[8] = 1.0, 2.0
    found = likelihood(logits, torch.tensor([[[7, 8]]]), table)
    expected = (-math.log(0.6) * 1 - math.log(0.1) * 2) / 3
    assert found.item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("sets", [[[[0, 0]]], [[[7, 0]]], [[[8, 15]]]])
def test_extreme_logits_and_empty_sets_keep_finite_gradients(sets):
    logits = torch.tensor([[[[90.0, -90.0]], [[-90.0, 0.0]], [[0.0, 0.0]], [[-90.0, 90.0]]]])
    logits.requires_grad_()
    loss = likelihood(logits, torch.tensor(sets)) + dice(logits, torch.tensor(sets))
    loss.backward()
    assert math.isfinite(loss.item())
    assert torch.isfinite(logits.grad).all()
    if sets == [[[0, 0]]]:
        assert loss.item() == 0
        assert (logits.grad == 0).all()


def test_dice_by_hand():
    logits = logits_of([0.1, 0.2, 0.3, 0.4], [0.7, 0.1, 0.1, 0.1], [0.2, 0.2, 0.2, 0.4])
    # pixel 1 is cloud; pixel 2 is {clear, shadow, snow}; pixel 3 has no label.
    # cloud: certain 1, excluded 2: 2 * 0.4 / (0.4 + 0.1 + 1). No other class is certain anywhere.
    found = dice(logits, torch.tensor([[[8, 7, 0]]]))
    assert found.item() == pytest.approx(1 - 0.8 / 1.5, rel=1e-5)
    # with pixel 2 clear: clear has 2 * 0.7 / (0.1 + 0.7 + 1)
    found = dice(logits, torch.tensor([[[8, 1, 0]]]))
    expected = 1 - (0.8 / 1.5 + 1.4 / 1.8) / 2
    assert found.item() == pytest.approx(expected, rel=1e-5)


def test_counts_leave_out_what_a_set_does_not_decide():
    labels = torch.tensor([[[3, 0, 0, 3, 1, 0]]])
    sets = torch.tensor([[[8, 8, 7, 7, 0, 1]]], dtype=torch.int32)
    # cloud: hit, miss, true negative, false alarm, unlabelled, true negative
    found = counts(labels, sets, 4)[0]
    assert found[3].tolist() == [1, 1, 1]
    # clear: excluded by both clouds (one false alarm), open in {0, 1, 2}, hit in the last
    assert found[0].tolist() == [1, 1, 0]
    assert found[1].tolist() == [0, 0, 0]
    scores = intersection_over_union(found)
    assert scores[3].item() == pytest.approx(1 / 3)
    assert scores[0].item() == pytest.approx(1 / 2)
    assert torch.isnan(scores[1:3]).all()


def test_a_class_is_certain_excluded_or_open():
    certain, excluded = decided(torch.tensor([[[7, 8, 0]]], dtype=torch.int32), 4)
    assert certain[0, :, 0].T.tolist() == [[0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]]
    assert excluded[0, :, 0].T.tolist() == [[0, 0, 0, 1], [1, 1, 1, 0], [0, 0, 0, 0]]


def test_rare_sets_weigh_more_and_partial_labels_are_not_rare():
    pixels = [0] * 16
    # as in L8 Biome: clear is never certain, shadow seldom, "no cloud" and cloud often
    pixels[0], pixels[2], pixels[7], pixels[8] = 900, 4, 96, 100
    weights = set_weights(pixels, 0.5, 5.0)
    assert weights[0] == 0
    assert weights[7] == weights[8] == 1  # 100 pixels are no cloud, four of them shadow
    assert weights[2] == pytest.approx(5)  # (4 / 100) ** -0.5
    assert weights[1] == weights[4] == weights[2]  # not there: as the rarest
    assert set_weights(pixels, 1.0, 5.0)[2] == 5  # limited from 25
    assert set(set_weights(pixels, 0.0, 5.0)[1:]) == {1.0}
    assert set_weights([0] * 4, 0.5, 5.0) == (0.0, 1.0, 1.0, 1.0)
