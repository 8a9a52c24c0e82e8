"""A simulated scene, served over HTTP, and fast repeats."""

import pytest

from nndacss import web
from nndacss.simulate.landsat import write_landsat
from tests.servers.files import serve


@pytest.fixture(scope="session")
def pair(tmp_path_factory):
    """A small Landsat scene, Level 1 beside Level 2."""
    return write_landsat(tmp_path_factory.mktemp("archive"), seed=5, rows=60, columns=60)


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Short waits, no proxies, and no credentials of the machine's."""
    monkeypatch.setattr(web, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(web, "SILENCE", 0.3)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def files(pair):
    """The scene's archive."""
    with serve(pair.l2.parent) as server:
        yield server
