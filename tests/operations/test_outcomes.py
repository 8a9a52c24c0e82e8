"""What became of a batch, from markers and records alone; the report that tells it; the room."""

import json
import re

import pytest

from nndacss.errors import OutputError
from nndacss.operations import failures, room
from nndacss.operations.batch import Batch, find_batch
from nndacss.operations.failures import Failure
from nndacss.operations.outcomes import outcomes, totals
from nndacss.operations.report import collect, main
from nndacss.operations.room import check_room
from nndacss.operations.status import status
from tests.operations.conftest import planned

STARTED = "2026-11-21T10:00:00+00:00"


@pytest.fixture
def batch(roots):
    """Five scenes: made, made before, failed, cut off, and one that failed in another batch."""
    made = [roots.chain("made"), roots.chain("before")]
    open_ = [roots.chain(name, until="acquire") for name in ("failed", "cut", "earlier")]
    batch = Batch(roots.work / "batches" / "20261121T100000Z-h-1")
    facts = {"output_root": str(roots.root), "scenes": "scenes", "dates": "", "config": ""}
    machine = {"workers": 1, "threads": 2, "set": [], "area": ""}
    batch.begin(facts | machine)
    batch.write("begun.json", batch.read("begun.json") | {"started": STARTED})
    plans = [planned(made[0]), planned(made[1], "skipped", "done before"), *map(planned, open_)]
    batch.save_plan(plans)
    for orders, of, time in zip(open_[::2], (batch.id, "older"), ("11", "09"), strict=True):
        facts = (orders["product"].target, orders["product"].name, "1", "mask", "<no> way")
        moment = f"2026-11-21T{time}:00:00+00:00"
        failures.keep(roots.work, Failure(*facts, batch=of, time=moment))
    return batch


def test_outcomes(roots, batch):
    found = outcomes(batch, roots.work)
    assert [one.state for one in found] == ["done", "skipped", "failed", "unfinished", "unfinished"]
    assert found[2].reason == "<no> way"
    assert found[3].reason == "the run ended before it was finished"
    assert found[0].seconds == {"acquire": 2.0, "mask": 2.0, "harmonize": 2.0, "product": 2.0}
    counts = totals(found)
    assert counts["seconds"]["mask"] == 4.0  # run records of both, within the batch
    assert counts["peak_mib"] == dict.fromkeys(found[0].seconds, 100)
    assert counts["gigabytes"] == pytest.approx(2e-6)
    with batch.held():
        assert outcomes(batch, roots.work)[3].reason == "not finished yet"


def test_what_ran_before_the_batch_is_not_its_cost(roots, batch):
    late = batch.read("begun.json") | {"started": "2026-11-21T10:45:00+00:00"}
    batch.write("begun.json", late)
    assert outcomes(batch, roots.work)[0].seconds == {}


def test_the_report_tells_all_numbers_once(roots, batch, tmp_path, capsys):
    prom = tmp_path / "x.prom"
    arguments = [str(batch.folder), "--work", str(roots.work), "--to", str(tmp_path / "reports")]
    assert main([*arguments, "--metrics", str(prom)]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["done"], said["failed"], said["unfinished"], said["running"]) == (1, 1, 2, False)
    page = (tmp_path / "reports" / f"{batch.id}.html").read_text()
    assert (tmp_path / "reports" / "latest.html").read_text() == page
    assert "3 of 5 scenes without a product" in page
    assert "&lt;no&gt; way" in page
    assert "60 %" in page  # clear: 100 less 30 cloud and 10 shadow
    assert not re.search(r'(src|href)="(https?:)?//', page)
    assert 'nndacss_batch_scenes{state="unfinished"} 2.0' in prom.read_text()
    assert main([*arguments, "--metrics", str(tmp_path / "x.txt")]) == 1
    assert "a name in .prom" in capsys.readouterr().err


def test_a_batch_that_never_had_a_list_is_an_error(roots, batch):
    (batch.folder / "plan.json").unlink()
    assert "before it had a list" in collect(batch, roots.work)["error"]
    batch.end({"error": "no network"})
    assert collect(batch, roots.work)["error"] == "no network"


def test_status_counts(roots, batch):
    told = status(roots.work, roots.products)
    assert (told["products"]["whole"], told["products"]["unfinished"]) == (2, 0)
    assert told["work"]["acquire"]["targets"] == 5
    assert told["work"]["product"]["finished"] == 2
    assert told["failures"] == {"scenes": 2, "reasons": [{"reason": "mask: <no> way", "scenes": 2}]}
    assert told["batches"] == [{"id": batch.id, "state": "cut off"}]
    assert find_batch(roots.work).id == batch.id


def test_room_is_asked_for_before_work(roots, monkeypatch):
    scenes = [planned(roots.chain(name, until="acquire")) for name in "abcd"]  # 100 + 200 MB each
    for free, workers, discard, warns in (
        (1300, 1, False, False),
        (1100, 1, False, True),
        (1100, 2, True, False),
        (900, 2, True, True),
    ):
        monkeypatch.setattr(room, "free_mb", lambda _, free=free: free)
        warnings = check_room(scenes, roots.work, roots.root, workers, discard=discard)
        assert bool(warnings) == warns, (free, workers, discard)
    monkeypatch.setattr(room, "free_mb", lambda _: 500)
    with pytest.raises(OutputError, match=r"0.5 GB free; expected about 0.6 GB for the first 2"):
        check_room(scenes, roots.work, roots.root, 2, discard=True)
    assert check_room([], roots.work, roots.root, 2, discard=True) == []
