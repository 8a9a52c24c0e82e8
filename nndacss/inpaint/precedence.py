"""Labels of what is painted: cloud over shadow over snow over clear.

Labels are sets, and a painted class replaces what it hides; it is never added to it:

- snow: "clear" becomes "snow"; what may be shadow may still be;
- shadow: whatever is below the clouds is shadow, also where nobody had said;
- cloud: cloud. What was labelled cloud stays cloud.

Where a cloud or shadow is so faint that two people would label it differently, both classes are
right: the set holds the painted class and what was there. Unlabelled pixels stay unlabelled.
Pixels labelled as cloud or shadow take no further shadow: the sun does not reach that ground.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nndacss.errors import DatasetError, complain
from nndacss.labels.climate import Climate
from nndacss.labels.sets import Sets, of
from nndacss.raster import Pixels

Mask = NDArray[np.bool_]
Field = NDArray[np.float32]

CLEAR, SHADOW, SNOW, CLOUD = (
    np.uint16(of(code)) for code in (Climate.CLEAR, Climate.SHADOW, Climate.SNOW, Climate.CLOUD)
)
GROUND = CLEAR | SHADOW | SNOW
#: A cloud that hides this share of the ground is one, and may be from the smaller share on. What
#: L8 Biome's analysts marked as thin cloud over dark ground (four of the `train` chips) is brighter
#: in red by 0.02 to 0.06 (lowest twentieth) and 0.03 to 0.07 (lowest quarter).
CLOUD_FROM, CLOUD_MAYBE = 0.05, 0.02
#: Ground that loses this share of the sun's light is in shadow, unless the settings say another,
#: and may be from this part of that share on.
SHADOW_FROM, SHADOW_MAYBE = 0.2, 0.3
#: Snow cover of a pixel that is snow, and that may be.
SNOW_FROM, SNOW_MAYBE = 0.6, 0.2
#: Largest change of reflectance in any band that cannot be seen: whatever is painted, both may be.
INVISIBLE = 0.006


def checked(pixels: Pixels, sets: Sets, roles: tuple[str, ...]) -> None:
    """DatasetError unless image and labels fit each other and hold climate classes only."""
    if pixels.shape != (len(roles), *sets.shape):
        found = f"pixels {pixels.shape} for {len(roles)} bands and labels {sets.shape}"
        remedy = "image and label must be of one size"
        raise DatasetError(complain("painter", found, "(bands, rows, columns)", remedy))
    if sets.size and int(sets.max()) > GROUND | CLOUD:
        found = f"label set {int(sets.max())}"
        expected = "sets of clear, shadow, snow and cloud, 0 to 15"
        raise DatasetError(complain("painter", found, expected, "map the codes first"))


def change(before: Pixels, after: Pixels) -> Field:
    """(rows, columns) largest change of reflectance in any band; 0 where nothing is seen."""
    apart = np.abs(after - before)
    result: Field = np.where(np.isnan(apart), 0, apart).max(axis=0)
    return result


def snowed(sets: Sets, cover: Field) -> Sets:
    """`sets` with snow where `cover` (rows, columns), 0 to 1, is enough of it."""
    bare = sets & CLEAR != 0
    certain = np.where(bare, sets & ~CLEAR | SNOW, sets)
    possible = np.where(bare, sets | SNOW, sets)
    return np.select([cover >= SNOW_FROM, cover >= SNOW_MAYBE], [certain, possible], sets)


def shadowed(sets: Sets, lost: Field, seen: Field, least: float = SHADOW_FROM) -> Sets:
    """`sets` with shadow where the share `least` of the sun's light is `lost`.

    `seen` is by how much; both (rows, columns), 0 to 1 and in reflectance.
    """
    ground = sets & GROUND != 0
    certain = np.where(ground, sets & CLOUD | SHADOW, sets)
    possible = np.where(ground, sets | SHADOW, sets)
    sure = (lost >= least) & (seen >= INVISIBLE)
    return np.select([sure, lost >= SHADOW_MAYBE * least], [certain, possible], sets)


def clouded(sets: Sets, share: Field, seen: Field) -> Sets:
    """`sets` with cloud where it hides enough: `share`; `seen` is by how much the image changed.

    Both (rows, columns), 0 to 1 and in reflectance.
    """
    labelled = sets != 0
    certain = np.where(labelled, CLOUD, sets)
    possible = np.where(labelled, sets | CLOUD, sets)
    sure = (share >= CLOUD_FROM) & (seen >= INVISIBLE)
    return np.select([sure, share >= CLOUD_MAYBE], [certain, possible], sets)


def placed(sets: Sets, code: np.uint16, certain: Mask, possible: Mask) -> Sets:
    """`sets` with the class `code` where it was laid over the image: for sure, and perhaps.

    By precedence: snow only where it may be clear, shadow not on cloud. Unlabelled stays so.
    """
    below = {int(SNOW): CLEAR, int(SHADOW): GROUND, int(CLOUD): GROUND | CLOUD}[int(code)]
    there = sets & below != 0
    surely = np.where(there & (sets & ~below == 0), code, np.where(there, sets & ~below | code, 0))
    return np.select(
        [certain & there, possible & there], [surely.astype(np.uint16), sets | code], sets
    )
