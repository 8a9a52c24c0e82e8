"""What the reader needs from an MTL file, the same for every collection and level.

Sources: Landsat 8-9 Level 1 data format (LSDS-1822), Level 2 science product guide (LSDS-1619),
Landsat 8 data users handbook (LSDS-1574).

The Level-2 metadata repeats the Level-1 metadata in LEVEL1_* groups, with other file names and
other coefficients under the same keys; only the groups named in `_LEVEL_2` are Level 2's own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from nndacss.readers.landsat.fields import Fields
from nndacss.readers.landsat.mtl import Groups
from nndacss.readers.landsat.projection import (
    Plane,
    Projection,
    read_outline,
    read_planes,
    read_projection,
)
from nndacss.readers.scene import Level
from nndacss.sensors.landsat8_oli import SENSOR

Collection = Literal["pre", "1", "2"]
_PLATFORMS = {"LANDSAT_8": "landsat-8", "LANDSAT_9": "landsat-9"}
_L1_KINDS = ("L1TP", "L1GT", "L1GS", "L1T", "L1G")
_L2_KINDS = ("L2SP", "L2SR")


@dataclass(frozen=True)
class _Groups:
    """Where a generation of metadata keeps what."""

    product: str
    files: str
    acquisition: str
    image: str
    projection: str
    rescaling: str
    thermal: str
    projection_more: str


_OLD = _Groups(
    "METADATA_FILE_INFO",
    "PRODUCT_METADATA",
    "PRODUCT_METADATA",
    "IMAGE_ATTRIBUTES",
    "PRODUCT_METADATA",
    "RADIOMETRIC_RESCALING",
    "TIRS_THERMAL_CONSTANTS",
    "PROJECTION_PARAMETERS",
)
_LEVEL_1 = _Groups(
    "PRODUCT_CONTENTS",
    "PRODUCT_CONTENTS",
    "IMAGE_ATTRIBUTES",
    "IMAGE_ATTRIBUTES",
    "PROJECTION_ATTRIBUTES",
    "LEVEL1_RADIOMETRIC_RESCALING",
    "LEVEL1_THERMAL_CONSTANTS",
    "LEVEL1_PROJECTION_PARAMETERS",
)
_LEVEL_2 = _Groups(
    "PRODUCT_CONTENTS",
    "PRODUCT_CONTENTS",
    "IMAGE_ATTRIBUTES",
    "IMAGE_ATTRIBUTES",
    "PROJECTION_ATTRIBUTES",
    "LEVEL2_SURFACE_REFLECTANCE_PARAMETERS",
    "LEVEL2_SURFACE_TEMPERATURE_PARAMETERS",
    "LEVEL1_PROJECTION_PARAMETERS",
)


@dataclass(frozen=True)
class BandEntry:
    """One band: its file, and how its numbers become physical.

    value = gain * DN + offset; where `k1` and `k2` are given that is a spectral radiance
    (W m-2 sr-1 um-1) and the temperature is k2 / ln(k1 / radiance + 1), kelvin.
    """

    role: str
    file: str
    gain: float
    offset: float
    k1: float | None = None
    k2: float | None = None


@dataclass(frozen=True)
class Metadata:
    """One product's metadata."""

    source: str
    """Name of the file it comes from, for messages."""
    product: str
    origin: str
    """Who made it, in the agency's words; empty where the metadata do not say."""
    kind: str
    """`L1TP`, `L2SP`, ..."""
    level: Level
    collection: Collection
    platform: str
    path: int
    row: int
    acquired: datetime
    sun_elevation: float
    sun_azimuth: float
    bands: tuple[BandEntry, ...]
    quality: str | None
    """File of the pixel quality band (QA_PIXEL, BQA)."""
    saturation: str | None
    """File of the radiometric saturation band (QA_RADSAT)."""
    solar_zenith: str | None
    solar_azimuth: str | None
    announced: tuple[str, ...]
    """Every file the metadata names, sorted."""
    planes: Mapping[str, Plane]
    """`REFLECTIVE`, `THERMAL`, `PANCHROMATIC`, where the metadata states them."""
    projection: Projection | None
    """None where the metadata has none (the files may have their own)."""
    outline: tuple[tuple[float, float], ...]
    """(longitude, latitude) of the image's corners, clockwise; empty where they are not stated."""

    @property
    def key(self) -> str:
        """What products of one acquisition share."""
        return f"{self.platform} {self.path:03d}{self.row:03d} {self.acquired:%Y-%m-%d}"


def normalise(source: str, groups: Groups) -> Metadata:
    """The metadata in `groups`, which were read from the file named `source`."""
    fields = Fields(source, groups)
    where, kind, collection = _generation(fields)
    level: Level = "SR" if kind in _L2_KINDS else "TOA"
    elevation = fields.number("SUN_ELEVATION", where.image)
    if level == "TOA" and not 0 < elevation <= 90:
        raise fields.fault(f"SUN_ELEVATION = {elevation}", "a daylight scene, 0 to 90 degrees")
    named = ("LANDSAT_PRODUCT_ID", "LANDSAT_SCENE_ID")
    product = next((found for key in named if (found := fields.get(key, where.product))), None)
    if product is None:
        raise fields.fault(f"no {' or '.join(named)} in {where.product}", "it")
    return Metadata(
        source=source,
        product=product,
        origin=fields.get("ORIGIN", where.product) or "",
        kind=kind,
        level=level,
        collection=collection,
        platform=_platform(fields, where),
        path=int(fields.number("WRS_PATH", where.acquisition)),
        row=int(fields.number("WRS_ROW", where.acquisition)),
        acquired=_acquired(fields, where),
        sun_elevation=elevation,
        sun_azimuth=fields.number("SUN_AZIMUTH", where.image) % 360,
        bands=_bands(fields, where, level, elevation),
        quality=_quality(fields, where),
        saturation=fields.file("FILE_NAME_QUALITY_L1_RADIOMETRIC_SATURATION", where.files),
        solar_zenith=fields.file("FILE_NAME_ANGLE_SOLAR_ZENITH_BAND_4", where.files),
        solar_azimuth=fields.file("FILE_NAME_ANGLE_SOLAR_AZIMUTH_BAND_4", where.files),
        announced=_announced(fields, where),
        planes=read_planes(fields, where.projection, where.projection_more),
        projection=read_projection(fields, where.projection, where.projection_more),
        outline=read_outline(fields, where.projection),
    )


def _generation(fields: Fields) -> tuple[_Groups, str, Collection]:
    """Where to look, the processing level, and the collection."""
    old = bool(fields.keys(_OLD.files))
    kind = (
        fields.text("DATA_TYPE", _OLD.files)
        if old
        else fields.text("PROCESSING_LEVEL", _LEVEL_1.files)
    )
    if kind not in (*_L1_KINDS, *_L2_KINDS):
        raise fields.fault(f"processing level {kind}", "one of L1TP, L1GT, L1GS, L2SP, L2SR")
    number = fields.optional("COLLECTION_NUMBER", _OLD.product, _LEVEL_1.product)
    numbered: dict[float | None, Collection] = {None: "pre", 1.0: "1", 2.0: "2"}
    if number not in numbered or (number == 2.0) == old:
        raise fields.fault(f"collection {number}", "pre-collection, Collection 1 or 2")
    where = _OLD if old else _LEVEL_2 if kind in _L2_KINDS else _LEVEL_1
    return where, kind, numbered[number]


def _platform(fields: Fields, where: _Groups) -> str:
    name = fields.text("SPACECRAFT_ID", where.acquisition)
    if name not in _PLATFORMS:
        raise fields.fault(f"SPACECRAFT_ID = {name}", "LANDSAT_8 or LANDSAT_9")
    return _PLATFORMS[name]


def _acquired(fields: Fields, where: _Groups) -> datetime:
    """Scene centre time, UTC; the file gives seven decimals, of which six are kept."""
    day = fields.text("DATE_ACQUIRED", where.acquisition)
    time = fields.text("SCENE_CENTER_TIME", where.acquisition).rstrip("Z")
    whole, _, fraction = time.partition(".")
    try:
        moment = datetime.fromisoformat(f"{day}T{whole}.{fraction[:6]:0<6}")
    except ValueError as error:
        raise fields.fault(f"acquisition time {day} {time}", "a date and time") from error
    return moment.replace(tzinfo=UTC)


def _bands(fields: Fields, where: _Groups, level: Level, elevation: float) -> tuple[BandEntry, ...]:
    """The bands whose files the metadata announces, in the sensor's order."""
    found = []
    for band in SENSOR.bands:
        number = band.name.removeprefix("B")
        suffix = f"BAND_ST_{band.name}" if level == "SR" and number == "10" else f"BAND_{number}"
        file = fields.file(f"FILE_NAME_{suffix}", where.files)
        if file is None:
            continue
        if level == "SR":
            found.append(_level_2_band(fields, where, band.role, suffix, file))
        elif band.role.startswith("lwir"):
            found.append(_thermal_band(fields, where, band.role, suffix, file))
        else:
            sun = math.sin(math.radians(elevation))
            gain = fields.number(f"REFLECTANCE_MULT_{suffix}", where.rescaling) / sun
            offset = fields.number(f"REFLECTANCE_ADD_{suffix}", where.rescaling) / sun
            found.append(BandEntry(band.role, file, gain, offset))
    return tuple(found)


def _level_2_band(fields: Fields, where: _Groups, role: str, suffix: str, file: str) -> BandEntry:
    """Surface reflectance, or surface temperature in kelvin."""
    quantity, group = (
        ("TEMPERATURE", where.thermal) if role == "lwir11" else ("REFLECTANCE", where.rescaling)
    )
    gain = fields.number(f"{quantity}_MULT_{suffix}", group)
    return BandEntry(role, file, gain, fields.number(f"{quantity}_ADD_{suffix}", group))


def _thermal_band(fields: Fields, where: _Groups, role: str, suffix: str, file: str) -> BandEntry:
    return BandEntry(
        role,
        file,
        fields.number(f"RADIANCE_MULT_{suffix}", where.rescaling),
        fields.number(f"RADIANCE_ADD_{suffix}", where.rescaling),
        fields.number(f"K1_CONSTANT_{suffix}", where.thermal),
        fields.number(f"K2_CONSTANT_{suffix}", where.thermal),
    )


def _quality(fields: Fields, where: _Groups) -> str | None:
    """QA_PIXEL in Collection 2, BQA before."""
    keys = ("FILE_NAME_QUALITY_L1_PIXEL", "FILE_NAME_BAND_QUALITY")
    return next((name for key in keys if (name := fields.file(key, where.files))), None)


def _announced(fields: Fields, where: _Groups) -> tuple[str, ...]:
    keys = [key for key in fields.keys(where.files) if "FILE_NAME" in key]
    names = {fields.file(key, where.files) for key in keys}
    return tuple(sorted(name for name in names if name))
