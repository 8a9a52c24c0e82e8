"""The painter: real outlines of clouds, their shadows and snow, into labelled images.

Labels follow one order of precedence, see `nndacss.inpaint.precedence`. What is painted where is
drawn from the generator of each patch alone, so that a batch of n patches gives what n single ones
give; only the requests to networks are put together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator

from nndacss.errors import WeightsError, complain
from nndacss.inpaint import render
from nndacss.inpaint.bank import MaskBank
from nndacss.inpaint.cast import Geometry
from nndacss.inpaint.modes import MODES, Content, Paint, content, free
from nndacss.inpaint.networks import Networks
from nndacss.inpaint.options import PaintOptions
from nndacss.inpaint.pairs import azimuth_of, usual_step
from nndacss.inpaint.precedence import CLOUD, GROUND, SHADOW, checked
from nndacss.inpaint.steps import Request, Steps, View
from nndacss.inpaint.tools import Tools
from nndacss.inpaint.weather import draw_geometry, draw_haze
from nndacss.labels.sets import Sets
from nndacss.raster import Pixels

#: A patch with less ground than this share of its pixels is left as it is.
LEAST_GROUND = 0.05
#: What a painting without modes is called.
FREE = "free"


@dataclass(frozen=True)
class Patch:
    """A labelled image; north is up."""

    pixels: Pixels
    """(bands, rows, columns) float32 reflectance, NaN missing."""
    sets: Sets
    """(rows, columns) label sets of climate classes."""
    roles: tuple[str, ...]
    metres: float
    sun: tuple[float, float] | None
    """Elevation and azimuth, degrees; None where unknown."""
    level: str = "TOA"


@dataclass(frozen=True)
class Painted:
    """A patch as painted; arrays are new."""

    pixels: Pixels
    sets: Sets
    mode: str
    """How; "" where it came back as it was."""
    skipped: str = ""
    """Why it came back as it was."""
    geometry: Geometry | None = None
    sun_from: str = ""
    """Where the sun's direction is from: `record`, `pairs` (the patch's own clouds and shadows),
    `drawn`."""
    story: tuple[str, ...] = ()
    """Masks and heights."""


@dataclass(frozen=True)
class Painter:
    """Paints with the outlines of one bank."""

    bank: MaskBank
    settings: PaintOptions
    networks: Networks | None = None
    """For the renderer `network`."""

    def __post_init__(self) -> None:
        if self.settings.renderer == "network" and self.networks is None:
            found, remedy = "no networks", "open them with open_networks"
            raise WeightsError(complain("renderer = 'network'", found, "some", remedy))

    def paint(
        self,
        pixels: Pixels,
        sets: Sets,
        roles: tuple[str, ...],
        metres: float,
        sun: tuple[float, float] | None,
        rng: Generator,
        level: str = "TOA",
    ) -> tuple[Pixels, Sets]:
        """Painted copies of (bands, rows, columns) reflectance and (rows, columns) label sets.

        `pixels` is NaN where missing, and stays so; `metres` is their size; `sun` its elevation
        and azimuth in degrees, drawn where it is None. North is up, so paint before an image is
        turned, or turn the azimuth along. An image without ground (all cloud, or unlabelled), or
        that no mode suits, comes back as it is. The same state of `rng` gives the same image.
        DatasetError for label sets of other classes.
        """
        (done,) = self.paint_batch([Patch(pixels, sets, roles, metres, sun, level)], [rng])
        return done.pixels, done.sets

    def paint_batch(self, patches: Sequence[Patch], rngs: Sequence[Generator]) -> list[Painted]:
        """Several patches, each by its own generator; their networks' work is done together."""
        steps = [self._steps(patch, rng) for patch, rng in zip(patches, rngs, strict=True)]
        return side_by_side(steps, self._answer)

    def _answer(self, requests: Sequence[Request]) -> list[Pixels]:
        # steps ask only where there are networks
        return self.networks.answer(requests) if self.networks else []

    def _steps(self, patch: Patch, rng: Generator) -> Steps[Painted]:
        checked(patch.pixels, patch.sets, patch.roles)
        ground = (patch.sets & GROUND != 0) & ~np.isnan(patch.pixels).all(axis=0)
        if ground.mean() < LEAST_GROUND:
            return _as_it_is(patch, "no ground")
        paint: Paint = free
        if not self.settings.modes:
            geometry = draw_geometry(patch.sun, self.settings, rng)
            mode, sun_from = FREE, "record" if patch.sun else "drawn"
        else:
            seen = content(patch.sets)
            suited = [name for name in self.settings.modes if not MODES[name].unfit(seen)]
            if not suited:
                return _as_it_is(patch, _reason(self.settings.modes, seen))
            mode = suited[int(rng.integers(len(suited)))]
            paint = MODES[mode].paint
            geometry, sun_from = self._geometry(patch, rng)
        view = self._view(patch, geometry, draw_haze(self.settings, rng))
        done = yield from paint(Tools(self.bank, self.settings), view, rng)
        if _unchanged(patch, done):
            return _as_it_is(patch, "what was drawn lies where nothing may be painted")
        story = tuple(filter(None, done.story))
        return Painted(done.pixels, done.sets, mode, "", geometry, sun_from, story)

    def _view(self, patch: Patch, geometry: Geometry, haze: float) -> View:
        light = render.light(patch.pixels, patch.roles, patch.level, geometry.sun_elevation, haze)
        feather = self.settings.feather if self.settings.renderer == "network" else None
        own = self.settings.shadow_from
        return View(
            patch.pixels, patch.sets, patch.roles, patch.metres, geometry, light, feather, own
        )

    def _geometry(self, patch: Patch, rng: Generator) -> tuple[Geometry, str]:
        """Sun and sensor; an unknown azimuth as the patch's own clouds and shadows tell it."""
        geometry = draw_geometry(patch.sun, self.settings, rng)
        if patch.sun is not None:
            return geometry, "record"
        both = (patch.sets == CLOUD).any() and (patch.sets == SHADOW).any()
        step = usual_step(patch.sets, patch.metres) if both else None
        if step is None:
            return geometry, "drawn"
        # the step as seen holds the sensor's parallax already
        return replace(geometry, sun_azimuth=azimuth_of(step), view_zenith=0.0), "pairs"


def side_by_side(
    steps: Sequence[Steps[Painted]], answer: Callable[[Sequence[Request]], list[Pixels]]
) -> list[Painted]:
    """Carry all steps on together; `answer` gets what they ask for at one time."""
    done: dict[int, Painted] = {}
    waiting: dict[int, Request] = {}

    def carry_on(index: int, pixels: Pixels | None) -> None:
        try:
            # a generator that has not begun takes None
            waiting[index] = steps[index].send(pixels)  # type: ignore[arg-type]
        except StopIteration as end:
            done[index] = end.value

    for index in range(len(steps)):
        carry_on(index, None)
    while waiting:
        asked, waiting = waiting, {}
        for index, pixels in zip(asked, answer(list(asked.values())), strict=True):
            carry_on(index, pixels)
    return [done[index] for index in range(len(steps))]


def _as_it_is(patch: Patch, why: str) -> Painted:
    return Painted(patch.pixels.copy(), patch.sets.copy(), "", why)


def _unchanged(patch: Patch, done: View) -> bool:
    return np.array_equal(patch.sets, done.sets) and np.array_equal(
        patch.pixels, done.pixels, equal_nan=True
    )


def _reason(modes: Sequence[str], seen: Content) -> str:
    """Why none of some modes suits a patch, each reason once."""
    return "; ".join(dict.fromkeys(MODES[name].unfit(seen) for name in modes))
