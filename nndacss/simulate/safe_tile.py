"""The metadata of a Sentinel-2 granule: where its pixels lie, and the angles of sun and sensor."""

from __future__ import annotations

from math import atan2, ceil, degrees, hypot

from nndacss.sensors.sentinel2_msi import SENSOR
from nndacss.simulate.optics import Look
from nndacss.simulate.safe import Facts, document, instant, tag, tile_id
from nndacss.simulate.sampling import Grid

#: Metres between the nodes of the angle grids.
_NODES = 5000


def tile_xml(facts: Facts, level: str) -> str:
    """`MTD_TL.xml`."""
    number = level[1:]
    general = tag(
        "n1:General_Info",
        tag("TILE_ID", tile_id(facts, level), metadataLevel="Brief"),
        tag("SENSING_TIME", instant(facts.sensed), metadataLevel="Standard"),
    )
    geometry = tag("n1:Geometric_Info", _geocoding(facts.grid), _angles(facts))
    cloud = tag("CLOUDY_PIXEL_PERCENTAGE", facts.share("cloud"))
    empty = tag("DEGRADED_MSI_DATA_PERCENTAGE", facts.share("fill"))
    snow = tag("SNOW_ICE_PERCENTAGE", facts.share("snow")) if level == "L2A" else ""
    content = tag("Image_Content_QI", cloud, empty, snow, metadataLevel="Standard")
    quality = tag("n1:Quality_Indicators_Info", content, metadataLevel="Standard")
    kind = f"S2_PDI_Level-{number}_Tile_Metadata"
    return document(f"Level-{number}_Tile_ID", kind, general, geometry, quality)


def _geocoding(grid: Grid) -> str:
    zone, half = grid.epsg % 100, "N" if grid.epsg < 32700 else "S"
    parts = [
        tag("HORIZONTAL_CS_NAME", f"WGS84 / UTM zone {zone}{half}"),
        tag("HORIZONTAL_CS_CODE", f"EPSG:{grid.epsg}"),
    ]
    for metres in (10, 20, 60):
        fine = round(grid.metres) // metres
        rows, columns = tag("NROWS", grid.rows * fine), tag("NCOLS", grid.columns * fine)
        parts.append(tag("Size", rows, columns, resolution=metres))
    for metres in (10, 20, 60):
        corner = tag("ULX", round(grid.west)), tag("ULY", round(grid.north))
        steps = tag("XDIM", metres), tag("YDIM", -metres)
        parts.append(tag("Geoposition", *corner, *steps, resolution=metres))
    return tag("Tile_Geocoding", *parts, metadataLevel="Brief")


def _angles(facts: Facts) -> str:
    """Angle grids; node (0, 0) lies on the upper left corner."""
    views = [_seen_from(facts.look, band.role) for band in SENSOR.bands]
    sun = facts.sun_zenith, facts.sun_azimuth
    return tag(
        "Tile_Angles",
        tag("Sun_Angles_Grid", *_grids(facts.grid, *sun)),
        tag("Mean_Sun_Angle", *_pair(*sun)),
        *(
            tag(
                "Viewing_Incidence_Angles_Grids",
                *_grids(facts.grid, *view),
                bandId=number,
                detectorId=6,
            )
            for number, view in enumerate(views)
        ),
        tag(
            "Mean_Viewing_Incidence_Angle_List",
            *(
                tag("Mean_Viewing_Incidence_Angle", *_pair(*view), bandId=number)
                for number, view in enumerate(views)
            ),
        ),
        metadataLevel="Standard",
    )


def _seen_from(look: Look, role: str) -> tuple[float, float]:
    """Zenith and azimuth of a band's own line of sight, degrees."""
    east, north = look.shift(role, 1.0)
    return degrees(atan2(hypot(east, north), 1)), degrees(atan2(east, north)) % 360


def _pair(zenith: float, azimuth: float) -> tuple[str, str]:
    return (
        tag("ZENITH_ANGLE", f"{zenith:.9f}", unit="deg"),
        tag("AZIMUTH_ANGLE", f"{azimuth:.9f}", unit="deg"),
    )


def _grids(grid: Grid, zenith: float, azimuth: float) -> tuple[str, str]:
    """The same angles at every node."""
    rows, columns = (ceil(n * grid.metres / _NODES) + 1 for n in (grid.rows, grid.columns))

    def table(name: str, value: float) -> str:
        line = tag("VALUES", " ".join([f"{value:.6g}"] * columns))
        steps = tag("COL_STEP", _NODES, unit="m"), tag("ROW_STEP", _NODES, unit="m")
        return tag(name, *steps, tag("Values_List", *[line] * rows))

    return table("Zenith", zenith), table("Azimuth", azimuth)
