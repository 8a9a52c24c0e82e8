"""Cutting: every labelled pixel once, at the working pixel."""

import numpy as np
import pytest

from nndacss.datasets import Sample
from nndacss.datasets.tiles import most_frequent
from nndacss.errors import DatasetError
from nndacss.models.mask_model import block_mean
from nndacss.samples.cut import arranged, average, pieces, reduced


def sample(rows, columns, roles=("red",), metres=30.0, sets=None):
    """Band b has the value b + row / 100 + column / 10000."""
    place = np.arange(rows)[:, None] / 100 + np.arange(columns) / 10000
    pixels = (np.arange(len(roles))[:, None, None] + place).astype(np.float32)
    labels = np.ones((rows, columns), np.uint16) if sets is None else np.asarray(sets, np.uint16)
    return Sample("a", "s", pixels, roles, labels, "landsat8_oli", "TOA", metres, None)


@pytest.mark.parametrize("size", [(64, 64), (100, 70), (65, 64), (40, 130), (7, 9)])
def test_every_label_once_when_windows_do_not_overlap(size):
    image = sample(*size)
    times = np.zeros(size, int)
    for piece in pieces(image, 32):
        assert piece.pixels.shape == (1, 32, 32)
        assert piece.sets.shape == (32, 32)
        rows, columns = min(32, size[0]), min(32, size[1])
        place = np.s_[piece.row : piece.row + rows, piece.column : piece.column + columns]
        np.testing.assert_array_equal(piece.pixels[:, :rows, :columns], image.pixels[:, *place])
        assert np.isnan(piece.pixels[:, rows:]).all()
        assert np.isnan(piece.pixels[:, :, columns:]).all()
        assert not piece.sets[rows:].any()
        assert not piece.sets[:, columns:].any()
        times[place] += piece.sets[:rows, :columns] != 0
    assert (times == 1).all()


def test_the_last_window_ends_with_the_image():
    assert [(p.row, p.column) for p in pieces(sample(80, 32), 32)] == [(0, 0), (32, 0), (48, 0)]


def test_overlapping_windows_keep_their_labels():
    cut = list(pieces(sample(64, 32), 32, 16))
    assert [piece.row for piece in cut] == [0, 16, 32]
    assert all((piece.sets == 1).all() for piece in cut)


def test_windows_without_label_are_left_out():
    sets = np.zeros((32, 64))
    sets[0, 40] = 8
    assert [piece.column for piece in pieces(sample(32, 64, sets=sets), 32)] == [32]


def test_what_no_band_sees_has_no_label():
    image = sample(32, 32, ("red", "nir08"))
    image.pixels[:, 0, 0] = np.nan
    image.pixels[0, 0, 1] = np.nan
    (piece,) = pieces(image, 32)
    assert piece.sets[0, :3].tolist() == [0, 1, 1]


def test_fine_images_are_averaged():
    image = sample(4, 6, ("red",), metres=10.0)
    image.pixels[0, 0, 0] = np.nan
    coarse = reduced(image, 20)
    assert coarse.metres == 20
    assert coarse.pixels.shape == (1, 2, 3)
    # the mean of 0.0001, 0.01 and 0.0101: the missing one does not count
    assert coarse.pixels[0, 0, 0] == pytest.approx(0.0202 / 3)
    assert coarse.pixels[0, 1, 2] == pytest.approx(np.mean([0.0204, 0.0205, 0.0304, 0.0305]))


@pytest.mark.parametrize(("metres", "factor"), [(5, 4), (10, 2), (15, 1), (20, 1), (30, 1)])
def test_factor(metres, factor):
    assert reduced(sample(8, 8, metres=float(metres)), 20).sets.shape == (8 // factor,) * 2


def test_remainders_are_left_out():
    assert reduced(sample(5, 7, metres=10.0), 20).pixels.shape == (1, 2, 3)


def test_all_missing_stays_missing():
    assert np.isnan(average(np.full((1, 2, 2), np.nan, np.float32), 2)).all()


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ([[8, 8], [8, 1]], 8),  # three of four
        ([[8, 8], [1, 1]], 9),  # as many of each: it may be either
        ([[8, 2], [1, 4]], 15),
        ([[8, 0], [0, 8]], 8),  # half is labelled
        ([[8, 0], [0, 0]], 0),  # less than half is
        ([[8, 0], [0, 1]], 9),
        ([[5, 5], [1, 8]], 5),  # clear or snow is the most frequent set
        ([[0, 0], [0, 0]], 0),
    ],
)
def test_sets_of_coarse_pixels(block, expected):
    found = most_frequent(np.array(block, np.uint16), 2)
    assert found.dtype == np.uint16
    assert found.tolist() == [[expected]]


def test_most_frequent_against_counting_by_hand():
    draw = np.random.default_rng(1).choice(np.array([0, 1, 2, 5, 8], np.uint16), (9, 12))
    found = most_frequent(draw, 3)
    for row in range(3):
        for column in range(4):
            block = draw[3 * row : 3 * row + 3, 3 * column : 3 * column + 3].ravel().tolist()
            counts = {value: block.count(value) for value in set(block) - {0}}
            best = max(counts.values(), default=0)
            union = sum(
                1 << bit
                for bit in range(4)
                if any(v >> bit & 1 for v, n in counts.items() if n == best)
            )
            assert found[row, column] == (union if sum(counts.values()) >= 4.5 else 0)


def test_bands_by_role():
    image = sample(2, 2, ("nir", "red"))
    found = arranged(image, ("red", "nir08", "swir16"), nir_as_nir08=True)
    assert found.roles == ("red", "nir08", "swir16")
    assert found.pixels[:2, 0, 0].tolist() == [1, 0]
    assert np.isnan(found.pixels[2]).all()


def test_nir_stands_for_nir08_only_when_asked_and_needed():
    assert np.isnan(arranged(sample(2, 2, ("nir", "red")), ("red", "nir08"), False).pixels[1]).all()
    both = arranged(sample(2, 2, ("nir", "nir08")), ("nir08",), nir_as_nir08=True)
    assert both.pixels[0, 0, 0] == 1


def test_no_band_at_all():
    with pytest.raises(DatasetError, match="found bands pan; expected any of red, green"):
        arranged(sample(2, 2, ("pan",)), ("red", "green"), nir_as_nir08=True)


@pytest.mark.parametrize("factor", [2, 3])
def test_training_sees_the_pixels_that_prediction_sees(factor):
    draw = np.random.default_rng(3)
    pixels = draw.uniform(0, 1, (3, 12, 18)).astype(np.float32)
    pixels[draw.random(pixels.shape) < 0.4] = np.nan
    np.testing.assert_allclose(average(pixels, factor), block_mean(pixels, factor), rtol=1e-6)
