"""Pixels from networks: the requests of many patches answered together.

The networks restore what they have learned to see where pixels are hidden; which pixels, and with
which label, is the painter's decision.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from nndacss.errors import WeightsError, complain
from nndacss.inpaint.options import PaintOptions
from nndacss.inpaint.steps import Mask, Request
from nndacss.inpaint.weights import checked_weights
from nndacss.models.device import Choice
from nndacss.raster import Pixels


class Restores(Protocol):
    """What fills holes, `nndacss.models.inpainter.Restorer` does."""

    def restore(self, pixels: Pixels, hole: Mask, roles: Sequence[str] | None = None) -> Pixels:
        """(n, bands, rows, columns) with the holes (n, rows, columns) filled."""


class Networks:
    """One restorer a structure; answers do not depend on how requests are put together."""

    def __init__(self, restorers: Mapping[str, Restores]) -> None:
        self._restorers = restorers

    def answer(self, requests: Sequence[Request]) -> list[Pixels]:
        """The restored image of each request, in order.

        Requests of one structure, band list and size are one batch. WeightsError where there are
        no weights for a structure; InputError where they do not know a band.
        """
        groups: dict[tuple[object, ...], list[int]] = {}
        for index, request in enumerate(requests):
            key = (request.structure, request.roles, request.pixels.shape)
            groups.setdefault(key, []).append(index)
        results: dict[int, Pixels] = {}
        for indices in groups.values():
            first = requests[indices[0]]
            restorer = self._restorers.get(first.structure)
            if restorer is None:
                there = ", ".join(sorted(self._restorers)) or "none"
                remedy = "name some under `weights`"
                raise WeightsError(complain(first.structure, f"weights of {there}", "its", remedy))
            pixels = np.stack([requests[index].pixels for index in indices])
            hole = np.stack([requests[index].hole for index in indices])
            filled = restorer.restore(pixels, hole, first.roles)
            results.update(zip(indices, filled, strict=True))
        return [results[index] for index in range(len(requests))]


def open_networks(
    options: PaintOptions, roles: Sequence[str], device: Choice = "cpu", threads: int = 1
) -> Networks | None:
    """The networks that the settings name; None for the physical renderer, which needs none.

    WeightsError where weights are missing, damaged, of another structure, without one of the
    bands `roles`, or other than the settings demand.
    """
    if options.renderer == "physical":
        return None
    from nndacss.models.inpainter import Restorer

    checked_weights(options, roles)
    return Networks(
        {name: Restorer(options.networks[name], device, threads) for name in options.structures}
    )
