"""Neighbouring chips look alike: a split by chip flatters, a split by tile does not.

Shown on the stand-in over real labels, three chips a tile, with a classifier that only remembers:
the class of the nearest known red, green and blue.
"""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from nndacss.datasets.landcovernet import LandCoverNet
from nndacss.labels import NODATA
from nndacss.labels.sets import to_labels
from nndacss.samples.split import folds
from nndacss.simulate.landcover import write_landcovernet

FOLDS = 5
#: Every so many labelled pixels are looked at.
STEP = 29


def pixels_of(dataset, name):
    """Spectra and classes of some labelled pixels that most people agreed on."""
    sample = dataset.load(name)
    labels = to_labels(sample.sets)
    known = (labels != NODATA) & ~np.isnan(sample.pixels).any(axis=0) & (sample.weight > 0.8)
    return sample.pixels[:, known].T[::STEP], labels[known][::STEP]


def accuracy(folder, split):
    """Of the nearest neighbour's class, over all folds."""
    bands = ("B02", "B03", "B04")
    dataset = LandCoverNet(folder=folder, split=split, clouds_missing=True, bands=bands)
    place = folds({dataset.scene(name) for name in dataset.names()}, FOLDS, seed=0)
    chips = {name: pixels_of(dataset, name) for name in dataset.names()}
    right = []
    for fold in range(FOLDS):
        held = [name for name in chips if place[dataset.scene(name)] == fold]
        rest = [name for name in chips if name not in held]
        spectra, classes = (np.concatenate([chips[name][k] for name in rest]) for k in (0, 1))
        nearest = cKDTree(spectra).query(np.concatenate([chips[name][0] for name in held]))[1]
        right.append(classes[nearest] == np.concatenate([chips[name][1] for name in held]))
    return float(np.concatenate(right).mean())


@pytest.mark.slow
def test_a_split_by_chip_shows_its_leak(shared_data, tmp_path):
    labels = shared_data("landcovernet")
    archive = write_landcovernet(tmp_path / "stand-in", labels=labels, chips=30, dates=1)
    by_chip, by_tile = accuracy(archive, "chip"), accuracy(archive, "tile")
    assert by_tile > 0.5  # there is something to learn: chance is 0.14
    assert by_chip > by_tile + 0.03
