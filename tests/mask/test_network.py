"""The learned mask on scenes: what it sees, and that sharing the work never changes a pixel."""

import json
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import rasterio
from affine import Affine
from odc.geo.geobox import GeoBox

import nndacss
from nndacss.chain import plan
from nndacss.errors import InputError, LossWarning, WeightsError
from nndacss.mask import network
from nndacss.mask.settings import MaskSettings
from nndacss.mask.stage import chosen, mask_scene, windows
from nndacss.mask.weights import mask_card
from nndacss.models.card import MaskCard, load_card
from nndacss.models.mask_model import load_mask_model
from nndacss.raster import Raster
from nndacss.readers import open_scene
from nndacss.sensors import REFLECTIVE
from nndacss.settings import load_settings
from nndacss.stage import Context
from nndacss.tile.warp import warp
from tests.models.small import save_small


def settings_of(weights, **more):
    return MaskSettings(method="network", weights=str(weights), device="cpu", **more)


def run(folder, pair, weights, *overrides, threads=1, l1=True):
    """Both stages as their tasks run them; the mask's folder."""
    changes = ["mask.method=network", f"mask.weights={weights}", "mask.device=cpu", *overrides]
    planned = plan(pair.l2, pair.l1 if l1 else None, load_settings(None, changes))
    acquire, order = planned.orders["acquire"], planned.orders["mask"]
    for each in (acquire, order):
        each.save(folder)
    done = {"summary": {"scene": str(pair.l2), "l1": str(pair.l1) if l1 else None}}
    acquired = Context(acquire, folder, folder, 1).folder
    acquired.mkdir(parents=True)
    (acquired / "stage.json").write_text(json.dumps(done))
    context = Context(order, folder, folder, threads)
    context.folder.mkdir(parents=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LossWarning)
        summary = mask_scene(context)
    return context.folder, summary


def layer(folder, name):
    with rasterio.open(folder / f"{name}.vrt") as raster:
        return raster.read(), GeoBox.from_rio(raster)


@pytest.fixture(scope="module")
def masked(tmp_path_factory, pair, weights):
    folder, summary = run(tmp_path_factory.mktemp("mask"), pair, weights)
    return folder, summary


def test_a_network_with_indices_labels_a_scene_as_its_image(tmp_path, scene):
    path = save_small(tmp_path, indices=("ndvi", "ndbi"))
    settings, grid = settings_of(path), scene.level_1.grid("red")[64:192, 64:192]
    view = network.see(scene, load_card(path, MaskCard), settings)
    planes = view.read(slice(64, 192), slice(64, 192))
    red, near, short = planes[2:5]
    np.testing.assert_allclose(planes[6], (near - red) / (near + red), rtol=1e-5)
    np.testing.assert_allclose(planes[7], (short - near) / (short + near), rtol=1e-5)
    image = scene.level_1.read(REFLECTIVE)
    whole = load_mask_model(path, "cpu", threads=1)(image.pixels, metres=30).labels
    np.testing.assert_array_equal(network.mask(scene, grid, settings).labels, whole[64:192, 64:192])


def test_the_stage_gives_what_the_door_gives(masked, scene, weights):
    """The whole Level-1 scene as one array, its probabilities warped, is the stage's mask."""
    labels, grid = layer(masked[0], "labels")
    image = scene.level_1.read(REFLECTIVE)
    found = load_mask_model(weights, "cpu", threads=2)(image.pixels, metres=30)
    field = warp(found.probability, image.grid, grid, "bilinear")
    missing = np.isnan(field[0]) | ~scene.present(REFLECTIVE, grid)
    assert np.array_equal(labels[0] == 255, missing)
    margin = np.diff(np.sort(field, axis=0)[-2:], axis=0)[0]
    sure = ~missing & (margin > 1e-4)
    assert (labels[0] == field.argmax(axis=0))[sure].all()
    assert sure.mean() > 0.5
    assert len(np.unique(labels)) == 5
    steps, _ = layer(masked[0], "probability")
    assert np.abs(steps[:, ~missing] * 0.004 - field[:, ~missing]).max() < 0.0021
    assert (steps[:, missing] == 255).all()


@pytest.mark.parametrize(
    ("overrides", "threads"),
    [(("tile.part=512",), 3), (("tile.window=512", "tile.part=1024"), 2)],
)
def test_parts_and_threads_change_nothing(masked, pair, weights, tmp_path, overrides, threads):
    folder, _ = run(tmp_path, pair, weights, *overrides, threads=threads)
    for name in ("labels", "probability", "quality"):
        assert np.array_equal(layer(folder, name)[0], layer(masked[0], name)[0]), name


def area(grid, rows, columns):
    """The setting for a piece of `grid`."""
    box = grid[rows, columns].footprint("EPSG:4326", buffer=0, npoints=8).boundingbox
    return f"tile.bbox=[{box.left}, {box.bottom}, {box.right}, {box.top}]"


def piece_of(whole, grid, place):
    """The pixels of `whole` that lie on `place`."""
    at = ~grid.affine @ place.affine
    top, left = round(at.f), round(at.c)
    return whole[:, top : top + place.shape[0], left : left + place.shape[1]]


def test_an_area_is_a_piece_of_the_whole_up_to_its_edge(masked, pair, weights, tmp_path):
    whole, grid = layer(masked[0], "labels")
    folder, _ = run(tmp_path, pair, weights, area(grid, slice(300, 700), slice(200, 650)))
    piece, place = layer(folder, "labels")
    assert place.shape[0] < 500
    assert np.array_equal(piece, piece_of(whole, grid, place))


def test_the_door_for_windows_is_the_stage_too(masked, scene, weights):
    labels, grid = layer(masked[0], "labels")
    window = grid[100:300, 250:550]
    own = nndacss.read_mask(scene, window, method="network", weights=str(weights), device="cpu")
    there = labels[0, 100:300, 250:550] != 255
    assert (own == labels[0, 100:300, 250:550])[there].mean() > 0.9999


def test_growing_keeps_the_mask_as_predicted(masked, pair, weights, tmp_path):
    whole, grid = layer(masked[0], "labels")
    overrides = ["mask.dilate={cloud = 50.0}", "mask.smallest={shadow = 0.1}", "tile.window=256"]
    overrides.append(area(grid, slice(400, 600), slice(400, 600)))
    one, two = (tmp_path / name for name in ("one", "two"))
    folder, _ = run(one, pair, weights, *overrides, "tile.part=512", threads=2)
    after, place = layer(folder, "labels")
    raw, _ = layer(folder, "raw")
    before = piece_of(whole, grid, place)
    # another window size may turn the last bit of a probability
    assert (raw == before).mean() > 0.9999
    assert (after == 3).sum() > (raw == 3).sum()
    assert np.array_equal(after == 255, raw == 255)
    again, _ = run(two, pair, weights, *overrides, "tile.part=256")
    assert np.array_equal(layer(again, "labels")[0], after)


def test_the_summary_names_weights_level_and_limits(masked, weights):
    card = load_card(weights, MaskCard)
    summary = masked[1]
    assert summary["method"] == "network"
    assert summary["provisional"] is False
    assert summary["weights"]["sha256"] == card.sha256
    for word in (card.name, card.sha256[:12], "TOA", "30 m", "Random weights"):
        assert word in summary["note"]


def test_toa_where_level_1_is_there(scene, pair, weights):
    card = mask_card(weights)
    assert network.see(scene, card, settings_of(weights)).scene.level == "TOA"
    assert network.see(scene, card, settings_of(weights, level="SR")).scene.level == "SR"
    with pytest.warns(LossWarning):
        alone = open_scene(pair.l2)
    assert network.see(alone, card, settings_of(weights)).scene.level == "SR"
    with pytest.raises(InputError, match=r"found SR reflectance; expected TOA .*--l1"):
        network.see(alone, card, settings_of(weights, level="TOA"))
    only_toa = card.model_copy(update={"levels": ("TOA",)})
    with pytest.raises(InputError, match="found SR"):
        network.see(alone, only_toa, settings_of(weights))


class Msi:
    """A Sentinel-2 of numbers: 10 m visible, 20 m near infrared, odd sizes, no level 1."""

    level, losses = "TOA", ()
    identity = SimpleNamespace(name="S2A_MSIL1C_fake")

    def __init__(self, roles=("blue", "green", "red", "nir", "nir08", "swir16", "swir22")):
        self.roles = roles
        self.rng = np.random.default_rng(0)
        self.pixels = {
            role: self.rng.random(self.grid(role).shape, dtype=np.float32) for role in roles
        }

    def grid(self, role):
        size = 10 if role in ("blue", "green", "red", "nir") else 20
        shape = (101, 83) if size == 10 else (51, 42)
        return GeoBox(shape, Affine(size, 0, 600_000, 0, -size, 5_000_040), "EPSG:32632")

    def read(self, roles, grid=None, kernel="cubic"):
        bands = [warp(self.pixels[r][None], self.grid(r), grid, kernel)[0] for r in roles]
        return Raster(np.stack(bands), grid, tuple(roles))


def test_sentinel_is_averaged_to_20_m_and_not_resampled(weights):
    scene = Msi()
    view = network.see(scene, mask_card(weights), settings_of(weights))
    assert view.factor == 2
    assert view.plane.shape == (51, 42)
    pixels = view.read(slice(10, 20), slice(4, 9))
    assert np.abs(pixels[3] - scene.pixels["nir08"][10:20, 4:9]).max() < 1e-6
    red = scene.pixels["red"][20:40, 8:18].reshape(10, 2, 5, 2).mean(axis=(1, 3))
    assert np.abs(pixels[2] - red).max() < 1e-6
    edge = view.read(slice(50, 51), slice(41, 42))
    assert abs(edge[2, 0, 0] - scene.pixels["red"][100, 82]) < 1e-6  # all there is of it


def test_bands_that_are_not_there_are_missing_planes(weights):
    card = mask_card(weights)
    view = network.see(Msi(("blue", "green", "red", "nir08")), card, settings_of(weights))
    pixels = view.read(slice(0, 4), slice(0, 4))
    assert np.isnan(pixels[4:]).all()
    assert np.isfinite(pixels[:4]).all()
    with pytest.raises(InputError, match=r"no nir08.*small requires.*quality or spectral"):
        network.see(Msi(("blue", "green", "red")), card, settings_of(weights))


def test_auto(scene, weights, monkeypatch):
    other = MaskSettings(weights=str(weights))
    assert chosen(scene, other) == "network"
    monkeypatch.setattr("nndacss.mask.weights.installed", lambda name: False)
    assert chosen(scene, MaskSettings()) == "quality"
    assert chosen(scene, MaskSettings(method="spectral")) == "spectral"


def test_a_scene_without_near_infrared_falls_back(scene, weights, monkeypatch):
    monkeypatch.setattr(type(scene), "level_1", None)
    monkeypatch.setattr(scene, "roles", ("blue", "green", "red"))
    assert chosen(scene, MaskSettings(weights=str(weights))) == "quality"
    with (
        pytest.raises(InputError, match="no nir08"),
        windows(scene, "network", settings_of(weights), 1),
    ):
        pass


def test_other_weights_than_planned_are_refused(pair, weights, tmp_path, monkeypatch):
    path = save_small(tmp_path, "swapped", seed=1)
    original = plan

    def swap(*arguments):
        planned = original(*arguments)
        save_small(tmp_path, "swapped", seed=2)
        return planned

    monkeypatch.setitem(globals(), "plan", swap)
    with pytest.raises(WeightsError, match=r"as when the run was planned"):
        run(tmp_path / "work", pair, path)
