"""Deep harmonization of a scene: the networks' own values in place, whoever shares the work."""

import numpy as np
import pytest
from odc.geo.geobox import GeoBox

import nndacss
from nndacss.errors import InputError, WeightsError
from nndacss.harmonize import deep
from nndacss.harmonize.fields import shifted
from nndacss.harmonize.ground import place
from nndacss.harmonize.result import BANDPASS, NETWORK, NO_PAN, NODATA
from nndacss.harmonize.settings import HarmonizeSettings
from nndacss.models.harmonizer import Harmonizer
from nndacss.models.harmonizer_card import harmonizer_card
from nndacss.models.runtime import native_bfloat16
from nndacss.product.checks import Seams, cut
from nndacss.sensors import REFLECTIVE
from nndacss.tile.settings import TileSettings
from tests.harmonize.conftest import WINDOW, Moody, piece_of, window_of
from tests.models.small_harmonizer import small_harmonizer

GROUND = (0, 2)


@pytest.fixture(scope="module")
def done(stage, tmp_path_factory):
    return stage(tmp_path_factory.mktemp("deep"))


@pytest.fixture(scope="module")
def plain(stage, tmp_path_factory):
    """The same scene by bandpass."""
    return stage(tmp_path_factory.mktemp("plain"), "harmonize.method=bandpass")


@pytest.fixture
def moody(weights, monkeypatch):
    """In place of the networks, one without a finite reach."""
    network = Moody(harmonizer_card(weights[0]))
    monkeypatch.setattr(deep, "_network", lambda *_: network)
    return network


def at_once(scene, whole, network):
    """The whole scene and what lies around it through the network as one array."""
    before = [first % 6 + 60 for first in place(whole)]
    rows, columns = (
        -(-(lead + size + 60) // 6) * 6 for lead, size in zip(before, whole.shape, strict=True)
    )
    grid = shifted(whole, -before[0], -before[1], (rows, columns))
    pixels = [scene.read(REFLECTIVE, grid).pixels, scene.read(["pan"], grid).pixels]
    found = network(np.concatenate(pixels)[None])[0]
    return piece_of(found, grid, whole)


def test_ground_is_the_networks_own(done, scene, whole, labels, weights):
    image, source = done.read("reflectance"), done.read("source")[0]
    expected = at_once(scene, whole, Harmonizer(weights[:1]))
    ground = np.isin(labels, GROUND) & (image[0] != NODATA)
    assert ground.mean() > 0.5
    counts = np.clip(np.rint(expected[:6] / 0.0001), -9998, 32767)
    assert np.abs(image - counts)[:, ground].max() <= 1
    assert ((source[ground] & NETWORK) > 0).all()
    assert ((source[ground] & BANDPASS) == 0).all()
    spread = done.read("uncertainty")
    assert np.abs(spread[:6] - expected[6:] / 0.0001)[:, ground].max() <= 1
    missing = ~scene.present(REFLECTIVE, whole)
    assert np.array_equal(image[0] == NODATA, missing)
    assert np.array_equal(source == 0, missing)


def test_windows_without_ground_are_bandpass_with_feathered_borders(
    done, plain, scene, whole, weights
):
    image, other = done.read("reflectance"), plain.read("reflectance")
    source, spread = done.read("source")[0], done.read("uncertainty")
    rows, columns = window_of(whole, 2, 2)  # ground to the north and south, cloud to the east
    inner = (slice(rows.start + 30, rows.stop - 30), slice(columns.start + 30, columns.stop))
    assert np.array_equal(source[inner], plain.read("source")[0][inner])
    assert np.array_equal(image[:, *inner], other[:, *inner])
    assert (spread[:, *inner] == NODATA).all()
    down = (slice(rows.start, rows.start + 30), slice(columns.start + 60, columns.start + 70))
    weight = np.cos(np.pi / 2 * (np.arange(30) + 0.5) / 30)[:, None] ** 2
    network = at_once(scene, whole, Harmonizer(weights[:1]))[:6, *down] / 0.0001
    expected = weight * network + (1 - weight) * other[:, *down]
    assert np.abs(image[:, *down] - expected).max() <= 1.5
    assert np.array_equal((source[down] & NETWORK) > 0, np.broadcast_to(weight > 0.5, (30, 10)))
    assert np.array_equal(spread[0][down] != NODATA, np.broadcast_to(weight > 0.5, (30, 10)))


def test_only_ground_costs(stage, tmp_path, moody, plain, labels, whole):
    every = np.where(labels == 255, 255, 3).astype(np.uint8)
    run = stage(tmp_path / "cloud", codes=every)
    assert moody.calls == []
    assert np.array_equal(run.read("reflectance"), plain.read("reflectance"))
    assert np.array_equal(run.read("source"), plain.read("source"))
    assert (run.read("uncertainty") == NODATA).all()
    one = every.copy()
    rows, columns = window_of(whole, 2, 2)
    one[rows.start + 5, columns.start + 7] = 0
    run = stage(tmp_path / "one", codes=one)
    source = run.read("source")[0]
    assert ((source[rows, columns] & NETWORK) > 0).all()
    assert 0 < len(moody.calls) <= 4


def test_parts_threads_and_resuming_change_nothing(done, stage, tmp_path):
    run = stage(tmp_path, f"tile.part={WINDOW}", threads=3)
    for name in ("reflectance", "source", "uncertainty"):
        assert np.array_equal(run.read(name), done.read(name)), name


def area(grid, rows=slice(300, 340), columns=slice(300, 350)):
    """The setting for a piece of `grid`; by default inside one window."""
    box = grid[rows, columns].footprint("EPSG:4326", buffer=0, npoints=8).boundingbox
    return f"tile.bbox=[{box.left}, {box.bottom}, {box.right}, {box.top}]"


@pytest.mark.parametrize("kind", ["near", "far"])
def test_ground_in_an_area_is_that_of_the_whole(
    done, stage, tmp_path, whole, labels, kind, request
):
    if kind == "far":
        request.getfixturevalue("moody")
        done = stage(tmp_path / "whole")
    for name, place_ in (
        ("across", (slice(150, 420), slice(170, 480))),
        ("inside a window", (slice(300, 340), slice(300, 350))),
    ):
        run = stage(tmp_path / name, area(whole, *place_), threads=2)
        assert max(run.grid.shape) < 330
        shown = piece_of(labels, whole, run.grid)
        ground = np.isin(shown, GROUND)
        for layer in ("reflectance", "source", "uncertainty"):
            piece = piece_of(done.read(layer), whole, run.grid)
            assert np.array_equal(run.read(layer)[:, ground], piece[:, ground]), (name, layer)


def seams(run):
    lattice = cut(run.grid, TileSettings(window=WINDOW, part=256))
    pixels = run.read("reflectance").astype(np.float32) * np.float32(0.0001)
    pixels[:, pixels[0] < -0.9] = np.nan
    total = Seams()
    total.add(pixels, (slice(0, pixels.shape[1]), slice(0, pixels.shape[2])), lattice)
    return total.result()


def test_no_seams_by_networks_of_finite_reach(done, plain):
    assert seams(done)["pairs_at_windows"] > 20_000
    assert seams(done)["windows"] < 1.05
    assert seams(plain)["windows"] < 1.05


def test_no_seams_by_networks_without(stage, tmp_path, moody, labels):
    clear = np.where(labels == 255, 255, 0).astype(np.uint8)
    run = stage(tmp_path, codes=clear)
    assert moody.calls
    assert all(shape[2:] == (512, 512) for shape in moody.calls)
    assert seams(run)["windows"] < 1.05
    image = run.read("reflectance")
    assert image[image != NODATA].max() < 25_000  # nothing of the tiles' wrong edges (3.0)


def test_snow_and_missing_pan_are_flagged(done, stage, tmp_path, moody, labels, scene, whole):
    run = stage(tmp_path / "with")
    source, spread = run.read("source")[0], run.read("uncertainty")
    there = spread[0] != NODATA
    assert np.array_equal(spread[6][there] & 1, (labels == 2)[there])
    pan = scene.present(("pan",), whole)
    assert np.array_equal((spread[6] & 2)[there] > 0, ~pan[there])
    assert np.array_equal((source & NO_PAN)[there] > 0, ~pan[there])
    image = run.read("reflectance")[:, 45:85, 105:195] * 0.0001  # snow
    widened = 2 * (0.01 + 0.1 * np.abs(image)) / 0.0001
    assert np.abs(spread[:6, 45:85, 105:195] - widened).max() < 3
    alone = stage(tmp_path / "without", area(whole), l1=False)
    assert alone.summary["pan"] is False
    source = alone.read("source")[0]
    assert ((source[source > 0] & NO_PAN) > 0).all()


def test_an_ensemble_in_any_order_is_one_result(stage, tmp_path, weights, whole):
    one = stage(tmp_path / "one", area(whole), names=weights)
    other = stage(tmp_path / "other", area(whole), names=weights[::-1])
    assert one.folder.name == other.folder.name
    assert np.array_equal(one.read("reflectance"), other.read("reflectance"))
    assert {member["name"] for member in one.summary["weights"]} == {
        "member0",
        "member1",
        "member2",
    }


def test_uncertainty_can_be_left_out(stage, tmp_path, whole):
    run = stage(tmp_path, area(whole), "harmonize.uncertainty=false")
    assert not (run.folder / "uncertainty.vrt").exists()


@pytest.mark.skipif(not native_bfloat16(), reason="this processor has no bfloat16 arithmetic")
def test_bfloat16_is_another_result_close_by(done, stage, tmp_path, whole):
    run = stage(tmp_path, area(whole), "harmonize.precision=bfloat16")
    exact = piece_of(done.read("reflectance"), whole, run.grid).astype(int)
    assert 0 < np.abs(run.read("reflectance") - exact).mean() < 30


def test_the_door_gives_the_products_ground(done, scene, whole, labels, weights):
    window = whole[100:300, 250:450]
    settings = {"method": "deep", "weights": (str(weights[0]),), "device": "cpu"}
    settings |= {"precision": "float32"}  # as the stage here
    image = nndacss.read_harmonized(scene, window, **settings)
    spread = nndacss.api.read_uncertainty(scene, window, **settings)
    ground = np.isin(piece_of(labels, whole, window), GROUND)
    for found, layer in ((image, "reflectance"), (spread, "uncertainty")):
        counts = piece_of(done.read(layer), whole, window)[:6]
        assert np.abs(found.pixels / 0.0001 - counts)[:, ground].max() <= 1
    part = nndacss.read_harmonized(scene, window, roles=REFLECTIVE[::-1], **settings)
    assert np.array_equal(part.pixels[::-1], image.pixels)


def test_the_door_says_what_does_not_fit(scene, whole, weights):
    settings = {"method": "deep", "weights": (str(weights[0]),), "device": "cpu"}
    coarse = GeoBox((20, 20), whole.affine @ whole.affine.scale(2), whole.crs)
    with pytest.raises(ValueError, match="pixels of 20 m; expected 10 m"):
        nndacss.read_harmonized(scene, coarse, **settings)
    with pytest.raises(InputError, match="bandpass; expected weights that state"):
        nndacss.api.read_uncertainty(scene, whole, method="bandpass")


def test_a_scene_without_a_band(scene, whole, weights, monkeypatch):
    monkeypatch.setattr(scene, "roles", tuple(r for r in scene.roles if r != "swir16"))
    settings = HarmonizeSettings(method="deep", weights=(str(weights[0]),), device="cpu")
    with pytest.raises(InputError, match=r"no swir16 band; expected all of blue, green"):
        deep.METHOD(scene, whole[:64, :64], settings)


def test_other_weights_than_planned_are_refused(stage, tmp_path):
    path = small_harmonizer(tmp_path, "swapped", seed=1)
    with pytest.raises(WeightsError, match=r"swapped.*as when the run was planned"):
        stage(
            tmp_path / "work",
            names=[path],
            change=lambda: small_harmonizer(tmp_path, "swapped", seed=2),
        )
