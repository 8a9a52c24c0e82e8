"""Signatures: what is sent to whom, what is renewed, and that nothing of it is kept."""

import json
import logging
from urllib.parse import parse_qs, urlsplit

import pytest

from nndacss import web
from nndacss.acquire import access
from nndacss.acquire.access import Door
from nndacss.acquire.fetch import fetch
from nndacss.acquire.listing import make_listing
from nndacss.download import download
from nndacss.errors import InputError
from nndacss.readers import identify
from nndacss.search.providers import Provider, provider
from nndacss.search.query import as_found
from tests.servers.files import serve
from tests.servers.items import landsat_item, write_item
from tests.servers.s3 import s3_server

CANARY = "canary-0d2f6c1e"


@pytest.fixture
def told(caplog):
    """Everything that is logged, by anyone, at any level."""
    caplog.set_level(logging.DEBUG)
    return caplog


def nothing_told(tmp_path, told):
    """The secret is in no file and no log."""
    for path in tmp_path.rglob("*"):
        assert CANARY not in path.name
        assert not path.is_file() or CANARY.encode() not in path.read_bytes(), path
    assert CANARY not in told.text


def test_a_token_reaches_the_api_and_no_other_host(files, pair, tmp_path, monkeypatch, told):
    monkeypatch.setenv("NNDACSS_STAC_TOKEN", CANARY)
    files.token = f"Bearer {CANARY}"
    listing = make_listing(landsat_item(pair.l2, files.url), files.url, "", tmp_path)
    assert identify(fetch(listing)).digest == listing.identity.digest
    with serve(pair.l2.parent) as other:
        elsewhere = landsat_item(pair.l2, other.url)
        make_listing(elsewhere, files.url, "", tmp_path / "other")
        assert not any("Authorization" in headers for headers in other.headers)
        files.redirect, files.token = other.url, None
        (mtl,) = pair.l2.glob("*_MTL.txt")
        url, sign = Door(provider(files.url), {}).sign(f"{files.url}/{pair.l2.name}/{mtl.name}")
        download(url, tmp_path / "mtl", sign=sign)
        assert (tmp_path / "mtl").read_bytes() == mtl.read_bytes()
        assert files.headers[-1]["Authorization"] == f"Bearer {CANARY}"
        assert "Authorization" not in other.headers[-1]
        monkeypatch.setenv("NNDACSS_STAC_TOKEN_HOSTS", other.url.removeprefix("http://"))
        make_listing(elsewhere, files.url, "", tmp_path / "named")
        assert other.headers[-1]["Authorization"] == f"Bearer {CANARY}"
    nothing_told(tmp_path, told)


def test_a_wrong_token_is_said_plainly(files, pair, tmp_path, monkeypatch, told):
    monkeypatch.setenv("NNDACSS_STAC_TOKEN", CANARY)
    files.token = "Bearer another"
    with pytest.raises(InputError, match=r"HTTP 403.*set NNDACSS_STAC_TOKEN") as error:
        make_listing(landsat_item(pair.l2, files.url), files.url, "", tmp_path)
    assert CANARY not in str(error.value)
    nothing_told(tmp_path, told)


@pytest.mark.parametrize(("off", "said"), [(-3600, "60 minutes ahead"), (7200, "120 minutes beh")])
def test_a_wrong_clock_is_named(files, pair, tmp_path, off, said):
    files.clock, files.token = off, "Bearer unknown"
    with pytest.raises(InputError, match=f"clock is {said}"):
        make_listing(landsat_item(pair.l2, files.url), files.url, "", tmp_path)


def signed(item, value):
    assets = {
        name: {**asset, "href": f"{asset['href']}?sig={value}"}
        for name, asset in item["assets"].items()
    }
    return {**item, "assets": assets}


def test_a_signature_that_ran_out_is_read_anew_from_the_item(files, pair, tmp_path, told):
    """The item's own addresses are signed, as some archives give them."""
    plain = landsat_item(pair.l2, files.url)
    place = tmp_path / "given" / "item.json"
    place.parent.mkdir()
    files.signatures = {f"{CANARY}-1"}
    write_item(signed(plain, f"{CANARY}-1"), place)
    item = json.loads(place.read_text())
    listing = make_listing(item, "", str(place), tmp_path / "scenes")
    # the search's own record of it, too
    write_item(as_found(item).record(), tmp_path / "scenes.json")
    door = listing.door()
    image = listing.files[-1]
    url, sign = door.sign(image.href, image.asset)
    assert CANARY in sign(False).url
    files.signatures = {f"{CANARY}-2"}
    write_item(signed(plain, f"{CANARY}-2"), place)
    download(url, tmp_path / "image.tif", size=image.size, sign=sign)
    folder = fetch(listing)
    assert identify(folder).digest == listing.identity.digest
    place.unlink()
    nothing_told(tmp_path, told)


def test_the_same_scene_signed_or_not_is_one_listing(files, pair, tmp_path):
    plain = landsat_item(pair.l2, files.url)
    first = make_listing(plain, files.url, "", tmp_path)
    assert make_listing(signed(plain, "x"), files.url, "", tmp_path).path == first.path


def test_an_archive_of_user_and_password(files, pair, tmp_path, monkeypatch, told):
    """A token for name and password, asked for once, and again when it is refused."""
    given = []

    def post(url, body):
        given.append(parse_qs(body.decode()))
        return {"access_token": f"{CANARY}-{len(given)}"}

    monkeypatch.setattr(access, "_post", post)
    archive = provider("cdse")
    href = "https://download.dataspace.copernicus.eu/odata/v1/Products(1)/$value"
    with pytest.raises(InputError, match="CDSE_USERNAME and CDSE_PASSWORD"):
        Door(archive, {}).sign(href)[1](False)
    monkeypatch.setenv("CDSE_USERNAME", "me")
    monkeypatch.setenv("CDSE_PASSWORD", CANARY)
    _, sign = Door(archive, {}).sign(href)
    assert sign(False).headers == {"Authorization": f"Bearer {CANARY}-1"}
    assert sign(False).headers == {"Authorization": f"Bearer {CANARY}-1"}
    assert sign(True).headers == {"Authorization": f"Bearer {CANARY}-2"}
    assert given[0]["username"] == ["me"]
    # to no other host
    assert Door(archive, {}).sign("https://elsewhere/x")[1](False).headers == {}


def test_an_archive_that_gives_tokens_to_all(files, pair, tmp_path, monkeypatch):
    (tmp_path / "sas").mkdir()
    (tmp_path / "sas" / "landsat-c2-l2").write_text(json.dumps({"token": f"sv=1&sig={CANARY}"}))
    href = "https://landsateuwest.blob.core.windows.net/landsat-c2/x.TIF"
    with serve(tmp_path / "sas") as tokens:
        monkeypatch.setattr(access, "_PC_TOKEN", f"{tokens.url}/")
        door = Door(provider("planetary-computer"), {"collection": "landsat-c2-l2"})
        _, sign = door.sign(href)
        assert sign(False).url == f"{href}?sv=1&sig={CANARY}"
        sign(False)
        assert len(tokens.asked) == 1
        sign(True)
        assert len(tokens.asked) == 2


@pytest.fixture(scope="module")
def s3():
    with s3_server() as url:
        yield url


@pytest.fixture
def bucket(s3, pair, monkeypatch):
    """The scene in a bucket whose reader pays."""
    import botocore.session

    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "me")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", CANARY)
    client = botocore.session.get_session().create_client("s3", region_name="us-west-2")
    place = {"LocationConstraint": "us-west-2"}
    names = {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}
    if "usgs-landsat" not in names:
        client.create_bucket(Bucket="usgs-landsat", CreateBucketConfiguration=place)
    for file in pair.l2.iterdir():
        client.put_object(
            Bucket="usgs-landsat", Key=f"{pair.l2.name}/{file.name}", Body=file.read_bytes()
        )


@pytest.mark.parametrize("stated", [True, False])
def test_objects_whose_reader_pays(bucket, pair, tmp_path, told, stated):
    item = landsat_item(pair.l2, "s3://usgs-landsat", stated=stated)
    listing = make_listing(item, "landsatlook", "", tmp_path)
    folder = fetch(listing)
    assert identify(folder).digest == listing.identity.digest
    image = listing.files[-1]
    _, sign = listing.door().sign(image.href)
    sent = sign(False)
    assert sent.headers == {"x-amz-request-payer": "requester"}
    query = parse_qs(urlsplit(sent.url).query)
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert "us-west-2" in query["X-Amz-Credential"][0]
    nothing_told(tmp_path, told)


def test_objects_without_credentials(pair, tmp_path, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    item = landsat_item(pair.l2, "s3://usgs-landsat")
    with pytest.raises(InputError, match=r"no AWS credentials.*set AWS_ACCESS_KEY_ID"):
        make_listing(item, "landsatlook", "", tmp_path)
    open_to_all = Door(provider("earth-search"), {}).sign("s3://sentinel-cogs/a/B02.tif")
    assert open_to_all[0] == "https://sentinel-cogs.s3.us-west-2.amazonaws.com/a/B02.tif"
    assert open_to_all[1](False).url == open_to_all[0]


def test_no_address_no_door():
    door = Door(Provider("x", "", {}, "plain", ""), {})
    with pytest.raises(InputError, match="expected http"):
        door.sign("../B02.tif")
    assert web.shown("https://me:word@host:8/a?b=c") == "https://host:8/a"
