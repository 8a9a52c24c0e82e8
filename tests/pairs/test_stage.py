"""The stage: whole or absent, nothing made twice, and recipes that know no place."""

import shutil

import numpy as np
import pytest

from nndacss.errors import DatasetError, SettingsError
from nndacss.pairs import stage
from nndacss.pairs.plan import build, pairs_order
from nndacss.pairs.settings import PairsSettings
from nndacss.pairs.show import differing, show
from nndacss.pairs.store import PairStore
from nndacss.resources import config_file
from nndacss.settings import load_settings
from nndacss.stage import Context
from tests.pairs.test_archives import chips
from tests.stages import damage_part, stop_and_go_on

#: Sides of the pairs.
SIDE = 24


def entries(folder, **twin):
    return [
        {"kind": "twin", "first": 3, "count": 2, "image": 48, **twin},
        {
            "kind": "degraded",
            "name": "real",
            "archive": "l2a_chips",
            "folder": str(folder),
            "draws": 2,
        },
    ]


@pytest.fixture
def settings(tmp_path):
    chips(tmp_path / "chips", 48)
    return PairsSettings(sources=entries(tmp_path / "chips"), side=SIDE)


def context(tmp_path, settings, threads=1):
    order = pairs_order({"pairs": settings})
    order.save(tmp_path / "work")
    return Context(order, tmp_path / "work", tmp_path / "products", threads)


def test_makes_all_pairs_in_order(tmp_path, settings, capsys):
    made = context(tmp_path, settings)
    summary = stage.make_pairs(made)
    with PairStore(made.folder / "pairs.h5") as store:
        records = store.records
        assert store.side == SIDE
        assert store.header.recipe["digest"] == made.order.recipe.digest
        inputs, target = store.read(0)
    assert [r.dataset for r in records] == ["twin"] * 8 + ["real"] * 8
    assert [r.name for r in records[3:5]] == ["0000003", "0000004"]
    assert summary["pairs"] == 16
    assert summary["sources"]["real"]["kind"] == "degraded"
    assert summary["sources"]["twin"]["scenes"] == 2
    assert np.isfinite(inputs[:6]).all()
    assert np.abs(inputs[:6] - target).mean() < 0.05
    assert not (made.folder / "parts").exists()
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_same_store_from_several_processes(tmp_path, settings):
    one, two = (context(tmp_path / name, settings, n) for name, n in (("a", 1), ("b", 2)))
    stage.make_pairs(one)
    stage.make_pairs(two)
    first, second = ((made.folder / "pairs.h5").read_bytes() for made in (one, two))
    assert first == second


def test_what_is_made_is_not_made_again(tmp_path, settings, monkeypatch):
    whole = context(tmp_path / "whole", settings)
    stage.make_pairs(whole)
    made = context(tmp_path, settings)
    first, then = stop_and_go_on(monkeypatch, stage, "make_part", stage.make_pairs, made, after=2)
    assert (first, then) == (["0000003", "0000004"], ["chip_a"])
    expected = (whole.folder / "pairs.h5").read_bytes()
    assert (made.folder / "pairs.h5").read_bytes() == expected


def test_a_recipe_knows_no_place(tmp_path, settings):
    first = pairs_order({"pairs": settings})
    shutil.copytree(tmp_path / "chips", tmp_path / "elsewhere")
    moved = PairsSettings(sources=entries(tmp_path / "elsewhere"), side=SIDE)
    second = pairs_order({"pairs": moved})
    assert first.target == second.target
    assert first.location == {"real.folder": str(tmp_path / "chips")}
    assert str(tmp_path) not in str(first.recipe)
    for other in (
        PairsSettings(sources=entries(tmp_path / "chips", first=4), side=SIDE),
        PairsSettings(sources=entries(tmp_path / "chips"), side=48),
        PairsSettings(sources=entries(tmp_path / "chips")[::-1], side=SIDE),
    ):
        assert pairs_order({"pairs": other}).target != first.target


def test_other_files_than_planned(tmp_path, settings):
    made = context(tmp_path, settings)
    chips(tmp_path / "chips", 72)
    with pytest.raises(DatasetError, match="chips: found other files than when the task was"):
        stage.make_pairs(made)


def test_damaged_part_is_told(tmp_path, settings, monkeypatch):
    made = context(tmp_path, settings)
    part = damage_part(monkeypatch, stage, stage.make_pairs, made, 1)
    with pytest.raises(DatasetError, match=part.name):
        stage.make_pairs(made)


def test_no_pair_at_all(tmp_path, settings, monkeypatch):
    made = context(tmp_path, settings)
    for kind in {type(job.source) for job in stage.plan_jobs(made)}:
        monkeypatch.setattr(kind, "pairs", lambda *_: iter(()))
    with pytest.raises(DatasetError, match="no pair in 3 units"):
        stage.make_pairs(made)
    assert not (made.folder / "pairs.h5").exists()


def test_wrong_settings(tmp_path):
    with pytest.raises(SettingsError, match=r"no \[\[pairs.sources\]\]"):
        pairs_order({"pairs": PairsSettings()})
    with pytest.raises(ValueError, match="two sources are called 'twin'"):
        PairsSettings(sources=[{"kind": "twin"}, {"kind": "twin"}])
    with pytest.raises(SettingsError, match=r"\[\[pairs.sources\]\] t: found unknown option cout"):
        pairs_order({"pairs": PairsSettings(sources=[{"kind": "twin", "name": "t", "cout": 1}])})


def test_page_shows_every_source(tmp_path, settings):
    made = context(tmp_path, settings)
    stage.make_pairs(made)
    with PairStore(made.folder / "pairs.h5") as store:
        show(store, tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    assert text.count("<figure>") == 8 + 8
    assert text.count("data:image/png;base64,") == 4 * 16
    assert "http" not in text  # needs nothing but itself
    for words in ("16 pairs", "real", "twin", "0000004", "known at 20 m only"):
        assert words in text


def test_colours_of_a_difference():
    """White where equal, red where the input is brighter, blue where it is darker."""
    difference = np.zeros((6, 1, 4), np.float32)
    difference[:, 0, 1], difference[:, 0, 2], difference[0, 0, 3] = 0.05, -0.05, np.nan
    found = differing(difference)[0].tolist()
    assert found[:3] == [[255, 255, 255], [255, 0, 0], [0, 0, 255]]
    assert found[3] == [232, 229, 220]


def test_training_and_test_pairs_do_not_meet(shared_data, tmp_path, monkeypatch):
    """No seed, chip, rows or draw of the test config is in the training config's."""
    data = shared_data("sentinel2-l2a-chips").parent
    for folder in ("shared", "here"):
        (tmp_path / folder).mkdir()
    (tmp_path / "shared" / "data").symlink_to(data)  # where the configs look for it
    monkeypatch.chdir(tmp_path / "here")
    train, test = (
        load_settings(config_file(name))["pairs"].sources
        for name in ("harmonizer.toml", "harmonizer_test.toml")
    )
    assert not {e.options.get("seed", 0) for e in train} & {
        e.options["seed"] for e in test if e.kind == "degraded"
    }
    twins = [
        range(e.options["first"], e.options["first"] + e.options["count"])
        for e in (*train, *test)
        if e.kind == "twin"
    ]
    assert set(twins[0]).isdisjoint(twins[1])
    images = [
        {
            (e.options["archive"], name, tuple(e.options.get("rows", (0, 1))))
            for name in build(e).names()
        }
        for e in (*train, *test)
        if e.kind == "degraded"
    ]
    names = [{(archive, name) for archive, name, rows in part if rows == (0, 1)} for part in images]
    assert len(names[0]) == 18
    assert len(names[2]) == 7
    assert names[0].isdisjoint(names[2])
    (upper,) = {rows for part in images[:2] for archive, _, rows in part if archive == "multires"}
    (lower,) = {rows for part in images[2:] for archive, _, rows in part if archive == "multires"}
    assert upper[1] + 0.05 <= lower[0]
