"""An S3 server (moto) on loopback, in this process, which can be told to misbehave."""

import atexit
import os
import socket
import subprocess
import sys
import threading
from collections import defaultdict
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from time import time

import numpy as np
import pytest

CANARY = "canary-7f3a"
"""What tests take for a secret key, and look for where it must not be."""


@dataclass
class S3Server:
    """What it was asked, and what it answers instead of the truth."""

    url: str = ""
    faults: dict[str, list[tuple[int, str]]] = field(default_factory=lambda: defaultdict(list))
    """`METHOD end-of-path` -> (HTTP status, S3 code) of the next such answers; status 0: the
    connection is closed without an answer."""
    clock: float = 0.0
    """Seconds that the server's clock is off."""
    conditions: bool = True
    """Whether writes on a condition are known to it."""
    asked: list[str] = field(default_factory=list)
    """`METHOD path?query` of each request."""
    before: dict[str, object] = field(default_factory=dict)
    """`METHOD end-of-path` -> called once, before such a request is answered; where it gives `drop`
    the request is not."""
    _client: object = None
    _one: threading.Lock = field(default_factory=threading.Lock)

    def count(self, method, part=""):
        """Requests of a kind."""
        return sum(line.startswith(f"{method} ") and part in line for line in self.asked)

    def environment(self):
        """What programs need to find it."""
        return {
            "AWS_ENDPOINT_URL_S3": self.url,
            "AWS_ACCESS_KEY_ID": "me",
            "AWS_SECRET_ACCESS_KEY": CANARY,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self):
        """A client of its own, for looking at what is there."""
        if self._client is None:
            import boto3

            keys = {"aws_access_key_id": "me", "aws_secret_access_key": CANARY}
            where = {"endpoint_url": self.url, "region_name": "us-east-1"}
            self._client = boto3.client("s3", **where, **keys)
        return self._client

    def bucket(self, name):
        """An empty bucket of that name, and the server's manners as at the beginning."""
        client = self.client()
        names = [bucket["Name"] for bucket in client.list_buckets()["Buckets"]]
        if name not in names:
            client.create_bucket(Bucket=name)
        for key in self.keys(name):
            client.delete_object(Bucket=name, Key=key)
        self.faults.clear()
        self.before.clear()
        self.asked.clear()
        self.clock, self.conditions = 0.0, True
        return name

    def keys(self, bucket):
        """Key -> bytes."""
        pages = self.client().get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return {one["Key"]: one["Size"] for page in pages for one in page.get("Contents", ())}

    def download(self, bucket, folder):
        """All of a bucket as files."""
        client = self.client()
        for key in self.keys(bucket):
            path = folder / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(client.get_object(Bucket=bucket, Key=key)["Body"].read())


class _Faulty:
    """A WSGI application that keeps to `S3Server`, else asks moto."""

    def __init__(self, truth, manners):
        self.truth, self.manners = truth, manners

    def __call__(self, environ, start):
        mine, path = self.manners, environ["PATH_INFO"]
        line = f"{environ['REQUEST_METHOD']} {path}"
        mine.asked.append(f"{line}?{environ['QUERY_STRING']}")
        for rule in [rule for rule in mine.before if self.fits(rule, line)]:
            if mine.before.pop(rule)() == "drop":
                return self.refuse(0, "", environ, start)
        if not mine.conditions and {"HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH"} & environ.keys():
            return self.refuse(501, "NotImplemented", environ, start)
        for rule, answers in mine.faults.items():
            if answers and self.fits(rule, line):
                return self.refuse(*answers.pop(0), environ, start)
        with mine._one:  # a write on a condition is one step, which in moto it is not
            return list(self.truth(environ, start))

    @staticmethod
    def fits(rule, line):
        method, _, end = rule.partition(" ")
        return line.startswith(f"{method} ") and line.endswith(end)

    def refuse(self, status, code, environ, start):
        if not status:
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            raise ConnectionError("as told")
        length = int(environ.get("CONTENT_LENGTH") or 0)
        environ["wsgi.input"].read(length)
        body = f"<Error><Code>{code}</Code><Message>{CANARY}</Message></Error>".encode()
        headers = [("Content-Type", "application/xml")]
        start(f"{status} {code}", [*headers, ("Content-Length", str(len(body)))])
        return [body]


_shared = []


def shared_s3():
    """An S3Server for all tests of this process; ask it for a `bucket`, which is empty."""
    if not _shared:
        stack = ExitStack()
        _shared.append(stack.enter_context(faulty_s3()))
        atexit.register(stack.close)
    return _shared[0]


@contextmanager
def faulty_s3():
    """An S3Server."""
    pytest.importorskip("moto.server", reason="no S3 server: moto is not installed")
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        def log(self, *_):
            """Whoever asks is no news."""

        def date_time_string(self, timestamp=None):
            return formatdate(time() + server.clock, usegmt=True)

    server = S3Server()
    app = _Faulty(DomainDispatcherApplication(create_backend_app), server)
    running = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    server.url = f"http://127.0.0.1:{running.server_port}"
    threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield server
    finally:
        running.shutdown()


_READ = """
import sys, numpy, rasterio
with rasterio.Env(AWS_S3_ENDPOINT=sys.argv[1], AWS_HTTPS="NO", AWS_VIRTUAL_HOSTING="FALSE"):
    for number, address in enumerate(sys.argv[3:]):
        with rasterio.open(address) as raster:
            numpy.save(f"{sys.argv[2]}/{number}.npy", raster.read())
"""


def pixels(server, folder, *addresses):
    """Rasters at addresses of the server, read by another process: GDAL would keep this one from
    answering."""
    host = server.url.removeprefix("http://")
    command = [sys.executable, "-c", _READ, host, str(folder), *addresses]
    subprocess.run(command, check=True, env={**os.environ, **server.environment()}, timeout=300)
    return [np.load(Path(folder) / f"{number}.npy") for number in range(len(addresses))]


@contextmanager
def s3_server():
    """Its address, where all is to go well."""
    with faulty_s3() as server:
        yield server.url
