"""Which edit renames a store, and which does not; and what is refused before work."""

import subprocess
import sys

import pytest

from nndacss.errors import DatasetError, SettingsError
from nndacss.identity import load_order
from nndacss.samples.plan import build, samples_order
from nndacss.samples.settings import SamplesSettings
from tests.datasets.examples import biome, sentinel2


def order(*entries, **options):
    return samples_order({"samples": SamplesSettings(datasets=entries, **options)})


def chips(folder, **options):
    return {"kind": "biome_chips", "folder": str(folder), **options}


@pytest.fixture
def folder(tmp_path):
    return biome(tmp_path / "chips")["folder"]


def test_place_does_not_rename(folder, tmp_path, monkeypatch):
    first = order(chips(folder))
    monkeypatch.chdir(tmp_path)
    assert order(chips("chips")).target == first.target
    moved = folder.rename(tmp_path / "elsewhere")
    other = order(chips(moved))
    assert other.target == first.target
    assert other.location == {"biome_chips.folder": str(moved)}
    assert str(tmp_path) not in str(other.recipe)


def test_default_options_do_not_rename(folder):
    first = order(chips(folder)).target
    assert (
        order(chips(folder, splits=["train", "val"], nir_as_nir08=True), side=256).target == first
    )


def test_what_renames(folder):
    targets = [
        order(chips(folder)).target,
        order(chips(folder, splits=["train"])).target,
        order(chips(folder, name="biome")).target,
        order(chips(folder, nir_as_nir08=False)).target,
        order(chips(folder), side=128).target,
        order(chips(folder), stride=128).target,
        order(chips(folder), finest=30).target,
        order(chips(folder), roles=("red",)).target,
        order(chips(folder), {"kind": "twin"}).target,
        order(chips(folder), {"kind": "twin", "count": 7}).target,
    ]
    next(folder.glob("val/*_image.tif")).rename(folder / "val" / "Water_02_0922_image.tif")
    next(folder.glob("val/*_mask.tif")).rename(folder / "val" / "Water_02_0922_mask.tif")
    targets.append(order(chips(folder)).target)
    assert len(set(targets)) == len(targets)


def test_the_dataset_comes_back_from_the_order(folder, tmp_path):
    asked = order(chips(folder, roles=["red", "cirrus"], name="b"), {"kind": "twin", "count": 7})
    found = load_order(asked.save(tmp_path))
    entries = SamplesSettings(**found.recipe.settings["samples"]).datasets
    biome_, twin = (build(entry, found.location) for entry in entries)
    assert biome_.folder == folder
    assert biome_.roles == ("red", "cirrus")
    assert twin.count == 7


def test_planning_opens_no_raster(folder):
    code = (
        "import sys\n"
        "from nndacss.samples.plan import samples_order\n"
        "from nndacss.samples.settings import SamplesSettings\n"
        f"entry = {{'kind': 'biome_chips', 'folder': {str(folder)!r}}}\n"
        "samples_order({'samples': SamplesSettings(datasets=[entry])})\n"
        "print(*sys.modules)\n"
    )
    command = [sys.executable, "-c", code]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "rasterio", "h5py"} & set(loaded)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"kind": "biomes"}, r"datasets = 'biomes' is not known; choose one of: biome, biome_"),
        ({"kind": "biome_chips"}, r"biome_chips: found no folder; expected options folder"),
        ({"kind": "twin", "seeds": 3}, r"twin: found unknown option seeds; expected one of first"),
        ({"kind": "twin", "count": 0}, r"twin: found count = 0; expected greater"),
    ],
)
def test_wrong_options(entry, message):
    with pytest.raises(SettingsError, match=message):
        order(entry)


def test_nothing_to_cut():
    with pytest.raises(SettingsError, match=r"no \[\[samples.datasets\]\]"):
        order()


def test_missing_folder_is_told_before_work(tmp_path):
    with pytest.raises(DatasetError, match="no such folder"):
        order({"kind": "sentinel2_chips", "folder": str(tmp_path / "x")})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"side": 100}, "multiple of 32"),
        ({"stride": 300}, "leaves gaps"),
        ({"roles": ("red", "red")}, "different"),
        ({"roles": ("thermal",)}, "roles must be of"),
        ({"datasets": [{"kind": "twin"}, {"kind": "twin"}]}, "two datasets are called 'twin'"),
        ({"datasets": [{"kind": "twin", "name": "a/b"}]}, "pattern"),
    ],
)
def test_wrong_settings(options, message):
    with pytest.raises(ValueError, match=message):
        SamplesSettings(**options)


def test_several_archives(folder, tmp_path):
    sentinel2(tmp_path / "s2")
    entry = {"kind": "sentinel2_chips", "folder": str(tmp_path / "s2")}
    assert set(order(chips(folder), entry).recipe.inputs) == {"biome_chips", "sentinel2_chips"}
