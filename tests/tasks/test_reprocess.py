"""ReprocessScenes and BatchReport from the command line: nightly runs as cron would do them."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from nndacss.chain import STAGES
from nndacss.product.compare import differences
from nndacss.simulate.landsat import write_landsat
from tests.tasks.conftest import LUIGI, MANY_PARTS, ROOT, Bench
from tests.tasks.test_adapt import luigid  # noqa: F401 - a fixture

#: Without networks: what is tested here is not the image.
PLAIN = ("--set", "mask.method=quality", "--set", "harmonize.method=bandpass", *MANY_PARTS)
DAYS = ("2026-04-15", "2026-05-01", "2026-05-17")


@pytest.fixture(scope="session")
def three(tmp_path_factory):
    """A folder with three scenes, L1 beside L2."""
    folder = tmp_path_factory.mktemp("three")
    for seed, day in enumerate(DAYS):
        write_landsat(folder, seed=seed, rows=90, columns=100, date=day)
    return folder


class Nightly(Bench):
    """A folder to run batches in."""

    def command(self, *options, task="ReprocessScenes", scheduler=("--local-scheduler",)):
        command = [LUIGI, "--module", "tasks", task, *scheduler]
        if task == "ReprocessScenes":
            command += ["--scenes", str(self.scene), *PLAIN]
        return [*command, *options]

    def made(self):
        """Finished products, and when their items were written."""
        return {
            item.parent.name: item.stat().st_mtime_ns for item in self.products.glob("*/item.json")
        }

    def failures(self):
        return [json.loads(path.read_text()) for path in self.work.glob("failures/*.json")]

    def report(self, *options):
        """Exit code of BatchReport, its JSON and what it said."""
        code, said = self.run("--report-root", "reports", *options, task="BatchReport")
        return code, json.loads((self.folder / "reports/latest.json").read_text()), said


@pytest.fixture
def nightly(tmp_path, three):
    return Nightly(tmp_path, shutil.copytree(three, tmp_path / "scenes"))


def damage(nightly, day):
    """Cut a band short; gives back what makes it whole again."""
    (band,) = nightly.scene.glob(f"LC08_L2SP_*_{day}_*/*_SR_B5.TIF")
    whole = band.read_bytes()
    band.write_bytes(whole[: len(whole) * 2 // 3])
    return lambda: band.write_bytes(whole)


@dataclass
class Night:
    """What one run and its report said."""

    code: int
    said: str
    made: dict
    failures: list
    report: tuple
    rows: list


def night(nightly, *options):
    code, said = nightly.run(*options)
    report = nightly.report("--metrics", "metrics/nndacss.prom", "--max-age", "1")
    rows = list(csv.DictReader((nightly.folder / "reports/latest.csv").open()))
    return Night(code, said, nightly.made(), nightly.failures(), report, rows)


@pytest.fixture(scope="module")
def nights(tmp_path_factory, three):
    """A night with a damaged scene, and one after it was repaired."""
    folder = tmp_path_factory.mktemp("nights")
    nightly = Nightly(folder, shutil.copytree(three, folder / "scenes"))
    repair = damage(nightly, "20260501")
    first = night(nightly, "--machine-log-json", "log.jsonl")
    repair()
    metrics = (folder / "metrics/nndacss.prom").read_text()
    page = (folder / "reports/latest.html").read_text()
    return nightly, first, night(nightly), metrics, page


def test_a_bad_scene_stops_no_other_and_the_next_run_does_only_what_is_left(nights):
    _, first, second, _, _ = nights
    assert first.code == 30
    assert "1 of 3 scenes have no product" in first.said
    assert "Traceback" not in first.said
    assert len(first.made) == 2
    (failure,) = first.failures
    assert (failure["stage"], failure["attempts"]) == ("acquire", 1)
    assert "_SR_B5.TIF" in failure["reason"]
    assert second.code == 0, second.said
    assert len(second.made) == 3
    assert {name: second.made[name] for name in first.made} == first.made
    assert second.failures == []


def test_the_report_of_both_nights(nights):
    nightly, first, second, metrics, page = nights
    code, told, said = first.report
    assert code == 30
    assert "1 of 3 scenes have no product" in said
    states = ("done", "skipped", "failed", "unfinished")
    assert [told["totals"][state] for state in states] == [2, 0, 1, 0]
    assert [row["state"] for row in first.rows] == ["done", "failed", "done"]
    for row in first.rows:
        assert row["scene"] in page
        if row["state"] == "done":
            check_done(nightly, row, page)
    check_metrics(metrics, told)
    code, told, said = second.report
    assert code == 0, said
    assert [told["totals"][state] for state in states] == [1, 2, 0, 0]


def check_done(nightly, row, page):
    item = json.loads((nightly.products / row["product"] / "item.json").read_text())
    size = sum(asset.get("file:size", 0) for asset in item["assets"].values())
    assert float(row["megabytes"]) == pytest.approx(size / 1e6, abs=0.001)
    assert float(row["cloud"]) == item["properties"]["eo:cloud_cover"]
    stages = [float(row[f"{stage}_seconds"]) for stage in STAGES]
    assert all(seconds > 0 for seconds in stages)
    assert float(row["seconds"]) == pytest.approx(sum(stages), abs=0.002)
    assert f"../products/{row['product']}/report.html" in page


def check_metrics(text, told):
    values = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert values["nndacss_batch_scenes", "done"] == 2
    assert values["nndacss_batch_scenes", "failed"] == 1
    assert values["nndacss_batch_success",] == 0
    assert values["nndacss_batch_stage_seconds", "mask"] == told["totals"]["seconds"]["mask"]


def test_the_log_names_event_scene_and_digest(nights):
    path = nights[0].folder / "log.jsonl"
    by_event = {}
    for line in map(json.loads, path.read_text().splitlines()):
        by_event.setdefault(line.get("event"), []).append(line)
    assert len(by_event["scene_done"]) == 2
    assert len(by_event["stage_done"]) == 8  # four stages of two scenes
    for line in by_event["stage_done"]:
        assert len(line["digest"]) == 64
        assert line["scene"].startswith("LC08_L2SP_")
        assert line["seconds"] > 0
        assert line["peak_mib"] > 10
    (failed,) = by_event["scene_failed"]
    assert failed["stage"] == "acquire"
    assert by_event["batch_ended"][0]["failed"] == 1


def test_nothing_is_written_by_a_dry_run_and_the_limit_holds(nightly):
    before = set(nightly.folder.rglob("*"))
    code, said = nightly.run("--dry-run", "--dates", "2026-05")
    assert code == 0
    assert "2 to do" in said
    assert said.count("not in --dates") == 1
    assert set(nightly.folder.rglob("*")) == before
    code, said = nightly.run("--limit", "1", "--discard-work")
    assert code == 0, said
    assert len(nightly.made()) == 1
    assert "2 beyond --limit" in said
    assert not list(nightly.work.glob("mask/*"))
    # a product that somebody edited is not passed over, nor overwritten
    (name,) = nightly.made()
    (mask,) = (nightly.products / name).glob("*_mask.tif")
    mask.write_bytes(mask.read_bytes()[:-10])
    code, said = nightly.run("--limit", "1", "--dates", "2026-04")
    assert code == 30
    assert "were written; expected it as it was made; remove it (Invalidate --target" in said


def wait_for(running, happens, seconds=300):
    """What `happens` gives, as soon as it gives something while luigi runs."""
    end = time.monotonic() + seconds
    while running.poll() is None and time.monotonic() < end:
        if found := happens():
            return found
        time.sleep(0.005)
    raise AssertionError("luigi ended before it could be disturbed: " + running.stderr.read())


def process(running, words):
    """The deepest descendant whose command line holds all of `words`."""

    def look():
        for child in reversed(psutil.Process(running.pid).children(recursive=True)):
            try:
                line = " ".join(child.cmdline())
            except psutil.Error:
                continue
            if all(word in line for word in words):
                return child.pid
        return None

    return look


@pytest.fixture
def undisturbed(nights):
    """The same products, made by runs that nobody killed."""
    return nights[0]


def same_products(nightly, undisturbed):
    assert set(nightly.made()) == set(undisturbed.made())
    for name in nightly.made():
        assert differences(nightly.products / name, undisturbed.products / name) == []
    assert not list(nightly.folder.rglob(".draft-*"))


def kill_in(nightly, running, scene, stage, victim):
    """Kill -9 when a stage of a scene (its place in the list) is at work."""

    def planned():
        plans = sorted(nightly.work.glob("batches/*/plan.json"))
        return plans and json.loads(plans[-1].read_text())[scene]

    facts = wait_for(running, planned)
    at_work = wait_for(running, process(running, (f"nndacss.{stage}", facts["stages"][stage])))
    pid = {
        "stage": lambda: at_work,
        "task": lambda: psutil.Process(at_work).ppid(),
        "chunk": process(running, ("tasks._chunk",)),
        "luigi": lambda: running.pid,
    }[victim]()
    os.kill(pid, signal.SIGKILL)


def disturbed(nightly, kills, *options):
    """A run with kills; its exit code and what it said."""
    with nightly.start(*options) as running:
        for scene, stage, victim in kills:
            kill_in(nightly, running, scene, stage, victim)
        said = running.stderr.read()
    assert nightly.wait_until_quiet(30), nightly.living()
    return running.returncode, said


# a stage of a tiny scene is over within a second: on a busy machine it may be missed
@pytest.mark.slow
def test_kills_of_stage_scheduler_and_luigi(nightly, undisturbed):
    kills = [(0, "acquire", "stage"), (1, "acquire", "chunk"), (1, "product", "chunk")]
    code, said = disturbed(nightly, [*kills, (2, "product", "luigi")])
    assert code == -signal.SIGKILL
    assert said.count("was ended by SIGKILL; 2 scenes go on") == 2
    (failure,) = nightly.failures()
    assert "acquire stage was ended by SIGKILL" in failure["reason"]
    code, told, _ = nightly.report()
    assert code == 30
    assert [row["state"] for row in told["rows"]] == ["failed", "done", "unfinished"]
    assert told["rows"][2]["reason"] == "the run ended before it was finished"
    before = nightly.made()
    code, said = nightly.run()
    assert code == 0, said
    assert before.items() <= nightly.made().items()
    assert nightly.failures() == []
    same_products(nightly, undisturbed)


@pytest.mark.slow
def test_a_killed_task_process_is_told_by_luigi(nightly, undisturbed):
    code, said = disturbed(nightly, [(1, "acquire", "task")], "--workers", "2")
    assert code == 30, said
    (failure,) = nightly.failures()
    assert "its process was ended by SIGKILL" in failure["reason"]
    assert len(nightly.made()) == 2
    assert nightly.run()[0] == 0
    same_products(nightly, undisturbed)


@pytest.mark.slow
def test_two_hosts_share_the_scenes_by_a_central_scheduler(nightly, undisturbed, luigid):  # noqa: F811
    scheduler = ("--scheduler-host", "127.0.0.1", "--scheduler-port", str(luigid))
    runs = [nightly.start(*options, scheduler=scheduler) for options in ((), ("--no-lock",))]
    said = [running.communicate()[1] for running in runs]
    assert [running.returncode for running in runs] == [0, 0], said
    same_products(nightly, undisturbed)
    logs = [path.read_text() for path in nightly.work.glob("batches/*/luigi.log")]
    made = [log.count(" running   MakeProduct(") for log in logs]
    assert sum(made) == 3, made  # none twice
    assert len(made) == 2


@pytest.mark.slow
def test_the_printed_cron_line_and_units_work(nightly):
    text = (ROOT / "docs/batch.md").read_text().replace("/srv/nndacss", str(nightly.folder))
    text = text.replace("/opt/nndacss/.venv/bin", str(Path(LUIGI).parent))
    blocks = dict(re.findall(r"^```(cron|sh|ini)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)[:3])
    nightly.scene.rename(nightly.folder / "incoming")
    (nightly.folder / "nightly.sh").write_text(blocks["sh"])
    (line,) = [line for line in blocks["cron"].splitlines() if not line.startswith("#")]
    assert "%" not in line  # cron takes it for the end of the line
    bare = {"HOME": "/", "PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    cron = ["/bin/sh", "-c", line.split(maxsplit=5)[5]]
    done = subprocess.run(cron, env=bare, cwd="/", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(nightly.made()) == 3
    assert (nightly.folder / "metrics/nndacss.prom").exists()
    starts = re.findall(r"^ExecStart=(-?)(.*)$", blocks["ini"], re.MULTILINE)
    assert [ignored for ignored, _ in starts] == ["-", ""]
    for _, command in starts:
        done = subprocess.run(
            command.split(), env=bare, cwd=nightly.folder, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
    assert "3 done before" in (nightly.folder / "reports/latest.html").read_text()


@pytest.mark.slow
def test_overlapping_runs_are_harmless(nightly, undisturbed):
    with nightly.start() as one, nightly.start("--workers", "2") as other:
        said = [running.stderr.read() for running in (one, other)]
    assert (one.returncode, other.returncode) == (0, 0), said
    same_products(nightly, undisturbed)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--scenes", "absent"), "absent: found No such file"),
        (("--set", "tile.gird=s2"), "unknown key tile.gird"),
        (("--dates", "yesterday"), "--dates: found 'yesterday'"),
        (("--chunk", "501"), "--chunk: found 501; expected 1 to 500"),
    ],
)
def test_what_cannot_begin_is_one_line_and_reported(nightly, options, message):
    nightly.scene.joinpath("notes.txt").write_text("not a scene")
    code, said = nightly.run(*options)
    assert code == 30
    errors = [line for line in said.splitlines() if line.startswith("ERROR: error: ")]
    assert len(errors) == 1
    assert message in errors[0]
    assert not nightly.products.exists()


def test_a_run_without_a_list_is_reported_and_the_report_asks_for_a_run(nightly):
    code, said = nightly.run(task="BatchReport")
    assert code == 30
    assert "run ReprocessScenes with this work root first" in said
    assert nightly.run("--scenes", "absent")[0] == 30
    code, told, said = nightly.report()
    assert code == 30
    assert "absent: found No such file" in told["error"]
    begun = next(nightly.work.glob("batches/*/begun.json"))
    long_ago = json.loads(begun.read_text()) | {"started": "2026-01-01T00:00:00+00:00"}
    begun.write_text(json.dumps(long_ago))
    (begun.parent / "ended.json").unlink()
    (begun.parent / "plan.json").write_text("[]")
    code, said = nightly.run("--max-age", "26", task="BatchReport")
    assert code == 30
