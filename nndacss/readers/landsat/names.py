"""Names of Landsat-8/9 products, as the USGS writes them (LSDS-1619, LSDS-1414).

Collections 1 and 2: `LC08_L2SP_017051_20151205_20200908_02_T1` (sensor, level, path and row,
acquired, processed, collection, tier). Before the collections: `LC80170512015339LGN01` (sensor,
path and row, year and day of year, station, version). `LC` is OLI with TIRS, `LO` OLI alone;
TIRS alone (`LT`) holds no reflectance and is not read here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_COLLECTION = re.compile(
    r"(?P<sensor>L[CO]0[89])_(?P<level>L1(?:TP|GT|GS)|L2(?:SP|SR))_(?P<place>\d{6})"
    r"_(?P<acquired>\d{8})_(?P<processed>\d{8})_(?P<collection>\d{2})_(?:RT|T1|T2)"
)
_PRE_COLLECTION = re.compile(r"L[CO]8\d{6}\d{7}[A-Z]{3}\d{2}")
_METADATA = re.compile(r"(?P<product>.+)_MTL\.(?P<format>txt|json|xml)", re.IGNORECASE)
_ARCHIVES = (".tar", ".tar.gz", ".tgz")
_FORMATS = ("txt", "json", "xml")
_LEVELS = ("L1TP", "L1GT", "L1GS")


@dataclass(frozen=True)
class ProductName:
    """The parts of a Collection 1 or 2 product id that tell products apart."""

    sensor: str
    """`LC08`, `LC09`, `LO08`, `LO09`."""
    level: str
    """`L1TP`, `L1GT`, `L1GS`, `L2SP`, `L2SR`."""
    place: str
    """WRS-2 path and row, six digits."""
    acquired: str
    """yyyymmdd."""
    processed: str
    """yyyymmdd."""
    collection: str
    """`01`, `02`."""


def product_in(name: str) -> str | None:
    """The product id that a file, folder or archive name starts with, None where there is none.

    >>> product_in("LC08_L1TP_195025_20130707_20170503_01_T1_B10.TIF")
    'LC08_L1TP_195025_20130707_20170503_01_T1'
    >>> product_in("LE07_L1TP_195025_20010730_20170204_01_T1_B1.TIF") is None
    True
    """
    match = _COLLECTION.match(name) or _PRE_COLLECTION.match(name)
    return match[0] if match else None


def parts(name: str) -> ProductName | None:
    """The parts of the Collection 1 or 2 id that `name` starts with."""
    match = _COLLECTION.match(name)
    return ProductName(**match.groupdict()) if match else None


def is_archive(path: Path) -> bool:
    """Whether the name ends like an archive that is read here."""
    return path.name.lower().endswith(_ARCHIVES)


def is_product_file(name: str) -> bool:
    """Whether the name is that of a band or metadata file of a Landsat-8/9 product."""
    return name.lower().endswith((".tif", ".tiff", *_FORMATS)) and product_in(name) is not None


def metadata_of(name: str) -> tuple[str, str] | None:
    """(product, format) where `name` is that of a Landsat-8/9 metadata file.

    >>> metadata_of("LC80460282016177LGN00_MTL.json")
    ('LC80460282016177LGN00', 'json')
    """
    match = _METADATA.fullmatch(name)
    if not match or product_in(name) is None:
        return None
    return match["product"], match["format"].lower()


def format_rank(name: str) -> int:
    """Which metadata file wins where a product has several: txt, then json, then xml."""
    found = metadata_of(name)
    return _FORMATS.index(found[1]) if found else len(_FORMATS)


def find_l1(path: Path) -> Path | None:
    """The Level-1 product of the same sensor, place and date beside a Level-2 one, by name.

    A folder is preferred to an archive, the Level-2 product's collection to another one, L1TP to
    the less precise kinds, the later processing to the earlier. None for a Level-1 product, for
    names that are not the agency's, and where there is no such sibling.
    """
    wanted = parts(path.name) or _parts_inside(path)
    if wanted is None or not wanted.level.startswith("L2"):
        return None
    found: list[tuple[tuple[object, ...], Path]] = []
    for sibling in sorted(_listed(path.parent)):
        name = parts(sibling.name)
        if name is None or name.level not in _LEVELS:
            continue
        same = (name.sensor, name.place, name.acquired)
        if same == (wanted.sensor, wanted.place, wanted.acquired) and (
            sibling.is_dir() or is_archive(sibling)
        ):
            found.append((_preference(name, wanted, sibling), sibling))
    return min(found)[1] if found else None


def _preference(name: ProductName, wanted: ProductName, path: Path) -> tuple[object, ...]:
    """Sorts the best candidate first."""
    return (
        name.collection != wanted.collection,
        _LEVELS.index(name.level),
        -int(name.processed),
        not path.is_dir(),
        not path.name.lower().endswith(".tar"),
        path.name,
    )


def _parts_inside(path: Path) -> ProductName | None:
    """The product of a folder whose own name is not the agency's."""
    for inside in sorted(_listed(path)):
        if metadata_of(inside.name):
            return parts(inside.name)
    return None


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []
