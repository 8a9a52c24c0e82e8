"""The acquire stage of a scene that is fetched."""

import json

import pytest

from nndacss.acquire.source import Sources
from nndacss.acquire.stage import acquire_scene
from nndacss.chain import plan
from nndacss.errors import BandError
from nndacss.readers import identify
from nndacss.settings import load_settings
from tasks.acquire import AcquireScene
from tests.servers.items import landsat_item, write_item
from tests.stages import begun

pytestmark = pytest.mark.filterwarnings("ignore::nndacss.errors.LossWarning")


def planned(files, pair, tmp_path, *overrides):
    """The orders of a scene and its twin, of an archive that states no checksums."""
    settings = load_settings(None, ["harmonize.method=bandpass", *overrides])
    sources = Sources(tmp_path / "work" / "scenes", settings)
    scene, l1 = (
        sources.of(str(write_item(landsat_item(path, files.url, stated=False), tmp_path / name)))
        for path, name in ((pair.l2, "l2.json"), (pair.l1, "l1.json"))
    )
    return plan(scene, l1, settings).orders


@pytest.fixture
def context(files, pair, tmp_path):
    """A scene that is to be fetched."""
    return begun(planned(files, pair, tmp_path)["acquire"], tmp_path / "work")


def test_it_comes_with_its_twin_and_tells_how_far_it_is(context, pair, capsys):
    summary = acquire_scene(context)
    assert identify(summary["scene"]).name == pair.l2.name
    assert identify(summary["l1"]).name == pair.l1.name
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    shares = [one["progress"] for one in told]
    assert shares == sorted(shares)
    assert any(one["message"].startswith("fetched 0.00 of 0.00 GB") for one in told)
    sizes = sum(size for name in ("scene", "l1") for _, size in identify(summary[name]).files)
    assert summary["fetched_bytes"] == sizes


def test_an_unreadable_block_is_found_put_away_and_fetched_anew(context, files, pair, tmp_path):
    (band,) = pair.l2.glob("*_SR_B4.TIF")
    whole = band.read_bytes()
    try:
        band.write_bytes(whole[:500] + bytes(len(whole) - 500))  # of the size that was listed
        with pytest.raises(BandError, match="SR_B4"):
            acquire_scene(context)
    finally:
        band.write_bytes(whole)
    scenes = tmp_path / "work" / "scenes"
    assert not list(scenes.glob("LC08*"))
    assert len(list((scenes / ".quarantine").glob("LC08_L2SP*"))) == 1
    summary = acquire_scene(context)
    assert identify(summary["scene"]).name == pair.l2.name


def test_a_scene_read_in_place_is_opened_and_not_fetched(files, pair, tmp_path, monkeypatch):
    orders = planned(files, pair, tmp_path, "acquire.remote=true")
    context = begun(orders["acquire"], tmp_path / "work")
    fetched = planned(files, pair, tmp_path)
    assert {name: order.recipe for name, order in fetched.items()} == {
        name: order.recipe for name, order in orders.items()
    }
    files.asked.clear()
    summary = acquire_scene(context)
    assert summary["in_place"] is True
    assert all(asked for _, asked in files.asked)
    assert identify(summary["scene"]).digest == orders["acquire"].recipe.inputs["scene"]
    # done for a run that reads in place, not for one that was promised a checked scene
    (context.folder / "stage.json").write_text(json.dumps({"summary": summary}))
    for order, done in ((orders["acquire"], True), (fetched["acquire"], False)):
        order.save(tmp_path / "work")
        task = AcquireScene(name=order.name, recipe=order.recipe.digest)
        monkeypatch.setattr(type(task), "work", tmp_path / "work")
        assert task.complete() is done
