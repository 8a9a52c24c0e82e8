"""Settings of the painter; light, for the scheduler's process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from nndacss.models.inpainter_card import CODES, DEFAULT_WEIGHTS
from nndacss.settings import Settings

Range = tuple[float, float]

#: The published ways to paint, see `nndacss.inpaint.modes`.
NAMES = (
    "duplicate",
    "shadow_for_cloud",
    "clouds_on_empty",
    "clouds_on_empty_or_snow",
    "snow_on_empty",
    "snow_with_clouds",
)


class PaintOptions(Settings):
    """What is painted, and how; ranges are smallest and largest."""

    bank: str = Field(default="", exclude=True)
    """File of the outlines, made by the task MaskBank or `python -m nndacss.inpaint.bank`; relative
    to the current directory. A place, so no part of a recipe."""
    bank_sha256: str = Field(default="", pattern="^([0-9a-f]{64})?$")
    """Which bank: filled in when a run is planned. A bank with another sum is refused."""
    modes: tuple[str, ...] = ()
    """Which of the six published ways to paint, see `nndacss.inpaint.modes`; each sample gets one
    of those that suit it, any as likely, and stays as it is where none does. None named: clouds
    with their shadows, and snow by `snow_chance`, into any sample with some ground."""
    renderer: Literal["physical", "network"] = "physical"
    """Where the pixels of a structure come from: optics, or a network that restores what it has
    learned to see in such a place (clouds' hems and thin clouds are optics in both)."""
    weights: Mapping[str, str] = Field(default={}, exclude=True)
    """For `network`: cloud, shadow, snow -> name or path of weights; ours where none is named."""
    weights_sha256: Mapping[str, str] = {}
    """Which weights: filled in when a run is planned."""
    feather: float = Field(default=60.0, ge=0)
    """Metres from a structure's border inward over which copied pixels, and those of a network,
    rise to their full share."""
    pair_chance: float = Field(default=0.0, ge=0, le=1)
    """How often clouds are matched pairs of the bank, each with the shadow that it really threw,
    turned to the sample's sun; otherwise shadows are cast from a drawn height."""
    shift: Range = (150.0, 1500.0)
    """Metres along the sun's direction by which `duplicate` moves a structure."""
    cover: Range = (0.02, 0.6)
    """Share of the patch that a layer covers; small shares are drawn as often as large ones."""
    second_chance: float = Field(default=0.25, ge=0, le=1)
    """How often a second layer is painted, at a height of its own."""
    high_chance: float = Field(default=0.25, ge=0, le=1)
    """How often a layer is high, not low."""
    low: Range = (500.0, 3000.0)
    """Height of low clouds above the ground, metres."""
    high: Range = (3000.0, 8000.0)
    """Height of high clouds, metres."""
    thin_chance: float = Field(default=0.3, ge=0, le=1)
    """How often a layer is thin: one sees the ground through all of it."""
    thick: Range = (5.0, 45.0)
    """Optical thickness that thick clouds come near to inside."""
    thin: Range = (0.7, 5.0)
    """That of thin clouds."""
    zoom: Range = (0.75, 2.0)
    """Magnification of the outlines: clouds look alike over a wide range of sizes."""
    width: Range = (150.0, 700.0)
    """Metres inward from its outline in which a firm cloud reaches most of its thickness. With
    small outlines (`zoom` below 1) take less: small cumulus is thick, too, and its shadow deep."""
    shadow_from: float = Field(default=0.2, gt=0, le=1)
    """Ground that loses this share of the sun's light is labelled shadow; from 0.3 of that share on
    it may be. People mark less than is there: on textured ground 0.2 is hardly seen."""
    fill: Range = (0.0, 0.1)
    """Share of the lost light that neighbouring clouds and ground throw back into a shadow, drawn
    once a patch. In near infrared the larger shadows that L8 Biome's analysts marked are 0.36 to
    0.87 (10 to 90 %) as bright as the clear ground around, the median 0.53; where clouds of
    optical thickness 20 are painted over such ground with 0.05, it is 0.37."""
    haze: Range = (0.06, 0.06)
    """Optical thickness of the haze, at 0.55 um, through which top-of-atmosphere images show a
    shadow; drawn once a patch. More leaves less of it in the visible bands."""
    elevation: Range = (22.0, 68.0)
    """Sun above the horizon, degrees, where a sample does not say; drawn once a patch."""
    snow_chance: float = Field(default=0.0, ge=0, le=1)
    """How often snow is painted below the clouds; needs outlines of snow in the bank."""
    snowfield_chance: float = Field(default=0.0, ge=0, le=1)
    """How often snow or ice is laid all over a sample first, where no modes are named and no cloud
    is in it: plains, floes, snow in woods, ice on lakes, see `nndacss.inpaint.snowfields`. Every
    other one stays without clouds. Labelled images show few, and without short-wave bands they look
    like cloud to a network that has seen few."""
    ground_gain: float = Field(default=1.0, ge=1)
    """Largest factor by which ground is made brighter or darker first, where no modes are named and
    no cloud is in the sample; a band alone by up to its cube root more. Labelled images show few
    grounds, and a network that has seen few misses shadows on others. 1: never."""
    water_chance: float = Field(default=0.0, ge=0, le=1)
    """How often open water is painted first, where no modes are named: few labelled images hold
    any, and water between clouds is easily taken for their shadow."""

    @field_validator("modes")
    @classmethod
    def _known_modes(cls, modes: tuple[str, ...]) -> tuple[str, ...]:
        if not set(modes) <= set(NAMES) or len(set(modes)) < len(modes):
            raise ValueError(f"modes must be different, of {', '.join(NAMES)}")
        return modes

    @field_validator("weights")
    @classmethod
    def _known_structures(cls, weights: Mapping[str, str]) -> Mapping[str, str]:
        if not set(weights) <= set(CODES):
            raise ValueError(f"weights are of {', '.join(CODES)}")
        return weights

    @property
    def networks(self) -> dict[str, str]:
        """Structure -> weights, ours where none is named."""
        return {**DEFAULT_WEIGHTS, **self.weights}

    @property
    def structures(self) -> tuple[str, ...]:
        """What may be painted, in the words of `networks` and of the bank's kinds."""
        chosen = set(self.modes)
        snow = {"snow_on_empty", "snow_with_clouds"} & chosen
        clouds = {"clouds_on_empty", "clouds_on_empty_or_snow"} & chosen or not chosen
        below = self.snow_chance > 0 and (not chosen or "clouds_on_empty" in chosen)
        found = ["cloud"] if clouds else []
        found += ["shadow"] if clouds or "shadow_for_cloud" in chosen else []
        return (*found, "snow") if snow or below else tuple(found)

    @model_validator(mode="after")
    def _check(self) -> Self:
        ranges = ("cover", "low", "high", "thick", "thin", "zoom", "width", "elevation", "shift")
        for name in (*ranges, "haze"):
            low, high = getattr(self, name)
            if not 0 < low <= high:
                raise ValueError(f"{name} must be two rising numbers above 0")
        if self.cover[1] > 1:
            raise ValueError("cover must be at most 1")
        if not 0 <= self.fill[0] <= self.fill[1] <= 1:
            raise ValueError("fill must be two rising shares, 0 to 1")
        if self.elevation[0] < 5 or self.elevation[1] > 90:
            raise ValueError("elevation must lie between 5 and 90 degrees")
        return self


class PaintSettings(PaintOptions):
    """Painting as a step of training."""

    chance: float = Field(default=0.0, ge=0, le=1)
    """How often a sample is painted; 0: never, and no bank is needed."""
    datasets: tuple[str, ...] = ()
    """Data sets whose samples are painted; none named: all."""
