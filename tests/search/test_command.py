"""SearchScenes, and AdaptScene of a scene that is in an archive, from the command line."""

import json
import os
import re
import signal
import subprocess
import time

import pytest

from nndacss.errors import NndacssError
from tasks.search import SearchScenes
from tests.tasks.conftest import LUIGI, Bench

CANARY = "canary-81c4a0de"


@pytest.fixture
def bench(tmp_path, archive):
    bench = Bench(tmp_path, archive.pair.l2.name, ("--set", "harmonize.method=bandpass"))
    bench.options += ("--set", f"search.provider={archive.api}")
    bench.options += ("--set", 'search.collections=["landsat-c2l2-sr"]')
    bench.options += ("--set", "search.l1_collection=landsat-c2l1")
    hosts = ",".join(url.removeprefix("http://") for url in (archive.api, archive.files.url))
    bench.environment |= {"NNDACSS_STAC_TOKEN": CANARY, "NNDACSS_STAC_TOKEN_HOSTS": hosts}
    archive.files.token = f"Bearer {CANARY}"
    archive.files.faults.clear()
    archive.files.asked.clear()
    return bench


def test_a_search_is_a_written_list(bench, archive, monkeypatch):
    command = [LUIGI, "--module", "tasks", "SearchScenes", "--local-scheduler", "--name", "night"]
    command += [*bench.options[2:], "--bbox=8.5,49.5,9,50", "--dates", "2026-04-10/2026-04-12"]
    command += ["--as-of", "2026-11-16T06:00"]
    run = subprocess.run(
        command, cwd=bench.folder, env=bench.environment, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    (path,) = bench.work.glob("search/night_*/scenes.json")
    scenes = json.loads(path.read_text())
    assert [scene["id"][:25] for scene in scenes] == [
        f"LC08_L2SP_195025_202604{day}" for day in (10, 11, 12)
    ]
    assert [bool(scene["l1"]) for scene in scenes] == [True, True, False]
    assert "3 scenes, 2 of them with Level 1" in run.stderr
    assert CANARY not in path.read_text() + run.stderr + run.stdout
    # the same search as of the same time is done; another time is another search
    monkeypatch.chdir(bench.folder)
    same = {"name": "night", "bbox": "8.5,49.5,9,50", "dates": "2026-04-10/2026-04-12"}
    same["set"] = tuple(bench.options[3::2])
    assert SearchScenes(**same, as_of="2026-11-16T06:00").complete()
    assert SearchScenes(**same, as_of="2026-11-16T08:00+02:00").complete()
    assert not SearchScenes(**same, as_of="2026-11-17T06:00").complete()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"as_of": "yesterday"}, "--as-of: found 'yesterday'"),
        ({"bbox": "-5,49,9"}, "west,south,east,north"),
        ({"bbox": "-5,49,900,50"}, "search.bbox"),
        ({"area": "absent.geojson"}, "absent.geojson"),
        ({"dates": "2026-13"}, "2026-W46"),
        ({"dates": "2026-04-02/2026-04-01"}, "the earlier one first"),
        ({"set": ("search.path_row=17,51",)}, "search.path_row"),
        ({"set": ("search.clouds=3",)}, "unknown key search.clouds"),
    ],
)
def test_bad_options(options, message):
    task = SearchScenes(**options)
    with pytest.raises(NndacssError, match=re.escape(message)):
        task.output()


def test_a_scene_by_its_id_killed_while_it_comes_and_gone_on_with(bench, archive, tmp_path):
    """A product with its twin's pan band; nothing that is secret is kept or said."""
    name = f"{archive.pair.l2.name}_SR_B5.TIF"
    archive.files.faults[name] = ["stall"]
    with bench.start() as run:
        end = time.monotonic() + 60
        while not any(part.stat().st_size for part in bench.work.rglob(f".part-{name}")):
            assert time.monotonic() < end
            time.sleep(0.01)
        os.kill(run.pid, signal.SIGKILL)
    assert bench.wait_until_quiet()
    assert not bench.products.exists()
    code, said = bench.run()
    assert code == 0, said
    (first, *more) = archive.files.contents(name)
    assert first == (name, None)
    assert [asked for _, asked in more][-1].startswith("bytes=")
    product = bench.product()

    report = json.loads((product / "report.json").read_text())
    assert report["sources"]["no_pan"] < 0.1

    # the same scene by its item's address is the same product: nothing is fetched or made
    archive.files.asked.clear()
    item = f"{archive.api}/collections/landsat-c2l2-sr/items/{archive.pair.l2.name}_SR"
    code, again = bench.run(scene=item)
    assert code == 0, again
    assert archive.files.asked == []
    assert "is done already" in again

    assert CANARY not in said + again
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or CANARY.encode() not in path.read_bytes(), path
