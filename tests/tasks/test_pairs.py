"""MakePairs and ShowPairs from the command line, and what planning must not import."""

import os
import subprocess
import sys
from pathlib import Path

import h5py

ROOT = Path(__file__).parents[2]
LUIGI = str(Path(sys.executable).parent / "luigi")
CONFIG = """
[pairs]
side = 24
[[pairs.sources]]
kind = "twin"
count = 1
image = 48
"""
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def luigi(folder, task, *options):
    (folder / "luigi.cfg").write_text("[machine]\nwork = work\nthreads = 1\n")
    command = [LUIGI, "--module", "tasks.pairs", task, *options, "--local-scheduler"]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, env=ENVIRONMENT, check=False
    )


def test_pairs_and_their_page(tmp_path):
    (tmp_path / "a.toml").write_text(CONFIG)
    result = luigi(tmp_path, "ShowPairs", "--config", "a.toml")
    assert result.returncode == 0, result.stderr
    (folder,) = (tmp_path / "work" / "pairs").iterdir()
    assert folder.name.startswith("pairs_")
    assert {path.name for path in folder.iterdir()} == {"pairs.h5", "pairs.html", "stage.json"}
    with h5py.File(folder / "pairs.h5") as file:
        assert file["inputs"].shape == (4, 7, 24, 24)
    (folder / "pairs.html").unlink()
    page = luigi(tmp_path, "ShowPairs", "--store", f"{folder}/pairs.h5", "--page", "p.html")
    assert page.returncode == 0, page.stderr
    assert "4 pairs" in (tmp_path / "p.html").read_text()


def test_errors_are_one_line(tmp_path):
    (tmp_path / "a.toml").write_text(
        '[[pairs.sources]]\nkind = "degraded"\narchive = "l2a_chips"\nfolder = "nowhere"\n'
    )
    result = luigi(tmp_path, "MakePairs", "--config", "a.toml")
    assert result.returncode == 35
    assert "error: nowhere: found no such folder" in result.stderr
    assert "Traceback" not in result.stderr
    (tmp_path / "pairs.h5").write_bytes(b"nothing")
    result = luigi(tmp_path, "ShowPairs", "--store", "pairs.h5")
    assert result.returncode == 30
    assert "pairs.h5: found what HDF5 cannot read" in result.stderr


def test_planning_is_light():
    code = "import sys, nndacss.pairs.plan, tasks.pairs; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=ENVIRONMENT, check=True
    )
    assert not {"torch", "rasterio", "scipy", "h5py"} & set(done.stdout.split())
