"""The metadata of a Sentinel-2 product in the SAFE layout: names, its XML file, the manifest.

Elements and their order follow the Product Specification Document (S2-PDGS-TAS-DI-PSD, issue 14),
less what nothing reads (ancillary data, quality reports). `PROCESSING_CENTER` states that it is no
observation: agency products have no such element.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from xml.sax.saxutils import escape, quoteattr

from nndacss.sensors.sentinel2_msi import SENSOR
from nndacss.simulate.msi import QUANTIFICATION
from nndacss.simulate.mtl import ORIGIN, earth_sun_distance
from nndacss.simulate.optics import Look
from nndacss.simulate.sampling import Grid

#: Reflectance = (DN + offset) / QUANTIFICATION; the offset came with baseline 04.00.
OFFSET = -1000

#: Quality masks of Level-2A, 0 or 100 %: name -> the scene classes that they show.
QUALITY = {"CLDPRB": (8, 9, 10), "SNWPRB": (11,)}

#: Solar irradiance of the bands of Sentinel-2A, W / (m2 um): ESA, S2-SRF 3.0, rounded.
_IRRADIANCE = (1885, 1960, 1823, 1513, 1425, 1288, 1163, 1036, 955, 813, 367, 246, 85)


@dataclass(frozen=True)
class Facts:
    """What the metadata of both products state."""

    grid: Grid
    """In 60 m pixels, its northing as in the file."""
    look: Look
    letter: str
    """Of the satellite: A, B, C."""
    tile: str
    """E.g. `32UPV`."""
    orbit: int
    baseline: tuple[int, int]
    sensed: datetime
    sun_zenith: float
    sun_azimuth: float
    """Degrees."""
    shares: Mapping[str, float] | None = None
    """cloud, snow, fill in percent of all pixels."""

    @property
    def offset(self) -> int:
        """What is added to a DN."""
        return OFFSET if self.baseline >= (4, 0) else 0

    def stamp(self, minutes: int = 0) -> str:
        """`20260415T101000`, and some minutes later."""
        return f"{self.sensed + timedelta(minutes=minutes):%Y%m%dT%H%M%S}"

    def product(self, level: str) -> str:
        """E.g. `S2A_MSIL1C_20260415T101000_N0511_R065_T32UPV_20260415T131000`; L2A hours later."""
        made = self.stamp(180 if level == "L1C" else 300)
        number = "{:02d}{:02d}".format(*self.baseline)
        start = f"S2{self.letter}_MSI{level}_{self.stamp()}"
        return f"{start}_N{number}_R{self.orbit:03d}_T{self.tile}_{made}"

    def granule(self, level: str) -> str:
        """The name of the folder in `GRANULE`."""
        return f"{level}_T{self.tile}_A000000_{self.stamp()}"

    def image(self, level: str, band: str) -> str:
        """Path of a band inside the product, without suffix."""
        if band in QUALITY:
            return f"GRANULE/{self.granule(level)}/QI_DATA/MSK_{band}_20m"
        folder = f"GRANULE/{self.granule(level)}/IMG_DATA"
        name = f"T{self.tile}_{self.stamp()}_{band}"
        if level == "L1C":
            return f"{folder}/{name}"
        metres = 20 if band == "SCL" else _metres(band)
        return f"{folder}/R{metres}m/{name}_{metres}m"

    def stated(self, counts: Mapping[str, int]) -> Facts:
        """The facts with shares of counted pixels."""
        total = max(counts["all"], 1)
        return replace(self, shares={k: 100 * n / total for k, n in counts.items()})

    def share(self, name: str) -> str:
        """One of the shares as text."""
        return f"{(self.shares or {}).get(name, 0.0):.6f}"


def _metres(band: str) -> int:
    return next(one.metres for one in SENSOR.bands if one.name == band)


def tag(name: str, *content: object, **attributes: object) -> str:
    """One XML element; content that is no text of elements is escaped."""
    inner = "".join(c if c.startswith("<") else escape(c) for c in map(str, content))
    given = "".join(f" {key}={quoteattr(str(value))}" for key, value in attributes.items())
    return f"<{name}{given}>{inner}</{name}>\n" if inner else f"<{name}{given}/>\n"


def document(root: str, kind: str, *content: str) -> str:
    """A whole XML file."""
    space = f'xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/{kind}.xsd"'
    start = '<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n'
    return f"{start}<n1:{root} {space}>\n{''.join(content)}</n1:{root}>\n"


def instant(moment: datetime) -> str:
    """`2026-04-15T10:10:00.000Z`."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"


def product_xml(facts: Facts, level: str, bands: Sequence[str]) -> str:
    """`MTD_MSIL1C.xml` or `MTD_MSIL2A.xml`."""
    number = level[1:]
    general = tag("n1:General_Info", _product_info(facts, level, bands), _image_facts(facts, level))
    geometry = tag(
        "n1:Geometric_Info",
        tag(
            "Product_Footprint",
            tag("Product_Footprint", tag("Global_Footprint", tag("EXT_POS_LIST", _outline(facts)))),
        ),
    )
    cloud = tag("Cloud_Coverage_Assessment", facts.share("cloud"))
    quality = tag("n1:Quality_Indicators_Info", cloud)
    kind = f"User_Product_Level-{number}"
    return document(f"Level-{number}_User_Product", kind, general, geometry, quality)


def _product_info(facts: Facts, level: str, bands: Sequence[str]) -> str:
    number, name = level[1:], facts.product(level)
    strip = f"S2{facts.letter}_OPER_MSI_{level}_DS_SIMU_{facts.stamp()}_S{facts.stamp()}"
    images = [tag("IMAGE_FILE", facts.image(level, b)) for b in bands if b not in QUALITY]
    granule = tag(
        "Granule",
        *images,
        datastripIdentifier=f"{strip}_N{baseline_text(facts)}",
        granuleIdentifier=tile_id(facts, level),
        imageFormat="JPEG2000",
    )
    datatake = tag(
        "Datatake",
        tag("SPACECRAFT_NAME", f"Sentinel-2{facts.letter}"),
        tag("DATATAKE_TYPE", "INS-NOBS"),
        tag("DATATAKE_SENSING_START", instant(facts.sensed)),
        tag("SENSING_ORBIT_NUMBER", facts.orbit),
        tag("SENSING_ORBIT_DIRECTION", "DESCENDING"),
        datatakeIdentifier=f"GS2{facts.letter}_{facts.stamp()}_000000_N{baseline_text(facts)}",
    )
    return tag(
        "Product_Info",
        tag("PRODUCT_START_TIME", instant(facts.sensed)),
        tag("PRODUCT_STOP_TIME", instant(facts.sensed)),
        tag("PRODUCT_URI", f"{name}.SAFE"),
        tag("PROCESSING_LEVEL", f"Level-{number}"),
        tag("PRODUCT_TYPE", f"S2MSI{number}"),
        tag("PROCESSING_BASELINE", baseline_text(facts)),
        tag("PROCESSING_CENTER", ORIGIN),
        tag("GENERATION_TIME", instant(facts.sensed + timedelta(hours=3))),
        datatake,
        tag("Query_Options", tag("PRODUCT_FORMAT", "SAFE_COMPACT"), completeSingleTile="true"),
        tag("Product_Organisation", tag("Granule_List", granule)),
    )


def baseline_text(facts: Facts) -> str:
    """`05.11`."""
    return "{:02d}.{:02d}".format(*facts.baseline)


def _image_facts(facts: Facts, level: str) -> str:
    special = "".join(
        tag("Special_Values", tag("SPECIAL_VALUE_TEXT", text), tag("SPECIAL_VALUE_INDEX", value))
        for text, value in (("NODATA", 0), ("SATURATED", 65535))
    )
    if level == "L1C":
        scale = tag("QUANTIFICATION_VALUE", QUANTIFICATION, unit="none")
        names = "Radiometric_Offset_List", "RADIO_ADD_OFFSET"
    else:
        value = tag("BOA_QUANTIFICATION_VALUE", QUANTIFICATION, unit="none")
        scale = tag("QUANTIFICATION_VALUES_LIST", value)
        names = "BOA_ADD_OFFSET_VALUES_LIST", "BOA_ADD_OFFSET"
    offsets = [tag(names[1], facts.offset, band_id=n) for n in range(13)] if facts.offset else []
    distance = earth_sun_distance(facts.sensed.date())
    sun = "".join(
        tag("SOLAR_IRRADIANCE", value, bandId=n, unit="W/m2/um")
        for n, value in enumerate(_IRRADIANCE)
    )
    return tag(
        "Product_Image_Characteristics",
        special,
        scale,
        tag(names[0], *offsets) if offsets else "",
        tag(
            "Reflectance_Conversion",
            tag("U", f"{distance**-2:.7f}"),
            tag("Solar_Irradiance_List", sun),
        ),
        tag("Spectral_Information_List", *_spectra()),
    )


def _spectra() -> list[str]:
    return [
        tag(
            "Spectral_Information",
            tag("RESOLUTION", band.metres),
            tag(
                "Wavelength",
                tag("MIN", round(1000 * (band.wavelength - band.width / 2)), unit="nm"),
                tag("MAX", round(1000 * (band.wavelength + band.width / 2)), unit="nm"),
                tag("CENTRAL", round(1000 * band.wavelength, 1), unit="nm"),
            ),
            bandId=number,
            physicalBand=band.name.replace("B0", "B"),
        )
        for number, band in enumerate(SENSOR.bands)
    ]


def _outline(facts: Facts) -> str:
    """Corners as latitude and longitude, closed."""
    from pyproj import Transformer

    west, south, east, north = facts.grid.bounds
    to_degrees = Transformer.from_crs(facts.grid.epsg, 4326, always_xy=True).transform
    ring = ((west, north), (west, south), (east, south), (east, north), (west, north))
    places = (to_degrees(x, y) for x, y in ring)
    return " ".join(f"{latitude:.9f} {longitude:.9f}" for longitude, latitude in places)


def tile_id(facts: Facts, level: str) -> str:
    """The granule's own identifier."""
    start = f"S2{facts.letter}_OPER_MSI_{level}_TL_SIMU_{facts.stamp(180)}_A000000"
    return f"{start}_T{facts.tile}_N{baseline_text(facts)}"


def manifest(sizes: Mapping[str, int]) -> str:
    """`manifest.safe`: every file of the product with its size in bytes."""
    objects = "".join(
        tag(
            "dataObject",
            tag(
                "byteStream",
                tag("fileLocation", locatorType="URL", href=f"./{name}"),
                mimeType="application/octet-stream",
                size=size,
            ),
            ID=f"object_{number}",
        )
        for number, (name, size) in enumerate(sorted(sizes.items()))
    )
    start = '<?xml version="1.0" encoding="UTF-8"?>\n'
    space = 'xmlns:xfdu="urn:ccsds:schema:xfdu:1" version="esa/safe/sentinel/1.1/sentinel-2/msi"'
    return f"{start}<xfdu:XFDU {space}>\n{tag('dataObjectSection', objects)}</xfdu:XFDU>\n"
