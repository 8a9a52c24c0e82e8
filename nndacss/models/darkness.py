"""Shadow by contrast: what a card says of it. Light; the work is done in `contrast`.

A network that learned shadows from few images knows well where one may lie, and less well how dark
it is: haze, the ground below and the light of clouds beside it change that from scene to scene.
How much darker a pixel is than sunlit ground around it is measured in the image itself, and moves
the network's odds of shadow.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from nndacss.errors import SettingsError, complain
from nndacss.models.matching import Matching
from nndacss.models.needs import check_needs
from nndacss.settings import Settings

#: Classes that evidence of any kind is about.
CLEAR, SHADOW, CLOUD = "clear", "shadow", "cloud"


class Darkness(Settings):
    """How contrast moves the odds of shadow; a part of a card. Lengths are in working pixels.

    The defaults were chosen on held-out scenes of L8 Biome with earlier weights, and made gentler
    for farmland in Sentinel-2. None is sharp: half or twice as much of any costs at most 0.04 of
    the IoU of shadow there.
    """

    slope: float = Field(default=7.0, gt=0)
    """Log-odds per contrast."""
    start: float = 0.15
    """Contrast that says nothing: ground itself varies by so much."""
    least: float = Field(default=-1.5, le=0)
    """Smallest change of the log-odds."""
    most: float = Field(default=3.0, ge=0)
    """Largest."""
    around: float = Field(default=50.0, gt=0)
    """Standard deviation of the Gaussian over the background."""
    grow: int = Field(default=2, ge=0)
    """Distance from a cloud up to which ground is no background."""
    near: float = Field(default=100.0, gt=0)
    """Distance from a cloud up to which the evidence counts in full."""
    fade: float = Field(default=50.0, gt=0)
    """Distance beyond it in which it falls to 1/e."""
    bands: tuple[Annotated[tuple[str, ...], Field(min_length=1)], ...] = Field(
        default=(("nir08", "swir16"), ("nir08", "red"), ("green", "red")), min_length=1
    )
    """In which contrast is sought: the first of these groups that a tile has. Air scatters least
    light into shadows beyond the visible; bare soil is dark in near infrared beside crops, but not
    in red."""
    matching: Matching | None = None
    """Where shadows must lie from the clouds, as the image shows it; none: it is not looked for."""


def check(darkness: Darkness, roles: Sequence[str], classes: Sequence[str]) -> None:
    """SettingsError where a network of these bands and classes cannot have it."""
    check_needs("train.darkness", ((CLEAR, SHADOW, CLOUD), ()), classes, roles)
    unknown = sorted({role for group in darkness.bands for role in group} - set(roles))
    if unknown:
        found, expected = ", ".join(unknown), f"bands of the network: {', '.join(roles)}"
        raise SettingsError(complain("train.darkness", found, expected, "correct its bands"))
