"""Labels on windows and on coarser pixels."""

from __future__ import annotations

import numpy as np

from nndacss.labels.sets import Sets


def starts(size: int, side: int, stride: int) -> list[int]:
    """First pixels of the windows along one axis; the last ends with the image.

    >>> starts(10, 4, 4)
    [0, 4, 6]
    >>> starts(3, 4, 4)
    [0]
    """
    regular = list(range(0, max(size - side, 0) + 1, stride))
    return regular if regular[-1] + side >= size else [*regular, size - side]


def counted_once(sets: Sets, row: int, column: int, side: int) -> Sets:
    """A window's labels without what the regular window before it holds already.

    `row` and `column` are where the window starts, `side` is its size and the stride: only a
    last window, shifted inward, shares pixels with another.

    >>> counted_once(np.ones((1, 4), dtype=np.uint16), 0, 6, 4).tolist()
    [[0, 0, 1, 1]]
    """
    result = sets.copy()
    result[: -row % side] = 0
    result[:, : -column % side] = 0
    return result


def most_frequent(sets: Sets, factor: int) -> Sets:
    """(rows, columns) sets -> (rows // factor, columns // factor): what most of a block is.

    Where two sets are equally frequent, the coarse pixel may be either, so it gets their union;
    where fewer than half of its fine pixels are labelled, it is unlabelled. (The union of all
    sets would take the label from every boundary, an intersection would make one up.)

    >>> most_frequent(np.array([[8, 8], [8, 1]], dtype=np.uint16), 2).tolist()
    [[8]]
    >>> most_frequent(np.array([[8, 8], [1, 1]], dtype=np.uint16), 2).tolist()
    [[9]]
    """
    rows, columns = (size // factor for size in sets.shape)
    whole = sets[: rows * factor, : columns * factor].reshape(rows, factor, columns, factor)
    result = np.zeros((rows, columns), dtype=np.uint16)
    most = np.zeros((rows, columns), dtype=np.int64)
    for value in np.unique(whole[whole != 0]):
        count = (whole == value).sum(axis=(1, 3))
        tied = np.where((count == most) & (count > 0), result | value, result)
        result = np.where(count > most, value, tied).astype(np.uint16)
        most = np.maximum(most, count)
    labelled = (whole != 0).sum(axis=(1, 3))
    return np.where(2 * labelled >= factor * factor, result, np.uint16(0)).astype(np.uint16)
