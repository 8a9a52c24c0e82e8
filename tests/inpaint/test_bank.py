"""The bank: what it was built of comes back, windows lie anywhere, bad files are named."""

import pickle
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest
from scipy import ndimage

from nndacss.errors import DatasetError
from nndacss.inpaint import bank as bank_module
from nndacss.inpaint.bank import MaskBank, main
from nndacss.inpaint.harvest import block_cover, build_bank, signed_distance
from nndacss.samples.store import SampleStore
from tests.inpaint.banks import blobs, make_bank, write_raster
from tests.train.stores import make_store


def whole(bank, index):
    record = bank.records[index]
    return bank.distances(index, 0, 0, (record.rows, record.columns))


def test_masks_come_back_to_the_pixel(bank):
    assert [record.kind for record in bank.records] == ["cloud"] * 5 + ["snow"]
    for index in range(4):
        np.testing.assert_array_equal(whole(bank, index) > 0, blobs(index))
        assert bank.records[index].covered == pytest.approx(blobs(index).mean())
        assert bank.records[index].metres == 20.0
    # what is both is cloud: the raster holds one code a pixel
    np.testing.assert_array_equal(whole(bank, 5) > 0, blobs(92) & ~blobs(91))


def test_distances_are_those_to_the_outline(bank):
    mask = blobs(2)
    true = np.where(
        mask,
        ndimage.distance_transform_edt(mask) - 0.5,
        0.5 - ndimage.distance_transform_edt(~mask),
    )
    within = np.abs(true) < 90
    found = whole(bank, 2)[within]
    # a code is a step of 1 / 27.5 of the distance and one pixel
    assert np.all(np.abs(found - true[within]) <= 0.019 * (1 + np.abs(true[within])))


def test_beyond_its_border_a_mask_is_mirrored(bank):
    inside = whole(bank, 1)
    padded = np.pad(inside, ((50, 40), (60, 70)), mode="symmetric")
    np.testing.assert_array_equal(bank.distances(1, -50, -60, padded.shape), padded)
    # across several mirrors
    tiled = np.pad(inside, ((0, 450), (0, 0)), mode="symmetric")
    np.testing.assert_array_equal(bank.distances(1, 350, 10, (300, 50)), tiled[350:650, 10:60])


@pytest.mark.parametrize(("kept", "small"), [(2**28, 2**22), (2**28, 1000), (170_000, 2**22)])
def test_what_stays_in_memory_changes_nothing(bank, kept, small, monkeypatch):
    """All five masks of 36,000 pixels kept, none since they count as large, or four."""
    windows = [(0, 0, (256, 256)), (40, 7, (30, 90)), (-50, -60, (346, 386)), (350, 10, (300, 50))]
    expected = [bank.distances(n, *window) for n in range(5) for window in windows]
    monkeypatch.setattr(bank_module, "KEPT", kept)
    monkeypatch.setattr(bank_module, "SMALL", small)
    other = MaskBank(bank.path)
    for _ in range(2):
        found = [other.distances(n, *window) for n in range(5) for window in windows]
        for one, two in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one, two)
        assert other._size == sum(codes.nbytes for codes in other._kept.values()) <= kept
    assert len(other._kept) == {2**28: 5, 170_000: 4}[kept] * (small > 36_000)
    assert not pickle.loads(pickle.dumps(other))._kept


def test_block_cover():
    mask = np.zeros((20, 33), bool)
    mask[:4, :16] = True
    mask[16:, 32] = True
    assert block_cover(mask).tolist() == [[64, 0, 0], [0, 0, 255]]


def test_places_are_near_the_cover_asked_for(bank):
    rng = np.random.default_rng(0)
    for wanted, low, high in ((0.02, 0.0, 0.12), (0.5, 0.25, 0.8)):
        shares = []
        for _ in range(40):
            spot = bank.pick("cloud", 1000.0, wanted, rng)
            top, left = round(spot.row) - 25, round(spot.column) - 25
            shares.append((bank.distances(spot.index, top, left, (50, 50)) > 0).mean())
        assert low <= np.median(shares) <= high


def test_squares_stay_inside_where_the_mask_is_large_enough(bank):
    rng = np.random.default_rng(1)
    for _ in range(50):
        spot = bank.pick("cloud", 2000.0, 0.1, rng)  # 100 pixels, 141 when turned
        assert 70.7 <= spot.row <= 200 - 70.7
        assert 70.7 <= spot.column <= 180 - 70.7


def sums(bank):
    return float(bank.distances(0, 0, 0, (60, 60)).sum())


def test_it_goes_to_other_processes(bank):
    with ProcessPoolExecutor(1) as pool:
        assert pool.submit(sums, bank).result() == sums(bank)
    assert sums(pickle.loads(pickle.dumps(bank))) == sums(bank)


def test_samples_give_their_single_labels(tmp_path):
    store = make_store(tmp_path / "samples.h5", counts=(("twin", 2),))
    counts = build_bank([store], tmp_path / "bank.h5")
    assert counts == {"cloud": 2, "snow": 2}
    bank = MaskBank(tmp_path / "bank.h5")
    _, sets = SampleStore(store).read(1)
    np.testing.assert_array_equal(whole(bank, 2) > 0, sets == 8)
    np.testing.assert_array_equal(whole(bank, 3) > 0, sets == 4)
    assert bank.records[2].metres == 30.0


def test_the_same_masks_give_the_same_file(tmp_path, bank):
    assert make_bank(tmp_path).read_bytes() == bank.path.read_bytes()


def test_a_class_without_masks(tmp_path):
    write_raster(tmp_path / "in" / "a.tif", blobs(1))
    build_bank([tmp_path / "in"], tmp_path / "bank.h5")
    with pytest.raises(DatasetError, match=r"bank\.h5: found no mask of snow among 1"):
        MaskBank(tmp_path / "bank.h5").members("snow")


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        (np.array([[0, 1, 2]]), r"a\.tif: found values 0, 1, 2"),
        (np.array([[3, 7]]), r"a\.tif: found values 3, 7"),
        (np.zeros((40, 40)), "found none; expected masks covered to 0.002"),
        (np.ones((40, 40)), "found none; expected masks covered to 0.002"),
    ],
)
def test_sources_that_give_nothing(tmp_path, codes, message):
    write_raster(tmp_path / "in" / "a.tif", codes)
    with pytest.raises(DatasetError, match=message):
        build_bank([tmp_path / "in"], tmp_path / "bank.h5")
    assert not list(tmp_path.glob("*bank*"))


def test_files_that_are_no_bank(tmp_path, bank):
    with pytest.raises(DatasetError, match="no such file"):
        MaskBank(tmp_path / "none.h5")
    cut = tmp_path / "cut.h5"
    cut.write_bytes(bank.path.read_bytes()[:3000])
    with pytest.raises(DatasetError, match=r"cut\.h5"):
        MaskBank(cut)
    other = make_store(tmp_path / "samples.h5", counts=(("twin", 1),))
    with pytest.raises(DatasetError, match="format 'nndacss samples'"):
        MaskBank(other)


def test_a_damaged_outline_is_an_error_and_no_strange_cloud(tmp_path, bank):
    content = bytearray(bank.path.read_bytes())
    place = bank._handle()["outlines/00000"].id.get_chunk_info(0).byte_offset
    content[place + 40] ^= 255
    damaged = tmp_path / "bank.h5"
    damaged.write_bytes(content)
    with pytest.raises(DatasetError, match=r"bank\.h5"):
        whole(MaskBank(damaged), 0)


def test_the_command(tmp_path, capsys):
    write_raster(tmp_path / "in" / "a.tif", blobs(1))
    assert main([str(tmp_path / "in"), str(tmp_path / "bank.h5"), "--metres", "10"]) == 0
    assert "1 of cloud, 0 of snow" in capsys.readouterr().out
    assert MaskBank(tmp_path / "bank.h5").records[0].metres == 10.0
    assert main([str(tmp_path / "nowhere"), str(tmp_path / "other.h5")]) == 1
    assert "nowhere" in capsys.readouterr().err


def test_a_mask_without_an_outline_is_an_endless_way_from_it():
    assert np.all(signed_distance(np.ones((3, 3), bool)) == np.inf)
    assert np.all(signed_distance(np.zeros((3, 3), bool)) == -np.inf)
