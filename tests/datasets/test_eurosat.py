"""EuroSAT's patches: bands in the archive's order, classes by folder."""

import numpy as np
import pytest
import rasterio

from nndacss.datasets.eurosat import EuroSAT
from nndacss.errors import DatasetError
from nndacss.labels.eurosat import FOLDERS, SCHEME
from tests.datasets.eurosat_files import NUMBERS, eurosat


def test_bands_and_classes(tmp_path):
    dataset = EuroSAT(**eurosat(tmp_path))
    assert dataset.names() == ("Forest_1", "SeaLake_1")
    sample = dataset.load("SeaLake_1")
    # B8A is the last of a file's bands, and B09 and B10 come before B11
    for role, number in (("blue", 1100), ("nir", 2300), ("nir08", 2600), ("swir16", 1800)):
        band = sample.pixels[sample.roles.index(role)]
        np.testing.assert_allclose(band, number / 10000, atol=0.002)
    assert set(np.unique(sample.sets)) == {1 << SCHEME.classes.index("sea_lake")}
    assert dataset.scene("Forest_1") == "Forest_1"
    assert len(FOLDERS) == len(SCHEME.classes) == len(SCHEME.colours) == 10
    assert len(NUMBERS) == 13


def test_what_is_no_such_archive(tmp_path):
    with pytest.raises(DatasetError, match="AnnualCrop, Forest, "):
        EuroSAT(folder=tmp_path / "empty").names()
    place = tmp_path / "rgb" / "Forest"
    place.mkdir(parents=True)
    profile = {"count": 3, "height": 4, "width": 4, "dtype": "uint16"}
    with rasterio.open(place / "Forest_1.tif", "w", "GTiff", **profile) as raster:
        raster.write(np.ones((3, 4, 4), dtype=np.uint16))
    with pytest.raises(DatasetError, match=r"Forest_1\.tif: found 3 bands.*EuroSAT_MS"):
        EuroSAT(folder=tmp_path / "rgb").load("Forest_1")
    eurosat(tmp_path / "twice" / "a")
    eurosat(tmp_path / "twice" / "b")
    with pytest.raises(DatasetError, match="one version"):
        EuroSAT(folder=tmp_path / "twice").names()
