from __future__ import annotations

from datetime import UTC, datetime

import pytest

from nndacss.errors import MetadataError
from nndacss.readers.landsat.metadata import Metadata, normalise
from nndacss.readers.landsat.mtl import parse
from tests.readers.recipes import Recipe, _text


def read(recipe: Recipe) -> Metadata:
    return normalise("x_MTL.txt", parse("x_MTL.txt", _text(recipe.groups()).encode()))


def test_collection_2_level_1() -> None:
    metadata = read(Recipe())
    assert metadata.product == "LC08_L1TP_195025_20230707_20230801_02_T1"
    assert (metadata.kind, metadata.level, metadata.collection) == ("L1TP", "TOA", "2")
    assert (metadata.platform, metadata.path, metadata.row) == ("landsat-8", 195, 25)
    assert metadata.acquired == datetime(2023, 7, 7, 10, 17, 42, 166196, tzinfo=UTC)
    assert metadata.key == "landsat-8 195025 2023-07-07"
    assert (metadata.sun_elevation, metadata.sun_azimuth) == (30.0, 147.0)
    roles = [band.role for band in metadata.bands]
    assert roles[:8] == ["coastal", "blue", "green", "red", "nir08", "swir16", "swir22", "pan"]
    assert roles[8:] == ["cirrus", "lwir11", "lwir12"]
    blue = metadata.bands[1]
    assert blue.file.endswith("_B2.TIF")
    assert blue.gain == pytest.approx(4e-5, rel=1e-12)  # 2e-5 / sin 30
    assert blue.offset == pytest.approx(-0.2, rel=1e-12)
    thermal = metadata.bands[9]
    assert (thermal.gain, thermal.offset) == (3.342e-4, 0.1)
    assert (thermal.k1, thermal.k2) == (774.8853, 1321.0789)
    assert (metadata.bands[10].k1, metadata.bands[10].k2) == (480.8883, 1201.1442)
    assert metadata.planes["PANCHROMATIC"].lines == 23


def test_level_2_takes_its_own_coefficients_and_names() -> None:
    metadata = read(Recipe(kind="L2SP"))
    assert metadata.level == "SR"
    assert [band.role for band in metadata.bands][-2:] == ["swir22", "lwir11"]
    blue, thermal = metadata.bands[1], metadata.bands[-1]
    assert blue.file == "LC08_L2SP_195025_20230707_20230801_02_T1_SR_B2.TIF"
    assert (blue.gain, blue.offset) == (2.75e-5, -0.2)
    assert thermal.file.endswith("_ST_B10.TIF")
    assert (thermal.gain, thermal.offset, thermal.k1) == (0.00341802, 149.0, None)
    assert not any("L1TP" in name for name in metadata.announced)
    assert [band.role for band in read(Recipe(kind="L2SR")).bands][-1] == "swir22"


@pytest.mark.parametrize("collection", ["pre", "1"])
def test_older_generations(collection: str) -> None:
    metadata = read(Recipe(collection=collection, kind="L1GT"))
    assert metadata.collection == collection
    assert metadata.kind == ("L1T" if collection == "pre" else "L1GT")
    assert metadata.product == Recipe(collection=collection, kind="L1GT").product
    assert len(metadata.bands) == 11
    assert metadata.quality is not None
    assert metadata.quality.endswith("_BQA.TIF")
    assert metadata.saturation is None
    assert metadata.projection is not None
    assert metadata.projection.zone == 32


def test_landsat_9() -> None:
    assert read(Recipe(sensor="LC09")).key == "landsat-9 195025 2023-07-07"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"SUN_ELEVATION": None}, "no SUN_ELEVATION in IMAGE_ATTRIBUTES"),
        ({"SUN_ELEVATION": "high"}, "SUN_ELEVATION = high; expected a number"),
        ({"SUN_ELEVATION": "nan"}, "expected a number"),
        ({"SUN_ELEVATION": -4.0}, "daylight"),
        ({"REFLECTANCE_MULT_BAND_4": None}, "REFLECTANCE_MULT_BAND_4"),
        ({"K2_CONSTANT_BAND_10": None}, "K2_CONSTANT_BAND_10"),
        ({"SPACECRAFT_ID": "LANDSAT_7"}, "LANDSAT_8 or LANDSAT_9"),
        ({"DATE_ACQUIRED": "2023-13-07"}, "acquisition time"),
        ({"PROCESSING_LEVEL": "L3"}, "processing level L3"),
        ({"COLLECTION_NUMBER": "03"}, "collection 3"),
        ({"LANDSAT_PRODUCT_ID": None}, "no LANDSAT_PRODUCT_ID"),
        ({"FILE_NAME_BAND_4": "../../B4.TIF"}, "without folders"),
        ({"FILE_NAME_BAND_4": "/etc/passwd"}, "without folders"),
    ],
)
def test_faults_name_file_and_key(changes: dict, message: str) -> None:
    with pytest.raises(MetadataError, match=f"^x_MTL.txt: .*{message}"):
        read(Recipe(changes=changes))


def test_projection_may_be_absent() -> None:
    assert read(Recipe(changes={"UTM_ZONE": None})).projection is None
    assert read(Recipe(changes={"MAP_PROJECTION": None})).projection is None
