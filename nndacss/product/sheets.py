"""What each raster of a product holds: bands, units, nodata, classes, bits.

One table for all that must agree: the COG's own tags, the STAC item and the report.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from nndacss.harmonize.result import NODATA, SCALE
from nndacss.labels.climate import COLOURS, Climate

Reduce = Literal["average", "mode", "nearest"]
Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Label:
    """One code of a class raster."""

    value: int
    name: str
    colour: Colour
    """Red, green, blue, 0..255."""
    description: str


@dataclass(frozen=True)
class Bit:
    """One field of a bit field raster."""

    offset: int
    """First bit, 0 is the least."""
    length: int
    name: str
    description: str


@dataclass(frozen=True)
class Sheet:
    """One raster file of the product."""

    thing: str
    """Last word of the file name: `reflectance`, `mask`, ..."""
    title: str
    """What it is, for people."""
    dtype: str
    nodata: int
    bands: tuple[str, ...]
    """Band descriptions, in order."""
    reduce: Reduce
    """How four pixels become one in the overviews."""
    scale: float = 1.0
    """value = scale * count"""
    unit: str | None = None
    labels: tuple[Label, ...] = ()
    bits: tuple[Bit, ...] = ()
    coded: tuple[str, ...] = ()
    """Bands that hold the bits where the others hold numbers: no scale, no means."""
    recode: tuple[tuple[int, int], ...] = ()
    """(code in the source, code in this file) where the file is another coding of its source."""

    @property
    def predictor(self) -> bool:
        """Whether differences compress better than values: smooth numbers, not codes."""
        return self.dtype == "int16"

    def tags(self, band: str) -> dict[str, str]:
        """Names of classes and bits of a band, kept in the file's own metadata."""
        if self.coded and band not in self.coded:
            return {}
        classes = {f"CLASS_{label.value}": label.name for label in self.labels}
        bits = {f"BIT_{_bits(bit)}": bit.name for bit in self.bits}
        return classes | bits


def _bits(bit: Bit) -> str:
    last = bit.offset + bit.length - 1
    return str(bit.offset) if bit.length == 1 else f"{bit.offset}_{last}"


@dataclass(frozen=True)
class Source:
    """A sheet with the raster that it is made of."""

    sheet: Sheet
    path: Path


_MEANINGS = {
    Climate.CLEAR: "ground or water seen without hindrance",
    Climate.SHADOW: "shadow of a cloud",
    Climate.SNOW: "snow or ice on the ground",
    Climate.CLOUD: "cloud, cirrus included where the mask's settings say so",
    Climate.NODATA: "no observation",
}


def reflectance(roles: Sequence[str], level: str, own: bool = False) -> Sheet:
    """The image: one band a role; `own`: observed by Sentinel-2, not made like it."""
    kind = "surface" if level == "SR" else "top-of-atmosphere"
    return Sheet(
        thing="reflectance",
        title=f"Sentinel-2{'' if own else '-like'} {kind} reflectance",
        dtype="int16",
        nodata=NODATA,
        bands=tuple(roles),
        reduce="average",
        scale=SCALE,
    )


def mask() -> Sheet:
    """The mask in the codes of `nndacss.labels.climate`."""
    labels = tuple(
        Label(int(code), code.name.lower(), COLOURS[code], _MEANINGS[code]) for code in Climate
    )
    return Sheet("mask", "Mask", "uint8", int(Climate.NODATA), ("mask",), "mode", labels=labels)


def raw_mask() -> Sheet:
    """The mask as predicted, where the mask itself was grown or cleaned."""
    return replace(mask(), thing="mask_raw", title="Mask as predicted", bands=("mask_raw",))


#: Fmask bits as HLS has them (HLS v2.0 user guide, table 9): 1 cloud, 3 cloud shadow, 4 snow.
_FMASK = (
    (Climate.CLEAR, 0, "clear"),
    (Climate.SHADOW, 1 << 3, "cloud shadow"),
    (Climate.SNOW, 1 << 4, "snow or ice"),
    (Climate.CLOUD, 1 << 1, "cloud"),
    (Climate.NODATA, 255, "nodata"),
)
#: Scene classes of Sentinel-2's Level-2A (Sen2Cor): a clear pixel, of whatever cover, is 5.
_SCL = (
    (Climate.CLEAR, 5, "clear (no land cover meant)"),
    (Climate.SHADOW, 3, "cloud shadow"),
    (Climate.SNOW, 11, "snow or ice"),
    (Climate.CLOUD, 9, "cloud (high probability)"),
    (Climate.NODATA, 0, "nodata"),
)


def recoded(coding: Literal["fmask", "scl"]) -> Sheet:
    """The mask in Fmask bits or SCL codes."""
    table = _FMASK if coding == "fmask" else _SCL
    title = "Mask in Fmask bits (HLS)" if coding == "fmask" else "Mask in SCL codes (Sentinel-2)"
    labels = tuple(Label(to, name, COLOURS[code], _MEANINGS[code]) for code, to, name in table)
    recode = tuple((int(code), to) for code, to, _ in table)
    nodata = dict(recode)[int(Climate.NODATA)]
    bands = (coding,)
    return Sheet(coding, title, "uint8", nodata, bands, "mode", labels=labels, recode=recode)


def source() -> Sheet:
    """Where each pixel's value comes from."""
    bits = (
        Bit(0, 1, "bandpass", "adjusted to Sentinel-2's bands by linear coefficients"),
        Bit(1, 1, "harmonized", "made by a network"),
        Bit(
            2,
            1,
            "composed",
            "cloud or shadow, taken from Landsat or adapted to it by means of the mask",
        ),
        Bit(3, 1, "saturated", "at least one input band was saturated"),
        Bit(4, 1, "no_pan", "not sharpened: no pan observation here"),
        Bit(5, 1, "own", "Sentinel-2's own observation, only resampled"),
    )
    return Sheet("source", "Source of each pixel", "uint8", 0, ("source",), "nearest", bits=bits)


def uncertainty(roles: Sequence[str]) -> Sheet:
    """One standard deviation of the error a network states, and where it knows little."""
    bits = (
        Bit(0, 1, "snow", "snow: harmonized, but the networks saw little of it"),
        Bit(1, 1, "no_pan", "no pan observation here: detail is inferred"),
    )
    return Sheet(
        thing="uncertainty",
        title="One standard deviation of the harmonized reflectance; nodata where bandpass was or "
        "where the image was composed",
        dtype="int16",
        nodata=NODATA,
        bands=(*roles, "flags"),
        reduce="average",
        scale=SCALE,
        bits=bits,
        coded=("flags",),
    )


_COLLECTION_2 = (
    Bit(0, 1, "fill", "no observation"),
    Bit(1, 1, "dilated_cloud", "within three pixels of cloud"),
    Bit(2, 1, "cirrus", "cirrus with high confidence"),
    Bit(3, 1, "cloud", "cloud with high confidence"),
    Bit(4, 1, "cloud_shadow", "cloud shadow with high confidence"),
    Bit(5, 1, "snow", "snow with high confidence"),
    Bit(6, 1, "clear", "neither cloud nor dilated cloud"),
    Bit(7, 1, "water", "water"),
    Bit(8, 2, "cloud_confidence", "0 none, 1 low, 2 medium, 3 high"),
    Bit(10, 2, "cloud_shadow_confidence", "0 none, 1 low, 3 high"),
    Bit(12, 2, "snow_confidence", "0 none, 1 low, 3 high"),
    Bit(14, 2, "cirrus_confidence", "0 none, 1 low, 3 high"),
)
_COLLECTION_1 = (
    Bit(0, 1, "fill", "no observation"),
    Bit(1, 1, "terrain_occlusion", "hidden by terrain"),
    Bit(2, 2, "saturation", "how many bands: 0 none, 1 one or two, 2 three or four, 3 more"),
    Bit(4, 1, "cloud", "cloud"),
    Bit(5, 2, "cloud_confidence", "0 none, 1 low, 2 medium, 3 high"),
    Bit(7, 2, "cloud_shadow_confidence", "0 none, 1 low, 3 high"),
    Bit(9, 2, "snow_confidence", "0 none, 1 low, 3 high"),
    Bit(11, 2, "cirrus_confidence", "0 none, 1 low, 3 high"),
)
_PRE_COLLECTION = (
    Bit(0, 1, "fill", "no observation"),
    Bit(1, 1, "dropped_frame", "dropped frame"),
    Bit(2, 1, "terrain_occlusion", "hidden by terrain"),
    Bit(4, 2, "water_confidence", "0 none, 1 low, 2 medium, 3 high"),
    Bit(6, 2, "cloud_shadow_confidence", "never filled"),
    Bit(8, 2, "vegetation_confidence", "0 none, 1 low, 2 medium, 3 high"),
    Bit(10, 2, "snow_confidence", "0 none, 1 low, 2 medium, 3 high"),
    Bit(12, 2, "cirrus_confidence", "0 none, 1 low, 2 medium, 3 high"),
    Bit(14, 2, "cloud_confidence", "0 none, 1 low, 2 medium, 3 high"),
)
#: Collection -> the fields of its quality band (LSDS-1619, LSDS-1656, LSDS-1574).
QUALITY_BITS: Mapping[str, tuple[Bit, ...]] = {
    "2": _COLLECTION_2,
    "1": _COLLECTION_1,
    "pre": _PRE_COLLECTION,
}


#: Sen2Cor's codes with the colours of its own pictures, and what our mask makes of them.
_SEN2COR = (
    Label(0, "no data", (0, 0, 0), "no observation"),
    Label(1, "saturated or defective", (255, 0, 0), "not usable: nodata in the mask"),
    Label(2, "dark or terrain shadow", (47, 47, 47), "clear in the mask"),
    Label(3, "cloud shadow", (100, 50, 0), "shadow of a cloud"),
    Label(4, "vegetation", (0, 160, 0), "clear in the mask"),
    Label(5, "not vegetated", (255, 230, 90), "clear in the mask"),
    Label(6, "water", (0, 0, 255), "clear in the mask"),
    Label(7, "unclassified", (128, 128, 128), "clear in the mask"),
    Label(8, "cloud, medium probability", (192, 192, 192), "cloud in the mask"),
    Label(9, "cloud, high probability", (255, 255, 255), "cloud in the mask"),
    Label(10, "thin cirrus", (100, 200, 255), "cloud in the mask, if its settings say so"),
    Label(11, "snow or ice", (255, 150, 255), "snow or ice on the ground"),
)


def scene_classes() -> Sheet:
    """The scene classification of Level 2A, carried along."""
    title = "The agency's scene classification (SCL), carried along"
    recode = tuple((label.value, label.value) for label in _SEN2COR)
    return Sheet("quality", title, "uint8", 0, ("SCL",), "mode", labels=_SEN2COR, recode=recode)


def quality(collection: str) -> Sheet:
    """The agency's quality bits, carried along; fill (1) is nodata."""
    if collection == "scl":
        return scene_classes()
    name = "QA_PIXEL" if collection == "2" else "BQA"
    title = f"The agency's quality bits ({name}), carried along"
    bits = QUALITY_BITS.get(collection, ())
    return Sheet("quality", title, "uint16", 1, (name,), "nearest", bits=bits)


def probability() -> Sheet:
    """How sure the mask's network was of each class."""
    bands = ("clear", "shadow", "snow", "cloud")
    return Sheet("probability", "Class probabilities", "uint8", 255, bands, "average", scale=0.004)


def sun() -> Sheet:
    """Sun elevation above the horizon, and azimuth clockwise from north, -180..180 as in SAA."""
    return Sheet(
        thing="sun",
        title="Sun elevation and azimuth on a 300 m grid",
        dtype="int16",
        nodata=-32768,
        bands=("sun_elevation", "sun_azimuth"),
        reduce="nearest",  # azimuths cannot be averaged over the jump from 180 to -180
        scale=0.01,
        unit="degree",
    )
