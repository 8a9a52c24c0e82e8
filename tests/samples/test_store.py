"""The store: what goes in comes out, to any reader, and damage is an error."""

import fcntl
import multiprocessing
import os
import pickle
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import h5py
import numpy as np
import pytest

from nndacss.errors import DatasetError
from nndacss.samples.layout import NODATA, SCALE, Header, Record
from nndacss.samples.store import SampleStore
from nndacss.samples.write import join_stores, write_store

SIDE = 32
HEADER = Header(
    roles=("red", "nir08"),
    scheme="climate",
    classes=("clear", "shadow", "snow", "cloud"),
    side=SIDE,
    recipe={"digest": "ab", "settings": {}},
)


def item(number, sun=(40.5, 150.25)):
    draw = np.random.default_rng(number)
    pixels = draw.uniform(-0.1, 1.5, (2, SIDE, SIDE)).astype(np.float32)
    pixels[draw.random(pixels.shape) < 0.1] = np.nan
    sets = draw.choice(np.array([0, 1, 5, 8], np.uint16), (SIDE, SIDE))
    counts = (int((sets == 1).sum()), 0, 0, int((sets == 8).sum()))
    labelled = int((sets > 0).sum())
    place = (7, 9, 30.0, "TOA", "landsat8_oli")
    record = Record("größe", f"n{number}", f"s{number}", *place, sun, labelled, counts)
    return pixels, sets, record


def make(path, numbers=range(5)):
    write_store(path, HEADER, (item(n, None if n == 1 else (40.5, 150.25)) for n in numbers))
    return path


@pytest.fixture
def path(tmp_path):
    return make(tmp_path / "samples.h5")


def test_what_goes_in_comes_out(path):
    with SampleStore(path) as store:
        assert len(store) == 5
        assert (store.roles, store.scheme, store.header) == (HEADER.roles, "climate", HEADER)
        for n in (3, 0, 4, 1, 2):
            pixels, sets, record = item(n, None if n == 1 else (40.5, 150.25))
            found, found_sets = store.read(n)
            assert found.dtype == np.float32
            np.testing.assert_allclose(found, pixels, atol=0.51 / SCALE)
            np.testing.assert_array_equal(np.isnan(found), np.isnan(pixels))
            np.testing.assert_array_equal(found_sets, sets)
            assert found_sets.dtype == np.uint16
            assert store.records[n] == record


def test_another_program_can_read_it(path):
    with h5py.File(path) as file:
        assert file["pixels"].dtype == np.int16
        assert file["pixels"].chunks == (1, 2, SIDE, SIDE)
        assert (file["pixels"][...] == NODATA).any()
        assert file["records"]["dataset"][0].decode() == "größe"
        assert file.attrs["format"] == "nndacss samples"


def test_unusual_values(tmp_path):
    pixels = np.zeros((2, SIDE, SIDE), np.float32)
    pixels[0, 0, :4] = np.inf, 5.0, -5.0, -3.2768
    _, sets, record = item(0)
    write_store(tmp_path / "s.h5", HEADER, [(pixels, sets, record)])
    found = SampleStore(tmp_path / "s.h5").read(0)[0][0, 0, :4]
    assert np.isnan(found[0])
    np.testing.assert_allclose(found[1:], [3.2767, -3.2767, -3.2767], rtol=1e-6)


def first_pixel(store, index):
    """In another process."""
    return float(np.nansum(store.read(index)[0])), os.getpid(), len(store.records)


@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_in_other_processes(path, method):
    store = SampleStore(path)
    expected = [float(np.nansum(store.read(n)[0])) for n in range(5)]
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(2, context) as pool:
        found = list(pool.map(first_pixel, [store] * 5, range(5)))
    assert [total for total, _, _ in found] == expected
    assert os.getpid() not in {pid for _, pid, _ in found}
    assert store.read(0)[0].shape == (2, SIDE, SIDE)


def inherited(store, connection):
    connection.send([float(np.nansum(store.read(n)[0])) for n in range(5)])


def test_a_handle_that_came_through_a_fork_is_not_used(path):
    store = SampleStore(path)
    expected = [float(np.nansum(store.read(n)[0])) for n in range(5)]
    ours, theirs = multiprocessing.Pipe()
    child = multiprocessing.get_context("fork").Process(target=inherited, args=(store, theirs))
    child.start()
    again = [float(np.nansum(store.read(n)[0])) for n in range(5)]
    assert ours.recv() == again == expected
    child.join()


def test_in_threads(path):
    store = SampleStore(path)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda n: store.read(n % 5)[1].sum(), range(20)))
    assert found == found[:5] * 4


def test_locks_do_not_matter(path):
    # a lock that a dead machine left on a shared disk, as HDF5 itself would take it
    with path.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(OSError, match="lock"):
            h5py.File(path, "r", locking=True)
        with SampleStore(path) as store:
            assert store.read(0)[1].shape == (SIDE, SIDE)


def test_pickle_is_small_and_reads_again(path):
    store = SampleStore(path)
    store.close()
    copy = pickle.loads(pickle.dumps(store))
    np.testing.assert_array_equal(copy.read(2)[1], store.read(2)[1])


def test_joined_is_the_same_as_written_at_once(tmp_path, path):
    parts = [make(tmp_path / "a.h5", (0, 1)), make(tmp_path / "b.h5", ()), tmp_path / "c.h5"]
    make(parts[2], (2, 3, 4))
    assert join_stores(tmp_path / "all.h5", HEADER, parts) == 5
    with SampleStore(tmp_path / "all.h5") as joined, SampleStore(path) as store:
        assert joined.records == store.records
        for n in range(5):
            for left, right in zip(joined.read(n), store.read(n), strict=True):
                np.testing.assert_array_equal(left, right)
    join_stores(tmp_path / "again.h5", HEADER, parts)
    assert (tmp_path / "all.h5").read_bytes() == (tmp_path / "again.h5").read_bytes()


def test_nothing_is_left_of_a_store_that_could_not_be_written(tmp_path):
    def items():
        yield item(0)
        raise DatasetError("chip 2 is damaged")

    with pytest.raises(DatasetError, match="chip 2"):
        write_store(tmp_path / "s.h5", HEADER, items())
    assert not list(tmp_path.iterdir())


def change(path, what):
    with h5py.File(path, "r+") as file:
        what(file)


def shorter(file):
    file["sets"].resize(4, axis=0)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda p: p.unlink(), "no such file; expected a sample store"),
        (lambda p: p.write_bytes(p.read_bytes()[:-2000]), "what HDF5 cannot read"),
        (lambda p: p.write_bytes(b""), "what HDF5 cannot read"),
        (lambda p: p.write_text("samples\n" * 500), "what HDF5 cannot read"),
        (
            lambda p: change(p, lambda f: f.attrs.pop("format")),
            "an HDF5 file of another program; expected format 'nndacss samples'",
        ),
        (
            lambda p: change(p, lambda f: f.attrs.modify("version", 2)),
            "version 2 of the format; expected version 1; remove it and run MakeSamples again",
        ),
        (lambda p: change(p, lambda f: f.attrs.pop("roles")), "nothing under roles"),
        (lambda p: change(p, lambda f: f.pop("sets")), "nothing under sets"),
        (lambda p: change(p, shorter), "shapes"),
    ],
)
def test_damage_is_found_on_opening(path, damage, message):
    damage(path)
    with pytest.raises(
        DatasetError, match=r"samples\.h5: found .*" + message.replace("found ", "")
    ):
        SampleStore(path)


def test_a_flipped_bit_is_found_on_reading(tmp_path, path):
    with h5py.File(path) as file:
        place = file["pixels"].id.get_chunk_info(2).byte_offset
    content = bytearray(path.read_bytes())
    content[place + 200] ^= 4
    path.write_bytes(content)
    store = SampleStore(path)
    store.read(1)
    with pytest.raises(DatasetError, match=r"samples\.h5: found what HDF5 cannot read"):
        store.read(2)
    with pytest.raises(DatasetError, match=r"samples\.h5: found what HDF5 cannot read"):
        join_stores(tmp_path / "all.h5", HEADER, [path])
    assert not (tmp_path / "all.h5").exists()


def test_parts_of_another_layout_do_not_join(tmp_path, path):
    other = Header(("red",), "climate", HEADER.classes, SIDE, {})
    with pytest.raises(DatasetError, match=r"roles \('red', 'nir08'\).*expected roles \('red',\)"):
        join_stores(tmp_path / "all.h5", other, [path])


def test_no_such_sample(path):
    with pytest.raises(IndexError, match="sample 5 of 5"):
        SampleStore(path).read(5)
