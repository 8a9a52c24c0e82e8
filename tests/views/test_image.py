"""Images on the 10 m grid, the network over them, and windows of them."""

import numpy as np
import pytest

from nndacss.datasets import Dataset, Sample
from nndacss.errors import DatasetError
from nndacss.models.harmonizer import Harmonizer
from nndacss.pairs.lattice import tens
from nndacss.sensors import REFLECTIVE
from nndacss.views import archive, harmonized
from nndacss.views.image import Image, windows
from tests.models.small_harmonizer import small_harmonizer


class Ramp(Dataset):
    """One image whose bands rise by 0.01 a column and by 0.02 a row; labels by column."""

    changes: dict = {}  # noqa: RUF012 - a field

    def names(self):
        return ("ramp",)

    def scene(self, name):
        return "here"

    def fingerprint(self):
        return {}

    def load(self, name):
        rows, columns = np.mgrid[0:20, 0:30].astype(np.float32)
        plane = 0.01 * columns + 0.02 * rows
        values = {
            "name": name,
            "scene": "here",
            "pixels": np.stack([plane + 0.1 * n for n in range(6)]).astype(np.float32),
            "roles": REFLECTIVE,
            "sets": np.where(columns < 10, 8, np.where(columns < 20, 7, 0)).astype(np.uint16),
            "sensor": "landsat8_oli",
            "level": "TOA",
            "metres": 30.0,
            "sun": None,
        }
        return Sample(**(values | self.changes))


def test_an_archive_on_10_m():
    image = archive.image(Ramp(), "ramp")
    assert image.inputs.shape == (7, 59, 89)
    # the first 10 m pixel begins 5 m inside the first 30 m pixel, whose centre is 15 m in
    where = (5 + 10 * np.arange(59) + 5 - 15) / 30, (5 + 10 * np.arange(89) + 5 - 15) / 30
    expected = 0.02 * where[0][:, None] + 0.01 * where[1]
    inside = np.s_[5:-5, 5:-5]
    np.testing.assert_allclose(image.inputs[2][inside], 0.2 + expected[inside], atol=1e-5)
    assert np.isfinite(image.inputs[:6]).all()
    assert np.isnan(image.inputs[6]).all()
    columns = np.floor((10 + 10 * np.arange(89)) / 30)
    edge = (10 + 10 * np.arange(89)) % 30 == 0
    truth = np.where(columns < 10, 8, np.where(columns < 20, 7, 0))
    assert (image.sets[:, ~edge] == truth[~edge]).all()
    assert (image.level, image.scene, image.sun) == ("TOA", "here", None)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sensor": "sentinel2_msi"}, "ramp: found sentinel2_msi; expected a Landsat image"),
        ({"metres": 20.0}, "ramp: found pixels of 20 m; expected Landsat's own, 30 m"),
        (
            {"roles": ("blue", "green", "red", "nir", "swir16", "swir22")},
            "ramp: found no nir08; expected bands blue, green",
        ),
    ],
)
def test_images_that_are_not_landsats(changes, message):
    with pytest.raises(DatasetError, match=message):
        archive.image(Ramp(changes=changes), "ramp")


def image(rows=130, columns=100, margin=0):
    """Noise on a lattice whose corner is no whole cell of the network."""
    rng = np.random.default_rng(2)
    inputs = rng.uniform(0.05, 0.4, (7, rows, columns)).astype(np.float32)
    inputs[3, 40:44, 50:55] = np.nan
    inputs[6, :20] = np.nan
    sets = np.full((rows, columns), 1, dtype=np.uint16)
    sets[60:70, 60:70] = 8
    return Image(
        "a", "s", inputs, sets, tens(500070, 4000010, rows, columns), margin, "SR", "", None
    )


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    return Harmonizer([small_harmonizer(tmp_path_factory.mktemp("weights"))])


def test_the_network_sees_the_image_the_same_however_it_is_cut(network, monkeypatch):
    given = image()
    whole = harmonized.harmonized(network, given)
    monkeypatch.setattr(harmonized, "BLOCK", 37)
    np.testing.assert_allclose(harmonized.harmonized(network, given), whole, atol=1e-6)
    missing = np.isnan(given.inputs[:6]).any(axis=0)
    assert (np.isnan(whole) == missing).all()


def test_the_network_sees_the_very_pixels(network):
    """By hand: the image, framed so that its cells of 60 m lie on the lattice, run at once."""
    given = image()
    # row -400001 and column 50007 of the lattice: 1 and 3 pixels behind a multiple of 6
    top, left = 48 + 1, 48 + 3
    frame = np.full((1, 7, 228, 204), np.nan, dtype=np.float32)
    frame[0, :, top : top + 130, left : left + 100] = given.inputs
    expected = network(frame)[0, :6, top : top + 130, left : left + 100]
    found = harmonized.harmonized(network, given)
    seen = np.isfinite(found)
    np.testing.assert_allclose(found[seen], expected[seen], atol=1e-6)


def test_windows_end_with_the_image_and_leave_the_margin(network):
    given = image(margin=10)
    after = given.inputs[:6] + 1
    found = list(windows(given, after, 48))
    assert [(w.row, w.column) for w in found] == [
        (row, column) for row in (0, 48, 62) for column in (0, 32)
    ]
    window = found[-1]
    np.testing.assert_array_equal(window.landsat, given.inputs[:6, 72:120, 42:90])
    np.testing.assert_array_equal(window.harmonized, after[:, 72:120, 42:90])
    assert not found[0].sets[30:34, 40:45].any()  # a band is missing there
    assert (found[0].sets == 8).sum() == 0
    assert {int(v) for w in found for v in np.unique(w.sets)} == {0, 1, 8}


def test_small_images_are_filled_and_unlabelled_windows_left_out():
    given = image(rows=40, columns=40)
    (window,) = windows(given, given.inputs[:6], 96)
    assert np.isnan(window.landsat[:, 40:]).all()
    assert not window.sets[:, 40:].any()
    given.sets[:] = 0
    assert list(windows(given, given.inputs[:6], 96)) == []
