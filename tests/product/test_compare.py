"""The comparison: blind to times, and to nothing else."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import rasterio

from nndacss.product.compare import main
from tests.product.conftest import NAME


@pytest.fixture
def copy(product, tmp_path):
    target = tmp_path / "copy"
    shutil.copytree(product, target)
    return target


def edit_json(path, change):
    value = json.loads(path.read_text())
    change(value)
    path.write_text(json.dumps(value))


def test_a_copy_is_the_same(product, copy, capsys):
    assert main([str(product), str(copy)]) == 0
    assert capsys.readouterr().out == "the same product\n"


def test_times_do_not_count(product, copy):
    def later(item):
        for key in ("created", "updated", "processing:datetime"):
            item["properties"][key] = "2030-01-01T00:00:00Z"

    edit_json(copy / "item.json", later)
    edit_json(copy / "report.json", lambda numbers: numbers["seconds"].update(product=99.0))
    page = (copy / "report.html").read_text()
    start = page.index("<!--volatile-->")
    changed = page[:start] + page[start:].replace(" s</data>", "7 s</data>")
    assert changed != page
    (copy / "report.html").write_text(changed)
    assert main([str(product), str(copy)]) == 0


def test_one_pixel_is_seen(product, copy, capsys):
    path = copy / f"{NAME}_sr_mask.tif"
    with rasterio.open(path) as raster:
        pixels, profile, tags = raster.read(), raster.profile, raster.tags(1)
    assert tags
    pixels[0, 350, 320] = (pixels[0, 350, 320] + 1) % 4
    path.unlink()
    with rasterio.open(path, "w", **profile) as raster:
        raster.write(pixels)
    assert main([str(product), str(copy)]) == 1
    assert f"{path.name}: the bytes differ" in capsys.readouterr().out


def test_one_byte_of_a_picture_is_seen(product, copy, capsys):
    path = copy / f"{NAME}_sr_after.png"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert main([str(product), str(copy)]) == 1
    assert path.name in capsys.readouterr().out


@pytest.mark.parametrize(
    ("file", "change", "words"),
    [
        ("item.json", lambda v: v["properties"].update({"eo:cloud_cover": 1}), "eo:cloud_cover"),
        ("item.json", lambda v: v["bbox"].append(0), "bbox"),
        ("report.json", lambda v: v["seams"].pop("windows"), "seams.windows is in one only"),
        ("report.json", lambda v: v["cover"].update(valid=True), "cover.valid is"),
        ("report.json", lambda v: v["losses"].append("more"), "losses"),
    ],
)
def test_a_number_is_seen(product, copy, capsys, file, change, words):
    edit_json(copy / file, change)
    assert main([str(product), str(copy)]) == 1
    out = capsys.readouterr().out
    assert file in out
    assert words in out


def test_a_missing_and_a_further_file_are_seen(product, copy, capsys):
    (copy / "report.html").unlink()
    (copy / "notes.txt").write_text("mine")
    assert main([str(product), str(copy)]) == 1
    out = capsys.readouterr().out
    assert "report.html: only in" in out
    assert "notes.txt: only in" in out


def test_what_is_no_product_is_an_error(product, copy, tmp_path, capsys):
    (copy / "item.json").unlink()
    for other in (copy, tmp_path / "none"):
        assert main([str(product), str(other)]) == 2
        assert "error:" in capsys.readouterr().err
    shutil.copy(product / "item.json", copy)
    (copy / "report.json").write_text("{ not json")
    assert main([str(product), str(copy)]) == 2
    assert np.size(capsys.readouterr().err) == 1
