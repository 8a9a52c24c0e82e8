"""Scenes as users name them, planned before a pixel is here; and what is no scene."""

import json

import pytest

from nndacss.acquire.fetch import fetch
from nndacss.acquire.layout import layout
from nndacss.acquire.source import Local, Remote, Sources
from nndacss.chain import plan
from nndacss.errors import InputError, MetadataError, SettingsError
from nndacss.readers import identify, open_scene
from nndacss.settings import load_settings
from tests.readers.safe_recipes import Recipe
from tests.servers.files import serve
from tests.servers.items import landsat_item, safe_item, write_item

BANDPASS = "harmonize.method=bandpass"


@pytest.fixture
def sources(tmp_path):
    return Sources(tmp_path / "scenes", load_settings(None, [BANDPASS, "acquire.parallel=3"]))


def test_a_plan_waits_for_no_pixels(files, pair, sources, tmp_path):
    item = write_item(landsat_item(pair.l2, files.url), tmp_path / "item.json")
    first = write_item(landsat_item(pair.l1, files.url), tmp_path / "l1.json")
    scene, l1 = sources.of(str(item)), sources.of(str(first))
    planned = plan(scene, l1, load_settings(None, [BANDPASS]))
    assert {name.rpartition("_")[2] for name, _ in files.contents()} == {"MTL.txt"}
    assert planned.losses == ()
    order = planned.orders["acquire"]
    assert order.name == pair.l2.name
    assert json.loads(order.location["scene_fetch"]) == {"parallel": 3}
    for source in (scene, l1):
        fetch(source.listing)
    here = plan(scene.listing.scene, l1.listing.scene, load_settings(None, [BANDPASS]))
    assert {name: one.recipe.digest for name, one in here.orders.items()} == {
        name: one.recipe.digest for name, one in planned.orders.items()
    }
    # the twin lies beside it, where the reader looks for it
    assert plan(scene.listing.scene, None, load_settings(None, [BANDPASS])).l1 == planned.l1


def test_an_archive_without_level_1_is_a_loss_that_is_told(files, pair, sources, tmp_path):
    item = write_item(landsat_item(pair.l2, files.url), tmp_path / "item.json")
    planned = plan(sources.of(str(item)), None, load_settings(None, [BANDPASS]))
    assert "no pan band" in planned.losses[0]


def test_a_written_list_brings_its_twin(files, pair, sources, tmp_path):
    record = {"id": "x", "source": "stac", "item": landsat_item(pair.l2, files.url)}
    record["l1"] = {"item": landsat_item(pair.l1, files.url), "l1": None}
    found = sources.of_record(record)
    assert found.find_l1().name == pair.l1.name
    assert sources.of_record({"path": str(pair.l2)}) == Local(pair.l2)
    with pytest.raises(InputError, match="an item or a path"):
        sources.of_record({"id": "x"})


@pytest.fixture
def safe(tmp_path):
    return Recipe(level="2A", size=60, suffix="tif").write(tmp_path / "archive")


def test_sentinel_as_the_agency_lays_it_out(safe, sources, tmp_path):
    with serve(safe.parent) as files:
        source = sources.of(str(write_item(safe_item(safe, files.url), tmp_path / "item.json")))
        assert isinstance(source, Remote)
        assert source.identify().digest == identify(safe).digest
        folder = fetch(source.listing)
    assert folder.suffix == ".SAFE"
    assert identify(folder).digest == identify(safe).digest
    open_scene(folder).verify()


@pytest.mark.parametrize("applied", [True, False])
def test_names_of_an_archives_own_and_an_offset_applied_already(safe, sources, tmp_path, applied):
    """`B02.tif`, `SCL.tif` in one folder, as Earth Search has them."""
    flat = tmp_path / "flat"
    flat.mkdir()
    item = safe_item(safe, "")
    with serve(flat) as files:
        for asset in item["assets"].values():
            file = safe.parent / asset["href"].lstrip("/")
            name = next((part for part in file.stem.split("_") if part[0] in "BS"), file.stem)
            name = f"{name}{file.suffix}" if file.suffix == ".tif" else file.name.lower()
            (flat / name).write_bytes(file.read_bytes())
            asset["href"] = f"{files.url}/{name}"
        item["assets"]["thumbnail"] = {"href": f"{files.url}/preview.jpg"}
        item["assets"]["visual"] = {"href": f"{files.url}/TCI.tif"}
        item["properties"]["earthsearch:boa_offset_applied"] = applied
        source = sources.of(str(write_item(item, tmp_path / "item.json")))
        folder = fetch(source.listing)
    assert identify(folder).digest == source.identify().digest
    blue = open_scene(folder).read(["blue"]).pixels
    # DN 2500, offset -1000, in ten-thousandths
    assert blue.flatten()[0] == pytest.approx(0.25 if applied else 0.15)


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("{", InputError, "no JSON"),
        ('{"type": "FeatureCollection"}', InputError, "FeatureCollection.*a STAC item"),
        ('{"type": "Feature", "id": "x", "assets": {"a": {"href": "b"}}}', MetadataError, "named"),
    ],
)
def test_what_is_no_item(sources, tmp_path, text, error, said):
    path = tmp_path / "item.json"
    path.write_text(text)
    with pytest.raises(error, match=said):
        sources.of(str(path))


def test_an_item_without_its_metadata(files, pair, safe, sources, tmp_path):
    item = landsat_item(pair.l2, files.url)
    item["assets"] = {name: one for name, one in item["assets"].items() if "mtl" not in name}
    with pytest.raises(MetadataError, match=r"\*_MTL.txt"):
        sources.of(str(write_item(item, tmp_path / "a.json")))
    item = safe_item(safe, files.url)
    del item["assets"]["product_metadata"]
    with pytest.raises(MetadataError, match=r"MTD_MSIL\*\.xml.*choose a collection"):
        sources.of(str(write_item(item, tmp_path / "b.json")))


def test_an_item_that_is_not_there_and_an_unknown_provider(files, sources, tmp_path):
    with pytest.raises(InputError, match="HTTP 404"):
        sources.of(f"{files.url}/collections/a/items/b")
    named = load_settings(None, ["search.provider=nowhere"])
    with pytest.raises(SettingsError, match="landsatlook, earth-search"):
        Sources(tmp_path, named).of("LC08_L2SP_195025_20260415_20260420_02_T1")


def test_a_text_that_is_nothing_is_a_path(sources):
    with pytest.raises(InputError, match="nothing"):
        sources.of("absent").identify()


def test_a_name_that_leads_out_of_the_scene(safe):
    item = safe_item(safe, "https://archive")
    for asset in item["assets"].values():
        asset["href"] = asset["href"].replace("/GRANULE/", "/GRANULE/../../../")
    names = [file.name for file in layout(item).files]
    assert names
    assert not any(".." in name or name.startswith("/") for name in names)
