"""A scene of an archive that cuts, stalls, refuses and sends damaged files: what comes of it."""

import hashlib
import json
import shutil
import threading

import pytest

from nndacss import web
from nndacss.acquire import fetch as module
from nndacss.acquire.fetch import fetch, quarantine
from nndacss.acquire.listing import load_listing, make_listing
from nndacss.errors import InputError, StageError
from nndacss.readers import identify, open_scene
from tests.servers.items import landsat_item


@pytest.fixture
def listing(files, pair, tmp_path):
    return make_listing(landsat_item(pair.l2, files.url), files.url, "", tmp_path / "scenes")


def sums(folder):
    return {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.iterdir()
        if file.is_file()
    }


def band(pair, number=4):
    return f"{pair.l2.name}_SR_B{number}.TIF"


def test_the_scene_as_its_agency_has_it(files, pair, listing, tmp_path):
    seen = []
    folder = fetch(listing, lambda done, total: seen.append((done, total)))
    own = sums(pair.l2)
    unread = ("_MTL.xml", "_MTL.json", "_ANG.txt", "_SR_QA_AEROSOL.TIF")
    assert sums(folder) == {name: own[name] for name in own if not name.endswith(unread)}
    copy = tmp_path / pair.l2.name
    shutil.copytree(pair.l2, copy, ignore=shutil.ignore_patterns(*(f"*{end}" for end in unread)))
    assert identify(folder).digest == identify(copy).digest == listing.identity.digest
    assert seen[-1] == (listing.size, listing.size)
    assert listing.size == sum(file.stat().st_size for file in folder.iterdir())
    assert {entry.name for entry in (tmp_path / "scenes").iterdir()} == {
        ".listings",
        ".part",
        folder.name,
    }
    open_scene(folder).verify()
    before = len(files.asked)
    assert fetch(listing) == folder
    assert len(files.asked) == before


@pytest.mark.parametrize(
    "faults",
    [
        ["500"],
        ["429", "503"],
        ["reset"],
        ["stall"],
        ["truncated"],
        ["reset", "500", "truncated", "stall"],
        ["corrupt"],
    ],
    ids="-".join,
)
def test_faults_that_pass_leave_the_same_scene(files, pair, listing, faults):
    files.faults[band(pair)] = list(faults)
    folder = fetch(listing)
    assert files.faults[band(pair)] == []
    own = sums(pair.l2)
    assert all(own[name] == value for name, value in sums(folder).items())
    ranges = [one for _, one in files.contents(band(pair))]
    assert ranges[0] is None
    resumed = [fault for fault in faults if fault in ("reset", "stall", "truncated")]
    assert sum(one is not None for one in ranges) >= len(resumed)
    bad = list((folder.parent / ".quarantine").rglob("*.TIF"))
    assert [path.name for path in bad] == ([band(pair)] if faults == ["corrupt"] else [])


def test_retry_after_is_obeyed(files, pair, listing, monkeypatch):
    waits = []
    monkeypatch.setattr(web.time, "sleep", waits.append)
    files.retry_after = "7"
    files.faults[band(pair)] = ["429"]
    fetch(listing)
    assert [wait for wait in waits if wait > 1] == [pytest.approx(7, abs=0.01)]


@pytest.mark.parametrize(
    ("faults", "error", "said"),
    [
        (["500"] * 9, StageError, "no answer after 5 tries .HTTP 500"),
        (["corrupt"] * 9, InputError, "moved to .*quarantine"),
        (["403"] * 9, InputError, "HTTP 403.*NNDACSS_STAC_TOKEN"),
        (["page"] * 9, InputError, "web page, perhaps one that asks to log in"),
    ],
)
def test_faults_that_stay_leave_no_scene_and_the_next_run_goes_on(
    files, pair, listing, faults, error, said
):
    files.faults[band(pair)] = list(faults)
    with pytest.raises(error, match=said):
        fetch(listing)
    assert not listing.scene.exists()
    files.faults.clear()
    there = {file.name for file in (listing.scene.parent / ".part").rglob("*.TIF")}
    files.asked.clear()
    folder = fetch(listing)
    assert identify(folder).digest == listing.identity.digest
    assert not there & {name for name, _ in files.asked}


def test_a_killed_run_is_gone_on_with_where_it_stopped(files, pair, listing, monkeypatch):
    monkeypatch.setattr(web, "TRIES", 1)
    files.faults[band(pair)] = ["reset"]
    with pytest.raises(StageError):
        fetch(listing)
    (part,) = listing.scene.parent.rglob(f".part-{band(pair)}")
    have = part.stat().st_size
    assert have > 0
    files.asked.clear()
    fetch(load_listing(listing.path))
    assert files.contents(band(pair)) == [(band(pair), f"bytes={have}-")]


def test_no_more_at_once_than_was_said(files, listing):
    files.delay = 0.02
    fetch(listing, parallel=2)
    assert files.busiest == 2


def test_two_processes_at_once_fetch_each_file_once(files, listing):
    other = load_listing(listing.path)
    threads = [threading.Thread(target=fetch, args=(one,)) for one in (listing, other)]
    files.asked.clear()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert identify(listing.scene).digest == listing.identity.digest
    names = [name for name, _ in files.asked]
    assert len(names) == len(set(names))


def test_a_scene_that_cannot_be_read_is_put_away(listing):
    folder = fetch(listing)
    place = quarantine(folder)
    assert not folder.exists()
    assert place.parent.name == ".quarantine"
    assert fetch(listing) == folder


def test_a_full_disk_is_told_and_what_came_is_kept(files, pair, listing, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.shutil, "copyfile", full)
    with pytest.raises(OSError, match="No space left on device while writing"):
        fetch(listing)
    assert not listing.scene.exists()


def test_the_listing_is_made_once_and_holds_no_pixels(files, pair, listing, tmp_path):
    assert [name for name, _ in files.contents()] == [f"{pair.l2.name}_MTL.txt"]
    again = make_listing(landsat_item(pair.l2, files.url), files.url, "", tmp_path / "scenes")
    assert again == listing
    assert len(files.asked) == 1
    assert json.loads(listing.path.read_text())["product"] == pair.l2.name
