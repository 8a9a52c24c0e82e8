"""Shadow by contrast: ground much darker than the sunlit ground around it is likelier a shadow.

A network that learned shadows from few images knows well where one may lie, and less well how dark
it is: haze, the ground below and the light of clouds beside it change that from scene to scene.
How much darker a pixel is than sunlit ground around it is measured in the image itself, and moves
the network's odds of shadow: the log-odds grow by `slope` times (contrast - start), within limits.
Contrast is log(background / reflectance), in the band that shows least of it, so that water and
dark soil, which are dark in some bands only, gain little.

The background is the Gaussian mean of the log reflectance of what is no cloud, nor near one, nor
shadow by the network's own word. No cloud, no shadow: the evidence fades with the distance from
the nearest cloud, and without clouds there is none.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from nndacss.errors import SettingsError, complain
from nndacss.raster import Pixels
from nndacss.settings import Settings

#: Pixels a side that are averaged for the background, which is smooth; divides a tile's sides.
_BLOCK = 8
#: Reflectance below this is noise, and its logarithm would outweigh all else.
_DARKEST = 0.005
#: Share of sunlit ground around, below which there is nothing to compare with.
_ENOUGH = 1e-3
#: The two classes that it is about.
SHADOW, CLOUD = "shadow", "cloud"


class Darkness(Settings):
    """How contrast moves the odds of shadow; a part of a card. Lengths are in working pixels.

    The defaults were chosen on held-out scenes of L8 Biome, and none is sharp: half or twice as
    much of any cost less than 0.07 of the IoU of shadow there.
    """

    slope: float = Field(default=10.0, gt=0)
    """Log-odds per contrast."""
    start: float = 0.15
    """Contrast that says nothing: ground itself varies by so much."""
    least: float = Field(default=-2.0, le=0)
    """Smallest change of the log-odds."""
    most: float = Field(default=4.0, ge=0)
    """Largest."""
    around: float = Field(default=50.0, gt=0)
    """Standard deviation of the Gaussian over the background."""
    grow: int = Field(default=2, ge=0)
    """Distance from a cloud up to which ground is no background."""
    near: float = Field(default=100.0, gt=0)
    """Distance from a cloud up to which the evidence counts in full."""
    fade: float = Field(default=50.0, gt=0)
    """Distance beyond it in which it falls to 1/e."""
    bands: tuple[tuple[str, ...], ...] = Field(
        default=(("nir08", "swir16"), ("nir08", "red"), ("green", "red")), min_length=1
    )
    """In which contrast is sought: the first of these groups that a tile has. Air scatters least
    light into shadows beyond the visible; bare soil is dark in near infrared beside crops, but not
    in red."""


def check(darkness: Darkness, roles: Sequence[str], classes: Sequence[str]) -> None:
    """SettingsError where a network of these bands and classes cannot have it."""
    lacking = sorted({SHADOW, CLOUD} - set(classes))
    if lacking:
        found, expected = f"no class {', '.join(lacking)}", f"classes {SHADOW} and {CLOUD}"
        raise SettingsError(complain("train.darkness", found, expected, "take it out"))
    unknown = sorted({role for group in darkness.bands for role in group} - set(roles))
    if unknown:
        found, expected = ", ".join(unknown), f"bands of the network: {', '.join(roles)}"
        raise SettingsError(complain("train.darkness", found, expected, "correct its bands"))


def shaded(
    probability: Pixels,
    pixels: Pixels,
    roles: Sequence[str],
    classes: Sequence[str],
    darkness: Darkness,
) -> Pixels:
    """Probabilities of one tile with the evidence in them, float32.

    `probability` is (classes, rows, columns) with sum 1, `pixels` (bands, rows, columns)
    reflectance in the order of `roles`, NaN where missing; rows and columns are multiples of 8.
    The odds between the other classes stay as they are. Where contrast is unknown nothing changes.
    """
    from scipy import ndimage

    cloud = probability.argmax(axis=0) == classes.index(CLOUD)
    seen = _seen(pixels, roles, darkness)
    if not cloud.any() or not seen:
        return probability
    distance = ndimage.distance_transform_edt(~cloud).astype(np.float32)
    shadow = list(classes).index(SHADOW)
    sunlit = np.where(distance > darkness.grow, 1 - probability[shadow], 0)
    contrast = _contrast(seen, sunlit, darkness.around)
    evidence = darkness.slope * (contrast - darkness.start)
    evidence = np.clip(evidence, darkness.least, darkness.most)
    evidence *= np.exp(-np.maximum(distance - darkness.near, 0) / darkness.fade)
    result = probability.copy()
    result[shadow] *= np.exp(np.nan_to_num(evidence, nan=0.0))
    result /= result.sum(axis=0)
    return result


def _seen(pixels: Pixels, roles: Sequence[str], darkness: Darkness) -> list[Pixels]:
    """The planes in which contrast is sought; none where the tile has no group of them."""
    for group in darkness.bands:
        planes = [pixels[list(roles).index(role)] for role in group]
        if all(np.isfinite(plane).any() for plane in planes):
            return planes
    return []


def _contrast(bands: list[Pixels], sunlit: Pixels, around: float) -> Pixels:
    """log(background / reflectance), the least of the bands that a pixel has.

    NaN where it has none, or where little around is sunlit.
    """
    values = [np.log(np.maximum(band, np.float32(_DARKEST))) for band in bands]
    weight = np.where(np.isfinite(values).all(axis=0), sunlit, np.float32(0))
    total = _smooth(weight, around)
    total[total < _ENOUGH] = np.nan
    contrasts = [_smooth(weight * np.nan_to_num(value), around) / total - value for value in values]
    least: Pixels = np.fmin.reduce(contrasts)
    return least


def _smooth(plane: Pixels, around: float) -> Pixels:
    """Gaussian mean, taken on means of blocks and brought back bilinearly."""
    from scipy import ndimage

    rows, columns = plane.shape
    blocks = plane.reshape(rows // _BLOCK, _BLOCK, columns // _BLOCK, _BLOCK).mean(axis=(1, 3))
    smooth = ndimage.gaussian_filter(blocks, around / _BLOCK, mode="nearest")
    fine: Pixels = ndimage.zoom(smooth, _BLOCK, order=1, mode="nearest", grid_mode=True)
    return fine
