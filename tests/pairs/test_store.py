"""The store: what goes in comes out, to any reader, and damage is an error."""

import json
import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import h5py
import numpy as np
import pytest

from nndacss.errors import DatasetError
from nndacss.pairs.layout import Header
from nndacss.pairs.source import Pair, PairRecord
from nndacss.pairs.store import PairStore
from nndacss.pairs.write import join_stores, write_store

SIDE = 24
HEADER = Header(SIDE, {"digest": "ab", "settings": {}})


def pair(number):
    draw = np.random.default_rng(number)
    inputs = draw.uniform(-0.1, 1.5, (7, SIDE, SIDE)).astype(np.float32)
    target = draw.uniform(-0.1, 1.5, (6, SIDE, SIDE)).astype(np.float32)
    inputs[6] = np.nan if number == 1 else inputs[6]
    target[:, draw.random((SIDE, SIDE)) < 0.1] = np.nan
    shift = (np.nan, np.nan) if number == 2 else (1.5, -0.25)
    place = (f"n{number}", f"s{number}", 7, 9, "SR", number % 2 == 0)
    return Pair(inputs, target, PairRecord("größe", "twin", *place, 0.9, np.inf, shift))


def make(path, numbers=range(4)):
    write_store(path, HEADER, (pair(n) for n in numbers))
    return path


@pytest.fixture
def path(tmp_path):
    return make(tmp_path / "pairs.h5")


def test_what_goes_in_comes_out(path):
    with PairStore(path) as store:
        assert (len(store), store.side, store.header) == (4, SIDE, HEADER)
        for n in (3, 0, 2, 1):
            expected = pair(n)
            arrays = store.read(n)
            for found, given in zip(arrays, (expected.inputs, expected.target), strict=True):
                assert found.dtype == np.float32
                np.testing.assert_allclose(found, given, atol=0.51e-4)
            if n != 2:
                assert store.records[n] == expected.record
        assert np.isnan(store.records[2].shift).all()
        with pytest.raises(IndexError, match="pair 4 of 4"):
            store.read(4)


def test_another_program_can_read_it(path):
    with h5py.File(path) as file:
        assert file["inputs"].shape == (4, 7, SIDE, SIDE)
        assert file["target"].shape == (4, 6, SIDE, SIDE)
        assert file["inputs"].dtype == file["target"].dtype == np.int16
        assert (file["inputs"][1, 6] == -32768).all()
        assert (file.attrs["scale"], file.attrs["nodata"]) == (10000, -32768)
        assert json.loads(file.attrs["inputs"])[-1] == "pan"
        assert file["records"]["kind"][0].decode() == "twin"
        assert file["records"]["coarse_truth"].tolist() == [True, False, True, False]


def total(store, index):
    """In another process."""
    return float(np.nansum(store.read(index)[1])), len(store.records)


def test_in_other_processes(path):
    store = PairStore(path)
    expected = [float(np.nansum(store.read(n)[1])) for n in range(4)]
    with ProcessPoolExecutor(2, get_context("fork")) as pool:
        found = list(pool.map(total, [store] * 4, range(4)))
    assert found == [(value, 4) for value in expected]
    copy = pickle.loads(pickle.dumps(store))
    np.testing.assert_array_equal(copy.read(2)[0], store.read(2)[0])


def test_joined_is_the_same_as_written_at_once(tmp_path, path):
    parts = [make(tmp_path / "a.h5", (0,)), make(tmp_path / "b.h5", ())]
    parts.append(make(tmp_path / "c.h5", (1, 2, 3)))
    assert join_stores(tmp_path / "all.h5", HEADER, parts) == 4
    with PairStore(tmp_path / "all.h5") as joined, PairStore(path) as store:
        assert repr(joined.records) == repr(store.records)
        for n in range(4):
            for left, right in zip(joined.read(n), store.read(n), strict=True):
                np.testing.assert_array_equal(left, right)
    other = tmp_path / "other.h5"
    write_store(other, Header(48, {}), ())
    with pytest.raises(DatasetError, match=r"other\.h5: found pairs of 48 pixels"):
        join_stores(tmp_path / "no.h5", HEADER, [other])
    assert not (tmp_path / "no.h5").exists()


def change(path, what):
    with h5py.File(path, "r+") as file:
        what(file)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda p: p.unlink(), "no such file; expected a pair store; run MakePairs"),
        (lambda p: p.write_bytes(p.read_bytes()[:-2000]), "what HDF5 cannot read"),
        (
            lambda p: change(p, lambda f: f.attrs.modify("format", "nndacss samples")),
            "format 'nndacss samples'; expected format 'nndacss pairs'",
        ),
        (lambda p: change(p, lambda f: f.attrs.modify("version", 2)), "version 2 of the format"),
        (lambda p: change(p, lambda f: f.pop("target")), "nothing under target"),
        (lambda p: change(p, lambda f: f["target"].resize(3, axis=0)), r"target \(3, 6, 24, 24\)"),
        (
            lambda p: change(p, lambda f: f.attrs.modify("roles", '["red"]')),
            "roles red; expected blue, green",
        ),
    ],
)
def test_damage_is_found_on_opening(path, damage, message):
    damage(path)
    with pytest.raises(DatasetError, match=r"pairs\.h5: found .*" + message):
        PairStore(path)


def test_a_flipped_bit_is_found_on_reading(path):
    with h5py.File(path) as file:
        place = file["target"].id.get_chunk_info(2).byte_offset
    data = bytearray(path.read_bytes())
    data[place + 100] ^= 4
    path.write_bytes(bytes(data))
    store = PairStore(path)
    store.read(1)
    with pytest.raises(DatasetError, match=r"pairs\.h5: found what HDF5 cannot read"):
        store.read(2)
