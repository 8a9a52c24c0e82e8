"""Image scores against numbers worked by hand and against torchmetrics."""

import math

import numpy as np
import pytest
import torch

from nndacss.metrics.image import Sums, bias, compare, ergas, psnr, rmse, sam, ssim
from nndacss.models.torchvision_fix import ensure_torchvision

NAN = float("nan")


def test_errors_by_hand():
    truth = np.array([[[0.1, 0.3, 0.2]], [[0.5, 0.5, 0.5]]], dtype=np.float32)
    estimate = np.array([[[0.2, 0.3, NAN]], [[0.5, 0.1, 0.5]]], dtype=np.float32)
    assert rmse(estimate, truth) == pytest.approx([math.sqrt(0.01 / 2), math.sqrt(0.16 / 3)])
    assert bias(estimate, truth) == pytest.approx([0.05, -0.4 / 3])
    assert psnr(estimate, truth) == pytest.approx([23.0103, 12.7300], abs=1e-4)
    # bands: RMSE/mean of the compared truth = 0.070711/0.2 and 0.230940/0.5
    assert ergas(estimate, truth, 1 / 3) == pytest.approx(
        100 / 3 * math.sqrt((0.125 + 0.64 / 3) / 2), rel=1e-6
    )
    assert np.isinf(psnr(truth, truth)).all()


def test_angles_by_hand():
    # 45 degrees; 90; the same direction at twice the length; one band missing; black
    truth = np.array([[[1.0, 1, 0.1, NAN, 0.0]], [[0.0, 0, 0.3, 1, 0.0]]], dtype=np.float32)
    estimate = np.array([[[0.3, 0, 0.2, 1, 0.5]], [[0.3, 1, 0.6, 1, 0.5]]], dtype=np.float32)
    assert sam(estimate, truth) == pytest.approx((45 + 90 + 0) / 3, abs=1e-4)


def test_nothing_known_decides_nothing():
    lost = np.full((2, 20, 20), NAN, dtype=np.float32)
    sums = compare(lost, np.zeros_like(lost))
    for values in (sums.rmse(), sums.bias(), sums.psnr(), sums.ssim()):
        assert np.isnan(values).all()
    assert math.isnan(sums.sam())
    assert math.isnan(sums.ergas(1 / 3))


@pytest.fixture
def images():
    random = np.random.default_rng(4)
    truth = random.random((1, 6, 40, 52)).cumsum(axis=3).astype(np.float32) / 40 + 0.05
    return truth + random.normal(0, 0.05, truth.shape).astype(np.float32), truth


def test_as_torchmetrics(images):
    ensure_torchvision()
    import torchmetrics.functional.image as peer

    estimate, truth = (torch.from_numpy(image.astype(np.float64)) for image in images)
    mine, theirs = images[0][0], images[1][0]
    for band in range(6):
        pair = estimate[:, band : band + 1], truth[:, band : band + 1]
        _, full = peer.structural_similarity_index_measure(
            *pair, data_range=1.0, return_full_image=True
        )
        inside = full[..., 5:-5, 5:-5].mean()  # the rim mirrors the image
        assert ssim(mine, theirs)[band] == pytest.approx(float(inside), abs=1e-9)
        expected = peer.peak_signal_noise_ratio(*pair, data_range=1.0)
        assert psnr(mine, theirs)[band] == pytest.approx(float(expected), abs=1e-5)
    angle = peer.spectral_angle_mapper(estimate, truth)
    assert sam(mine, theirs) == pytest.approx(math.degrees(float(angle)), rel=1e-6)
    # torchmetrics wants the low resolution's pixel size over the high one's
    relative = peer.error_relative_global_dimensionless_synthesis(estimate, truth, ratio=3)
    assert ergas(mine, theirs, 1 / 3) == pytest.approx(float(relative), rel=1e-6)


def test_a_window_with_a_gap_is_left_out(images):
    """SSIM over a gap's surroundings is that of the part that no window shares with the gap."""
    estimate, truth = images[0][0], images[1][0].copy()
    truth[:, :, 20] = NAN
    found = compare(estimate, truth)
    left, right = (
        compare(estimate[:, :, part], truth[:, :, part])
        for part in (slice(None, 20), slice(21, None))
    )
    assert found.windows == pytest.approx(30 * (10 + 21))
    assert found.similarity == pytest.approx(left.similarity + right.similarity)


def test_sums_of_images_pool_pixels():
    """Two images of one and three pixels: pooled, not the mean of two scores."""
    one = compare(np.full((1, 1, 1), 0.4, np.float32), np.zeros((1, 1, 1), np.float32))
    three = compare(np.full((1, 1, 3), 0.2, np.float32), np.zeros((1, 1, 3), np.float32))
    both = Sums.zero(1) + one + three
    assert both.rmse() == pytest.approx([math.sqrt((0.16 + 3 * 0.04) / 4)])
    assert both.bias() == pytest.approx([0.25])
    with pytest.raises(ValueError, match="do not add"):
        Sums.zero(2) + one


def test_other_sizes_are_refused():
    with pytest.raises(ValueError, match="alike"):
        compare(np.zeros((2, 3, 3), np.float32), np.zeros((1, 3, 3), np.float32))
