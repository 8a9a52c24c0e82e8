"""LandCoverNet, in both layouts, whole and broken."""

import shutil

import numpy as np
import pytest
import rasterio
from pydantic import ValidationError

from nndacss.datasets.landcovernet import LandCoverNet
from nndacss.datasets.landcovernet_clear import LandCoverNetClear
from nndacss.datasets.landcovernet_files import scan
from nndacss.datasets.landcovernet_read import clouded
from nndacss.errors import DatasetError
from nndacss.labels.land_cover import LandCover
from nndacss.labels.sets import to_labels
from nndacss.landcovernet.names import BANDS
from tests.datasets.examples import write_tif
from tests.landcovernet.archive import CORNER, SIDE, labels, layers, write_bucket, write_stac

CHIPS = {
    "35PNL_00": {"20180119": layers(), "20180203": layers(cloud=0.5)},
    "35PNL_10": {"20180630": layers(missing=0.25, level=2000)},
    "36RVP_00": {"20180401": layers()},
}
NAMES = ("35PNL_00_20180119", "35PNL_00_20180203", "35PNL_10_20180630", "36RVP_00_20180401")


@pytest.fixture
def stac(tmp_path):
    write_stac(tmp_path, CHIPS)
    return tmp_path


def file_of(folder, name, band):
    return scan(folder).images[name].files[band]


@pytest.mark.parametrize("write", [write_stac, write_bucket])
def test_both_layouts_hold_the_same(tmp_path, write):
    write(tmp_path, CHIPS)
    data = LandCoverNet(folder=tmp_path)
    assert data.names() == NAMES
    assert [data.scene(name) for name in NAMES] == ["35PNL", "35PNL", "35PNL", "36RVP"]
    sample = data.load("35PNL_10_20180630")
    assert sample.roles == tuple(BANDS.values())
    assert (sample.sensor, sample.level, sample.metres) == ("sentinel2_msi", "SR", 10.0)
    gone = SIDE - SIDE // 4
    for number in range(12):
        band = sample.pixels[number]
        np.testing.assert_allclose(band[:gone], (2000 + 100 * number) / 10_000, rtol=1e-6)
        assert np.isnan(band[gone:]).all()
    expected = [255, 255, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6]
    assert to_labels(sample.sets)[0].tolist() == expected
    assert (sample.sets[gone:] == 0).all()
    np.testing.assert_allclose(sample.weight[0], [0, 0, *[0.8] * 14])
    assert (sample.weight[gone:] == 0).all()


def test_options(stac):
    few = LandCoverNet(folder=stac, bands=("B08", "B02"), split="chip", clouds_missing=True)
    assert few.scene(NAMES[0]) == "35PNL_00"
    assert LandCoverNet(folder=stac, split="image").scene(NAMES[0]) == NAMES[0]
    sample = few.load("35PNL_00_20180203")
    assert sample.roles == ("nir", "blue")
    assert np.isnan(sample.pixels[:, : SIDE // 2]).all()
    assert not np.isnan(sample.pixels[:, SIDE // 2 :]).any()
    assert not sample.sets[: SIDE // 2].any()
    sure = LandCoverNet(folder=stac, least_consensus=81).load(NAMES[0])
    assert not sure.sets.any()
    for wrong in ({"bands": ["B10"]}, {"bands": []}, {"bands": ["B02", "B02"]}, {"split": "date"}):
        with pytest.raises(ValidationError):
            LandCoverNet(folder=stac, **wrong)


def test_selection_is_part_of_the_content(stac, tmp_path):
    kept = tmp_path / "kept.txt"
    kept.write_text(f"# kept: 1 of 4\n\n{NAMES[3]}  # looks good\n")
    some = LandCoverNet(folder=stac, selection=kept)
    assert some.names() == (NAMES[3],)
    assert some.fingerprint() != LandCoverNet(folder=stac).fingerprint()
    assert str(kept) not in str(some.fingerprint())
    kept.write_text("35PNL_00_20180119\n35PNL_99_20180119\n")
    with pytest.raises(DatasetError, match=r"kept\.txt: found 35PNL_99_20180119 and 0 more"):
        some.names()
    kept.write_text("# kept: 0 of 4\n")
    with pytest.raises(DatasetError, match=r"kept\.txt: found no name.*loosen \[clean\]"):
        some.names()
    with pytest.raises(DatasetError, match="run CleanLandCoverNet"):
        LandCoverNet(folder=stac, selection=tmp_path / "none.txt").names()


def test_fingerprint_sees_edited_labels(stac):
    data = LandCoverNet(folder=stac)
    before = data.fingerprint()
    path = scan(stac).labels["36RVP_00"]
    write_tif(path, labels(np.full((SIDE, SIDE), 1)), **CORNER)
    assert data.fingerprint() != before


def test_what_is_not_whole_is_left_out_or_told(stac):
    file_of(stac, NAMES[0], "B11").unlink()
    with pytest.raises(DatasetError, match=r"35PNL_00_20180119: found no B11"):
        LandCoverNet(folder=stac).load(NAMES[0])
    assert LandCoverNet(folder=stac, bands=("B02",)).load(NAMES[0])
    shutil.rmtree(scan(stac).labels["36RVP_00"].parent)
    data = LandCoverNet(folder=stac)
    assert data.names() == NAMES[:3]
    path = file_of(stac, NAMES[1], "B02")
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(DatasetError, match=r"B02\.tif.*get it again"):
        data.load(NAMES[1])
    part = file_of(stac, NAMES[2], "B02")
    (part.parent / ".part-B02.tif").write_bytes(b"II")
    assert set(scan(stac).images[NAMES[2]].files) == {*BANDS, "SCL", "CLD"}
    for band in BANDS:  # a date of which the cloud layer alone was fetched
        file_of(stac, NAMES[2], band).unlink()
    assert data.names() == NAMES[:2]
    for label in scan(stac).labels.values():
        label.unlink()
    with pytest.raises(DatasetError, match="found 0 labels, 4 images, no pair of them"):
        data.names()
    with pytest.raises(DatasetError, match="no such folder"):
        LandCoverNet(folder=stac / "none").names()


def test_wrong_size_wrong_place_unknown_class(stac):
    data = LandCoverNet(folder=stac, bands=("B02",))
    write_tif(file_of(stac, NAMES[0], "B02"), np.ones((1, SIDE - 1, SIDE), np.uint16), **CORNER)
    with pytest.raises(DatasetError, match=r"found 16 x 16 pixels; expected 15 x 16.*B02\.tif"):
        data.load(NAMES[0])
    moved = {**CORNER, "transform": CORNER["transform"].translation(500, 700)}
    write_tif(file_of(stac, NAMES[1], "B02"), np.ones((1, SIDE, SIDE), np.uint16), **moved)
    with pytest.raises(DatasetError, match="expected EPSG:32635 at 500, 700"):
        data.load(NAMES[1])
    strange = np.full((SIDE, SIDE), 9)
    write_tif(scan(stac).labels["36RVP_00"], labels(strange), **CORNER)
    with pytest.raises(DatasetError, match=r"labels\.tif: found label codes \[9\]"):
        data.load(NAMES[3])


def test_clear_ground_for_painting(stac):
    data = LandCoverNetClear(folder=stac, bands=("B02", "B08"))
    clear = data.load(NAMES[0])
    snow = np.asarray(LandCoverNet(folder=stac).load(NAMES[0]).sets) == 1 << LandCover.SNOW_ICE
    assert (to_labels(clear.sets)[~snow] == 0).all()
    assert (clear.sets[snow] == 0).all()  # the label says snow, SCL says plants
    assert clear.weight is None
    assert not data.load(NAMES[1]).sets.any()  # half of it is cloud


def test_the_real_chip(shared_data, tmp_path):
    folder = shared_data("landcovernet")
    archive = scan(folder)
    image = archive.images["52UEA_08_20180720"]
    assert len(archive.labels) == 196
    assert set(image.files) == {*BANDS, "SCL", "CLD"}
    with rasterio.open(image.files["CLD"]) as raster:
        percent = raster.read(1)
    assert clouded(image, "CLD") == (pytest.approx(percent.mean() / 100), 0.0)
    cover, missing = clouded(image, "SCL")
    assert (cover, missing) == (1.0, 0.0)  # SCL has nothing but 8, 9 and 10 there
    place = tmp_path / "52UEA" / "08"
    with rasterio.open(image.files["B02"]) as raster:
        own = {"crs": raster.crs, "transform": raster.transform}
        counts = raster.read(1)
    write_tif(place / "52UEA_08_2018_LC_10m.tif", np.ones((2, 256, 256), np.uint16), **own)
    for path in image.files.values():
        shutil.copy(path, place / path.name)
    sample = LandCoverNet(folder=tmp_path).load("52UEA_08_20180720")
    np.testing.assert_allclose(sample.pixels[1], counts / 10_000, rtol=1e-6)
    assert (to_labels(sample.sets) == LandCover.WATER).all()
