"""The judge of painted clouds, and the contact sheet: what they say of what is known."""

import numpy as np
import pytest
from PIL import Image

from nndacss.errors import DatasetError
from nndacss.inpaint.bank import MaskBank
from nndacss.inpaint.options import NAMES, PaintOptions
from nndacss.inpaint.painter import Painter
from nndacss.inpaint.realism import SIDE, Found, auc, borders, judged, realism
from nndacss.inpaint.sheet import difference, main
from nndacss.samples.store import SampleStore
from nndacss.sensors import REFLECTIVE
from tests.inpaint.scenes import pair_bank
from tests.inpaint.test_stage import make_samples

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sheet")
    make_samples(folder / "samples.h5")
    return folder / "samples.h5", pair_bank(folder / "bank.h5")


def found(rng, painted, number):
    """Noise; what is painted has an even square of a brightness."""
    pixels = rng.normal(0.3, 0.1, (2, SIDE, SIDE)).astype(np.float32)
    if painted:
        pixels[:, 8:30, 8:30] = number
    return Found(pixels, painted, f"scene-{rng.integers(9)}")


def test_the_judge_finds_what_is_there_and_not_what_is_not(monkeypatch):
    monkeypatch.setattr("nndacss.inpaint.realism.EPOCHS", 6)
    rng = np.random.default_rng(0)
    flat = [found(rng, number % 2 == 0, 0.3) for number in range(72)]
    assert judged(flat, 0) > 0.95
    same = [
        Found(one.pixels, number % 2 == 0, one.scene)
        for number, one in enumerate(found(rng, painted=False, number=0) for _ in range(72))
    ]
    assert 0.3 < judged(same, 0) < 0.7


def test_auc_by_hand():
    positive = np.array([True, False, True, False])
    assert auc(np.array([0.9, 0.1, 0.8, 0.2], np.float32), positive) == 1
    assert auc(np.array([0.1, 0.9, 0.2, 0.8], np.float32), positive) == 0
    assert auc(np.zeros(4, np.float32), positive) == 0.5


def test_patches_show_a_border_and_no_missing_pixels():
    pixels = np.zeros((6, 128, 128), np.float32)
    pixels[:, :, :10] = np.nan
    cloud = np.zeros((128, 128), bool)
    cloud[:, 70:] = True
    parts = borders(pixels + cloud, cloud, np.random.default_rng(0))
    assert parts
    for part in parts:
        assert part.shape == (6, SIDE, SIDE)
        assert 0.1 < part.mean() < 0.9
    assert borders(pixels, np.zeros_like(cloud), np.random.default_rng(0)) == []


def test_too_few_patches_are_no_score(files):
    with SampleStore(files[0]) as store:
        painter = Painter(MaskBank(files[1]), PaintOptions(modes=NAMES))
        with pytest.raises(DatasetError, match="at least 20 of each"):
            realism(store, painter, 0)


def test_a_page_and_a_picture(files, tmp_path, capsys):
    store, bank = (str(file) for file in files)
    assert main([store, bank, str(tmp_path / "page.html"), "--rows", "1"]) == 0
    page = (tmp_path / "page.html").read_text()
    assert all(f"<h2>{name}</h2>" in page for name in (*NAMES, "free"))
    assert page.count("data:image/png") == 5 * 7
    picture = [store, bank, str(tmp_path / "a.png"), "--rows", "2", "--modes", "snow_on_empty"]
    assert main(picture) == 0
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == (5 * 64 + 4 * 6, 2 * (64 + 16 + 6))
    assert main([store, str(tmp_path / "none.h5"), str(tmp_path / "b.png")]) == 1
    assert "none.h5" in capsys.readouterr().err
    assert not (tmp_path / "b.png").exists()


def test_differences_are_grey_where_nothing_changed():
    before = np.full((6, 2, 2), 0.2, np.float32)
    after = before.copy()
    after[2, 0, 0] += 0.4  # red
    after[0, 1, 1] = np.nan
    shown = difference(before, after, REFLECTIVE)
    assert shown[0, 0].tolist() == [255, 128, 128]
    assert shown[1, 1].tolist() == [128, 128, 128]
