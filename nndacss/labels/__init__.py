"""Label schemes: which classes there are, their codes and colours. One scheme a module.

A scheme module exports `SCHEME`, a `Scheme`: class k of a network is code k of a label raster,
255 is nodata everywhere. To add one: write the module, export `SCHEME`, done; datasets name it.

Annotation is often partial (a data set that never tells snow from clear ground), so a label may
be a *set* of classes, see `nndacss.labels.sets`.
"""

from __future__ import annotations

from dataclasses import dataclass

#: What every label raster says where there is no observation or no label.
NODATA = 255


@dataclass(frozen=True)
class Scheme:
    """The classes of one segmentation task."""

    name: str
    """Module name in this folder."""
    classes: tuple[str, ...]
    """Class names; class k is code k."""
    colours: tuple[tuple[int, int, int], ...]
    """Red, green, blue of each class, 0..255."""
