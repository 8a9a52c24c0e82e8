"""Folders and zips: the same product, listed lightly, unpacked whole or not at all."""

from __future__ import annotations

import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from nndacss.errors import ArchiveError, InputError, MetadataError
from nndacss.readers import identify, open_scene, unpack
from nndacss.readers.sentinel2 import READER
from tests.readers.safe_recipes import Recipe, pack


@pytest.fixture(scope="module")
def safe(tmp_path_factory) -> Path:
    return Recipe(level="2A", suffix="tif").write(tmp_path_factory.mktemp("safe"))


@pytest.fixture
def zipped(safe, tmp_path) -> Path:
    return pack(safe, tmp_path / f"{safe.stem}.zip")


def test_a_folder_and_its_zips_are_the_same_scene(safe, zipped, tmp_path) -> None:
    bare = pack(safe, tmp_path / "bare.zip", inside="")
    renamed = tmp_path / "my scene"
    shutil.copytree(safe, renamed)
    around = tmp_path / "around"
    shutil.copytree(safe, around / safe.name)
    unpacked = unpack(zipped, tmp_path / "unpacked")
    granule = next((safe / "GRANULE").iterdir())
    every = (safe, zipped, bare, renamed, around, unpacked, granule)
    assert {identify(path).digest for path in every} == {identify(safe).digest}
    for path in every:
        assert READER.recognises(path)
        with pytest.warns(UserWarning, match="sun angle grid"):
            scene = open_scene(path)
        # reflectance 0.15 = (2500 - 1000) / 10000
        assert scene.read(["red"]).pixels == pytest.approx(0.15, abs=1e-6)


def test_what_changes_the_identity(safe, tmp_path) -> None:
    changed = tmp_path / safe.name
    shutil.copytree(safe, changed)
    (changed / "HTML").mkdir()
    (changed / "HTML" / "view.html").touch()
    (changed / "other.json").write_text('{"properties": {}}')
    assert identify(changed).digest == identify(safe).digest
    metadata = changed / "MTD_MSIL2A.xml"
    metadata.write_text(metadata.read_text().replace("-1000", "-1001"))
    edited = identify(changed).digest
    (changed / "item.json").write_text('{"x:boa_offset_applied": true}')
    assert len({identify(safe).digest, edited, identify(changed).digest}) == 3


def test_unpacked_is_what_is_read(zipped, tmp_path) -> None:
    with zipfile.ZipFile(zipped, "a") as archive:
        archive.writestr(f"{zipped.stem}.SAFE/GRANULE/L2A_X/QI_DATA/MSK_DETFOO_B02.jp2", "x")
        archive.writestr(f"{zipped.stem}.SAFE/preview.jpg", "x")
    folder = unpack(zipped, tmp_path / "out")
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert names == {name for name, _ in identify(zipped).files}
    assert len(names) == 12 + 3
    assert [path.name for path in tmp_path.iterdir() if "draft" in path.name] == []


def hostile(zipped: Path, name: str, mode: int = 0) -> None:
    info = zipfile.ZipInfo("x")
    info.filename = name
    info.external_attr = mode << 16
    with zipfile.ZipFile(zipped, "a") as archive:
        archive.writestr(info, "/etc/passwd")


@pytest.mark.parametrize(
    ("name", "mode", "message"),
    [
        ("/tmp/evil", 0, "leads out"),
        ("../evil", 0, "leads out"),
        ("a/../../evil", 0, "leads out"),
        ("a\\..\\evil", 0, "leads out"),
        ("link.xml", stat.S_IFLNK | 0o777, "link"),
        ("pipe", stat.S_IFIFO | 0o666, "link"),
    ],
)
def test_hostile_members_are_refused(zipped, tmp_path, name, mode, message) -> None:
    hostile(zipped, name, mode)
    for action in (identify, open_scene, lambda path: unpack(path, tmp_path / "out")):
        with pytest.raises(ArchiveError, match=message):
            action(zipped)
    assert not (tmp_path / "out").exists()


def test_two_members_of_one_name(zipped) -> None:
    with zipfile.ZipFile(zipped, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(archive.namelist()[0], "again")
    with pytest.raises(ArchiveError, match="two members"):
        identify(zipped)


def test_a_bomb(zipped, monkeypatch) -> None:
    monkeypatch.setattr("nndacss.readers.sentinel2.files.MAX_BYTES", 1000)
    with pytest.raises(ArchiveError, match="that unpack to"):
        identify(zipped)
    monkeypatch.setattr("nndacss.readers.sentinel2.files.MAX_MEMBERS", 3)
    shutil.copy(zipped, zipped.with_name(f"{zipped.stem}_2.zip"))
    with pytest.raises(ArchiveError, match="members"):
        identify(zipped.with_name(f"{zipped.stem}_2.zip"))


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_truncated_zip(zipped, share) -> None:
    zipped.write_bytes(zipped.read_bytes()[: int(zipped.stat().st_size * share)])
    with pytest.raises(ArchiveError, match="damaged archive"):
        identify(zipped)


def test_damage_inside_a_zip_leaves_no_folder(zipped, tmp_path) -> None:
    with zipfile.ZipFile(zipped) as archive:
        info = next(i for i in archive.infolist() if i.filename.endswith("B04_10m.tif"))
    content = bytearray(zipped.read_bytes())
    at = info.header_offset + 30 + len(info.filename) + info.compress_size // 2
    content[at : at + 8] = bytes(8)
    zipped.write_bytes(content)
    with pytest.raises(ArchiveError, match="damaged archive"):
        unpack(zipped, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == [zipped.name]


def test_a_zip_of_two_products(safe, tmp_path) -> None:
    both = tmp_path / "both.zip"
    with zipfile.ZipFile(both, "w") as archive:
        for name in ("A.SAFE", "B.SAFE"):
            archive.write(safe / "MTD_MSIL2A.xml", f"{name}/MTD_MSIL2A.xml")
    with pytest.raises(InputError, match="several products"):
        READER.identify(both)


def test_other_things_are_not_recognised(tmp_path) -> None:
    assert not READER.recognises(tmp_path)
    assert not READER.recognises(tmp_path / "absent.zip")
    other = tmp_path / "other.zip"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("a/b.txt", "x")
    assert not READER.recognises(other)
    (tmp_path / "not.zip").write_text("no zip")
    assert not READER.recognises(tmp_path / "not.zip")
    with pytest.raises(InputError, match=r"Landsat.* or .*Sentinel-2 \.SAFE"):
        identify(other)


def test_several_granules_ask_for_one(tmp_path) -> None:
    recipe = Recipe(old=True, baseline="02.04", granules=("32UNC",), suffix="tif", size=12)
    safe = recipe.write(tmp_path)
    with pytest.raises(InputError, match="2 granules") as raised:
        identify(safe)
    assert "GRANULE" in str(raised.value)
    names = set()
    for folder in (safe / "GRANULE").iterdir():
        found = identify(folder)
        names.add(found.name.removeprefix(f"{recipe.name}_"))
        assert all(folder.name in name for name, _ in found.files if "/" in name)
    assert names == {"T32UMC", "T32UNC"}


def test_incomplete_products(safe, tmp_path) -> None:
    copy = tmp_path / safe.name
    shutil.copytree(safe, copy)
    tile = next(copy.glob("GRANULE/*/MTD_TL.xml"))
    tile.write_bytes(tile.read_bytes()[:700])
    with pytest.raises(MetadataError, match=r"MTD_TL\.xml: found broken or truncated XML"):
        identify(copy)
    tile.unlink()
    with pytest.raises(MetadataError, match="no granule with its metadata"):
        identify(copy)
    shutil.rmtree(copy / "GRANULE")
    with pytest.raises(MetadataError, match="no granule with its metadata"):
        identify(copy)
    (copy / "MTD_MSIL2A.xml").unlink()
    with pytest.raises(MetadataError, match="no metadata file"):
        identify(copy)


PROGRAM = """
import sys
import nndacss.readers, nndacss.readers.sentinel2, nndacss.chain
from nndacss.readers import find_l1, identify, unpack
for path in sys.argv[2:]:
    print(identify(path).digest)
    find_l1(path)
unpack(sys.argv[-1], sys.argv[1])
print([name for name in ("numpy", "rasterio", "odc", "affine", "osgeo") if name in sys.modules])
"""


def test_identify_loads_no_raster_library(safe, zipped, tmp_path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, tmp_path / "out", safe, zipped],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    first, second, heavy = run.stdout.splitlines()
    assert heavy == "[]"
    assert first == second
