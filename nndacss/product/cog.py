"""Cloud Optimized GeoTIFFs, written by GDAL's COG driver from a raster and its overviews.

The only module that touches `osgeo` (it has no type stubs). The driver is given a VRT that adds
bands' names, scale, nodata, colours, class names and the overviews of `nndacss.product.pyramid`,
so it has nothing left to compute: it copies, compresses and lays out.

Measured (two cores, six int16 bands, s per Mpx): DEFLATE level 1 0.16 with the overviews given,
0.38 with the driver's own; level 6 0.19 and no smaller (reflectance is noisy in its last bits);
ZSTD level 1 as fast, level 9 at twice the time 6 % smaller. DEFLATE opens everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from nndacss.errors import OutputError, complain
from nndacss.identity import drafted
from nndacss.product.pyramid import levels
from nndacss.product.sheets import Sheet

#: Pixels a side of a tile in the file.
BLOCK = 512
#: GDAL's block cache while copying, bytes: blocks are read once.
_CACHE = 20 << 20
#: How many parts behind the VRT stay open at once: each is read once a row of blocks.
_POOL = {"GDAL_MAX_DATASET_POOL_SIZE": "4"}
_TYPES = {"int16": "Int16", "uint8": "Byte", "uint16": "UInt16"}
_OPTIONS = ("COMPRESS=DEFLATE", "LEVEL=1", f"BLOCKSIZE={BLOCK}", "BIGTIFF=IF_SAFER")


def write_cog(
    source: Path, overviews: Sequence[Path], sheet: Sheet, path: Path, threads: int
) -> None:
    """Write `sheet` at `path` from the raster `source` and its 2, 4, 8, ... times overviews.

    Without overviews the driver makes them by nearest neighbour. Whole or not at all; the same
    bytes for the same pixels, whatever the number of threads.
    Raises OutputError, naming the file, where it cannot be written or read back.
    """
    with drafted(path) as draft:
        wrapper = draft.with_suffix(".vrt")
        try:
            wrapper.write_text(_wrapper(source, overviews, sheet))
            _copy(wrapper, draft, sheet, threads)
            _check(draft)
        except RuntimeError as error:
            remedy = "free disk space or choose another folder, and run again"
            raise OutputError(complain(path, str(error), "a writable place", remedy)) from error
        finally:
            wrapper.unlink(missing_ok=True)
    if sheet.labels:
        with drafted(path.with_name(f"{path.name}.aux.xml")) as draft:
            draft.write_text(_categories(sheet))


def readable(path: Path) -> bool:
    """Whether `path` is a raster whose first and last blocks can be read."""
    try:
        _check(path)
    except (RuntimeError, OSError):
        return False
    return True


def versions() -> dict[str, str]:
    """Version of the GDAL that writes."""
    return {"GDAL": str(_gdal().__version__)}


def _gdal() -> Any:
    """`osgeo.gdal`, raising exceptions; imported late, so that geometry needs no system library."""
    from osgeo import gdal

    gdal.UseExceptions()
    return gdal


@contextmanager
def _set(threads: int) -> Iterator[list[str]]:
    """GDAL with a bounded cache, no sidecars and its failures in a list; all put back after."""
    gdal = _gdal()
    failures: list[str] = []

    def note(kind: int, _: int, message: str) -> None:
        if kind >= gdal.CE_Failure:
            failures.append(message)

    options = {"GDAL_PAM_ENABLED": "NO", "GDAL_NUM_THREADS": str(threads), **_POOL}
    before = {name: gdal.GetConfigOption(name) for name in options}
    cache = gdal.GetCacheMax()
    gdal.SetCacheMax(_CACHE)
    for name, value in options.items():
        gdal.SetConfigOption(name, value)
    gdal.PushErrorHandler(note)
    try:
        yield failures
    finally:
        gdal.PopErrorHandler()
        for name, old in before.items():
            gdal.SetConfigOption(name, old)
        gdal.SetCacheMax(cache)


def _copy(wrapper: Path, draft: Path, sheet: Sheet, threads: int) -> None:
    """Failures that come while the file is closed raise nothing: they are collected."""
    gdal = _gdal()
    predictor = "YES" if sheet.predictor else "NO"
    options = [*_OPTIONS, f"PREDICTOR={predictor}", f"OVERVIEW_PREDICTOR={predictor}"]
    options += [f"NUM_THREADS={threads}", "OVERVIEWS=AUTO", "OVERVIEW_RESAMPLING=NEAREST"]
    with _set(threads) as failures:
        dataset = gdal.Open(str(wrapper))
        copied = gdal.GetDriverByName("COG").CreateCopy(str(draft), dataset, options=options)
        del copied, dataset  # closes both, and with it writes what is left
    if failures:
        raise RuntimeError(failures[0])


def _check(path: Path) -> None:
    """Read the corner blocks of the image and of each overview: late write errors are silent."""
    with _set(1) as failures:
        dataset = _gdal().Open(str(path))
        band = dataset.GetRasterBand(dataset.RasterCount)
        found = band.GetOverviewCount()
        expected = levels(dataset.RasterYSize, dataset.RasterXSize)
        for level in (band, *(band.GetOverview(index) for index in range(found))):
            level.ReadRaster(level.XSize - 1, level.YSize - 1, 1, 1)
            level.ReadRaster(0, 0, 1, 1)
        del level, band, dataset
    if failures:
        raise RuntimeError(failures[0])
    if found != expected:
        raise RuntimeError(f"{found} overviews instead of {expected}")


def _wrapper(source: Path, overviews: Sequence[Path], sheet: Sheet) -> str:
    """A VRT that shows `source` with all that the sheet says of it."""
    gdal = _gdal()
    dataset = gdal.Open(str(source))
    size = {"rasterXSize": str(dataset.RasterXSize), "rasterYSize": str(dataset.RasterYSize)}
    root = ElementTree.Element("VRTDataset", size)
    _text(root, "SRS", dataset.GetProjection())
    _text(root, "GeoTransform", ", ".join(repr(value) for value in dataset.GetGeoTransform()))
    del dataset
    for number, name in enumerate(sheet.bands, start=1):
        band = ElementTree.SubElement(root, "VRTRasterBand")
        band.set("dataType", _TYPES[sheet.dtype])
        band.set("band", str(number))
        if tags := sheet.tags(name):
            metadata = ElementTree.SubElement(band, "Metadata")
            for key, value in tags.items():
                _text(metadata, "MDI", value).set("key", key)
        _text(band, "Description", name)
        if sheet.unit:
            _text(band, "UnitType", sheet.unit)
        _text(band, "NoDataValue", str(sheet.nodata))
        if sheet.scale != 1 and name not in sheet.coded:
            _text(band, "Offset", "0")
            _text(band, "Scale", repr(sheet.scale))
        _colours(band, sheet)
        _input(band, source, number, sheet)
        for overview in overviews:
            _place(ElementTree.SubElement(band, "Overview"), overview, number)
    return ElementTree.tostring(root, encoding="unicode")


def _text(parent: ElementTree.Element, tag: str, text: str) -> ElementTree.Element:
    element = ElementTree.SubElement(parent, tag)
    element.text = text
    return element


def _colours(band: ElementTree.Element, sheet: Sheet) -> None:
    """A palette where the sheet has classes; grey for the codes between them."""
    if not sheet.labels:
        _text(band, "ColorInterp", "Gray" if band.get("band") == "1" else "Undefined")
        return
    _text(band, "ColorInterp", "Palette")
    table = ElementTree.SubElement(band, "ColorTable")
    colours = {label.value: label.colour for label in sheet.labels}
    for code in range(256):
        red, green, blue = colours.get(code, (128, 128, 128))
        entry = {"c1": str(red), "c2": str(green), "c3": str(blue), "c4": "255"}
        ElementTree.SubElement(table, "Entry", entry)


def _input(band: ElementTree.Element, source: Path, number: int, sheet: Sheet) -> None:
    """The pixels: as they are, or through a table of codes."""
    kind = "ComplexSource" if sheet.recode else "SimpleSource"
    element = ElementTree.SubElement(band, kind)
    _place(element, source, number)
    if sheet.recode:
        table = dict(sheet.recode)
        codes = (f"{code}:{table.get(code, sheet.nodata)}" for code in range(256))
        _text(element, "LUT", ",".join(codes))


def _place(element: ElementTree.Element, source: Path, number: int) -> None:
    _text(element, "SourceFilename", str(source.resolve())).set("relativeToVRT", "0")
    _text(element, "SourceBand", str(number))


def _categories(sheet: Sheet) -> str:
    """GDAL's sidecar with class names: a TIFF has no place for them that GDAL or QGIS reads.

    Nodata is left out, so that the list ends with the last class.
    """
    names = {label.value: label.name for label in sheet.labels if label.value != sheet.nodata}
    root = ElementTree.Element("PAMDataset")
    band = ElementTree.SubElement(root, "PAMRasterBand", {"band": "1"})
    listed = ElementTree.SubElement(band, "CategoryNames")
    for code in range(max(names) + 1):
        _text(listed, "Category", names.get(code, ""))
    return ElementTree.tostring(root, encoding="unicode") + "\n"
