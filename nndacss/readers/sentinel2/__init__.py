"""Sentinel-2 A, B and C: Level-1C (TOA) and Level-2A (SR) products in the SAFE layout.

A product is a folder or a `.zip` of it, compact (`S2A_MSIL1C_..._N0511_R023_T29UNU_....SAFE`) or
in the layout and with the names of before December 2016 (`S2A_OPER_PRD_MSIL1C_....SAFE`; several
granules: give one of its `GRANULE/` folders). The folder may have another name, and the zip may
hold the product under `X.SAFE/` or directly.

`names` reads names, `files` lists and unpacks, `xml` and `metadata` read the two metadata files,
`quality` decodes the scene classification, `sun` the angle grids, `scene` puts it together.
Importing this package, `identify` and `find_l1` load neither numpy nor rasterio.

**What is read** (Product Specification Document, S2-PDGS-TAS-DI-PSD, issues 12 to 15; elements are
found by name at any depth, whatever the namespace):

- `MTD_MSIL1C.xml` or `MTD_MSIL2A.xml` at the root (old: `S2A_OPER_MTD_SAFL1C_*.xml`). Required:
  `PRODUCT_URI` (the product's name with `.SAFE`; in old products the file's name is used),
  `PROCESSING_LEVEL` (`Level-1C`, `Level-2A`), `PROCESSING_BASELINE` (`05.11`),
  `SPACECRAFT_NAME` (`Sentinel-2A`), `DATATAKE_SENSING_START`, `QUANTIFICATION_VALUE` (L1C) or
  `BOA_QUANTIFICATION_VALUE` (L2A), and from baseline 04.00 on `RADIO_ADD_OFFSET band_id="0"` ...
  `"12"` (L1C) or `BOA_ADD_OFFSET band_id=...` (L2A). `band_id` counts B01 B02 B03 B04 B05 B06
  B07 B08 B8A B09 B10 B11 B12 from 0. Optional: `Special_Values` (`SPECIAL_VALUE_TEXT` SATURATED,
  `SPECIAL_VALUE_INDEX`; 65535 where absent), `IMAGE_FILE` (path without suffix: the bands that
  should be there), `PROCESSING_CENTER` (below).
- `GRANULE/<one folder>/MTD_TL.xml` (old: `S2A_OPER_MTD_L1C_TL_*.xml`). Required: `TILE_ID` (it
  holds `_T29UNU`), `SENSING_TIME`, `Mean_Sun_Angle` with `ZENITH_ANGLE` and `AZIMUTH_ANGLE`, and,
  if the band files have no georeference, `HORIZONTAL_CS_CODE` and per resolution `Size` and
  `Geoposition`. Optional: `Sun_Angles_Grid` (`COL_STEP`, `ROW_STEP`, rows of `VALUES`): node 0
  lies on the tile's upper left corner.
- `GRANULE/<folder>/IMG_DATA/*_B02.jp2`, ... (L1C), `IMG_DATA/R10m/*_B02_10m.jp2`,
  `R20m/*_B8A_20m.jp2`, `R20m/*_SCL_20m.jp2`, ... (L2A): each band from the file of its native
  resolution, or the nearest coarser one. `.tif` is read as well as `.jp2`: uint16 bands, uint8
  or uint16 for SCL.

**Origin.** Agency products have no `PROCESSING_CENTER` in `Product_Info`; whoever makes such a
product in another way says so there (our simulator: `Simulated by NNDACSS, not an observation`),
and `Scene.origin` is that text. Without it the origin is `Copernicus Sentinel data <year>`.

**Radiometry.** reflectance = (DN + offset of the band) / quantification, both from the product's
XML and never from the date or the name. DN 0 is nodata, before the offset. A saturated DN stands
for `layers.SATURATED_REFLECTANCE`. Baselines are compared as numbers: (5, 11) is later than
(4, 0). From 04.00 on a list of offsets must be there; a baseline newer than 05.xx is read as its
XML says, with a note in `losses`. 99.99 is Sen2Cor run by a user: without a list, no offset.

**An offset that is applied already is not applied again.** Some archives shift the DN and leave
the XML as it was. Their STAC item says `boa_offset_applied: true` (with any prefix, as in
`earthsearch:boa_offset_applied`): a `.json` file at the product's root with that property (in
`properties`, or on top) switches the offset off, and is part of the product's identity. Where
nobody says so, `verify` looks at the blue band: pixels that would be darker than any ground under
any sky (a tenth of them below 0 at TOA, below -0.05 at the surface) mean that the offset was
applied before, and it refuses with a hint at that file.
"""

from __future__ import annotations

from pathlib import Path

from nndacss.errors import NndacssError
from nndacss.readers.scene import Reader, Scene, SceneIdentity
from nndacss.readers.sentinel2 import files
from nndacss.readers.sentinel2.identity import load
from nndacss.readers.sentinel2.names import find_l1, is_archive, product_in


class SentinelReader:
    """How a Sentinel-2 SAFE folder or zip becomes a Scene."""

    expects = "a Sentinel-2 .SAFE folder or .zip with its MTD_MSIL1C.xml or MTD_MSIL2A.xml"

    def recognises(self, path: Path) -> bool:
        """Whether names alone say that this is a Sentinel-2 product; never raises."""
        try:
            if path.is_file() and is_archive(path) and product_in(path.name):
                return True
            if path.is_dir() and path.suffix.upper() == ".SAFE" and product_in(path.name):
                return True
            if path.is_dir() or (path.is_file() and is_archive(path)):
                return files.holds_product(path)
        except (NndacssError, OSError):
            return False
        return False

    def identify(self, path: Path) -> SceneIdentity:
        """Identity from names, sizes and metadata."""
        return load(path).identity

    def open(self, path: Path, l1: Path | None = None) -> Scene:
        """The scene; `l1` is the Level-1C product of the same datatake as a Level-2A `path`."""
        from nndacss.readers.sentinel2.scene import open_safe

        return open_safe(path, l1)

    def find_l1(self, path: Path) -> Path | None:
        """The Level-1C product beside a Level-2A one, by name."""
        return find_l1(path)

    def unpack(self, path: Path, folder: Path) -> Path:
        """The files that are read, of a zip, as the new folder `folder`: all of them, or none."""
        safe = load(path)
        return files.unpack(safe.store, (name for name, _ in safe.identity.files), folder)


READER: Reader = SentinelReader()
