"""What every reader gives: a `Scene`, lazily windowed, any band by role, on any grid.

To add a reader: one module or folder here that exports `READER`, a `Reader`; its `recognises`
says whether a path is such a product from names alone, `identify` reads names, sizes and
metadata only (no raster, no numpy: it runs inside the scheduler's process), `open` gives the
Scene. Calibration, grids and quality bits stay inside the reader.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from nndacss.sensors import REFLECTIVE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from odc.geo.geobox import GeoBox

    from nndacss.raster import Raster
    from nndacss.sensors import Sensor
    from nndacss.tile.warp import Kernel

Level = Literal["TOA", "SR"]
"""Top-of-atmosphere reflectance (Level 1) or surface reflectance (Level 2)."""


Confidence = Literal["low", "medium", "high"]
"""From which confidence on the agency's quality bits count, where they come in degrees."""


@dataclass(frozen=True)
class SceneIdentity:
    """Which foreign product this is, independent of where and how it is stored."""

    name: str
    """The agency's product id, e.g. `LC08_L2SP_017051_20151205_20200908_02_T1`."""
    digest: str
    """sha256 hex over product id, sha256 of the metadata file, and every file's name and size."""
    level: Level
    acquired: datetime
    """UTC, scene centre."""
    sensor: str
    """The module in `nndacss.sensors`."""
    key: str
    """What an L1 and an L2 product of one acquisition share, e.g. `landsat-8 017051 2015-12-05`."""
    files: tuple[tuple[str, int], ...]
    """(name, bytes) of the product's own files, sorted by name."""
    square_km: float
    """Size of the image as the metadata state it, fill included; 0 where they do not."""
    outline: tuple[tuple[float, float], ...] = ()
    """(longitude, latitude) of corners around the image, fill included or not, as the metadata
    state them; empty where they do not."""


@dataclass(frozen=True)
class QualityFlags:
    """The agency's quality codes as one set of flags; (rows, columns) each."""

    fill: NDArray[np.bool_]
    """No observation; no other flag is set there."""
    cloud: NDArray[np.bool_]
    dilated: NDArray[np.bool_]
    """Within the agency's safety margin around clouds."""
    cirrus: NDArray[np.bool_]
    shadow: NDArray[np.bool_]
    """Cloud shadow."""
    snow: NDArray[np.bool_]
    water: NDArray[np.bool_]
    clear: NDArray[np.bool_]
    """None of fill, cloud, dilated, cirrus, shadow and snow. (Landsat's own clear bit only
    denies cloud and dilated cloud.)"""


class Scene(Protocol):
    """One opened product. Immutable; safe to use from several threads."""

    identity: SceneIdentity
    sensor: Sensor
    platform: str
    """E.g. `landsat-8`."""
    level: Level
    origin: str
    """Who made the observation, in the words of the metadata; a simulated scene says so here."""
    collection: str
    """What decides the meaning of the quality codes: Landsat's generation (`pre`, `1`, `2`), or
    `scl` for Sentinel-2's scene classification."""
    quality_name: str
    """What the agency calls its quality band: `QA_PIXEL`, `BQA`, `SCL`."""
    quality_fill: int
    """The quality code outside the image."""
    sun_elevation: float
    """Degrees above the horizon, scene centre."""
    sun_azimuth: float
    """Degrees clockwise from north, scene centre."""
    roles: tuple[str, ...]
    """Bands that can be read; pan may come from the L1 product given along."""
    losses: tuple[str, ...]
    """One sentence per missing optional part: which, and what is lost without it."""

    def grid(self, role: str) -> GeoBox:
        """The band's own pixel plane."""
        ...

    def read(
        self, roles: Sequence[str], grid: GeoBox | None = None, kernel: Kernel = "cubic"
    ) -> Raster:
        """Calibrated bands on `grid`, each warped once from its own georeference.

        Reflectance (1.0 = 100 %, sun elevation applied), thermal bands in kelvin. Reads only
        the window that `grid` needs. `grid=None` is the first role's own grid (all roles must
        then share it). NaN where fill or outside.
        """
        ...

    def quality(self, grid: GeoBox | None = None) -> NDArray[np.uint16] | None:
        """The agency's pixel quality codes on `grid` by nearest neighbour, `quality_fill` outside.

        None where the product has none.
        """
        ...

    def quality_flags(
        self, grid: GeoBox | None = None, confidence: Confidence = "high"
    ) -> QualityFlags | None:
        """`quality`, decoded; None where the product has none."""
        ...

    def decode_quality(
        self, codes: NDArray[np.uint16], confidence: Confidence = "high"
    ) -> QualityFlags:
        """Any codes of this product's quality band, decoded; flags have the shape of `codes`."""
        ...

    def present(self, roles: Sequence[str], grid: GeoBox | None = None) -> NDArray[np.bool_]:
        """(rows, columns): True where the pixels that hold the centre have data in all `roles`.

        The same pixels are missing in `read`.
        """
        ...

    def saturated(self, roles: Sequence[str], grid: GeoBox | None = None) -> NDArray[np.bool_]:
        """(rows, columns): True where any of `roles` is saturated."""
        ...

    def sun_angles(self, grid: GeoBox) -> NDArray[np.float32]:
        """(2, rows, columns): sun elevation and azimuth in degrees.

        From the product's angle bands where it has them, else the scene centre's values.
        """
        ...

    def verify(self, roles: Sequence[str] = REFLECTIVE) -> None:
        """Read every block of `roles` and of all other bands that are there, once.

        Raises BandError where one of `roles` is missing, or a file is truncated or not its
        band; InputError where `roles` hold no data at all. Memory does not grow with the scene.
        """
        ...


class Reader(Protocol):
    """How a folder or archive becomes a Scene."""

    expects: str
    """What such a product is, for messages, e.g. `a Landsat-8/9 folder or .tar with its MTL`."""

    def recognises(self, path: Path) -> bool:
        """Whether names alone say that this is such a product; never raises."""
        ...

    def identify(self, path: Path) -> SceneIdentity:
        """Identity from names, sizes and metadata; imports neither numpy nor rasterio."""
        ...

    def open(self, path: Path, l1: Path | None = None) -> Scene:
        """The scene; `l1` is the Level-1 product of the same acquisition, for pan and cirrus."""
        ...

    def find_l1(self, path: Path) -> Path | None:
        """The Level-1 product of the same acquisition beside `path`, by name; None if none."""
        ...

    def unpack(self, path: Path, folder: Path) -> Path:
        """An archive's own files as the new folder `folder`: all of them, or no folder."""
        ...
