"""A STAC API that truly filters and sorts: stac-fastapi on pgstac on PostgreSQL, on loopback.

PostgreSQL does not run as root, so root starts it as `nobody`.
"""

import atexit
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

_DEADLINE = 60


_running = []
"""Environment for clients of the database, and the API's address; begun once, for all tests."""


@contextmanager
def stac_api(collections, items):
    """Its address; the test is skipped with the reason where a part of it is not here.

    It starts when first asked for, ends with the process, and holds what all tests have loaded.
    """
    programs = _programs()
    for module in ("pypgstac", "stac_fastapi.pgstac", "uvicorn"):
        pytest.importorskip(module, reason=f"no STAC API: {module} is not installed")
    if not _running:
        stack = ExitStack()
        atexit.register(stack.close)
        # not in pytest's own folder: the user that the database runs as cannot go there
        folder = stack.enter_context(TemporaryDirectory(prefix="nndacss-postgres-"))
        environment = stack.enter_context(_postgres(folder, programs))
        _load(environment, collections, items)
        _running.extend([environment, stack.enter_context(_serving(environment))])
    else:
        _load(_running[0], collections, items)
    yield _running[1]


def _programs():
    """The folder of initdb and postgres, of an installation that has PostGIS."""
    found = shutil.which("initdb")
    places = [Path(found)] if found else []
    places += Path("/usr/lib/postgresql").glob("*/bin/initdb")
    folder = next((one.parent for one in places if one.with_name("postgres").exists()), None)
    if folder is None:
        pytest.skip("no STAC API: PostgreSQL is not installed")
    if not list(Path("/usr/share/postgresql").glob("*/extension/postgis.control")):
        pytest.skip("no STAC API: PostgreSQL is without PostGIS (postgresql-15-postgis-3)")
    return folder


@contextmanager
def _postgres(folder, programs):
    """Environment for clients of a database server of our own."""
    place, as_other = Path(folder), []
    if os.getuid() == 0:
        user = pwd.getpwnam("nobody")
        os.chown(place, user.pw_uid, user.pw_gid)
        as_other = ["setpriv", "--reuid", str(user.pw_uid), "--regid", str(user.pw_gid)]
        as_other += ["--clear-groups"]
    port, data = _free_port(), str(place / "data")
    where = {"cwd": place, "env": {**os.environ, "HOME": str(place)}}
    make = [str(programs / "initdb"), "-D", data, "-U", "stac", "-A", "trust", "-E", "UTF8"]
    start = [str(programs / "postgres"), "-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", ""]
    # nothing here outlives the test, so nothing waits for the disk
    start += ["-F", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]
    make = [*as_other, *make, "--no-sync"]
    subprocess.run(make, check=True, stdout=subprocess.DEVNULL, **where)
    with (
        (place / "log").open("w") as log,
        subprocess.Popen([*as_other, *start], stdout=log, stderr=log, **where) as server,
    ):
        try:
            _wait(lambda: socket.create_connection(("127.0.0.1", port), 5).close(), server)
            yield {
                **os.environ,
                "PGHOST": "127.0.0.1",
                "PGPORT": str(port),
                "PGUSER": "stac",
                "PGPASSWORD": "x",
                "PGDATABASE": "postgres",
                "PYTHONWARNINGS": "ignore",
            }
        finally:
            server.send_signal(signal.SIGQUIT)


def _load(environment, collections, items):
    """Into the schema of pgstac, in a process whose environment names the database."""
    import json

    program = (
        "import json, sys\n"
        "from pypgstac.db import PgstacDB\n"
        "from pypgstac.load import Loader, Methods\n"
        "from pypgstac.migrate import Migrate\n"
        "collections, items = json.load(sys.stdin)\n"
        "with PgstacDB() as db:\n"
        "    if db.version is None:\n"
        "        Migrate(db).run_migration()\n"
        "    loader = Loader(db)\n"
        "    loader.load_collections(iter(collections), Methods.upsert)\n"
        "    loader.load_items(iter(items), Methods.upsert)\n"
    )
    data = json.dumps([collections, items]).encode()
    subprocess.run([sys.executable, "-c", program], check=True, env=environment, input=data)


@contextmanager
def _serving(environment):
    port = _free_port()
    command = [sys.executable, "-m", "uvicorn", "--factory", "stac_fastapi.pgstac.app:create_app"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--log-level", "warning"]
    with subprocess.Popen(command, env=environment) as server:
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(lambda: urllib.request.urlopen(url, timeout=5).close(), server)
            yield url
        finally:
            server.terminate()


def _wait(attempt, server):
    """Until an attempt to reach a server succeeds."""
    end = time.monotonic() + _DEADLINE
    while time.monotonic() < end and server.poll() is None:
        try:
            attempt()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"{server.args} did not start")


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def collection(name):
    """The least that a collection needs."""
    return {
        "type": "Collection",
        "stac_version": "1.0.0",
        "id": name,
        "description": "of a test",
        "license": "other",
        "links": [],
        "extent": {
            "spatial": {"bbox": [[-180, -90, 180, 90]]},
            "temporal": {"interval": [["2013-01-01T00:00:00Z", None]]},
        },
    }
