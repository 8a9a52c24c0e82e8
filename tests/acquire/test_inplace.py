"""A scene read where it is: the pixels of the downloaded one, few bytes, and faults told."""

import functools
import http.server
import shutil
import threading

import numpy as np
import pytest
import rasterio

from nndacss import web
from nndacss.acquire import inplace
from nndacss.acquire.listing import make_listing
from nndacss.acquire.source import Sources
from nndacss.errors import BandError, InputError, StageError
from nndacss.readers import identify, open_scene
from nndacss.settings import load_settings
from tests.acquire.test_access import signed
from tests.servers.files import serve
from tests.servers.items import landsat_item, write_item

pytestmark = pytest.mark.filterwarnings("ignore::nndacss.errors.LossWarning")
ROLES = ["blue", "red", "swir16"]


@pytest.fixture(scope="module")
def large(pair, tmp_path_factory):
    """A scene of many tiles a file, as large ones have them."""
    folder = tmp_path_factory.mktemp("large") / pair.l2.name
    shutil.copytree(pair.l2, folder)
    for path in folder.glob("*.TIF"):
        with rasterio.open(path) as image:
            profile, numbers = image.profile, image.read()
        tiles = {"tiled": True, "blockxsize": 64, "blockysize": 64, "compress": None}
        path.unlink()
        size = {"width": 8 * profile["width"], "height": 8 * profile["height"]}
        with rasterio.open(path, "w", **{**profile, **tiles, **size}) as image:
            image.write(np.tile(numbers, (8, 8)))
    return folder


@pytest.fixture
def archive(large):
    with serve(large.parent) as server:
        yield server


@pytest.fixture
def listing(archive, large, tmp_path, monkeypatch):
    monkeypatch.setattr(inplace, "BLOCK", 1 << 13)
    item = landsat_item(large, archive.url)
    return make_listing(item, archive.url, "", tmp_path / "scenes")


same = functools.partial(np.array_equal, equal_nan=True)


def area(scene):
    return scene.grid("red")[100:200, 300:400]


def pixels(folder):
    scene = open_scene(folder)
    return scene.read(ROLES, area(scene)).pixels


def band(large, number=4):
    return f"{large.name}_SR_B{number}.TIF"


def test_pixels_are_those_of_the_file_and_few_bytes_come(archive, listing, large):
    folder = inplace.lay_out(listing)
    assert identify(folder).digest == listing.identity.digest
    assert same(pixels(folder), pixels(large))
    marks = [path.read_bytes()[64:] for path in folder.glob(".blocks-*_SR_B4.TIF")]
    assert 0 < sum(marks[0]) < len(marks[0]) / 2
    # what is here is not asked for again, by nobody
    archive.asked.clear()
    inplace.mirror.cache_clear()
    assert same(pixels(inplace.lay_out(listing)), pixels(large))
    assert archive.asked == []
    # and what is read in the end is the file
    whole = open_scene(folder).read(["red"]).pixels
    assert same(whole, open_scene(large).read(["red"]).pixels)


def test_threads_fetch_each_block_once(archive, listing, large):
    folder = inplace.lay_out(listing)
    scene, found = open_scene(folder), []
    archive.asked.clear()
    threads = [
        threading.Thread(target=lambda: found.append(scene.read(ROLES, area(scene)).pixels))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(same(one, pixels(large)) for one in found)
    assert len(archive.asked) == len(set(archive.asked))


@pytest.mark.parametrize("fault", ["500", "429", "reset", "truncated", "stall"])
def test_faults_that_pass_change_nothing(archive, listing, large, fault):
    folder = inplace.lay_out(listing)
    archive.faults[band(large)] = [fault]
    assert same(pixels(folder), pixels(large))
    assert archive.faults[band(large)] == []


def test_what_is_damaged_on_its_way_is_read_anew_by_the_next_run(archive, listing, large):
    folder = inplace.lay_out(listing)
    archive.faults[band(large)] = ["page"] * 9
    with pytest.raises(InputError, match="web page"):
        pixels(folder)
    archive.faults.clear()
    pixels(folder)
    image = folder / band(large)
    with image.open("r+b") as file:
        file.write(bytes(image.stat().st_size))
    with pytest.raises(BandError, match=r"SR_B4.TIF, read in place.*run again"):
        pixels(folder)
    assert same(pixels(folder), pixels(large))


def test_a_signature_that_runs_out_meanwhile_is_renewed(archive, large, tmp_path):
    plain, place = landsat_item(large, archive.url), tmp_path / "item.json"
    archive.signatures = {"one"}
    write_item(signed(plain, "one"), place)
    listing = make_listing(signed(plain, "one"), "", str(place), tmp_path / "scenes")
    folder = inplace.lay_out(listing)
    scene = open_scene(folder)
    archive.signatures = {"two"}
    write_item(signed(plain, "two"), place)
    assert same(scene.read(ROLES, area(scene)).pixels, pixels(large))
    archive.signatures = {"three"}
    with pytest.raises(InputError, match=r"403.*get the item again") as told:
        scene.read(["nir08"])
    assert "two" not in str(told.value)
    kept = b"".join(path.read_bytes() for path in folder.rglob(".*") if path.is_file())
    assert b"sig=" not in kept


def test_a_remote_file_that_was_cut_or_replaced_is_told(archive, listing, large):
    folder = inplace.lay_out(listing)
    image = large / band(large)
    whole = image.read_bytes()
    scene = open_scene(folder)
    try:
        image.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        with pytest.raises(InputError, match=r"another version.*run again"):
            scene.read(["red"])
        image.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(InputError, match=f"{len(whole) // 2} bytes.*{len(whole)}, as listed"):
            open_scene(folder)
    finally:
        image.write_bytes(whole)


def test_what_is_no_image_is_told(archive, listing, large):
    folder = inplace.lay_out(listing)
    image = large / band(large)
    whole = image.read_bytes()
    try:
        image.write_bytes(bytes(len(whole)))
        with pytest.raises(BandError, match=r"SR_B4.TIF, read in place: .*a whole one"):
            open_scene(folder)
    finally:
        image.write_bytes(whole)


def test_a_server_that_is_away_is_told(archive, listing, large, monkeypatch):
    monkeypatch.setattr(web, "TRIES", 2)
    folder = inplace.lay_out(listing)
    archive.faults[band(large)] = ["503"] * 9
    with pytest.raises(StageError, match=r"SR_B4.TIF.*no answer after 2 tries"):
        open_scene(folder)


def test_a_server_without_ranges_is_told(large, tmp_path):
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = functools.partial(Quiet, directory=large.parent)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        item = landsat_item(large, f"http://127.0.0.1:{server.server_port}")
        folder = inplace.lay_out(make_listing(item, "", "", tmp_path / "scenes"))
        with pytest.raises(InputError, match=r"HTTP 200 without range.*acquire.remote=false"):
            open_scene(folder)
        server.shutdown()


def test_a_scene_that_is_here_is_not_read_from_afar(archive, large, tmp_path):
    settings = load_settings(None, ["acquire.remote=true"])
    place = write_item(landsat_item(large, archive.url), tmp_path / "item.json")
    source = Sources(tmp_path / "scenes", settings).of(str(place))
    assert "/.remote/" in source.location("scene")["scene"]
    source.listing.scene.mkdir()
    assert source.location("scene")["scene"] == str(source.listing.scene)


@pytest.mark.parametrize(
    "how",
    [
        {"tiled": False, "blockysize": 7, "compress": "deflate"},
        {"BIGTIFF": "YES", "compress": "lzw", "SPARSE_OK": "TRUE"},
        {"driver": "COG", "blocksize": 64, "compress": "deflate", "overviews": "IGNORE_EXISTING"},
        {"ENDIANNESS": "BIG", "compress": None},
    ],
    ids=["strips", "big, with gaps", "cog", "big endian"],
)
def test_all_layouts_of_tiff(large, tmp_path, monkeypatch, how):
    monkeypatch.setattr(inplace, "BLOCK", 1 << 12)
    monkeypatch.setattr(inplace, "_ALONG", 1 << 12)
    folder = tmp_path / "archive" / large.name
    shutil.copytree(large, folder)
    path = folder / band(large)
    with rasterio.open(path) as image:
        profile, numbers = image.profile, image.read()
    numbers[:, 128:192, :64] = 0
    if "driver" in how:
        profile = {key: profile[key] for key in ("width", "height", "count", "dtype", "crs")} | {
            "transform": profile["transform"],
            "nodata": profile["nodata"],
        }
    path.unlink()
    with rasterio.open(path, "w", **{**profile, **how}) as image:
        image.write(numbers)
    with serve(folder.parent) as server:
        item = landsat_item(folder, server.url)
        here = inplace.lay_out(make_listing(item, "", "", tmp_path / "scenes"))
        assert same(pixels(here), pixels(folder))
        marks = next(here.glob(".blocks-*_SR_B4.TIF")).read_bytes()[64:]
        assert sum(marks) < len(marks)
        assert same(open_scene(here).read(["red"]).pixels, open_scene(folder).read(["red"]).pixels)
