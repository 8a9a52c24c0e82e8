"""Landsat to Proba-V: against the published program, plain arithmetic, and exact grounds."""

import h5py
import numpy as np
import pytest
from affine import Affine
from odc.geo.geobox import GeoBox
from pyproj import Transformer

from nndacss.errors import GridError
from nndacss.harmonize.physical import psf
from nndacss.harmonize.physical.grids import coarse_grid, probav_grid
from nndacss.harmonize.physical.lanczos import Resampler
from nndacss.harmonize.physical.psf import Block, blur, reach_of
from nndacss.harmonize.physical.shares import cloud_shares, missing_share
from nndacss.harmonize.physical.transform import ROLES, coarse_rows, to_probav
from nndacss.readers import open_scene

SMALL = "LC08_L1TP_195025_20130707_20170503_01_T1"
LARGER = "LC08_L1TP_227074_20190809_20200826_01_T1"
GRID = GeoBox((240, 260), Affine(30, 0, 613_215, 0, -30, 5_487_405), "EPSG:32632")
LEGACY = {"shift": "legacy", "edges": "legacy"}


@pytest.mark.filterwarnings("ignore::nndacss.errors.LossWarning")
@pytest.mark.parametrize("resolution", ["333M", "100M"])
@pytest.mark.parametrize("name", [SMALL, LARGER])
def test_legacy_is_the_published_program(shared_data, name, resolution):
    """Within one count, and the same pixels valid: real scenes, outputs of the original."""
    stored = shared_data("parity/convert-probav")
    folder = stored / name if name == LARGER else shared_data("landsat-c1-full-layout")
    scene = open_scene(folder).read(ROLES)
    seen = to_probav(scene.pixels, scene.grid, resolution, **LEGACY).raster
    with h5py.File(stored / f"{name}_{resolution}.HDF5") as file:
        bands = [file[f"LEVEL2A/RADIOMETRY/{band}/TOA"] for band in ("BLUE", "RED", "NIR", "SWIR")]
        theirs = np.stack([band[()] for band in bands])
        corner = bands[0].attrs["MAPPING"][3:5].astype(float)
    assert tuple(corner) == (seen.grid.affine.c, seen.grid.affine.f)
    valid = ~np.isnan(seen.pixels)
    np.testing.assert_array_equal(valid, theirs != -2000)
    assert valid.mean() > 0.5
    assert np.abs(np.round(seen.pixels[valid] * 2000) - theirs[valid]).max() <= 1


def plain_blur(band, missing, sigma, reach, edges):
    """A Gaussian over squares, one pixel of the result at a time."""
    rows, columns = band.shape
    steps = 30.0 * np.arange(-reach, reach + 1)
    weights = np.exp(-(steps[:, None] ** 2 + steps[None, :] ** 2) / (2 * sigma**2))
    weights /= weights.sum()
    pad = [(reach, reach)] * 2
    values = np.pad(np.where(missing, 0, band).astype(float), pad, mode="reflect")
    there = np.pad((~missing).astype(float), pad, mode="reflect")
    result = np.empty((-(-rows // 3), -(-columns // 3)))
    for row, column in np.ndindex(result.shape):
        at = np.s_[3 * row : 3 * row + 2 * reach + 1, 3 * column : 3 * column + 2 * reach + 1]
        total, known = (weights * values[at]).sum(), (weights * there[at]).sum()
        if edges == "legacy":
            result[row, column] = total
        else:
            result[row, column] = total / known if known >= psf.LEAST else np.nan
    return result


@pytest.fixture
def image(rng):
    """Four bands with a wedge and a hole without data."""
    bands = rng.uniform(0.05, 0.9, (4, 50, 47)).astype(np.float32)
    missing = np.tri(50, 47, -12, dtype=bool)
    missing[20:23, 30:31] = True
    return np.where(missing, np.float32(np.nan), bands), missing


@pytest.fixture
def rng():
    return np.random.default_rng(5)


@pytest.mark.parametrize(
    ("edges", "reaches"), [("legacy", (7, 7, 7, 7)), ("normalized", (7, 7, 7, 11))]
)
def test_blur_is_the_plain_sum(image, edges, reaches):
    bands, missing = image
    found = blur(bands, missing, 0, Block(slice(0, 17), 50), edges)
    plain = [
        plain_blur(band, missing, sigma, reach, edges)
        for band, sigma, reach in zip(bands, psf.SIGMA, reaches, strict=True)
    ]
    expected = np.stack(plain)
    expected[:, np.isnan(expected).any(axis=0)] = np.nan
    np.testing.assert_allclose(found, expected, atol=2e-6)
    assert np.isnan(found).any() == (edges == "normalized")


@pytest.mark.parametrize("edges", ["legacy", "normalized"])
def test_blocks_change_no_bit(image, rng, edges):
    bands, missing = image
    pixels = np.concatenate([bands[:1], bands])
    clouds = rng.integers(0, 2, missing.shape).astype(np.float32)
    clouds[5:9, 3:30] = np.nan
    whole = coarse_rows(pixels, clouds, 0, Block(slice(0, 17), 50), edges)
    for size in (1, 4, 16):
        for first in range(0, 17, size):
            block = Block(slice(first, min(first + size, 17)), 50)
            rows = block.needed(reach_of(edges))
            part = coarse_rows(pixels[:, rows], clouds[rows], rows.start, block, edges)
            np.testing.assert_array_equal(part, whole[:, block.out])


def test_strips_of_columns_change_no_bit(image, monkeypatch):
    bands, missing = image
    whole = blur(bands, missing, 0, Block(slice(0, 17), 50), "normalized")
    monkeypatch.setattr(psf, "_STRIP", 5)
    np.testing.assert_array_equal(
        blur(bands, missing, 0, Block(slice(0, 17), 50), "normalized"), whole
    )


def test_shares_by_hand():
    """3 x 3 filter, corners 0.5, edges 1, centre 1.5 of 7.5; what lies outside is missing."""
    missing = np.zeros((6, 6), dtype=bool)
    missing[2, 2] = True  # a corner of the window around (3, 3)
    block = Block(slice(0, 2), 6)
    share = missing_share(missing, 0, block)
    # window (0, 0) reaches one row and one column out: 0.5 + 1 + 0.5 + 1 + 0.5
    np.testing.assert_allclose(share, np.array([[3.5, 2.0], [2.0, 0.5]]) / 7.5)
    clouds = np.zeros((6, 6), dtype=np.float32)
    clouds[3, 3], clouds[2, 2] = 1, np.nan
    soft, unknown = cloud_shares(clouds, 0, block, "normalized")
    assert soft[1, 1] == pytest.approx(1.5 / 7.0)
    assert unknown[1, 1] == pytest.approx(0.5 / 7.5)
    soft, unknown = cloud_shares(clouds, 0, block, "legacy")
    assert soft[1, 1] == pytest.approx((1.5 + 0.5 * 0.5) / 7.5)
    assert unknown[1, 1] == pytest.approx(0.5)  # above 0.2: one unlabelled pixel is too much


def ramp(grid, east, north):
    """Five bands that rise straight, `east` and `north` per metre."""
    rows, columns = np.mgrid[0 : grid.shape[0], 0 : grid.shape[1]]
    x, y = grid.affine @ (columns + 0.5, rows + 0.5)
    band = 0.3 + east * (x - 617_000) + north * (y - 5_484_000)
    return np.repeat(band[None], 5, axis=0).astype(np.float32)


def offset(seen, east, north):
    """How many metres too far along the ramp the pixels of the inside are, on average."""
    grid = seen.raster.grid
    rows, columns = np.mgrid[0 : grid.shape[0], 0 : grid.shape[1]]
    place = grid.affine @ (columns + 0.5, rows + 0.5)
    x, y = Transformer.from_crs(4326, 32632, always_xy=True).transform(*place)
    error = seen.raster.pixels - (0.3 + east * (x - 617_000) + north * (y - 5_484_000))
    inner = tuple(slice(size // 4, -(size // 4)) for size in grid.shape)
    return float(error[:, *inner].mean()) / (east + north)


@pytest.mark.parametrize("resolution", ["100M", "333M"])
def test_a_ramp_stays_in_its_place(resolution):
    """Corrected within half a metre; the published place is 30 m too far south and east.

    In the published program the row's middle is also too far north, by what a parallel bends.
    """
    for slope, published in (((1e-5, 0.0), -30.0), ((0.0, 1e-5), 30.0)):
        pixels = ramp(GRID, *slope)
        corrected = offset(to_probav(pixels, GRID, resolution), *slope)
        legacy = offset(to_probav(pixels, GRID, resolution, shift="legacy"), *slope)
        assert abs(corrected) < 0.5
        assert abs(legacy - published) < 4


def test_no_dark_rim_beside_missing_pixels():
    """A flat ground stays flat up to its last valid pixel; the published program darkens it."""
    pixels = np.full((5, *GRID.shape), 0.4, dtype=np.float32)
    pixels[:, np.tri(*GRID.shape, -60, dtype=bool)] = np.nan
    flat = to_probav(pixels, GRID, "100M").raster.pixels
    published = to_probav(pixels, GRID, "100M", **LEGACY).raster.pixels
    assert 0.5 < np.isfinite(flat).mean() < 0.95
    assert np.nanmax(np.abs(flat - 0.4)) < 1e-5
    assert np.nanmin(published) < 0.37


def test_pieces_fit(rng):
    """How the target is cut changes no value, as far as float32 goes."""
    coarse = coarse_grid(GRID, "corrected")
    target = probav_grid(coarse, "100M")
    layers = np.concatenate([rng.uniform(0, 1, (4, *coarse.shape)), np.zeros((1, *coarse.shape))])
    warp = Resampler(coarse, target, "corrected")
    results = []
    for side in (17, 300):
        whole = np.empty((4, *target.shape))
        for at in warp.pieces(side):
            rows, columns = warp.needed(at)
            whole[:, at[0], at[1]], _ = warp.resample(
                layers[:, rows, columns].astype(np.float32), at
            )
        results.append(whole)
    assert len(warp.pieces(17)) > 20
    np.testing.assert_allclose(*results, atol=2e-7)


def test_clouds_come_along():
    """A half of a scene is cloud: 1 and 0 away from the border, in between beside it."""
    pixels = np.full((5, *GRID.shape), 0.4, dtype=np.float32)
    clouds = np.zeros(GRID.shape, dtype=np.float32)
    clouds[:, 130:] = 1
    clouds[:20] = np.nan
    seen = to_probav(pixels, GRID, "333M", clouds=clouds)
    assert np.isnan(seen.clouds[0]).all()
    row = seen.clouds[10]
    known = row[~np.isnan(row)]
    assert (known[:6] < 0.01).all()
    assert (known[-6:] > 0.99).all()
    assert 0 <= np.nanmin(seen.clouds) <= np.nanmax(seen.clouds) <= 1


def test_any_target_grid():
    """For training pairs: the same numbers on a UTM grid of 300 m."""
    slope = (1e-5, 0.0)
    target = GeoBox((10, 12), Affine(300, 0, 615_000, 0, -300, 5_486_000), "EPSG:32632")
    seen = to_probav(ramp(GRID, *slope), GRID, target=target)
    x = 615_000 + 300 * (np.arange(12) + 0.5)
    expected = np.broadcast_to(0.3 + 1e-5 * (x - 617_000), (4, 10, 12))
    np.testing.assert_allclose(seen.raster.pixels, expected, atol=2e-5)


def test_what_does_not_fit():
    with pytest.raises(GridError, match="lies on the grid"):
        to_probav(np.zeros((5, 3, 3), np.float32), GRID)
    polar = GeoBox((300, 300), Affine(30, 0, -4500, 0, -30, 4500), "EPSG:3031")
    with pytest.raises(GridError, match="degrees of longitude"):
        to_probav(np.zeros((5, 300, 300), np.float32), polar)
