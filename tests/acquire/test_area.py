"""Scenes and areas: no scene in the area is passed over, and one that is well beside it is."""

import random
from datetime import UTC, datetime

import pytest
from affine import Affine
from odc.geo.geobox import GeoBox

from nndacss.acquire.area import check_inside, is_outside
from nndacss.acquire.source import Sources
from nndacss.errors import GridError
from nndacss.operations.plans import Planner
from nndacss.operations.roots import open_root
from nndacss.operations.scenes import list_scenes
from nndacss.readers import SceneIdentity, identify, open_scene
from nndacss.settings import load_settings
from nndacss.simulate.sentinel2 import write_sentinel2
from nndacss.tile.grid import output_grid
from nndacss.tile.settings import TileSettings

TIME = datetime(2026, 4, 15, tzinfo=UTC)


def scene(outline):
    return SceneIdentity("x", "0", "SR", TIME, "landsat8_oli", "k", (), 0.0, tuple(outline))


def grid_of(epsg, left, top, rows=7800, columns=7600):
    return GeoBox((rows, columns), Affine(30, 0, left, 0, -30, top), f"EPSG:{epsg}")


def corners(grid):
    rows, columns = grid.shape
    xs, ys = zip(
        *(grid.affine @ place for place in ((0, 0), (columns, 0), (columns, rows), (0, rows))),
        strict=True,
    )
    return list(zip(*grid.crs.transformer_to_crs("EPSG:4326")(xs, ys), strict=True))


PLACES = {
    "west": grid_of(32619, 500_000, 4_700_000),
    "equator": grid_of(32632, 400_000, 100_000),
    "north": grid_of(32633, 450_000, 8_000_000),
    "edge of its zone": grid_of(32632, 150_000, 6_000_000),
    "180th meridian": grid_of(32660, 700_000, 7_000_000),
    "south": grid_of(32719, 300_000, 6_000_000),
}


@pytest.mark.parametrize("place", PLACES)
def test_it_says_what_the_output_grid_would(place):
    """By random boxes: outside only where there is no grid, and where there is none, mostly."""
    grid, dice = PLACES[place], random.Random(1)
    ring = corners(grid)
    east, north = ring[0]
    told = {True: 0, False: 0}
    for _ in range(60):
        west, south = east + dice.uniform(-5, 7), north + dice.uniform(-4, 2)
        size = dice.choice([0.01, 0.3, 2])
        box = ((west + 180) % 360 - 180, south, (west + size + 180) % 360 - 180, south + size)
        try:
            output_grid(grid, TileSettings(bbox=box))
            there = True
        except GridError:
            there = False
        outside = is_outside(scene(ring), box)
        assert not (outside and there), box
        told[there] += 1
        if not there and not outside:
            near = tuple(a + b for a, b in zip(box, (-0.15, -0.1, 0.15, 0.1), strict=True))
            output_grid(grid, TileSettings(bbox=near))  # it is near at least
    assert min(told.values()) > 5


def test_without_corners_or_area_nothing_is_outside():
    ring = corners(PLACES["west"])
    assert is_outside(scene(ring), (10, 10, 11, 11))
    assert not is_outside(scene(ring), None)
    assert not is_outside(scene([]), (10, 10, 11, 11))
    assert not is_outside(scene([(0, 85), (90, 86), (180, 85), (-90, 86)]), (10, 10, 11, 11))


def test_landsat_metadata_tell_the_corners(pair):
    for folder in (pair.l1, pair.l2):
        outline = identify(folder).outline
        assert len(outline) == 4
        (west, north), _, (east, south), _ = outline
        assert not is_outside(identify(folder), (west, south, east, north))
        assert is_outside(identify(folder), (east + 1, south, east + 2, north))


@pytest.mark.filterwarnings("ignore::nndacss.errors.LossWarning")
def test_sentinel_metadata_tell_the_outline(tmp_path):
    safe = write_sentinel2(tmp_path, rows=60, columns=60).l2a
    box = open_scene(safe).grid("red").footprint("EPSG:4326").boundingbox
    longitudes, latitudes = zip(*identify(safe).outline, strict=True)
    found = (min(longitudes), min(latitudes), max(longitudes), max(latitudes))
    assert found == pytest.approx(box.bbox, abs=1e-4)


def test_a_batch_passes_over_scenes_outside_its_area_and_counts_them(pair, tmp_path):
    inside = ",".join(map(str, middle(identify(pair.l2).outline)))
    for bbox, state, reason in ((inside, "todo", ""), ("-70,-5,-69,-4", "skipped", "outside the")):
        numbers = [float(number) for number in bbox.split(",")]
        settings = load_settings(None, [f"tile.bbox={numbers}", "harmonize.method=bandpass"])
        sources = Sources(tmp_path / "scenes", settings)
        planner = Planner(settings, sources, open_root(str(tmp_path / "products")), 1)
        ((planned, orders),) = planner.plan_all(list_scenes(pair.l2.parent))
        assert (planned.state, bool(orders)) == (state, state == "todo")
        assert reason in planned.reason
    with pytest.raises(GridError, match="bbox -70,-5,-69,-4: found no pixel of the scene in it"):
        check_inside(identify(pair.l2), (-70, -5, -69, -4))


def middle(outline):
    east, north = (sum(numbers) / len(outline) for numbers in zip(*outline, strict=True))
    return east, north, east + 0.001, north + 0.001
