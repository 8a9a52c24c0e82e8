"""An archive with cloudy and clear dates, behind an S3 server and behind a web server."""

import pytest

from nndacss import web
from nndacss.landcovernet.plan import landcovernet_order
from nndacss.landcovernet.stage import acquire_archive
from nndacss.settings import load_settings
from nndacss.stage import Context
from tests.landcovernet.archive import layers, write_stac
from tests.servers.files import serve
from tests.servers.s3 import shared_s3


def few(**cloud):
    """A date with two bands alone: uploads cost time."""
    return {band: layers(**cloud)[band] for band in ("B02", "B08", "SCL", "CLD")}


#: Of 35PNL_00: cloudy, then missing, then clear, then clear; a clear one; none; cloudy only.
#: Three sixteenths of cloud are too many, and so is one of missing rows.
CHIPS = {
    "35PNL_00": {
        "20180104": few(cloud=3 / 16),
        "20180109": few(missing=1 / 16),
        "20180119": few(),
        "20180203": few(),
        "20180630": few(level=2000),
        "20181225": few(cloud=1.0),
    },
    "35PNL_10": {"20180331": few(), "20180401": few()},
}


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Short waits, no proxies."""
    monkeypatch.setattr(web, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(web, "SILENCE", 0.3)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def archive(tmp_path_factory):
    """Its folder."""
    folder = tmp_path_factory.mktemp("landcovernet")
    write_stac(folder, CHIPS)
    return folder


@pytest.fixture
def files(archive):
    """A web server."""
    with serve(archive) as server:
        yield server


@pytest.fixture(scope="session")
def uploaded(archive):
    """An S3 server whose bucket `radiant` holds the archive below `landcovernet/`."""
    server = shared_s3()
    server.bucket("radiant")
    for path in sorted(archive.rglob("*")):
        if path.is_file():
            upload(server, f"landcovernet/{path.relative_to(archive)}", path.read_bytes())
    return server


def upload(server, key, data):
    """An object that all may read."""
    what = {"Bucket": "radiant", "Key": key, "ACL": "public-read"}
    server.client().put_object(**what, Body=data)


@pytest.fixture
def bucket(uploaded):
    """The same with good manners and a short memory."""
    for memory in (uploaded.faults, uploaded.before, uploaded.asked):
        memory.clear()
    return uploaded


def of_web(server):
    return [f"landcovernet.source={server.url}"]


def of_s3(server):
    return ["landcovernet.source=s3://radiant/landcovernet", f"landcovernet.endpoint={server.url}"]


def order_of(tmp_path, *said):
    """The order of an acquisition into `tmp_path/got`."""
    own = [f"landcovernet.folder={tmp_path / 'got'}", 'landcovernet.continents=["af"]']
    own += ['landcovernet.bands=["B02", "B08"]', "landcovernet.parallel=2"]
    return landcovernet_order(load_settings(None, [*own, *said]))


def run(order, tmp_path):
    """The stage in this process: its folder and summary."""
    context = Context(order, tmp_path / "work", tmp_path / "products", 1)
    context.folder.mkdir(parents=True, exist_ok=True)
    return context.folder, dict(acquire_archive(context))
