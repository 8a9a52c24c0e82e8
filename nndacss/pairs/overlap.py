"""Where a Landsat and a Sentinel-2 product of one day see the same ground."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from nndacss.errors import DatasetError, complain
from nndacss.harmonize.bandpass import COEFFICIENTS, adjust
from nndacss.metrics.image import compare
from nndacss.pairs.shift import shift_between
from nndacss.pairs.source import INPUTS, ROLES
from nndacss.raster import Pixels
from nndacss.readers import Scene
from nndacss.sensors import landsat8_oli, sentinel2_msi
from nndacss.tile.warp import source_window

#: The shift is the median over at most this many clear windows, evenly spread.
MEASURED = 100
#: Agreement of phases from which on a window tells its own shift.
AGREEMENT = 0.5
#: Bands that Sentinel-2 sees at 10 m; the others at 20 m.
_TEN = 3


@dataclass(frozen=True)
class Place:
    """One window of Sentinel-2's 10 m grid."""

    row: int
    column: int
    grid: GeoBox


@dataclass(frozen=True)
class Seen:
    """One window through both sensors."""

    inputs: Pixels
    """(7, side, side); pan missing where there is none."""
    target: Pixels
    """(6, side, side), missing where either is masked."""
    ssim: float
    psnr: float
    shift: tuple[float, float]
    """Metres east and south, as `Overlap.measured`, before any was taken out; NaN where the window
    does not tell (flat ground, masked parts)."""


@dataclass(frozen=True)
class Overlap:
    """The two products; DatasetError where they make no pairs."""

    landsat: Scene
    sentinel2: Scene

    def __post_init__(self) -> None:
        for scene, sensor in (
            (self.landsat, landsat8_oli.SENSOR),
            (self.sentinel2, sentinel2_msi.SENSOR),
        ):
            name = scene.identity.name
            if scene.sensor.name != sensor.name:
                found, remedy = f"a product of {scene.sensor.name}", "correct the path"
                raise DatasetError(complain(name, found, sensor.name, remedy))
            if scene.level != "SR":
                found, remedy = f"level {scene.level}", "take the Level-2 product"
                raise DatasetError(complain(name, found, "surface reflectance", remedy))
            missing = [role for role in ROLES if role not in scene.roles]
            if missing:
                found, expected = f"no {', '.join(missing)}", f"bands {', '.join(ROLES)}"
                raise DatasetError(complain(name, found, expected, "get the whole product"))
        self._of_one_day_and_place()

    def _of_one_day_and_place(self) -> None:
        first, second = self.landsat.identity, self.sentinel2.identity
        if first.acquired.date() != second.acquired.date():
            found = f"{first.acquired.date()}, and {second.acquired.date()} of {second.name}"
            remedy = "choose two of one day"
            raise DatasetError(complain(first.name, found, "the same day", remedy))
        if any(part.start >= part.stop for part in self._slices):
            found = f"no ground that {second.name} sees, too"
            raise DatasetError(complain(first.name, found, "an overlap", "check the paths"))

    @cached_property
    def _slices(self) -> tuple[slice, slice]:
        """Rows and columns of Sentinel-2's 10 m grid that Landsat's frame covers."""
        return source_window(self.sentinel2.grid("blue"), self.landsat.grid("blue"), 0)

    def windows(self, side: int) -> Iterator[Place]:
        """Windows side by side on multiples of `side`, whole inside the overlap."""
        grid = self.sentinel2.grid("blue")
        rows, columns = (
            range(-(-part.start // side) * side, part.stop - side + 1, side)
            for part in self._slices
        )
        for row in rows:
            for column in columns:
                yield Place(row, column, grid[row : row + side, column : column + side])

    def unclear(self, grid: GeoBox) -> NDArray[np.bool_]:
        """(rows, columns): what an agency calls cloud, its margin, cirrus, shadow or missing."""
        result = np.zeros(grid.shape, dtype=np.bool_)
        for scene in (self.landsat, self.sentinel2):
            flags = scene.quality_flags(grid)
            if flags is None:
                remedy = "get the whole product"
                raise DatasetError(
                    complain(scene.identity.name, "no quality band", scene.quality_name, remedy)
                )
            result |= flags.fill | flags.cloud | flags.dilated | flags.cirrus | flags.shadow
        return result

    def shift(self, windows: Sequence[Place]) -> tuple[float, float]:
        """Median of `measured` over that half of some windows whose phases agree best.

        Metres east and south; 0 where there is no window.
        """
        count = min(len(windows), MEASURED)
        if not count:
            return 0.0, 0.0
        chosen = [windows[n * len(windows) // count] for n in range(count)]
        found = np.array([self.measured(place.grid) for place in chosen])
        best = found[found[:, 2] >= np.median(found[:, 2])]
        return float(np.median(best[:, 0])), float(np.median(best[:, 1]))

    def measured(self, grid: GeoBox) -> tuple[float, float, float]:
        """Metres east and south by which Landsat's content lies off Sentinel-2's; agreement."""
        landsat, sentinel2, metres = self._coarse(grid, (0.0, 0.0))
        across, down, agreement = shift_between(landsat, sentinel2)
        return across * metres, down * metres, agreement

    def seen(self, place: Place, shift: tuple[float, float]) -> Seen:
        """A window, with a shift taken out."""
        grid, (east, south) = place.grid, shift
        there = _moved(grid, east, south)
        inputs = np.full((len(INPUTS), *grid.shape), np.nan, dtype=np.float32)
        inputs[:-1] = self.landsat.read(ROLES, there).pixels
        if "pan" in self.landsat.roles:
            inputs[-1:] = self.landsat.read(("pan",), there).pixels
        half = GeoBox(
            (grid.shape[0] // 2, grid.shape[1] // 2), grid.affine @ Affine.scale(2), grid.crs
        )
        twenty = self.sentinel2.read(ROLES[_TEN:], half).pixels
        target = np.concatenate(
            [
                self.sentinel2.read(ROLES[:_TEN], grid).pixels,
                twenty.repeat(2, axis=1).repeat(2, axis=2),
            ]
        )
        target[:, self.unclear(grid)] = np.nan
        across, down, agreement = self.measured(grid)
        landsat, sentinel2, _ = self._coarse(grid, shift)
        sums = compare(landsat, sentinel2)
        error = sums.squares.sum() / max(sums.pixels.sum(), 1.0)
        return Seen(
            inputs=inputs,
            target=target,
            ssim=float(np.mean(sums.ssim())),
            psnr=float(-10 * np.log10(max(error, 1e-12))),
            shift=(across, down) if agreement >= AGREEMENT else (np.nan, np.nan),
        )

    def _coarse(self, grid: GeoBox, shift: tuple[float, float]) -> tuple[Pixels, Pixels, float]:
        """Both over a window on Landsat's own pixels, and their size in metres.

        Landsat is adjusted to Sentinel-2's responses and not resampled; Sentinel-2 is averaged
        where Landsat looked, given a shift. Masked pixels are missing.
        """
        own = self.landsat.grid("blue")
        pixels = own[source_window(own, grid, 0)]
        east, south = shift
        landsat = adjust(self.landsat.read(ROLES, pixels).pixels, ROLES, self._target)
        sentinel2 = self.sentinel2.read(ROLES, _moved(pixels, -east, -south), "average").pixels
        landsat[:, self.unclear(pixels)] = np.nan
        return landsat, sentinel2, float(own.affine.a)

    @property
    def _target(self) -> str:
        """Whose responses; those of 2A where a platform has none of its own."""
        platform = self.sentinel2.platform
        return platform if platform in COEFFICIENTS else "sentinel-2a"


def _moved(grid: GeoBox, east: float, south: float) -> GeoBox:
    """The same pixels so many metres to the east and south."""
    return GeoBox(grid.shape, Affine.translation(east, -south) @ grid.affine, grid.crs)
