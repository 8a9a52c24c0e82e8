"""Where pixels lie, and that both grids see the same ground there."""

import json
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
import rasterio
from pyproj import Transformer

from nndacss.simulate.landsat import write_landsat
from nndacss.simulate.landscape import Landscape
from nndacss.simulate.sampling import Grid, Window, area_means, centres, pan_centres
from nndacss.simulate.targets import Flat, PointTarget, Ramp
from tests.simulate.simulated import band

STILL = {"sky": None, "noise": False, "swath": False, "rows": 24, "columns": 30}


def metadata(product):
    """group -> key -> value from the text, by rules of its own."""
    groups, current = {}, {}
    for line in (product / f"{product.name}_MTL.txt").read_text().splitlines():
        key, _, value = (part.strip() for part in line.partition("="))
        if key == "GROUP":
            current = groups.setdefault(value, {})
        elif key not in ("END_GROUP", "END"):
            current[key] = value.strip('"')
    groups.pop("LANDSAT_METADATA_FILE")
    return groups


@pytest.mark.parametrize("level", ["l1", "l2"])
def test_three_forms_of_metadata_agree(pair, level):
    product = getattr(pair, level)
    text = metadata(product)
    stem = product / f"{product.name}_MTL"
    root = json.loads(stem.with_name(f"{stem.name}.json").read_text())
    assert root["LANDSAT_METADATA_FILE"] == text
    tree = ElementTree.parse(stem.with_name(f"{stem.name}.xml")).getroot()
    assert {group.tag: {item.tag: item.text for item in group} for group in tree} == text
    named = {v for k, v in text["PRODUCT_CONTENTS"].items() if k.startswith("FILE_NAME")}
    there = {path.name for path in product.iterdir()}
    assert named <= there
    assert there - named == {f"{stem.name}.json"}
    assert text["PRODUCT_CONTENTS"]["ORIGIN"] == "Simulated by NNDACSS, not an observation"


@pytest.mark.parametrize(
    "place",
    [
        {},
        {"north": -4_116_195.0, "epsg": 32655},
        {"projection": "ps", "west": -1_500_015.0, "north": 900_015.0},
        {"epsg": 32660, "west": 700_035.0, "north": 0.0},
        {"epsg": 32601, "west": 200_000.0, "north": 5_000_000.0},
    ],
)
def test_corners_are_pixel_centres(tmp_path, place):
    pair = write_landsat(tmp_path, **STILL, **place)
    facts = metadata(pair.l1)["PROJECTION_ATTRIBUTES"]
    for name, kind in (("B4", "REFLECTIVE"), ("B8", "PANCHROMATIC"), ("B10", "THERMAL")):
        with rasterio.open(pair.l1 / f"{pair.l1.name}_{name}.TIF") as dataset:
            place = dataset.transform
            corner = place.c + place.a / 2, place.f + place.e / 2
            last = (
                corner[0] + place.a * (dataset.width - 1),
                corner[1] + place.e * (dataset.height - 1),
            )
            shape, code = dataset.shape, dataset.crs.to_epsg()
            edge = place.c, place.f
        assert shape == (int(facts[f"{kind}_LINES"]), int(facts[f"{kind}_SAMPLES"]))
        for (x, y), which in ((corner, "UL"), (last, "LR")):
            assert float(facts[f"CORNER_{which}_PROJECTION_X_PRODUCT"]) == x
            assert float(facts[f"CORNER_{which}_PROJECTION_Y_PRODUCT"]) == y
            back = Transformer.from_crs(code, 4326, always_xy=True).transform(x, y)
            lon, lat = (float(facts[f"CORNER_{which}_{k}_PRODUCT"]) for k in ("LON", "LAT"))
            assert (lon, lat) == pytest.approx(back, abs=6e-6)
        metres = 15 if name == "B8" else 30
        assert [part % metres for part in edge] == [metres / 2, metres / 2]
    if code == 3031:
        assert facts["MAP_PROJECTION"] == "PS"
        assert (facts["VERTICAL_LON_FROM_POLE"], facts["TRUE_SCALE_LAT"]) == (
            "0.00000",
            "-71.00000",
        )
    else:
        assert facts["UTM_ZONE"] == str(code - 32600)


def test_pan_pixels_share_centres_with_every_other_row_and_column():
    grid, window = Grid(300_015.0, 9_015.0, 50, 40, 32632), Window(8, 50, 5, 40)
    x, y = centres(grid, window)
    pan_x, pan_y = pan_centres(grid, window)
    np.testing.assert_array_equal(pan_x[:, ::2], x)
    np.testing.assert_array_equal(pan_y[::2], y)
    assert (pan_y.size, pan_x.size) == (2 * 42 - 1, 2 * 35 - 1)


def test_pan_is_the_visible_bands_at_the_same_place():
    grid, window = Grid(613_215.0, 5_487_405.0, 60, 60, 32632), Window(0, 60, 0, 60)
    bands, pan = area_means(Landscape(0), grid, window, ("red", "green", "blue"))
    mixed = 0.4 * bands[0] + 0.5 * bands[1] + 0.1 * bands[2]
    # A 30 m pixel is its own pan pixel, half of four neighbours and a quarter of four corners;
    # inside a pan pixel ground varies, so the halves agree on average, not each.
    tent = (pan[:-2] + 2 * pan[1:-1] + pan[2:]) / 4
    tent = (tent[:, :-2] + 2 * tent[:, 1:-1] + tent[:, 2:]) / 4
    inner = mixed[1:-1, 1:-1]
    assert abs(tent[1::2, 1::2].mean() - inner.mean()) < 5e-4
    assert np.corrcoef(tent[1::2, 1::2].ravel(), inner.ravel())[0, 1] > 0.99
    assert np.corrcoef(tent[1::2, 2::2].ravel(), inner.ravel())[0, 1] < 0.99
    # Pan sees more than its own mean over two by two pixels.
    assert pan[::2, ::2].std() > mixed.std() * 1.01


def test_flat_ground_is_flat_in_both():
    grid, window = Grid(300_015.0, 9_015.0, 9, 7, 32632), Window(0, 9, 0, 7)
    bands, pan = area_means(Flat(0.25), grid, window, ("red",))
    np.testing.assert_allclose(bands, 0.25, rtol=1e-6)
    np.testing.assert_allclose(pan, 0.25, rtol=1e-6)


@pytest.mark.parametrize("north", [5_487_405.0, -4_116_195.0])
def test_ramp_has_its_value_at_every_centre(tmp_path, north):
    ramp = Ramp(613_500.0, north - 300, east=2e-4, north=-1e-4)
    pair = write_landsat(tmp_path, **STILL, north=north, scene=ramp)
    for name in ("B3", "B8"):
        with rasterio.open(pair.l1 / f"{pair.l1.name}_{name}.TIF") as dataset:
            place, counts = dataset.transform, dataset.read(1)
        rows, columns = np.indices(counts.shape) + 0.5
        x, y = place.c + place.a * columns, place.f + place.e * rows
        true = 0.3 + 2e-4 * (x - 613_500) - 1e-4 * (y - (north - 300))
        seen = (2e-5 * counts - 0.1) / np.sin(np.radians(45))
        # Half a count is 1.4e-5: 0.07 m on this ramp.
        assert np.abs(seen - true).max() < 1.5e-5


@pytest.mark.parametrize("north", [5_487_405.0, -4_116_195.0])
@pytest.mark.parametrize(("east", "south"), [(431.0, 333.0), (300.0, 277.5)])
def test_point_lies_where_it_was_put(tmp_path, north, east, south):
    at = 613_215.0 + east, north - south
    pair = write_landsat(tmp_path, **STILL, north=north, scene=PointTarget(*at, size=30.0))
    for name in ("B4", "B8"):
        with rasterio.open(pair.l1 / f"{pair.l1.name}_{name}.TIF") as dataset:
            place, counts = dataset.transform, dataset.read(1)
        weight = (2e-5 * counts - 0.1) / np.sin(np.radians(45)) - 0.1
        rows, columns = np.indices(counts.shape) + 0.5
        # All its light is there: (0.9 - 0.1) * 30 * 30 m2.
        assert weight.sum() * place.a**2 == pytest.approx(0.8 * 900, rel=0.02)
        weight[np.abs(weight) < 1e-4] = 0
        x = ((place.c + place.a * columns) * weight).sum() / weight.sum()
        y = ((place.f + place.e * rows) * weight).sum() / weight.sum()
        assert (x, y) == pytest.approx(at, abs=0.05, rel=0)


def test_edges_are_moved_to_the_agencys(tmp_path):
    pair = write_landsat(tmp_path, **STILL, west=613_220.0, north=5_487_400.0)
    with rasterio.open(pair.l1 / f"{pair.l1.name}_B4.TIF") as dataset:
        assert (dataset.transform.c, dataset.transform.f) == (613_215.0, 5_487_405.0)
    assert band(pair.l1, "B4").all()
