"""Cloud by parallax: what a card says of it. Light; the work is done in `displacement`.

A push broom (Landsat-8/9, Sentinel-2) sees a place in each band at another moment, and so from
another angle. Bands are made to lie over each other on the ground; what stands above the ground
does not: green lies 0.60 s from blue in OLI, so a cloud 10 km up lies 64 m from itself, and
Sentinel-2's red 1.0 s from blue (delays and geometry: `nndacss.simulate.optics`). Snow, ice, salt
and roofs hold still. That tells them from cloud where their colour does not.

A whisk broom (Landsat-5 and -7) sees all bands within milliseconds: there nothing is displaced.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import Field, model_validator

from nndacss.models.darkness import CLOUD
from nndacss.models.needs import check_needs
from nndacss.settings import Settings

#: The other class that it is about.
SNOW = "snow"
#: Displacement is sought between the first and each of the others: they look alike in any ground.
BANDS = ("blue", "green", "red")


class Parallax(Settings):
    """How displacement between bands moves the odds of cloud; a part of a card.

    Lengths are in working pixels (30 m in Landsat, 20 m in Sentinel-2). `ground`, `loose` and
    `cloud` are two-dimensional Gaussians' standard deviations along each axis; the evidence is the
    logarithm of how much likelier the displacement is for cloud than for ground.
    """

    ground: float = Field(default=0.08, gt=0)
    """How far ground may seem displaced: 2.4 m in Landsat. OLI's bands are specified to lie within
    4.5 m of each other (90 %), 2.7 m along an axis; clear chips of L8 Biome show up to 3 m."""
    loose: float = Field(default=0.3, gt=0)
    """The same in images whose bands lie badly on each other."""
    loose_share: float = Field(default=0.08, ge=0, lt=1)
    """How many images do: 2 of 24 clear chips of Sentinel-2 over land, by 0.2 and 0.3 pixels in
    green and 0.3 and 0.4 in red, as if they lay some 700 and 1000 m above the ground."""
    cloud: float = Field(default=0.5, gt=0)
    """How far clouds are: 0.5 pixels are 15 m in Landsat, a cloud at 2.3 km."""
    windows: Annotated[tuple[float, ...], Field(min_length=1)] = (8.0, 16.0, 32.0, 64.0)
    """Standard deviations of the Gaussian windows in which displacement is measured. The first that
    decides counts: plain snow shows so little that only a wide one does. What holds still in a
    narrow window is no cloud only where the widest agrees, since thin cloud shows the ground."""
    decides: float = Field(default=3.0, gt=0)
    """Evidence of either kind from which a window decides: twenty to one."""
    overconfidence: float = Field(default=1.0, ge=1)
    """How many times too large the network's log-odds are on images that it has not seen, as
    temperature scaling finds it (Guo et al. 2017, arXiv:1706.04599). Evidence counts as many times,
    so that both weigh alike."""
    most: float = Field(default=6.0, ge=0)
    """Largest evidence of cloud, which takes from snow. Clear ground and shadow lose nothing: a
    window reaches beyond the rim of a cloud, and where clouds end colours tell better."""
    least: float = Field(default=-4.0, le=0)
    """Largest evidence against cloud."""
    bright: tuple[float, float] = (0.45, 0.65)
    """Reflectance, in the darkest of the bands, from which stillness counts against cloud, and from
    which it counts in full. What is dull may be fog, which hardly rises above the ground; what is
    as bright as this is deep if it is cloud."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if any(window <= 0 for window in self.windows):
            raise ValueError("windows must be above 0")
        if list(self.windows) != sorted(set(self.windows)):
            raise ValueError("windows must grow")
        if self.bright[0] >= self.bright[1]:
            raise ValueError("bright must be two reflectances, the second larger")
        if self.cloud <= self.ground:
            raise ValueError("cloud must be more than ground")
        return self


def check(roles: Sequence[str], classes: Sequence[str]) -> None:
    """SettingsError where a network of these bands and classes cannot have it."""
    check_needs("train.parallax", ((SNOW, CLOUD), BANDS), classes, roles)
