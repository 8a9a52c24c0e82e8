"""The pass over all pixels: every block once, overviews like those of the whole raster."""

from __future__ import annotations

import numpy as np

from nndacss.product import sheets
from nndacss.product import survey as module
from nndacss.product.pyramid import chain as halvings
from nndacss.product.sheets import Source
from tests.product.conftest import read


def test_overviews_equal_those_of_the_whole_raster(tmp_path, chain, monkeypatch):
    monkeypatch.setattr(module, "BLOCK", 128)
    monkeypatch.setattr(module, "blocks", lambda shape, size=128: BLOCKS(shape, size))
    monkeypatch.setattr(module, "levels", lambda *_: 4)
    harmonize, mask = chain.input("harmonize")[0], chain.input("mask")[0]
    roles = ("blue", "green", "red", "nir08", "swir16", "swir22")
    sources = [
        Source(sheets.reflectance(roles, "SR"), harmonize / "reflectance.vrt"),
        Source(sheets.mask(), mask / "labels.vrt"),
        Source(sheets.recoded("fmask"), mask / "labels.vrt"),
    ]
    seen = []

    def count(pixels):
        assert pixels["mask"].shape[1:] == pixels["reflectance"].shape[1:]
        joint = pixels["mask"][0].astype(np.int64) * 65536 + pixels["reflectance"][2]
        seen.append(joint.ravel())

    with module.survey(sources, sources[:2], tmp_path, 2, count, lambda _: None) as files:
        table = np.zeros(256, dtype=np.uint8)
        table[[0, 1, 2, 3, 255]] = 0, 8, 16, 2, 255
        for source, made in zip(sources, files, strict=True):
            whole = read(source.path)
            whole = table[whole] if source.sheet.recode else whole
            for path, expected in zip(made, halvings(whole, source.sheet, 4), strict=True):
                assert np.array_equal(read(path), expected), (source.sheet.thing, path)
    every = read(sources[1].path)[0].astype(np.int64) * 65536 + read(sources[0].path)[2]
    assert np.array_equal(np.sort(np.concatenate(seen)), np.sort(every.ravel()))
    assert list(tmp_path.iterdir()) == []


BLOCKS = module.blocks
