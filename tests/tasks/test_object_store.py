"""Products that go to an object store from the command line, killed on the way and gone on with."""

import json
import signal
import subprocess

import pytest
import rasterio

from nndacss.product.compare import differences
from nndacss.simulate.landsat import write_landsat
from tests.servers.s3 import CANARY, pixels, shared_s3
from tests.tasks.conftest import LUIGI, Bench

#: Without networks: what is tested here is not the image.
PLAIN = ("--set", "mask.method=quality", "--set", "harmonize.method=bandpass")
PLACE = "s3://delivered/l8"


class Shipping(Bench):
    """A folder to run in, with products that go to a bucket."""

    def command(self, *options, task="AdaptScene", root=PLACE):
        command = [LUIGI, "--module", "tasks", task, "--local-scheduler", *options]
        if task in ("AdaptScene", "ReprocessScenes"):
            command += ["--scene" if task == "AdaptScene" else "--scenes", str(self.scene), *PLAIN]
        return command if task == "BatchReport" else [*command, "--output-root", root]

    def run(self, *options, killed_at=None, nth=1, **more):
        """Exit code and what it said; the nth request like `killed_at` ends luigi."""
        with subprocess.Popen(
            self.command(*options, **more),
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as luigi:
            if killed_at:
                self.kill(luigi, killed_at, nth)
            said = luigi.stdout.read()
        self.s3.before.pop(killed_at, None)  # asked for less often than that
        assert self.wait_until_quiet(30), self.living()
        return luigi.returncode, said

    def kill(self, luigi, request, nth):
        def count():
            if nth == 1:
                luigi.kill()
                return "drop"
            self.kill(luigi, request, nth - 1)
            return ""

        self.s3.before[request] = count

    @property
    def s3(self):
        return shared_s3()

    def sent(self):
        """Names of the files that were sent since it was last asked."""
        lines = [line.split("?")[0] for line in self.s3.asked if line.startswith("PUT ")]
        self.s3.asked.clear()
        return [line.rpartition("/")[2] for line in lines]


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    return write_landsat(tmp_path_factory.mktemp("small"), seed=1, rows=60, columns=60)


@pytest.fixture
def shipping(tmp_path, small):
    server = shared_s3()
    server.bucket("delivered")
    bench = Shipping(tmp_path, small.l2)
    bench.environment |= server.environment()
    return bench


def check_secrets(bench, *said):
    """The secret key is in no file, and in nothing that was said."""
    for path in bench.folder.rglob("*"):
        assert not path.is_file() or CANARY.encode() not in path.read_bytes(), path
    assert not [text for text in said if CANARY in text]


def test_killed_while_uploading_and_before_the_item(shipping):
    log = ("--machine-log-json", "log.jsonl")
    code, first = shipping.run(*log, killed_at="PUT _sr_reflectance.tif")
    assert code == -signal.SIGKILL
    before = shipping.sent()
    assert before
    assert "item.json" not in before
    code, second = shipping.run(*log, killed_at="PUT /item.json")
    assert code == -signal.SIGKILL
    # what was there was not sent again, but the file at which it was killed
    assert set(shipping.sent()) & set(before) == {before[-1]}
    keys = shipping.s3.keys("delivered")
    assert not [key for key in keys if key.endswith("item.json")]
    name = next(iter(keys)).split("/")[1]
    code, third = shipping.run(*log)
    assert code == 0, third
    assert shipping.sent() == ["item.json"]
    assert f"the product is {PLACE}/{name}, its report {PLACE}/{name}/report.html" in third
    assert not list((shipping.work / "delivery").iterdir())
    shipping.s3.download("delivered", shipping.folder / "copy")
    code, said = shipping.run(root="products")  # an undisturbed product stage, on a disk
    assert code == 0, said
    assert differences(shipping.folder / "copy" / "l8" / name, shipping.products / name) == []
    events = [json.loads(line) for line in (shipping.folder / "log.jsonl").read_text().splitlines()]
    (uploaded,) = [one for one in events if one.get("event") == "uploaded"]
    assert (uploaded["product"], uploaded["bytes"] > 1000) == (name, True)
    check_secrets(shipping, first, second, third)
    check_reading(shipping, name)


def check_reading(shipping, name):
    """The image is read in place: from the bucket, and by a signed address."""
    item = json.loads((shipping.products / name / "item.json").read_text())
    href = item["assets"]["reflectance"]["href"]
    assert href.startswith("./")
    key = f"l8/{name}/{href.removeprefix('./')}"
    where = {"Bucket": "delivered", "Key": key}
    signed = shipping.s3.client().generate_presigned_url("get_object", where)
    with rasterio.open(shipping.products / name / href) as raster:
        expected = raster.read()
    addresses = (f"/vsis3/delivered/{key}", f"/vsicurl/{signed}")
    for found in pixels(shipping.s3, shipping.folder, *addresses):
        assert (found == expected).all()


def test_a_bucket_that_is_missing_is_told_before_any_work(shipping):
    code, said = shipping.run(root="s3://absent/l8")
    assert code == 35
    errors = [line for line in said.splitlines() if line.startswith("ERROR: error: ")]
    assert len(errors) == 1
    assert "s3://absent/l8: found no such bucket" in errors[0]
    assert "Traceback" not in said
    assert not list(shipping.work.glob("*/*/stage.json"))


@pytest.mark.slow
def test_killed_at_every_second_request_it_gets_there_file_by_file(shipping):
    runs = [(-signal.SIGKILL, "")]
    while runs[-1][0] == -signal.SIGKILL and len(runs) < 40:
        runs.append(shipping.run(killed_at="PUT ", nth=2))
    assert runs[-1][0] == 0, runs[-1][1]
    keys = shipping.s3.keys("delivered")
    # every run but the last brought one file, the last one the item, which is one request
    assert len(runs) - 1 == len(keys)
    shipping.s3.before.clear()
    shipping.s3.download("delivered", shipping.folder / "copy")
    assert shipping.run(root="products")[0] == 0
    (copy,) = (shipping.folder / "copy" / "l8").iterdir()
    assert differences(copy, shipping.products / copy.name) == []
    assert not list((shipping.work / "delivery").iterdir())


@pytest.mark.slow
def test_two_runs_on_one_work_root_upload_a_product_once(shipping):
    quiet = {"cwd": shipping.folder, "env": shipping.environment, "stderr": subprocess.DEVNULL}
    runs = [subprocess.Popen(shipping.command(*more), **quiet) for more in ((), ("--no-lock",))]
    assert [run.wait(300) for run in runs] == [0, 0]
    assert shipping.sent().count("item.json") == 1
    assert not list((shipping.work / "delivery").iterdir())


@pytest.mark.slow
def test_a_batch_to_a_bucket_and_a_product_that_somebody_edited(shipping, small):
    shipping.scene = small.l2.parent
    code, said = shipping.run(task="ReprocessScenes")
    assert code == 0, said
    # planned by one listing, worked off by a process with one, and looked at again
    lists = [line for line in shipping.s3.asked if line.startswith("GET /delivered?list-type=2")]
    whole = [line for line in lists if "_T1_" not in line]
    assert len(whole) == 3
    assert shipping.s3.count("HEAD") == 2
    assert shipping.run(task="BatchReport")[0] == 0
    (mask,) = [key for key in shipping.s3.keys("delivered") if key.endswith("_mask.tif")]
    name = mask.split("/")[1]
    page = (shipping.folder / "reports/latest.html").read_text()
    assert f'href="{shipping.s3.url}/{mask.rpartition("/")[0].join(["delivered/", ""])}' in page
    assert "data:image/jpeg;base64," in page
    shipping.sent()
    code, said = shipping.run(task="ReprocessScenes")
    assert (code, shipping.sent()) == (0, [])
    assert "1 done before" in said
    shipping.s3.client().put_object(Bucket="delivered", Key=mask, Body=b"cut")
    code, said = shipping.run(task="ReprocessScenes")
    assert code == 30
    assert f"{PLACE}/{name}: found" in said
    assert "_mask.tif with 3 bytes" in said
    assert f"Invalidate --target {name}" in said
    code, said = shipping.run("--json", task="Status")
    assert json.loads(said)["products"] | {"bytes": 0} == {
        "whole": 0,
        "damaged": 1,
        "unfinished": 0,
        "bytes": 0,
    }
    assert shipping.run("--target", name, task="Invalidate")[0] == 0
    assert shipping.s3.keys("delivered") == {}
    shipping.s3.faults["PUT _mask.tif"] = [(507, "XMinioStorageFull")] * 10
    code, said = shipping.run(task="ReprocessScenes")
    assert code == 30
    assert "no space left in the store" in said
    assert not [key for key in shipping.s3.keys("delivered") if key.endswith("item.json")]
    shipping.s3.faults.clear()
    code, said = shipping.run("--discard-work", task="ReprocessScenes")
    assert code == 0, said
    assert not list(shipping.work.glob("mask/*"))
    check_secrets(shipping, said)
