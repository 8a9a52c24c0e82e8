"""The collection and the table of a product root, and many who write them at a time."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import geopandas
import numpy as np
import pyarrow.parquet as pq
import pystac
import pytest
import stac_geoparquet.arrow
from pystac.validation import validate_dict
from pystac_client import Client

from nndacss.catalog import update as module
from nndacss.catalog.collection import About
from nndacss.catalog.update import update
from nndacss.errors import InputError, OutputError
from nndacss.operations.roots import BucketRoot, FolderRoot
from tests.catalog.products import make
from tests.servers.s3 import pixels, shared_s3
from tests.servers.stac import stac_api

ROOT = Path(__file__).parents[2]


@pytest.fixture
def three(tmp_path):
    """A root with three products."""
    root = tmp_path / "products"
    make(root, "LC08_a_01234567", "2026-04-15", cloud=10.0)
    make(root, "LC08_b_01234567", "2026-05-01", cloud=90.0, place=(11.0, 48.0), title="b")
    make(root, "LC09_c_01234567", "2026-05-17", cloud=20.0, place=(-1.0, 51.0), platform="x")
    (root / "notes").mkdir()
    (root / "LC08_begun_01234567").mkdir()
    return root


def catalogued(text, table):
    """Names in both files; they must not differ."""
    links = [link["href"] for link in json.loads(text)["links"] if link["rel"] == "item"]
    names = [href.split("/")[1] for href in links]
    rows = pq.read_table(table)
    assert rows["id"].to_pylist() == names
    return names


def here(root):
    return catalogued((root / "collection.json").read_text(), root / "items.parquet")


def test_a_collection_that_pystac_reads(three):
    made = update(FolderRoot(three), About(id="mine", license="CC-BY-4.0"))
    assert (made.items, len(made.added), made.removed) == (3, 3, [])
    text = json.loads((three / "collection.json").read_text())
    validate_dict({**text, "stac_extensions": []})
    collection = pystac.Collection.from_file(str(three / "collection.json"))
    assert (collection.id, collection.license) == ("mine", "CC-BY-4.0")
    assert collection.extent.spatial.bboxes == [[-1.0, 48.0, 11.1, 51.1]]
    ((first, last),) = collection.extent.temporal.intervals
    assert (first.isoformat()[:10], last.isoformat()[:10]) == ("2026-04-15", "2026-05-17")
    assert text["summaries"]["platform"] == ["landsat-8", "x"]
    assert text["summaries"]["eo:cloud_cover"] == {"minimum": 10.0, "maximum": 90.0}
    items = list(collection.get_items())
    assert [one.id for one in items] == here(three)
    assert all(Path(one.assets["red"].get_absolute_href()).is_file() for one in items)


def test_the_table_is_read_by_geopandas_and_gives_the_items_back(three):
    update(FolderRoot(three), About())
    frame = geopandas.read_parquet(three / "items.parquet")
    assert frame.total_bounds.tolist() == [-1.0, 48.0, 11.1, 51.1]
    assert frame["datetime"].dt.strftime("%m-%d").tolist() == ["04-15", "05-01", "05-17"]
    table = pq.read_table(three / "items.parquet")
    for one in stac_geoparquet.arrow.stac_table_to_items(table):
        assert one["collection"] == "nndacss"
        assert (three / one["assets"]["red"]["href"]).is_file()
        own = json.loads((three / one["id"] / "item.json").read_text())
        for key in ("bbox", "geometry"):
            assert np.allclose(flat(one[key]), flat(own[key]))
        for key in ("eo:cloud_cover", "platform", "gsd"):
            assert one["properties"][key] == own["properties"][key]
    update(FolderRoot(three), About(), base="https://host/p/")
    table = pq.read_table(three / "items.parquet")
    hrefs = [one["red"]["href"] for one in table["assets"].to_pylist()]
    assert hrefs[0] == "https://host/p/LC08_a_01234567/red.tif"


def flat(value):
    return np.ravel(value["coordinates"] if isinstance(value, dict) else value)


def test_what_comes_goes_or_cannot_be_read(three):
    root = FolderRoot(three)
    update(root, About())
    times = [(three / name).stat().st_mtime_ns for name in ("collection.json", "items.parquet")]
    assert not update(root, About()).changed
    assert times == [
        (three / name).stat().st_mtime_ns for name in ("collection.json", "items.parquet")
    ]
    root.remove("LC08_a_01234567")
    make(three, "LC08_d_01234567")
    (three / "LC08_b_01234567/item.json").write_text('{"bbox": [1, 2, 3]}')
    made = update(root, About())
    assert (made.added, made.removed) == (
        ["LC08_d_01234567"],
        ["LC08_a_01234567", "LC08_b_01234567"],
    )
    assert list(made.left_out) == ["LC08_b_01234567"]
    assert here(three) == ["LC08_d_01234567", "LC09_c_01234567"]
    # a file that was spoilt is made anew; what a killed update left behind goes
    (three / "items.parquet").write_bytes(b"PAR1")
    (three / ".draft-host-1-0-items.parquet").write_bytes(b"PAR1")
    assert update(root, About()).changed
    assert not list(three.glob(".draft-*"))
    assert len(here(three)) == 2
    for name in root.folders():
        root.remove(name)
    assert len(update(root, About()).removed) == 2
    assert not list(three.glob("*.parquet")) + list(three.glob("*.json"))
    with pytest.raises(InputError, match="no product; expected one at least"):
        update(root, About())
    with pytest.raises(OutputError, match="absent: found No such file"):
        update(FolderRoot(three / "absent"), About())


@pytest.fixture
def s3(monkeypatch):
    """An S3 server and a root in an empty bucket."""
    server = shared_s3()
    server.bucket("catalogued")
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(module, "PAUSE", 0.01)
    return server


@cache
def _roots():
    return BucketRoot("s3://catalogued/p"), BucketRoot("s3://catalogued/p")


def two_roots():
    """One root, as two processes see it."""
    for root in _roots():
        root.refresh()
    return _roots()


def deliver(root, folder, name, **facts):
    root.deliver(make(folder, name, **facts), lambda *_: None)


def there(server, folder):
    server.download("catalogued", folder)
    return here(folder / "p")


def writers(root):
    """Several processes that make and catalogue products at a time; all names."""
    names = [[f"LC08_{who}{turn}_01234567" for turn in range(3)] for who in range(4)]
    command = [sys.executable, "-m", "tests.catalog.writer", root]
    subprocess.run([*command, *(",".join(mine) for mine in names)], cwd=ROOT, check=True)
    return sorted(name for mine in names for name in mine)


def test_writers_on_a_disk_take_turns(tmp_path):
    (tmp_path / "p").mkdir()
    names = writers(str(tmp_path / "p"))
    assert here(tmp_path / "p") == names


@pytest.mark.slow
@pytest.mark.parametrize("conditions", [True, False])
def test_writers_in_an_object_store_lose_nothing(s3, tmp_path, conditions):
    s3.conditions = conditions
    names = writers("s3://catalogued/p")
    assert there(s3, tmp_path) == names


@pytest.mark.parametrize(
    ("conditions", "file"),
    [(True, "items.parquet"), (True, "collection.json"), (False, "items.parquet")],
)
def test_who_was_too_late_begins_anew(s3, tmp_path, conditions, file):
    s3.conditions = conditions
    mine, other = two_roots()
    deliver(mine, tmp_path / "local", "LC08_a_01234567")
    update(mine, About())

    def meanwhile():
        deliver(other, tmp_path / "local", "LC08_c_01234567")
        other.remove("LC08_a_01234567")
        assert update(other, About()).tries == 1

    deliver(mine, tmp_path / "local", "LC08_b_01234567")
    s3.before[f"PUT /{file}"] = meanwhile
    made = update(mine, About())
    assert (made.tries, made.items) == (2, 2)
    assert made.added == ["LC08_b_01234567", "LC08_c_01234567"]
    assert made.removed == ["LC08_a_01234567"]
    assert not s3.before
    assert there(s3, tmp_path / "copy") == ["LC08_b_01234567", "LC08_c_01234567"]
    s3.asked.clear()
    assert not update(mine, About()).changed
    assert s3.count("PUT") == 0


def test_a_search_by_place_time_and_cloud_leads_to_pixels_in_the_store(s3, tmp_path):
    root, _ = two_roots()
    deliver(root, tmp_path, "LC08_a_01234567", cloud=10.0)
    deliver(root, tmp_path, "LC08_b_01234567", cloud=90.0)
    deliver(root, tmp_path, "LC08_c_01234567", cloud=20.0, place=(30.0, 10.0))
    deliver(root, tmp_path, "LC08_d_01234567", cloud=30.0, day="2025-04-15")
    update(root, About())
    s3.download("catalogued", tmp_path / "copy")
    collection = json.loads((tmp_path / "copy/p/collection.json").read_text())
    items = stac_geoparquet.arrow.stac_table_to_items(
        pq.read_table(tmp_path / "copy/p/items.parquet")
    )
    with stac_api([collection], list(items)) as url:
        found = Client.open(url).search(
            collections=["nndacss"],
            bbox=[8.5, 49.5, 9.5, 50.5],
            datetime="2026-01-01/2026-12-31",
            query={"eo:cloud_cover": {"lt": 50}},
        )
        (one,) = found.items()
    assert one.id == "LC08_a_01234567"
    address = one.assets["red"].href
    assert address == "s3://catalogued/p/LC08_a_01234567/red.tif"
    (found,) = pixels(s3, tmp_path, address)
    assert np.all(found == 10)
