"""LandCoverNet from servers that work, and from servers that do not."""

import csv
import hashlib
import resource
import shutil

import pytest

from nndacss.datasets.landcovernet import LandCoverNet
from nndacss.errors import DatasetError, InputError, OutputError, StageError
from nndacss.landcovernet import s3
from nndacss.landcovernet.estimate import estimate
from nndacss.landcovernet.plan import chosen_chips, is_here, settings_of
from nndacss.landcovernet.remote import store
from tests.landcovernet.archive import layers, write_stac
from tests.landcovernet.conftest import CHIPS, of_s3, of_web, order_of, run, upload
from tests.servers.files import serve

#: Worked out by hand from `CHIPS`: the first clear date of each quarter.
CHOSEN = ["35PNL_00_20180119", "35PNL_00_20180630", "35PNL_10_20180331", "35PNL_10_20180401"]


def table(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def content(folder):
    """Path below an archive's collections -> checksum."""
    found = {}
    for path in folder.rglob("ref_landcovernet_*/*.*"):
        if path.suffix in (".tif", ".json") and path.name != "collection.json":
            key = "/".join(path.parts[-2:])
            found[key] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def rasters(folder):
    return {key: value for key, value in content(folder).items() if key.endswith(".tif")}


@pytest.fixture(params=["s3", "web"])
def served(request):
    """What to say to fetch from either kind of server."""
    if request.param == "s3":
        return of_s3(request.getfixturevalue("bucket"))
    return of_web(request.getfixturevalue("files"))


def test_the_first_clear_date_of_each_quarter(served, archive, tmp_path):
    folder, summary = run(order_of(tmp_path, *served), tmp_path)
    rows = table(folder / "dates.csv")
    chosen = [f"{row['chip']}_{row['date']}" for row in rows if row["verdict"] == "chosen"]
    assert chosen == CHOSEN
    looked = {f"{row['date']}": row for row in rows if row["chip"] == "35PNL_00"}
    assert "20180203" not in looked  # the quarter had its date already
    assert (looked["20180104"]["cloud"], looked["20180104"]["verdict"]) == ("0.1875", "cloudy")
    assert (looked["20180109"]["cloud"], looked["20180109"]["missing"]) == ("0.0", "0.0625")
    assert looked["20180109"]["verdict"] == "missing pixels"
    assert summary["dates_by_quarter"] == {"1": 2, "2": 2}
    assert summary["empty_quarters"] == {"3": 2, "4": 2}
    theirs, ours = content(archive), content(tmp_path / "got")
    assert {key: theirs[key] for key in ours} == ours
    wanted = {f"{name}/{band}.tif" for name in CHOSEN for band in ("B02", "B08", "SCL", "CLD")}
    of_image = {key.split("sentinel_2_")[-1] for key in ours if "_sentinel_2_" in key}
    assert of_image - wanted == {
        f"35PNL_00_{day}/CLD.tif" for day in (20180104, 20180109, 20181225)
    }
    assert wanted <= of_image
    data = LandCoverNet(folder=tmp_path / "got", bands=("B02", "B08"))
    assert data.names() == tuple(CHOSEN)


def test_manifest_says_what_is_here(served, tmp_path):
    order = order_of(tmp_path, *served)
    folder, summary = run(order, tmp_path)
    rows = table(folder / "manifest.csv")
    assert len(rows) == summary["files"] == 2 * 2 + 4 * 4 + 3
    assert sum(int(row["size"]) for row in rows) == summary["bytes"]
    for row in rows:
        data = (tmp_path / "got" / row["path"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == row["sha256"]
    assert is_here(order, folder / "manifest.csv")
    (tmp_path / "got" / rows[3]["path"]).unlink()
    assert not is_here(order, folder / "manifest.csv")
    run(order, tmp_path)
    assert is_here(order, folder / "manifest.csv")


def test_two_dates_of_a_quarter_and_the_share_of_cloudy_pixels(files, tmp_path):
    said = ["landcovernet.dates=2", "landcovernet.cloud=SCL", "landcovernet.most_cloud=0.2"]
    folder, _ = run(order_of(tmp_path, *of_web(files), *said), tmp_path)
    rows = [row for row in table(folder / "dates.csv") if row["verdict"] == "chosen"]
    own = [row["date"] for row in rows if row["chip"] == "35PNL_00"]
    assert own == ["20180104", "20180119", "20180630"]


def test_faults_that_pass_leave_no_trace(bucket, files, archive, tmp_path):
    files.faults["B08.tif"] += ["429", "truncated", "503", "reset"]
    files.faults["labels.tif"] += ["500", "truncated"]
    files.faults["CLD.tif"] += ["stall", "page"]
    files.faults["stac.json"] += ["truncated", "503"]
    run(order_of(tmp_path / "web", *of_web(files)), tmp_path / "web")
    assert not any(files.faults.values())
    bucket.faults["GET B02.tif"] += [(503, "SlowDown"), (0, ""), (500, "InternalError")]
    bucket.faults["GET /radiant"] += [(503, "SlowDown"), (0, "")]  # listings
    run(order_of(tmp_path / "s3", *of_s3(bucket)), tmp_path / "s3")
    assert not any(bucket.faults.values())
    assert content(tmp_path / "s3" / "got") == content(tmp_path / "web" / "got")
    theirs = content(archive)
    assert all(theirs[key] == value for key, value in content(tmp_path / "s3" / "got").items())


def test_listings_come_in_pages(bucket, tmp_path, monkeypatch):
    whole, _ = run(order_of(tmp_path / "one", *of_s3(bucket)), tmp_path / "one")
    before = bucket.count("GET", "list-type=2")
    bucket.asked.clear()
    monkeypatch.setattr(s3, "PAGE", 7)
    paged, _ = run(order_of(tmp_path / "many", *of_s3(bucket)), tmp_path / "many")
    assert bucket.count("GET", "list-type=2") > before
    assert (paged / "dates.csv").read_text() == (whole / "dates.csv").read_text()


def test_signed_requests_and_none_without_credentials(bucket, tmp_path, monkeypatch):
    for name, value in bucket.environment().items():
        monkeypatch.setenv(name, value)
    run(order_of(tmp_path, *of_s3(bucket), "landcovernet.signed=true"), tmp_path)
    assert all("X-Amz-Signature" in line for line in bucket.asked)
    assert "Signature" not in (next((tmp_path / "work").rglob("manifest.csv"))).read_text()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    with pytest.raises(InputError, match="no AWS credentials"):
        run(order_of(tmp_path, *of_s3(bucket), "landcovernet.signed=true"), tmp_path)


def test_a_server_that_dies_is_gone_on_with(files, archive, tmp_path):
    order = order_of(tmp_path, *of_web(files), "landcovernet.parallel=1")
    files.faults["B08.tif"] += ["reset"] + ["503"] * 9
    with pytest.raises(StageError, match=r"B08\.tif.*no answer"):
        run(order, tmp_path)
    assert not list((tmp_path / "work").rglob("manifest.csv"))
    (half,) = (tmp_path / "got").rglob(".part-B08.tif")
    size, here = half.stat().st_size, set(rasters(tmp_path / "got"))
    assert size
    assert here
    files.faults.clear()
    files.asked.clear()
    run(order, tmp_path)
    everything = rasters(tmp_path / "got")
    asked = [one for one in files.contents() if one[0].endswith(".tif")]
    assert len(asked) == len(set(everything) - here)
    assert asked[0] == ("B08.tif", f"bytes={size}-")
    theirs = content(archive)
    assert all(theirs[key] == value for key, value in everything.items())
    files.asked.clear()
    run(order, tmp_path)
    assert not [name for name, _ in files.asked if name.endswith(".tif")]


def test_a_full_disk_is_told_and_the_rest_comes_later(files, tmp_path):
    order = order_of(tmp_path, *of_web(files))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (700, hard))
    try:
        with pytest.raises(OutputError, match=r"while writing.*run again"):
            run(order, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list((tmp_path / "got").rglob("[!.]*.tif"))
    _, summary = run(order, tmp_path)
    assert summary["dates"] == len(CHOSEN)


def test_what_the_archive_lacks_is_counted_and_the_next_date_taken(tmp_path):
    chips = {chip: {day: dict(bands) for day, bands in own.items()} for chip, own in CHIPS.items()}
    del chips["35PNL_00"]["20180119"]["B08"]
    base = write_stac(tmp_path / "theirs", {**chips, "35PNL_20": {"20180101": layers()}})
    images = base / "ref_landcovernet_af_v1_source_sentinel_2"
    damaged = images / "ref_landcovernet_af_v1_source_sentinel_2_35PNL_10_20180331" / "B02.tif"
    damaged.write_bytes(damaged.read_bytes()[:400])
    own = "ref_landcovernet_af_v1_labels"
    (base / own / f"{own}_35PNL_20" / "labels.tif").unlink()
    with serve(tmp_path / "theirs") as server:
        folder, summary = run(order_of(tmp_path, *of_web(server)), tmp_path)
    rows = {f"{row['chip']}_{row['date']}": row for row in table(folder / "dates.csv")}
    assert "B08.tif" in rows["35PNL_00_20180119"]["verdict"]
    assert rows["35PNL_00_20180203"]["verdict"] == "chosen"
    assert "B02.tif" in rows["35PNL_10_20180331"]["verdict"]
    assert list(summary["skipped_chips"]) == ["35PNL_20"]
    assert "labels.tif" in summary["skipped_chips"]["35PNL_20"]
    assert summary["empty_quarters"]["1"] == 1
    assert len(list((tmp_path / "got" / ".quarantine").iterdir())) == 2


def test_an_object_that_is_not_what_was_listed(bucket, archive, tmp_path):
    key = next(key for key in bucket.keys("radiant") if key.endswith("35PNL_10_20180401/B02.tif"))

    truth = next(archive.rglob("*35PNL_10_20180401/B02.tif")).read_bytes()
    bucket.before["GET 35PNL_10_20180401/B02.tif"] = lambda: upload(bucket, key, truth[::-1])
    folder, _ = run(order_of(tmp_path, *of_s3(bucket)), tmp_path)
    upload(bucket, key, truth)
    rows = {f"{row['chip']}_{row['date']}": row for row in table(folder / "dates.csv")}
    assert "md5" in rows["35PNL_10_20180401"]["verdict"]
    assert not list((tmp_path / "got").rglob("*35PNL_10_20180401/B02.tif"))


def test_nothing_there_is_an_error_that_says_where_it_looked(bucket, files, tmp_path):
    for said in (of_web(files), of_s3(bucket)):
        with pytest.raises(InputError, match=r"no ref_landcovernet_eu_v1_labels.*landcovernet_eu"):
            run(order_of(tmp_path, *said, 'landcovernet.continents=["eu"]'), tmp_path)
    write_stac(tmp_path / "dark", {"35PNL_00": {"20180104": layers(cloud=0.5)}})
    with serve(tmp_path / "dark") as server:
        order = order_of(tmp_path, *of_web(server))
        with pytest.raises(DatasetError, match=r"no usable date in 1 chips \(cloudy\)"):
            run(order, tmp_path)
    base = write_stac(tmp_path / "bare", {})
    assert (base / "ref_landcovernet_af_v1_labels" / "collection.json").exists()
    with serve(tmp_path / "bare") as server:
        order = order_of(tmp_path, *of_web(server))
        with pytest.raises(InputError, match=r"no links to items.*take the S3 API"):
            run(order, tmp_path)
    with serve(tmp_path) as server:
        (tmp_path / "x").write_text("no listing")
        said = ["landcovernet.source=s3://x", f"landcovernet.endpoint={server.url}"]
        with pytest.raises(InputError, match="a listing of S3"):
            run(order_of(tmp_path, *said), tmp_path)


def test_the_dry_run_says_how_much(bucket, files, archive, tmp_path):
    settings = settings_of(order_of(tmp_path, *of_s3(bucket)))
    server = store(settings)
    found = estimate(server, settings, chosen_chips(server, settings))
    bands = ("B02", "B08", "SCL", "CLD")
    sizes = {
        (path.parent.name[-17:], path.stem): path.stat().st_size
        for path in archive.rglob("*.tif")
        if path.stem in bands
    }
    whole = {day: sum(sizes[day, band] for band in bands) for day, _ in sizes}
    first = [whole[day] for day in whole if "PNL_00" in day]
    second = [whole[day] for day in whole if "PNL_10" in day]
    assert (found.chips, found.listed, found.dates) == (2, 2, 3 + 2)
    assert found.whole == sum(whole.values())
    assert found.images == pytest.approx(3 * sum(first) / len(first) + sum(second))
    assert found.free == pytest.approx(shutil.disk_usage(tmp_path).free, rel=0.05)
    assert not [line for line in bucket.asked if ".tif" in line.partition("?")[0]]
    other = settings_of(order_of(tmp_path, *of_web(files)))
    by_web = estimate(store(other), other, chosen_chips(store(other), other))
    assert by_web.images == pytest.approx(found.images, rel=0.05)
    assert not (tmp_path / "got").exists()


def test_some_tiles_and_some_chips(files, tmp_path):
    _, summary = run(order_of(tmp_path, *of_web(files), "landcovernet.chips=1"), tmp_path)
    assert summary["chips"] == 1
    with pytest.raises(ValueError, match="no chip of 32UPV"):
        run(order_of(tmp_path, *of_web(files), 'landcovernet.tiles=["32UPV"]'), tmp_path)


def test_where_it_lies_renames_nothing(files, tmp_path):
    one = order_of(tmp_path, *of_web(files)).recipe.digest
    said = [
        f"landcovernet.folder={tmp_path}",
        "landcovernet.parallel=7",
        "landcovernet.signed=true",
    ]
    assert order_of(tmp_path, *of_web(files), *said).recipe.digest == one
    assert order_of(tmp_path, *of_web(files), "landcovernet.dates=2").recipe.digest != one
