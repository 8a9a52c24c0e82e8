"""The stage: a simulated scene as a product, whole or absent, however it is cut."""

import json
import warnings

import h5py
import numpy as np
import pytest
import rasterio
from pyproj import Transformer

from nndacss.convert_pv import stage
from nndacss.convert_pv.plan import convert_order, place_of
from nndacss.convert_pv.settings import ConvertSettings
from nndacss.convert_pv.stage import convert_scene
from nndacss.errors import BandError, DatasetError, InputError, LossWarning, OutputError
from nndacss.readers.probav import open_product
from nndacss.simulate.landsat import write_landsat
from nndacss.simulate.targets import PointTarget
from nndacss.stage import Context
from tests.datasets.examples import write_envi
from tests.readers.recipes import Recipe

BANDS = [f"LEVEL2A/RADIOMETRY/{band}/TOA" for band in ("BLUE", "RED", "NIR", "SWIR")]


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """A simulated scene with clouds, and fill at its corners."""
    return write_landsat(
        tmp_path_factory.mktemp("scene"), seed=4, rows=260, columns=240, swath=12.0, threads=1
    ).l1


def convert(path, root, threads=1, **settings):
    """The context that converted a scene below `root`, and its product."""
    order = convert_order(path, {"convert_pv": ConvertSettings(**settings)})
    context = Context(order, root, root / "out", threads)
    context.folder.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LossWarning)
        convert_scene(context)
    return context, place_of(context.output, order).product


def leftovers(root):
    return sorted(path.name for path in root.rglob("*") if path.is_file())


def test_layout(scene, tmp_path):
    context, path = convert(scene, tmp_path)
    assert path == tmp_path / "out" / scene.name / f"{scene.name}_333M.HDF5"
    with h5py.File(path) as file:
        assert file.attrs["START_DATE"] == file.attrs["END_DATE"]
        assert file.attrs["START_DATE"].startswith("2026-04-15 ")
        assert file.attrs["class_image"] == "L8Image"
        assert "CM_RESAMPLED" not in file
        for name in BANDS:
            band = file[name]
            assert (band.dtype, band.compression) == (np.int16, "gzip")
            assert (band.attrs["SCALE"], band.attrs["OFFSET"]) == (2000, 0)
            assert band[()].min() == -1
        mapping = [text.decode() for text in file[BANDS[0]].attrs["MAPPING"]]
        corner = file["crs"].attrs["GeoTransform"][0].decode().split()
        sizes = file.attrs["SLICE"][:, 1]
    assert [mapping[n] for n in (0, 1, 2, 7, 8)] == [
        "Geographic Lat/Lon", "0.5", "0.5", "WGS84", "Degrees",
    ]  # fmt: skip
    # 0.5 is the centre, a GeoTransform the corner
    assert float(mapping[3]) - float(corner[0]) == pytest.approx(0.5 / 336, abs=1e-9)
    assert float(corner[3]) - float(mapping[4]) == pytest.approx(0.5 / 336, abs=1e-9)
    card = json.loads(path.with_suffix(".json").read_text())
    assert card["digest"] == context.order.recipe.digest
    with open_product(path) as product:
        assert product.grid.shape == tuple(sizes)
        assert product.grid.affine.c == pytest.approx(float(corner[0]), abs=1e-12)
        assert product.resolution == "333M"
        assert "simulat" in product.origin.lower()


@pytest.mark.parametrize("resolution", ["100M", "1KM"])
def test_however_it_is_cut_the_bytes_are_the_same(scene, tmp_path, monkeypatch, resolution):
    _, whole = convert(scene, tmp_path / "a", resolution=resolution)
    monkeypatch.setattr(stage, "BLOCK", 7)
    _, cut = convert(scene, tmp_path / "b", threads=3, resolution=resolution)
    assert whole.read_bytes() == cut.read_bytes()


@pytest.mark.parametrize("shift", ["corrected", "legacy"])
def test_a_point_is_where_it_was(tmp_path, shift):
    """The bright square's centre of mass, through Landsat's files and Proba-V's."""
    x0, y0 = 617_412.0, 5_483_238.0
    target = PointTarget(x0, y0, size=120.0, dark=0.1, bright=0.9)
    pair = write_landsat(
        tmp_path, rows=280, columns=280, scene=target, sky=None, noise=False, swath=False, threads=1
    )
    _, path = convert(pair.l1, tmp_path, resolution="100M", grid_shift=shift)
    with open_product(path) as product:
        pixels, grid = product.read(), product.grid
    for band in pixels:
        light = np.nan_to_num(band - 0.1).astype(float)
        light[np.abs(light) < 0.001] = 0
        rows, columns = np.mgrid[0 : grid.shape[0], 0 : grid.shape[1]] + 0.5
        centre = [(light * at).sum() / light.sum() for at in (columns, rows)]
        x, y = Transformer.from_crs(4326, 32632, always_xy=True).transform(*(grid.affine @ centre))
        if shift == "corrected":
            assert np.hypot(x - x0, y - y0) < 3
        else:
            assert x - x0 == pytest.approx(30, abs=3)
            assert -33 < y - y0 < -20  # minus what a parallel bends


def shared_clouds(tmp_path, kind, codes):
    """A scene of before the collections or of Collection 1 with labels in its folder."""
    recipe = Recipe(
        collection="pre" if kind == "biome" else "1", lines=90, samples=96,
        numbers={str(number): 12000 for number in range(1, 8)}, epsg=32632,
    )  # fmt: skip
    folder = recipe.write(tmp_path / "scenes")
    if kind == "biome":
        write_envi(folder / f"{recipe.product}_fixedmask.img", codes)
    else:
        profile = {"driver": "GTiff", "count": 1, "dtype": "uint8"}
        name = f"edited_corrected_gts_{recipe.product}.TIF"
        with rasterio.open(folder / name, "w", height=90, width=96, **profile) as raster:
            raster.write(codes, 1)
    return folder


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@pytest.mark.parametrize(
    ("kind", "fill", "clear", "cloud"),
    [("biome", 0, 64, 192), ("biome", 0, 128, 255), ("38c", 0, 1, 2), ("38c", None, 0, 1)],
)
def test_labels_come_along(tmp_path, kind, fill, clear, cloud):
    codes = np.full((90, 96), clear, dtype=np.uint8)
    codes[:, 48:] = cloud
    if fill is not None:
        codes[70:] = fill
    folder = shared_clouds(tmp_path, kind, codes)
    _, path = convert(folder, tmp_path, resolution="100M", type_product=kind)
    with open_product(path) as product:
        clouds, bands = product.read_clouds(), product.read()
    half = clouds.shape[1] // 2
    assert np.nanmax(clouds[4:18, 3 : half - 3]) < 0.02
    assert np.nanmin(clouds[4:18, half + 4 : -4]) > 0.98
    assert np.isfinite(bands[0, -6, half])
    assert np.isnan(clouds[-6, half]) == (fill is not None)
    with h5py.File(path) as file:
        assert file["CM_RESAMPLED"][()].min() == -1
        assert file.attrs["class_image"] == {"biome": "Biome", "38c": "L8_38Clouds"}[kind]


def test_labels_that_do_not_fit(tmp_path):
    folder = shared_clouds(tmp_path, "biome", np.full((90, 96), 77, dtype=np.uint8))
    with pytest.raises(DatasetError, match="code 77; expected codes 0, 64"):
        convert(folder, tmp_path, type_product="biome")
    with pytest.raises(DatasetError, match=r"no edited_corrected_gts.*38c"):
        convert(folder, tmp_path, type_product="38c")
    (mask,) = folder.glob("*.img")
    write_envi(mask, np.full((45, 96), 128, dtype=np.uint8))
    with pytest.raises(DatasetError, match="45 x 96 pixels; expected 90 x 96"):
        convert(folder, tmp_path, type_product="biome")
    assert leftovers(tmp_path / "out") == []


def test_what_is_there_stays(scene, tmp_path):
    _, path = convert(scene, tmp_path)
    before = path.read_bytes()
    with pytest.raises(OutputError, match=r"found a product of recipe .*--outfolder"):
        convert(scene, tmp_path, edges="legacy")
    path.with_suffix(".json").unlink()  # killed between product and card
    context, again = convert(scene, tmp_path)
    assert (again, path.read_bytes()) == (path, before)
    assert place_of(context.output, context.order).holds(context.order.recipe.digest)
    path.write_bytes(b"mine")
    with pytest.raises(OutputError, match="a file of another program"):
        convert(scene, tmp_path)
    assert path.read_bytes() == b"mine"


def test_a_damaged_band_leaves_nothing(scene, tmp_path):
    folder = tmp_path / scene.name
    folder.mkdir()
    for file in scene.iterdir():
        data = file.read_bytes()
        short = file.name.endswith("_B5.TIF")
        (folder / file.name).write_bytes(data[: len(data) * 2 // 3] if short else data)
    with pytest.raises(BandError, match=r"B5\.TIF"):
        convert(folder, tmp_path)
    assert leftovers(tmp_path / "out") == []
    (folder / f"{scene.name}_B1.TIF").unlink()
    with pytest.raises(InputError, match="no B1; expected the bands B1, B2, B4, B5, B6"):
        convert(folder, tmp_path)


def test_stopped_in_the_middle_leaves_nothing(scene, tmp_path, monkeypatch):
    monkeypatch.setattr(stage.Resampler, "resample", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        convert(scene, tmp_path)
    assert leftovers(tmp_path / "out") == []


def test_level_2_is_refused_with_its_level_1(scene, tmp_path):
    (level_2,) = scene.parent.glob("*_L2SP_*")
    with pytest.raises(InputError, match=rf"Level-2 product.*give .*{scene.name}"):
        convert(level_2, tmp_path)


def test_names(scene, tmp_path):
    """What renames a conversion, and what does not."""
    settings = {"convert_pv": ConvertSettings()}
    usual = convert_order(scene, settings).recipe
    moved = tmp_path / scene.name
    moved.symlink_to(scene)
    assert convert_order(moved, settings).recipe.digest == usual.digest
    for key in ({"resolution": "1KM"}, {"grid_shift": "legacy"}, {"edges": "legacy"}):
        other = convert_order(scene, {"convert_pv": ConvertSettings(**key)}).recipe
        assert other.digest != usual.digest


def test_memory_of_a_block_does_not_grow(scene, tmp_path, monkeypatch):
    """No read asks for more rows than a block and its reach need."""
    asked = []
    real = stage.open_source

    def watched(context):
        source = real(context)
        rows = source.rows
        object.__setattr__(
            source, "rows", lambda at: (asked.append(at.stop - at.start), rows(at))[1]
        )
        return source

    monkeypatch.setattr(stage, "open_source", watched)
    monkeypatch.setattr(stage, "BLOCK", 10)
    convert(scene, tmp_path)
    assert len(asked) == 9
    assert max(asked) <= 3 * 9 + 1 + 2 * 11
