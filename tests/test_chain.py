"""Which edit gives which stage's result another name, and which does not."""

import os
import shutil
import tarfile

import pytest

from nndacss.chain import STAGES, plan
from nndacss.settings import load_settings
from nndacss.simulate.landsat import write_landsat


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    return write_landsat(tmp_path_factory.mktemp("scenes"), seed=1, rows=40, columns=40)


def digests(scene, *overrides, l1=None):
    planned = plan(scene, l1, load_settings(None, overrides))
    return {stage: order.recipe.digest for stage, order in planned.orders.items()}


@pytest.mark.parametrize(
    ("override", "renamed"),
    [
        ("tile.grid=landsat", {"mask", "harmonize", "product"}),
        ("tile.window=256", {"mask", "harmonize", "product"}),
        ("mask.dilated=true", {"mask", "product"}),
        ("harmonize.target=sentinel-2b", {"harmonize", "product"}),
        ('harmonize.roles=["blue", "green", "red"]', set(STAGES)),
        ("product.mask_format=scl", {"product"}),
        ("mask.dilated=false", set()),  # the default, said aloud
        ("tile.grid=s2", set()),
    ],
)
def test_settings(pair, override, renamed):
    before, after = digests(pair.l2), digests(pair.l2, override)
    assert {stage for stage in STAGES if before[stage] != after[stage]} == renamed


def test_place_time_and_packing_do_not_count(pair, tmp_path):
    folders = [pair.l2, pair.l1]
    for folder in folders:
        copy = tmp_path / "copy" / folder.name
        shutil.copytree(folder, copy)
        for file in copy.iterdir():
            os.utime(file, (0, 0))
        (copy / "notes.txt").write_text("not part of the product")
        (tmp_path / "tar").mkdir(exist_ok=True)
        with tarfile.open(tmp_path / "tar" / f"{folder.name}.tar", "w") as tar:
            for file in sorted(folder.iterdir(), reverse=True):
                tar.add(file, file.name)
    expected = digests(pair.l2)
    assert digests(tmp_path / "copy" / pair.l2.name) == expected
    assert digests(tmp_path / "tar" / f"{pair.l2.name}.tar") == expected


@pytest.mark.parametrize("change", ["metadata", "size", "no l1"])
def test_another_product_is_another_result(pair, tmp_path, change):
    copy = tmp_path / pair.l2.name
    shutil.copytree(pair.l2, copy)
    if change != "no l1":
        shutil.copytree(pair.l1, tmp_path / pair.l1.name)
    if change == "metadata":
        (mtl,) = copy.glob("*_MTL.txt")
        mtl.write_text(mtl.read_text().replace("SUN_ELEVATION = ", "SUN_ELEVATION =  "))
    if change == "size":
        (band,) = copy.glob("*_SR_B4.TIF")
        with band.open("ab") as file:
            file.write(b"\0")
    before, after = digests(pair.l2), digests(copy)
    assert not {stage for stage in STAGES if before[stage] == after[stage]}


def test_the_sibling_is_found_and_its_absence_told(pair, tmp_path):
    found = plan(pair.l2, None, load_settings(None))
    assert found.l1 is not None
    assert found.l1.name == pair.l1.name
    assert found.losses == ()
    copy = tmp_path / pair.l2.name
    shutil.copytree(pair.l2, copy)
    alone = plan(copy, None, load_settings(None))
    assert alone.l1 is None
    assert "no pan band" in alone.losses[0]
    unsharpened = plan(copy, None, load_settings(None, ["harmonize.sharpen=false"]))
    assert unsharpened.losses == ()


def test_the_level_is_in_the_recipe(pair):
    levels = {
        plan(path, None, load_settings(None)).orders["mask"].recipe.level
        for path in (pair.l1, pair.l2)
    }
    assert levels == {"TOA", "SR"}
