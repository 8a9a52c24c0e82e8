"""The stage: item last, what exists is kept, and the same product after a crash."""

from __future__ import annotations

import json
import os
from dataclasses import replace

import numpy as np
import pytest
import rasterio

from nndacss.errors import OutputError
from nndacss.product import publish
from nndacss.product.compare import differences
from nndacss.product.stage import make_product
from tests.product.conftest import NAME, write_stages


def test_a_finished_product_is_kept(chain, product):
    before = {path: path.stat().st_mtime_ns for path in product.iterdir()}
    assert make_product(chain) == {"product": product.name, "kept": True}
    assert {path: path.stat().st_mtime_ns for path in product.iterdir()} == before


def test_no_draft_and_no_scratch_file_stays(chain, product):
    assert not [path for path in product.iterdir() if path.name.startswith(".")]
    assert not list(chain.folder.iterdir())


def test_the_item_is_written_last(chain, product):
    item = (product / "item.json").stat().st_mtime_ns
    assert all(path.stat().st_mtime_ns <= item for path in product.iterdir())


def test_after_a_crash_it_goes_on_and_is_the_same(chain, product, tmp_path, monkeypatch):
    again = replace(chain, output=tmp_path, threads=1)
    folder = tmp_path / product.name

    def crash(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(publish.quicklook, "save", crash)
        with pytest.raises(KeyboardInterrupt):
            make_product(again)
    assert not (folder / "item.json").exists()
    image = folder / f"{NAME}_sr_reflectance.tif"
    written = image.stat().st_mtime_ns
    mask = folder / f"{NAME}_sr_mask.tif"
    mask.write_bytes(mask.read_bytes()[:-200])  # as a full disk or a power cut leaves it
    draft = folder / f".draft-{os.uname().nodename}-999999999-0-x.tif"
    draft.write_bytes(b"left by a killed process")
    make_product(again)
    assert image.stat().st_mtime_ns == written
    assert not draft.exists()
    assert differences(product, folder) == []


def test_a_second_mask_file_in_another_coding(scene, patched, tmp_path):
    context = write_stages(tmp_path, scene, {"product": {"mask_format": "scl"}})
    make_product(context)
    folder = context.output / context.order.target
    assert (folder / f"{NAME}_sr_scl.tif").exists()
    assert '"scl"' in (folder / "item.json").read_text()


def test_probabilities_are_carried_along(scene, patched, tmp_path):
    """A mask stage that has them lays a four-band raster beside its labels."""
    context = write_stages(tmp_path, scene, {})
    mask = context.input("mask")[0]
    with rasterio.open(mask / "labels.vrt") as labels:
        shape, transform, crs = labels.shape, labels.transform, labels.crs
    codes = np.random.default_rng(4).integers(0, 251, (4, *shape)).astype(np.uint8)
    codes[:, :40, :40] = 255
    kind = {"driver": "GTiff", "dtype": "uint8", "count": 4, "nodata": 255}
    size = {"height": shape[0], "width": shape[1], "transform": transform, "crs": crs}
    with rasterio.open(mask / "probability.vrt", "w", **kind, **size) as raster:
        raster.write(codes)
    make_product(context)
    folder = context.output / context.order.target
    with rasterio.open(folder / f"{NAME}_sr_probability.tif") as raster:
        assert np.array_equal(raster.read(), codes)
        assert raster.descriptions == ("clear", "shadow", "snow", "cloud")
        assert raster.scales == (0.004,) * 4
        assert raster.nodata == 255
    asset = json.loads((folder / "item.json").read_text())["assets"]["probability"]
    assert asset["raster:scale"] == 0.004
    assert [band["name"] for band in asset["bands"]] == ["clear", "shadow", "snow", "cloud"]


def test_an_output_root_that_is_a_file_is_named(chain, tmp_path):
    root = tmp_path / "taken"
    root.write_text("a file")
    with pytest.raises(OutputError, match="taken"):
        make_product(replace(chain, output=root))
