"""AcquireLandCoverNet and CleanLandCoverNet from the command line."""

import os
import subprocess
import sys
from pathlib import Path

from nndacss.datasets.landcovernet import LandCoverNet
from tests.landcovernet.test_acquire import CHOSEN

ROOT = Path(__file__).parents[2]
LUIGI = str(Path(sys.executable).parent / "luigi")
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
CONFIG = """
[landcovernet]
source = "{url}"
folder = "got"
continents = ["af"]
bands = ["B02", "B08"]
[clean]
folder = "got"
bands = ["B02", "B08"]
least_labelled = 0.8
most_overlap = 1.0
"""


def luigi(folder, task, *options):
    (folder / "luigi.cfg").write_text("[machine]\nwork = work\nthreads = 1\n")
    command = [LUIGI, "--module", "tasks.landcovernet", task, "--local-scheduler", *options]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, env=ENVIRONMENT, check=False
    )


def test_from_the_server_to_the_list(files, tmp_path):
    (tmp_path / "a.toml").write_text(CONFIG.format(url=files.url))
    dry = luigi(tmp_path, "AcquireLandCoverNet", "--config", "a.toml", "--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert "2 chips, at most 5 dates: at most 0.0 MB of images" in dry.stderr
    assert not (tmp_path / "got").exists()
    done = luigi(tmp_path, "AcquireLandCoverNet", "--config", "a.toml")
    assert done.returncode == 0, done.stderr
    assert LandCoverNet(folder=tmp_path / "got", bands=("B02",)).names() == tuple(CHOSEN)
    clean = luigi(tmp_path, "CleanLandCoverNet", "--config", "a.toml")
    assert clean.returncode == 0, clean.stderr
    kept = tmp_path / "got" / "kept.txt"
    data = LandCoverNet(folder=tmp_path / "got", bands=("B02",), selection=kept)
    assert data.names() == tuple(CHOSEN)
    kept.unlink()  # made anew without cleaning anew
    assert luigi(tmp_path, "CleanLandCoverNet", "--config", "a.toml").returncode == 0
    assert data.names() == tuple(CHOSEN)


def test_errors_are_one_line(files, tmp_path):
    (tmp_path / "a.toml").write_text(CONFIG.format(url=files.url).replace('"af"', '"sa"'))
    result = luigi(tmp_path, "AcquireLandCoverNet", "--config", "a.toml")
    assert result.returncode == 30
    assert f"error: {files.url}: found no ref_landcovernet_sa_v1_labels" in result.stderr
    result = luigi(tmp_path, "CleanLandCoverNet", "--config", "a.toml")
    assert result.returncode == 35
    assert "got: found no such folder; expected LandCoverNet's files" in result.stderr


def test_planning_is_light():
    code = (
        "import sys, nndacss.landcovernet.plan, nndacss.landcovernet.estimate, nndacss.clean.plan, "
        "tasks.landcovernet; print(*sys.modules)"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, check=True)
    assert not {"torch", "rasterio", "scipy", "numpy"} & set(done.stdout.split())
