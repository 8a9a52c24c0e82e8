"""Label sets: one bit a class."""

import numpy as np
import pytest

from nndacss.errors import DatasetError
from nndacss.labels import sets
from nndacss.labels.climate import SCHEME, Climate


def test_bits_are_powers_of_two():
    assert [sets.of(code) for code in range(4)] == [1, 2, 4, 8]
    assert sets.of(0, 1, 2) == 7
    assert sets.of() == 0


def test_translate_maps_every_code():
    codes = np.array([[0, 64], [128, 255]], dtype=np.uint8)
    table = {0: 0, 64: sets.of(Climate.SHADOW), 128: sets.of(0, 2), 255: sets.of(Climate.CLOUD)}
    found = sets.translate(codes, table, "a.tif")
    assert found.dtype == np.uint16
    assert found.tolist() == [[0, 2], [5, 8]]


def test_unknown_codes_are_an_error_that_names_them():
    codes = np.array([[0, 7, 9]], dtype=np.uint8)
    with pytest.raises(DatasetError, match=r"a\.tif: found label codes \[7, 9\]; expected codes 0"):
        sets.translate(codes, {0: 1}, "a.tif")


def test_labels_there_and_back():
    labels = np.array([[0, 1, 2, 3, 255]], dtype=np.uint8)
    there = sets.from_labels(labels)
    assert there.tolist() == [[1, 2, 4, 8, 0]]
    assert sets.to_labels(there).tolist() == labels.tolist()


def test_only_single_classes_are_labels():
    every = np.arange(1 << len(SCHEME.classes), dtype=np.uint16)[None]
    found = sets.to_labels(every)[0]
    for bits in range(every.size):
        members = [code for code in range(4) if bits >> code & 1]
        assert found[bits] == (members[0] if len(members) == 1 else 255)


def test_sixteen_classes_fit():
    labels = np.array([[15]], dtype=np.uint8)
    assert sets.from_labels(labels).tolist() == [[1 << 15]]
    assert sets.to_labels(sets.from_labels(labels)).tolist() == [[15]]
