"""Proba-V's view of the twin: where things are, how sharp, how bright; and its file."""

import h5py
import numpy as np
import pytest
import rasterio
from pyproj import Transformer

from nndacss.errors import GridError, OutputError, SettingsError
from nndacss.readers.probav import open_product
from nndacss.simulate.optics import Look
from nndacss.simulate.probav import ProbavView, drifted
from nndacss.simulate.probav_files import main
from nndacss.simulate.probav_grid import PlateCarree, lattice_around
from nndacss.simulate.probav_optics import BANDS, PROBAV, ROLES, SIGMA, Radiometry
from nndacss.simulate.probav_product import write_probav
from nndacss.simulate.sampling import Window
from nndacss.simulate.seeing import Eye, World
from nndacss.simulate.sky import Sky
from nndacss.simulate.spectra import ROLES as GROUND
from nndacss.simulate.targets import Flat, PointTarget

WEST, NORTH = 613_215.0, 5_487_405.0
EXACT = Radiometry(gain=(1, 1, 1, 1), full=(9, 9, 9, 9))


def bounds(kilometres):
    far = 1000.0 * kilometres
    return WEST, NORTH - far, WEST + far, NORTH


def view(ground, product="100M", kilometres=5, sky=None, noise=None, radiometry=EXACT, sun=90.0):
    grid = PlateCarree.inside(bounds(kilometres), 32632, product)
    world = World(ground, sky, sun, 150.0)
    return ProbavView(
        grid, Eye(world, Look(PROBAV), noise), lattice_around(grid, 32632), radiometry
    )


def whole(of):
    return of.seen(Window(0, of.grid.rows, 0, of.grid.columns))


@pytest.mark.parametrize("product", ["100M", "333M", "1KM"])
def test_flat_ground_is_flat(product):
    seen = whole(view(Flat(0.3), product, 8))
    assert seen.pixels == pytest.approx(0.3, abs=1e-6)
    assert not seen.saturated.any()
    assert seen.cloud.max() == 0


def point(place):
    """Each band's offset (east, north) of a point's image from its place, and spread, metres."""
    of = view(PointTarget(*place, size=30.0, bright=1.0, dark=0.0))
    grid = of.grid
    x, y = grid.places(Window(0, grid.rows, 0, grid.columns), 32632)
    for band in whole(of).pixels.astype(float):
        weight = band / band.sum()
        offset = [(weight * at).sum() - centre for at, centre in zip((x, y), place, strict=True)]
        spread = [np.sqrt((weight * (at - (weight * at).sum()) ** 2).sum()) for at in (x, y)]
        yield (*offset, *spread)


def test_a_point_lies_where_it_is_and_is_as_wide_as_published():
    """A sharp point spread sampled every 110 m wobbles by phase: the mean over phases does not."""
    phases = [list(point((WEST + 2500.0 + 18.4 * n, NORTH - 2500.0 + 18.4 * n))) for n in range(6)]
    east, north, across, down = np.moveaxis(np.mean(phases, axis=0), -1, 0)
    assert np.abs([east, north]).max() < 1.5
    right = np.array([SIGMA[role] for role in ROLES])
    assert across == pytest.approx(right, rel=0.03)
    assert down == pytest.approx(right, rel=0.03)


def test_products_are_whole_pixels_of_latitude_and_longitude():
    grid = PlateCarree.inside(bounds(8), 32632, "333M")
    assert (grid.west * 336) % 1 == pytest.approx(0, abs=1e-9)
    to_map = Transformer.from_crs(4326, 32632, always_xy=True)
    x, y = grid.places(Window(1, 2, 2, 3), 32632)
    # the middle one of 3 x 3 is the pixel's centre
    at = to_map.transform(grid.west + 2.5 / 336, grid.north - 1.5 / 336)
    assert (x[1, 1], y[1, 1]) == pytest.approx(at, abs=1e-6)
    box, edges = bounds(8), (grid.left, grid.top, grid.left + grid.columns, grid.top + grid.rows)
    corners = [to_map.transform(a / 336, -b / 336) for a in edges[::2] for b in edges[1::2]]
    assert all(box[0] <= x <= box[2] and box[1] <= y <= box[3] for x, y in corners)
    assert grid.columns * 1000 / 336 * 0.65 * 111.3 > 6500


def test_bands_are_mixed_of_landsats():
    class Coloured:
        def reflectance(self, x, y, roles):
            shape = np.broadcast_shapes(x.shape, y.shape)
            values = [0.1 * (GROUND.index(r) + 1) if r in GROUND else 0.0 for r in roles]
            return np.stack([np.full(shape, v, np.float32) for v in values])

    found = whole(view(Coloured())).pixels.mean((1, 2))
    # coastal 0.1, blue 0.2, green 0.3, red 0.4, nir08 0.5, swir16 0.6, swir22 0.7
    right = (
        0.58 * 0.1 + 0.42 * 0.2,
        0.04 * 0.3 + 0.93 * 0.4 + 0.03 * 0.5,
        0.04 * 0.4 + 0.96 * 0.5,
        0.015 * 0.5 + 0.977 * 0.6 + 0.008 * 0.7,
    )
    assert found == pytest.approx(right, abs=1e-6)
    for weights in PROBAV.weights.values():
        assert sum(weights.values()) == pytest.approx(1.0)


def test_noise_falls_with_the_pixel_and_calibration_and_saturation_count():
    quiet = whole(view(Flat(0.1), "100M", 8)).pixels
    loud = {p: whole(view(Flat(0.1), p, 12, noise=4)).pixels for p in ("100M", "333M")}
    for number, role in enumerate(ROLES):
        fine, coarse = (loud[p][number].std() for p in ("100M", "333M"))
        assert fine == pytest.approx(PROBAV.noise[role], rel=0.1)
        assert coarse == pytest.approx(PROBAV.noise[role] / 3, rel=0.15)
    assert quiet.std() < 1e-6
    full = Radiometry(gain=(1.1, 0.9, 1, 1), full=(0.25, 9, 9, 9))
    seen = whole(view(Flat(0.6), radiometry=full, sun=30.0))
    # the sun at 30 degrees halves the light: 0.25 is the light of a reflectance of 0.5
    assert seen.pixels.mean((1, 2)) == pytest.approx((0.55, 0.54, 0.6, 0.6), abs=1e-5)
    assert seen.saturated.all((1, 2)).tolist() == [True, False, False, False]


def test_how_it_is_cut_changes_no_pixel():
    box = bounds(6)
    sky = Sky(3, 0.4).over(box)
    of = view(World.made(3, box, (45.0, 150.0), 0.4, None, sky).ground, "333M", 6, sky, 3, sun=45.0)
    all_of_it, part = whole(of), of.seen(Window(2, 9, 3, 8))
    assert np.array_equal(part.pixels, all_of_it.pixels[:, 2:9, 3:8])
    assert np.array_equal(part.cloud, all_of_it.cloud[2:9, 3:8])
    assert 0.05 < all_of_it.cloud.mean() < 0.95


def test_drifted_clouds_are_the_same_further_on():
    sky = Sky(3, 0.4).over(bounds(6))
    later = drifted(sky, 600.0, -300.0)
    x, y = WEST + np.arange(0, 6000, 100.0)[None, :], NORTH - np.arange(0, 6000, 100.0)[:, None]
    for before, after in zip(sky.overhead(x, y), later.overhead(x + 600, y - 300), strict=True):
        assert after == pytest.approx(before, rel=1e-3, abs=1e-3)
    assert np.array_equal(sky.dust(x, y), later.dust(x, y))


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("probav")
    return write_probav(folder, seed=3, bounds=bounds(12), cover=0.4, swath=0.8)


def test_the_reader_reads_what_was_written(written):
    with open_product(written.path) as product, rasterio.open(written.truth) as truth:
        labels, place = truth.read(1), truth.transform
        assert product.resolution == "333M"
        assert not product.converted
        assert product.origin is not None
        assert "not an observation" in product.origin
        assert f"{product.acquired:%Y-%m-%d}" == "2026-04-15"
        assert product.grid.shape == labels.shape
        assert tuple(product.grid.affine)[:6] == pytest.approx(tuple(place)[:6], abs=1e-12)
        pixels, status = product.read(), product.read_status()
    unseen = labels == 255
    assert 0.1 < unseen.mean() < 0.4
    # where red was seen and the short-wave infrared was not, nothing is valid
    assert np.isnan(pixels[0])[unseen].all()
    assert np.isnan(pixels[0]).mean() > unseen.mean()
    code = status & 0b111
    for label, expected in ((0, 0), (1, 1), (2, 4), (3, 3), (255, 2)):
        assert (code[labels == label] == expected).all()
    assert (labels == 3).any()
    assert np.nanmean(pixels[0][labels == 3]) > 2 * np.nanmean(pixels[0][labels == 0])


def test_the_file_is_laid_out_as_the_agencys(written):
    assert written.path.name.startswith("PROBAV_L2A_20260415_")
    assert written.path.name.endswith("_2_333M_V101.HDF5")
    with h5py.File(written.path) as file:
        for name in BANDS:
            layer = file[f"LEVEL2A/RADIOMETRY/{name}/TOA"]
            assert layer.dtype == np.int16
            assert (layer.attrs["SCALE"], layer.attrs["OFFSET"]) == (2000, 0)
            words = [word.decode() for word in layer.attrs["MAPPING"]]
            assert words[:3] == ["Geographic Lat/Lon", "0.5", "0.5"]
            assert float(words[5]) == pytest.approx(1 / 336, abs=1e-15)
            assert layer[()].min() == -1
        status = file["LEVEL2A/QUALITY/SM"][()]
        swir, red = (file[f"LEVEL2A/RADIOMETRY/{n}/TOA"][()] >= 0 for n in ("SWIR", "RED"))
        assert np.array_equal((status >> 8) & 1 == 1, swir)
        assert np.array_equal((status >> 10) & 1 == 1, red)
        assert file["LEVEL2A/GEOMETRY/SZA"][0, 0] / 2 == 45


def test_blocks_and_threads_change_no_byte(tmp_path, written):
    again = write_probav(
        tmp_path, seed=3, bounds=bounds(12), cover=0.4, swath=0.8, block=7, threads=1
    )
    assert again.path.read_bytes() == written.path.read_bytes()


def test_southern_scenes_have_negative_northings(tmp_path):
    box = 613_215.0, -4_119_195.0, 616_215.0, -4_116_195.0
    made = write_probav(tmp_path, product="100M", bounds=box, epsg=32655)
    with open_product(made.path) as product:
        south, north = product.grid.boundingbox.bottom, product.grid.boundingbox.top
    assert -37.3 < south < north < -37.1


def test_what_cannot_be_written(tmp_path, written):
    with pytest.raises(OutputError, match="a product of this name"):
        write_probav(written.path.parent, seed=4, bounds=bounds(12))
    with pytest.raises(GridError, match=r"0 x 0 whole pixels|2 x 2 or more"):
        write_probav(tmp_path, bounds=bounds(0.3))
    with pytest.raises(GridError, match="32601 to 32660"):
        write_probav(tmp_path, epsg=4326)
    with pytest.raises(SettingsError, match="100M or 333M or 1KM"):
        PlateCarree(0, 0, 4, 4, "500M")
    assert list(tmp_path.iterdir()) == []


def test_the_command_writes_the_place_that_landsat_sees(tmp_path, capsys):
    assert main([str(tmp_path / "pv"), "--product", "100M", "--rows", "60", "--columns", "60"]) == 0
    path = capsys.readouterr().out.strip()
    same = write_probav(
        tmp_path / "same", product="100M", bounds=(WEST, NORTH - 1800, WEST + 1800, NORTH)
    )
    with h5py.File(path) as first, h5py.File(same.path) as second:
        for name in BANDS:
            layer = f"LEVEL2A/RADIOMETRY/{name}/TOA"
            assert np.array_equal(first[layer][()], second[layer][()])
    assert main([str(tmp_path / "pv"), "--product", "100M", "--rows", "60", "--columns", "60"]) == 1
    assert "a product of this name" in capsys.readouterr().err
