"""The two losses, against numbers worked out by hand and by plain loops."""

import pytest
import torch

from nndacss.inpainter.losses import gradient, inside, whole


def images(seed=0):
    draw = torch.Generator().manual_seed(seed)
    found, target = (torch.rand(2, 3, 6, 7, generator=draw) for _ in range(2))
    present = torch.rand(2, 3, 6, 7, generator=draw) < 0.9
    hole = torch.zeros(2, 1, 6, 7, dtype=torch.bool)
    hole[0, 0, 1:4, 2:5] = True
    hole[1, 0, 5, 6] = True
    return found, target, present, hole


def test_by_hand():
    target = torch.zeros(1, 1, 1, 4)
    found = torch.tensor([[[[3.0, 1.0, 2.0, 5.0]]]])
    hole = torch.tensor([[[[False, True, True, False]]]])
    present = torch.ones(1, 1, 1, 4, dtype=torch.bool)
    assert inside(found, target, present, hole) == pytest.approx(1.5)
    assert whole(found, target, present) == pytest.approx(11 / 4)
    # painted: 0 1 2 0; its steps 1, 1, -2
    assert gradient(found, target, present, hole) == pytest.approx(4 / 3)
    present[0, 0, 0, 3] = False
    assert gradient(found, target, present, hole) == pytest.approx(1)
    assert inside(found, target, present, hole[..., [1, 0, 0, 0]] & False) == 0


def test_by_plain_loops():
    found, target, present, hole = images()
    apart, holes, steps, everywhere = torch.where(hole, found - target, 0), [], [], []
    for n, band, row, column in torch.cartesian_prod(*(torch.arange(s) for s in found.shape)):
        here = (n, band, row, column)
        if not present[here]:
            continue
        everywhere.append((found[here] - target[here]).abs())
        if hole[n, 0, row, column]:
            holes.append(everywhere[-1])
        for down, right in ((1, 0), (0, 1)):
            next_row, next_column = row + down, column + right
            if next_row == 6 or next_column == 7 or not present[n, band, next_row, next_column]:
                continue
            if hole[n, 0, row, column] or hole[n, 0, next_row, next_column]:
                steps.append((apart[n, band, next_row, next_column] - apart[here]).abs())
    for value, wanted in (
        (inside(found, target, present, hole), holes),
        (whole(found, target, present), everywhere),
        (gradient(found, target, present, hole), steps),
    ):
        torch.testing.assert_close(value, torch.stack(wanted).mean())


def test_missing_values_teach_nothing():
    found, target, present, hole = images()
    found.requires_grad_()
    spoilt = torch.where(present, target, 1e6)
    total = inside(found, spoilt, present, hole) + whole(found, spoilt, present)
    (total + gradient(found, spoilt, present, hole)).backward()
    assert (found.grad[~present] == 0).all()
    assert found.grad.abs().max() < 1


def test_the_gradient_loss_sees_a_seam_that_the_first_does_not_prefer():
    """A ramp restored with an offset differs as much as one that joins on both sides in zigzag."""
    target = torch.zeros(1, 1, 1, 8)
    hole = torch.zeros(1, 1, 1, 8, dtype=torch.bool)
    hole[..., 2:6] = True
    present = torch.ones_like(hole)
    flat, rough = torch.zeros_like(target), torch.zeros_like(target)
    flat[..., 2:6] = 0.5
    rough[..., 2:6] = torch.tensor([0.5, -0.5, 0.5, -0.5])
    assert inside(flat, target, present, hole) == inside(rough, target, present, hole)
    assert gradient(flat, target, present, hole) < gradient(rough, target, present, hole)
