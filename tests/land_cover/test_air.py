"""Top-of-atmosphere images, whose air is taken off before a network of surface reflectance."""

import csv
import json
from datetime import datetime

import numpy as np
import pytest

from nndacss.land_cover.air import AirTaken
from nndacss.land_cover.image import SceneImage, open_image
from nndacss.land_cover.model import load_land_cover_model
from nndacss.readers import open_scene
from nndacss.sensors import sentinel2_msi
from nndacss.simulate.atmosphere import Air
from tests.land_cover.small import SIX, TEN, ground, mapped, product, raster, save_land
from tests.readers.safe_recipes import METRES, Recipe

pytestmark = pytest.mark.usefixtures("one_thread")


def test_level_1c(tmp_path):
    """What is mapped is the image whose blue was corrected by hand."""
    numbers = {band: ground(metres, n, 240) for n, (band, metres) in enumerate(METRES.items())}
    (tmp_path / "scenes").mkdir()
    there = Recipe(size=240, numbers=numbers, sun=(60.0, 150.0)).write(tmp_path / "scenes")
    scene = open_scene(there)
    top = scene.read(TEN, scene.grid("red")).pixels
    mu, air = 0.5, 0.008569 * 0.492**-4 * (1 + 0.0113 * 0.492**-2 + 0.00013 * 0.492**-4)
    haze = 0.08 * (0.492 / 0.55) ** -1.3
    path = (air * 0.75 * (1 + mu**2) + 0.35 * haze) / (4 * mu)
    through = np.exp(-(0.52 * air + 0.16 * haze) * 3)
    image = AirTaken(SceneImage(scene))
    pixels = image.read(TEN, slice(0, 240), slice(0, 240))
    np.testing.assert_allclose(pixels[0], (top[0] - path) / through, atol=2e-3)
    assert path == pytest.approx(0.09, abs=0.01)
    weights = save_land(tmp_path)
    folder = mapped((None, there, weights), tmp_path)
    codes = raster(folder, "land_cover")[0]
    seen = codes != 255
    said = load_land_cover_model(weights, "cpu", 1)(pixels, TEN, 10.0)
    np.testing.assert_array_equal(codes[seen], said.labels[seen] + 1)
    raw = load_land_cover_model(weights, "cpu", 1)(top, TEN, 10.0)
    assert (raw.labels[seen] != said.labels[seen]).mean() > 0.02
    limits = json.loads((folder / "item.json").read_text())["properties"]["nndacss:limits"]
    assert any("top-of-atmosphere" in limit for limit in limits)
    assert any("Nothing says where cloud is" in limit for limit in limits)


def test_a_product_of_level_1(tmp_path):
    there = product(tmp_path / "LC08_0f", level="TOA")
    image = open_image(there, product=True)
    window = (slice(0, 64), slice(0, 60))
    top, pixels = image.read(SIX, *window), AirTaken(image).read(SIX, *window)
    # by hand for 40 degrees: path reflectance 0.0758, transmittance down and up 0.785
    np.testing.assert_allclose(pixels[0], (top[0] - 0.0758) / 0.7853, atol=5e-4)
    assert abs(top[5] - pixels[5]).max() < 0.01


def sun(date: str, latitude: float) -> float:
    """Degrees above the horizon at 11 hours by the sun: Sentinel-2's hour at 46 to 63 degrees."""
    day = datetime.strptime(date, "%Y%m%d").timetuple().tm_yday
    tilt = np.radians(-23.44 * np.cos(2 * np.pi * (day + 10) / 365))
    here = np.radians(latitude)
    high = np.sin(here) * np.sin(tilt) + np.cos(here) * np.cos(tilt) * np.cos(np.radians(15))
    return float(np.degrees(np.arcsin(high)))


def rock(path):
    """(place and date) -> row of a table's rock pixels."""
    with path.open() as file:
        rows = (row for row in csv.DictReader(file) if row["class"] == "4")
        return {(row["image_date"], row["geometry"]): row for row in rows}


def test_rock_seen_from_above_and_at_the_ground(shared_data):
    """Real pixels that are stored at both levels: the middle difference shrinks to near nothing."""
    folder = shared_data("spectra")
    top, below = (rock(folder / f"Sentinel-2_{level}_training_data.csv") for level in ("TOA", "SR"))
    assert len(top.keys() & below.keys()) > 3900
    airs = {
        key: Air(sun(key[0], float(key[1].split()[2][:-1])), sensor=sentinel2_msi.SENSOR)
        for key in top
    }
    for role, band, limit in (("blue", "B2", 0.01), ("green", "B3", 0.004), ("red", "B4", 0.007)):
        pairs = []
        for key, row in top.items():
            seen, truth = np.float32(row[band] or "nan"), float(below[key][band] or "nan")
            pairs.append((seen - truth, float(airs[key].corrected(role, seen)[0, 0]) - truth))
        before, after = np.nanmedian(np.array(pairs), axis=0)
        assert abs(after) < limit < before / 2
