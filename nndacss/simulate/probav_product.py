"""Write a simulated Proba-V scene as a Level-2A HDF5 file, with the truth beside it.

Layout as in the PROBA-V Products User Manual: reflectance at the top of the atmosphere under
`LEVEL2A/RADIOMETRY/<band>/TOA` (int16, reflectance = (count - OFFSET) / SCALE, -1 missing), the
status map `LEVEL2A/QUALITY/SM` and the sun's angles. The status map says what the agency would have
written had it known the truth: bits 0 to 2 clear (0), shadow (1), cloud (3) or ice (4), bit 3
land, bits 4 to 7 good radiometry and bits 8 to 11 coverage of SWIR, NIR, RED, BLUE.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

import h5py
import numpy as np
from numpy.typing import NDArray

from nndacss.errors import GridError, OutputError, complain
from nndacss.identity import drafted
from nndacss.simulate import files
from nndacss.simulate.blocks import in_order
from nndacss.simulate.landscape import Ground
from nndacss.simulate.optics import Look
from nndacss.simulate.probav import ProbavSeen, ProbavView
from nndacss.simulate.probav_grid import PlateCarree, lattice_around
from nndacss.simulate.probav_optics import BANDS, PROBAV, Radiometry
from nndacss.simulate.sampling import Grid, Window
from nndacss.simulate.seeing import Eye, World
from nndacss.simulate.sky import Sky
from nndacss.simulate.sun import passed

Product = Literal["100M", "333M", "1KM"]

#: Counts per unit of reflectance, and the count of a missing pixel.
SCALE, NODATA = 2000, -1
#: Code of the status map, by label of the truth: clear, shadow, snow, cloud.
STATUS = (0b000, 0b001, 0b100, 0b011)
#: Status of a pixel that nobody saw: undefined, nothing good, nothing covered.
UNSEEN = 0b010
#: Bit of a band's radiometric quality and of its coverage.
QUALITY: Mapping[str, int] = {"SWIR": 4, "NIR": 5, "RED": 6, "BLUE": 7}
COVERAGE: Mapping[str, int] = {name: bit + 4 for name, bit in QUALITY.items()}
_LAND = 3
#: Degrees by which the swath's eastern edge is turned in the file.
_TURN = 13.0
#: Pixels by which SWIR, which other detectors see, ends before the other bands.
_SWIR_SHORT = 4
_FILL = 255


@dataclass(frozen=True)
class ProbavProduct:
    """What was written."""

    path: Path
    """The HDF5 file."""
    truth: Path
    """uint8 GeoTIFF on its pixels: 0 clear, 1 shadow, 2 snow, 3 cloud, 255 not seen."""


def write_probav(
    folder: str | os.PathLike[str],
    *,
    seed: int = 0,
    product: Product = "333M",
    bounds: tuple[float, float, float, float] = (613_215.0, 5_457_405.0, 643_215.0, 5_487_405.0),
    epsg: int = 32632,
    sun_elevation: float = 45.0,
    sun_azimuth: float = 150.0,
    date: date | str = "2026-04-15",
    view: tuple[float, float] = (12.0, 100.0),
    cover: float = 0.2,
    scene: Ground | None = None,
    sky: Sky | Literal["drawn"] | None = "drawn",
    noise: bool = True,
    radiometry: Radiometry | None = None,
    swath: float = 1.0,
    camera: int = 2,
    block: int = 0,
    threads: int | None = None,
) -> ProbavProduct:
    """Write one scene into `folder` (made where missing) and return its paths.

    The file holds the whole pixels inside `bounds` (west, south, east, north, metres in the UTM
    zone `epsg`; a southern place in its northern zone with negative northing, as Landsat's).
    `seed`, `sun_...`, `cover`, `scene`, `sky`, `noise` and `view` are as for `write_landsat`: with
    the same seed and sky both see one place at one moment. `radiometry` is the camera's
    calibration; default: see `Radiometry`. `swath` is the share of the middle line, from the west,
    that was seen; SWIR ends a little before the other bands. `camera` is for the name: 1 left,
    2 centre, 3 right. `block` (pixels; 0: about 20 km) and `threads` change no pixel.

    The product appears whole or not at all; an existing one is an `OutputError`.
    """
    acquired = files.day(date)
    if not 32601 <= epsg <= 32660:
        expected = "32601 to 32660 (southern scenes too, with negative northing)"
        raise GridError(complain("epsg", str(epsg), expected, "choose one of these"))
    grid = PlateCarree.inside(bounds, epsg, product)
    if min(grid.rows, grid.columns) < 2:
        found = f"{grid.rows} x {grid.columns} whole pixels of {product}"
        raise GridError(complain("bounds", found, "2 x 2 or more", "enlarge them"))
    lattice = lattice_around(grid, epsg)
    world = World.made(seed, bounds, (sun_elevation, sun_azimuth), cover, scene, sky)
    eye = Eye(world, Look(PROBAV, *view), seed if noise else None)
    looked = ProbavView(grid, eye, lattice, radiometry or Radiometry())
    facts = _Facts.of(looked, acquired, camera)
    path = Path(folder) / f"{facts.name}.HDF5"
    if path.exists():
        remedy = "remove it, or choose another folder or date"
        raise OutputError(complain(path, "a product of this name", "none", remedy))
    layers = _rendered(looked, swath, block or max(1, 189 // grid.fine), threads)
    truth = path.with_name(f"{facts.name}_truth.tif")
    _write_truth(truth, grid, layers.pop("truth")[0])
    _write(path, facts, layers)
    return ProbavProduct(path, truth)


@dataclass(frozen=True)
class _Facts:
    """What the metadata say."""

    grid: PlateCarree
    acquired: date
    clock: str
    """Hour, minute and second, UTC."""
    camera: int
    sun: tuple[float, float]
    """Elevation and azimuth, degrees."""

    @classmethod
    def of(cls, view: ProbavView, acquired: date, camera: int) -> _Facts:
        world = view.eye.world
        place = files.middle(view.lattice)
        clock = f"{passed(acquired, *place, world.sun_azimuth):%H:%M:%S}"
        sun = world.sun_elevation, world.sun_azimuth
        return cls(view.grid, acquired, clock, camera, sun)

    @property
    def name(self) -> str:
        """The agency's: level, day, time, camera, pixel, version."""
        clock = self.clock.replace(":", "")
        day = f"{self.acquired:%Y%m%d}"
        return f"PROBAV_L2A_{day}_{clock}_{self.camera}_{self.grid.product}_V101"

    @property
    def mapping(self) -> NDArray[np.bytes_]:
        """Attribute of every layer: where its pixels lie, by the centre of the first one."""
        step = repr(self.grid.step)
        return np.array(
            [
                "Geographic Lat/Lon",
                *("0.5", "0.5"),
                repr(self.grid.west + self.grid.step / 2),
                repr(self.grid.north - self.grid.step / 2),
                *(step, step),
                *("WGS84", "Degrees"),
            ],
            dtype="S",
        )

    def root(self) -> dict[str, Any]:
        """Attributes of the file."""
        from pyproj import CRS

        return {
            "PRODUCT_ID": self.name,
            "PLATFORM": "PROBA-1",
            "INSTRUMENT": "VEGETATION",
            "PROCESSING_LEVEL": "L2A",
            "CAMERA": self.camera,
            "ORIGIN": "Simulated by NNDACSS, not an observation",
            "OBSERVATION_START_DATE": np.array([str(self.acquired)], dtype="S"),
            "OBSERVATION_START_TIME": np.array([self.clock], dtype="S"),
            "OBSERVATION_END_DATE": np.array([str(self.acquired)], dtype="S"),
            "OBSERVATION_END_TIME": np.array([self.clock], dtype="S"),
            "MAP_PROJECTION_WKT": np.array([CRS.from_epsg(4326).to_wkt("WKT1_GDAL")], dtype="S"),
        }


def _rendered(
    view: ProbavView, swath: float, block: int, threads: int | None
) -> dict[str, NDArray[Any]]:
    """All layers of the file by name, (bands, rows, columns), and the truth."""
    grid = view.grid
    shape = grid.rows, grid.columns
    layers: dict[str, NDArray[Any]] = {
        "TOA": np.empty((len(BANDS), *shape), dtype=np.int16),
        "SM": np.empty((1, *shape), dtype=np.uint16),
        "truth": np.empty((1, *shape), dtype=np.uint8),
    }

    def render(window: Window) -> tuple[ProbavSeen, dict[str, NDArray[np.bool_]]]:
        return view.seen(window), _covered(grid, window, swath)

    # only its size counts here
    size = Grid(0.0, 0.0, *shape, view.lattice.epsg)
    for window, (seen, covered) in in_order(size, block, threads, render):
        at = slice(window.top, window.bottom), slice(window.left, window.right)
        layers["TOA"][:, *at] = _counts(seen, covered)
        layers["SM"][0][at] = status(seen, covered)
        layers["truth"][0][at] = np.where(covered["RED"], seen.labels(), _FILL)
    return layers


def _covered(grid: PlateCarree, window: Window, swath: float) -> dict[str, NDArray[np.bool_]]:
    """Band -> (rows, columns): inside its swath."""
    rows = np.arange(window.top, window.bottom)[:, None]
    columns = np.arange(window.left, window.right)[None, :]
    if swath >= 1:
        whole = np.ones((rows.size, columns.size), dtype=np.bool_)
        return dict.fromkeys(BANDS, whole)
    edge = swath * grid.columns - np.tan(np.radians(_TURN)) * (rows + 0.5 - grid.rows / 2)
    ends = {name: edge - (_SWIR_SHORT if name == "SWIR" else 0) for name in BANDS}
    return {name: columns + 0.5 < end for name, end in ends.items()}


def _counts(seen: ProbavSeen, covered: Mapping[str, NDArray[np.bool_]]) -> NDArray[np.int16]:
    """(4, rows, columns): the nearest counts, from 0 on; -1 outside the swath."""
    counts = np.clip(np.rint(seen.pixels.astype(np.float64) * SCALE), 0, 32767)
    there = np.stack([covered[name] for name in BANDS])
    return np.where(there, counts, NODATA).astype(np.int16)


def status(seen: ProbavSeen, covered: Mapping[str, NDArray[np.bool_]]) -> NDArray[np.uint16]:
    """The status map (rows, columns), see the module."""
    bits = np.array(STATUS, dtype=np.uint16)[seen.labels()]
    bits = np.where(covered["RED"], bits, np.uint16(UNSEEN))
    bits |= (seen.water < 0.5).astype(np.uint16) << np.uint16(_LAND)
    for number, name in enumerate(BANDS):
        good = covered[name] & ~seen.saturated[number]
        bits |= good.astype(np.uint16) << np.uint16(QUALITY[name])
        bits |= covered[name].astype(np.uint16) << np.uint16(COVERAGE[name])
    return bits.astype(np.uint16)


def _write(path: Path, facts: _Facts, layers: Mapping[str, NDArray[Any]]) -> None:
    shape = layers["SM"].shape[1:]
    elevation, azimuth = facts.sun
    angles = {"SZA": (90 - elevation) * 2, "SAA": azimuth / 1.5}
    with drafted(path) as draft, h5py.File(draft, "w") as file:
        file.attrs.update(facts.root())
        for number, name in enumerate(BANDS):
            attributes = {"SCALE": float(SCALE), "OFFSET": 0.0, "NO_DATA": float(NODATA)}
            group = f"LEVEL2A/RADIOMETRY/{name}/TOA"
            _layer(file, group, layers["TOA"][number], facts, attributes)
        _layer(file, "LEVEL2A/QUALITY/SM", layers["SM"][0], facts, {"SCALE": 1.0, "OFFSET": 0.0})
        for name, value in angles.items():
            filled = np.full(shape, round(value), dtype=np.uint8)
            scale = {"SZA": 2.0, "SAA": 1 / 1.5}[name]
            attributes = {"SCALE": scale, "OFFSET": 0.0, "NO_DATA": 255.0}
            _layer(file, f"LEVEL2A/GEOMETRY/{name}", filled, facts, attributes)


def _layer(
    file: h5py.File, name: str, values: NDArray[Any], facts: _Facts, attributes: dict[str, float]
) -> None:
    chunks = tuple(min(256, size) for size in values.shape)
    layer = file.create_dataset(name, data=values, chunks=chunks, compression="gzip")
    layer.attrs.update({**attributes, "MAPPING": facts.mapping})


def _write_truth(path: Path, grid: PlateCarree, labels: NDArray[np.uint8]) -> None:
    import rasterio
    from rasterio import Affine

    place = Affine(grid.step, 0, grid.west, 0, -grid.step, grid.north)
    options: dict[str, Any] = {"crs": "EPSG:4326", "transform": place, "nodata": _FILL}
    size = {"height": grid.rows, "width": grid.columns, "count": 1, "dtype": "uint8"}
    with (
        drafted(path) as draft,
        rasterio.open(draft, "w", driver="GTiff", compress="deflate", **size, **options) as file,
    ):
        file.write(labels, 1)
