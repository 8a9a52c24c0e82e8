"""One reading of every block, so that damage shows before hours of work, not after."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nndacss.errors import BandError, InputError, complain
from nndacss.readers.layers import Layer

_REMEDY = "order the product again"


def verify(product: str, wanted: Sequence[Layer], others: Sequence[Layer]) -> None:
    """Reads all layers in strips; `wanted` must hold data."""
    empty = [layer.header.file for layer in wanted if not _holds_data(layer)]
    if wanted and len(empty) == len(wanted):
        raise InputError(complain(product, "all nodata", "some image data", _REMEDY))
    if empty:
        raise BandError(complain(empty[0], "all nodata", "data, as in the other bands", _REMEDY))
    for layer in others:
        _holds_data(layer)


def _holds_data(layer: Layer) -> bool:
    """Whether any pixel is not missing; reads to the end either way."""
    found = False
    for numbers in layer.chunks():
        there = ~layer.missing(numbers)
        if layer.entry is not None and numbers.dtype == np.int16:
            _check_negative(layer, int(numbers.min()))
        found = found or bool(there.any())
    return found


def _check_negative(layer: Layer, least: int) -> None:
    """Signed files hold no negative numbers but their nodata value."""
    if least < 0 and least != layer.header.nodata:
        found = f"a negative number, {least}"
        raise BandError(complain(layer.header.file, found, "numbers from 0 to 65535", _REMEDY))
