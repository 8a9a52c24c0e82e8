"""Painted sample sets: what is in them, that training reads them, and whole or absent."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from nndacss.errors import DatasetError, SettingsError
from nndacss.identity import Order
from nndacss.inpaint import stage
from nndacss.inpaint.cast import turned_azimuth
from nndacss.inpaint.options import NAMES, PaintOptions
from nndacss.inpaint.plan import inpaint_order
from nndacss.inpaint.settings import InpaintSettings
from nndacss.inpaint.store import PaintedStore, noted
from nndacss.labels.climate import SCHEME
from nndacss.samples.layout import Header, Record
from nndacss.samples.settings import SamplesSettings
from nndacss.samples.show import show
from nndacss.samples.store import SampleStore
from nndacss.samples.write import count_classes, write_store
from nndacss.sensors import REFLECTIVE
from nndacss.stage import Context
from nndacss.train.augment import turn
from nndacss.train.data import SampleData
from nndacss.train.settings import TrainSettings
from tests.inpaint.scenes import C, X, pair_bank, scene
from tests.stages import finished_store, stop_and_go_on

SIDE, COUNT = 64, 20
KINDS = ("empty", "snow", "cloud", "all")


def make_samples(path, kinds=KINDS):
    """Twenty samples of some kinds; the last holds no ground."""
    recipe = {"digest": "ab" * 32, "settings": {}}
    header = Header(REFLECTIVE, "climate", SCHEME.classes, SIDE, recipe)
    items = []
    for number in range(COUNT):
        pixels, sets = (
            part[..., :SIDE, :SIDE] for part in scene(number, kinds[number % len(kinds)])
        )
        if number == COUNT - 1:
            sets = np.full_like(sets, X)
        sun = None if number % 5 == 0 else (40.0, 150.0)
        record = Record(
            "twin", f"chip-{number}", f"scene-{number // 2}", 0, 0, 20.0, "TOA", "landsat8_oli",
            sun, int((sets != 0).sum()), count_classes(sets, 4),
        )  # fmt: skip
        items.append((pixels, sets, record))
    write_store(path, header, items)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A work root with samples and a bank, and the samples' order."""
    work = tmp_path_factory.mktemp("work")
    bank = pair_bank(work / "bank.h5")
    order, _ = finished_store(work, "samples", make_samples)
    return work, order, bank


def settings_of(bank, paint=None, **options):
    """Sections with a bank by its path."""
    own = PaintOptions(bank=str(bank), **(paint or {}))
    return {"inpaint": InpaintSettings(paint=own, **options), "samples": SamplesSettings()}


def context(made, threads=1, paint=None, **options):
    root, samples, bank = made
    settings = settings_of(bank, {"modes": NAMES, "pair_chance": 0.3, **(paint or {})}, **options)
    order = inpaint_order(samples, None, settings)
    order.save(root)
    return Context(order, root, root / "products", threads)


def content(path):
    """Everything that a store holds."""
    with PaintedStore(path) as store:
        return [
            (*(part.tobytes() for part in store.element(n)), store.records[n])
            for n in range(len(store))
        ]


@pytest.fixture(scope="module")
def painted(made):
    found = context(made, draws=2)
    told = stage.inpaint_samples(found)
    return told, found.folder / "samples.h5", found


def test_originals_and_draws_with_their_notes(made, painted):
    told, path, found = painted
    samples = made[0] / "samples" / made[1].target / "samples.h5"
    with PaintedStore(path) as store, SampleStore(samples) as source:
        assert len(store) == 3 * COUNT
        for index in range(COUNT):
            notes = [store.origin(3 * index + draw) for draw in range(3)]
            assert [note["draw"] for note in notes] == [0, 1, 2]
            assert all(note["source"] == ["ab" * 8, index] for note in notes)
            first = store.read_raw(3 * index)
            for mine, theirs in zip(first, source.read_raw(index), strict=True):
                np.testing.assert_array_equal(mine, theirs)
            assert store.records[3 * index] == source.records[index]
            for draw in (1, 2):
                check_draw(store, source, index, 3 * index + draw, notes[draw])
        assert store.header.recipe["digest"] == found.order.recipe.digest
    drawn = 2 * COUNT
    assert sum(told["painted"].values()) + sum(told["skipped"].values()) == drawn
    assert told["skipped"]["no ground"] == 2
    assert len(told["painted"]) > 3
    assert {"record", "drawn"} <= set(told["sun_from"])


def check_draw(store, source, index, place, note):
    """A draw is the turned sample with something painted in, or as it was, with a reason."""
    record, before = store.records[place], source.records[index]
    pixels, sets = source.read_raw(index)
    pixels, sets = turn(pixels, note["turn"]), turn(sets, note["turn"])
    mine = store.read_raw(place)
    assert record.name == f"{before.name}, draw {note['draw']}"
    assert (record.scene, record.metres) == (before.scene, before.metres)
    np.testing.assert_array_equal(mine[0] == -32768, pixels == -32768)
    assert record.class_counts == count_classes(mine[1], 4)
    if before.sun:
        assert record.sun[1] == pytest.approx(turned_azimuth(before.sun[1], note["turn"]))
    if note["mode"]:
        assert note["mode"] in NAMES
        assert (mine[1] != sets).any()
        assert note["painted"]
        if before.sun:
            assert note["sun"][1] == pytest.approx(record.sun[1], abs=0.01)
    else:
        assert note["skipped"]
        np.testing.assert_array_equal(mine[0], pixels)


def test_draws_differ(painted):
    with PaintedStore(painted[1]) as store:
        same = [
            np.array_equal(store.read_raw(3 * n + 1)[0], store.read_raw(3 * n + 2)[0])
            for n in range(COUNT - 1)
        ]
    assert sum(same) < 4


def test_training_and_pages_read_it_as_any_store(painted, tmp_path):
    settings = TrainSettings(batch=4, crop=32, monitor=0.2, workers=0, cross_validated=())
    data = SampleData(painted[1], settings)
    batch = next(iter(data.train_dataloader()))
    assert batch["pixels"].shape == (4, 6, 32, 32)
    # all draws of a scene are on one side of the split
    scenes = [data.store.records[n].scene for n in data.split.train]
    assert not set(scenes) & {data.store.records[n].scene for n in data.split.monitor}
    with SampleStore(painted[1]) as store:
        show(store, tmp_path / "page.html")
    assert "draw 1" in (tmp_path / "page.html").read_text()


def test_the_number_of_workers_changes_nothing(made, painted):
    again = context(made, threads=2, draws=2)
    (again.folder / "samples.h5").rename(again.folder / "one.h5")
    stage.inpaint_samples(again)
    assert content(again.folder / "samples.h5") == content(again.folder / "one.h5")
    assert (again.folder / "samples.h5").read_bytes() == (again.folder / "one.h5").read_bytes()


def test_it_goes_on_behind_the_last_whole_part(made, monkeypatch):
    unbroken = context(made, draws=1, seed=5)
    stage.inpaint_samples(unbroken)
    whole = (unbroken.folder / "samples.h5").read_bytes()
    (unbroken.folder / "samples.h5").unlink()
    first, then = stop_and_go_on(
        monkeypatch, stage, "make_part", stage.inpaint_samples, unbroken, after=1
    )
    assert (first, then) == (["000000"], ["000008", "000016"])
    assert (unbroken.folder / "samples.h5").read_bytes() == whole


def test_killed_in_the_middle_it_makes_the_same_store(made):
    """A real process, killed by the kernel's hand while it writes, then run again."""
    found = context(made, draws=8, seed=9)
    path = found.work / "recipes" / f"{found.order.recipe.digest}.json"
    command = [sys.executable, "-m", "nndacss.inpaint", str(path), "--work", str(found.work)]
    command += ["--threads", "1"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    child = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    parts = found.folder / "parts"
    while child.poll() is None and not list(parts.glob("[!.]*.h5")):
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    before = {part: part.stat().st_mtime_ns for part in parts.glob("[!.]*.h5")}
    assert 1 <= len(before) < 3
    assert not (found.folder / "samples.h5").exists()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert "samples from 8 on" in done.stdout
    resumed = (found.folder / "samples.h5").read_bytes()
    (found.folder / "samples.h5").unlink()
    stage.inpaint_samples(found)
    assert (found.folder / "samples.h5").read_bytes() == resumed


def test_a_damaged_part_is_named(made, monkeypatch):
    found = context(made, seed=11)
    monkeypatch.setattr(stage, "join_painted", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        stage.inpaint_samples(found)
    monkeypatch.undo()
    part = sorted((found.folder / "parts").iterdir())[1]
    part.write_bytes(part.read_bytes()[:-100])
    with pytest.raises(DatasetError, match=part.name):
        stage.inpaint_samples(found)
    assert not (found.folder / "samples.h5").exists()


def test_a_recipe_knows_what_and_not_where(made, tmp_path):
    _, samples, bank = made
    copy = tmp_path / "copy.h5"
    copy.write_bytes(bank.read_bytes())

    def digest(place, **options):
        return inpaint_order(samples, None, settings_of(place, **options)).recipe.digest

    assert digest(copy) == digest(bank) == digest(bank, device="cpu")
    others = [digest(bank, draws=2), digest(bank, paint={"modes": NAMES}), digest(bank, seed=1)]
    assert len({digest(bank), *others}) == 4
    harvested = Order(samples.recipe, "bank")
    settings = {"inpaint": InpaintSettings(), "samples": SamplesSettings()}
    order = inpaint_order(samples, harvested, settings)
    assert set(order.recipe.inputs) == {"samples", "mask_bank"}


def test_nothing_to_paint_is_an_error_with_its_reasons(made, tmp_path):
    order, _ = finished_store(tmp_path, "samples", lambda path: make_samples(path, ("empty",)))
    found = context((tmp_path, order, made[2]), paint={"modes": ("duplicate",)})
    with pytest.raises(DatasetError, match=r"nothing painted into 20 samples \(no structure"):
        stage.inpaint_samples(found)
    assert not (found.folder / "samples.h5").exists()


def test_banks_that_cannot_be_used(made, tmp_path):
    _, samples, bank = made
    settings = {"inpaint": InpaintSettings(), "samples": SamplesSettings()}
    with pytest.raises(SettingsError, match=r"inpaint\.paint: found no bank to paint with"):
        inpaint_order(samples, None, settings)
    changed = tmp_path / "bank.h5"
    changed.write_bytes(bank.read_bytes())
    found = context((made[0], samples, changed), seed=21)
    changed.write_bytes(changed.read_bytes() + b"x")
    with pytest.raises(DatasetError, match=r"bank\.h5: found [0-9a-f]{12}"):
        stage.inpaint_samples(found)


def test_a_note_fits_its_place():
    note = {"mode": "duplicate", "painted": ["a mask with a long name"] * 90}
    text = noted(note)
    assert len(text) <= 1024
    assert json.loads(text)["mode"] == "duplicate"
    assert len(json.loads(text)["painted"]) > 20


def test_clear_ground_is_painted(made):
    paint = {"modes": ("clouds_on_empty",), "cover": (0.3, 0.5)}
    found = context(made, originals=False, seed=3, paint=paint)
    stage.inpaint_samples(found)
    with PaintedStore(found.folder / "samples.h5") as store:
        empty = [store.read_raw(index)[1] for index in range(0, COUNT, 4)]
    assert np.median([(sets == X).mean() for sets in empty]) > 0.1
    assert (empty[0] & C).any()
