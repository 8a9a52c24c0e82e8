"""Small Sentinel-2 products in ESA's SAFE layouts, for tests: names, XML, band files, zips."""

from __future__ import annotations

import warnings
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import rasterio
from rasterio.errors import NotGeoreferencedWarning
from rasterio.transform import from_origin

BANDS = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B10", "B11", "B12")
METRES = dict.fromkeys(BANDS, 20) | dict.fromkeys(("B01", "B09", "B10"), 60)
METRES |= dict.fromkeys(("B02", "B03", "B04", "B08"), 10) | {"SCL": 20}


@dataclass
class Recipe:
    """One product; `write` makes it. DN 2500 everywhere: reflectance 0.15 with an offset."""

    level: str = "1C"
    baseline: str = "05.11"
    satellite: str = "S2A"
    date: str = "20230707T103631"
    tile: str = "32UMC"
    size: int = 60
    """Pixels a side at 10 m, a multiple of 6."""
    corner: tuple[float, float] = (399960.0, 5800020.0)
    epsg: int = 32632
    numbers: dict[str, np.ndarray | int] = field(default_factory=dict)
    """Band or SCL -> DN (scalar: everywhere)."""
    without: tuple[str, ...] = ()
    """Bands whose files are not written though the XML names them."""
    suffix: str = "jp2"
    georeferenced: bool = True
    old: bool = False
    """The layout of before December 2016."""
    granules: tuple[str, ...] = ()
    """More tiles, in the old layout."""
    offsets: dict[str, int] | None = None
    """Band -> offset; None: -1000 for all from 04.00 on, no list before."""
    quantification: str | None = "10000"
    sun: tuple[float, float] = (35.0, 150.0)
    """Mean zenith and azimuth."""
    sun_grid: tuple[str, str] | None = None
    """Zenith and azimuth VALUES elements, nodes 5 km apart."""
    center: str | None = None
    """Text of PROCESSING_CENTER."""
    changes: dict[str, str] = field(default_factory=dict)
    """Texts to replace in both metadata files."""

    @property
    def name(self) -> str:
        number = self.baseline.replace(".", "")
        if self.old:
            kind = f"{self.satellite}_OPER_PRD_MSIL{self.level}_PDMC"
            return f"{kind}_20160905T104813_R108_V{self.date}_{self.date}"
        kind = f"{self.satellite}_MSIL{self.level}_{self.date}"
        return f"{kind}_N{number}_R108_T{self.tile}_20230707T160632"

    def granule(self, tile: str) -> str:
        if self.old:
            kind = f"{self.satellite}_OPER_MSI_L{self.level}_TL_SGS__20160905T073438_A006291"
            return f"{kind}_T{tile}_N{self.baseline}"
        return f"L{self.level}_T{tile}_A042000_{self.date}"

    def image(self, band: str, metres: int, tile: str) -> str:
        """Path inside the granule, without suffix."""
        if self.old:
            stem = self.granule(tile).rpartition("_N")[0]
            return f"IMG_DATA/{stem}_{band}"
        if self.level == "1C":
            return f"IMG_DATA/T{tile}_{self.date}_{band}"
        return f"IMG_DATA/R{metres}m/T{tile}_{self.date}_{band}_{metres}m"

    def bands(self) -> list[str]:
        if self.level == "1C":
            return list(BANDS)
        return [band for band in BANDS if band != "B10"] + ["SCL"]

    def write(self, folder: Path) -> Path:
        """The product as `<name>.SAFE` in `folder`."""
        root = folder / f"{self.name}.SAFE"
        for tile in (self.tile, *self.granules):
            inside = root / "GRANULE" / self.granule(tile)
            inside.mkdir(parents=True)
            stem = self.granule(tile).rpartition("_N")[0].replace("_MSI_", "_MTD_")
            name = f"{stem}.xml" if self.old else "MTD_TL.xml"
            (inside / name).write_text(self._changed(self._tile_xml(tile)), encoding="utf-8")
            for band in self.bands():
                if band not in self.without:
                    path = inside / f"{self.image(band, METRES[band], tile)}.{self.suffix}"
                    self._write_band(path, band)
        name = f"MTD_MSIL{self.level}.xml"
        if self.old:
            name = f"{self.name.replace('_PRD_MSIL', '_MTD_SAFL')}.xml"
        (root / name).write_text(self._changed(self._product_xml()), encoding="utf-8")
        return root

    def _changed(self, text: str) -> str:
        for old, new in self.changes.items():
            text = text.replace(old, new)
        return text

    def _write_band(self, path: Path, band: str) -> None:
        metres = METRES[band]
        side = self.size * 10 // metres
        scl = band == "SCL"
        numbers = np.broadcast_to(self.numbers.get(band, 4 if scl else 2500), (side, side))
        write_image(
            path,
            numbers.astype("u1" if scl else "u2"),
            from_origin(*self.corner, metres, metres) if self.georeferenced else None,
            self.epsg if self.georeferenced else None,
        )

    def _product_xml(self) -> str:
        tag = "RADIO_ADD_OFFSET" if self.level == "1C" else "BOA_ADD_OFFSET"
        offsets = self.offsets
        if offsets is None:
            offsets = dict.fromkeys(BANDS, -1000) if float(self.baseline) >= 4 else {}
        added = "".join(
            f'<{tag} band_id="{BANDS.index(band)}">{value}</{tag}>'
            for band, value in offsets.items()
        )
        kind = "QUANTIFICATION_VALUE" if self.level == "1C" else "BOA_QUANTIFICATION_VALUE"
        scale = f'<{kind} unit="none">{self.quantification}</{kind}>'
        images = "".join(
            f"<IMAGE_ID>{Path(self.image(band, METRES[band], tile)).name}</IMAGE_ID>"
            if self.old
            else "<IMAGE_FILE>"
            f"GRANULE/{self.granule(tile)}/{self.image(band, METRES[band], tile)}</IMAGE_FILE>"
            for tile in (self.tile, *self.granules)
            for band in self.bands()
        )
        center = f"<PROCESSING_CENTER>{self.center}</PROCESSING_CENTER>" if self.center else ""
        uri = "791_2016-09-05T10_37" if self.old else f"{self.name}.SAFE"
        form = "SAFE" if self.old else "SAFE_COMPACT"
        day = f"{self.date[:4]}-{self.date[4:6]}-{self.date[6:8]}"
        time = f"{self.date[9:11]}:{self.date[11:13]}:{self.date[13:15]}"
        return f"""<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<n1:Level-{self.level}_User_Product
 xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/User_Product_Level-{self.level}.xsd">
<n1:General_Info><Product_Info>
<PRODUCT_START_TIME>{day}T{time}.024Z</PRODUCT_START_TIME>
<PRODUCT_URI>{uri}</PRODUCT_URI>
<PROCESSING_LEVEL>Level-{self.level}</PROCESSING_LEVEL>
<PRODUCT_TYPE>S2MSI{self.level}</PRODUCT_TYPE>
<PROCESSING_BASELINE>{self.baseline}</PROCESSING_BASELINE>{center}
<Datatake datatakeIdentifier="G{self.satellite}_{self.date}_042000_N{self.baseline}">
<SPACECRAFT_NAME>Sentinel-{self.satellite[1:]}</SPACECRAFT_NAME>
<DATATAKE_SENSING_START>{day}T{time}.024Z</DATATAKE_SENSING_START></Datatake>
<Query_Options completeSingleTile="true"><PRODUCT_FORMAT>{form}</PRODUCT_FORMAT></Query_Options>
<Product_Organisation><Granule_List><Granule>{images}</Granule></Granule_List>
</Product_Organisation></Product_Info>
<Product_Image_Characteristics>
<Special_Values><SPECIAL_VALUE_TEXT>NODATA</SPECIAL_VALUE_TEXT>
<SPECIAL_VALUE_INDEX>0</SPECIAL_VALUE_INDEX></Special_Values>
<Special_Values><SPECIAL_VALUE_TEXT>SATURATED</SPECIAL_VALUE_TEXT>
<SPECIAL_VALUE_INDEX>65535</SPECIAL_VALUE_INDEX></Special_Values>
{scale if self.quantification else ""}
{f"<Offset_List>{added}</Offset_List>" if added else ""}
</Product_Image_Characteristics></n1:General_Info>
</n1:Level-{self.level}_User_Product>
"""

    def _tile_xml(self, tile: str) -> str:
        sizes = "".join(
            f'<Size resolution="{metres}"><NROWS>{self.size * 10 // metres}</NROWS>'
            f"<NCOLS>{self.size * 10 // metres}</NCOLS></Size>"
            for metres in (10, 20, 60)
        )
        places = "".join(
            f'<Geoposition resolution="{metres}"><ULX>{self.corner[0]:.0f}</ULX>'
            f"<ULY>{self.corner[1]:.0f}</ULY><XDIM>{metres}</XDIM><YDIM>-{metres}</YDIM>"
            "</Geoposition>"
            for metres in (10, 20, 60)
        )
        steps = '<COL_STEP unit="m">5000</COL_STEP><ROW_STEP unit="m">5000</ROW_STEP>'
        grid = ""
        if self.sun_grid:
            zenith, azimuth = (
                f"{steps}<Values_List>{part}</Values_List>" for part in self.sun_grid
            )
            grid = f"<Sun_Angles_Grid><Zenith>{zenith}</Zenith><Azimuth>{azimuth}</Azimuth>"
            grid += "</Sun_Angles_Grid>"
        day = f"{self.date[:4]}-{self.date[4:6]}-{self.date[6:8]}"
        kind = f"{self.satellite}_OPER_MSI_L{self.level}_TL_2APS_20230707T160632_A042000"
        return f"""<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<n1:Level-{self.level}_Tile_ID
 xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/S2_PDI_Level-{self.level}_Tile_Metadata.xsd">
<n1:General_Info>
<TILE_ID metadataLevel="Brief">{kind}_T{tile}_N{self.baseline}</TILE_ID>
<SENSING_TIME metadataLevel="Standard">{day}T10:41:12.581767Z</SENSING_TIME>
</n1:General_Info>
<n1:Geometric_Info><Tile_Geocoding metadataLevel="Brief">
<HORIZONTAL_CS_NAME>WGS84 / UTM</HORIZONTAL_CS_NAME>
<HORIZONTAL_CS_CODE>EPSG:{self.epsg}</HORIZONTAL_CS_CODE>{sizes}{places}</Tile_Geocoding>
<Tile_Angles>{grid}
<Mean_Sun_Angle><ZENITH_ANGLE unit="deg">{self.sun[0]}</ZENITH_ANGLE>
<AZIMUTH_ANGLE unit="deg">{self.sun[1]}</AZIMUTH_ANGLE></Mean_Sun_Angle>
</Tile_Angles></n1:Geometric_Info>
</n1:Level-{self.level}_Tile_ID>
"""


def write_image(path: Path, numbers: np.ndarray, affine=None, epsg: int | None = None) -> None:
    """One band: lossless JPEG 2000 or GeoTIFF, by the name's ending."""
    path.parent.mkdir(parents=True, exist_ok=True)
    how = {"driver": "GTiff"}
    if path.suffix == ".jp2":
        how = {"driver": "JP2OpenJPEG", "QUALITY": "100", "REVERSIBLE": "YES", "YCBCR420": "NO"}
    rows, columns = numbers.shape
    place = {} if affine is None else {"transform": affine, "crs": f"EPSG:{epsg}"}
    size = {"width": columns, "height": rows, "count": 1, "dtype": numbers.dtype}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(path, "w", **how, **size, **place) as file:
            file.write(numbers, 1)


def rows(*values: list[float]) -> str:
    """Rows of angles as VALUES elements."""
    return "".join(f"<VALUES>{' '.join(map(str, row))}</VALUES>" for row in values)


def pack(safe: Path, path: Path, inside: str | None = None) -> Path:
    """A product folder as a zip, under its own name or `inside` ('' for none)."""
    prefix = f"{safe.name}/" if inside is None else inside
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(safe.rglob("*")):
            if file.is_file():
                archive.write(file, f"{prefix}{file.relative_to(safe)}")
    return path
