"""Small weights and a small simulated scene for the mask's tests."""

from __future__ import annotations

import warnings

import pytest

from nndacss.errors import LossWarning
from nndacss.readers import open_scene
from nndacss.simulate.landsat import write_landsat
from tests.models.small import save_small


@pytest.fixture(scope="session")
def weights(tmp_path_factory):
    """A small network with random weights: its card's path."""
    return save_small(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="session")
def pair(tmp_path_factory):
    """A simulated scene of about 1,000 x 1,000 pixels at 10 m, with a corner of fill."""
    return write_landsat(
        tmp_path_factory.mktemp("scenes"), seed=5, rows=330, columns=340, swath=12.0
    )


@pytest.fixture(scope="session")
def scene(pair):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LossWarning)
        return open_scene(pair.l2, pair.l1)
