"""The six published ways to paint structures into a labelled patch, each a small composition.

By their meaning ("Climate structures inpainting augmentation"), on one painter with one order of
precedence, so that labels are replaced and never added:

    duplicate                a cloud, shadow or snow once more, moved along the sun's direction
    shadow_for_cloud         the shadow that the patch's own clouds lack
    clouds_on_empty          clouds with shadows, and snow by `snow_chance`, on clear ground alone
    clouds_on_empty_or_snow  clouds with shadows on ground that may hold snow; they hide its label
    snow_on_empty            snow on clear ground alone
    snow_with_clouds         snow beside clouds and shadows, only where the label may be clear

What the published ones could not: steps drawn anew for each sample along its sun, thin cloud,
feathered borders, several structures in a patch, pixels of optics as well as of networks.

Snow of a mode is not laid on open water, nor on what looks like snow and is not labelled so; it
thins out towards what it must not cover.

A mode that does not suit a patch says why; that patch stays as it is, and is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from nndacss.inpaint.options import NAMES
from nndacss.inpaint.precedence import CLEAR, CLOUD, SHADOW, SNOW
from nndacss.inpaint.steps import Steps, View
from nndacss.inpaint.tools import Tools
from nndacss.labels.sets import Sets
from nndacss.raster import Pixels

#: Largest share of cloud below which its shadow can be told (published), and least that is one.
MOST_CLOUD, SOME_CLOUD = 0.5, 0.005
#: Area of shadow by that of cloud from which on a patch's clouds have theirs.
SHADOWED = 0.05
#: Bounds of the share of a class that is copied: less is a speck, more leaves no room.
COPIED = (0.002, 0.5)
#: NDWI above which a pixel is open water, if its near infrared is below DARK.
WATER, DARK = 0.1, 0.12
#: How often a snowfield has no clouds: those are what networks take for cloud.
CLOUDLESS_SNOW = 0.5
#: NDSI above which a pixel is snow already, if its green is above BRIGHT.
SNOWY, BRIGHT = 0.4, 0.3
#: Least share of ground that may be clear, for snow beside clouds.
SOME_CLEAR = 0.05


@dataclass(frozen=True)
class Content:
    """What a patch's labels say, as shares of its labelled pixels."""

    counts: NDArray[np.int64]
    """(16,) pixels of each set."""

    @property
    def labelled(self) -> int:
        """Pixels with any label."""
        return int(self.counts[1:].sum())

    def sure(self, code: np.uint16) -> float:
        """Share that is this class alone."""
        return float(self.counts[int(code)]) / max(self.labelled, 1)

    def may_be(self, codes: int) -> float:
        """Share that may be one of the classes of the set `codes`."""
        some = sum(int(count) for value, count in enumerate(self.counts) if value & codes)
        return some / max(self.labelled, 1)


def content(sets: Sets) -> Content:
    """Counts of a patch's label sets, 0 to 15."""
    return Content(np.bincount(sets.ravel(), minlength=16))


Paint = Callable[[Tools, View, Generator], Steps[View]]
"""Paints a view by what it draws."""


@dataclass(frozen=True)
class Mode:
    """One way to paint."""

    unfit: Callable[[Content], str]
    """Why a patch cannot be painted so; "" where it can."""
    paint: Paint


def _copies(seen: Content) -> list[np.uint16]:
    low, high = COPIED
    return [code for code in (SHADOW, SNOW, CLOUD) if low <= seen.sure(code) <= high]


def _not_copied(seen: Content) -> str:
    return "" if _copies(seen) else "no structure of a size to copy"


def _duplicate(tools: Tools, view: View, rng: Generator) -> Steps[View]:
    choices = _copies(content(view.sets))
    code = choices[int(rng.integers(len(choices)))]
    yield from ()
    return tools.copy(view, rng, code)


def _no_lone_cloud(seen: Content) -> str:
    if not SOME_CLOUD <= seen.sure(CLOUD) <= MOST_CLOUD:
        return "no cloud, or more than half of it cloud"
    lit = seen.sure(SHADOW) < SHADOWED * seen.sure(CLOUD)
    return "" if lit else "its clouds have their shadows"


def _shadow_for_cloud(tools: Tools, view: View, rng: Generator) -> Steps[View]:
    return (yield from tools.shadow(view, rng))


def _not_empty(seen: Content) -> str:
    return "" if seen.may_be(int(CLEAR)) == 1 else "not clear everywhere"


def free(tools: Tools, view: View, rng: Generator) -> Steps[View]:
    """Clouds with their shadows, other ground, water and snow by their settings, on anything."""
    # nothing is drawn for what is not asked for: older recipes paint as they did
    if tools.settings.ground_gain > 1:
        view = tools.ground(view, rng)
    if tools.settings.water_chance and rng.random() < tools.settings.water_chance:
        view = tools.water(view, rng)
    if tools.settings.snowfield_chance and rng.random() < tools.settings.snowfield_chance:
        laid = tools.snowfield(view, rng)
        cloudless = rng.random() < CLOUDLESS_SNOW
        if laid is not view:
            if cloudless:
                return laid
            # thin cloud over snow is hardly seen, and people do not mark it
            tools = replace(tools, settings=tools.settings.model_copy(update={"thin_chance": 0.0}))
            view = laid
    if rng.random() < tools.settings.snow_chance:
        view = yield from tools.snow(view, rng)
    return (yield from tools.clouds(view, rng))


def _clouds_on_empty(tools: Tools, view: View, rng: Generator) -> Steps[View]:
    if rng.random() < tools.settings.snow_chance:
        view = yield from _snow(tools, view, rng)
    return (yield from tools.clouds(view, rng))


def _hidden(seen: Content) -> str:
    return "" if seen.may_be(int(CLEAR | SNOW)) == 1 else "cloud or shadow is there"


def _clouds(tools: Tools, view: View, rng: Generator) -> Steps[View]:
    return (yield from tools.clouds(view, rng))


def _snow(tools: Tools, view: View, rng: Generator) -> Steps[View]:
    bare = (view.sets & CLEAR != 0) & ~open_water(view.pixels, view.roles)
    bare &= ~white_ground(view.pixels, view.roles)
    return (yield from tools.snow(view, rng, where=bare))


def open_water(pixels: Pixels, roles: tuple[str, ...]) -> NDArray[np.bool_]:
    """(rows, columns) what looks like open water, where snow does not stay.

    Brighter in green than in near infrared (McFeeters 1996, NDWI) and dark in that: ice is not.
    Nowhere without these bands.
    """
    near = next((role for role in ("nir08", "nir") if role in roles), None)
    if near is None or "green" not in roles:
        return np.zeros(pixels.shape[1:], bool)
    green, red = pixels[roles.index("green")], pixels[roles.index(near)]
    return np.asarray((green - red > WATER * (green + red)) & (red < DARK))


def _no_cloud_beside_ground(seen: Content) -> str:
    if seen.sure(CLOUD) < SOME_CLOUD:
        return "no cloud"
    return "" if seen.may_be(int(CLEAR)) >= SOME_CLEAR else "no clear ground"


def white_ground(pixels: Pixels, roles: tuple[str, ...]) -> NDArray[np.bool_]:
    """(rows, columns) what looks like snow already, in data that never label it.

    Bright in green and dark at 1.6 um (Dozier 1989, NDSI). Nowhere without these bands.
    """
    if not {"green", "swir16"} <= set(roles):
        return np.zeros(pixels.shape[1:], bool)
    green, swir = pixels[roles.index("green")], pixels[roles.index("swir16")]
    return np.asarray((green - swir > SNOWY * (green + swir)) & (green > BRIGHT))


MODES: Mapping[str, Mode] = dict(
    zip(
        NAMES,
        (
            Mode(_not_copied, _duplicate),
            Mode(_no_lone_cloud, _shadow_for_cloud),
            Mode(_not_empty, _clouds_on_empty),
            Mode(_hidden, _clouds),
            Mode(_not_empty, _snow),
            Mode(_no_cloud_beside_ground, _snow),
        ),
        strict=True,
    )
)
