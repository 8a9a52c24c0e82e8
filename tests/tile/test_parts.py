"""Windows and parts: every pixel once, and the same windows whatever the area."""

import numpy as np
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from odc.geo.geobox import GeoBox

from nndacss.tile.parts import parts
from nndacss.tile.settings import TileSettings

SMALL = TileSettings(window=64, part=128)


def grid_at(column, row, width, height, shift=0):
    affine = Affine(10, 0, 10 * column + shift, 0, -10, 10 * row + shift)
    return GeoBox((height, width), affine, "EPSG:32632")


places = st.tuples(
    st.integers(30_000, 30_300), st.integers(-500, 500), st.integers(1, 400), st.integers(1, 400)
)


@given(places, st.sampled_from([0, 5]))
def test_every_pixel_is_computed_once(place, shift):
    grid = grid_at(*place, shift=shift)
    count = np.zeros(grid.shape, int)
    for part in parts(grid, SMALL):
        inner = np.zeros(part.grid.shape, int)
        for window in part.windows():
            assert window.grid.shape == (64, 64)
            assert window.grid[window.keep] == part.grid[window.at]
            inner[window.at] += 1
        assert (inner == 1).all()
        assert grid[part.at] == part.grid
        count[part.at] += 1
    assert (count == 1).all()


@given(places, places)
def test_two_areas_share_their_windows(one, other):
    """Windows come from one lattice: those of two areas are equal or do not touch."""

    def corners(place):
        cut = parts(grid_at(*place), SMALL)
        return {(w.grid.affine.c, w.grid.affine.f) for part in cut for w in part.windows()}

    for x, y in corners(one) | corners(other):
        assert (x / 10) % 64 == 0
        assert (y / 10) % 64 == 0


def test_names_are_unique_and_follow_the_lattice():
    cut = parts(grid_at(30_000, 500_000, 300, 300), SMALL)
    assert len({part.name for part in cut}) == len(cut)
    # row 0 of the lattice begins at northing 0; 5,000,000 m north is 500,000 px above
    assert cut[0].row == -(500_000 // 128) - 1
    assert cut[0].column == 30_000 // 128
