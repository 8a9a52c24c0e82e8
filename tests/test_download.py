"""Downloads against a real server that cuts, changes, refuses and miscounts."""

import contextlib
import hashlib
import socket
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from nndacss import web as module
from nndacss.download import download
from nndacss.errors import InputError, StageError

DATA = np.random.default_rng(5).bytes(300_000)
SUM = hashlib.sha256(DATA).hexdigest()


@dataclass
class Site:
    """What the server has and does; what it was asked."""

    data: bytes = DATA
    tag: str | None = '"one"'
    cuts: list[int] = field(default_factory=list)
    """Bytes after which the next answers end too soon."""
    codes: list[int] = field(default_factory=list)
    """Answers to give before the file."""
    ranges: bool = True
    asked: list[str | None] = field(default_factory=list)
    url: str = ""


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        site = self.server.site
        site.asked.append(self.headers["Range"])
        if site.codes:
            self.send_error(site.codes.pop(0))
            return
        start, whole = 0, len(site.data)
        if self.headers["Range"] and site.ranges and self.same(site):
            start = int(self.headers["Range"].removeprefix("bytes=").rstrip("-"))
            if start >= whole:
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{whole}")
                self.end_headers()
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{whole - 1}/{whole}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(whole - start))
        if site.tag:
            self.send_header("ETag", site.tag)
        self.end_headers()
        end = start + site.cuts.pop(0) if site.cuts else whole
        self.wfile.write(site.data[start:end])

    def same(self, site):
        return self.headers["If-Range"] in (None, site.tag)

    def log_message(self, *_):
        pass


@pytest.fixture
def site(monkeypatch):
    monkeypatch.setattr(module, "FIRST_WAIT", 0.01)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.site = Site()
        server.site.url = f"http://127.0.0.1:{server.server_port}/weights.bin"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server.site
        server.shutdown()


def names(folder):
    return sorted(file.name for file in folder.iterdir())


def test_whole_file_once(site, tmp_path):
    path, seen = tmp_path / "new" / "w.bin", []
    progress = lambda done, total: seen.append((done, total))  # noqa: E731
    assert download(site.url, path, SUM, len(DATA), progress) == path
    assert path.read_bytes() == DATA
    assert names(path.parent) == ["w.bin"]
    assert seen[0] == (0, len(DATA))
    assert seen[-1] == (len(DATA), len(DATA))
    download(site.url, path, SUM.upper())
    assert site.asked == [None]


def test_cut_in_the_middle_is_resumed(site, tmp_path):
    site.cuts = [100_000, 50_000]
    download(site.url, tmp_path / "w.bin", SUM)
    assert site.asked == [None, "bytes=100000-", "bytes=150000-"]
    assert (tmp_path / "w.bin").read_bytes() == DATA
    assert names(tmp_path) == ["w.bin"]


@pytest.mark.parametrize("tag", ['"one"', None])
def test_resumed_by_the_next_run(site, tmp_path, monkeypatch, tag):
    site.tag = tag
    monkeypatch.setattr(module, "TRIES", 1)
    site.cuts = [100_000]
    with pytest.raises(StageError, match="ended after 100000 of 300000 bytes"):
        download(site.url, tmp_path / "w.bin", SUM)
    assert not (tmp_path / "w.bin").exists()
    download(site.url, tmp_path / "w.bin", SUM)
    assert site.asked == [None, "bytes=100000-"]
    assert (tmp_path / "w.bin").read_bytes() == DATA


def test_not_resumed_where_nothing_tells_that_it_is_the_same_file(site, tmp_path, monkeypatch):
    site.tag, site.cuts = None, [100_000]
    download(site.url, tmp_path / "w.bin")
    assert site.asked == [None, None]
    assert (tmp_path / "w.bin").read_bytes() == DATA


@pytest.mark.parametrize("ranges", [True, False])
def test_a_file_that_changed_meanwhile_begins_anew(site, tmp_path, monkeypatch, ranges):
    monkeypatch.setattr(module, "TRIES", 1)
    site.cuts = [100_000]
    with pytest.raises(StageError):
        download(site.url, tmp_path / "w.bin")
    site.data, site.tag, site.ranges = DATA[::-1], '"two"', ranges
    download(site.url, tmp_path / "w.bin")
    assert (tmp_path / "w.bin").read_bytes() == DATA[::-1]


def test_all_had_arrived_already(site, tmp_path):
    (tmp_path / ".part-w.bin").write_bytes(DATA)
    download(site.url, tmp_path / "w.bin", SUM)
    assert (tmp_path / "w.bin").read_bytes() == DATA
    (tmp_path / ".part-v.bin").write_bytes(DATA + b"x")
    download(site.url, tmp_path / "v.bin", SUM)
    assert (tmp_path / "v.bin").read_bytes() == DATA


def test_wrong_checksum_names_both_and_leaves_nothing(site, tmp_path):
    other = "0" * 64
    with pytest.raises(InputError, match=f"(?s){SUM}.*{other}"):
        download(site.url, tmp_path / "w.bin", other)
    assert names(tmp_path) == []


def test_a_file_that_is_there_but_wrong_is_replaced(site, tmp_path):
    (tmp_path / "w.bin").write_bytes(b"old")
    download(site.url, tmp_path / "w.bin", SUM)
    assert (tmp_path / "w.bin").read_bytes() == DATA


def test_wrong_size_is_seen_before_anything_is_fetched(site, tmp_path):
    with pytest.raises(InputError, match="found 300000 bytes; expected 7 bytes"):
        download(site.url, tmp_path / "w.bin", size=7)
    assert names(tmp_path) == []


def test_not_found_is_said_at_once(site, tmp_path):
    site.codes = [404]
    with pytest.raises(InputError, match="HTTP 404"):
        download(site.url, tmp_path / "w.bin")
    assert len(site.asked) == 1
    assert names(tmp_path) == []


def test_trouble_that_passes_and_trouble_that_stays(site, tmp_path):
    site.codes = [503, 429]
    download(site.url, tmp_path / "w.bin", SUM)
    assert len(site.asked) == 3
    site.codes = [503] * 99
    with pytest.raises(StageError, match=r"no answer after 5 tries.*HTTP 503"):
        download(site.url, tmp_path / "v.bin", SUM)
    assert len(site.asked) == 3 + module.TRIES


def test_no_network(site, tmp_path):
    with contextlib.closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/w.bin"
        with pytest.raises(StageError, match=r"no answer.*check the network"):
            download(url, tmp_path / "w.bin")


def test_what_is_no_web_address_or_no_checksum(tmp_path):
    with pytest.raises(InputError, match="http:// or https://"):
        download("file:///etc/passwd", tmp_path / "w.bin")
    with pytest.raises(InputError, match="64 hexadecimal digits"):
        download("http://127.0.0.1/w.bin", tmp_path / "w.bin", "abc")


def test_two_at_once_fetch_it_once(site, tmp_path):
    path = tmp_path / "w.bin"
    threads = [threading.Thread(target=download, args=(site.url, path, SUM)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_bytes() == DATA
    assert len(site.asked) == 1
    assert names(tmp_path) == ["w.bin"]
