"""Shade that hills cast: where the sun stands behind higher ground.

Ground that has `altitude(x, y)` (metres) is looked at on the map's 90 m lattice, from each point
towards the sun in steps of 90 m. A slope that turns away from the sun is the ground's own matter,
see `landscape.Wide.light`. The truth does not count such shade: it is about clouds.
"""

from __future__ import annotations

import numpy as np

from nndacss.simulate.landscape import Ground
from nndacss.simulate.noise import Coordinates, Field
from nndacss.simulate.table import Table, lattice

#: Metres between points, and how far towards the sun hills are looked for.
_STEP, _REACH = 90.0, 3600.0

#: Share of the beam that arrives in full shade: slopes around it throw it in.
_THROWN_IN = 0.3

#: The sun's disc and the lattice blur the edge: over this rise per metre.
_SOFT = 0.06


def open_sky(
    ground: Ground, sun: tuple[float, float], box: tuple[Coordinates, Coordinates]
) -> Table | None:
    """Share of the sun's beam that hills let through, around a box of coordinates.

    From `_THROWN_IN` to 1. `sun` is elevation and azimuth in degrees. None for a ground without
    altitude.
    """
    altitude = getattr(ground, "altitude", None)
    if altitude is None:
        return None
    rise = np.float32(np.tan(np.radians(sun[0])))
    east, north = np.sin(np.radians(sun[1])), np.cos(np.radians(sun[1]))
    still = (0.0, 0.0)
    x, y = lattice(box, [still], _STEP)
    wide_x, wide_y = lattice((x, y), [still, (_REACH * east, _REACH * north)], _STEP)
    heights: Field = altitude(wide_x[None, :], wide_y[:, None])
    hills = Table(wide_x, wide_y, heights, _STEP)
    here = hills.at(x[None, :], y[:, None])
    steepest: Field = np.full_like(here, -9.0)
    for number in range(1, round(_REACH / _STEP) + 1):
        far = number * _STEP
        there = hills.at(x[None, :] + far * east, y[:, None] + far * north)
        np.maximum(steepest, (there - here) * np.float32(1 / far), out=steepest)
    seen = np.clip(np.float32(0.5) - (steepest - rise) * np.float32(1 / _SOFT), 0, 1)
    share: Field = np.float32(_THROWN_IN) + np.float32(1 - _THROWN_IN) * seen
    return Table(x, y, share, _STEP)
