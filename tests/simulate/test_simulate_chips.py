"""Chips are the written scenes' pixels, and every seed is another world."""

import numpy as np
import pytest
import rasterio

from nndacss.errors import SettingsError
from nndacss.sensors import REFLECTIVE
from nndacss.simulate import chip, write_landsat, write_sentinel2
from nndacss.simulate.chips import moment
from nndacss.simulate.quality import labels
from nndacss.simulate.sensitivity import shares
from tests.simulate import simulated

SEED = 4
MADE = {"cover": 0.4, "snow_line": 900.0}


def written(asked, side, metres):
    """What both writers need to write the chip's own world."""
    low = asked.north - side * metres, asked.west + side * metres
    world = asked.world((asked.west, low[0], low[1], asked.north))
    return {
        "seed": SEED,
        "scene": world.ground,
        "sky": world.sky,
        "sun_elevation": asked.sun_elevation,
        "sun_azimuth": asked.sun_azimuth,
        "view": (asked.view_zenith, asked.view_azimuth),
        "west": asked.west,
        "thickness": True,
    }


@pytest.fixture(scope="module")
def asked():
    from dataclasses import replace

    return replace(moment(SEED), north=4_200_000.0, west=480_000.0, **MADE)


def place(asked):
    return {"north": asked.north, "west": asked.west, **MADE}


def test_landsat_chip_is_the_written_scene(tmp_path, asked):
    one = chip(SEED, "landsat8_oli", "TOA", 30, 48, 48, **place(asked))
    surface = chip(SEED, "landsat8_oli", "SR", 30, 48, 48, **place(asked))
    common = written(asked, 48, 30)
    pair = write_landsat(
        tmp_path,
        rows=48,
        columns=48,
        north=asked.north + 15,
        swath=False,
        **{**common, "west": asked.west - 15},
    )
    sun = np.sin(np.radians(asked.sun_elevation))
    for number, role in enumerate(REFLECTIVE):
        at = REFLECTIVE.index(role)
        counts = simulated.band(pair.l1, f"B{number + 2}")
        seen = counts < 65535
        top = (2e-5 * counts - 0.1) / sun
        assert np.abs(one.pixels[at] - top)[seen].max() < 1.01e-5 / sun
        ground = 2.75e-5 * simulated.band(pair.l2, f"SR_B{number + 2}") - 0.2
        assert np.abs(surface.pixels[at] - ground)[seen].max() < 1.4e-5
    np.testing.assert_array_equal(one.labels, simulated.labels(pair.truth))
    with rasterio.open(pair.thickness) as dataset:
        np.testing.assert_array_equal(one.thickness, dataset.read(1))
    assert len(np.unique(one.labels)) >= 3


@pytest.mark.parametrize(("metres", "names"), [(10, ("B02", "B03", "B04")), (20, ("B8A", "B12"))])
def test_sentinel2_chip_is_the_written_scene(tmp_path, asked, metres, names):
    side = 960 // metres
    scene = write_sentinel2(
        tmp_path, rows=96, columns=96, north=asked.north, **written(asked, side, metres)
    )
    roles = dict(zip(("B02", "B03", "B04", "B8A", "B11", "B12"), REFLECTIVE, strict=True))
    for level, product in (("TOA", scene.l1c), ("SR", scene.l2a)):
        one = chip(SEED, "sentinel2_msi", level, metres, side, side, **place(asked))
        for name in names:
            (path,) = product.glob(f"GRANULE/*/IMG_DATA/**/*_{name}*.jp2")
            with rasterio.open(path) as dataset:
                counts = dataset.read(1)
            found = one.pixels[REFLECTIVE.index(roles[name])]
            seen = counts > 1
            assert np.abs(found - (counts - 1000.0) / 10_000)[seen].max() < 5.1e-5
    if metres == 10:
        np.testing.assert_array_equal(one.labels, simulated.labels(scene.truth))


@pytest.mark.parametrize("sensor", ["landsat8_oli", "sentinel2_msi"])
@pytest.mark.parametrize("metres", [10, 20, 30])
def test_chip_is_dressed(sensor, metres):
    one = chip(1, sensor, "TOA", metres, 40, 56)
    again = chip(1, sensor, "TOA", metres, 40, 56)
    other = chip(2, sensor, "TOA", metres, 40, 56)
    assert one.pixels.shape == (6, 40, 56)
    assert one.pixels.dtype == np.float32
    assert one.labels.shape == one.thickness.shape == one.beam_loss.shape == (40, 56)
    assert (one.labels.dtype, one.thickness.dtype) == (np.uint8, np.float32)
    assert np.isfinite(one.pixels).all()
    assert -0.02 < one.pixels.min() < one.pixels.max() < 2
    np.testing.assert_array_equal(one.pixels, again.pixels)
    assert (one.pixels != other.pixels).mean() > 0.9
    assert (one.roles, one.metres, one.sensor) == (REFLECTIVE, float(metres), sensor)


def test_sensors_see_one_world():
    one = chip(3, "landsat8_oli", "SR", 10, 120, 120, cover=0.3, view_zenith=0.0)
    other = chip(3, "sentinel2_msi", "SR", 10, 120, 120, cover=0.3, view_zenith=0.0)
    np.testing.assert_array_equal(one.labels == 3, other.labels == 3)
    red = (one.pixels[2].ravel(), other.pixels[2].ravel())
    assert np.corrcoef(*red)[0, 1] > 0.9


def test_labels_follow_their_definition():
    one = chip(8, "sentinel2_msi", "TOA", 20, 64, 64, cover=0.5)
    cloud = one.thickness >= 0.3
    shadow = ~cloud & (one.beam_loss >= 0.2)
    np.testing.assert_array_equal(one.labels == 3, cloud)
    np.testing.assert_array_equal(one.labels == 1, shadow)
    # exp(-0.2775 * 0.81) = 0.799: 0.81 takes a fifth of the beam, 0.79 does not; snow stays snow.
    thickness, slant = np.float32([[0.3, 0.29, 0, 0, 0]]), np.float32([[9, 0, 0.81, 0.79, 0]])
    snow = np.array([[True, True, True, True, False]])
    assert labels(thickness, slant, snow, ~snow & snow).tolist() == [[3, 2, 1, 2, 0]]


def test_seeds_draw_places_suns_and_skies():
    drawn = [moment(seed) for seed in range(400)]
    assert all(20 <= one.sun_elevation <= 70 for one in drawn)
    assert 0.4 < np.mean([one.north < 0 for one in drawn]) < 0.6
    assert all((one.sun_azimuth < 90) == (one.north < 0) for one in drawn)
    assert 0.05 < np.mean([one.snow_line < 450 for one in drawn]) < 0.25
    assert min(one.cover for one in drawn) < 0.01
    assert max(one.cover for one in drawn) > 0.85
    apart = {(one.west // 8000, one.north // 8000) for one in drawn}
    assert len(apart) > 395


def test_thresholds_move_the_shares_one_way():
    found = shares(range(4))
    clouds = [found[thickness, 0.2][3] for thickness in (0.2, 0.3, 0.5)]
    shadows = [found[0.3, loss][1] for loss in (0.1, 0.2, 0.3)]
    assert clouds == sorted(clouds, reverse=True)
    assert shadows == sorted(shadows, reverse=True)
    assert found[0.3, 0.2].sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"sensor": "landsat5"}, "landsat8_oli"),
        ({"level": "L2A"}, "TOA or SR"),
        ({"metres": 15}, "10 or 20 or 30"),
        ({"rows": 4}, "8 x 8"),
        ({"weather": 1.0}, "weather"),
        ({"cover": 2.0}, "cover"),
    ],
)
def test_wrong_arguments_are_named(wrong, words):
    common = {"sensor": "landsat8_oli", "level": "TOA", "metres": 30, "rows": 16, "columns": 16}
    with pytest.raises(SettingsError, match=words):
        chip(0, **{**common, **wrong})
