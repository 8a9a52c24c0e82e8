"""Laws of place: what lies at a map coordinate in the scene lies there in the 10 m product.

Simulated products in the agency's layout, through the real reader, onto Sentinel-2's lattice, with
and without pan; northern and southern scenes, over the 180th meridian, and polar stereographic.
"""

import warnings

import numpy as np
import pytest

import nndacss
from nndacss.errors import LossWarning
from nndacss.harmonize.bandpass import COEFFICIENTS
from nndacss.simulate.landsat import write_landsat
from nndacss.simulate.targets import PointTarget, Ramp

#: name -> where the scene lies: west, north (m), epsg, projection
PLACES = {
    "north": {"west": 613_215.0, "north": 5_487_405.0, "epsg": 32632},
    "south": {"west": 441_000.0, "north": -2_188_005.0, "epsg": 32621},
    # 180 degrees east runs through it: zone 60 reaches 829 km at 17 degrees south
    "180th meridian": {"west": 818_400.0, "north": -1_880_025.0, "epsg": 32660},
    "Antarctica": {"west": -300_015.0, "north": 1_300_005.0, "projection": "ps"},
}


@pytest.fixture(scope="module")
def simulate(tmp_path_factory):
    """Scenes by place and ground, each written once."""
    written = {}

    def find(place, ground):
        if (place, ground) not in written:
            written[place, ground] = write(tmp_path_factory.mktemp("scene"), place, ground)
        return written[place, ground]

    return find


def write(folder, place, ground):
    pair = write_landsat(
        folder,
        rows=70,
        columns=70,
        scene=ground,
        sky=None,
        noise=False,
        swath=False,
        **PLACES[place],
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LossWarning)
        return nndacss.open_scene(pair.l2, pair.l1)


def landsat_coordinates(grid, scene):
    """Easting and northing in the scene's own CRS of every pixel centre of `grid`."""
    column, row = np.meshgrid(np.arange(grid.shape[1]) + 0.5, np.arange(grid.shape[0]) + 0.5)
    x, y = grid.affine @ (column, row)
    transform = grid.crs.transformer_to_crs(scene.grid("red").crs)
    u, v = transform(x.ravel(), y.ravel())
    return np.reshape(u, grid.shape), np.reshape(v, grid.shape)


def as_landsat(pixels, role="red"):
    slope, offset = COEFFICIENTS["sentinel-2a"][role]
    return pixels * slope + offset


def middle(place):
    corner = PLACES[place]
    return corner["west"] + 35 * 30, corner["north"] - 35 * 30


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("sharpen", [False, True])
@pytest.mark.parametrize("direction", ["east", "north"])
def test_a_ramp_stays_in_place(simulate, place, sharpen, direction):
    x0, y0 = middle(place)
    rise = {"east": 1e-4, "north": 0.0} if direction == "east" else {"east": 0.0, "north": 1e-4}
    ramp = Ramp(x0, y0, value=0.4, **rise)
    scene = simulate(place, ramp)
    grid = nndacss.output_grid(scene)
    image = nndacss.read_harmonized(scene, grid, roles=("red",), sharpen=sharpen)
    expected = ramp.reflectance(*landsat_coordinates(grid, scene), ["red"])[0]
    found = as_landsat(image.pixels[0])
    inner = np.abs(expected - 0.4) < 0.06  # away from the rim, where the kernel lacks pixels
    inner &= ~np.isnan(found)
    assert inner.sum() > 5000
    metres = (found - expected)[inner] / 1e-4
    assert np.abs(metres).max() < 0.5  # quantization alone is 0.14 m


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("sharpen", [False, True])
def test_a_point_target_stays_in_place(simulate, place, sharpen):
    x0, y0 = middle(place)
    scene = simulate(place, PointTarget(x0, y0, size=60.0))
    grid = nndacss.output_grid(scene)
    image = nndacss.read_harmonized(scene, grid, roles=("red",), sharpen=sharpen)
    excess = np.nan_to_num(as_landsat(image.pixels[0]) - 0.1)
    u, v = landsat_coordinates(grid, scene)
    near = (np.abs(u - x0) < 200) & (np.abs(v - y0) < 200)
    weight = np.where(near, excess, 0)
    assert abs((weight * (u - x0)).sum() / weight.sum()) < 0.5
    assert abs((weight * (v - y0)).sum() / weight.sum()) < 0.5
    if sharpen:  # pan makes it narrower, not elsewhere
        plain = nndacss.read_harmonized(scene, grid, roles=("red",), sharpen=False)
        assert image.pixels[0][near].max() > np.nanmax(plain.pixels[0][near])


def test_the_180th_meridian_runs_through_that_scene(simulate):
    scene = simulate("180th meridian", Ramp(*middle("180th meridian"), value=0.4))
    outline = scene.grid("red").footprint("EPSG:4326", buffer=0)
    longitudes = [point[0] for point in outline.exterior.coords]
    assert max(longitudes) > 179.9
    assert min(longitudes) < -179.9 or max(longitudes) > 180
