"""Cover, agreement and histograms against numpy and by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest

from nndacss.mask.quality import class_table
from nndacss.product import counts, sheets
from nndacss.product.counts import agreement, percentile
from tests.product.conftest import NAME, grid_10m, read


@pytest.fixture
def numbers(product):
    return json.loads((product / "report.json").read_text())


def test_cover_equals_numpy(numbers, truth):
    cover = numbers["cover"]
    valid = int((truth != 255).sum())
    assert cover["pixels"] == truth.size
    assert cover["valid"] == valid
    assert 0 < valid < truth.size
    for code, name in enumerate(("clear", "shadow", "snow", "cloud")):
        pixels = int((truth == code).sum())
        assert pixels > 0
        assert cover["classes"][name] == {"pixels": pixels, "share": round(pixels / valid, 6)}


def test_histogram_equals_numpy(numbers, product, truth):
    table = numbers["histograms"]
    image = read(product / f"{NAME}_sr_reflectance.tif")
    red = image[2].astype(float)
    edges = np.arange(141) * 100.0 - 1000
    for key, chosen in (("all", truth != 255), ("clear", truth == 0)):
        expected, _ = np.histogram(red[chosen], edges)
        assert table["bands"]["red"][key] == expected.tolist()
    assert table["pixels"] == int((truth != 255).sum())
    median = np.median(red[truth != 255]) * 0.0001
    assert table["bands"]["red"]["p50"] == pytest.approx(median, abs=0.005)


def test_values_beyond_the_axis_are_counted_at_its_ends():
    sheet = sheets.reflectance(("red",), "SR")
    total = counts.Counts(sheet, 4, None)
    image = np.array([[[-5000, 20000, -9999, 0]]], dtype=np.int16)
    labels = np.array([[[0, 3, 255, 0]]], dtype=np.uint8)
    source = np.where(image == -9999, 0, 1).astype(np.uint8)
    total.add({"mask": labels, "reflectance": image, "source": source})
    red = total.band_histograms()["bands"]["red"]
    assert (red["all"][0], red["all"][139], red["all"][10], sum(red["all"])) == (1, 1, 1, 3)
    assert sum(red["clear"]) == 2
    assert total.agreement() is None


def test_agreement_by_hand():
    joint = np.array([[50, 0, 0, 10], [0, 5, 0, 5], [0, 0, 0, 0], [0, 0, 0, 30]])
    found = agreement(joint)
    assert found["pixels"] == 100
    assert found["equal_share"] == 0.85
    expected = {"clear": 50 / 60, "shadow": 0.5, "snow": None, "cloud": 30 / 45}
    assert found["iou"] == pytest.approx(expected, abs=1e-6)


def test_agreement_of_the_product_is_by_construction(numbers, truth):
    found = numbers["agreement"]
    assert found["by_construction"]
    assert found["equal_share"] == 1
    assert found["pixels"] == int((truth != 255).sum())
    assert found["joint"][3][3] == int((truth == 3).sum())


def test_a_mask_that_differs_from_the_bits_is_seen(scene, truth):
    from nndacss.mask.settings import MaskSettings

    grid = grid_10m()
    sheet = sheets.reflectance(("red",), "SR")
    total = counts.Counts(sheet, truth.size, class_table(scene, MaskSettings()))
    wrong = truth.copy()
    wrong[truth == 3] = 0
    quality = scene.quality(grid)[None]
    image = np.zeros((1, *truth.shape), dtype=np.int16)
    source = np.ones((1, *truth.shape), dtype=np.uint8)
    pixels = {"mask": wrong[None], "quality": quality, "reflectance": image, "source": source}
    total.add(pixels)
    found = total.agreement()
    assert found["joint"][0][3] == int((truth == 3).sum())
    assert found["iou"]["cloud"] == 0
    assert found["iou"]["snow"] == 1


def test_sources_and_deviations_by_hand():
    sheet = sheets.reflectance(("red", "nir08"), "SR")
    total = counts.Counts(sheet, 6, None)
    source = np.array([[[0, 1, 17, 2], [6, 18, 10, 34]]], dtype=np.uint8)
    spread = np.full((3, 2, 4), -9999, dtype=np.int16)
    spread[0, 1] = 30, 50, 41, 9000  # the last is beyond what is told apart
    spread[1, 1] = 7
    spread[2, 1] = 3  # flags are no deviation
    pixels = {
        "mask": np.zeros((1, 2, 4), dtype=np.uint8),
        "reflectance": np.zeros((2, 2, 4), dtype=np.int16),
        "source": source,
        "uncertainty": spread,
    }
    total.add(pixels)
    expected = {
        "network": 5 / 7,
        "bandpass": 2 / 7,
        "own": 1 / 7,
        "composed": 1 / 7,
        "no_pan": 2 / 7,
        "saturated": 1 / 7,
    }
    assert total.sources() == pytest.approx(expected, abs=1e-6)
    # half of the four lie at or below 41 counts
    assert total.uncertainty() == pytest.approx({"red": 0.00415, "nir08": 0.0007}, abs=1e-6)


def test_percentiles_of_nothing():
    assert percentile([0, 0], [0.0, 1.0, 2.0], 50) is None
    assert percentile([4, 0, 4], [0.0, 1.0, 2.0, 3.0], 75) == 2.5
