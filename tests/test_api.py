"""The Python door on a real crop: what it gives is what the stages write."""

import numpy as np
import pytest

import nndacss
import nndacss.errors
from nndacss.readers.scene import Scene


@pytest.fixture
def scene(shared_data, tmp_path) -> Scene:
    folder = shared_data("landsat-c2-crops")
    with pytest.warns(nndacss.errors.LossWarning):
        return nndacss.open_scene(
            folder / "LC08_L2SP_218074_20190114_20200829_02_T1-cropped.tar.gz"
        )


def test_the_door(scene):
    grid = nndacss.output_grid(scene)
    assert grid.crs.epsg == 32723  # southern scene, Sentinel-2's zone
    window = grid[300:340, 500:560]
    image = nndacss.read_harmonized(scene, window, target="sentinel-2b")
    assert image.pixels.shape == (6, 40, 60)
    assert 0 < np.nanmedian(image.band("nir08")) < 0.6
    labels = nndacss.read_mask(scene, window, method="spectral")
    assert labels.shape == (40, 60)
    assert set(np.unique(labels)) <= {0, 1, 2, 3, 255}


def test_unknown_settings_are_refused(scene):
    with pytest.raises(ValueError, match="sharpness"):
        nndacss.read_harmonized(scene, nndacss.output_grid(scene)[:8, :8], sharpness=3)
