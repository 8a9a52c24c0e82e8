"""Reading a sample store: see `nndacss.samples.layout` for the file, `write` for making one."""

from __future__ import annotations

from typing import Any, ClassVar

import h5py
import numpy as np
from numpy.typing import NDArray

from nndacss.hdf5 import RECORDS, Store
from nndacss.labels.sets import Sets
from nndacss.raster import Pixels
from nndacss.samples.layout import (
    ARRAYS,
    FORMAT,
    VERSION,
    WEIGHTS,
    Header,
    Record,
    read_header,
    to_record,
    to_reflectance,
)

__all__ = ["Header", "Record", "SampleStore", "WeightedStore"]


class SampleStore(Store[Header, Record]):
    """A sample store, open for reading; one record a sample."""

    noun = "sample"
    task = "MakeSamples"
    form = (FORMAT, VERSION)
    attributes = frozenset({"roles", "scheme", "classes", "side", "recipe"})
    arrays: ClassVar[tuple[str, ...]] = ARRAYS

    @property
    def roles(self) -> tuple[str, ...]:
        """One a band."""
        return self.header.roles

    @property
    def scheme(self) -> str:
        """Module of `nndacss.labels`."""
        return self.header.scheme

    @property
    def weighted(self) -> bool:
        """Whether it says how sure each label is."""
        return self.header.weighted

    def read(self, index: int) -> tuple[Pixels, Sets]:
        """(bands, side, side) float32 reflectance, NaN missing, and (side, side) label sets."""
        counts, sets = self.read_raw(index)
        return to_reflectance(counts), sets

    def read_raw(self, index: int) -> tuple[NDArray[np.int16], Sets]:
        """The same as stored: int16 counts, `NODATA` where missing, and sets."""
        counts, sets = self.element(index)[: len(ARRAYS)]
        return counts, sets

    def weight(self, index: int) -> NDArray[np.uint8] | None:
        """(side, side) how sure each label is, per cent; None where the store does not say."""
        if not self.weighted:
            return None
        with self.translated():
            found: NDArray[np.uint8] = self.handle()[WEIGHTS][index]
        return found

    def _check(self, file: h5py.File) -> None:
        header = read_header(file)
        window = (header.side, header.side)
        count = file["pixels"].shape[0]
        found: list[Any] = [(file[name].shape, file[name].dtype) for name in ARRAYS]
        wanted: list[Any] = [((count, len(header.roles), *window), np.int16)]
        wanted.append(((count, *window), np.uint16))
        if header.weighted:
            array = file[WEIGHTS]
            found.append((array.shape, array.dtype))
            wanted.append(((count, *window), np.uint8))
        if found != wanted or file[RECORDS].shape != (count,):
            shapes = f"shapes {[shape for shape, _ in found]}, {file[RECORDS].shape}"
            raise self.damaged(shapes, f"{[shape for shape, _ in wanted]}")

    @staticmethod
    def _read_header(file: h5py.File) -> Header:
        return read_header(file)

    @staticmethod
    def _to_record(row: Any) -> Record:
        return to_record(row)


class WeightedStore(SampleStore):
    """A store with all of its arrays: what joins such stores reads them by it."""

    arrays = (*ARRAYS, WEIGHTS)
