"""What the README says to type, typed: its tested blocks and the demo."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"^```(bash|python) tested\n(.*?)^```", re.MULTILINE | re.DOTALL)
ENVIRONMENT = {
    **{key: value for key, value in os.environ.items() if not key.startswith("MAKE")},
    "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    "PYTHONPATH": str(ROOT),
}


def run(command, folder):
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=ENVIRONMENT)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_tested_blocks_run_in_order_in_an_empty_folder(tmp_path):
    blocks = BLOCK.findall((ROOT / "README.md").read_text())
    assert len(blocks) == 7
    for language, text in blocks:
        command = ["bash", "-euc", text] if language == "bash" else [sys.executable, "-c", text]
        run(command, tmp_path)
    assert len(list(tmp_path.glob("products/*/item.json"))) == 1
    assert (tmp_path / "reports" / "latest.html").is_file()
    assert len(list(tmp_path.glob("landsataspv/*/*_333M.HDF5"))) == 1
    assert (tmp_path / "adapted.HDF5").is_file()
    assert len(list(tmp_path.glob("other/*/item.json"))) == 1
    assert len(list(tmp_path.glob("products/mask-small_*/report.html"))) == 1
    assert len(list(tmp_path.glob("work/harmonizer/*/weights.safetensors"))) == 1


def test_the_demo_names_a_report(tmp_path):
    binary = Path(sys.executable).parent
    out = run(
        ["make", "--no-print-directory", "-f", str(ROOT / "Makefile"), "demo-run", f"BIN={binary}"],
        tmp_path,
    )
    report = Path(out.strip().splitlines()[-1])
    assert report.name == "report.html"
    assert report.is_file()


@pytest.mark.slow
def test_land_cover_from_a_server_to_a_map(tmp_path):
    binary = Path(sys.executable).parent
    make = ["make", "--no-print-directory", "-f", str(ROOT / "Makefile"), "landcover-run"]
    out = run([*make, f"BIN={binary}"], tmp_path)
    assert (tmp_path / out.strip().splitlines()[-1]).is_file()
    assert len(list(tmp_path.glob("products/*_landcover_*/*_land_cover.tif"))) == 1


@pytest.mark.parametrize("name", re.findall(r"\]\(([^)#:]+)\)", (ROOT / "README.md").read_text()))
def test_links_lead_somewhere(name):
    assert (ROOT / name).exists()
