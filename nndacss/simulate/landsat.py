"""Write a simulated Landsat scene as two Collection-2 product folders, L1TP and L2SP.

The grid is Landsat's: 30 m pixel edges at 30k + 15 metres, the 15 m band sharing the centre of
the upper left pixel. Southern scenes keep the northern UTM zone with negative northings. Blocks
are computed by a few threads and written in order, so memory does not grow with the scene and the
same arguments give the same bytes.
"""

from __future__ import annotations

import math
import os
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, Literal

from nndacss.errors import GridError, OutputError, SettingsError, complain
from nndacss.simulate import files, mtl
from nndacss.simulate.blocks import in_order
from nndacss.simulate.landscape import Ground
from nndacss.simulate.optics import LANDSAT, Look
from nndacss.simulate.quality import Truth
from nndacss.simulate.radiometry import thermal
from nndacss.simulate.sampling import Grid
from nndacss.simulate.seeing import Eye, World
from nndacss.simulate.sky import Sky
from nndacss.simulate.sun import passed
from nndacss.simulate.view import Layers, View

L1_LAYERS = (*(f"B{n}" for n in range(1, 12)), "QA_PIXEL", "QA_RADSAT", "SAA", "SZA")
L2_LAYERS = (*(f"SR_B{n}" for n in range(1, 8)), "ST_B10", "QA_PIXEL", "QA_RADSAT", "SR_QA_AEROSOL")

#: Degrees by which the swath is turned in its frame. Real ones near 50 degrees north are turned
#: by about 12; less keeps more of a small scene.
TILT = 5.0


@dataclass(frozen=True)
class LandsatPair:
    """What was written."""

    l1: Path
    """The L1TP product, a folder or a `.tar`."""
    l2: Path
    """The L2SP product of the same acquisition, likewise."""
    truth: Path
    """uint8 GeoTIFF at 30 m: 0 clear, 1 shadow, 2 snow, 3 cloud, 255 fill."""
    thickness: Path | None = None
    """float32 GeoTIFF at 30 m: cloud optical thickness at 0.55 um; None where not asked for."""


@dataclass
class _Tally:
    """What the metadata needs to know of all pixels."""

    valid: int = 0
    land: int = 0
    cloud: int = 0
    cloud_on_land: int = 0
    saturated: set[int] = field(default_factory=set)

    def add(self, known: Truth, first: Layers) -> None:
        """One more block."""
        land = ~known.fill & ~known.water
        self.valid += int((~known.fill).sum())
        self.land += int(land.sum())
        self.cloud += int((known.cloud & ~known.fill).sum())
        self.cloud_on_land += int((known.cloud & land).sum())
        self.saturated |= {n for n in range(1, 10) if (first[f"B{n}"] == 65535).any()}

    def stated(self, facts: mtl.Facts) -> mtl.Facts:
        """The facts with what was found."""
        return replace(
            facts,
            cloud_cover=100 * self.cloud / max(self.valid, 1),
            cloud_cover_land=100 * self.cloud_on_land / max(self.land, 1),
            saturated=frozenset(self.saturated),
        )


def write_landsat(
    folder: str | os.PathLike[str],
    *,
    seed: int = 0,
    rows: int = 340,
    columns: int = 340,
    west: float = 613_215.0,
    north: float = 5_487_405.0,
    epsg: int = 32632,
    projection: Literal["utm", "ps"] = "utm",
    sun_elevation: float = 45.0,
    sun_azimuth: float = 150.0,
    date: date | str = "2026-04-15",
    path_row: tuple[int, int] = (195, 25),
    spacecraft: int = 8,
    view: tuple[float, float] = (0.0, 100.0),
    cover: float = 0.2,
    scene: Ground | None = None,
    sky: Sky | Literal["drawn"] | None = "drawn",
    noise: bool = True,
    swath: bool | float = True,
    thickness: bool = False,
    archive: bool = False,
    block: int = 256,
    threads: int | None = None,
) -> LandsatPair:
    """Write one scene into `folder` (made where missing) and return its paths.

    `rows`, `columns` count 30 m pixels; `west`, `north` are the outer edges of the upper left
    one in metres, moved to the nearest of Landsat's edges (30k + 15). `epsg` is 32601 to 32660,
    or 3031, which `projection="ps"` is short for. Angles are degrees, azimuth clockwise from
    north, one sun for the whole scene; the time of day in the metadata is when the sun stands
    there on that day. `cover` is the share of clouds of a drawn sky; a `sky` that has its layers
    (`Sky.over`) is taken as it is, so that two sensors can be given one.

    `scene` is the ground, a `Landscape(seed)` where None; `sky=None` leaves out air, haze and
    clouds, `noise=False` the sensor's noise; without both, values are exact but for counting in
    whole numbers. `swath` is whether the corners are fill as in real scenes, or by how many
    degrees the swath is turned. `view` is zenith and azimuth of the line of sight, degrees.
    `thickness` also writes the clouds' optical thickness. `archive` packs each product into a
    `.tar` without folder, as the agency does. `block` (30 m pixels) and `threads` change no pixel.

    Products appear whole or not at all. An existing product of the same name is an
    `OutputError`, never reused: names do not say what is inside.
    """
    acquired = files.day(date)
    code = 3031 if projection == "ps" else epsg
    grid = _grid(west, north, rows, columns, code)
    _check(sun_elevation, path_row, spacecraft, block)
    sun = sun_elevation, sun_azimuth
    world = World.made(seed, grid.bounds, sun, cover, scene, sky)
    eye = Eye(world, Look(LANDSAT, *view), seed if noise else None)
    looked = View(grid, eye, spacecraft, TILT if swath is True else (swath or None))
    clock = f"{passed(acquired, *files.middle(grid), sun_azimuth):%H:%M:%S}"
    facts = mtl.Facts(grid, spacecraft, path_row, acquired, sun_elevation, sun_azimuth, clock)
    return _write(Path(folder), looked, facts, block, threads, archive, thickness)


def _write(
    folder: Path,
    view: View,
    facts: mtl.Facts,
    block: int,
    threads: int | None,
    archive: bool,
    thickness: bool,
) -> LandsatPair:
    """Draft, then rename: truth first, then Level 1, then Level 2."""
    names = {level: facts.product_id(level) for level in ("L1TP", "L2SP")}
    ending = ".tar" if archive else ""
    pair = LandsatPair(
        l1=folder / f"{names['L1TP']}{ending}",
        l2=folder / f"{names['L2SP']}{ending}",
        truth=folder / f"{names['L1TP']}_truth.tif",
        thickness=folder / f"{names['L1TP']}_thickness.tif" if thickness else None,
    )
    for path in (pair.l1, pair.l2):
        if path.exists():
            remedy = "remove it, or choose another folder, date or path and row"
            raise OutputError(complain(path, "a product of this name", "none", remedy))
    with files.draft(folder) as draft:
        tally = _rasters(draft, names, view, block, threads, thickness)
        final = tally.stated(facts)
        for level, layers in (("L1TP", L1_LAYERS), ("L2SP", L2_LAYERS)):
            files.metadata(draft / names[level], names[level], mtl.groups(final, level, layers))
            if archive:
                files.pack(draft / names[level], draft / f"{names[level]}.tar")
        os.replace(draft / "truth.tif", pair.truth)
        if pair.thickness is not None:
            os.replace(draft / "thickness.tif", pair.thickness)
        for path in (pair.l1, pair.l2):
            os.replace(draft / path.name, path)
    return pair


def _rasters(
    draft: Path,
    names: dict[str, str],
    view: View,
    block: int,
    threads: int | None,
    thickness: bool,
) -> _Tally:
    """All bands of both products and the truth, block by block."""
    tally = _Tally()
    with ExitStack() as stack:
        bands: list[dict[str, Any]] = []
        for level, layers in (("L1TP", L1_LAYERS), ("L2SP", L2_LAYERS)):
            (draft / names[level]).mkdir()
            stem = draft / names[level] / names[level]
            bands.append(
                {
                    n: stack.enter_context(files.raster(f"{stem}_{n}.TIF", n, view.grid))
                    for n in layers
                }
            )
        truth = stack.enter_context(files.raster(f"{draft / 'truth.tif'}", "truth", view.grid))
        depth = None
        if thickness:
            path = f"{draft / 'thickness.tif'}"
            depth = stack.enter_context(files.raster(path, "thickness", view.grid))
        for window, (first, second, known, thick) in in_order(
            view.grid, block, threads, view.render
        ):
            tally.add(known, first)
            for opened, seen in zip(bands, (first, second), strict=True):
                for name, values in seen.items():
                    files.put(opened[name], values, window, 2 if name == "B8" else 1)
            files.put(truth, known.labels(), window, 1)
            if depth is not None:
                files.put(depth, thick, window, 1)
    return tally


def _grid(west: float, north: float, rows: int, columns: int, epsg: int) -> Grid:
    """Landsat's grid nearest to what was asked for."""
    if epsg != 3031 and not 32601 <= epsg <= 32660:
        expected = "32601 to 32660 (southern scenes too, with negative northing) or 3031"
        raise GridError(complain("epsg", str(epsg), expected, "choose one of these"))
    if min(rows, columns) < 2:
        raise GridError(
            complain("scene", f"{rows} x {columns} pixels", "2 x 2 or more", "enlarge it")
        )
    left, top = (30.0 * math.floor(edge / 30) + 15.0 for edge in (west, north))
    return Grid(left, top, rows, columns, epsg)


def _check(sun_elevation: float, path_row: tuple[int, int], spacecraft: int, block: int) -> None:
    if not 2 <= sun_elevation <= 90:
        found = f"{sun_elevation} degrees"
        raise SettingsError(complain("sun_elevation", found, "2 to 90", "raise the sun"))
    if not (1 <= path_row[0] <= 251 and 1 <= path_row[1] <= 248):
        expected = "path 1 to 251 and row 1 to 248"
        raise SettingsError(complain("path_row", str(path_row), expected, "correct it"))
    if block < 1:
        raise SettingsError(complain("block", str(block), "1 or more", "leave it out"))
    thermal(spacecraft)
