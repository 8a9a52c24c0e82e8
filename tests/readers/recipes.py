"""Tiny Landsat-8/9 products in the USGS layouts, for tests: names, MTL groups, files, archives."""

from __future__ import annotations

import io
import json
import tarfile
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
import rasterio
from rasterio.errors import NotGeoreferencedWarning
from rasterio.transform import from_origin

K1 = {"10": 774.8853, "11": 480.8883}
K2 = {"10": 1321.0789, "11": 1201.1442}
REFLECTIVE_NUMBERS = ("1", "2", "3", "4", "5", "6", "7", "9")


@dataclass
class Recipe:
    """One product; `write` makes it. Sun at 30 degrees, so TOA = (2e-5 DN - 0.1) / 0.5."""

    collection: str = "2"
    kind: str = "L1TP"
    sensor: str = "LC08"
    place: str = "195025"
    date: str = "2023-07-07"
    lines: int = 12
    samples: int = 10
    upper_left: tuple[float, float] = (390000.0, 5689200.0)
    upper_left_latitude: float = 51.3
    zone: int = 32
    polar: tuple[float, float] | None = None
    """(true scale latitude, vertical longitude) of a polar stereographic scene."""
    sun: tuple[float, float] = (30.0, 147.0)
    """Elevation, azimuth."""
    epsg: int | None = None
    """Georeference of the files; None writes none."""
    formats: tuple[str, ...] = ("txt",)
    numbers: dict[str, np.ndarray | int] = field(default_factory=dict)
    """Band number, or QA_PIXEL, QA_RADSAT, SZA, SAA -> DN (scalar: everywhere); 10000 else."""
    without: tuple[str, ...] = ()
    dtypes: dict[str, str] = field(default_factory=dict)
    shapes: dict[str, tuple[int, int]] = field(default_factory=dict)
    changes: dict[str, Any] = field(default_factory=dict)
    """MTL keys to set (all groups that have them), or to drop with None."""

    @property
    def product(self) -> str:
        day = self.date.replace("-", "")
        if self.collection == "pre":
            year_day = np.datetime64(self.date) - np.datetime64(self.date[:4]) + 1
            return f"LC8{self.place}{self.date[:4]}{int(year_day.astype(int)):03d}LGN00"
        return f"{self.sensor}_{self.kind}_{self.place}_{day}_20230801_0{self.collection}_T1"

    @property
    def level_2(self) -> bool:
        return self.kind.startswith("L2")

    def file(self, number: str) -> str:
        """File name of a band number or quality name."""
        if number == "QA_PIXEL" and self.collection != "2":
            return f"{self.product}_BQA.TIF"
        if not number[0].isdigit():
            return f"{self.product}_{number}.TIF"
        if not self.level_2:
            return f"{self.product}_B{number}.TIF"
        return f"{self.product}_{'ST' if number == '10' else 'SR'}_B{number}.TIF"

    def parts(self) -> list[str]:
        """All bands and quality files that the layout has."""
        bands = [str(number) for number in range(1, 8)]
        if self.level_2:
            bands += ["10"] if self.kind == "L2SP" else []
            return [*bands, "QA_PIXEL", "QA_RADSAT"]
        bands += ["8", "9", "10", "11", "QA_PIXEL"]
        return bands + (["QA_RADSAT", "SZA", "SAA"] if self.collection == "2" else [])

    def shape(self, number: str) -> tuple[int, int]:
        if number in self.shapes:
            return self.shapes[number]
        if number == "8":
            return 2 * self.lines - 1, 2 * self.samples - 1
        return self.lines, self.samples

    # metadata

    def groups(self) -> dict[str, Any]:
        """The metadata, root group included."""
        found = self._groups_2() if self.collection == "2" else self._groups_1()
        return _changed(found, self.changes)

    def _groups_2(self) -> dict[str, Any]:
        contents = {
            "LANDSAT_PRODUCT_ID": self.product,
            "PROCESSING_LEVEL": self.kind,
            "COLLECTION_NUMBER": "02",
            **self._file_names(),
        }
        level_1: dict[str, Any] = {
            "LEVEL1_RADIOMETRIC_RESCALING": self._rescaling(),
            "LEVEL1_THERMAL_CONSTANTS": self._thermal(),
            "LEVEL1_PROJECTION_PARAMETERS": self._projection(),
        }
        groups: dict[str, Any] = {
            "PRODUCT_CONTENTS": contents,
            "IMAGE_ATTRIBUTES": {**self._acquisition(), **self._sun()},
            "PROJECTION_ATTRIBUTES": {**self._projection(), **self._plane()},
        }
        if self.level_2:
            reflectance = {}
            for n in range(1, 8):
                reflectance[f"REFLECTANCE_MULT_BAND_{n}"] = 2.75e-05
                reflectance[f"REFLECTANCE_ADD_BAND_{n}"] = -0.2
            groups["LEVEL2_SURFACE_REFLECTANCE_PARAMETERS"] = reflectance
            groups["LEVEL2_SURFACE_TEMPERATURE_PARAMETERS"] = {
                "TEMPERATURE_MULT_BAND_ST_B10": 0.00341802,
                "TEMPERATURE_ADD_BAND_ST_B10": 149.0,
            }
            name = self.product.replace(self.kind, "L1TP")
            groups["LEVEL1_PROCESSING_RECORD"] = {
                "LANDSAT_PRODUCT_ID": name,
                "PROCESSING_LEVEL": "L1TP",
                **{f"FILE_NAME_BAND_{n}": f"{name}_B{n}.TIF" for n in range(1, 12)},
            }
        return {"LANDSAT_METADATA_FILE": {**groups, **level_1}}

    def _groups_1(self) -> dict[str, Any]:
        info = {"LANDSAT_SCENE_ID": "LC81950252023188LGN00"}
        if self.collection == "1":
            info |= {"LANDSAT_PRODUCT_ID": self.product, "COLLECTION_NUMBER": "01"}
        else:
            info["LANDSAT_SCENE_ID"] = self.product
        return {
            "L1_METADATA_FILE": {
                "METADATA_FILE_INFO": info,
                "PRODUCT_METADATA": {
                    "DATA_TYPE": "L1T" if self.collection == "pre" else self.kind,
                    **self._acquisition(),
                    **self._plane(),
                    **self._file_names(),
                },
                "IMAGE_ATTRIBUTES": self._sun(),
                "RADIOMETRIC_RESCALING": self._rescaling(),
                "TIRS_THERMAL_CONSTANTS": self._thermal(),
                "PROJECTION_PARAMETERS": self._projection(),
            }
        }

    def _file_names(self) -> dict[str, str]:
        keys = {
            "QA_PIXEL": "FILE_NAME_QUALITY_L1_PIXEL"
            if self.collection == "2"
            else "FILE_NAME_BAND_QUALITY",
            "QA_RADSAT": "FILE_NAME_QUALITY_L1_RADIOMETRIC_SATURATION",
            "SZA": "FILE_NAME_ANGLE_SOLAR_ZENITH_BAND_4",
            "SAA": "FILE_NAME_ANGLE_SOLAR_AZIMUTH_BAND_4",
        }
        if self.level_2:
            keys["10"] = "FILE_NAME_BAND_ST_B10"
        names = {keys.get(part, f"FILE_NAME_BAND_{part}"): self.file(part) for part in self.parts()}
        return names | {"FILE_NAME_METADATA_ODL": f"{self.product}_MTL.txt"}

    def _acquisition(self) -> dict[str, Any]:
        return {
            "SPACECRAFT_ID": f"LANDSAT_{self.sensor[-1]}",
            "SENSOR_ID": "OLI_TIRS",
            "WRS_PATH": int(self.place[:3]),
            "WRS_ROW": int(self.place[3:]),
            "DATE_ACQUIRED": self.date,
            "SCENE_CENTER_TIME": "10:17:42.1661960Z",
        }

    def _sun(self) -> dict[str, float]:
        return {"SUN_ELEVATION": self.sun[0], "SUN_AZIMUTH": self.sun[1]}

    def _rescaling(self) -> dict[str, float]:
        table = {}
        for n in range(1, 12):
            table[f"RADIANCE_MULT_BAND_{n}"] = 3.342e-4
            table[f"RADIANCE_ADD_BAND_{n}"] = 0.1
        for n in range(1, 10):
            table[f"REFLECTANCE_MULT_BAND_{n}"] = 2e-5
            table[f"REFLECTANCE_ADD_BAND_{n}"] = -0.1
        return table

    def _thermal(self) -> dict[str, float]:
        return {f"K{i}_CONSTANT_BAND_{n}": k[n] for i, k in ((1, K1), (2, K2)) for n in k}

    def _projection(self) -> dict[str, Any]:
        cells = {"PANCHROMATIC": 15.0, "REFLECTIVE": 30.0, "THERMAL": 30.0}
        if self.level_2:
            del cells["PANCHROMATIC"]
        sizes = {f"GRID_CELL_SIZE_{name}": cell for name, cell in cells.items()}
        where: dict[str, Any] = {"MAP_PROJECTION": "UTM", "UTM_ZONE": self.zone}
        if self.polar:
            where = {
                "MAP_PROJECTION": "PS",
                "VERTICAL_LON_FROM_POLE": self.polar[1],
                "TRUE_SCALE_LAT": self.polar[0],
                "FALSE_EASTING": 0,
                "FALSE_NORTHING": 0,
            }
        return {**where, "DATUM": "WGS84", "ORIENTATION": "NORTH_UP", **sizes}

    def _plane(self) -> dict[str, Any]:
        (x, y), lines, samples = self.upper_left, self.lines, self.samples
        sizes = {"REFLECTIVE": (lines, samples), "THERMAL": (lines, samples)}
        if not self.level_2:
            sizes["PANCHROMATIC"] = (2 * lines - 1, 2 * samples - 1)
        table: dict[str, Any] = {
            "CORNER_UL_LAT_PRODUCT": self.upper_left_latitude,
            "CORNER_UL_PROJECTION_X_PRODUCT": x,
            "CORNER_UL_PROJECTION_Y_PRODUCT": y,
            "CORNER_LR_PROJECTION_X_PRODUCT": x + 30 * (samples - 1),
            "CORNER_LR_PROJECTION_Y_PRODUCT": y - 30 * (lines - 1),
        }
        for name, (rows, columns) in sizes.items():
            table |= {f"{name}_LINES": rows, f"{name}_SAMPLES": columns}
        return table

    # files

    def write(self, root: Path) -> Path:
        """The product as the folder `root / product`."""
        folder = root / self.product
        folder.mkdir(parents=True)
        writers = {"txt": _text, "json": json.dumps, "xml": _xml}
        for kind in self.formats:
            text = writers[kind](self.groups())
            (folder / f"{self.product}_MTL.{kind}").write_text(text)
        for part in self.parts():
            if part not in self.without:
                self._write_band(folder / self.file(part), part)
        return folder

    def _write_band(self, path: Path, part: str) -> None:
        default = {"QA_PIXEL": 21824, "QA_RADSAT": 0, "SZA": 5500, "SAA": 14000}.get(part, 10000)
        dtype = self.dtypes.get(part, "int16" if part in ("SZA", "SAA") else "uint16")
        rows, columns = self.shape(part)
        numbers = np.broadcast_to(self.numbers.get(part, default), (rows, columns)).astype(dtype)
        where: dict[str, Any] = {}
        if self.epsg:
            cell = 15 if part == "8" else 30
            x, y = self.upper_left
            where = {
                "crs": f"EPSG:{self.epsg}",
                "transform": from_origin(x - cell / 2, y + cell / 2, cell, cell),
            }
        write_tif(path, numbers, **where)


def write_tif(path: Path, numbers: np.ndarray, **where: Any) -> None:
    """One band; a georeference only where `where` holds one.

    An old file goes first: rasterio would take the MTL for its sidecar and delete it, too.
    """
    path.unlink(missing_ok=True)
    rows, columns = numbers.shape
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(
            path, "w", driver="GTiff", height=rows, width=columns, count=1, dtype=numbers.dtype,
            **where,
        ) as file:  # fmt: skip
            file.write(numbers, 1)


def _changed(groups: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    result = {}
    for key, value in groups.items():
        if isinstance(value, dict):
            result[key] = _changed(value, changes)
        elif changes.get(key, value) is not None:
            result[key] = changes.get(key, value)
    return result


def _text(groups: dict[str, Any], indent: str = "") -> str:
    lines = []
    for key, value in groups.items():
        if isinstance(value, dict):
            inner = _text(value, indent + "  ").removesuffix("END\n")
            lines.append(f"{indent}GROUP = {key}\n{inner}{indent}END_GROUP = {key}")
        else:
            shown = f'"{value}"' if isinstance(value, str) and not value[0].isdigit() else value
            lines.append(f"{indent}{key} = {shown}\t")
    return "\n".join(lines) + "\n" + ("" if indent else "END\n")


def _xml(groups: dict[str, Any], indent: str = "") -> str:
    lines = [] if indent else ['<?xml version="1.0" encoding="UTF-8"?>']
    for key, value in groups.items():
        inner = (
            f"\n{_xml(value, indent + '  ')}\n" if isinstance(value, dict) else escape(str(value))
        )
        lines.append(f"{indent}<{key}>{inner}</{key}>")
    return "\n".join(lines)


def pack(folder: Path, archive: Path, *extra: tarfile.TarInfo) -> Path:
    """A folder as the flat archive that the USGS delivers, `extra` members behind."""
    mode = "w:gz" if archive.name.endswith("gz") else "w"
    with tarfile.open(archive, mode) as tar:  # type: ignore[call-overload]
        for file in sorted(folder.iterdir()):
            tar.add(file, file.name)
        for member in extra:
            tar.addfile(member, io.BytesIO(bytes(member.size)) if member.isreg() else None)
    return archive
