"""What the reader needs from the two metadata files of a product, the same for all baselines.

Sources: Sentinel-2 Products Specification Document (S2-PDGS-TAS-DI-PSD-V15.0), and for the
offsets since baseline 04.00 its section on the radiometric offset (V14.9): reflectance =
(DN + RADIO_ADD_OFFSET) / QUANTIFICATION_VALUE.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from nndacss.readers.scene import Level
from nndacss.readers.sentinel2.names import BANDS, band_in, product_in
from nndacss.readers.sentinel2.xml import Xml

Baseline = tuple[int, int]
#: The first baseline with offsets.
OFFSETS_FROM: Baseline = (4, 0)
#: The last major baseline that this reader was written for.
NEWEST_MAJOR = 5
#: Sen2Cor, run by a user, writes this instead of ESA's baseline.
BY_A_USER: Baseline = (99, 99)
_PLATFORMS = {f"Sentinel-2{letter}": f"sentinel-2{letter.lower()}" for letter in "ABC"}
_LEVELS: Mapping[str, Level] = {"Level-1C": "TOA", "Level-2A": "SR"}
_SATURATED = 65535


@dataclass(frozen=True)
class Plane:
    """The pixels of one resolution: their size in rows and columns, and where they begin."""

    rows: int
    columns: int
    left: float
    """Outer edge of the first pixel, metres."""
    top: float
    metres: float


@dataclass(frozen=True)
class SunGrid:
    """Sun angles at nodes; node (0, 0) lies on the tile's upper left corner."""

    left: float
    top: float
    step: tuple[float, float]
    """Metres between rows and between columns."""
    zenith: tuple[tuple[float, ...], ...]
    """Rows of degrees; NaN where the file says so."""
    azimuth: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Product:
    """The product's metadata file."""

    source: str
    name: str
    level: Level
    baseline: Baseline
    platform: str
    """`sentinel-2a`."""
    origin: str
    start: datetime
    """Begin of the datatake, UTC: what L1C and L2A share."""
    quantification: float
    offsets: Mapping[str, float]
    """Band -> what is added to its DN; 0 for all where the product has no offsets."""
    saturated: int
    announced: tuple[str, ...]
    """Image files that the metadata name, paths without suffix."""
    outline: tuple[tuple[float, float], ...]
    """(longitude, latitude) around the data; empty where it is not stated."""

    @property
    def baseline_text(self) -> str:
        """As ESA writes it: `05.11`."""
        return "{:02d}.{:02d}".format(*self.baseline)


@dataclass(frozen=True)
class Tile:
    """The granule's metadata file."""

    source: str
    name: str
    """`29UNU`."""
    sensed: datetime
    epsg: int | None
    planes: Mapping[int, Plane]
    """Metres -> plane, where the metadata state them."""
    sun_zenith: float
    sun_azimuth: float
    """Means over the tile, degrees."""
    sun: SunGrid | None


def read_product(source: str, content: bytes, shifted: bool) -> Product:
    """The product's metadata; `shifted`: its DN hold the offsets already."""
    xml = Xml(source, content)
    uri = xml.get("PRODUCT_URI_2A", "PRODUCT_URI")
    # old products have a work number as URI, but a metadata file named after the product
    name = product_in(uri or "") or product_in(source.replace("_MTD_SAFL", "_PRD_MSIL"))
    if name is None:
        raise xml.fault(f"PRODUCT_URI = {uri}", "a Sentinel-2 product's name")
    text = xml.text("PROCESSING_LEVEL")
    level = next((level for start, level in _LEVELS.items() if text.startswith(start)), None)
    if level is None:
        raise xml.fault(f"PROCESSING_LEVEL = {text}", "Level-1C or Level-2A")
    spacecraft = xml.text("SPACECRAFT_NAME")
    if spacecraft not in _PLATFORMS:
        raise xml.fault(f"SPACECRAFT_NAME = {spacecraft}", f"one of {', '.join(_PLATFORMS)}")
    baseline = _baseline(xml)
    start = xml.moment("DATATAKE_SENSING_START")
    return Product(
        source=source,
        name=name,
        level=level,
        baseline=baseline,
        platform=_PLATFORMS[spacecraft],
        origin=xml.get("PROCESSING_CENTER") or f"Copernicus Sentinel data {start.year}",
        start=start,
        quantification=_quantification(xml, level),
        offsets=dict.fromkeys(BANDS, 0.0) if shifted else _offsets(xml, level, baseline),
        saturated=_saturated(xml),
        announced=_announced(xml),
        outline=_outline(xml),
    )


def _baseline(xml: Xml) -> Baseline:
    text = xml.text("PROCESSING_BASELINE")
    match = re.fullmatch(r"(\d{1,2})\.(\d{1,2})", text)
    if match is None:
        raise xml.fault(f"PROCESSING_BASELINE = {text}", "two numbers, like 05.11")
    return int(match[1]), int(match[2])


def _quantification(xml: Xml, level: Level) -> float:
    tags = (
        ("QUANTIFICATION_VALUE",)
        if level == "TOA"
        else ("BOA_QUANTIFICATION_VALUE", "L2A_BOA_QUANTIFICATION_VALUE")
    )
    value = xml.number(*tags)
    if value <= 0:
        raise xml.fault(f"{tags[0]} = {value:g}", "a positive number (10000 in all products yet)")
    return value


def _offsets(xml: Xml, level: Level, baseline: Baseline) -> Mapping[str, float]:
    tag = "RADIO_ADD_OFFSET" if level == "TOA" else "BOA_ADD_OFFSET"
    found = {}
    for element in xml.all(tag):
        number = element.get("band_id", "")
        if not number.isdecimal() or int(number) >= len(BANDS):
            raise xml.fault(f"{tag} band_id={number!r}", "a band_id from 0 to 12")
        found[BANDS[int(number)]] = xml.as_number(tag, element.text or "")
    if found:
        return found
    if OFFSETS_FROM <= baseline != BY_A_USER:
        baseline_text = "{:02d}.{:02d}".format(*baseline)
        expected = "one a band, as every product has since 04.00"
        raise xml.fault(f"baseline {baseline_text} without {tag}", expected)
    return dict.fromkeys(BANDS, 0.0)


def _saturated(xml: Xml) -> int:
    for group in xml.all("Special_Values"):
        if xml.get("SPECIAL_VALUE_TEXT", parent=group) == "SATURATED":
            return int(xml.number("SPECIAL_VALUE_INDEX", parent=group))
    return _SATURATED


def _announced(xml: Xml) -> tuple[str, ...]:
    tags = ("IMAGE_FILE", "IMAGE_ID", "IMAGE_FILE_2A", "IMAGE_ID_2A")
    texts = ((element.text or "").strip() for tag in tags for element in xml.all(tag))
    return tuple(sorted({text for text in texts if band_in(text)}))


def _outline(xml: Xml) -> tuple[tuple[float, float], ...]:
    """Of the product's footprint: latitude, longitude, latitude, ... as text."""
    text = xml.get("EXT_POS_LIST") or ""
    try:
        numbers = [float(number) for number in text.split()]
    except ValueError:
        return ()
    return tuple(zip(numbers[1::2], numbers[0::2], strict=False))


def read_tile(source: str, content: bytes) -> Tile:
    """The granule's metadata."""
    xml = Xml(source, content)
    identifier = xml.text("TILE_ID_2A", "TILE_ID")
    match = re.search(r"_T(\d{2}[A-Z]{3})(?:_|$)", identifier)
    if match is None:
        raise xml.fault(f"TILE_ID = {identifier}", "one that names a tile, like _T29UNU")
    mean = xml.first("Mean_Sun_Angle")
    if mean is None:
        raise xml.fault("no Mean_Sun_Angle", "it")
    planes = _planes(xml)
    return Tile(
        source=source,
        name=match[1],
        sensed=xml.moment("SENSING_TIME"),
        epsg=_epsg(xml),
        planes=planes,
        sun_zenith=xml.number("ZENITH_ANGLE", parent=mean),
        sun_azimuth=xml.number("AZIMUTH_ANGLE", parent=mean) % 360,
        sun=_sun(xml, planes),
    )


def _epsg(xml: Xml) -> int | None:
    text = xml.get("HORIZONTAL_CS_CODE")
    if text is None:
        return None
    code = text.upper().removeprefix("EPSG:")
    if not code.isdecimal():
        raise xml.fault(f"HORIZONTAL_CS_CODE = {text}", "an EPSG code, like EPSG:32629")
    return int(code)


def _planes(xml: Xml) -> Mapping[int, Plane]:
    places = {element.get("resolution"): element for element in xml.all("Geoposition")}
    found = {}
    for size in xml.all("Size"):
        text = size.get("resolution", "")
        place = places.get(text)
        if place is None or not text.isdecimal():
            continue
        metres = xml.number("XDIM", parent=place)
        if metres <= 0 or xml.number("YDIM", parent=place) != -metres:
            raise xml.fault(f"XDIM = {metres:g} with another YDIM", "square pixels, north up")
        found[int(text)] = Plane(
            int(xml.number("NROWS", parent=size)),
            int(xml.number("NCOLS", parent=size)),
            xml.number("ULX", parent=place),
            xml.number("ULY", parent=place),
            metres,
        )
    return found


def _sun(xml: Xml, planes: Mapping[int, Plane]) -> SunGrid | None:
    """The grid, where there is one and its place is known."""
    group = xml.first("Sun_Angles_Grid")
    if group is None or not planes:
        return None
    zenith, azimuth = xml.first("Zenith", group), xml.first("Azimuth", group)
    if zenith is None or azimuth is None:
        return None
    tables = []
    for part in (zenith, azimuth):
        rows = [(row.text or "").split() for row in xml.all("VALUES", part)]
        if len(rows) < 2 or len(rows[0]) < 2 or {len(row) for row in rows} != {len(rows[0])}:
            raise xml.fault("a Sun_Angles_Grid of uneven rows", "rows of equal length")
        tables.append(tuple(tuple(_angle(xml, text) for text in row) for row in rows))
    if len(tables[0]) != len(tables[1]) or len(tables[0][0]) != len(tables[1][0]):
        raise xml.fault("a Sun_Angles_Grid of two sizes", "zenith and azimuth on one grid")
    step = (xml.number("ROW_STEP", parent=zenith), xml.number("COL_STEP", parent=zenith))
    if min(step) <= 0:
        raise xml.fault(f"a Sun_Angles_Grid with steps {step}", "positive steps")
    plane = planes[min(planes)]
    return SunGrid(plane.left, plane.top, step, *tables)


def _angle(xml: Xml, text: str) -> float:
    return float("nan") if text.lower() == "nan" else xml.as_number("VALUES", text)


def says_shifted(content: bytes) -> bool:
    """Whether a JSON file says that the offsets are in the DN already; see the package."""
    try:
        item: Any = json.loads(content)
    except (ValueError, RecursionError):
        return False
    if not isinstance(item, dict):
        return False
    properties = item.get("properties")
    groups = [item, properties if isinstance(properties, dict) else {}]
    return any(
        key.rsplit(":", 1)[-1] == "boa_offset_applied" and value is True
        for group in groups
        for key, value in group.items()
    )
