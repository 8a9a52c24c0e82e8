"""Status, Invalidate and Clean from the command line."""

import json
import subprocess

import pytest

from tests.operations.conftest import Roots
from tests.tasks.conftest import LUIGI, Bench


class Desk(Bench):
    """A folder with a work and a product root of small files."""

    def run(self, *options):
        """Exit code, standard output and error of a luigi command."""
        command = [LUIGI, "--module", "tasks", *options, "--local-scheduler"]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True
        )
        return done.returncode, done.stdout, done.stderr


@pytest.fixture
def desk(tmp_path):
    roots = Roots(tmp_path / "work", tmp_path / "products")
    roots.chain("LC08_done")
    roots.chain("LC08_begun", until="mask")
    return Desk(tmp_path, tmp_path)


def test_status_clean_invalidate(desk):
    code, out, _ = desk.run("Status", "--json")
    assert code == 0
    told = json.loads(out)
    assert told["work"]["mask"] == {"targets": 2, "finished": 2, "files": 4, "bytes": 2004}
    code, out, said = desk.run("Status")
    assert code == 0, said
    assert "1 whole" in out
    before = sorted(desk.folder.rglob("*"))
    for command in (("Clean",), ("Invalidate", "--scene", "LC08_*", "--stage", "mask")):
        code, out, _ = desk.run(*command, "--dry-run")
        assert code == 0
        assert sorted(desk.folder.rglob("*")) == before
    assert "3 targets would be removed" in out
    code, out, said = desk.run("Clean")
    assert code == 0, said
    assert "4.0 kB freed" in out
    assert [path.name[:10] for path in (desk.work / "mask").iterdir()] == ["LC08_begun"]
    code, out, _ = desk.run("Invalidate", "--scene", "LC08_done")
    assert code == 0
    assert "1 targets removed" in out
    assert not list(desk.products.iterdir())
    code, _, said = desk.run("Invalidate")
    assert code == 30
    assert "say what to remove" in said


def test_a_log_that_cannot_be_written_is_told(desk):
    code, _, said = desk.run("Status", "--machine-log-json", "/proc/none/x.jsonl")
    assert code in (30, 35)
    assert "correct [machine] log_json" in said
