"""The mask bank's stage: what is kept of which source, and whole or absent."""

import numpy as np
import pytest

from nndacss.errors import DatasetError, SettingsError
from nndacss.inpaint.bank import MaskBank
from nndacss.inpaint.options import PaintOptions
from nndacss.inpaint.painter import Painter, Patch
from nndacss.mask_bank import stage
from nndacss.mask_bank.plan import mask_bank_order
from nndacss.mask_bank.settings import MaskBankSettings
from nndacss.sensors import REFLECTIVE
from tests.inpaint.banks import blobs, write_raster
from tests.inpaint.scenes import X
from tests.stages import begun, stop_and_go_on

TWIN = {"kind": "twin", "first": 1, "count": 2, "side": 128, "metres": [30]}


@pytest.fixture
def masks(tmp_path):
    """Nineteen masks: eighteen of clouds, and one that covers next to nothing."""
    for number in range(18):
        write_raster(tmp_path / "masks" / f"{number:02d}" / "cloud.tif", blobs(number, (90, 80), 4))
    speck = np.zeros((90, 80))
    speck[3, 3] = 1
    write_raster(tmp_path / "masks" / "speck.tif", speck)
    return tmp_path / "masks"


def order(folder, *sources, **options):
    settings = MaskBankSettings(
        sources=({"kind": "masks", "folder": str(folder)}, *sources), **options
    )
    return mask_bank_order({"mask_bank": settings})


def made(order, root):
    context = begun(order, root)
    told = stage.make_bank(context)
    return told, MaskBank(context.folder / "mask_bank.h5")


def test_masks_of_a_folder_and_of_labelled_images(masks, tmp_path):
    told, bank = made(order(masks, TWIN), tmp_path / "work")
    assert told["cloud"] >= 19
    assert told["pairs"] == len(bank.pairs) > 0
    kinds = [record.kind for record in bank.records]
    assert kinds[:18] == ["cloud"] * 18
    assert kinds.count("pair_cloud") == kinds.count("pair_shadow") == told["pairs"]
    np.testing.assert_array_equal(bank.distances(3, 0, 0, (90, 80)) > 0, blobs(3, (90, 80), 4))
    bank.check(("cloud",), pairs=True)


def test_masks_are_kept_by_their_size(masks, tmp_path):
    areas = np.array([blobs(number, (90, 80), 4).sum() * 400 / 1e6 for number in range(18)])
    _, bank = made(order(masks, smallest=0.3, largest=0.6), tmp_path / "work")
    assert len(bank.records) == ((areas >= 0.3) & (areas <= 0.6)).sum() > 0
    # files without a grid are of the pixel size that the source says
    coarse = order(masks).recipe.settings["mask_bank"]["sources"]
    assert coarse == [{"kind": "masks"}]


def test_without_pairs_none_are_looked_for(masks, tmp_path):
    told, bank = made(order(masks, TWIN, pairs=False), tmp_path / "work")
    assert told["pairs"] == 0
    assert bank.pairs == ()


def test_a_killed_harvest_goes_on(masks, tmp_path, monkeypatch):
    whole = begun(order(masks), tmp_path / "whole")
    stage.make_bank(whole)
    broken = begun(order(masks), tmp_path / "broken")
    first, then = stop_and_go_on(
        monkeypatch, stage, "harvest_part", stage.make_bank, broken, after=1
    )
    assert (len(first), len(then)) == (1, 2)
    bank = (broken.folder / "mask_bank.h5").read_bytes()
    assert bank == (whole.folder / "mask_bank.h5").read_bytes()


def test_a_recipe_knows_the_masks_and_not_their_place(masks, tmp_path):
    before = order(masks).recipe.digest
    masks.rename(tmp_path / "moved")
    assert order(tmp_path / "moved").recipe.digest == before
    write_raster(tmp_path / "moved" / "05" / "cloud.tif", blobs(99, (90, 80), 4))
    assert order(tmp_path / "moved").recipe.digest != before


def test_sources_that_give_nothing(masks, tmp_path):
    with pytest.raises(DatasetError, match="expected masks covered to"):
        made(order(masks, smallest=900.0), tmp_path / "work")
    assert not list((tmp_path / "work").rglob("mask_bank.h5"))
    with pytest.raises(DatasetError, match=r"nowhere: found no such folder"):
        order(tmp_path / "nowhere")
    write_raster(masks / "z.tif", np.full((9, 9), 7))
    with pytest.raises(DatasetError, match=r"z\.tif: found values 7"):
        made(order(masks), tmp_path / "other")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"covered": (0.5, 0.1)}, "covered must be two rising shares"),
        ({"smallest": 3.0, "largest": 2.0}, "smallest must not be above largest"),
        ({"sources": ({"kind": "masks"}, {"kind": "masks"})}, "two sources are called 'masks'"),
    ],
)
def test_settings_that_mean_nothing(options, message):
    with pytest.raises(ValueError, match=message):
        MaskBankSettings(**options)


def test_a_source_without_its_folder():
    settings = MaskBankSettings(sources=({"kind": "masks"},))
    with pytest.raises(SettingsError, match=r"\[\[mask_bank.sources\]\] masks: found no folder"):
        mask_bank_order({"mask_bank": settings})


def test_masks_may_be_larger_than_the_patch(masks, tmp_path):
    _, bank = made(order(masks), tmp_path / "work")
    painter = Painter(bank, PaintOptions(modes=("clouds_on_empty",), cover=(0.3, 0.5)))
    pixels, sets = np.full((6, 32, 32), 0.2, np.float32), np.ones((32, 32), np.uint16)
    patch = Patch(pixels, sets, REFLECTIVE, 10.0, (45.0, 100.0))
    done = painter.paint_batch([patch] * 9, [np.random.default_rng(n) for n in range(9)])
    assert max((one.sets == X).mean() for one in done) > 0.2
