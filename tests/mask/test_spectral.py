"""The threshold mask on single pixels of known surfaces, and its honesty about gaps."""

import numpy as np
import pytest
from affine import Affine
from odc.geo.geobox import GeoBox

from nndacss.labels.climate import Climate
from nndacss.mask.spectral import VISIBLE, label
from nndacss.raster import Raster
from nndacss.sensors import REFLECTIVE

GRID = GeoBox((1, 1), Affine(10, 0, 0, 0, -10, 0), "EPSG:32632")

#: Typical TOA reflectance: blue, green, red, nir08, swir16, swir22.
SURFACES = [
    ("thick cloud", (0.55, 0.54, 0.55, 0.60, 0.45, 0.35), Climate.CLOUD),
    ("cloud over forest", (0.30, 0.28, 0.27, 0.40, 0.25, 0.18), Climate.CLOUD),
    ("fresh snow", (0.85, 0.84, 0.82, 0.75, 0.10, 0.08), Climate.SNOW),
    ("grass", (0.08, 0.10, 0.07, 0.40, 0.20, 0.10), Climate.CLEAR),
    ("bare soil", (0.12, 0.15, 0.20, 0.28, 0.35, 0.30), Climate.CLEAR),
    ("deep water", (0.09, 0.06, 0.03, 0.01, 0.005, 0.003), Climate.CLEAR),
    ("shadow on a field", (0.07, 0.05, 0.04, 0.09, 0.05, 0.03), Climate.SHADOW),
]


def pixel(values, roles=REFLECTIVE):
    pixels = np.array(values, dtype=np.float32)[:, None, None]
    return Raster(pixels, GRID, tuple(roles))


@pytest.mark.parametrize(("name", "values", "code"), SURFACES, ids=[s[0] for s in SURFACES])
def test_known_surfaces(name, values, code):
    assert label(pixel(values))[0, 0] == code


def test_a_missing_band_is_nodata_and_never_clear():
    values = list(SURFACES[3][1])
    values[4] = np.nan
    assert label(pixel(values))[0, 0] == Climate.NODATA


@pytest.mark.parametrize(
    ("values", "code"), [((0.5, 0.5, 0.5), Climate.CLOUD), ((0.1, 0.1, 0.08), Climate.CLEAR)]
)
def test_with_visible_bands_only(values, code):
    assert label(pixel(values, VISIBLE))[0, 0] == code
