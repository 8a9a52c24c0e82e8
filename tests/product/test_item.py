"""The STAC item: valid by pystac, and by the rules of the extensions' schemas.

The schemas of the extensions lie on the web only; the rules that touch our fields are written
out here (eo 2.0.0, raster 2.0.0, projection 2.0.0, classification 2.0.0, processing 1.2.0,
view 1.0.0, file 2.1.0).
"""

from __future__ import annotations

import json
import re

import pystac
import pytest
import rasterio
from pystac.validation import validate_dict

from nndacss.errors import OutputError
from nndacss.product import item as module
from tests.product.conftest import NAME


@pytest.fixture
def item(product):
    return json.loads((product / "item.json").read_text())


def test_core_schema_and_pystac(item, product):
    validate_dict({**item, "stac_extensions": []})
    read = pystac.Item.from_file(str(product / "item.json"))
    assert read.id == product.name
    assert read.datetime.isoformat() == "2026-07-03T10:12:05+00:00"


def test_every_asset_is_a_file_of_the_product_and_every_file_an_asset(item, product):
    hrefs = {asset["href"].removeprefix("./") for asset in item["assets"].values()}
    files = {path.name for path in product.iterdir()} - {"item.json"}
    assert hrefs == {name for name in files if not name.endswith(".aux.xml")}
    for asset in item["assets"].values():
        if "file:size" in asset:
            assert asset["file:size"] == (product / asset["href"]).stat().st_size


def test_projection_is_that_of_the_file(item, product):
    asset = item["assets"]["reflectance"]
    with rasterio.open(product / asset["href"]) as raster:
        assert asset["proj:shape"] == list(raster.shape)
        assert asset["proj:transform"] == list(raster.transform)[:6]
        assert asset["proj:bbox"] == list(raster.bounds)
        assert asset["proj:code"] == f"EPSG:{raster.crs.to_epsg()}"
    assert item["assets"]["sun"]["proj:transform"][0] == 300
    assert item["properties"]["proj:code"] == "EPSG:32632"


def test_bands_are_those_of_sentinel_2(item):
    bands = item["assets"]["reflectance"]["bands"]
    names = ["blue", "green", "red", "nir08", "swir16", "swir22"]
    assert [band["name"] for band in bands] == names
    assert [band["eo:common_name"] for band in bands] == names
    assert bands[3]["description"] == "like B8A"
    assert bands[3]["eo:center_wavelength"] == 0.865
    asset = item["assets"]["reflectance"]
    assert (asset["raster:scale"], asset["raster:offset"], asset["nodata"]) == (0.0001, 0, -9999)
    assert asset["data_type"] == "int16"


def test_cover_is_the_reports(item, product):
    numbers = json.loads((product / "report.json").read_text())
    share = numbers["cover"]["classes"]
    properties = item["properties"]
    for key, name in (
        ("eo:cloud_cover", "cloud"),
        ("eo:snow_cover", "snow"),
        ("nndacss:shadow_cover", "shadow"),
    ):
        assert properties[key] == pytest.approx(100 * share[name]["share"], abs=1e-4)
        assert 0 < properties[key] < 100
    assert properties["nndacss:mask_provisional"] is False
    assert properties["nndacss:offset_applied"] is True
    assert properties["nndacss:losses"] == numbers["losses"]
    assert properties["view:sun_azimuth"] == 213.5


def test_classes_obey_the_classification_extension(item):
    word = re.compile(r"^[0-9A-Za-z-_]+$")

    def check(classes):
        values = [entry["value"] for entry in classes]
        assert len(values) == len(set(values)) >= 1
        for entry in classes:
            assert isinstance(entry["value"], int)
            assert word.match(entry["name"])
            assert re.match(r"^[0-9A-F]{6}$", entry.get("color_hint", "000000"))

    mask = item["assets"]["mask"]["classification:classes"]
    check(mask)
    assert {entry["value"]: entry["name"] for entry in mask} == {
        0: "clear", 1: "shadow", 2: "snow", 3: "cloud", 255: "nodata",
    }  # fmt: skip
    assert [entry["value"] for entry in mask if entry.get("nodata")] == [255]
    for thing, width in (("quality", 16), ("source", 8)):
        used = set()
        for field in item["assets"][thing]["classification:bitfields"]:
            check(field["classes"])
            assert len(field["classes"]) == 1 << field["length"]
            bits = set(range(field["offset"], field["offset"] + field["length"]))
            assert not bits & used
            assert max(bits) < width
            used |= bits


def test_every_prefix_has_its_extension_and_none_is_declared_in_vain(item):
    text = json.dumps(item)
    declared = {re.search(r"io/(\w+)/v", url).group(1) for url in item["stac_extensions"]}
    prefix = {"projection": "proj"}
    for name in declared:
        assert f'"{prefix.get(name, name)}:' in text, name
    known = {prefix.get(name, name) for name in declared} | {"nndacss"}
    assert set(re.findall(r'"(\w+):\w+": ', text)) <= known


def test_no_path_of_this_machine(item):
    assert "/tmp" not in json.dumps(item)
    assert "/work" not in json.dumps(item)


def test_an_invalid_item_is_refused(item, tmp_path):
    del item["properties"]["datetime"]
    with pytest.raises(OutputError, match=r"item\.json"):
        module.validate(item, tmp_path / "item.json")


def test_scene_name_is_in_the_names(product):
    names = [path.name for path in product.glob("*.tif")]
    assert names
    assert all(name.startswith(f"{NAME}_sr_") for name in names)
