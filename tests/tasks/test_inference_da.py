"""InferenceDA from the command line."""

import os
import subprocess
import sys
from pathlib import Path

import h5py
import rasterio

from nndacss.simulate.probav_product import write_probav
from tests.inference_da.products import write
from tests.models import keras_files

ROOT = Path(__file__).parents[2]
LUIGI = str(Path(sys.executable).parent / "luigi")
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def infer(folder, *options):
    (folder / "luigi.cfg").write_text("[machine]\nwork = work\nthreads = 1\n")
    command = [LUIGI, "--module", "tasks.inference_da", "InferenceDA", "--local-scheduler"]
    return subprocess.run(
        [*command, "--device", "cpu", *options],
        cwd=folder,
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        check=False,
    )


def test_a_product_once(tmp_path):
    write(tmp_path / "pv.HDF5")
    published = tmp_path / "published"
    published.mkdir()
    keras_files.save(published / "full.hdf5", keras_files.generator_arrays())
    keras_files.save(published / "cloud_detection_l8.hdf5", keras_files.cloud_arrays())
    given = ("--pvimage", "pv.HDF5", "--image-dest", "out/pv.HDF5", "--published", "published")
    first = infer(tmp_path, *given)
    assert first.returncode == 0, first.stderr
    assert "the adapted product is out/pv.HDF5" in first.stderr
    with h5py.File(tmp_path / "out" / "pv.HDF5") as file:
        assert file["CM_DAGANS"].shape == (70, 91)
    again = infer(tmp_path, *given)
    assert again.returncode == 0
    assert "complete ones were encountered" in again.stderr
    other = keras_files.save(tmp_path / "c.hdf5", keras_files.cloud_arrays(seed=5))
    refused = infer(tmp_path, *given, "--cloud-detection-weights", str(other))
    assert refused.returncode == 30
    assert "error: " in refused.stderr
    assert "found a file that was not made from this product" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_our_own_weights_on_a_simulated_product(tmp_path):
    """Of a place that they did not learn from: most cloud is found, and the truth is the twin's."""
    made = write_probav(tmp_path, seed=3_000_007, cover=0.4)
    done = infer(tmp_path, "--pvimage", made.path.name, "--image-dest", "out.HDF5")
    assert done.returncode == 0, done.stderr
    assert "learnt from simulated images" not in done.stderr  # it is no observation
    with rasterio.open(made.truth) as raster:
        truth = raster.read(1)
    with h5py.File(tmp_path / "out.HDF5") as file, h5py.File(made.path) as before:
        probability = file["CM_DAGANS"][()]
        red = "LEVEL2A/RADIOMETRY/RED/TOA"
        changed = file[red][()] != before[red][()]
    seen = (truth != 255) & (probability >= 0)
    assert seen.mean() > 0.9
    found, there = probability[seen] >= 0.5, truth[seen] == 3
    assert 0.1 < there.mean() < 0.9
    assert (found & there).sum() / (found | there).sum() > 0.6
    assert changed[seen].mean() > 0.5


def test_errors_are_one_line(tmp_path):
    write(tmp_path / "pv.HDF5")
    given = ("--pvimage", "pv.HDF5", "--image-dest", "o.HDF5", "--published", ".")
    wrong = infer(tmp_path, *given)
    assert wrong.returncode == 35
    assert "error: full.hdf5: found no such file; expected a Keras weights file" in wrong.stderr
    assert "Traceback" not in wrong.stderr
    assert not (tmp_path / "o.HDF5").exists()


def test_the_scheduler_stays_light():
    code = "import sys, tasks.inference_da, nndacss.inference_da.plan; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=ENVIRONMENT, check=True
    )
    assert not {"torch", "rasterio", "scipy", "h5py", "numpy"} & set(done.stdout.split())
