"""The views stage: whole or absent, nothing made twice, and recipes that know no place."""

import shutil

import numpy as np
import pytest

from nndacss.errors import DatasetError, SettingsError, WeightsError
from nndacss.resources import folder
from nndacss.stage import Context
from nndacss.views import stage
from nndacss.views.plan import views_order
from nndacss.views.settings import ViewsSettings
from nndacss.views.store import ViewStore
from tests.datasets.examples import biome, sentinel2
from tests.models.small_harmonizer import small_harmonizer
from tests.stages import damage_part, stop_and_go_on

SIDE = 96


def chips(place):
    """A chip of 42 x 42 pixels, more than a view, with cloud in its upper left; and an empty one.

    Without any label, the second gives no view.
    """
    mask = np.full((42, 42), 128, dtype=np.uint8)
    mask[:10, :10] = 255
    empty = np.zeros((2, 2), dtype=np.uint8)
    return biome(place, {"train/Forest_05_0415": mask, "val/Water_01_0922": empty})


@pytest.fixture(scope="module")
def card(tmp_path_factory):
    return small_harmonizer(tmp_path_factory.mktemp("weights"))


def settings_of(place, card, **changes):
    archive = {"kind": "biome_chips", "name": "real", **chips(place / "chips")}
    sources = [{"kind": "twin", "first": 5, "count": 2}, archive]
    plain = {"sources": sources, "side": SIDE, "weights": [str(card)], "device": "cpu"}
    return ViewsSettings(**(plain | changes))


@pytest.fixture
def settings(tmp_path, card):
    return settings_of(tmp_path, card)


def context(place, settings, threads=1):
    order = views_order({"views": settings})
    order.save(place / "work")
    return Context(order, place / "work", place / "products", threads)


def test_makes_all_views_in_order(tmp_path, settings, caplog):
    made = context(tmp_path, settings)
    summary = stage.make_views(made)
    with ViewStore(made.folder / "views.h5") as store:
        records = store.records
        assert store.header.recipe["digest"] == made.order.recipe.digest
        assert (store.header.side, store.header.target) == (SIDE, "sentinel-2a")
        landsat, harmonized, sets = store.read(2)
    assert [r.dataset for r in records] == ["twin"] * 2 + ["real"] * 4
    assert [r.pan for r in records] == [True] * 2 + [False] * 4
    assert [r.level for r in records] == ["SR"] * 2 + ["TOA"] * 4
    # 42 pixels of 30 m are 125 whole ones of 10 m
    assert [(r.row, r.column) for r in records[2:]] == [(0, 0), (0, 29), (29, 0), (29, 29)]
    assert records[0].sun is not None
    assert records[2].sun is None
    assert sets[0, 0] == 8
    assert np.isfinite(landsat).all()
    assert np.isfinite(harmonized).all()
    assert (landsat != harmonized).any()
    assert summary["sources"]["real"] == {
        "views": 4, "images": 1, "scenes": 1, "levels": ["TOA"], "pan": 0,
    }  # fmt: skip
    assert "real is TOA reflectance, on which its networks were not trained" in caplog.text
    assert not (made.folder / "parts").exists()


@pytest.mark.slow
def test_same_store_from_several_processes(tmp_path, settings):
    one, two = (context(tmp_path / name, settings, n) for name, n in (("a", 1), ("b", 2)))
    stage.make_views(one)
    stage.make_views(two)
    first, second = ((made.folder / "views.h5").read_bytes() for made in (one, two))
    assert first == second


def test_what_is_made_is_not_made_again(tmp_path, settings, monkeypatch):
    made = context(tmp_path, settings)
    first, then = stop_and_go_on(monkeypatch, stage, "make_part", stage.make_views, made, after=2)
    assert (first, then) == (["0000005", "0000006"], ["Forest_05_0415", "Water_01_0922"])


def test_a_damaged_part_is_told(tmp_path, settings, monkeypatch):
    made = context(tmp_path, settings)
    part = damage_part(monkeypatch, stage, stage.make_views, made, 1)
    with pytest.raises(DatasetError, match=part.name):
        stage.make_views(made)


def test_a_recipe_knows_content_and_no_place(tmp_path, settings, card):
    first = views_order({"views": settings})
    shutil.copytree(card.parent, tmp_path / "moved")
    moved = settings_of(tmp_path / "elsewhere", tmp_path / "moved" / card.name, device="cuda")
    second = views_order({"views": moved})
    assert first.target == second.target
    assert first.location["real.folder"] == str(tmp_path / "chips")
    assert str(tmp_path) not in str(first.recipe)
    other = small_harmonizer(tmp_path, seed=1)
    exact = settings_of(tmp_path, card, precision="float32")
    targets = {
        views_order({"views": changed}).target
        for changed in (settings, settings_of(tmp_path, other), exact)
    }
    assert len(targets) == 3
    # what `auto` stands for is the same recipe
    same = settings_of(tmp_path, card, precision="bfloat16")
    assert views_order({"views": same}).target == first.target


def test_other_weights_than_planned(tmp_path, card):
    shutil.copytree(card.parent, tmp_path / "moved")
    own = settings_of(tmp_path, tmp_path / "moved" / card.name)
    made = context(tmp_path, own)
    small_harmonizer(tmp_path / "moved", seed=1)
    with pytest.raises(WeightsError, match="as when the task was planned"):
        stage.make_views(made)


def test_an_archive_that_is_not_landsats_is_told_before_any_work(tmp_path, card, monkeypatch):
    wrong = {"kind": "sentinel2_chips", "family": "alberta", **sentinel2(tmp_path / "s2")}
    own = settings_of(tmp_path, card, sources=[{"kind": "twin", "count": 1}, wrong])
    monkeypatch.setattr(stage, "make_part", lambda _: pytest.fail("work"))
    with pytest.raises(DatasetError, match="alberta_2020-06-15: found sentinel2"):
        stage.make_views(context(tmp_path, own))


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"sources": []}, SettingsError, r"no \[\[views.sources\]\]"),
        (
            {"sources": [{"kind": "twin", "cover": 1}]},
            SettingsError,
            r"\[\[views.sources\]\] twin: found unknown option cover; expected one of first",
        ),
        ({"sources": [{"kind": "landsat"}]}, SettingsError, "choose one of: biome"),
        ({"weights": ["nothing"]}, WeightsError, "nothing"),
        ({"weights": ["mask_unetpp_v4"]}, WeightsError, "harmonizer"),
    ],
)
def test_wrong_settings(tmp_path, card, changes, error, message):
    with pytest.raises(error, match=message):
        views_order({"views": settings_of(tmp_path, card, **changes)})


def test_two_sources_of_one_name():
    with pytest.raises(ValueError, match="two sources are called 'twin'"):
        ViewsSettings(sources=[{"kind": "twin"}, {"kind": "twin"}])


def test_the_default_weights_are_installed():
    assert all(
        (folder("checkpoints") / f"{name}.json").is_file() for name in ViewsSettings().weights
    )


def test_a_store_of_something_else(tmp_path):
    (tmp_path / "views.h5").write_bytes(b"nothing")
    with pytest.raises(DatasetError, match="a whole view store; remove it and run MakeViews"):
        ViewStore(tmp_path / "views.h5")
