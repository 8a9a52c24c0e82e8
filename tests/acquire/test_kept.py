"""What an archive holds is read once, and anew whenever the file may be another."""

import os
import tarfile
from contextlib import suppress
from dataclasses import replace

import pytest

from nndacss.acquire import kept
from nndacss.acquire.source import Local, Sources
from nndacss.errors import NndacssError
from nndacss.readers import identify
from nndacss.settings import load_settings


@pytest.fixture
def archive(pair, tmp_path):
    """The scene as a `.tar.gz` of some time ago."""
    return packed(pair.l2, tmp_path / f"{pair.l2.name}.tar.gz")


def packed(folder, path):
    with tarfile.open(path, "w:gz") as tar:
        for file in sorted(folder.iterdir()):
            tar.add(file, file.name)
    return path


@pytest.fixture
def read(monkeypatch):
    """Paths that were read, and files that count as rested."""
    seen = []
    monkeypatch.setattr(kept, "identify", lambda path: seen.append(path) or identify(path))
    monkeypatch.setattr(kept, "_REST", -1.0)
    return seen


def test_an_archive_is_read_once(archive, pair, read, tmp_path):
    sources = Sources(tmp_path / "work" / "scenes", load_settings(None, []))
    for _ in range(3):
        found = sources.of(str(archive)).identify()
        assert found == sources.of_record({"path": str(archive)}).identify()
        assert replace(found, files=()) == replace(identify(pair.l2), files=())
        assert found.files == identify(pair.l2).files
    assert read == [archive]
    Local(pair.l2, tmp_path).identify()
    Local(archive).identify()
    assert len(read) == 3


def test_another_file_in_its_place_is_read_even_with_its_times_and_size(archive, read, tmp_path):
    notes = tmp_path / "notes"
    Local(archive, notes).identify()
    before = archive.stat()
    whole = archive.read_bytes()
    archive.write_bytes(whole[:-200] + bytes(200))
    os.utime(archive, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert archive.stat().st_size == before.st_size
    assert archive.stat().st_mtime_ns == before.st_mtime_ns
    with suppress(NndacssError):
        Local(archive, notes).identify()
    assert len(read) == 2


def test_a_file_that_is_still_being_written_is_not_remembered(archive, read, tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "_REST", 10.0)
    for _ in range(2):
        Local(archive, tmp_path / "notes").identify()
    assert len(read) == 2
    assert not (tmp_path / "notes").exists()


def test_a_note_that_is_damaged_is_made_anew(archive, read, tmp_path):
    notes = tmp_path / "notes"
    first = Local(archive, notes).identify()
    (note,) = notes.iterdir()
    for damage in ("", "{}", note.read_text()[:-9]):
        note.write_text(damage)
        assert Local(archive, notes).identify() == first
    assert len(read) == 4
