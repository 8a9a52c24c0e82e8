"""MapLandCover on the command line."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import rasterio

from tests.land_cover.small import safe, save_land
from tests.readers.safe_recipes import Recipe

LUIGI = str(Path(sys.executable).parent / "luigi")


def run(folder, *options):
    """Exit code and what was said."""
    command = [LUIGI, "--module", "tasks", "MapLandCover", "--local-scheduler", *options]
    found = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return found.returncode, found.stderr


@pytest.mark.slow
def test_a_scene_is_acquired_and_mapped_once(tmp_path):
    scene, weights = safe(tmp_path / "scenes", size=120), save_land(tmp_path)
    options = ("--scene", str(scene), "--weights", str(weights), "--bbox=6,45,12,58")
    code, said = run(tmp_path, *options)
    assert code == 0, said
    (folder,) = (tmp_path / "products").iterdir()
    assert folder.name.startswith(f"{scene.stem}_landcover_")
    item = json.loads((folder / "item.json").read_text())
    assert {"land_cover", "probability", "report_html"} <= set(item["assets"])
    with rasterio.open(next(folder.glob("*_land_cover.tif"))) as raster:
        assert raster.shape == (120, 120)
    assert f"the map is {folder.relative_to(tmp_path)}" in said
    code, said = run(tmp_path, *options)
    assert code == 0
    assert "already done" in said or "MakeMap" not in said.split("Scheduled")[1].split("This")[0]


def test_what_is_wrong_is_said_before_any_work(tmp_path):
    weights = str(save_land(tmp_path))
    scene = str(Recipe(size=60).write(tmp_path))
    code, said = run(
        tmp_path, "--scene", scene, "--weights", weights, "--set", "land_cover.toa=refuse"
    )
    assert code != 0
    assert "TOA reflectance; expected SR reflectance, which land was trained on" in said
    assert not (tmp_path / "work" / "acquire").exists()
