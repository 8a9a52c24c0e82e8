"""The metadata file of a Collection-2 product, in its three forms.

Groups, keys and number formats follow real MTL files of Landsat-8/9. All that the files carry is
here; the names of files that are not written (view angles, thermal intermediates) are not.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import cos, radians
from xml.sax.saxutils import escape

from nndacss.simulate import radiometry
from nndacss.simulate.sampling import Grid

Groups = dict[str, dict[str, str]]

ORIGIN = "Simulated by NNDACSS, not an observation"

#: Radiance per count of B1 to B9 on 2015-12-05 (a real Landsat-8 MTL), when the sun was 0.9854780
#: astronomical units away; it goes with distance ** -2.
_RADIANCE = (
    *(1.2929e-02, 1.3239e-02, 1.2200e-02, 1.0287e-02, 6.2954e-03),
    *(1.5656e-03, 5.2769e-04, 1.1642e-02, 2.4604e-03),
)
_RADIANCE_DISTANCE = 0.9854780

#: Keys whose values real files write without quotes although they are not numbers.
_BARE = ("DATE_ACQUIRED", "DATE_PRODUCT_GENERATED", "COLLECTION_NUMBER")


@dataclass(frozen=True)
class Facts:
    """What the metadata of both products states."""

    grid: Grid
    spacecraft: int
    path_row: tuple[int, int]
    acquired: date
    sun_elevation: float
    sun_azimuth: float
    """Degrees."""
    clock: str = "10:10:00"
    """Time of the scene's middle, UTC."""
    cloud_cover: float = 0.0
    cloud_cover_land: float = 0.0
    """Percent of the pixels that are not fill."""
    saturated: frozenset[int] = frozenset()
    """Band numbers."""

    def product_id(self, level: str) -> str:
        """E.g. `LC08_L1TP_195025_20260415_20260420_02_T1`; processed five days later."""
        path, row = self.path_row
        made = self.acquired + timedelta(days=5)
        return (
            f"LC{self.spacecraft:02d}_{level}_{path:03d}{row:03d}_{self.acquired:%Y%m%d}"
            f"_{made:%Y%m%d}_02_T1"
        )


def earth_sun_distance(day: date) -> float:
    """Astronomical units, within 0.0004 (first term of the ellipse; perihelion on 4 January)."""
    return 1 - 0.01672 * cos(radians(0.9856 * (day.timetuple().tm_yday - 4)))


def groups(facts: Facts, level: str, layers: Sequence[str]) -> Groups:
    """All groups of one product; `layers` are its files by band name, `level` L1TP or L2SP."""
    parts = {
        "PRODUCT_CONTENTS": _contents(facts, level, layers),
        "IMAGE_ATTRIBUTES": _image(facts),
        "PROJECTION_ATTRIBUTES": _projection(facts.grid, pan=level == "L1TP"),
    }
    if level == "L2SP":
        parts["LEVEL2_PROCESSING_RECORD"] = _record(facts, level)
        parts["LEVEL2_SURFACE_REFLECTANCE_PARAMETERS"] = {
            **_per_band("REFLECTANCE_MULT_BAND_{}", range(1, 8), f"{radiometry.SURFACE_MULT:.2e}"),
            **_per_band("REFLECTANCE_ADD_BAND_{}", range(1, 8), f"{radiometry.SURFACE_ADD:.1f}"),
        }
        parts["LEVEL2_SURFACE_TEMPERATURE_PARAMETERS"] = {
            "TEMPERATURE_MULT_BAND_ST_B10": f"{radiometry.KELVIN_MULT}",
            "TEMPERATURE_ADD_BAND_ST_B10": f"{radiometry.KELVIN_ADD}",
        }
    parts["LEVEL1_PROCESSING_RECORD"] = _record(facts, "L1TP")
    parts["LEVEL1_MIN_MAX_PIXEL_VALUE"] = {
        **_per_band("QUANTIZE_CAL_MAX_BAND_{}", range(1, 12), "65535"),
        **_per_band("QUANTIZE_CAL_MIN_BAND_{}", range(1, 12), "1"),
    }
    parts["LEVEL1_RADIOMETRIC_RESCALING"] = _rescaling(facts)
    parts["LEVEL1_THERMAL_CONSTANTS"] = {
        f"{name.upper()}_CONSTANT_BAND_{number}": f"{getattr(band, name):.4f}"
        for number, band in zip((10, 11), radiometry.thermal(facts.spacecraft), strict=True)
        for name in ("k1", "k2")
    }
    parts["LEVEL1_PROJECTION_PARAMETERS"] = {
        **_frame(facts.grid, pan=True),
        "ORIENTATION": "NORTH_UP",
        "RESAMPLING_OPTION": "CUBIC_CONVOLUTION",
    }
    return parts


def _per_band(key: str, numbers: Sequence[int], value: str) -> dict[str, str]:
    return {key.format(number): value for number in numbers}


_QUALITY = {
    "QA_PIXEL": "QUALITY_L1_PIXEL",
    "QA_RADSAT": "QUALITY_L1_RADIOMETRIC_SATURATION",
    "SAA": "ANGLE_SOLAR_AZIMUTH_BAND_4",
    "SZA": "ANGLE_SOLAR_ZENITH_BAND_4",
    "SR_QA_AEROSOL": "QUALITY_L2_AEROSOL",
    "ST_B10": "BAND_ST_B10",
}


def _contents(facts: Facts, level: str, layers: Sequence[str]) -> dict[str, str]:
    name = facts.product_id(level)
    keys = {layer: _QUALITY.get(layer) or f"BAND_{layer.rpartition('B')[2]}" for layer in layers}
    types = {"SR_QA_AEROSOL": "UINT8", "SAA": "INT16", "SZA": "INT16"}
    return {
        "ORIGIN": ORIGIN,
        "LANDSAT_PRODUCT_ID": name,
        "PROCESSING_LEVEL": level,
        "COLLECTION_NUMBER": "02",
        "COLLECTION_CATEGORY": "T1",
        "OUTPUT_FORMAT": "GEOTIFF",
        **{f"FILE_NAME_{key}": f"{name}_{layer}.TIF" for layer, key in keys.items()},
        "FILE_NAME_METADATA_ODL": f"{name}_MTL.txt",
        "FILE_NAME_METADATA_XML": f"{name}_MTL.xml",
        **{f"DATA_TYPE_{key}": types.get(layer, "UINT16") for layer, key in keys.items()},
    }


def _image(facts: Facts) -> dict[str, str]:
    path, row = (str(number) for number in facts.path_row)
    flags = {n: "Y" if n in facts.saturated else "N" for n in range(1, 10)}
    return {
        "SPACECRAFT_ID": f"LANDSAT_{facts.spacecraft}",
        "SENSOR_ID": "OLI_TIRS",
        "WRS_TYPE": "2",
        "WRS_PATH": path,
        "WRS_ROW": row,
        "NADIR_OFFNADIR": "NADIR",
        "TARGET_WRS_PATH": path,
        "TARGET_WRS_ROW": row,
        "DATE_ACQUIRED": facts.acquired.isoformat(),
        "SCENE_CENTER_TIME": f"{facts.clock}.0000000Z",
        "STATION_ID": "SIM",
        "CLOUD_COVER": f"{facts.cloud_cover:.2f}",
        "CLOUD_COVER_LAND": f"{facts.cloud_cover_land:.2f}",
        "IMAGE_QUALITY_OLI": "9",
        "IMAGE_QUALITY_TIRS": "9",
        **{f"SATURATION_BAND_{number}": flag for number, flag in flags.items()},
        "ROLL_ANGLE": "0.000",
        "SUN_AZIMUTH": f"{(facts.sun_azimuth + 180) % 360 - 180:.8f}",
        "SUN_ELEVATION": f"{facts.sun_elevation:.8f}",
        "EARTH_SUN_DISTANCE": f"{earth_sun_distance(facts.acquired):.7f}",
    }


def _frame(grid: Grid, pan: bool) -> dict[str, str]:
    """Projection and pixel sizes. Southern scenes carry the northern zone, as real ones do."""
    place = {"MAP_PROJECTION": "UTM", "DATUM": "WGS84", "ELLIPSOID": "WGS84"}
    if grid.epsg == 3031:
        place |= {
            "MAP_PROJECTION": "PS",
            "VERTICAL_LON_FROM_POLE": "0.00000",
            "TRUE_SCALE_LAT": "-71.00000",
            "FALSE_EASTING": "0",
            "FALSE_NORTHING": "0",
        }
    else:
        place["UTM_ZONE"] = str(grid.epsg - 32600)
    sizes = {"GRID_CELL_SIZE_PANCHROMATIC": "15.00"} if pan else {}
    return {
        **place,
        **sizes,
        "GRID_CELL_SIZE_REFLECTIVE": "30.00",
        "GRID_CELL_SIZE_THERMAL": "30.00",
    }


def _projection(grid: Grid, pan: bool) -> dict[str, str]:
    """Sizes and the centres of the corner pixels, in degrees and metres."""
    from pyproj import Transformer

    lines, samples = grid.pan_shape
    sizes = {"PANCHROMATIC_LINES": lines, "PANCHROMATIC_SAMPLES": samples} if pan else {}
    for kind in ("REFLECTIVE", "THERMAL"):
        sizes |= {f"{kind}_LINES": grid.rows, f"{kind}_SAMPLES": grid.columns}
    west, south, east, north = grid.bounds
    xs, ys = {"L": west + 15, "R": east - 15}, {"U": north - 15, "L": south + 15}
    to_degrees = Transformer.from_crs(grid.epsg, 4326, always_xy=True)
    degrees, metres = {}, {}
    for corner in ("UL", "UR", "LL", "LR"):
        x, y = xs[corner[1]], ys[corner[0]]
        longitude, latitude = to_degrees.transform(x, y)
        degrees[f"CORNER_{corner}_LAT_PRODUCT"] = f"{latitude:.5f}"
        degrees[f"CORNER_{corner}_LON_PRODUCT"] = f"{longitude:.5f}"
        metres[f"CORNER_{corner}_PROJECTION_X_PRODUCT"] = f"{x:.3f}"
        metres[f"CORNER_{corner}_PROJECTION_Y_PRODUCT"] = f"{y:.3f}"
    counts = {key: str(value) for key, value in sizes.items()}
    return {**_frame(grid, pan), **counts, "ORIENTATION": "NORTH_UP", **degrees, **metres}


def _record(facts: Facts, level: str) -> dict[str, str]:
    made = facts.acquired + timedelta(days=5)
    return {
        "ORIGIN": ORIGIN,
        "LANDSAT_PRODUCT_ID": facts.product_id(level),
        "PROCESSING_LEVEL": level,
        "COLLECTION_CATEGORY": "T1",
        "OUTPUT_FORMAT": "GEOTIFF",
        "DATE_PRODUCT_GENERATED": f"{made.isoformat()}T12:00:00Z",
        "PROCESSING_SOFTWARE_VERSION": "NNDACSS_simulate_1",
    }


def _rescaling(facts: Facts) -> dict[str, str]:
    nearer = (_RADIANCE_DISTANCE / earth_sun_distance(facts.acquired)) ** 2
    steps = [mult * nearer for mult in _RADIANCE]
    bands = radiometry.thermal(facts.spacecraft)
    offset = radiometry.TOP_ADD / radiometry.TOP_MULT
    return {
        **{f"RADIANCE_MULT_BAND_{n}": f"{step:.4E}" for n, step in enumerate(steps, 1)},
        **{f"RADIANCE_MULT_BAND_{n}": f"{b.mult:.4E}" for n, b in enumerate(bands, 10)},
        **{f"RADIANCE_ADD_BAND_{n}": f"{step * offset:.5f}" for n, step in enumerate(steps, 1)},
        **{f"RADIANCE_ADD_BAND_{n}": f"{b.add:.5f}" for n, b in enumerate(bands, 10)},
        **_per_band("REFLECTANCE_MULT_BAND_{}", range(1, 10), f"{radiometry.TOP_MULT:.4E}"),
        **_per_band("REFLECTANCE_ADD_BAND_{}", range(1, 10), f"{radiometry.TOP_ADD:.6f}"),
    }


def as_text(parts: Groups) -> str:
    """The ODL text of `_MTL.txt`."""
    lines = ["GROUP = LANDSAT_METADATA_FILE"]
    for name, values in parts.items():
        lines.append(f"  GROUP = {name}")
        lines += [f"    {key} = {_odl(key, value)}" for key, value in values.items()]
        lines.append(f"  END_GROUP = {name}")
    return "\n".join([*lines, "END_GROUP = LANDSAT_METADATA_FILE", "END", ""])


def _odl(key: str, value: str) -> str:
    try:
        float(value)
    except ValueError:
        return value if key in _BARE else f'"{value}"'
    return value


def as_json(parts: Groups) -> str:
    """`_MTL.json`: every value a string."""
    return json.dumps({"LANDSAT_METADATA_FILE": parts})


def as_xml(parts: Groups) -> str:
    """`_MTL.xml`."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', "<LANDSAT_METADATA_FILE>"]
    for name, values in parts.items():
        lines.append(f"  <{name}>")
        lines += [f"    <{key}>{escape(value)}</{key}>" for key, value in values.items()]
        lines.append(f"  </{name}>")
    return "\n".join([*lines, "</LANDSAT_METADATA_FILE>", ""])
