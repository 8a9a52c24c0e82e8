"""Products in an object store: delivered whole, found by one listing, removed; what it refuses."""

import os
from pathlib import Path

import pytest

from nndacss.errors import OutputError, SettingsError
from nndacss.operations import products
from nndacss.operations.clean import clean, leftovers
from nndacss.operations.invalidate import Choice, choose, invalidate
from nndacss.operations.roots import BucketRoot, open_root
from nndacss.operations.status import status
from nndacss.product import bucket as module
from nndacss.product import deliver as delivery
from nndacss.product.bucket import Bucket
from tests.operations.conftest import Roots
from tests.servers.s3 import CANARY, shared_s3

PLACE = "s3://products/l8"


@pytest.fixture
def s3(monkeypatch):
    server = shared_s3()
    server.bucket("products")
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)
    # repeats without the pauses between them
    pause = "botocore.retries.standard.ExponentialBackoff.delay_amount"
    monkeypatch.setattr(pause, lambda *_: 0)
    return server


@pytest.fixture
def folder(tmp_path):
    """A finished product."""
    Roots.publish(tmp_path / "scene_01234567")
    (tmp_path / "scene_01234567/report.html").write_text("report")
    (tmp_path / "scene_01234567/.draft-host-1-x").write_text("a draft")
    return tmp_path / "scene_01234567"


def send(folder, told=None):
    root = open_root(PLACE)
    root.refresh()
    root.deliver(folder, lambda *said: told.append(said) if told is not None else None)
    return root


def puts(server):
    lines = [line.split("?")[0] for line in server.asked if line.startswith("PUT ")]
    return [line.rpartition("/")[2] for line in lines]


def test_files_first_and_the_item_last(s3, folder):
    told = []
    root = send(folder, told)
    assert puts(s3) == ["report.html", "x_mask.tif", "item.json"]
    assert [share for share, _ in told] == sorted(share for share, _ in told)
    assert root.has(folder.name)
    there = s3.client().head_object(Bucket="products", Key="l8/scene_01234567/x_mask.tif")
    assert there["ContentType"].startswith("image/tiff; application=geotiff; profile=cloud")
    assert root.read(folder.name, "x_mask.tif") == bytes(2000)


def test_a_broken_upload_goes_on_by_files_and_large_ones_go_in_parts(s3, folder, monkeypatch):
    part = 5 * 2**20
    monkeypatch.setattr(module, "PART", part)
    monkeypatch.setattr(delivery, "PART", part)
    (folder / "image.tif").write_bytes(os.urandom(2 * part + 17))
    s3.faults["PUT /x_mask.tif"] = [(403, "AccessDenied")]
    with pytest.raises(OutputError, match="may not do this"):
        send(folder)
    assert s3.count("PUT", "partNumber=3") == 1
    assert "l8/scene_01234567/item.json" not in s3.keys("products")
    s3.asked.clear()
    root = send(folder)
    assert puts(s3) == ["x_mask.tif", "item.json"]
    # the store's own figure for an object of three parts
    tag = s3.client().head_object(Bucket="products", Key="l8/scene_01234567/image.tif")["ETag"]
    assert tag.strip('"') == delivery.etag(folder / "image.tif", part)
    assert root.read(folder.name, "image.tif") == (folder / "image.tif").read_bytes()
    # another content of the same size is no less sent
    (folder / "x_mask.tif").write_bytes(bytes(1999) + b"x")
    s3.asked.clear()
    send(folder)
    assert puts(s3) == ["x_mask.tif", "item.json"]


def test_trouble_that_passes(s3, folder):
    s3.faults["PUT /x_mask.tif"] = [(503, "SlowDown"), (0, ""), (500, "InternalError")]
    s3.faults["PUT /item.json"] = [(0, ""), (503, "ServiceUnavailable")]
    s3.faults["GET /products"] = [(429, "SlowDown"), (0, "")]
    root = send(folder)
    assert not any(s3.faults.values())
    assert products.find(root, folder.name).fault == ""


def test_what_does_not_arrive_whole_gets_no_item(s3, folder):
    def lose():
        s3.before["GET /products"] = lambda: s3.client().put_object(
            Bucket="products", Key="l8/scene_01234567/x_mask.tif", Body=b"cut"
        )

    s3.before["PUT /x_mask.tif"] = lose
    with pytest.raises(OutputError, match=r"x_mask.tif: found 3 bytes; expected the 2000 bytes"):
        send(folder)
    assert "item.json" not in puts(s3)


@pytest.mark.parametrize(
    ("status_", "code", "said"),
    [
        (403, "InvalidAccessKeyId", "does not know the access key.*AWS_ACCESS_KEY_ID"),
        (403, "SignatureDoesNotMatch", "secret key is not the access key's"),
        (403, "AccessDenied", "may not do this.*the bucket's policy"),
        (400, "ExpiredToken", "token has run out.*log in again"),
        (403, "RequestTimeTooSkewed", "a clock 60 minutes behind the store's.*NTP"),
        (301, "PermanentRedirect", "another region.*AWS_REGION"),
        (507, "XMinioStorageFull", "no space left in the store.*run again"),
        (403, "QuotaExceeded", "quota is used up"),
        (418, "Teapot", r"the answer Teapot \(HTTP 418\)"),
    ],
)
def test_what_a_store_refuses_is_said_without_what_it_says(s3, folder, status_, code, said):
    s3.clock = 3600.0
    s3.faults["PUT /report.html"] = [(status_, code)] * 10
    with pytest.raises(OutputError, match=f"^s3://products/l8/scene_01234567/.*{said}") as caught:
        send(folder)
    assert CANARY not in str(caught.value)
    assert not any("item" in key for key in s3.keys("products"))


def test_no_bucket_no_keys_no_store(s3, monkeypatch):
    with pytest.raises(OutputError, match=r"^s3://absent/x: found no such bucket.*create"):
        Bucket("s3://absent/x").list()
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    with pytest.raises(OutputError, match=r"no credentials in the environment.*AWS_PROFILE"):
        Bucket(PLACE).list()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "me")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    with pytest.raises(OutputError, match=r"no answer \(EndpointConnectionError\).*AWS_ENDPOINT"):
        Bucket(PLACE).list()


@pytest.mark.parametrize(
    "address",
    [f"s3://me:{CANARY}@bucket/x", f"s3://bucket/x?sig={CANARY}@", "gs://bucket", "s3://"],
)
def test_an_address_that_is_none_is_not_repeated(address):
    with pytest.raises(SettingsError, match="expected a folder, or s3://bucket/prefix") as caught:
        open_root(address)
    assert CANARY not in str(caught.value)


def test_one_listing_a_process_and_a_forked_one_asks_for_its_own(s3, folder, monkeypatch):
    for number in range(3):
        folder = folder.rename(folder.with_name(f"scene_{number:08x}"))
        send(folder)
    s3.asked.clear()
    root = BucketRoot(PLACE)
    wanted = [f"scene_{number:08x}" for number in range(100)]
    assert [name for name in wanted if root.has(name)] == wanted[:3]
    assert len(s3.asked) == 1
    made_by_another = send(folder.rename(folder.with_name(wanted[3])))
    s3.asked.clear()
    assert not root.has(wanted[3])
    monkeypatch.setattr(os, "getpid", lambda: 1)
    assert root.has(wanted[3])
    assert not root.has(wanted[4])
    assert [line.split()[0] for line in s3.asked] == ["HEAD", "HEAD"]
    assert made_by_another.has(wanted[3])


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (lambda c, key: c.delete_object(Bucket="products", Key=f"{key}/x_mask.tif"), "no x_mask"),
        (
            lambda c, key: c.put_object(Bucket="products", Key=f"{key}/x_mask.tif", Body=b"cut"),
            "x_mask.tif with 3 bytes where 2000 were written",
        ),
        (
            lambda c, key: c.put_object(Bucket="products", Key=f"{key}/item.json", Body=b"{"),
            "an item.json that cannot be read",
        ),
    ],
)
def test_a_product_edited_by_hand_shows(s3, folder, spoil, fault):
    root = send(folder)
    spoil(s3.client(), f"l8/{folder.name}")
    root.refresh()
    found = products.find(root, folder.name)
    assert fault in found.fault
    assert f"{PLACE}/{folder.name}: found" in found.complaint
    assert f"Invalidate --target {folder.name}" in found.complaint


class Stored(Roots):
    """A work root, and a product root in the store."""

    @property
    def products(self):
        open_root(PLACE).refresh()
        return open_root(PLACE)

    def publish(self, folder):
        Roots.publish(folder)
        self.products.deliver(folder, lambda *_: None)


def test_status_clean_and_invalidate(s3, tmp_path):
    roots = Stored(tmp_path / "work", tmp_path / "local")
    done = roots.chain("done")
    roots.chain("other")
    begun = s3.client().create_multipart_upload(Bucket="products", Key="l8/x/big.tif")
    s3.client().put_object(Bucket="products", Key="l8/begun_01234567/a.tif", Body=b"x")
    staged = roots.work / "delivery" / done["product"].target
    Roots.publish(staged)
    told = status(roots.work, roots.products)
    assert told["products"]["whole"] == 2
    assert told["products"]["unfinished"] == 1
    assert told["products"]["bytes"] == sum(
        size for key, size in s3.keys("products").items() if "begun" not in key
    )
    assert set(told["free"]) == {"work"}
    # (moto has all uploads begin in 2010)
    assert "remains" not in {one.kind for one in leftovers(roots.work, roots.products, 9000)}
    found = leftovers(roots.work, roots.products, days=-1)
    assert [one.place for one in found if one.kind == "remains"] == [f"{PLACE}/x/big.tif"]
    clean(found)
    assert not staged.exists()
    assert roots.folders()[0] == set()
    assert "Uploads" not in s3.client().list_multipart_uploads(Bucket="products")
    assert begun["Key"] == "l8/x/big.tif"
    doomed = choose(roots.work, roots.products, Choice(scene="done", stage="mask"))
    assert [one.target.stage for one in doomed] == ["product"]
    assert doomed[0].size.bytes > 2000
    invalidate(doomed, roots.work)
    left = {key.split("/")[1] for key in s3.keys("products")}
    assert done["product"].target not in left
    assert len(left) == 2


def test_the_report_of_a_batch_finds_pictures_and_links(s3, folder, tmp_path):
    from PIL import Image

    from nndacss.operations.thumbnails import thumbnail

    Image.new("RGB", (400, 200), (200, 10, 10)).save(folder / "x_overlay.png")
    root = send(folder)
    root.refresh()
    assert thumbnail(root, folder.name).startswith("data:image/jpeg;base64,")
    link = root.link(folder.name, "report.html", Path(tmp_path))
    assert link == f"{s3.url}/products/l8/scene_01234567/report.html"
