"""A Sentinel-2 scene on its way through the stages: planned, harmonized, described."""

from __future__ import annotations

import warnings
from types import SimpleNamespace

import numpy as np
import pytest

import nndacss
from nndacss.chain import plan
from nndacss.errors import InputError
from nndacss.harmonize.bandpass import COEFFICIENTS, coefficients
from nndacss.harmonize.settings import HarmonizeSettings
from nndacss.harmonize.stage import OWN, SATURATED, harmonize_window
from nndacss.mask.settings import MaskSettings
from nndacss.mask.stage import chosen
from nndacss.product import sheets
from nndacss.product.limits import limits
from nndacss.sensors import REFLECTIVE
from nndacss.sensors.landsat8_oli import SENSOR as OLI
from nndacss.settings import load_settings
from tests.readers.safe_recipes import METRES, Recipe


def open_scene(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return nndacss.open_scene(path)


def product(tmp_path, level="1C", **more):
    numbers = {band: 2000 + 100 * index for index, band in enumerate(METRES) if band != "SCL"}
    red = np.full((60, 60), numbers["B04"])
    red[:5], red[10, 10] = 0, 65535
    recipe = Recipe(level=level, numbers=numbers | {"B04": red}, suffix="tif", **more)
    return recipe.write(tmp_path), numbers


def test_the_plan_misses_no_pan_band(tmp_path) -> None:
    safe, _ = product(tmp_path, "2A")
    planned = plan(safe, None, load_settings(None))
    assert planned.losses == ()
    assert planned.l1 is None
    assert planned.scene.sensor == "sentinel2_msi"
    assert planned.orders["mask"].recipe.level == "SR"


@pytest.mark.parametrize("satellite", ["S2A", "S2B", "S2C"])
def test_own_bands_are_not_adjusted(tmp_path, satellite) -> None:
    safe, numbers = product(tmp_path, satellite=satellite)
    scene = open_scene(safe)
    layers = harmonize_window(scene, scene.grid("red"), HarmonizeSettings())
    names = [scene.sensor.band(role).name for role in REFLECTIVE]
    expected = [numbers[name] - 1000 for name in names]
    assert layers["reflectance"][:, 30, 30].tolist() == expected
    assert (layers["reflectance"][:, :5] == -9999).all()
    source = layers["source"][0]
    assert source[10, 10] == OWN | SATURATED
    assert set(np.unique(source)) == {0, OWN, OWN | SATURATED}
    assert (source[:5] == 0).all()
    assert coefficients(scene, "sentinel-2a") == dict.fromkeys(scene.roles, (1.0, 0.0))


def test_the_output_grid_is_the_tiles_own(tmp_path) -> None:
    scene = open_scene(product(tmp_path)[0])
    assert nndacss.output_grid(scene) == scene.grid("red")
    assert nndacss.output_grid(open_scene(product(tmp_path / "2", "2A")[0])).shape == (60, 60)


def test_the_mask_that_auto_stands_for(tmp_path) -> None:
    l2a = open_scene(product(tmp_path / "2", "2A")[0])
    assert chosen(l2a, MaskSettings()) == "network"
    l1c = open_scene(product(tmp_path / "1", "1C")[0])
    assert chosen(l1c, MaskSettings()) == "network"
    with pytest.raises(InputError, match="SCL"):
        nndacss.read_mask(l1c, l1c.grid("red"), method="quality")


def test_what_is_said_of_the_product() -> None:
    assert sheets.reflectance(REFLECTIVE, "SR", own=True).title == "Sentinel-2 surface reflectance"
    classes = sheets.quality("scl")
    assert (classes.dtype, classes.nodata, classes.bands) == ("uint8", 0, ("SCL",))
    assert [label.value for label in classes.labels] == list(range(12))
    own = {bit.name: 1 << bit.offset for bit in sheets.source().bits}["own"]
    assert own == OWN
    mask = {"provisional": False, "note": "", "method": "quality"}
    harmonized = {"roles": list(REFLECTIVE), "pan": False, "method": "bandpass"}
    sentences = " ".join(limits("SR", mask, harmonized, own=True))
    assert "20 m in nir08, swir16, swir22" in sentences
    assert "Landsat" not in sentences
    assert "Landsat" in " ".join(limits("SR", mask, harmonized))


def test_landsat_keeps_its_coefficients() -> None:
    scene = SimpleNamespace(sensor=OLI, roles=OLI.roles)
    assert coefficients(scene, "sentinel-2b") is COEFFICIENTS["sentinel-2b"]
