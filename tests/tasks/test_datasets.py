"""FetchDataset, against a server on this machine: sums, resuming, unpacking, what must not pass."""

import hashlib
import http.server
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import threading
import zipfile
from pathlib import Path

import pytest

from nndacss.datasets.archives import Archive
from nndacss.datasets.cloudsen12 import ARCHIVES as CLOUDSEN12
from nndacss.datasets.fetch import archives, done_file, fetch, unpack
from nndacss.datasets.sparcs import DATASET
from nndacss.errors import ArchiveError, NndacssError, SettingsError
from tests.datasets.examples import SPARCS_NAME, sparcs

ROOT = Path(__file__).parents[2]
LUIGI = str(Path(sys.executable).parent / "luigi")


class Server(http.server.ThreadingHTTPServer):
    """Files by name; the first answer about a file in `broken` ends after so many bytes."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.broken: dict[str, int] = {}
        self.ranges: list[tuple[str, str | None]] = []

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self.answer(body=False)

    def do_GET(self):
        self.answer(body=True)

    def answer(self, body):
        name, asked = self.path.lstrip("/"), self.headers.get("Range")
        if body:
            self.server.ranges.append((name, asked))
        content = self.server.files.get(name)
        if content is None:
            self.send_error(404)
            return
        start = int(re.fullmatch(r"bytes=(\d+)-\d*", asked)[1]) if asked else 0
        self.send_response(206 if asked else 200)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", f'"{hashlib.md5(content).hexdigest()}"')
        self.send_header("Content-Length", str(len(content) - start))
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        if body:
            end = self.server.broken.pop(name, len(content))
            self.wfile.write(content[start:end])
            self.close_connection = True

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield running
        running.shutdown()


@pytest.fixture
def packed(tmp_path, server):
    """The USGS's packaging of one sub-scene, on the server; its sha256."""
    folder = sparcs(tmp_path / "made" / "sending", "_mask.png")["folder"]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, f"sending/{file.name}")
    server.files["l8cloudmasks.zip"] = buffer.getvalue()
    return hashlib.sha256(buffer.getvalue()).hexdigest()


def run(folder, server, *options):
    command = [LUIGI, "--module", "tasks.datasets", "FetchDataset", "--local-scheduler"]
    command += ["--kind", "sparcs", "--folder", str(folder), "--mirror", server.address]
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "no_proxy": "127.0.0.1",
    }
    ran = subprocess.run(
        [*command, *options], env=environment, capture_output=True, text=True, check=False
    )
    return ran.returncode, ran.stderr


def test_fetched_and_loaded(tmp_path, server, packed):
    folder = tmp_path / "sparcs"
    code, said = run(folder, server, "--sha256", packed)
    assert code == 0, said
    assert DATASET(folder=folder).load(SPARCS_NAME).sets.any()
    (marker,) = (folder / ".fetched").iterdir()
    facts = json.loads(marker.read_text())
    assert (facts["sha256"], facts["verified"]) == (packed, True)
    asked = len(server.ranges)
    assert run(folder, server, "--sha256", packed)[0] == 0
    assert len(server.ranges) == asked  # nothing is fetched twice


def test_a_sum_that_nobody_published_must_be_confirmed(tmp_path, server, packed):
    folder = tmp_path / "sparcs"
    code, said = run(folder, server)
    assert code == 30
    assert f"found sha256 {packed}" in said
    assert "--unverified" in said
    assert not (folder / "l8cloudmasks").exists()
    asked = len(server.ranges)
    code, said = run(folder, server, "--unverified")
    assert code == 0, said
    assert len(server.ranges) == asked  # what came is kept
    assert DATASET(folder=folder).names() == (SPARCS_NAME,)
    marker = folder / ".fetched" / "l8cloudmasks.zip.json"
    assert json.loads(marker.read_text())["verified"] is False


def test_another_sum_is_refused(tmp_path, server, packed):
    folder = tmp_path / "sparcs"
    code, said = run(folder, server, "--sha256", "0" * 64)
    assert code == 30
    assert packed in said
    assert not (folder / "l8cloudmasks").exists()
    assert not (folder / ".fetched").exists()
    assert run(folder, server, "--sha256", packed)[0] == 0


def test_a_broken_download_goes_on(tmp_path, server, packed):
    part = archives("sparcs")[0]
    size = len(server.files[part.name])
    server.broken[part.name] = size // 2
    address = f"{server.address}/{part.name}"
    place = fetch(part, tmp_path / "sparcs", address, packed)
    assert (place / "sending" / f"{SPARCS_NAME}_data.tif").is_file()
    starts = [int(asked[6:].split("-")[0]) for _, asked in server.ranges if asked]
    assert size // 2 in starts


def test_files_that_are_not_packed_keep_their_folders(tmp_path, server):
    content = b"annotator_name,roi_id\n"
    part = next(archive for archive in CLOUDSEN12 if archive.name == "test/metadata.csv")
    server.files[part.name] = content
    place = fetch(part, tmp_path, f"{server.address}/{part.name}", unverified=True)
    assert place == tmp_path / "test" / "metadata.csv"
    assert place.read_bytes() == content
    assert done_file(part, tmp_path).is_file()


def test_a_page_instead_of_an_archive(tmp_path, server):
    server.files["a.zip"] = b"<html>log in</html>"
    part = Archive("a.zip", f"{server.address}/a.zip")
    with pytest.raises(ArchiveError, match=r"<html>log in.*expected a zip or tar archive"):
        fetch(part, tmp_path, unverified=True)
    assert not (tmp_path / "a").exists()


# what may be fetched


def test_every_address_is_whole():
    for kind in ("sparcs", "biome", "cloud38", "cloudsen12"):
        parts = archives(kind)
        assert parts
        for part in parts:
            assert part.address.startswith("https://")
            assert part.sha256 is None or re.fullmatch(r"[0-9a-f]{64}", part.sha256)
    assert [part.name for part in archives("sparcs")] == ["l8cloudmasks.zip"]
    assert archives("sparcs", ("sparcs_data_L8.zip",))[0].name == "sparcs_data_L8.zip"


def test_unknown_kind_or_part():
    with pytest.raises(SettingsError, match=r"twin: nothing to fetch; choose one of: biome, cloud"):
        archives("twin")
    with pytest.raises(SettingsError, match=r"--part x is not known; choose from: l8cloudmasks"):
        archives("sparcs", ("x",))


# unpacking


def write_tar(path, *members):
    with tarfile.open(path, "w:gz") as archive:
        for name, kind in members:
            member = tarfile.TarInfo(name)
            member.type, member.linkname, member.size = kind, "/etc/passwd", 3
            archive.addfile(member, io.BytesIO(b"abc") if kind == tarfile.REGTYPE else None)
    return path


def write_zip(path, name, mode=0):
    with zipfile.ZipFile(path, "w") as archive:
        member = zipfile.ZipInfo(name)
        member.external_attr = mode << 16
        archive.writestr(member, b"abc")
    return path


@pytest.mark.parametrize("name", ["../escape.txt", "/tmp/escape.txt", "a/../../escape.txt", "a\\b"])
def test_members_that_lead_out_of_the_folder(tmp_path, name):
    good = ("first.txt", tarfile.REGTYPE)
    tar = write_tar(tmp_path / "t.tar.gz", good, (name, tarfile.REGTYPE))
    with pytest.raises(ArchiveError, match=r"leads out of the folder"):
        unpack(tar, tmp_path / "in" / "tar")
    with pytest.raises(ArchiveError, match=r"leads out of the folder"):
        unpack(write_zip(tmp_path / "z.zip", name), tmp_path / "in" / "zip")
    assert not list((tmp_path / "in").iterdir())  # not even the good member, nor a draft
    assert not list(tmp_path.rglob("escape.txt"))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices(tmp_path, kind):
    tar = write_tar(tmp_path / "t.tar.gz", ("link", kind))
    with pytest.raises(ArchiveError, match=r"a link or device: 'link'"):
        unpack(tar, tmp_path / "out")
    with pytest.raises(ArchiveError, match=r"a link or device: 'link'"):
        unpack(write_zip(tmp_path / "z.zip", "link", 0o120777), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_truncated_archives(tmp_path):
    tar = write_tar(tmp_path / "t.tar.gz", *((f"{n}.txt", tarfile.REGTYPE) for n in range(50)))
    tar.write_bytes(tar.read_bytes()[:-40])
    with pytest.raises(ArchiveError, match=r"damaged archive"):
        unpack(tar, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_sum_for_no_part_is_refused(tmp_path):
    from tasks.datasets import FetchDataset

    task = FetchDataset(kind="biome", folder=str(tmp_path), sha256=("0" * 64,))
    with pytest.raises(SettingsError, match=r"--sha256 000.*expected PART=SUM"):
        task.run()


def test_wrong_sum_by_the_publisher_s_table(tmp_path, server):
    server.files["b.dat"] = b"abc"
    part = Archive("b.dat", f"{server.address}/b.dat", 3, "0" * 64, "file")
    with pytest.raises(NndacssError, match="0000"):
        fetch(part, tmp_path)
    assert not (tmp_path / "b.dat").exists()
