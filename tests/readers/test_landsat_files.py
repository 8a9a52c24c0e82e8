from __future__ import annotations

import gc
import gzip
import io
import os
import shutil
import tarfile
import warnings
from pathlib import Path

import numpy as np
import pytest

from nndacss.errors import ArchiveError, InputError, LossWarning, MetadataError, OutputError
from nndacss.readers import open_scene, unpacked
from nndacss.readers.landsat import READER, files
from nndacss.readers.landsat.files import list_files, metadata_file, unpack
from tests.readers.recipes import Recipe, pack


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Recipe(formats=("txt", "json", "xml")).write(tmp_path / "in")


def member(name: str, size: int = 0, kind: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = size, kind, "/etc/passwd"
    return info


def test_identity_is_the_same_however_the_product_is_stored(folder: Path, tmp_path: Path) -> None:
    found = READER.identify(folder)
    nested = tmp_path / "nested.tar"
    with tarfile.open(nested, "w") as tar:
        tar.add(folder, f"./{folder.name}")
    for archive in ("a.tar", "a.tar.gz", "a.tgz"):
        assert READER.identify(pack(folder, tmp_path / archive)) == found
    assert READER.identify(nested) == found
    copy = Path(shutil.copytree(folder, tmp_path / "other name"))
    os.utime(copy / f"{folder.name}_B2.TIF", (1, 1))
    (copy / "notes.pdf").write_bytes(b"of no concern")
    assert READER.identify(copy) == found
    assert found.name == folder.name
    assert (f"{folder.name}_B2.TIF", (folder / f"{folder.name}_B2.TIF").stat().st_size) in (
        found.files
    )
    assert [name for name, _ in found.files] == sorted(name for name, _ in found.files)


def test_identity_changes_with_metadata_files_and_sizes(folder: Path) -> None:
    digests = [READER.identify(folder).digest]
    band = folder / f"{folder.name}_B2.TIF"
    band.write_bytes(band.read_bytes() + b"\0")
    digests.append(READER.identify(folder).digest)
    band.unlink()
    digests.append(READER.identify(folder).digest)
    text = folder / f"{folder.name}_MTL.txt"
    text.write_text(text.read_text().replace("= 30.0", "= 30.1"))
    digests.append(READER.identify(folder).digest)
    assert len(set(digests)) == 4


def test_text_is_preferred_to_json_to_xml(folder: Path) -> None:
    for kind in ("txt", "json", "xml"):
        assert metadata_file(list_files(folder)).endswith(kind)
        assert READER.identify(folder).level == "TOA"
        (folder / f"{folder.name}_MTL.{kind}").unlink()
    with pytest.raises(MetadataError, match="no metadata file"):
        READER.identify(folder)


def test_two_products_in_one_folder(folder: Path) -> None:
    other = Recipe(date="2023-07-23").write(folder.parent)
    shutil.copy(next(other.glob("*_MTL.txt")), folder)
    with pytest.raises(InputError, match=f"several products: {folder.name}, {other.name}"):
        READER.identify(folder)


def test_other_letter_case(folder: Path) -> None:
    (folder / f"{folder.name}_B2.TIF").rename(folder / f"{folder.name}_b2.tif")
    store = list_files(folder)
    assert store.find(f"{folder.name}_B2.TIF") == f"{folder.name}_b2.tif"
    assert store.find("other.TIF") is None


def test_files_of_a_renamed_product(tmp_path: Path) -> None:
    old, new = Recipe().product, Recipe(date="2023-07-23").product
    names = {"FILE_NAME_BAND_2": f"{old}_B2.TIF", "FILE_NAME_BAND_3": f"{old}_B9.TIF"}
    folder = Recipe(date="2023-07-23", changes=names).write(tmp_path)
    (folder / f"{new}_B3.TIF").unlink()
    found = [name for name, _ in READER.identify(folder).files]
    assert f"{new}_B2.TIF" in found
    assert f"{new}_B9.TIF" in found


@pytest.mark.parametrize("ending", ["tar", "tar.gz"])
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (member("../evil.TIF"), "leads out"),
        (member("a/../../evil.TIF"), "leads out"),
        (member("/etc/evil.TIF"), "leads out"),
        (member("..\\evil.TIF"), "leads out"),
        (member("link.TIF", kind=tarfile.SYMTYPE), "link, device"),
        (member("link.TIF", kind=tarfile.LNKTYPE), "link, device"),
        (member("dev.TIF", kind=tarfile.CHRTYPE), "link, device"),
        (member("pipe.TIF", kind=tarfile.FIFOTYPE), "link, device"),
    ],
)
def test_hostile_members(folder: Path, ending: str, bad: tarfile.TarInfo, message: str) -> None:
    archive = pack(folder, folder.parent / f"{folder.name}.{ending}", bad)
    before = sorted(folder.parent.parent.rglob("*"))
    for attempt in (READER.identify, lambda path: unpack(path, folder.parent / "out")):
        with pytest.raises(ArchiveError, match=message) as error:
            attempt(archive)
        assert archive.name in str(error.value)
    assert sorted(folder.parent.parent.rglob("*")) == before


def test_duplicates_and_too_many_members(folder: Path, tmp_path: Path) -> None:
    twice = pack(folder, tmp_path / "twice.tar", member(f"x/{folder.name}_B2.TIF"))
    with pytest.raises(ArchiveError, match="two members named"):
        list_files(twice)
    many = pack(folder, tmp_path / "many.tar", *(member(f"{n}") for n in range(200)))
    with pytest.raises(ArchiveError, match="more than 200 members"):
        list_files(many)


def test_bombs_are_refused_by_their_headers(folder: Path, tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.tar.gz"
    header = member("zeros.TIF", 300 * 2**20).tobuf()
    with gzip.open(bomb, "wb", compresslevel=1) as file:
        file.write(header + bytes(2**20))
    with pytest.raises(ArchiveError, match="unpack to 314572800"):
        list_files(bomb)
    huge = tmp_path / "huge.tar"
    huge.write_bytes(member("zeros.TIF", 41 * 2**30).tobuf() + bytes(1024))
    with pytest.raises(ArchiveError, match=str(41 * 2**30)):
        list_files(huge)


def test_sparse_members_are_refused(tmp_path: Path) -> None:
    archive = tmp_path / "sparse.tar"
    header = member("zeros.TIF", kind=tarfile.GNUTYPE_SPARSE).tobuf(tarfile.GNU_FORMAT)
    archive.write_bytes(header + bytes(1024))
    with pytest.raises(ArchiveError, match=r"sparse member: 'zeros\.TIF'"):
        list_files(archive)


@pytest.mark.parametrize("ending", ["tar", "tar.gz"])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9])
def test_truncated_archives(folder: Path, ending: str, share: float) -> None:
    archive = pack(folder, folder.parent / f"{folder.name}.{ending}")
    content = archive.read_bytes().rstrip(b"\0")
    archive.write_bytes(content[: int(len(content) * share) - int(len(content) * share) % 512 + 7])
    assert READER.recognises(archive)
    with pytest.raises(ArchiveError, match="damaged archive"):
        READER.identify(archive)
    with pytest.raises(ArchiveError, match="damaged archive"):
        unpack(archive, folder.parent / "out")
    assert not list(folder.parent.glob("*out*"))


def test_garbage_named_like_an_archive(tmp_path: Path) -> None:
    archive = tmp_path / f"{Recipe().product}.tar"
    archive.write_bytes(os.urandom(4096))
    with pytest.raises(ArchiveError, match="damaged archive"):
        READER.identify(archive)


@pytest.mark.parametrize("ending", ["tar", "tar.gz"])
def test_unpack_gives_the_same_product(folder: Path, tmp_path: Path, ending: str) -> None:
    archive = pack(folder, tmp_path / f"a.{ending}", member("readme.md", 10))
    out = unpack(archive, tmp_path / "deep" / "out")
    assert out == tmp_path / "deep" / "out"
    assert sorted(path.name for path in out.iterdir()) == sorted(
        path.name for path in folder.iterdir()
    )
    for path in out.iterdir():
        assert path.read_bytes() == (folder / path.name).read_bytes()
    assert READER.identify(out) == READER.identify(archive)
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["out"]
    assert unpack(archive, out) == out


def test_reading_in_place_leaves_nothing_beside_the_archive(shared_data, tmp_path: Path) -> None:
    """A real one: GDAL keeps notes on large compressed files only."""
    (source,) = shared_data("landsat-c2-crops").glob("LC08_L2SP_218074_20190114_*.tar.gz")
    archive = tmp_path / source.name
    archive.write_bytes(source.read_bytes())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LossWarning)
        scene = open_scene(archive)
    grid = scene.grid("red")[:8, :8]
    assert np.isfinite(scene.read(("red", "swir22"), grid).pixels).any()
    del scene
    gc.collect()
    assert [path.name for path in tmp_path.iterdir()] == [source.name]


def test_unpack_is_whole_or_absent(folder: Path, tmp_path: Path, monkeypatch) -> None:
    archive = pack(folder, tmp_path / "a.tar.gz")

    def full(source: io.BytesIO, target: Path, size: int) -> None:
        raise OutputError("no space left")

    monkeypatch.setattr(files, "copy", full)
    with pytest.raises(OutputError):
        unpack(archive, tmp_path / "work" / "out")
    assert list((tmp_path / "work").iterdir()) == []


def test_unpack_beside_a_faster_writer(folder: Path, tmp_path: Path, monkeypatch) -> None:
    archive = pack(folder, tmp_path / "a.tar")
    out = tmp_path / "work" / "out"
    real = unpacked._settle

    def late(draft: Path, target: Path) -> None:
        shutil.copytree(folder, target)
        real(draft, target)

    monkeypatch.setattr(unpacked, "_settle", late)
    assert unpack(archive, out) == out
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_unpack_into_a_place_that_is_none(folder: Path, tmp_path: Path) -> None:
    archive = pack(folder, tmp_path / "a.tar")
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="room to unpack"):
        unpack(archive, tmp_path / "file" / "out")


def test_a_metadata_bomb_is_not_read_whole(tmp_path: Path) -> None:
    archive = tmp_path / "a.tar"
    with tarfile.open(archive, "w") as tar:
        info = member(f"{Recipe().product}_MTL.txt", 5 * 2**20)
        tar.addfile(info, io.BytesIO(bytes(info.size)))
    assert len(next(iter(list_files(archive).metadata.values()))) == files.MAX_METADATA + 1
