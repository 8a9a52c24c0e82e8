"""The stage and its tasks: whole or absent, nothing cut twice, damage told."""

import json
import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from nndacss.errors import DatasetError
from nndacss.samples import stage
from nndacss.samples.plan import samples_order
from nndacss.samples.settings import SamplesSettings
from nndacss.samples.show import show
from nndacss.samples.store import SampleStore
from nndacss.stage import Context
from tests.datasets.examples import biome, sentinel2
from tests.stages import damage_part, stop_and_go_on

ROOT = Path(__file__).parents[2]
LUIGI = str(Path(sys.executable).parent / "luigi")


@pytest.fixture
def settings(tmp_path):
    entries = [
        {"kind": "biome_chips", **biome(tmp_path / "chips")},
        {"kind": "sentinel2_chips", "name": "s2", **sentinel2(tmp_path / "s2")},
        {"kind": "twin", "count": 2, "metres": [20], "side": 80},
    ]
    return SamplesSettings(datasets=entries, side=64)


def context(tmp_path, settings, threads=1):
    order = samples_order({"samples": settings})
    order.save(tmp_path / "work")
    return Context(order, tmp_path / "work", tmp_path / "products", threads)


def test_cuts_all_images_in_order(tmp_path, settings, capsys):
    made = context(tmp_path, settings)
    summary = stage.make_samples(made)
    with SampleStore(made.folder / "samples.h5") as store:
        records = store.records
        assert store.roles == ("blue", "green", "red", "nir08", "swir16", "swir22")
        assert store.header.recipe["digest"] == made.order.recipe.digest
        pixels, sets = store.read(0)
    # two chips, five small ones, and 80 px in windows of 64: four for each of two seeds
    assert [record.dataset for record in records] == ["biome_chips"] * 2 + ["s2"] * 5 + ["twin"] * 8
    assert [(r.row, r.column) for r in records[-4:]] == [(0, 0), (0, 16), (16, 0), (16, 16)]
    assert records[0].name == "Forest_05_0415"
    np.testing.assert_allclose(pixels[:, 0, 1], [0.101, 0.201, 0.301, 0.401, 0.501, 0.601])
    assert sets[:2, :2].tolist() == [[2, 5], [8, 8]]
    assert records[0].class_counts == (0, 1, 0, 2)
    assert records[0].labelled == 4
    twin = summary["datasets"]["twin"]
    assert twin["labelled"] == 2 * 80 * 80
    assert summary["samples"] == 15
    assert not (made.folder / "parts").exists()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(lines) == 9
    assert lines[-1]["progress"] == 0.9


def test_nir_stands_for_nir08_and_the_rest_is_missing(tmp_path, settings):
    made = context(tmp_path, settings)
    stage.make_samples(made)
    with SampleStore(made.folder / "samples.h5") as store:
        (index,) = [n for n, record in enumerate(store.records) if record.name == "oncloudn_3"]
        record, (pixels, sets) = store.records[index], store.read(index)
    # 2 x 4 pixels of 10 m become 1 x 2 of 20 m; one of the first four is missing
    assert record.metres == 20.0
    np.testing.assert_allclose(pixels[:4, 0, :2], 0.3, atol=1e-4)
    assert np.isnan(pixels[4:]).all()
    # cloud and two of (clear, shadow, snow); then two and one of each
    assert sets[0, :2].tolist() == [7, 8]
    assert not sets[1:].any()


def test_same_store_from_several_processes(tmp_path, settings):
    one, two = (context(tmp_path / name, settings, n) for name, n in (("a", 1), ("b", 2)))
    stage.make_samples(one)
    stage.make_samples(two)
    assert one.order.target == two.order.target
    first, second = ((made.folder / "samples.h5").read_bytes() for made in (one, two))
    assert first == second


def test_what_is_cut_is_not_cut_again(tmp_path, settings, monkeypatch):
    whole = context(tmp_path / "whole", settings)
    stage.make_samples(whole)
    made = context(tmp_path, settings)
    first, then = stop_and_go_on(monkeypatch, stage, "cut_part", stage.make_samples, made, after=4)
    assert (len(first), len({*first, *then}), len(then)) == (4, 9, 5)
    expected = (whole.folder / "samples.h5").read_bytes()
    assert (made.folder / "samples.h5").read_bytes() == expected


def test_killed_between_store_and_end(tmp_path, settings, monkeypatch):
    made = context(tmp_path, settings)
    first = stage.make_samples(made)
    monkeypatch.setattr(stage, "cut_part", None)
    assert stage.make_samples(made) == first


def test_other_files_than_planned(tmp_path, settings):
    made = context(tmp_path, settings)
    next((tmp_path / "s2").glob("oncloudn*")).unlink()
    with pytest.raises(DatasetError, match="s2: found other files than when the task was"):
        stage.make_samples(made)


def test_nothing_labelled(tmp_path):
    unlabelled = {"train/Forest_05_0415": np.zeros((4, 4), np.uint8)}
    entry = {"kind": "biome_chips", "splits": ["train"], **biome(tmp_path / "c", unlabelled)}
    made = context(tmp_path, SamplesSettings(datasets=[entry], side=32))
    with pytest.raises(DatasetError, match="no labelled pixel in 1 images"):
        stage.make_samples(made)
    assert not (made.folder / "samples.h5").exists()


def test_damaged_part_is_told(tmp_path, settings, monkeypatch):
    made = context(tmp_path, settings)
    part = damage_part(monkeypatch, stage, stage.make_samples, made, 3)
    with pytest.raises(DatasetError, match=part.name):
        stage.make_samples(made)


def test_page_shows_every_dataset(tmp_path, settings):
    made = context(tmp_path, settings)
    stage.make_samples(made)
    with SampleStore(made.folder / "samples.h5") as store:
        show(store, tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    assert text.count("<figure>") == 15
    assert text.count("data:image/png;base64,") == 30
    assert "http" not in text  # needs nothing but itself
    for words in ("biome_chips", "s2", "twin", "clear or snow", "unlabelled", "15 samples"):
        assert words in text


def luigi(tmp_path, task, *options):
    (tmp_path / "luigi.cfg").write_text("[machine]\nwork = work\nthreads = 1\n")
    command = [LUIGI, "--module", "tasks", task, *options, "--local-scheduler"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment)


def test_on_the_command_line(tmp_path):
    biome(tmp_path / "chips")
    config = tmp_path / "samples.toml"
    config.write_text(
        '[samples]\nside = 32\n[[samples.datasets]]\nkind = "biome_chips"\nfolder = "chips"\n'
    )
    result = luigi(tmp_path, "ShowSamples", "--config", config.name)
    assert result.returncode == 0, result.stderr
    (folder,) = (tmp_path / "work" / "samples").iterdir()
    assert folder.name.startswith("samples_")
    assert {path.name for path in folder.iterdir()} == {"samples.h5", "samples.html", "stage.json"}
    with h5py.File(folder / "samples.h5") as file:
        assert file["pixels"].shape == (2, 6, 32, 32)
    page = luigi(tmp_path, "ShowSamples", "--store", f"{folder}/samples.h5", "--page", "p.html")
    assert page.returncode == 0, page.stderr
    assert (tmp_path / "p.html").exists()


def test_errors_on_the_command_line(tmp_path):
    config = tmp_path / "samples.toml"
    config.write_text('[[samples.datasets]]\nkind = "biome_chips"\nfolder = "nowhere"\n')
    result = luigi(tmp_path, "MakeSamples", "--config", config.name)
    assert result.returncode == 35
    assert "error: nowhere/train: found no such folder" in result.stderr
    assert "Traceback" not in result.stderr
    (tmp_path / "samples.h5").write_bytes(b"nothing")
    result = luigi(tmp_path, "ShowSamples", "--store", "samples.h5")
    assert result.returncode == 30
    assert "samples.h5: found what HDF5 cannot read" in result.stderr
