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


def write_uncertainty(folder, source, spread):
    """What a network leaves beside its image: its source bits, deviations and flags."""
    with rasterio.open(folder / "source.vrt") as raster:
        place = {"height": raster.height, "width": raster.width}
        place |= {"transform": raster.transform, "crs": raster.crs, "driver": "GTiff"}
    (folder / "source.vrt").unlink()
    with rasterio.open(
        folder / "source.vrt", "w", dtype="uint8", count=1, nodata=0, **place
    ) as file:
        file.write(source[None])
    with rasterio.open(
        folder / "uncertainty.vrt", "w", dtype="int16", count=7, nodata=-9999, **place
    ) as file:
        file.write(spread)


@pytest.mark.parametrize("ground", [True, False])
def test_uncertainty_is_carried_along_and_told(scene, product, tmp_path, truth, ground):
    context = write_stages(tmp_path, scene, {})
    folder = context.input("harmonize")[0]
    done = json.loads((folder / "stage.json").read_text())
    member = {"name": "net_v1", "sha256": "ab" * 32, "family": "detail", "notes": ["A limit."]}
    more = {"method": "deep", "weights": [member], "precision": "float32", "forced": False}
    done["summary"] |= more
    (folder / "stage.json").write_text(json.dumps(done))
    network = (truth == 0) | (truth == 2) if ground else np.zeros_like(truth, dtype=bool)
    source = np.where(truth == 255, 0, np.where(network, 2, 17)).astype(np.uint8)
    spread = np.full((7, *truth.shape), -9999, dtype=np.int16)
    for index in range(6):
        spread[index, network] = 40 + index
    spread[6, network] = (truth == 2)[network]
    write_uncertainty(folder, source, spread)
    make_product(context)
    plain = json.loads((product / "report.json").read_text())["consistency"]["bands"]["red"]
    product = context.output / context.order.target
    with rasterio.open(product / f"{NAME}_sr_uncertainty.tif") as raster:
        assert np.array_equal(raster.read(), spread)
        assert raster.scales == (*(0.0001,) * 6, 1.0)
        assert raster.nodata == -9999
        assert raster.descriptions[5:] == ("swir22", "flags")
        assert raster.tags(7) == {"BIT_0": "snow", "BIT_1": "no_pan"}
        half = raster.read(7, out_shape=tuple(-(-size // 2) for size in truth.shape))
        assert set(np.unique(half)) <= {-9999, 0, 1}  # flags are not averaged
    numbers = json.loads((product / "report.json").read_text())
    valid = truth != 255
    assert numbers["sources"]["network"] == pytest.approx(network.sum() / valid.sum(), abs=1e-5)
    assert numbers["sources"]["bandpass"] == pytest.approx(
        (valid & ~network).sum() / valid.sum(), abs=1e-5
    )
    page = (product / "report.html").read_text()
    item = json.loads((product / "item.json").read_text())
    assert item["properties"]["nndacss:harmonizer"]["members"][0]["sha256"] == "ab" * 32
    assert "A limit." in item["properties"]["nndacss:limits"]
    bands = item["assets"]["uncertainty"]["bands"]
    assert bands[0]["raster:scale"] == 0.0001
    assert "raster:scale" not in bands[6]
    assert [field["name"] for field in bands[6]["classification:bitfields"]] == ["snow", "no_pan"]
    assert "net_v1" in page
    assert "abababababab" in page
    compared = numbers["consistency"]["bands"]["red"]["pixels"]
    if ground:
        assert numbers["uncertainty"]["swir22"] == pytest.approx(0.0045, abs=1e-6)
        share = network.sum() / valid.sum()
        assert compared / plain["pixels"] == pytest.approx(share, abs=0.05)  # overlaps count twice
    else:
        assert numbers["uncertainty"]["swir22"] is None
        assert compared == 0
        assert "so no network ran" in page


def test_an_output_root_that_is_a_file_is_named(chain, tmp_path):
    root = tmp_path / "taken"
    root.write_text("a file")
    with pytest.raises(OutputError, match="taken"):
        make_product(replace(chain, output=root))
