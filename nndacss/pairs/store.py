"""Reading a pair store: see `nndacss.pairs.layout` for the file, `write` for making one."""

from __future__ import annotations

import json
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from nndacss.hdf5 import RECORDS, Store
from nndacss.pairs.layout import ARRAYS, FORMAT, VERSION, Header, read_header, to_record
from nndacss.pairs.source import INPUTS, ROLES, Pair, PairRecord
from nndacss.raster import Pixels
from nndacss.samples.layout import to_reflectance

__all__ = ["Header", "Pair", "PairRecord", "PairStore", "to_reflectance"]


class PairStore(Store[Header, PairRecord]):
    """A pair store, open for reading; one record a pair."""

    noun = "pair"
    task = "MakePairs"
    form = (FORMAT, VERSION)
    attributes = frozenset({"side", "inputs", "roles", "recipe"})
    arrays = tuple(ARRAYS)

    inputs = INPUTS
    """Bands of the input, pan last."""
    roles = ROLES
    """Bands of the target."""

    @property
    def side(self) -> int:
        """Rows and columns of every pair."""
        return self.header.side

    def read(self, index: int) -> tuple[Pixels, Pixels]:
        """Input (7, side, side) and target (6, side, side), float32 reflectance, NaN missing."""
        inputs, target = self.read_raw(index)
        return to_reflectance(inputs), to_reflectance(target)

    def read_raw(self, index: int) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
        """The same as stored: int16 counts, -32768 where missing."""
        inputs, target = self.element(index)
        return inputs, target

    def _check(self, file: h5py.File) -> None:
        for name, ours in (("inputs", INPUTS), ("roles", ROLES)):
            theirs = tuple(json.loads(file.attrs[name]))
            if theirs != ours:
                raise self.damaged(f"{name} {', '.join(theirs)}", ", ".join(ours))
        side, count = int(file.attrs["side"]), file[RECORDS].shape[0]
        for name, bands in ARRAYS.items():
            found_as, expected = (file[name].shape, file[name].dtype), (count, bands, side, side)
            if found_as != (expected, np.int16):
                raise self.damaged(f"{name} {found_as[0]} {found_as[1]}", f"{expected} int16")

    @staticmethod
    def _read_header(file: h5py.File) -> Header:
        return read_header(file)

    @staticmethod
    def _to_record(row: Any) -> PairRecord:
        return to_record(row)
