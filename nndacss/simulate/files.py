"""The files of a product: drafts, GeoTIFFs as the agency's, metadata, archives."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import rasterio
from numpy.typing import NDArray
from rasterio import Affine
from rasterio.windows import Window as RasterWindow

from nndacss.errors import OutputError, complain
from nndacss.simulate import mtl
from nndacss.simulate.sampling import Grid, Window

_TYPES = {"SAA": "int16", "SZA": "int16", "SR_QA_AEROSOL": "uint8", "truth": "uint8"}


@contextmanager
def draft(folder: Path) -> Iterator[Path]:
    """A folder beside the final ones, gone afterwards; what the disk refuses is an OutputError."""
    name = f".draft-{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
    draft = folder / name
    try:
        draft.mkdir(parents=True)
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
        predictor=2,
        zlevel=6,
    )
    dataset.update_tags(AREA_OR_POINT="Point")
    return dataset


def put(dataset: Any, values: NDArray[Any], window: Window, fine: int) -> None:
    """Write one window, given in 30 m pixels, to a band with `fine` pixels for each."""
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
