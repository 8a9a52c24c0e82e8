"""Farm land: blocks of strips, each strip cut into parcels that grow one thing.

A block is the polygon of the places nearest to one site (a Voronoi cell of jittered sites, about
`BLOCK` metres wide). Inside it, strips run in the block's own direction and are cut across, as
the parcels of old farm land are. Towns use the same directions for their streets.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nndacss.simulate.noise import (
    Coordinates,
    Field,
    Hashes,
    Indices,
    cells,
    look,
    mixed,
    span,
    unit,
)

#: Mean distance of block sites, metres.
BLOCK = 650.0

#: How far a site strays from the middle of its lattice cell, in cells. At most 0.35, so that the
#: nearest of the four cells around a place is nearly always the nearest of all.
_STRAY = 0.35


@dataclass(frozen=True)
class Blocks:
    """For each coordinate, its block and where in it."""

    chosen: Hashes
    """One random number per block."""
    along: Field
    """Metres from the block's site in the direction of its strips."""
    across: Field
    """Metres from the block's site across its strips."""
    border: Field
    """Metres to the block's border, roughly."""


def blocks(x: Coordinates, y: Coordinates, seed: int) -> Blocks:
    """The block that holds each coordinate: the nearest of the four sites around it."""
    (column, right), (row, down) = cells(x - BLOCK / 2, BLOCK), cells(y - BLOCK / 2, BLOCK)
    columns, rows = span(column, 0, 1)[None, :], span(row, 0, 1)[:, None]
    column, row = column - columns[0, 0], row - rows[0, 0]
    sites = mixed(columns, rows, seed)
    site_x, site_y = ((unit(mixed(sites, n, seed)) - np.float32(0.5)) * 2 * _STRAY for n in (1, 2))
    shape = np.broadcast_shapes(x.shape, y.shape)
    best, second = (np.full(shape, np.float32(9)) for _ in range(2))
    where: NDArray[np.int32] = np.zeros(shape, dtype=np.int32)
    for n in range(4):
        i, j = column + n % 2, row + n // 2
        east = (right - np.float32(n % 2)) - look(site_x, i, j)
        north = (down - np.float32(n // 2)) - look(site_y, i, j)
        distance = east * east + north * north
        closer = distance < best
        second = np.where(closer, best, np.minimum(second, distance))
        best = np.where(closer, distance, best)
        where = np.where(closer, (j * columns.size + i).astype(np.int32), where)
    border = (np.sqrt(second) - np.sqrt(best)) * np.float32(BLOCK / 2)
    along, across = _turned(x, y, where, columns, rows, sites)
    return Blocks(sites.ravel().take(where), along, across, border)


def _turned(
    x: Coordinates,
    y: Coordinates,
    where: NDArray[np.int32],
    columns: Indices,
    rows: Indices,
    sites: Hashes,
) -> tuple[Field, Field]:
    """Coordinates relative to the block's lattice cell, turned into its direction."""
    angle = unit(mixed(sites, 3, 0)) * np.float32(np.pi)
    cosine, sine = (part.ravel().take(where) for part in (np.cos(angle), np.sin(angle)))
    first, last = columns[0, 0] * BLOCK, rows[0, 0] * BLOCK
    number = where % columns.size, where // columns.size
    east = (x - first).astype(np.float32) - number[0].astype(np.float32) * np.float32(BLOCK)
    north = (y - last).astype(np.float32) - number[1].astype(np.float32) * np.float32(BLOCK)
    return east * cosine + north * sine, north * cosine - east * sine


@dataclass(frozen=True)
class Parcels:
    """For each coordinate, its parcel."""

    chosen: Hashes
    """One random number per parcel."""
    edge: Field
    """Metres to the nearest edge between two strips."""


def parcels(land: Blocks, size: float = 1.0) -> Parcels:
    """Strips of 70 to 220 m, cut every 150 to 500 m, all times `size`."""
    width = np.float32(size) * (70 + 150 * unit(mixed(land.chosen, 5, 0)) ** 2)
    position = land.across / width
    strip = np.floor(position)
    inside = position - strip
    strip_hash = mixed(land.chosen, strip.astype(np.int32), 6)
    length = np.float32(size) * (150 + 350 * unit(strip_hash))
    piece = np.floor(land.along / length)
    edge = np.minimum(inside, 1 - inside) * width
    return Parcels(mixed(strip_hash, piece.astype(np.int32), 7), edge)
