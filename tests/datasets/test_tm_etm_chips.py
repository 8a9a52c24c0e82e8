"""Landsat-5 and -7 images of other sensors: what their codes mean, and where bands go."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from nndacss.datasets.tm_etm_chips import TmEtmChips
from nndacss.errors import DatasetError
from tests.datasets.examples import tm_etm


def test_codes_and_bands(tmp_path: Path) -> None:
    dataset = TmEtmChips(**tm_etm(tmp_path))
    assert dataset.names() == ("landsat7",)
    sample = dataset.load("landsat7")
    # shadow, water and land are clear, snow, cloud
    assert sample.sets.tolist() == [[2, 1, 4], [1, 8, 1]]
    assert sample.roles[3] == "nir"
    np.testing.assert_allclose(sample.pixels[:, 1, 2], [0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    assert sample.sensor == "landsat7_etm"


def test_some_bands_in_the_order_asked_for(tmp_path: Path) -> None:
    options = tm_etm(tmp_path)
    whole = TmEtmChips(**options).load("landsat7")
    some = TmEtmChips(**options, roles=("nir", "blue")).load("landsat7")
    assert some.roles == ("nir", "blue")
    np.testing.assert_array_equal(some.pixels, whole.pixels[[3, 0]])
    np.testing.assert_array_equal(some.sets, whole.sets)
    with pytest.raises(ValidationError, match="choose from blue, green"):
        TmEtmChips(**options, roles=("nir08",))


def test_an_unknown_code_and_another_size_are_errors(tmp_path: Path) -> None:
    image = np.zeros((2, 2, 6), dtype=np.float32)
    np.savez(tmp_path / "landsat5.npz", img=image, msk=np.full((2, 2, 1), 7, dtype=np.uint8))
    with pytest.raises(DatasetError, match=r"landsat5\.npz: found label codes \[7\]"):
        TmEtmChips(folder=tmp_path).load("landsat5")
    np.savez(tmp_path / "landsat5.npz", img=image, msk=np.zeros((3, 2, 1), dtype=np.uint8))
    with pytest.raises(DatasetError, match=r"landsat5\.npz: found img"):
        TmEtmChips(folder=tmp_path).load("landsat5")


def test_the_real_images(shared_data: Callable[[str], Path]) -> None:
    dataset = TmEtmChips(folder=shared_data("labelled-other-sensors"))
    sample = dataset.load("landsat5")
    counts = {int(code): int((sample.sets == code).sum()) for code in np.unique(sample.sets)}
    assert counts == {1: 2698 + 113029, 2: 60488, 8: 85929}
    clouds = sample.sets == 8
    # cloud is brighter than shadow in every band: bands and labels lie on each other
    assert (sample.pixels[:, clouds].mean(1) > 2 * sample.pixels[:, sample.sets == 2].mean(1)).all()
