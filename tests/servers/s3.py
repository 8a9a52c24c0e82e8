"""An S3 server (moto) on loopback, in this process."""

from contextlib import contextmanager

import pytest


@contextmanager
def s3_server():
    """Its address."""
    server = pytest.importorskip("moto.server", reason="no S3 server: moto is not installed")
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    try:
        host, port = running.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        running.stop()
