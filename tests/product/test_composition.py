"""Composed products: as the composition library has it, and nothing else is touched."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import rasterio
from rasterio.windows import Window

from nndacss.compose.by_class import by_class
from nndacss.compose.options import ComposeOptions
from nndacss.compose.views import Views
from nndacss.harmonize.result import quantize
from nndacss.product import composition as module
from nndacss.product.composition import Composition, compose_product
from nndacss.product.inputs import gather
from nndacss.product.sheets import Source
from nndacss.product.stage import make_product
from nndacss.sensors import REFLECTIVE
from nndacss.tile.parts import parts
from tests.product.conftest import NAME, grid_10m, read, write_stages

#: Row and column of the grid's first pixel, counted from map (0, 0), southwards.
CORNER = (-499_990, 50_010)
#: Fourier blocks are 128 pixels, so a pixel depends on so many around it.
REACH = 127
#: settings of the product -> options of the library that do the same
WAYS = {
    "fourier": ({"compose": "fourier"}, {"adapted": "fourier"}),
    "a lower cut-off": (
        {"compose": "fourier", "cutoff": 400},
        {"adapted": "fourier", "fourier": {"cutoff": 400, "block": 2400}},
    ),
    "landsat": ({"compose": "landsat"}, {"adapted": "bicubic"}),
    "feathered": (
        {"compose": "landsat", "feather": 60},
        {"adapted": "bicubic", "feather": 60},
    ),
}


def write(path, pixels, grid, nodata):
    """A plain raster, also in the place of a mosaic."""
    path.unlink(missing_ok=True)
    place = {"transform": grid.affine, "crs": "EPSG:32632", "driver": "GTiff", "nodata": nodata}
    size = {"height": grid.shape[0], "width": grid.shape[1], "count": len(pixels)}
    with rasterio.open(path, "w", dtype=pixels.dtype, **place, **size) as file:
        file.write(pixels)


@pytest.fixture(scope="module")
def before(tmp_path_factory, scene, truth, patched):
    """Stages whose image differs from Landsat's: sharper, clouds dulled, a hole; and the rest."""
    context = write_stages(tmp_path_factory.mktemp("composed"), scene, {})
    folder = context.input("harmonize")[0]
    counts = read(folder / "reflectance.vrt")
    rng = np.random.default_rng(11)
    sharper = counts + rng.integers(-150, 150, counts.shape)
    sharper = np.where(truth == 3, sharper * 0.8, sharper).astype(np.int16)
    counts = np.where(counts == -9999, counts, sharper)
    counts[:, 100:112, 230:260] = -9999  # in the cloud
    source = np.where(truth == 3, 17, 2).astype(np.uint8)
    source[:, 300:] += 8
    source[counts[0] == -9999] = 0
    spread = np.full((7, *truth.shape), 40, dtype=np.int16)
    spread[6] = 2
    spread[:, source % 8 != 2] = -9999
    write(folder / "uncertainty.vrt", spread, grid_10m(), -9999)
    write(folder / "reflectance.vrt", counts, grid_10m(), -9999)
    write(folder / "source.vrt", source[None], grid_10m(), 0)
    return context, counts, source, spread


def context_for(before, settings, root=None):
    """The same stages before, another product."""
    context = before[0]
    recipe = replace(context.order.recipe, settings={"product": settings})
    context = replace(context, order=replace(context.order, recipe=recipe))
    if root is not None:
        context = replace(context, output=root)
    context.order.save(context.work)
    context.folder.mkdir(parents=True, exist_ok=True)
    return context


def composed(before, settings):
    """Reflectance, source and uncertainty as they would be written."""
    context = context_for(before, settings)
    made = compose_product(context, gather(context), 0.2)
    return [read(made.raster(thing).path) for thing in ("reflectance", "source", "uncertainty")]


def at_once(scene, counts, truth, changes):
    """The library on the whole image: counts, and which pixels it changed."""
    missing = counts[0] == -9999
    pixels = np.where(missing, np.nan, counts / 1e4).astype(np.float32)
    labels = np.where(missing, 255, truth).astype(np.uint8)
    landsat = scene.read(REFLECTIVE, grid_10m()).pixels
    views = Views(landsat, pixels, labels, 10.0, CORNER)
    result = by_class(views, ComposeOptions.model_validate(changes), None)
    return quantize(result.pixels), result.changed


@pytest.mark.parametrize("way", WAYS)
def test_pixels_are_those_of_the_library_and_the_rest_is_untouched(before, scene, truth, way):
    _, counts, source, spread = before
    settings, changes = WAYS[way]
    wanted, changed = at_once(scene, counts, truth, changes)
    found, made, stated = composed(before, settings)
    core = np.isin(truth, (1, 3)) & (counts[0] != -9999)
    assert core.sum() > 40_000
    if way == "feathered":
        assert 3000 < (changed & ~core).sum() < 20_000
    else:
        np.testing.assert_array_equal(changed, core)
    off = np.abs(found.astype(int) - wanted)[:, changed]
    assert off.max() <= 1  # sums of floats in another order
    assert (off == 0).mean() > 0.999
    moved = (found != counts).any(axis=0)
    assert moved[core].mean() > 0.99
    np.testing.assert_array_equal(found[:, ~changed], counts[:, ~changed])
    np.testing.assert_array_equal(made[0][~changed], source[~changed])
    if settings["compose"] == "fourier":
        np.testing.assert_array_equal(made[0][changed], source[changed] | 4)
    else:  # a network had no part in these
        np.testing.assert_array_equal(made[0][core], source[core] & 8 | 4)
        edge = changed & ~core
        np.testing.assert_array_equal(made[0][edge], source[edge] | 4)
    np.testing.assert_array_equal(stated[:, ~changed], spread[:, ~changed])
    assert (stated[:, changed] == -9999).all()


def test_bands_in_another_order(before):
    context = context_for(before, {"compose": "fourier"})
    inputs = gather(context)
    roles = ("swir22", "blue", "nir08", "red", "swir16", "green")
    raster = inputs.raster("reflectance")
    counts = before[1][[REFLECTIVE.index(role) for role in roles]]
    path = context.folder / "other_order.tif"
    write(path, counts, inputs.grid, -9999)
    plain = Composition.of(inputs)
    swapped = {"reflectance": Source(replace(raster.sheet, bands=roles), path)}
    other = replace(plain, sources={**plain.sources, **swapped})
    window = list(parts(inputs.grid, inputs.tile)[0].windows())[-1].grid
    expected, found = (one(window)["reflectance"] for one in (plain, other))
    np.testing.assert_array_equal(found, expected[[REFLECTIVE.index(role) for role in roles]])
    path.unlink()


def in_area(inputs, rows, columns, folder):
    """Reflectance as if only a part of the scene were made."""
    area, whole = inputs.grid[rows, columns], Composition.of(inputs)
    cropped = {}
    for thing, source in whole.sources.items():
        with rasterio.open(source.path) as raster:
            pixels = raster.read(window=Window.from_slices(rows, columns))
        write(folder / f"{thing}.tif", pixels, area, source.sheet.nodata)
        cropped[thing] = Source(source.sheet, folder / f"{thing}.tif")
    compose = replace(whole, grid=area, sources=cropped)
    found = np.zeros((6, *area.shape), dtype=np.int16)
    for at, window in places(area, inputs.tile):
        found[:, *at] = compose(window.grid)["reflectance"][:, *window.keep]
    return found


def places(grid, tile):
    """All windows, with the rows and columns of the whole where their pixels go."""
    for part in parts(grid, tile):
        for window in part.windows():
            yield (
                tuple(
                    slice(own.start + first.start, own.stop + first.start)
                    for own, first in zip(window.at, part.at, strict=True)
                ),
                window,
            )


def test_parts_change_nothing_and_an_area_only_its_rim(before, truth, tmp_path):
    context = context_for(before, {"compose": "fourier", "feather": 30})
    inputs = gather(context)
    whole = compose_product(context, inputs, 0.2)
    smaller = replace(inputs, tile=inputs.tile.model_copy(update={"part": 128}))
    again = compose_product(replace(context, work=tmp_path), smaller, 0.2)
    for thing in ("reflectance", "source", "uncertainty"):
        one, two = (read(made.raster(thing).path) for made in (whole, again))
        np.testing.assert_array_equal(one, two)
    rows, columns = slice(0, 500), slice(51, 555)  # the upper rim is the scene's own
    inner = np.s_[:-REACH, REACH:-REACH]
    found = in_area(inputs, rows, columns, tmp_path)
    expected = read(whole.raster("reflectance").path)[:, rows, columns]
    assert np.isin(truth[rows, columns][inner], (1, 3)).sum() > 10_000
    np.testing.assert_array_equal(found[:, *inner], expected[:, *inner])
    assert not np.array_equal(found, expected)


def test_landsat_is_read_only_where_there_is_cloud_or_shadow(before, scene, truth, monkeypatch):
    inputs = gather(context_for(before, {"compose": "fourier"}))
    compose, grids = Composition.of(inputs), []
    monkeypatch.setattr(scene, "read", lambda roles, grid: grids.append(grid))
    clear = 0
    for at, window in places(inputs.grid, inputs.tile):
        if not np.isin(truth[at], (1, 3)).any():
            found = compose(window.grid)["reflectance"][:, *window.keep]
            np.testing.assert_array_equal(found, before[1][:, *at])
            clear += 1
    assert clear > 5
    assert grids == []


def test_after_a_crash_it_goes_on_and_is_the_same(before, tmp_path, monkeypatch):
    context = context_for(before, {"compose": "fourier"})
    inputs, calls = gather(context), []
    one, two = (replace(context, work=tmp_path / name, threads=1) for name in ("one", "two"))
    compose_product(one, inputs, 0.2)

    def crash(*arguments):
        calls.append(arguments)
        if len(calls) > 6:
            raise KeyboardInterrupt
        return by_class(*arguments)

    with monkeypatch.context() as broken:
        broken.setattr(module, "by_class", crash)
        with pytest.raises(KeyboardInterrupt):
            compose_product(two, inputs, 0.2)
    kept = {path: path.stat().st_mtime_ns for path in two.folder.rglob("*.tif")}
    compose_product(two, inputs, 0.2)
    assert 3 <= len(kept) < 3 * len(parts(inputs.grid, inputs.tile))
    assert all(path.stat().st_mtime_ns == time for path, time in kept.items())
    for path in one.folder.rglob("*.tif"):
        other = two.folder / path.relative_to(one.folder)
        assert path.read_bytes() == other.read_bytes()


def test_the_product_says_so(before, truth, tmp_path):
    products = {}
    for settings in ({}, {"compose": "fourier"}):
        context = context_for(before, settings, tmp_path)
        make_product(context)
        products[settings.get("compose", "none")] = context.output / context.order.target
    plain, fourier = products["none"], products["fourier"]
    expected = composed(before, {"compose": "fourier"})
    for thing, pixels in zip(("reflectance", "source", "uncertainty"), expected, strict=True):
        np.testing.assert_array_equal(read(fourier / f"{NAME}_sr_{thing}.tif"), pixels)
    mask = f"{NAME}_sr_mask.tif"
    assert (plain / mask).read_bytes() == (fourier / mask).read_bytes()
    numbers = [json.loads((folder / "report.json").read_text()) for folder in (plain, fourier)]
    share = (expected[1] & 4 > 0).sum() / (expected[1] > 0).sum()
    assert numbers[1]["sources"]["composed"] == pytest.approx(share, abs=1e-6)
    assert numbers[0]["sources"]["composed"] == 0
    # with the dulled clouds left out, what is compared is the ground that was not touched
    assert numbers[0]["consistency"]["bands"]["red"]["bias"] < -0.005
    assert abs(numbers[1]["consistency"]["bands"]["red"]["bias"]) < 5e-4
    items = [json.loads((folder / "item.json").read_text()) for folder in (plain, fourier)]
    assert [item["properties"]["nndacss:composed"] for item in items] == ["none", "fourier"]
    assert "cloud and shadow composed (fourier)" in items[1]["properties"]["processing:lineage"]
    assert "Composed with the mask" in " ".join(items[1]["properties"]["nndacss:limits"])
    pages = [(folder / "report.html").read_text() for folder in (plain, fourier)]
    for words in ("How it was composed", "composed pixels are left out"):
        assert [words in page for page in pages] == [False, True]
