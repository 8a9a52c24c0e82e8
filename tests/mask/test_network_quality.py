"""The default weights on the twin: do they know cloud and shadow where the truth is known?

Loose floors, far below what the weights reach: a broken band order, scaling, class order or
lattice falls through them, a slightly worse training does not. The floor for shadow is
low because the truth counts the faint shadows of veils.
"""

import numpy as np
import pytest
import rasterio

from nndacss.labels.climate import Climate
from nndacss.mask.settings import DEFAULT_WEIGHTS
from nndacss.mask.weights import installed
from nndacss.models.card import MaskCard, load_card
from nndacss.models.mask_model import load_mask_model
from nndacss.models.tiled import SIDE, Axis
from nndacss.readers import open_scene
from nndacss.resources import folder
from nndacss.sensors import REFLECTIVE
from nndacss.simulate.landsat import write_landsat

pytestmark = pytest.mark.skipif(
    not installed(DEFAULT_WEIGHTS), reason=f"checkpoints/ has no {DEFAULT_WEIGHTS} yet"
)


@pytest.fixture(scope="module")
def twin(tmp_path_factory):
    """TOA pixels of a simulated scene that no training used, and its truth."""
    pair = write_landsat(
        tmp_path_factory.mktemp("twin"), seed=90_001, rows=448, columns=448, cover=0.35
    )
    with rasterio.open(pair.truth) as raster:
        truth = raster.read(1)
    return open_scene(pair.l1).read(REFLECTIVE).pixels, truth


@pytest.fixture(scope="module")
def model():
    return load_mask_model(device="cpu")


def iou(labels, truth, code):
    known = (truth != Climate.NODATA) & (labels != Climate.NODATA)
    ours, theirs = (labels == code) & known, (truth == code) & known
    return (ours & theirs).sum() / max((ours | theirs).sum(), 1)


@pytest.mark.parametrize(
    ("roles", "cloud", "shadow"), [(REFLECTIVE, 0.7, 0.15), (REFLECTIVE[:4], 0.6, 0.1)]
)
def test_it_knows_cloud_and_shadow(twin, model, roles, cloud, shadow):
    pixels, truth = twin
    labels = model(pixels[: len(roles)], roles, 30).labels
    assert iou(labels, truth, Climate.CLOUD) > cloud
    assert iou(labels, truth, Climate.SHADOW) > shadow


def test_the_same_ground_at_ten_metres(twin, model):
    """Finer pixels of the same image are averaged back: nearly the same labels."""
    pixels, _ = twin
    coarse = pixels[:, :192, :192]
    fine = coarse.repeat(3, axis=1).repeat(3, axis=2)
    at_30 = model(coarse, metres=30).labels
    at_10 = model(fine, metres=10).labels[1::3, 1::3]
    assert (at_30 == at_10).mean() > 0.85


def test_no_seams(twin, model):
    """Steps where tiles begin and end to count against steps one period of the network away."""
    pixels, _ = twin
    field = model(pixels, metres=30).probability
    axis = Axis(448)
    edges = {edge for pair in axis.reach for edge in pair}
    borders = [at + near for at in edges for near in (-1, 0) if 40 <= at < axis.size - 41]
    away = [at + far for at in borders for far in (-32, -16, 16, 32)]
    steps = [
        np.nanmean(np.abs(np.diff(field, axis=1)), axis=(0, 2)),
        np.nanmean(np.abs(np.diff(field, axis=2)), axis=(0, 1)),
    ]
    at_borders, elsewhere = (np.mean([step[at] for step in steps]) for at in (borders, away))
    assert axis.size > SIDE
    assert at_borders / elsewhere < 1.05


def test_the_card_tells_what_a_user_must_know():
    card = load_card(DEFAULT_WEIGHTS, MaskCard)
    size = (folder("checkpoints") / f"{DEFAULT_WEIGHTS}.safetensors").stat().st_size
    assert size <= 15e6
    assert card.licence
    assert card.scores
    assert any("simulated" in sentence for sentence in card.notes)
