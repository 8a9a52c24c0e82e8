"""Names of Sentinel-2 products and their files, as ESA writes them (PSD issue 14, section 3.4).

Compact, since December 2016: `S2A_MSIL1C_20221005T115411_N0400_R023_T29UNU_20221005T164454`
(satellite, level, datatake start, baseline, relative orbit, tile, discriminator). Before:
`S2A_OPER_PRD_MSIL1C_PDMC_20160905T104813_R002_V20160905T005712_20160905T010424` (site, created,
relative orbit, sensing start and end), with one or more granules of a tile each.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

#: Bands in the order of the XML's `band_id`, by the names in file names.
BANDS = (
    *("B01", "B02", "B03", "B04", "B05", "B06", "B07"),
    *("B08", "B8A", "B09", "B10", "B11", "B12"),
)
_COMPACT = re.compile(
    r"(?P<satellite>S2[A-D])_MSIL(?P<level>1C|2A)_(?P<start>\d{8}T\d{6})_N(?P<baseline>\d{4})"
    r"_R(?P<orbit>\d{3})_T(?P<tile>\d{2}[A-Z]{3})_(?P<made>\d{8}T\d{6})"
)
_OLD = re.compile(
    r"S2[AB]_(?:OPER|USER)_PRD_MSIL(?:1C|2A)_\w{4}_\d{8}T\d{6}_R\d{3}_V\d{8}T\d{6}_\d{8}T\d{6}"
)
_METADATA = re.compile(
    r"MTD_MSIL(?:1C|2A)\.xml|S2[AB]_(?:OPER|USER)_MTD_SAFL(?:1C|2A)_\w+\.xml", re.IGNORECASE
)
_TILE_METADATA = re.compile(
    r"MTD_TL\.xml|S2[AB]_(?:OPER|USER)_MTD_L(?:1C|2A)_TL_\w+\.xml", re.IGNORECASE
)
_BAND = re.compile(r"(?:^|_)(?P<band>B\d{2}|B8A)(?:_(?P<metres>[126]0)m)?$")
_SCL = re.compile(r"(?:^|_)SCL_(?:\w+_)?(?P<metres>[26]0)m$")
_IMAGES = (".jp2", ".tif", ".tiff")


@dataclass(frozen=True)
class ProductName:
    """The parts of a compact product name."""

    satellite: str
    """`S2A`, `S2B`, `S2C`."""
    level: str
    """`1C`, `2A`."""
    start: str
    """Datatake start, yyyymmddThhmmss."""
    baseline: str
    """Four digits."""
    orbit: str
    tile: str
    """`29UNU`."""
    made: str
    """Discriminator, about the time of processing."""


def product_in(name: str) -> str | None:
    """The product name that a file or folder name starts with, None where there is none.

    >>> product_in("S2A_MSIL1C_20221005T115411_N0400_R023_T29UNU_20221005T164454.SAFE.zip")
    'S2A_MSIL1C_20221005T115411_N0400_R023_T29UNU_20221005T164454'
    """
    match = _COMPACT.match(name) or _OLD.match(name)
    return match[0] if match else None


def parts(name: str) -> ProductName | None:
    """The parts of the compact name that `name` starts with."""
    match = _COMPACT.match(name)
    return ProductName(**match.groupdict()) if match else None


def is_archive(path: Path) -> bool:
    """Whether the name ends like an archive that is read here."""
    return path.name.lower().endswith(".zip")


def is_metadata(name: str) -> bool:
    """Whether a file name is that of a product's metadata."""
    return _METADATA.fullmatch(name) is not None


def is_tile_metadata(name: str) -> bool:
    """Whether a file name is that of a granule's metadata."""
    return _TILE_METADATA.fullmatch(name) is not None


def band_in(name: str) -> tuple[str, int | None] | None:
    """(band, metres) of an image, by its file name with or without suffix; metres may be unsaid.

    >>> band_in("T29UNU_20221005T115411_B8A_20m.jp2"), band_in("T31TDH_20150726T105026_B02")
    (('B8A', 20), ('B02', None))
    >>> band_in("T29UNU_20221005T115411_SCL_20m.jp2"), band_in("T29UNU_20221005T115411_TCI.jp2")
    (('SCL', 20), None)
    """
    stem = name
    for suffix in _IMAGES:
        stem = stem.removesuffix(suffix)
    if match := _SCL.search(stem):
        return "SCL", int(match["metres"])
    match = _BAND.search(stem)
    if match is None or match["band"] not in BANDS:
        return None
    return match["band"], int(match["metres"]) if match["metres"] else None


def is_image(name: str) -> bool:
    """Whether a file is one of a band or of the scene classification."""
    return name.lower().endswith(_IMAGES) and band_in(name) is not None


def find_l1(path: Path) -> Path | None:
    """The Level-1C product of the same datatake, orbit and tile beside a Level-2A one, by name.

    A folder is preferred to a zip, the later processing to the earlier.
    """
    wanted = parts(path.name)
    if wanted is None or wanted.level != "2A":
        return None
    same = (wanted.satellite, wanted.start, wanted.orbit, wanted.tile)
    found: list[tuple[tuple[str, bool, str], Path]] = []
    for sibling in _listed(path.parent):
        name = parts(sibling.name)
        if name is None or name.level != "1C" or not (sibling.is_dir() or is_archive(sibling)):
            continue
        if (name.satellite, name.start, name.orbit, name.tile) == same:
            found.append(((name.made, sibling.is_dir(), sibling.name), sibling))
    return max(found)[1] if found else None


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []
