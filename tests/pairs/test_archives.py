"""Real images: bilinear interpolation undone, band orders, and what is no such archive."""

import h5py
import numpy as np
import pytest
import rasterio
import torch
from affine import Affine

from nndacss.errors import DatasetError
from nndacss.pairs import archives


def write_chip(path, coarse, fine, bands=12):
    """A chip as its makers write it: 20 m bands by PyTorch's bilinear interpolation."""
    rows, columns = fine.shape[1:]
    everything = np.full((bands, rows, columns), 500.0)
    up = torch.nn.functional.interpolate(
        torch.from_numpy(coarse)[None], scale_factor=2, mode="bilinear", align_corners=False
    )[0].numpy()
    everything[1:4] = fine
    for band, values in zip((8, 10, 11), up, strict=True):
        if band < bands:
            everything[band] = values
    profile = {"driver": "GTiff", "dtype": "uint16", "count": bands}
    profile["transform"] = Affine(60, 0, 0, 0, -60, 0)  # wrong, as in the archive
    with rasterio.open(path, "w", width=columns, height=rows, **profile) as file:
        file.write(np.rint(everything).astype(np.uint16))


def chips(folder, size=24):
    folder.mkdir(exist_ok=True)
    draw = np.random.default_rng(2)
    coarse = draw.integers(300, 4000, (3, size // 2, size // 2)).astype(np.float64)
    fine = draw.integers(100, 3000, (3, size, size)).astype(np.float64)
    write_chip(folder / "chip_a.tif", coarse, fine)
    return coarse, fine


def test_interpolation_is_undone(tmp_path):
    coarse, fine = chips(tmp_path)
    found = archives.files("l2a_chips", tmp_path)
    assert list(found) == ["chip_a"]
    image = archives.read("l2a_chips", found["chip_a"])
    np.testing.assert_allclose(image.ten, fine / 1e4, atol=1e-7)
    np.testing.assert_allclose(image.twenty, coarse / 1e4, atol=1.5e-4)
    assert image.level == "SR"


def test_real_chips_are_bilinear(shared_data):
    """What is undone is what was done: interpolated again, all chips come back to the count."""
    known = archives.files("l2a_chips", shared_data("sentinel2-l2a-chips"))
    for name in list(known)[:6]:
        image = archives.read("l2a_chips", known[name])
        with rasterio.open(known[name][0]) as file:
            stored = file.read([9, 11, 12]).astype(np.float64)
        again = torch.nn.functional.interpolate(
            torch.from_numpy(image.twenty * 1e4)[None], scale_factor=2, mode="bilinear"
        )[0].numpy()
        assert np.abs(again - stored).mean() < 0.3


def test_bands_of_the_real_images(shared_data):
    """Air makes blue the brightest of dark pixels, plants make nir08 the brightest of all."""
    for kind, folder in (("multires", "sentinel2-l1c-multires"), ("granule", "sentinel2-l1c-jp2")):
        for paths in archives.files(kind, shared_data(folder)).values():
            image = archives.read(kind, paths)
            blue, green, red = np.percentile(image.ten, 0.5, axis=(1, 2))
            assert blue > green > red
            nir, swir16, swir22 = image.twenty.mean((1, 2))
            assert nir > swir16 > swir22
            assert image.ten.shape[1] == 2 * image.twenty.shape[1]
            assert image.level == "TOA"
            # the same ground in both: green at 20 m follows swir22
            coarse = image.ten[1].reshape(*image.twenty.shape[1:][:1], 2, -1, 2).mean((1, 3))
            assert np.corrcoef(coarse.ravel(), image.twenty[2].ravel())[0, 1] > 0.5


def test_what_is_no_archive(tmp_path):
    with pytest.raises(DatasetError, match="no such folder"):
        archives.files("l2a_chips", tmp_path / "nowhere")
    with pytest.raises(DatasetError, match=r"found no \*\.mat"):
        archives.files("multires", tmp_path)
    write_chip(tmp_path / "few.tif", np.ones((3, 4, 4)), np.ones((3, 8, 8)), bands=4)
    with pytest.raises(DatasetError, match=r"few\.tif: found 4 bands; expected the 12 bands"):
        archives.read("l2a_chips", [tmp_path / "few.tif"])
    (tmp_path / "broken.tif").write_bytes(b"II*\0")
    with pytest.raises(DatasetError, match=r"broken\.tif"):
        archives.read("l2a_chips", [tmp_path / "broken.tif"])
    with h5py.File(tmp_path / "a.mat", "w") as file:
        file["im10"], file["im20"] = np.ones((4, 8, 8)), np.ones((6, 5, 4))
    with pytest.raises(DatasetError, match=r"a\.mat: found 8 x 8 pixels of 10 m and 5 x 4 of 20 m"):
        archives.read("multires", [tmp_path / "a.mat"])
    (tmp_path / "x_B02.jp2").write_bytes(b"")
    with pytest.raises(DatasetError, match=r"x_B03\.jp2: found no such file"):
        archives.files("granule", tmp_path)
