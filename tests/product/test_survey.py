"""The pass over all pixels: every block once, overviews like those of the whole raster."""

from __future__ import annotations

import numpy as np
import rasterio

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
    seen = np.zeros((700, 640), dtype=int)
    origin = rasterio.open(sources[0].path).transform

    def count(grid, pixels):
        column, row = (round(part) for part in ~origin @ (grid.affine.c, grid.affine.f))
        seen[row : row + grid.shape[0], column : column + grid.shape[1]] += 1
        assert pixels["mask"].shape[1:] == tuple(grid.shape)

    with module.survey(sources, sources[:2], tmp_path, 2, count, lambda _: None) as files:
        table = np.zeros(256, dtype=np.uint8)
        table[[0, 1, 2, 3, 255]] = 0, 8, 16, 2, 255
        for source, made in zip(sources, files, strict=True):
            whole = read(source.path)
            whole = table[whole] if source.sheet.recode else whole
            for path, expected in zip(made, halvings(whole, source.sheet, 4), strict=True):
                assert np.array_equal(read(path), expected), (source.sheet.thing, path)
    assert (seen == 1).all()
    assert list(tmp_path.iterdir()) == []


BLOCKS = module.blocks
