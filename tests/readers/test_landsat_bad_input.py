"""Products that cannot be used: one line each that names the file, what was found and expected."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from affine import Affine

from nndacss.errors import BandError, InputError, MetadataError
from nndacss.readers import identify, open_scene
from tests.readers.recipes import Recipe, pack, write_tif

pytestmark = pytest.mark.filterwarnings("ignore::nndacss.errors.LossWarning")


def told(attempt: Callable[[], object], kind: type[InputError], *words: str) -> None:
    with pytest.raises(kind) as error:
        attempt()
    message = str(error.value)
    assert "\n" not in message
    assert "expected" in message
    for word in words:
        assert word in message


def read_all(path: Path, l1: Path | None = None) -> None:
    open_scene(path, l1).verify()


# not a scene


@pytest.mark.parametrize("call", [identify, open_scene])
def test_nothing_there(tmp_path: Path, call: Callable[[Path], object]) -> None:
    told(lambda: call(tmp_path / "none"), InputError, "none", "found nothing", "Landsat-8/9")


def test_other_folders_and_files(tmp_path: Path) -> None:
    told(lambda: open_scene(tmp_path), InputError, "an empty folder", "*_MTL.txt")
    for name in ("b.docx", "a.pdf", "c.tif", "d.tif"):
        (tmp_path / name).write_bytes(b"12345")
    told(lambda: open_scene(tmp_path), InputError, "a folder with a.pdf, b.docx, c.tif, ...")
    told(lambda: open_scene(tmp_path / "a.pdf"), InputError, "a file of 5 bytes")
    (tmp_path / "LE07_L1TP_195025_20010730_20170204_01_T1_MTL.txt").touch()
    told(lambda: open_scene(tmp_path), InputError, "Landsat-8/9")
    archive = pack(tmp_path, tmp_path.parent / "other.tar")
    told(lambda: open_scene(archive), InputError, "no reader knows")


def test_a_folder_of_scenes_is_no_scene(tmp_path: Path) -> None:
    folder = Recipe().write(tmp_path)
    told(lambda: open_scene(tmp_path), InputError, folder.name)


# metadata


def test_metadata_missing_truncated_binary_empty(tmp_path: Path) -> None:
    folder = Recipe().write(tmp_path)
    metadata = folder / f"{folder.name}_MTL.txt"
    content = metadata.read_bytes()
    for bad, word in (
        (content[:900], "truncated"),
        (b"\x89PNG\r\n\x1a\n\0\0" + bytes(range(256)), "binary"),
        (b"", "empty"),
    ):
        metadata.write_bytes(bad)
        told(lambda: open_scene(folder), MetadataError, metadata.name, word)
    metadata.unlink()
    told(lambda: open_scene(folder), MetadataError, folder.name, "no metadata file")
    told(lambda: open_scene(pack(folder, tmp_path / "a.tar")), MetadataError, "a.tar")


def test_no_crs_anywhere(tmp_path: Path) -> None:
    folder = Recipe(changes={"UTM_ZONE": None}).write(tmp_path)
    told(lambda: open_scene(folder), MetadataError, "_MTL.txt", "no map projection")


def test_two_products_in_one_folder(tmp_path: Path) -> None:
    first, second = Recipe().write(tmp_path), Recipe(kind="L2SP").write(tmp_path)
    for file in second.iterdir():
        shutil.copy(file, first)
    told(lambda: open_scene(first), InputError, first.name, second.name, "folder of its own")


# bands


@pytest.mark.parametrize("part", ["2", "4", "8", "10", "QA_PIXEL"])
@pytest.mark.parametrize("archived", [False, True])
def test_truncated_bands(tmp_path: Path, part: str, archived: bool) -> None:
    recipe = Recipe(lines=200, samples=200)
    folder = recipe.write(tmp_path)
    band = folder / recipe.file(part)
    content = band.read_bytes()
    band.write_bytes(content[: len(content) // 2])
    path = pack(folder, tmp_path / "a.tar") if archived else folder
    told(lambda: read_all(path), BandError, band.name, "unreadable")


@pytest.mark.parametrize("content", [b"", b"<html>403 Forbidden</html>", b"II*\0\x08\0\0\0"])
def test_bands_that_are_no_images(tmp_path: Path, content: bytes) -> None:
    recipe = Recipe()
    folder = recipe.write(tmp_path)
    (folder / recipe.file("4")).write_bytes(content)
    told(lambda: read_all(folder), BandError, recipe.file("4"), "unreadable", "GeoTIFF")


def test_only_geotiffs_are_opened(tmp_path: Path) -> None:
    """A virtual raster of that name could point at any file of the machine."""
    recipe = Recipe()
    folder = recipe.write(tmp_path)
    band = folder / recipe.file("4")
    other = tmp_path / "secret.tif"
    band.rename(other)
    band.write_text(
        '<VRTDataset rasterXSize="10" rasterYSize="12"><VRTRasterBand dataType="UInt16" band="1">'
        f"<SimpleSource><SourceFilename>{other}</SourceFilename><SourceBand>1</SourceBand>"
        "</SimpleSource></VRTRasterBand></VRTDataset>"
    )
    told(lambda: read_all(folder), BandError, band.name)


@pytest.mark.parametrize("dtype", ["uint8", "float32", "int32", "uint32"])
def test_wrong_type(tmp_path: Path, dtype: str) -> None:
    recipe = Recipe(dtypes={"4": dtype}, numbers={"4": 100})
    told(
        lambda: read_all(recipe.write(tmp_path)), BandError, recipe.file("4"), dtype, "uint16"
    )  # fmt: skip


def test_several_bands_in_one_file(tmp_path: Path) -> None:
    import rasterio

    recipe = Recipe(epsg=32632)
    folder = recipe.write(tmp_path)
    (folder / recipe.file("4")).unlink()
    with rasterio.open(
        folder / recipe.file("4"), "w", driver="GTiff", height=12, width=10, count=3,
        dtype="uint16", crs="EPSG:32632", transform=Affine(30, 0, 389985, 0, -30, 5689215),
    ):  # fmt: skip
        pass
    told(lambda: read_all(folder), BandError, recipe.file("4"), "3 band(s)")


@pytest.mark.parametrize("epsg", [None, 32632])
def test_wrong_size(tmp_path: Path, epsg: int | None) -> None:
    recipe = Recipe(shapes={"4": (12, 9)}, epsg=epsg)
    folder = recipe.write(tmp_path)
    told(lambda: read_all(folder), BandError, recipe.file("4"), "12 x 9", "12 x 10")


@pytest.mark.parametrize("part", ["2", "3", "QA_PIXEL", "10"])
def test_bands_of_different_places(tmp_path: Path, part: str) -> None:
    recipe = Recipe(epsg=32632)
    folder = recipe.write(tmp_path)
    elsewhere = Affine(30, 0, 389985 + 3000, 0, -30, 5689215)
    numbers = np.full((12, 10), 10000, dtype=np.uint16)
    write_tif(folder / recipe.file(part), numbers, crs="EPSG:32632", transform=elsewhere)
    told(lambda: read_all(folder), BandError, recipe.file(part), "392985", "389985", "different")


def test_bands_of_different_zones(tmp_path: Path) -> None:
    recipe = Recipe(epsg=32632)
    folder = recipe.write(tmp_path)
    numbers = np.full((12, 10), 10000, dtype=np.uint16)
    where = Affine(30, 0, 389985, 0, -30, 5689215)
    write_tif(folder / recipe.file("5"), numbers, crs="EPSG:32633", transform=where)
    told(lambda: read_all(folder), BandError, recipe.file("5"), "EPSG:32633", "EPSG:32632")


def test_pan_of_another_place(tmp_path: Path) -> None:
    recipe = Recipe(epsg=32632)
    folder = recipe.write(tmp_path)
    numbers = np.full((23, 19), 10000, dtype=np.uint16)
    where = Affine(15, 0, 389992.5 + 300, 0, -15, 5689207.5)
    write_tif(folder / recipe.file("8"), numbers, crs="EPSG:32632", transform=where)
    told(lambda: read_all(folder), BandError, recipe.file("8"), "390292", "different")


def test_files_of_another_product_are_not_this_product_s(tmp_path: Path) -> None:
    recipe, other = Recipe(without=("4",)), Recipe(date="2023-07-23")
    folder = recipe.write(tmp_path)
    shutil.copy(other.write(tmp_path) / other.file("4"), folder)
    told(lambda: read_all(folder), BandError, recipe.file("4"), "no such file")


def test_all_nodata(tmp_path: Path) -> None:
    empty = Recipe(numbers={str(n): 0 for n in range(1, 12)}).write(tmp_path)
    told(lambda: read_all(empty), InputError, empty.name, "all nodata")
    one = Recipe(numbers={"6": 0}, place="195026")
    told(lambda: read_all(one.write(tmp_path)), BandError, one.file("6"), "all nodata")
    optional = Recipe(numbers={"1": 0, "9": 0}, place="195027").write(tmp_path)
    read_all(optional)


def test_negative_numbers(tmp_path: Path) -> None:
    recipe = Recipe(dtypes={"4": "int16"}, numbers={"4": -5})
    told(lambda: read_all(recipe.write(tmp_path)), BandError, recipe.file("4"), "-5")


# pairs


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"date": "2023-07-23"}, "date 2023-07-23 instead of 2023-07-07"),
        ({"place": "195026"}, "path and row 195026 instead of 195025"),
        ({"sensor": "LC09"}, "satellite landsat-9 instead of landsat-8"),
    ],
)
def test_level_1_of_another_acquisition(tmp_path: Path, change: dict, words: str) -> None:
    scene, other = Recipe(kind="L2SP").write(tmp_path), Recipe(**change).write(tmp_path)
    told(lambda: open_scene(scene, other), InputError, scene.name, other.name, words)


@pytest.mark.parametrize(("path", "l1"), [("L1TP", "L1TP"), ("L1TP", "L2SP"), ("L2SP", "L2SP")])
def test_pairs_of_wrong_levels(tmp_path: Path, path: str, l1: str) -> None:
    folders = {kind: Recipe(kind=kind).write(tmp_path) for kind in ("L1TP", "L2SP")}
    first, second = folders[path], folders[l1]
    told(lambda: open_scene(first, second), InputError, first.name, second.name, "Level-1")


def test_level_1_of_another_area(tmp_path: Path) -> None:
    scene = Recipe(kind="L2SP").write(tmp_path)
    other = Recipe(upper_left=(490000.0, 5689200.0)).write(tmp_path)
    told(lambda: open_scene(scene, other), InputError, "_B8.TIF", "389985", "same area")
