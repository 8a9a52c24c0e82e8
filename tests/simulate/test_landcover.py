"""The stand-in for LandCoverNet: its layout, its seasons, its clouds and its errors."""

import hashlib
import json
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
import rasterio

from nndacss.datasets.landcovernet_files import scan
from nndacss.datasets.landcovernet_read import read_label
from nndacss.errors import SettingsError
from nndacss.labels.land_cover import LandCover
from nndacss.landcovernet.names import BANDS
from nndacss.simulate.landcover import main, painter_of, write_landcovernet
from nndacss.simulate.landcover_errors import plant
from nndacss.simulate.landcover_ground import greenness
from nndacss.simulate.landcover_labels import LabelChip, made_labels, some_dates, true_classes
from nndacss.simulate.landcover_view import Weather, observe

SIDE = 48


def content(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*.*"))
        if path.is_file()
    }


def test_same_bytes_however_it_is_painted(tmp_path):
    one = write_landcovernet(tmp_path / "one", chips=2, dates=1, side=SIDE)
    two = write_landcovernet(tmp_path / "two", chips=2, dates=1, side=SIDE, workers=2)
    assert content(one) == content(two)
    other = write_landcovernet(tmp_path / "three", chips=2, dates=1, side=SIDE, seed=1)
    assert content(one) != content(other)


@pytest.mark.parametrize("layout", ["stac", "bucket"])
def test_the_archives_own_layout(tmp_path, layout):
    folder = write_landcovernet(tmp_path, chips=1, dates=1, side=SIDE, layout=layout)
    archive = scan(folder)
    (chip,) = archive.labels
    assert len(archive.images) == 4
    for image in archive.images.values():
        assert set(image.files) == {*BANDS, "SCL", "CLD"}
        for band, path in image.files.items():
            with rasterio.open(path) as raster:
                kind = "uint8" if band in ("SCL", "CLD") else "uint16"
                assert (raster.count, raster.shape, raster.dtypes[0]) == (1, (SIDE, SIDE), kind)
                assert raster.nodata == (255 if band == "CLD" else 0)
                assert raster.res == (10, 10)
    label, consensus = read_label(archive.labels[chip])
    assert set(np.unique(label.pixels)) <= set(range(8))
    assert consensus.max() <= 100
    if layout == "stac":
        item = json.loads(archive.labels[chip].with_name("stac.json").read_text())
        hrefs = [link["href"] for link in item["links"] if link["rel"] == "source"]
        for href in hrefs:
            assert (archive.labels[chip].parent / href).is_file()
        assert {href.split("/")[-2][-17:] for href in hrefs} == set(archive.images)
        assert (archive.labels[chip].parents[1] / "collection.json").is_file()


def test_real_labels_are_copied_as_they_are(shared_data, tmp_path):
    labels = shared_data("landcovernet")
    folder = write_landcovernet(tmp_path, labels, chips=1, dates=1)
    (chip, path), *none = scan(folder).labels.items()
    assert not none
    theirs = labels / f"ref_landcovernet_af_v1_labels_{chip}"
    assert path.read_bytes() == (theirs / "labels.tif").read_bytes()
    days = {name[-8:] for name in scan(folder).images}
    links = json.loads((theirs / "stac.json").read_text())["links"]
    real = {link["href"].split("/")[-2][-8:] for link in links if "sentinel_2_" in link["href"]}
    assert days < real
    assert len(days) == 4


@pytest.fixture(scope="module")
def striped():
    """A label of seven classes in stripes, sure everywhere."""
    codes = np.repeat(np.arange(1, 8, dtype=np.uint8), 9)[None].repeat(SIDE, axis=0)
    sure = np.full(codes.shape, 100, dtype=np.uint8)
    return LabelChip("eu", "32UPU_00", 32632, 600_000.0, 5_400_000.0, codes, sure, ())


CLEAR = Weather(cover=0.0, veils=0.0, haze=0.0, missed=False, missing=0.0, snow=False, seed=4)
SUMMER, WINTER = date(2018, 7, 15), date(2018, 1, 15)


def means(layers, painter, band):
    """Class -> mean reflectance."""
    counts = layers[band].astype(float) / 10_000
    return {code: counts[:, 9 * code + 2 : 9 * code + 7].mean() for code in range(7)}


def test_classes_look_like_themselves(striped):
    painter = painter_of(striped, seed=0)
    layers = observe(painter, SUMMER, CLEAR)
    red, near, swir = (means(layers, painter, band) for band in ("B04", "B08", "B11"))
    index = {code: (near[code] - red[code]) / (near[code] + red[code]) for code in range(7)}
    assert near[LandCover.WATER] < 0.06
    assert index[LandCover.WOODY] > 0.6
    assert index[LandCover.NATURAL_BARE] < 0.3
    assert index[LandCover.ARTIFICIAL] < 0.4
    assert red[LandCover.SNOW_ICE] > 0.25
    assert swir[LandCover.SNOW_ICE] < 0.1
    assert swir[LandCover.NATURAL_BARE] > 0.2
    scl = layers["SCL"]
    most = {
        code: np.bincount(scl[:, 9 * code + 2 : 9 * code + 7].ravel()).argmax() for code in range(7)
    }
    assert most[LandCover.WATER] == 6
    assert most[LandCover.SNOW_ICE] == 11
    assert most[LandCover.WOODY] == 4
    assert most[LandCover.NATURAL_BARE] == 5
    assert layers["CLD"].max() < 10


def test_fields_have_seasons_and_rock_has_none(striped):
    painter = painter_of(striped, seed=0)
    painter = replace(painter, country=replace(painter.country, sown=0.0, hills=0.0))
    change = {}
    for band in ("B04", "B08"):
        summer, winter = (
            means(observe(painter, day, CLEAR), painter, band) for day in (SUMMER, WINTER)
        )
        change[band] = {code: summer[code] - winter[code] for code in range(7)}
    assert change["B08"][LandCover.CULTIVATED] > 0.04
    assert change["B04"][LandCover.CULTIVATED] < -0.02
    for still in (LandCover.WATER, LandCover.NATURAL_BARE, LandCover.ARTIFICIAL):
        assert abs(change["B08"][still]) < 0.01
    # half a year apart on the other side of the equator
    assert greenness(196, 40) == pytest.approx(greenness(196 - 182.5, -40))
    assert greenness(196, 40) > 0.9 > 0.1 > greenness(14, 40)


def test_tiles_differ_more_than_chips_of_a_tile():
    """The median of woody ground in the short-wave infrared, summer."""

    def look(tile, west):
        classes = np.full((SIDE, SIDE), LandCover.WOODY, dtype=np.uint8)
        chip = LabelChip("eu", f"{tile}_00", 32632, west, 5.4e6, classes + 1, classes * 0 + 100, ())
        return np.log(np.median(painter_of(chip, seed=0).reflectance(SUMMER)["swir16"]))

    tiles = [f"32U{letter}U" for letter in "MNPQRSTU"]
    looks = np.array([[look(tile, west) for west in (6.0e5, 6.2e5, 6.4e5)] for tile in tiles])
    assert looks.mean(axis=1).std() > 2 * looks.std(axis=1).mean()


def test_clouds_are_seen_by_the_layers_of_quality(striped, tmp_path):
    painter = painter_of(striped, seed=0)
    clear = observe(painter, SUMMER, CLEAR)
    cloudy = observe(painter, SUMMER, replace(CLEAR, cover=0.3, seed=13))
    cloud = np.isin(cloudy["SCL"], (8, 9, 10))
    assert 0.1 < cloud.mean() < 1
    brighter = cloudy["B02"].astype(float) - clear["B02"]
    thick = cloudy["SCL"] == 9
    assert np.median(brighter[thick]) > 1000
    assert cloudy["CLD"][thick].mean() > 60
    assert cloudy["CLD"][~cloud].mean() < 30
    missing = observe(painter, SUMMER, replace(CLEAR, missing=0.5))
    gone = missing["B08"] == 0
    assert 0.3 < gone.mean() < 0.7
    assert all((missing[band] == 0)[gone].all() for band in BANDS)
    # the layers of quality know squares of 20 m
    assert (missing["SCL"] == 0)[gone].mean() > 0.95
    np.testing.assert_array_equal(missing["CLD"] == 255, missing["SCL"] == 0)


def test_made_chips_lie_three_to_a_tile():
    names = [chip.chip for chip in made_labels(0, 18, side=8)]
    assert len(set(names)) == 18
    tiles = [name[:5] for name in names]
    assert all(tiles.count(tile) == 3 for tile in tiles)
    assert all(tile.startswith("32") for tile in tiles)


def test_labels_err_where_people_disagree():
    chips = list(made_labels(3, 2, side=128))
    for chip in chips:
        sure = replace(chip, consensus=np.full_like(chip.consensus, 100))
        np.testing.assert_array_equal(true_classes(sure, 5), chip.codes - 1)
        torn = replace(chip, consensus=np.full_like(chip.consensus, 30))
        wrong = (true_classes(torn, 5) != chip.codes - 1).mean()
        assert 0.25 < wrong < 0.75
    holes = chips[0].codes.copy()
    holes[:40] = 0
    assert true_classes(replace(chips[0], codes=holes), 5).max() < 7


def test_dates_are_spread_over_each_quarter():
    days = tuple(f"2018{month:02d}{day:02d}" for month in range(1, 13) for day in (1, 11, 21))
    chosen = some_dates(days, 2)
    assert chosen[:2] == ("20180101", "20180321")
    assert len(chosen) == 8


def test_planting_names_every_error(tmp_path):
    folder = write_landcovernet(tmp_path, chips=2, dates=1, side=SIDE)
    with pytest.raises(SettingsError, match="2 chips; expected at least 24"):
        plant(folder, each=1)
    assert not (folder / "planted.csv").exists()


def test_command_line(tmp_path, capsys):
    said = [str(tmp_path / "a"), "--chips", "1", "--dates", "1", "--threads", "1"]
    assert main([*said, "--labels", str(tmp_path / "none")]) == 1
    assert "no such folder" in capsys.readouterr().err
    assert main([*said[:1], "--chips", "0"]) == 1
    assert "at least one chip" in capsys.readouterr().err
