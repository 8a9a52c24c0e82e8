"""How sure a label is goes with it: cut, reduced, stored, joined."""

import numpy as np
import pytest

from nndacss.datasets import Sample
from nndacss.errors import DatasetError
from nndacss.samples.cut import pieces, reduced
from nndacss.samples.layout import Header, Record
from nndacss.samples.store import SampleStore
from nndacss.samples.write import join_stores, write_store


def image(weight=None, size=(40, 64)):
    sets = np.full(size, 2, dtype=np.uint16)
    pixels = np.full((1, *size), 0.2, dtype=np.float32)
    return Sample("a", "a", pixels, ("red",), sets, "s", "SR", 10.0, None, weight=weight)


def record(sets):
    return Record("d", "a", "a", 0, 0, 10.0, "SR", "s", None, int((sets != 0).sum()), (0, 0))


def test_windows_and_reduced_images_take_their_weights_along():
    weight = np.arange(40 * 64, dtype=np.float32).reshape(40, 64) / 4000
    first, second, *_ = pieces(image(weight), 32)
    np.testing.assert_array_equal(first.weight, weight[:32, :32])
    np.testing.assert_array_equal(second.weight, weight[:32, 32:])
    coarse = reduced(image(weight), 20.0)
    np.testing.assert_allclose(coarse.weight[3, 5], weight[6:8, 10:12].mean(), rtol=1e-6)
    assert next(iter(pieces(image(), 32))).weight is None


def test_a_window_beyond_the_image_weighs_nothing():
    piece = next(iter(pieces(image(np.ones((20, 20), dtype=np.float32), (20, 20)), 32)))
    assert piece.weight.sum() == 400
    assert not piece.weight[20:].any()


def test_a_weighted_store_there_and_back(tmp_path):
    header = Header(("red",), "climate", ("clear", "cloud"), 32, {}, weighted=True)
    sets = np.full((32, 32), 2, dtype=np.uint16)
    pixels = np.full((1, 32, 32), 0.2, dtype=np.float32)
    weight = np.linspace(0, 1, 1024, dtype=np.float32).reshape(32, 32)
    write_store(tmp_path / "a.h5", header, [(pixels, sets, record(sets), weight)])
    write_store(tmp_path / "b.h5", header, [(pixels, sets, record(sets))])
    join_stores(tmp_path / "c.h5", header, [tmp_path / "a.h5", tmp_path / "b.h5"])
    with SampleStore(tmp_path / "c.h5") as store:
        assert store.weighted
        np.testing.assert_allclose(store.weight(0), 100 * weight, atol=0.5)
        assert (store.weight(1) == 100).all()
        np.testing.assert_array_equal(store.read(1)[1], sets)
    plain = Header(("red",), "climate", ("clear", "cloud"), 32, {})
    write_store(tmp_path / "d.h5", plain, [(pixels, sets, record(sets), weight)])
    with SampleStore(tmp_path / "d.h5") as store:
        assert store.weight(0) is None
    with pytest.raises(DatasetError, match=r"d\.h5"):
        join_stores(tmp_path / "e.h5", header, [tmp_path / "d.h5"])
