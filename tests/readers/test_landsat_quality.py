from __future__ import annotations

import numpy as np
import pytest

from nndacss.errors import SettingsError
from nndacss.readers.landsat.quality import any_saturated, band_saturated, decode

ALL = ("fill", "cloud", "dilated", "cirrus", "shadow", "snow", "water", "clear")


def named(code: int, collection: str, confidence: str = "high") -> set[str]:
    flags = decode(np.array([[code]], dtype=np.uint16), collection, confidence)
    return {name for name in ALL if getattr(flags, name)[0, 0]}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        # decoded by hand from the bit table of LSDS-1619; all are values of real scenes
        (0b0000000000000001, {"fill"}),
        (21824, {"clear"}),  # 0b0101010101000000: clear bit, all confidences low
        (21952, {"clear", "water"}),  # bits 6 and 7
        (22280, {"cloud"}),  # 0b0101011100001000: cloud, confidence high
        (23888, {"shadow"}),  # 0b0101110101010000: shadow and the agency's clear bit
        (23826, {"dilated", "shadow"}),  # 0b0101110100010010
        (24082, {"dilated", "shadow"}),  # 0b0101111000010010: cloud confidence medium
        (21762, {"dilated"}),
        (30048, {"snow"}),  # 0b0111010101100000: snow and the agency's clear bit
        (29986, {"dilated", "snow"}),
        (55052, {"cirrus", "cloud"}),  # 0b1101011100001100
        (54596, {"cirrus"}),
        (56856, {"cirrus", "cloud", "shadow"} - {"cirrus"}),
    ],
)
def test_collection_2(code: int, expected: set[str]) -> None:
    assert named(code, "2") == expected


def test_collection_2_confidence() -> None:
    # 22080 = 0b0101011001000000: cloud confidence medium, no cloud flag
    assert named(22080, "2") == {"clear"}
    assert named(22080, "2", "medium") == {"cloud"}
    assert named(21824, "2", "medium") == {"clear"}
    assert named(21824, "2", "low") == {"cloud", "shadow", "snow", "cirrus"}


@pytest.mark.parametrize(
    ("code", "confidence", "expected"),
    [
        (1, "high", {"fill"}),
        (2720, "high", {"clear"}),  # 0b101010100000: all confidences low
        (2800, "high", {"cloud"}),  # 0b101011110000: cloud bit, confidence high
        (2976, "high", {"shadow"}),  # 0b101110100000
        (3744, "high", {"snow"}),  # 0b111010100000
        (6816, "high", {"cirrus"}),  # 0b1101010100000
        (2752, "high", {"clear"}),  # 0b101011000000: cloud confidence medium
        (2752, "medium", {"cloud"}),
        (2724, "high", {"clear"}),  # one or two bands saturated
    ],
)
def test_collection_1(code: int, confidence: str, expected: set[str]) -> None:
    assert named(code, "1", confidence) == expected


@pytest.mark.parametrize(
    ("code", "confidence", "expected"),
    [
        (1, "high", {"fill"}),
        (20480, "high", {"clear"}),  # 0b0101000000000000: cloud and cirrus low
        (53248, "high", {"cloud"}),  # 0b1101000000000000
        (28672, "high", {"cirrus"}),  # 0b0111000000000000
        (23552, "high", {"snow"}),  # 0b0101110000000000
        (20528, "high", {"clear", "water"}),  # 0b0101000000110000
        (36864, "high", {"clear"}),  # 0b1001000000000000: cloud medium
        (36864, "medium", {"cloud"}),
    ],
)
def test_before_the_collections(code: int, confidence: str, expected: set[str]) -> None:
    assert named(code, "pre", confidence) == expected


def test_the_same_code_means_other_things_in_other_generations() -> None:
    assert named(2800, "1") == {"cloud"}
    assert "cloud" not in named(2800, "2")  # bit 4 is shadow there


def test_fill_carries_no_other_flag() -> None:
    assert named(0xFFFF, "2") == named(0xFFFF, "1") == named(0xFFFF, "pre") == {"fill"}


def test_unknown_confidence() -> None:
    with pytest.raises(SettingsError, match="low, medium, high"):
        named(1, "2", "certain")


def test_saturation_bits() -> None:
    codes = np.array([[0, 1, 2, 64, 128, 256, 2048]], dtype=np.uint16)
    assert band_saturated(codes, "coastal").tolist() == [[0, 1, 0, 0, 0, 0, 0]]
    assert band_saturated(codes, "blue").tolist() == [[0, 0, 1, 0, 0, 0, 0]]
    assert band_saturated(codes, "swir22").tolist() == [[0, 0, 0, 1, 0, 0, 0]]
    assert band_saturated(codes, "cirrus").tolist() == [[0, 0, 0, 0, 0, 1, 0]]
    in_bqa = np.array([[2720, 2724, 2728, 2732, 2]], dtype=np.uint16)
    assert any_saturated(in_bqa).tolist() == [[0, 1, 1, 1, 0]]
