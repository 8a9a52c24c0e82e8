"""What the two metadata files say: baselines, offsets, quantification, names, faults."""

from __future__ import annotations

import pytest

from nndacss.errors import MetadataError
from nndacss.readers.sentinel2.metadata import read_product, read_tile, says_shifted
from nndacss.readers.sentinel2.names import find_l1, product_in
from tests.readers.safe_recipes import BANDS, Recipe


def product(recipe: Recipe, shifted: bool = False, source: str = "MTD.xml"):
    return read_product(source, recipe._changed(recipe._product_xml()).encode(), shifted)


@pytest.mark.parametrize(
    ("baseline", "number", "offset"),
    [
        ("02.04", (2, 4), 0.0),
        ("03.01", (3, 1), 0.0),
        ("04.00", (4, 0), -1000.0),
        ("05.00", (5, 0), -1000.0),
        ("05.11", (5, 11), -1000.0),  # as a number 511 lies beyond 400, as a float 5.11 too
    ],
)
@pytest.mark.parametrize("level", ["1C", "2A"])
def test_offsets_are_those_of_the_xml(level, baseline, number, offset) -> None:
    found = product(Recipe(level=level, baseline=baseline))
    assert found.baseline == number
    assert found.baseline_text == baseline
    assert found.offsets == dict.fromkeys(BANDS, offset)
    assert found.quantification == 10000
    assert found.saturated == 65535


def test_offsets_are_per_band_and_by_band_id() -> None:
    offsets = {band: -100 * (n + 1) for n, band in enumerate(BANDS)}
    found = product(Recipe(offsets=offsets)).offsets
    assert found["B8A"] == -900  # band_id 8
    assert found["B09"] == -1000
    assert found["B12"] == -1300


def test_an_old_product_reprocessed_has_offsets_whatever_its_date() -> None:
    """Collection 1: sensed in 2016, baseline 05.00."""
    found = product(Recipe(date="20160707T103631", baseline="05.00"))
    assert found.offsets["B04"] == -1000


def test_a_list_of_offsets_must_be_there_from_04_00_on() -> None:
    with pytest.raises(MetadataError, match=r"baseline 04\.00 without RADIO_ADD_OFFSET"):
        product(Recipe(baseline="04.00", offsets={}))


def test_sen2cor_run_by_a_user_needs_no_list() -> None:
    found = product(Recipe(level="2A", baseline="99.99", offsets={}))
    assert found.offsets["B02"] == 0


def test_offsets_in_the_dn_already_are_not_applied_again() -> None:
    assert product(Recipe(), shifted=True).offsets == dict.fromkeys(BANDS, 0.0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"properties": {"earthsearch:boa_offset_applied": true}}', True),
        ('{"boa_offset_applied": true}', True),
        ('{"properties": {"earthsearch:boa_offset_applied": false}}', False),
        ('{"properties": {"earthsearch:boa_offset_applied": "true"}}', False),
        ('{"properties": {"note": "boa_offset_applied"}}', False),
        ("[1, 2]", False),
        ("not JSON", False),
        ("[" * 100_000, False),
    ],
)
def test_who_says_that_offsets_are_applied(text, expected) -> None:
    assert says_shifted(text.encode()) is expected


def test_names_platform_and_origin() -> None:
    found = product(Recipe(satellite="S2C"))
    assert found.name == "S2C_MSIL1C_20230707T103631_N0511_R108_T32UMC_20230707T160632"
    assert found.platform == "sentinel-2c"
    assert found.level == "TOA"
    assert found.origin == "Copernicus Sentinel data 2023"
    assert product(Recipe(center="Simulated by X")).origin == "Simulated by X"


def test_an_old_product_is_named_after_its_metadata_file() -> None:
    recipe = Recipe(old=True, baseline="02.04")
    source = f"{recipe.name.replace('_PRD_MSIL', '_MTD_SAFL')}.xml"
    found = product(recipe, source=source)
    assert found.name == recipe.name
    assert product_in(f"{recipe.name}.SAFE") == recipe.name


def test_element_names_of_early_level_2a() -> None:
    recipe = Recipe(level="2A", baseline="02.05")
    recipe.changes = {"BOA_QUANTIFICATION_VALUE": "L2A_BOA_QUANTIFICATION_VALUE"}
    recipe.changes |= {"PRODUCT_URI>": "PRODUCT_URI_2A>", ">Level-2A<": ">Level-2Ap<"}
    assert product(recipe).quantification == 10000
    assert product(recipe).level == "SR"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({">05.11</PROCESSING": ">next</PROCESSING"}, "PROCESSING_BASELINE = next"),
        ({">05.11</PROCESSING": "></PROCESSING"}, "no PROCESSING_BASELINE"),
        ({">10000<": ">many<"}, "QUANTIFICATION_VALUE = many"),
        ({">10000<": ">0<"}, "QUANTIFICATION_VALUE = 0"),
        ({'band_id="3"': 'band_id="13"'}, "band_id='13'"),
        ({">-1000<": ">nan<"}, "RADIO_ADD_OFFSET = nan"),
        ({"Sentinel-2A": "Sentinel-3A"}, "SPACECRAFT_NAME = Sentinel-3A"),
        ({">Level-1C<": ">Level-1B<"}, "PROCESSING_LEVEL = Level-1B"),
        ({".SAFE</PRODUCT_URI": "</PRODUCT_URI", "S2A_MSIL1C_2": "X_2"}, "PRODUCT_URI = X_2"),
        ({"2023-07-07T": "yesterday T"}, "DATATAKE_SENSING_START"),
        ({"<?xml": "<!DOCTYPE a><?xml"}, "document type"),
        ({"</n1:General_Info>": ""}, "broken or truncated XML"),
    ],
)
def test_faults_name_the_file_and_the_element(changes, message) -> None:
    with pytest.raises(MetadataError, match=message) as raised:
        product(Recipe(changes=changes))
    assert str(raised.value).startswith("MTD.xml: found ")


def test_no_quantification() -> None:
    with pytest.raises(MetadataError, match="no QUANTIFICATION_VALUE"):
        product(Recipe(quantification=None))


def tile(recipe: Recipe):
    return read_tile("MTD_TL.xml", recipe._changed(recipe._tile_xml(recipe.tile)).encode())


def test_the_granule() -> None:
    found = tile(Recipe(sun=(35.25, 370.0)))
    assert found.name == "32UMC"
    assert found.epsg == 32632
    assert (found.sun_zenith, found.sun_azimuth) == (35.25, 10.0)
    assert found.sensed.isoformat() == "2023-07-07T10:41:12.581767+00:00"
    assert (found.planes[20].rows, found.planes[20].left) == (30, 399960)
    assert found.sun is None


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        (Recipe(changes={"_T32UMC": "_TX"}), "TILE_ID"),
        (Recipe(changes={"Mean_Sun_Angle": "Sun"}), "no Mean_Sun_Angle"),
        (Recipe(changes={"35.0<": "high<"}), "ZENITH_ANGLE = high"),
        (Recipe(changes={"EPSG:": "UTM "}), "HORIZONTAL_CS_CODE = UTM 32632"),
        (Recipe(changes={"<YDIM>-10<": "<YDIM>10<"}), "XDIM = 10"),
        (Recipe(sun_grid=("<VALUES>1 2</VALUES><VALUES>1</VALUES>",) * 2), "uneven rows"),
    ],
)
def test_faults_of_the_granule(recipe, message) -> None:
    with pytest.raises(MetadataError, match=message):
        tile(recipe)


def test_the_level_1c_beside_a_level_2a(tmp_path) -> None:
    l2 = tmp_path / f"{Recipe(level='2A').name}.SAFE"
    l2.mkdir()
    assert find_l1(l2) is None
    for name in (
        Recipe(tile="32UNC").name,
        Recipe(date="20230710T103631").name,
        Recipe(satellite="S2B").name,
    ):
        (tmp_path / f"{name}.SAFE").mkdir()
    assert find_l1(l2) is None
    older = tmp_path / f"{Recipe(baseline='05.09').name}.zip"
    older.touch()
    assert find_l1(l2) == older
    newer = tmp_path / f"{Recipe().name}.SAFE"
    newer.mkdir()
    assert find_l1(l2) == newer
    assert find_l1(newer) is None
