"""Searches of a real STAC API, against the archive's items sorted out by hand."""

import json
import socket
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from nndacss.errors import InputError, SettingsError, StageError
from nndacss.search import api as module
from nndacss.search.query import search
from nndacss.settings import load_settings
from tests.search.archive import ITEMS


def settings(api, **more):
    changed = {"provider": api, "collections": ("landsat-c2l2-sr",), **more}
    section = load_settings(None)["search"]
    return type(section).model_validate({**section.model_dump(), **changed})


def names(found):
    return [scene.id for scene in found]


def l2(place, day, made="20260601", tier="T1"):
    return f"LC08_L2SP_{place}_{day}_{made}_02_{tier}"


def days(place, *numbers):
    return [l2(place, f"202604{number:02d}") for number in numbers]


def test_area_dates_and_cloud(api, monkeypatch):
    monkeypatch.setattr(module, "_PAGE", 3)  # so that there are several pages
    found = search(settings(api, bbox=(8.5, 49.5, 9, 50), dates="2026-04-03/2026-04-12"))
    assert names(found) == days("195025", *range(3, 13))
    assert [scene.cloud_cover for scene in found] == [5.0 * day for day in range(3, 13)]
    found = search(
        settings(api, bbox=(8.5, 49.5, 9, 50), dates="2026-04-03/2026-04-12", cloud_cover=30)
    )
    assert names(found) == days("195025", 3, 4, 5, 6)


def test_both_ends_of_a_time_count_to_their_last_second(api):
    found = search(settings(api, path_row=("193026",), dates="2026-04-30"))
    assert names(found) == [l2("193026", "20260430")]
    found = search(settings(api, path_row=("193026",), dates="2026-05-01/2026-05-05"))
    assert names(found) == [l2("193026", "20260501"), l2("193026", "20260505")]
    # Monday to Sunday
    found = search(settings(api, path_row=("195025",), dates="2026-W15"))
    assert names(found) == days("195025", *range(6, 13))


def test_each_acquisition_once_its_latest_processing(api):
    found = search(settings(api, path_row=("193026",), dates="2026-04-03/2026-04-06"))
    assert names(found) == [
        l2("193026", "20260403"),
        l2("193026", "20260404"),  # whose item states no cloud cover
        l2("193026", "20260405"),  # the final tier, though real time was processed later
        l2("193026", "20260406", made="20260602"),
    ]


def test_an_area_as_geojson_and_one_across_the_180th_meridian(api, tmp_path):
    ring = [[11, 49.5], [11.1, 49.5], [11.1, 49.6], [11, 49.5]]
    area = tmp_path / "area.geojson"
    feature = {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}}
    area.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    found = search(settings(api, area=str(area), dates="2026-04-01/2026-04-04"))
    assert names(found) == days("193026", 3, 4)
    found = search(settings(api, bbox=(179, -17.5, -179, -16.5)))
    assert names(found) == [l2("073072", "20260402")]


@pytest.mark.parametrize("given", ["agency", "archive"])
def test_ids_of_the_agency_and_of_the_archive(api, given):
    name = l2("195025", "20260407")
    found = search(settings(api, ids=(name if given == "agency" else f"{name}_SR",)))
    assert names(found) == [name]
    with pytest.raises(InputError, match="found no scene"):
        search(settings(api, ids=(l2("195025", "20260407", made="20990101"),)))


def test_the_level_1_twin(api):
    found = search(
        settings(
            api,
            path_row=("195025",),
            dates="2026-04-10/2026-04-12",
            cloud_cover=60,
            l1_collection="landsat-c2l1",
        )
    )
    twins = [scene.l1.id if scene.l1 else None for scene in found]
    assert twins == [
        "LC08_L1TP_195025_20260410_20260601_02_T1",
        "LC08_L1TP_195025_20260411_20260701_02_T1",
        None,
    ]
    record = found[0].record()
    assert (record["id"], record["source"]) == (l2("195025", "20260410"), "stac")
    assert record["l1"]["id"] == twins[0]


def test_as_of_leaves_out_what_came_later(api):
    asked = settings(api, path_row=("193026",), dates="2026-05-05/2026-05-06")
    assert len(search(asked)) == 2
    early = search(asked, datetime(2026, 6, 2, tzinfo=UTC))
    assert names(early) == [l2("193026", "20260505")]


def test_sentinel_by_tile(api):
    asked = {"sensor": "sentinel2", "collections": ("sentinel-2-l2a",), "tile": ("32UMC",)}
    found = search(settings(api, **asked, cloud_cover=50))
    # under the agency's name, the later baseline
    assert names(found) == ["S2A_MSIL2A_20260402T103631_N0511_R108_T32UMC_20260402T160632"]


def test_an_unknown_collection_lists_the_known(api):
    with pytest.raises(SettingsError, match=r"no collection 'landsat-c9'.*landsat-c2l1, landsat"):
        search(settings(api, collections=("landsat-c9",), path_row=("195025",)))


def test_an_empty_search_says_what_was_sought(api):
    with pytest.raises(InputError, match=r"no scene.*path_row \['001001'\]"):
        search(settings(api, path_row=("001001",), dates="2026-04"))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, "nothing that says where"),
        ({"bbox": (8, 51, 9, 50)}, "south below north"),
        ({"provider": "nowhere", "path_row": ("195025",)}, "landsatlook, earth-search"),
        ({"provider": "cdse", "collections": (), "path_row": ("195025",)}, "no landsat L2"),
    ],
)
def test_a_search_that_makes_no_sense(api, more, said):
    with pytest.raises(SettingsError, match=said):
        search(settings(api, **more))


class Careless(BaseHTTPRequestHandler):
    """An API that promises no filters, has none, and gives all it has."""

    def do_GET(self):
        base = f"http://127.0.0.1:{self.server.server_port}"
        core = "https://api.stacspec.org/v1.0.0/"
        root = {"type": "Catalog", "id": "x", "stac_version": "1.0.0", "description": "x"}
        links = [{"rel": "search", "href": f"{base}/search", "method": "POST"}]
        links.append({"rel": "self", "href": base})
        classes = [core + part for part in ("core", "item-search", "collections")]
        classes.append(f"{core}ogcapi-features")
        self.reply({**root, "links": links, "conformsTo": classes})

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.codes:
            self.send_error(self.server.codes.pop(0))
            return
        found = [one for one in ITEMS if one["collection"] == "landsat-c2l2-sr"]
        self.reply({"type": "FeatureCollection", "features": found, "links": []})

    def reply(self, value):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(value).encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def careless(monkeypatch):
    monkeypatch.setattr(module.Api, "check", lambda *_: None)
    with ThreadingHTTPServer(("127.0.0.1", 0), Careless) as server:
        server.codes = []
        server.url = f"http://127.0.0.1:{server.server_port}"
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


def test_an_api_that_filters_nothing_is_sorted_out_here(careless):
    asked = settings(
        careless.url, path_row=("195025",), dates="2026-04-03/2026-04-08", cloud_cover=30
    )
    assert names(search(asked)) == days("195025", 3, 4, 5, 6)


def test_trouble_that_passes_and_trouble_that_stays(careless, monkeypatch):
    asked = settings(careless.url, path_row=("195025",), dates="2026-04-03")
    careless.codes = [503, 429]
    assert len(search(asked)) == 1
    monkeypatch.setattr(module, "TRIES", 1)
    careless.codes = [500] * 9
    with pytest.raises(StageError, match=r"no answer after 1 tries .HTTP 500"):
        search(asked)
    careless.codes = [403]
    with pytest.raises(InputError, match=r"HTTP 403.*set NNDACSS_STAC_TOKEN"):
        search(asked)


def test_nobody_there(monkeypatch):
    monkeypatch.setattr(module, "TRIES", 1)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(StageError, match="check the network"):
            search(settings(url, path_row=("195025",)))
