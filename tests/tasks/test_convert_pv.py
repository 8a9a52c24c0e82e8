"""ConvertPV from the command line, and what planning must not import."""

import os
import subprocess
import sys
from pathlib import Path

from nndacss.readers.probav import open_product

ROOT = Path(__file__).parents[2]
LUIGI = str(Path(sys.executable).parent / "luigi")
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def convert(folder, scene, *options):
    (folder / "luigi.cfg").write_text("[machine]\nwork = work\nthreads = 1\n")
    command = [LUIGI, "--module", "tasks.convert_pv", "ConvertPV", "--local-scheduler"]
    return subprocess.run(
        [*command, "--l8img", str(scene), *options],
        cwd=folder,
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        check=False,
    )


def test_a_scene_once(tmp_path, simulated):
    scene = simulated.l1
    first = convert(tmp_path, scene, "--outfolder", "pv", "--resolution", "100M")
    assert first.returncode == 0, first.stderr
    name = f"pv/{scene.name}/{scene.name}_100M.HDF5"
    assert f"the product is {name}" in first.stderr
    with open_product(tmp_path / name) as product:
        assert product.resolution == "100M"
    (stage,) = (tmp_path / "work" / "convert_pv").iterdir()
    assert [path.name for path in stage.iterdir()] == ["stage.json"]
    again = convert(tmp_path, scene, "--outfolder", "pv", "--resolution", "100M")
    assert again.returncode == 0
    assert "complete ones were encountered" in again.stderr
    other = ("--set", "convert_pv.edges=legacy")
    refused = convert(tmp_path, scene, "--outfolder", "pv", "--resolution", "100M", *other)
    assert refused.returncode == 30
    assert f"error: {name}: found a product of recipe" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_errors_are_one_line(tmp_path, simulated):
    wrong = convert(tmp_path, simulated.l1, "--resolution", "5M")
    assert wrong.returncode == 35
    assert "error: --set: found convert_pv.resolution = '5M'; expected" in wrong.stderr
    labels = convert(tmp_path, simulated.l1, "--type-product", "biome")
    assert labels.returncode == 35
    assert f"found no {simulated.l1.name}_fixedmask.img" in labels.stderr
    assert "Traceback" not in wrong.stderr + labels.stderr
    assert not (tmp_path / "landsataspv").exists()


def test_planning_is_light():
    code = "import sys, tasks.convert_pv, nndacss.convert_pv.plan; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=ENVIRONMENT, check=True
    )
    assert not {"torch", "rasterio", "scipy", "h5py"} & set(done.stdout.split())
