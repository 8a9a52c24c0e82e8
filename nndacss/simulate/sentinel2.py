"""Write a simulated Sentinel-2 scene as Level-1C and Level-2A products in the SAFE layout.

The grid is Sentinel-2's: 10, 20 and 60 m pixels share edges at multiples of 60 m (southern zones:
of their northing less 10 000 km). The same seed and place give the ground and sky of
`write_landsat`. Bands are written window by window into striped files and then turned into
lossless JPEG 2000, tile by tile, so memory does not grow with the scene.

Level-2A holds each band at its native resolution, and no AOT, WVP or TCI. Its reflectance is what
a maker gets back who knows the mean haze. SCL, CLDPRB and SNWPRB (20 m) are made of the truth: they
are better than an agency's.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date
from math import ceil, floor
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nndacss.errors import GridError, OutputError, SettingsError, complain
from nndacss.sensors.sentinel2_msi import SENSOR
from nndacss.simulate import files, safe, safe_tile
from nndacss.simulate.blocks import in_order
from nndacss.simulate.landscape import Ground
from nndacss.simulate.msi import BASE, MsiSeen, MsiView, counts, scene_classes
from nndacss.simulate.optics import SENTINEL2, Look
from nndacss.simulate.quality import CLOUD, FILL, SHADOW, SNOW
from nndacss.simulate.sampling import Grid, Window
from nndacss.simulate.seeing import Eye, World
from nndacss.simulate.sky import Sky
from nndacss.simulate.sun import passed

Level = Literal["L1C", "L2A"]

#: The bands of each level by name; Level-2A has no cirrus band.
BANDS: dict[str, tuple[str, ...]] = {
    "L1C": tuple(band.name for band in SENSOR.bands),
    "L2A": tuple(band.name for band in SENSOR.bands if band.role != "cirrus"),
}

#: Northing of the equator in southern UTM zones, metres.
_SOUTH = 10_000_000

Layers = dict[tuple[Level, str], NDArray[Any]]
"""(level, band) -> what goes into its file."""


@dataclass(frozen=True)
class Sentinel2Scene:
    """What was written."""

    l1c: Path | None
    """The Level-1C product, a `.SAFE` folder or `.SAFE.zip`; None where not asked for."""
    l2a: Path | None
    truth: Path
    """uint8 GeoTIFF at 10 m: 0 clear, 1 shadow, 2 snow, 3 cloud, 255 fill."""
    thickness: Path | None
    """float32 GeoTIFF at 10 m: cloud optical thickness at 0.55 um; None where not asked for."""


def write_sentinel2(
    folder: str | os.PathLike[str],
    *,
    seed: int = 0,
    rows: int = 1020,
    columns: int = 1020,
    west: float = 613_200.0,
    north: float = 5_487_420.0,
    epsg: int = 32632,
    sun_elevation: float = 45.0,
    sun_azimuth: float = 150.0,
    date: date | str = "2026-04-15",
    orbit: int = 65,
    spacecraft: Literal["A", "B", "C"] = "A",
    baseline: str = "05.11",
    levels: Sequence[Level] = ("L1C", "L2A"),
    view: tuple[float, float] = (6.0, 105.0),
    cover: float = 0.2,
    scene: Ground | None = None,
    sky: Sky | Literal["drawn"] | None = "drawn",
    noise: bool = True,
    swath: float = 1.0,
    thickness: bool = False,
    archive: bool = False,
    block: int = 64,
    threads: int | None = None,
) -> Sentinel2Scene:
    """Write one scene into `folder` (made where missing) and return its paths.

    `rows`, `columns` count 10 m pixels and are multiples of 6; `west`, `north` are the outer edges
    of the upper left one in metres, moved outwards to the 60 m lattice. `epsg` is 32601 to 32660,
    or 32701 to 32760 with southern northings; the ground at a southern northing is that of
    `write_landsat` at the same northing less 10 000 km. Angles are degrees, azimuth clockwise from
    north; `view` is zenith and azimuth of the line of sight; the time in the metadata is when the
    sun stands there on that day. `baseline` is `02.xx` to `05.xx`: offsets of -1000 since 04.00.
    `swath` is the share of the tile's middle line, from the west, that is seen; the rest is fill.
    `archive` packs each product into a `.zip`. `block` (60 m pixels) and `threads` change no
    pixel. All else is as in `write_landsat`.

    Products appear whole or not at all. An existing product of the same name is an `OutputError`.
    """
    grid, south = _grid(west, north, rows, columns, epsg)
    _check(sun_elevation, swath, levels, block)
    sun = sun_elevation, sun_azimuth
    world = World.made(seed, grid.bounds, sun, cover, scene, sky)
    look = Look(SENTINEL2, *view)
    eye = Eye(world, look, seed if noise else None)
    written = replace(grid, epsg=epsg, north=grid.north + south)
    longitude, latitude = files.middle(written)
    facts = safe.Facts(
        grid=written,
        look=look,
        letter=spacecraft,
        tile=_tile(longitude, latitude),
        orbit=orbit,
        baseline=_baseline(baseline),
        sensed=passed(files.day(date), longitude, latitude, sun_azimuth),
        sun_zenith=90 - sun_elevation,
        sun_azimuth=sun_azimuth,
    )
    job = _Job(Path(folder), MsiView(grid, eye, swath), facts, tuple(levels), thickness)
    return job.write(block, threads, archive)


@dataclass(frozen=True)
class _Job:
    """One scene to be written."""

    folder: Path
    view: MsiView
    facts: safe.Facts
    levels: tuple[Level, ...]
    thickness: bool

    def write(self, block: int, threads: int | None, archive: bool) -> Sentinel2Scene:
        """Draft, then rename: truth first, then the products."""
        ending = ".SAFE.zip" if archive else ".SAFE"
        names = {level: f"{self.facts.product(level)}{ending}" for level in self.levels}
        for name in names.values():
            if (self.folder / name).exists():
                remedy = "remove it, or choose another folder, date, orbit or baseline"
                found = "a product of this name"
                raise OutputError(complain(self.folder / name, found, "none", remedy))
        stem = self.facts.product("L1C")
        with files.draft(self.folder) as draft:
            counts = self._rasters(draft, block, threads)
            self._compress(draft, threads)
            for level in self.levels:
                self._metadata(draft / level, level, self.facts.stated(counts))
                if archive:
                    files.pack_zip(draft / level, f"{self.facts.product(level)}.SAFE")
            truth = self.folder / f"{stem}_truth.tif"
            os.replace(draft / "truth.tif", truth)
            thick = self.folder / f"{stem}_thickness.tif" if self.thickness else None
            if thick is not None:
                os.replace(draft / "thickness.tif", thick)
            for level, name in names.items():
                os.replace(draft / (f"{level}.zip" if archive else level), self.folder / name)
        paths = {level: self.folder / name for level, name in names.items()}
        return Sentinel2Scene(paths.get("L1C"), paths.get("L2A"), truth, thick)

    def _bands(self, level: str) -> tuple[str, ...]:
        return (*BANDS[level], *(("SCL", *safe.QUALITY) if level == "L2A" else ()))

    def _rasters(self, draft: Path, block: int, threads: int | None) -> Counter[str]:
        """All bands as plain GeoTIFFs and the truth, block by block; counts of the truth."""
        counts: Counter[str] = Counter()
        with ExitStack() as stack:
            opened = {}
            for level in self.levels:
                for band in self._bands(level):
                    path = draft / level / f"{self.facts.image(level, band)}.tif"
                    path.parent.mkdir(parents=True, exist_ok=True)
                    kind = "uint16" if band in BANDS[level] else "uint8"
                    plain = files.plain(path, self.facts.grid, _metres(band), kind)
                    opened[level, band] = stack.enter_context(plain)
            truth = stack.enter_context(
                files.beside(draft / "truth.tif", self.facts.grid, 10, "uint8")
            )
            depth = None
            if self.thickness:
                path = draft / "thickness.tif"
                depth = stack.enter_context(files.beside(path, self.facts.grid, 10, "float32"))
            for window, (layers, seen) in in_order(self.view.grid, block, threads, self._render):
                for key, values in layers.items():
                    files.put(opened[key], values, window, BASE // _metres(key[1]))
                files.put(truth, seen.labels, window, 6)
                if depth is not None:
                    files.put(depth, seen.light.thickness, window, 6)
                counts.update(_counted(seen.labels))
        return counts

    def _render(self, window: Window) -> tuple[Layers, MsiSeen]:
        """File contents of one window."""
        seen = self.view.seen(window, SENSOR.roles)
        fill = seen.labels == FILL
        layers: Layers = {}
        for level in self.levels:
            for name in BANDS[level]:
                role = next(band.role for band in SENSOR.bands if band.name == name)
                value = seen.tops[role]
                if level == "L2A":
                    value = self.view.eye.surface(role, value)
                size = _metres(name) // 10
                layers[level, name] = counts(value, self.facts.offset, fill[::size, ::size])
        if "L2A" in self.levels:
            classes = layers["L2A", "SCL"] = scene_classes(seen)
            for name, codes in safe.QUALITY.items():
                layers["L2A", name] = np.isin(classes, codes).astype(np.uint8) * np.uint8(100)
        return layers, seen

    def _compress(self, draft: Path, threads: int | None) -> None:
        """Every plain GeoTIFF of the products to JPEG 2000."""
        plain = [path for level in self.levels for path in sorted((draft / level).rglob("*.tif"))]
        with ThreadPoolExecutor(threads or min(4, os.cpu_count() or 1)) as pool:
            for _ in pool.map(files.to_jpeg2000, plain):
                pass

    def _metadata(self, product: Path, level: Level, facts: safe.Facts) -> None:
        """The two XML files and the manifest."""
        texts = {
            f"MTD_MSI{level}.xml": safe.product_xml(facts, level, self._bands(level)),
            f"GRANULE/{facts.granule(level)}/MTD_TL.xml": safe_tile.tile_xml(facts, level),
        }
        for name, text in texts.items():
            (product / name).write_text(text, encoding="utf-8")
        there = (path for path in product.rglob("*") if path.is_file())
        sizes = {path.relative_to(product).as_posix(): path.stat().st_size for path in there}
        (product / "manifest.safe").write_text(safe.manifest(sizes), encoding="utf-8")


def _metres(band: str) -> int:
    return next((b.metres for b in SENSOR.bands if b.name == band), 20)


def _counted(labels: NDArray[np.uint8]) -> Mapping[str, int]:
    kinds = {"cloud": CLOUD, "snow": SNOW, "shadow": SHADOW, "fill": FILL}
    return {"all": labels.size} | {n: int((labels == code).sum()) for n, code in kinds.items()}


def _grid(west: float, north: float, rows: int, columns: int, epsg: int) -> tuple[Grid, int]:
    """The grid nearest to what was asked for, on northern northings, and what the file adds."""
    if not (32601 <= epsg <= 32660 or 32701 <= epsg <= 32760):
        expected = "32601 to 32660 or 32701 to 32760"
        raise GridError(complain("epsg", str(epsg), expected, "choose one of these"))
    if min(rows, columns) < 6 or rows % 6 or columns % 6:
        found, expected = f"{rows} x {columns} pixels", "multiples of 6 (60 m)"
        raise GridError(complain("scene", found, expected, "change its size"))
    south = _SOUTH if epsg > 32700 else 0
    left, top = float(BASE * floor(west / BASE)), float(BASE * ceil((north - south) / BASE))
    code = epsg - 100 if south else epsg
    return Grid(left, top, rows // 6, columns // 6, code, BASE), south


def _tile(longitude: float, latitude: float) -> str:
    """The 100 km square that holds a place, e.g. `32UPV`."""
    from mgrs import MGRS

    name: str = MGRS().toMGRS(latitude, longitude, MGRSPrecision=0)
    return name.zfill(5)


def _baseline(text: str) -> tuple[int, int]:
    if not re.fullmatch(r"0[2-5]\.\d\d", text):
        raise SettingsError(complain("baseline", repr(text), "02.00 to 05.99", "correct it"))
    return int(text[:2]), int(text[3:])


def _check(sun_elevation: float, swath: float, levels: Sequence[str], block: int) -> None:
    if not 2 <= sun_elevation <= 90:
        found = f"{sun_elevation} degrees"
        raise SettingsError(complain("sun_elevation", found, "2 to 90", "raise the sun"))
    if not 0 < swath <= 1:
        raise SettingsError(complain("swath", str(swath), "above 0, at most 1", "correct it"))
    if not levels or set(levels) - set(BANDS):
        found = ", ".join(levels) or "none"
        raise SettingsError(complain("levels", found, "L1C, L2A or both", "correct them"))
    if block < 1:
        raise SettingsError(complain("block", str(block), "1 or more", "leave it out"))
