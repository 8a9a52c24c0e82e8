"""Thin cloud by haze: what a card says of it. Light; the work is done in `veil`.

From one kind of land to another blue grows about half as much as red; what lies above adds about
as much to both. So blue less half of red, the haze optimized transform (Zhang et al. 2002,
doi:10.1016/S0034-4257(02)00034-2, with Fmask's slope, Zhu and Woodcock 2012,
doi:10.1016/j.rse.2011.10.028), shows thin cloud and hardly the ground. Fmask asks for more than a
fixed 0.08; but air, level of processing and ground change it from scene to scene, so here it is
compared with that of clear ground around.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from nndacss.models.darkness import CLEAR, CLOUD
from nndacss.models.needs import check_needs
from nndacss.settings import Settings

#: The transform is the first less half of the second.
BANDS = ("blue", "red")


class Haze(Settings):
    """How haze moves the odds of cloud against clear ground; a part of a card.

    Lengths are in working pixels. First guesses, kept: on two held-out folds no other that was
    tried (half or twice as much of slope, most and around, `start` 0.008 and 0.016) changes an IoU
    of cloud by more than 0.03; `least` of 0 costs the gain on farmland.
    """

    slope: float = Field(default=120.0, gt=0)
    """Log-odds per reflectance of the transform above that of clear ground around."""
    start: float = 0.012
    """Reflectance that says nothing: ground itself varies by so much."""
    least: float = Field(default=-1.0, le=0)
    """Smallest change of the log-odds."""
    most: float = Field(default=2.0, ge=0)
    """Largest."""
    around: float = Field(default=25.0, gt=0)
    """Standard deviation of the Gaussian over the ground around."""
    enough: float = Field(default=0.1, gt=0, lt=1)
    """Share of clear ground around, below which there is nothing to compare with: in fog the few
    pixels that a network takes for clear are fog."""
    grow: int = Field(default=2, ge=0)
    """Distance from a cloud up to which ground is not compared with."""
    cloud: int = Field(default=50, ge=1)
    """Pixels of a cloud beside which haze may be more of it. What is smaller, or far from any, is
    as likely a white roof; there evidence against cloud alone counts."""
    near: float = Field(default=30.0, ge=0)
    """Distance from such a cloud up to which evidence for cloud counts in full."""
    fade: float = Field(default=20.0, gt=0)
    """Distance beyond it in which it falls to 1/e."""


def check(roles: Sequence[str], classes: Sequence[str]) -> None:
    """SettingsError where a network of these bands and classes cannot have it."""
    check_needs("train.haze", ((CLEAR, CLOUD), BANDS), classes, roles)
