"""Grounds whose answer is known exactly, for laws about geometry and calibration.

All bands look alike. The mean of samples over a square is exact for a flat ground and a ramp; a
point target gives its exact mean itself (`mean`), which `sampling` prefers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nndacss.simulate.noise import Coordinates, Field


def _alike(value: Coordinates, roles: Sequence[str]) -> Field:
    """The same (rows, columns) for every band."""
    return np.repeat(value.astype(np.float32)[None], len(roles), axis=0)


@dataclass(frozen=True)
class Flat:
    """The same reflectance everywhere."""

    value: float = 0.2

    def reflectance(self, x: Coordinates, y: Coordinates, roles: Sequence[str]) -> Field:
        """(bands, ...), all `value`."""
        shape = np.broadcast_shapes(x.shape, y.shape)
        return np.full((len(roles), *shape), self.value, dtype=np.float32)


@dataclass(frozen=True)
class Ramp:
    """Reflectance that rises straight: value + east * (x - x0) + north * (y - y0)."""

    x0: float
    y0: float
    """Where the reflectance is `value`, metres."""
    east: float = 1e-5
    north: float = 0.0
    """Rise per metre."""
    value: float = 0.3

    def reflectance(self, x: Coordinates, y: Coordinates, roles: Sequence[str]) -> Field:
        """(bands, ...) at points; negative far down the ramp."""
        return _alike(self.value + self.east * (x - self.x0) + self.north * (y - self.y0), roles)


@dataclass(frozen=True)
class PointTarget:
    """A bright square `size` metres wide around (x0, y0) on a dark ground."""

    x0: float
    y0: float
    size: float = 30.0
    bright: float = 0.9
    dark: float = 0.1

    def reflectance(self, x: Coordinates, y: Coordinates, roles: Sequence[str]) -> Field:
        """(bands, ...) at points."""
        inside = (np.abs(x - self.x0) < self.size / 2) & (np.abs(y - self.y0) < self.size / 2)
        return _alike(np.where(inside, self.bright, self.dark), roles)

    def mean(self, x: Coordinates, y: Coordinates, width: float, roles: Sequence[str]) -> Field:
        """(bands, ...): dark, and bright by the share of the square that the target covers."""
        share = self._overlap(x - self.x0, width) * self._overlap(y - self.y0, width)
        return _alike(self.dark + (self.bright - self.dark) * share / width**2, roles)

    def _overlap(self, distance: Coordinates, width: float) -> Coordinates:
        """Metres that two centred intervals, `distance` apart, have in common."""
        common: Coordinates = (self.size + width) / 2 - np.abs(distance)
        return np.clip(common, 0, min(self.size, width))
