"""AdaptScene from the command line: options, settings, schedulers, and bad input."""

import json
import shutil
import socket
import subprocess
import sys
import tarfile
import time
import urllib.request
from pathlib import Path

import pytest
import rasterio

from nndacss.product.compare import differences
from tests.models.small_harmonizer import small_harmonizer


@pytest.fixture
def bench(bench):
    """By bandpass, whatever weights are installed: what is tested here is not the image."""
    bench.options = (*bench.options, "--set", "harmonize.method=bandpass")
    return bench


def test_a_network_harmonizes(bench, tmp_path):
    card = small_harmonizer(tmp_path)
    code, said = bench.run(
        "--set", "harmonize.method=deep", "--set", f'harmonize.weights=["{card.name}"]'
    )
    assert code == 0, said
    (spread,) = bench.product().glob("*_uncertainty.tif")
    with rasterio.open(spread) as raster:
        assert raster.descriptions[-1] == "flags"
    report = json.loads((bench.product() / "report.json").read_text())
    assert report["networks"]["members"][0]["name"] == "small_harmonizer"
    assert report["sources"]["network"] > 0.3
    assert report["seams"]["windows"] < 1.05
    # asked for by another name the weights are the same, and so is the product
    before = {path: path.stat().st_mtime_ns for path in bench.products.rglob("*")}
    code, said = bench.run(
        "--set", "harmonize.method=auto", "--set", f'harmonize.weights=["{card}"]'
    )
    assert code == 0, said
    assert {path: path.stat().st_mtime_ns for path in bench.products.rglob("*")} == before


def test_the_same_scene_from_folder_and_archive_is_one_product(bench, simulated, tmp_path):
    code, said = bench.run("--output", "one", scene=simulated.l2)
    assert code == 0, said
    archives = tmp_path / "archives"
    archives.mkdir()
    for folder in (simulated.l1, simulated.l2):
        with tarfile.open(archives / f"{folder.name}.tar.gz", "w:gz") as tar:
            for file in sorted(folder.iterdir()):
                tar.add(file, file.name)
    shutil.rmtree(bench.work)
    code, said = bench.run("--output", "two", scene=archives / f"{simulated.l2.name}.tar.gz")
    assert code == 0, said
    one, two = (next((tmp_path / name).glob("*/item.json")).parent for name in ("one", "two"))
    assert one.name == two.name
    assert differences(one, two) == []


def test_nothing_is_done_twice_and_a_changed_setting_makes_another_product(bench):
    assert bench.run()[0] == 0
    first = bench.product()
    before = {path: path.stat().st_mtime_ns for path in bench.folder.rglob("*") if path.is_file()}
    assert bench.run()[0] == 0
    after = {path: path.stat().st_mtime_ns for path in bench.folder.rglob("*") if path.is_file()}
    assert after == before
    code, said = bench.run("--set", "harmonize.target=sentinel-2c", "--workers", "2")
    assert code == 0, said
    assert {item.parent.name for item in bench.products.glob("*/item.json")} > {first.name}
    # the mask does not depend on that setting, and was not made again
    assert len(list(bench.work.glob("mask/*"))) == 1


def test_level_1_alone_gives_a_toa_product(bench, simulated):
    code, said = bench.run(scene=simulated.l1)
    assert code == 0, said
    assert list(bench.product().glob("*_toa_reflectance.tif"))


def test_without_l1_the_loss_is_told(bench, simulated, tmp_path):
    alone = tmp_path / "alone" / simulated.l2.name
    shutil.copytree(simulated.l2, alone)
    code, said = bench.run(scene=alone)
    assert code == 0, said
    assert "no pan band, so no detail below 30 m" in said


def test_an_area_like_another_raster(bench, simulated, tmp_path):
    with rasterio.open(next(simulated.l2.glob("*_SR_B4.TIF"))) as band:
        west, south, east, north = rasterio.warp.transform_bounds(
            band.crs, "EPSG:4326", *band.bounds
        )
    middle = [west + (east - west) * 0.4, south + (north - south) * 0.4]
    ring = [
        [middle[0] + dx, middle[1] + dy] for dx, dy in ((0, 0), (0.01, 0), (0.01, 0.01), (0, 0))
    ]
    area = tmp_path / "area.geojson"
    area.write_text(json.dumps({"type": "Polygon", "coordinates": [ring]}))
    code, said = bench.run("--area", str(area), "--output", "area")
    assert code == 0, said
    (image,) = (tmp_path / "area").glob("*/*_reflectance.tif")
    with rasterio.open(image) as raster:
        assert raster.width < 100
        assert raster.transform.c % 10 == 0
        expected = raster.transform, raster.shape
    code, said = bench.run("--set", f"tile.grid=like:{image}", "--output", "like")
    assert code == 0, said
    (other,) = (tmp_path / "like").glob("*/*_reflectance.tif")
    with rasterio.open(other) as raster:
        assert (raster.transform, raster.shape) == expected
        assert (raster.read() == rasterio.open(image).read()).all()


@pytest.fixture
def luigid(tmp_path):
    """The central scheduler, for real."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        str(Path(sys.executable).parent / "luigid"),
        "--address",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    state = ["--state-path", str(tmp_path / "luigid.state")]
    server = subprocess.Popen(
        [*command, *state], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    yield port
    server.kill()
    server.wait()


def test_central_scheduler_and_two_workers(bench, luigid):
    scheduler = ("--scheduler-host", "127.0.0.1", "--scheduler-port", str(luigid))
    code, said = bench.run("--workers", "2", scheduler=scheduler)
    assert code == 0, said
    query = f"http://127.0.0.1:{luigid}/api/task_list?data={{%22status%22:%22DONE%22,%22upstream_status%22:%22%22}}"
    with urllib.request.urlopen(query) as answer:
        done = json.load(answer)["response"]
    names = {task["name"] for task in done.values()}
    assert names >= {"AdaptScene", "AcquireScene", "MaskScene", "HarmonizeScene", "MakeProduct"}
    harmonize = next(task for task in done.values() if task["name"] == "HarmonizeScene")
    assert harmonize["params"]["name"].startswith("LC08_L2SP_")


def one_error(said):
    """The one thing that went wrong; two stages may both say it."""
    lines = {line for line in said.splitlines() if line.startswith("ERROR: error: ")}
    assert len(lines) == 1, said
    assert "Traceback" not in said
    return lines.pop()


def nothing_made(bench):
    assert not list(bench.products.glob("*")) if bench.products.exists() else True
    assert not list(bench.folder.rglob(".draft-*"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--set", "tile.gird=s2"), "unknown key tile.gird"),
        (("--set", "nothing"), "section.key=value"),
        (("--config", "absent.toml"), "no such file"),
        (("--bbox=1,2,3",), "west,south,east,north"),
        (("--area", "absent.geojson"), "absent.geojson"),
        (("--l1", "absent"), "absent"),
        (("--set", "mask.method=magic"), "magic"),
        (("--set", "harmonize.method=magic"), "expected auto, bandpass, deep"),
        (
            ("--set", "harmonize.method=deep", "--set", 'harmonize.weights=["mask_unetpp_v4"]'),
            "expected a weights card of a harmonizer",
        ),
        (("--bbox=100,10,101,11",), "no pixel of the scene"),
    ],
)
def test_bad_options_are_one_line(bench, options, message):
    code, said = bench.run(*options)
    assert code in (30, 35)
    assert message in one_error(said)
    nothing_made(bench)


def broken_copy(simulated, tmp_path):
    copy = tmp_path / "broken" / simulated.l2.name
    shutil.copytree(simulated.l2, copy)
    return copy


def test_a_truncated_band_is_found_before_work_starts(bench, simulated, tmp_path):
    copy = broken_copy(simulated, tmp_path)
    (band,) = copy.glob("*_SR_B5.TIF")
    band.write_bytes(band.read_bytes()[: band.stat().st_size * 2 // 3])
    code, said = bench.run(scene=copy)
    assert code == 30
    assert "_SR_B5.TIF" in one_error(said)
    assert not (bench.work / "harmonize").exists()
    nothing_made(bench)


def test_a_missing_band_is_named_and_fewer_bands_can_be_asked_for(bench, simulated, tmp_path):
    copy = broken_copy(simulated, tmp_path)
    for number in (5, 6, 7):
        next(copy.glob(f"*_SR_B{number}.TIF")).unlink()
    code, said = bench.run(scene=copy)
    assert code == 30
    assert "_SR_B5.TIF" in one_error(said)
    nothing_made(bench)
    code, said = bench.run("--set", 'harmonize.roles=["blue", "green", "red"]', scene=copy)
    assert code == 0, said
    with rasterio.open(next(bench.product().glob("*_reflectance.tif"))) as raster:
        assert raster.descriptions == ("blue", "green", "red")


@pytest.fixture
def small_disk(tmp_path):
    """A mounted file system of 1 MiB."""
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a small file system is not allowed here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_product_disk(bench, small_disk):
    code, said = bench.run("--output", str(small_disk))
    assert code == 30
    assert "space" in one_error(said).lower()
    assert not list(small_disk.rglob("item.json"))
    assert not list(small_disk.rglob(".draft-*"))


def test_a_full_work_disk(bench, small_disk):
    (bench.folder / "luigi.cfg").write_text(f"[machine]\nwork = {small_disk}/work\n")
    code, said = bench.run()
    assert code == 30
    assert "Traceback" not in said
    errors = [line for line in said.splitlines() if line.startswith("ERROR: error: ")]
    assert errors  # mask and harmonize may both run into it
    assert all("a writable place; free disk space" in line for line in errors), errors
    nothing_made(bench)


def test_a_read_only_product_root(bench, small_disk):
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    code, said = bench.run("--output", str(small_disk))
    assert code == 30
    assert "read-only" in one_error(said).lower()
