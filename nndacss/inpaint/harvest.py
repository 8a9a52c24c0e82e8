"""Where the outlines of a bank come from: folders of masks, and labelled samples.

A folder is searched for `.png` and `.tif` files, one band of bytes each. A file of two values, 0
and another, is a mask of clouds; one of 1, 2 and 3 has background, cloud and snow. These are the
codings of the Sentinel-2 Cloud Mask Catalogue (Francis et al. 2020, doi:10.5281/zenodo.4172871:
513 masks of 1022 x 1022 pixels of 20 m, CC BY 4.0) and of rasters drawn for the training of
Sentinel-2 snow masks. A labelled image (of a sample store or a data set) gives its pixels labelled
cloud alone, and snow alone; and, where that is asked for, its clouds that can be matched with the
shadow that they threw, see `nndacss.inpaint.pairs`. Masks nearly empty or nearly full have no
outline to give and are left out, and so are those of less or more ground than asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from nndacss.datasets.rasters import one_band, read
from nndacss.errors import DatasetError, complain
from nndacss.identity import drafted
from nndacss.inpaint.bank import (
    BLOCK,
    FORMAT,
    KINDS,
    PAIRED,
    PAIRS,
    VERSION,
    Pair,
    Record,
    encode,
)
from nndacss.inpaint.pairs import Match, azimuth_of, matches, usual_step
from nndacss.labels.climate import Climate
from nndacss.labels.sets import Sets, of
from nndacss.samples.store import SampleStore

#: Least and greatest covered share of a mask that is kept.
COVERED = (0.002, 0.98)
#: Codes of a raster that is not a mask of two values.
BACKGROUND, CLOUD, SNOW = 1, 2, 3
_SUFFIXES = frozenset({".png", ".tif", ".tiff"})
_CHUNK = 128
_TEXT = h5py.string_dtype()
_TYPES = {"str": _TEXT, "float": np.float64, "int": np.int64}


def _columns(kind: type) -> np.dtype[Any]:
    return np.dtype([(field.name, _TYPES[str(field.type)]) for field in fields(kind)])


Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Sizes:
    """Which masks are kept."""

    covered: tuple[float, float] = COVERED
    """Least and greatest covered share of a mask; not for pairs, whose windows are cut to fit."""
    smallest: float = 0.0
    """Square kilometres that a mask covers at least; of a pair its cloud."""
    largest: float = np.inf
    """And at most."""

    def suit(self, found: Found) -> bool:
        """Whether a mask is kept."""
        if found.match is not None:
            return True  # cut by these sizes
        area = float(found.mask.sum()) * found.metres**2 / 1e6
        shares = self.covered[0] <= float(found.mask.mean()) <= self.covered[1]
        return shares and self.smallest <= area <= self.largest


@dataclass(frozen=True)
class Found:
    """One mask, or a cloud with its shadow."""

    kind: str
    name: str
    metres: float
    mask: Mask
    """(rows, columns) True where it is covered; of a pair the cloud."""
    match: Match | None = None
    """Of a pair."""


def build_bank(sources: Sequence[Path], path: Path, metres: float = 20.0) -> dict[str, int]:
    """Write a bank of outlines, whole or not at all; returns how many of each kind it holds.

    `metres` is the pixel size of files without a georeference. DatasetError names the source
    that is missing, damaged or coded otherwise, and all of them where nothing is left.
    """
    found = (mask for source in sources for mask in harvest(source, metres))
    return write_bank(path, found, Sizes(), ", ".join(str(source) for source in sources))


def write_bank(path: Path, found: Iterable[Found], sizes: Sizes, sources: str) -> dict[str, int]:
    """Write those masks that `sizes` keep, whole or not at all; how many there are of each kind.

    DatasetError, which names the `sources`, where nothing is left.
    """
    with drafted(path) as draft:
        counts = _write(draft, (mask for mask in found if sizes.suit(mask)))
        if not sum(counts.values()):
            low, high = sizes.covered
            expected = f"masks covered to {low:g} to {high:g}"
            raise DatasetError(complain(sources, "none", expected, "add a source"))
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
        yield from of_raster(file, metres)


def of_raster(path: Path, metres: float) -> Iterator[Found]:
    """The masks of one file, see the module; `metres` is its pixel size where it has no grid.

    DatasetError where it is damaged or coded otherwise.
    """
    raster = read(path)
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
            name = f"{record.dataset}/{record.name}/{record.row},{record.column}"
            yield from of_labels(sets, name, record.metres)


def of_labels(sets: Sets, name: str, metres: float) -> Iterator[Found]:
    """The clouds of one labelled image, and its snow."""
    for kind, code in (("cloud", Climate.CLOUD), ("snow", Climate.SNOW)):
        yield Found(kind, name, metres, sets == of(code))


def pairs_of(
    sets: Sets, name: str, metres: float, azimuth: float | None, sizes: Sizes
) -> Iterator[Found]:
    """Clouds of one labelled image with their shadows; `azimuth` of the sun where it is known."""
    if azimuth is None:
        step = usual_step(sets, metres)
        if step is None:
            return
        azimuth = azimuth_of(step)
    for match in matches(sets, metres, azimuth, sizes.smallest, sizes.largest):
        yield Found(PAIRED[0], name, metres, match.cloud, match)


def _write(path: Path, masks: Iterable[Found]) -> dict[str, int]:
    records: list[Record] = []
    pairs: list[Pair] = []
    blocks = [np.zeros(0, np.uint8)]
    with h5py.File(path, "w", locking=False) as file:

        def add(found: Found, kind: str, mask: Mask) -> int:
            _add_outline(file, len(records), mask)
            covered = float(mask.mean())
            rows, columns = mask.shape
            records.append(Record(kind, found.name, found.metres, rows, columns, covered))
            blocks.append(block_cover(mask).ravel())
            return len(records) - 1

        for found in masks:
            if found.match is None:
                add(found, found.kind, found.mask)
                continue
            match = found.match
            cloud, shadow = add(found, PAIRED[0], match.cloud), add(found, PAIRED[1], match.shadow)
            row, column = (float(along.mean()) for along in np.nonzero(match.cloud))
            down, right = map(float, match.step)
            pairs.append(Pair(cloud, shadow, down, right, row, column, match.share))
        _add_table(file, "records", Record, records)
        if pairs:
            _add_table(file, PAIRS, Pair, pairs)
        file.create_dataset("blocks", data=np.concatenate(blocks))
        file.attrs.update({"format": FORMAT, "version": VERSION})
    counts = {kind: sum(record.kind == kind for record in records) for kind in KINDS}
    return {**counts, "pairs": len(pairs)} if pairs else counts


def _add_outline(file: h5py.File, index: int, mask: Mask) -> None:
    file.create_dataset(
        f"outlines/{index:05d}",
        data=encode(signed_distance(mask)),
        chunks=tuple(min(_CHUNK, size) for size in mask.shape),
        compression="gzip",
        compression_opts=4,
        fletcher32=True,
    )


def _add_table(file: h5py.File, name: str, kind: type, rows: Sequence[Any]) -> None:
    table = np.array([astuple(row) for row in rows], dtype=_columns(kind))
    file.create_dataset(name, data=table)


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
