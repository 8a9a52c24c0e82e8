"""Where the outlines of a bank come from: folders of masks, and labelled samples.

A folder is searched for `.png` and `.tif` files, one band of bytes each. A file of two values, 0
and another, is a mask of clouds; one of 1, 2 and 3 has background, cloud and snow. These are the
codings of the Sentinel-2 Cloud Mask Catalogue (Francis et al. 2020, doi:10.5281/zenodo.4172871:
513 masks of 1022 x 1022 pixels of 20 m, CC BY 4.0) and of rasters drawn for the training of
Sentinel-2 snow masks. A sample store gives its pixels labelled cloud alone, and snow alone.
Masks nearly empty or nearly full have no outline to give and are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from nndacss.datasets.rasters import Read, one_band, read
from nndacss.errors import DatasetError, complain
from nndacss.identity import drafted
from nndacss.inpaint.bank import BLOCK, FORMAT, KINDS, VERSION, Record, encode
from nndacss.labels.climate import Climate
from nndacss.labels.sets import of
from nndacss.samples.store import SampleStore

#: Least and greatest covered share of a mask that is kept.
COVERED = (0.002, 0.98)
#: Codes of a raster that is not a mask of two values.
BACKGROUND, CLOUD, SNOW = 1, 2, 3
_SUFFIXES = frozenset({".png", ".tif", ".tiff"})
_CHUNK = 128
_TEXT = h5py.string_dtype()
_TYPES = (_TEXT, _TEXT, np.float64, np.int64, np.int64, np.float64)
_COLUMNS = np.dtype(
    [(field.name, kind) for field, kind in zip(fields(Record), _TYPES, strict=True)]
)

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Found:
    """One mask."""

    kind: str
    name: str
    metres: float
    mask: Mask
    """(rows, columns) True where it is covered."""


def build_bank(sources: Sequence[Path], path: Path, metres: float = 20.0) -> dict[str, int]:
    """Write a bank, whole or not at all; returns how many masks of each kind it holds.

    `metres` is the pixel size of files without a georeference. DatasetError names the source
    that is missing, damaged or coded otherwise, and all of them where nothing is left.
    """
    found = (mask for source in sources for mask in harvest(source, metres))
    kept = (mask for mask in found if COVERED[0] <= float(mask.mask.mean()) <= COVERED[1])
    with drafted(path) as draft:
        counts = _write(draft, kept)
        if not sum(counts.values()):
            names = ", ".join(str(source) for source in sources)
            expected = f"masks covered to {COVERED[0]:g} to {COVERED[1]:g}"
            raise DatasetError(complain(names, "none", expected, "add a source"))
    return counts


def harvest(source: Path, metres: float) -> Iterator[Found]:
    """All masks of a folder or a sample store, in a fixed order."""
    if source.is_file():
        yield from _of_store(source)
        return
    files = sorted(file for file in source.rglob("*") if file.suffix.lower() in _SUFFIXES)
    if not files:
        expected = "a folder of .png or .tif masks, or a sample store"
        raise DatasetError(complain(source, "none", expected, "check the path"))
    for file in files:
        yield from _of_raster(read(file), metres)


def _of_raster(raster: Read, metres: float) -> Iterator[Found]:
    codes = one_band(raster)
    values = set(np.flatnonzero(np.bincount(codes.ravel(), minlength=256)).tolist())
    pixel = metres if raster.crs is None else abs(float(raster.transform.a))
    if 0 in values or values == {BACKGROUND}:
        # the catalogue's overcast masks hold nothing but 1; they have no outline either way
        if len(values) > 2:
            raise _coded(raster.path, values)
        yield Found("cloud", raster.path.stem, pixel, codes > 0)
    elif values <= {BACKGROUND, CLOUD, SNOW}:
        yield Found("cloud", raster.path.stem, pixel, codes == CLOUD)
        yield Found("snow", raster.path.stem, pixel, codes == SNOW)
    else:
        raise _coded(raster.path, values)


def _coded(path: Path, values: set[int]) -> DatasetError:
    found = f"values {', '.join(str(value) for value in sorted(values)[:6])}"
    expected = "0 and one other, or 1 background, 2 cloud, 3 snow"
    return DatasetError(complain(path, found, expected, "leave it out or recode it"))


def _of_store(path: Path) -> Iterator[Found]:
    with SampleStore(path) as store:
        if store.scheme != "climate":
            found, expected = f"labels of scheme {store.scheme}", "climate"
            raise DatasetError(complain(path, found, expected, "give samples with clouds"))
        for index, record in enumerate(store.records):
            _, sets = store.read_raw(index)
            for kind, code in (("cloud", Climate.CLOUD), ("snow", Climate.SNOW)):
                name = f"{record.dataset}/{record.name}/{record.row},{record.column}"
                yield Found(kind, name, record.metres, sets == of(code))


def _write(path: Path, masks: Iterable[Found]) -> dict[str, int]:
    records, blocks = [], [np.zeros(0, np.uint8)]
    with h5py.File(path, "w", locking=False) as file:
        for index, found in enumerate(masks):
            shape = found.mask.shape
            file.create_dataset(
                f"outlines/{index:05d}",
                data=encode(signed_distance(found.mask)),
                chunks=tuple(min(_CHUNK, size) for size in shape),
                compression="gzip",
                compression_opts=4,
                fletcher32=True,
            )
            covered = float(found.mask.mean())
            rows, columns = shape
            records.append(Record(found.kind, found.name, found.metres, rows, columns, covered))
            blocks.append(block_cover(found.mask).ravel())
        table = np.array([astuple(record) for record in records], dtype=_COLUMNS)
        file.create_dataset("records", data=table)
        file.create_dataset("blocks", data=np.concatenate(blocks))
        file.attrs.update({"format": FORMAT, "version": VERSION})
    return {kind: sum(record.kind == kind for record in records) for kind in KINDS}


def signed_distance(mask: Mask) -> NDArray[np.float64]:
    """Pixels from each pixel's centre to the outline, which runs half way between two centres.

    Above 0 inside; a mask without an outline is an endless way from it.

    >>> signed_distance(np.array([[False, True, True]])).tolist()
    [[-0.5, 0.5, 1.5]]
    """
    if mask.all() or not mask.any():
        return np.where(mask, np.inf, -np.inf)
    inside: NDArray[np.float64] = ndimage.distance_transform_edt(mask)
    outside: NDArray[np.float64] = ndimage.distance_transform_edt(~mask)
    return np.where(mask, inside - 0.5, 0.5 - outside)


def block_cover(mask: Mask) -> NDArray[np.uint8]:
    """Covered share of each block of BLOCK x BLOCK pixels, 0 to 255; those at the end are less."""
    rows, columns = (np.arange(0, size, BLOCK) for size in mask.shape)
    total = np.add.reduceat(np.add.reduceat(mask, rows, 0, np.int64), columns, 1)
    area = np.add.reduceat(np.add.reduceat(np.ones_like(mask), rows, 0, np.int64), columns, 1)
    return np.rint(255 * total / area).astype(np.uint8)
