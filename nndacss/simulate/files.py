"""The files of a product: drafts, GeoTIFFs as the agency's, metadata, archives."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import rasterio
import rasterio.shutil
from numpy.typing import NDArray
from rasterio import Affine
from rasterio.windows import Window as RasterWindow

from nndacss.errors import OutputError, SettingsError, complain
from nndacss.simulate import mtl
from nndacss.simulate.sampling import Grid, Window

_TYPES = {
    "SAA": "int16",
    "SZA": "int16",
    "SR_QA_AEROSOL": "uint8",
    "truth": "uint8",
    "thickness": "float32",
}


#: Megabytes of pixels that GDAL keeps before it writes them; its own choice grows with the machine.
_CACHE = 256


@contextmanager
def draft(folder: Path) -> Iterator[Path]:
    """A folder beside the final ones, gone afterwards; what the disk refuses is an OutputError."""
    name = f".draft-{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
    draft = folder / name
    try:
        draft.mkdir(parents=True)
        with rasterio.Env(GDAL_CACHEMAX=_CACHE):
            yield draft
    except (OSError, rasterio.errors.RasterioError) as error:
        if isinstance(error, OutputError):
            raise
        remedy = "check that the folder can be written and the disk has room"
        raise OutputError(complain(folder, f"{error}", "a folder to write to", remedy)) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def raster(path: str, layer: str, grid: Grid) -> Any:
    """A new GeoTIFF as the agency's: tiled 256, DEFLATE, pixel is point, no nodata tag."""
    metres = 15.0 if layer == "B8" else 30.0
    rows, columns = grid.pan_shape if layer == "B8" else (grid.rows, grid.columns)
    edge = 15 - metres / 2
    dataset = rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=rows,
        width=columns,
        count=1,
        dtype=_TYPES.get(layer, "uint16"),
        crs=f"EPSG:{grid.epsg}",
        transform=Affine(metres, 0, grid.west + edge, 0, -metres, grid.north - edge),
        nodata=255 if layer == "truth" else None,
        tiled=True,
        blockxsize=256,
        blockysize=256,
        compress="deflate",
        predictor=3 if layer == "thickness" else 2,
        zlevel=6,
    )
    dataset.update_tags(AREA_OR_POINT="Point")
    return dataset


def plain(path: Path, grid: Grid, metres: int, dtype: str) -> Any:
    """A new GeoTIFF of one band that is soon turned into another format: striped, not packed."""
    return rasterio.open(path, "w", **_profile(grid, metres, dtype))


def beside(path: Path, grid: Grid, metres: int, dtype: str) -> Any:
    """A new GeoTIFF that lies beside the products: tiled, DEFLATE, 255 is nodata in labels."""
    tiled = {"tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "deflate"}
    nodata = 255 if dtype == "uint8" else None
    return rasterio.open(path, "w", **_profile(grid, metres, dtype), **tiled, nodata=nodata)


def _profile(grid: Grid, metres: int, dtype: str) -> dict[str, Any]:
    fine = round(grid.metres / metres)
    return {
        "driver": "GTiff",
        "height": grid.rows * fine,
        "width": grid.columns * fine,
        "count": 1,
        "dtype": dtype,
        "crs": f"EPSG:{grid.epsg}",
        "transform": Affine(metres, 0, grid.west, 0, -metres, grid.north),
        "BIGTIFF": "IF_SAFER",
    }


def to_jpeg2000(path: Path) -> None:
    """Put a lossless JPEG 2000 in the place of a GeoTIFF: 1024 x 1024 tiles, as the agency's."""
    options = {"QUALITY": "100", "REVERSIBLE": "YES", "BLOCKXSIZE": "1024", "BLOCKYSIZE": "1024"}
    rasterio.shutil.copy(path, path.with_suffix(".jp2"), driver="JP2OpenJPEG", **options)
    path.unlink()


def put(dataset: Any, values: NDArray[Any], window: Window, fine: int) -> None:
    """Write one window, given in a grid's pixels, to a band with `fine` pixels for each."""
    rows, columns = values.shape
    dataset.write(
        values, 1, window=RasterWindow(fine * window.left, fine * window.top, columns, rows)
    )


def metadata(folder: Path, name: str, parts: mtl.Groups) -> None:
    """The metadata file in its three forms."""
    for ending, text in (
        ("txt", mtl.as_text(parts)),
        ("json", mtl.as_json(parts)),
        ("xml", mtl.as_xml(parts)),
    ):
        (folder / f"{name}_MTL.{ending}").write_text(text, encoding="utf-8")


def day(value: date | str) -> date:
    """A date, or `YYYY-MM-DD`."""
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise SettingsError(complain("date", repr(value), "YYYY-MM-DD", "correct it")) from error


def middle(grid: Grid) -> tuple[float, float]:
    """Longitude and latitude of a grid's middle, degrees."""
    from pyproj import Transformer

    west, south, east, north = grid.bounds
    to_degrees = Transformer.from_crs(grid.epsg, 4326, always_xy=True)
    longitude, latitude = to_degrees.transform((west + east) / 2, (south + north) / 2)
    return float(longitude), float(latitude)


def pack_zip(folder: Path, name: str) -> None:
    """All files of a folder under `name/` in a zip beside it, the same bytes every time.

    Stored, not deflated: the bands are compressed already.
    """
    with zipfile.ZipFile(folder.with_name(f"{folder.name}.zip"), "w") as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            member = zipfile.ZipInfo(f"{name}/{path.relative_to(folder).as_posix()}")
            member.external_attr = (stat.S_IFREG | 0o644) << 16
            member.file_size = path.stat().st_size
            with path.open("rb") as source, archive.open(member, "w") as target:
                shutil.copyfileobj(source, target, 1 << 20)
    shutil.rmtree(folder)


def pack(folder: Path, archive: Path) -> None:
    """All files of a product at the top level of a tar, the same bytes every time."""

    def plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = member.mtime = 0
        member.uname = member.gname = ""
        member.mode = 0o644
        return member

    with tarfile.open(archive, "w") as tar:
        for path in sorted(folder.iterdir()):
            tar.add(path, path.name, filter=plain)
    shutil.rmtree(folder)
