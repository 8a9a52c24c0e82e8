"""Overviews by hand-worked numbers, and against GDAL."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nndacss.product import sheets
from nndacss.product.pyramid import halve, levels, recode

IMAGE = sheets.reflectance(("red",), "SR")
N = -9999


@pytest.mark.parametrize(
    ("four", "expected"),
    [
        ((1, 2, 3, 4), 3),  # 2.5 up
        ((-1, -2, -3, -4), -2),  # -2.5 up
        ((10, N, N, N), 10),
        ((10, 20, 30, N), 20),
        ((1, 2, N, N), 2),  # 1.5 up
        ((-5, 0, 1, N), -1),
        ((N, N, N, N), N),
        ((32767, 32767, 32767, 32767), 32767),
        ((-9998, -9998, -9998, -9998), -9998),
    ],
)
def test_average_by_hand(four, expected):
    block = np.array(four, dtype=np.int16).reshape(1, 2, 2)
    assert halve(block, IMAGE).tolist() == [[[expected]]]


def test_average_of_random_pixels_is_the_mean_of_the_valid_ones():
    rng = np.random.default_rng(1)
    pixels = rng.integers(-500, 12000, (2, 37, 41)).astype(np.int16)
    pixels[:, rng.random((37, 41)) < 0.3] = N
    found = halve(pixels, IMAGE)
    assert found.shape == (2, 19, 21)
    padded = np.pad(pixels, ((0, 0), (0, 1), (0, 1)), constant_values=N).astype(float)
    padded[padded == N] = np.nan
    four = padded.reshape(2, 19, 2, 21, 2)
    count = np.sum(~np.isnan(four), axis=(2, 4))
    mean = np.nansum(four, axis=(2, 4)) / np.maximum(count, 1)
    expected = np.where(count == 0, N, np.floor(mean + 0.5))
    assert (count == 0).any()
    assert np.array_equal(found, expected)


def test_average_of_bytes_has_its_own_nodata():
    sheet = sheets.probability()
    block = np.array([[[10, 20], [255, 255]]], dtype=np.uint8)
    assert halve(block, sheet).tolist() == [[[15]]]


@pytest.mark.parametrize(
    ("four", "expected"),
    [((0, 3, 3, 1), 3), ((0, 1, 3, 3), 3), ((2, 2, 3, 3), 2), ((0, 1, 2, 3), 0), ((3, 3, 3, 0), 3)],
)
def test_mode_by_hand(four, expected):
    block = np.array(four, dtype=np.uint8).reshape(1, 2, 2)
    assert halve(block, sheets.mask()).tolist() == [[[expected]]]


def test_nearest_keeps_bit_fields_whole():
    block = np.array([[[17, 1, 9], [1, 1, 1], [5, 6, 7]]], dtype=np.uint8)
    assert halve(block, sheets.source()).tolist() == [[[17, 9], [5, 7]]]


def test_flags_beside_numbers_are_kept_whole():
    sheet = sheets.uncertainty(("red",))
    block = np.array([[[10, 20], [30, 40]], [[3, 0], [0, 1]]], dtype=np.int16)
    assert halve(block, sheet).tolist() == [[[25]], [[3]]]


def test_levels_end_with_one_block():
    assert [levels(1, 512), levels(700, 640), levels(23000, 22000)] == [0, 1, 6]


def test_recode_only_where_there_is_a_table():
    codes = np.array([[[0, 1, 2, 3, 255]]], dtype=np.uint8)
    assert recode(codes, sheets.mask()) is codes
    assert recode(codes, sheets.recoded("scl")).tolist() == [[[5, 3, 11, 9, 0]]]
    plain = replace(sheets.recoded("scl"), recode=())
    assert recode(codes, plain) is codes
