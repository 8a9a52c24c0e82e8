"""An HTTP server of files with ranges, which can be told to misbehave, file by file."""

import hashlib
import socket
import struct
import threading
import time
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit


@dataclass
class FileServer:
    """What it serves and how; what it was asked."""

    folder: Path
    url: str = ""
    faults: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """File name -> what the next requests for its content get: `500`, `429`, `403`, `reset`,
    `stall`, `truncated`, `corrupt`, `page`."""
    retry_after: str = "0"
    token: str | None = None
    """What the Authorization header must be."""
    signatures: set[str] | None = None
    """What the query's `sig` must be one of."""
    redirect: str | None = None
    """Where everything is moved to."""
    clock: float = 0.0
    """Seconds that the server's clock is off."""
    delay: float = 0.0
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    """(file name, Range) of each request."""
    headers: list[dict[str, str]] = field(default_factory=list)
    busiest: int = 0
    _busy: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def contents(self, name=None):
        """Requests for contents, not for sizes alone: (name, range)."""
        asked = [one for one in self.asked if one[1] != "bytes=0-0"]
        return [one for one in asked if name is None or one[0] == name]

    @contextmanager
    def working(self):
        with self._lock:
            self._busy += 1
            self.busiest = max(self.busiest, self._busy)
        try:
            yield
        finally:
            with self._lock:
                self._busy -= 1


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"

    def date_time_string(self, timestamp=None):
        return formatdate(time.time() + self.server.files.clock, usegmt=True)

    def do_GET(self):
        with self.server.files.working():
            self.answer(self.server.files)

    def answer(self, files):
        path = files.folder / unquote(urlsplit(self.path).path).lstrip("/")
        wanted = self.headers["Range"]
        files.asked.append((path.name, wanted))
        files.headers.append(dict(self.headers))
        if files.redirect:
            self.send_response(302)
            self.send_header("Location", files.redirect + self.path)
            self.end_headers()
            return
        if not self.may_read(files):
            self.send_error(403)
            return
        if not path.is_file():
            self.send_error(404)
            return
        time.sleep(files.delay)
        faults = files.faults[path.name] if wanted != "bytes=0-0" else []
        self.send(path.read_bytes(), wanted, faults.pop(0) if faults else "", files)

    def may_read(self, files):
        if files.token is not None and self.headers["Authorization"] != files.token:
            return False
        given = parse_qs(urlsplit(self.path).query).get("sig", [""])[0]
        return files.signatures is None or given in files.signatures

    def send(self, data, wanted, fault, files):
        if fault.isdigit():
            self.send_response(int(fault))
            self.send_header("Retry-After", files.retry_after)
            self.end_headers()
            return
        if fault == "page":
            data, wanted = b"<html>Please log in</html>", None
        tag = f'"{hashlib.md5(data).hexdigest()}"'
        if fault == "corrupt":
            data = data[:-1] + bytes([data[-1] ^ 1])
        start, end = 0, len(data)
        if wanted and self.headers["If-Range"] in (None, tag):
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            start, end = int(first), int(last) + 1 if last else len(data)
            if start >= len(data):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(data)}")
                self.end_headers()
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(data)}")
        else:
            self.send_response(200)
        self.send_header("Content-Type", "text/html" if fault == "page" else "image/tiff")
        self.send_header("Content-Length", str(end - start))
        self.send_header("ETag", tag)
        self.end_headers()
        self.body(data[start:end], fault)

    def body(self, data, fault):
        if fault in ("reset", "stall", "truncated"):
            self.wfile.write(data[: len(data) // 2])
            self.wfile.flush()
            if fault == "reset":
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.connection.close()
            if fault == "stall":
                time.sleep(1.0)
            return
        self.wfile.write(data)

    def log_message(self, *_):
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """Whoever is cut off by a fault is no news."""


@contextmanager
def serve(folder):
    """A FileServer of a folder, on a port of its own."""
    with _Server(("127.0.0.1", 0), Handler) as server:
        server.files = FileServer(Path(folder))
        server.files.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server.files
        server.shutdown()
