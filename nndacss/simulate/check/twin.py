"""The twin's side of every comparison, made on the spot from fixed seeds."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nndacss.raster import Pixels
from nndacss.simulate import spectra
from nndacss.simulate.atmosphere import Air, sunlight
from nndacss.simulate.check.parts import Labelled, Mask
from nndacss.simulate.check.real import Crop
from nndacss.simulate.chips import Chip, chip, moment
from nndacss.simulate.landscape import Landscape
from nndacss.simulate.quality import CLOUD, SHADOW, SNOW, THIN
from nndacss.simulate.sky import CLOUD_THICKNESS, Sky

#: First seed of the page's chips, far from those that training sets start from.
SEED = 900_000

#: The landscape's materials that `spectra` has labelled points of.
_MATERIALS = ("snow", "ice", "rock", "water")


@dataclass(frozen=True)
class Twin:
    """As many chips, skies and places as the page asks for; each is made once."""

    count: int = 32
    """Chips of Landsat; a third as many of Sentinel-2."""
    side: int = 256
    """Pixels of a chip."""
    skies: int = 100
    """Skies whose cloud masks are counted."""
    mask_side: int = 1022
    """Pixels of a mask, 20 m each."""
    threads: int = field(default=2, compare=False)

    @cached_property
    def landsat(self) -> list[Labelled]:
        """Chips of 30 m at the top of the atmosphere."""
        return self._chips("landsat8_oli", "TOA", 30, self.count)

    @cached_property
    def sentinel2(self) -> list[Labelled]:
        """Chips of 10 m at the surface, with the four bands that the labelled real ones have."""
        chips = self._chips("sentinel2_msi", "SR", 10, max(self.count // 3, 1))
        return [_four(one) for one in chips]

    def _chips(self, sensor: str, level: str, metres: int, count: int) -> list[Labelled]:
        def make(number: int) -> Labelled:
            return labelled(
                chip(SEED + number, sensor, level, metres, self.side, self.side),  # type: ignore[arg-type]
                f"seed {SEED + number}",
            )

        with ThreadPoolExecutor(self.threads) as pool:
            return list(pool.map(make, range(count)))

    def masks(self) -> Iterator[tuple[str, Mask, float]]:
        """Name, cloud mask and pixel size, of drawn skies alone, 20 m."""
        size = 20.0 * self.mask_side
        for number in range(self.skies):
            drawn = moment(SEED + number)
            west, north = drawn.west, drawn.north
            sky = Sky(drawn.seed, drawn.cover, drawn.altitude, drawn.haze, drawn.veils)
            over = sky.over((west, north - size, west + size, north))
            steps = 10 + 20 * np.arange(self.mask_side, dtype=np.float64)
            low, high = over.overhead((west + steps)[None, :], (north - steps)[:, None])
            yield f"seed {drawn.seed}", low + high >= CLOUD_THICKNESS, 20.0

    def crops(self) -> Iterator[Crop]:
        """Clear ground under haze: Landsat at 30 m, Sentinel-2 at 10 and 20 m."""
        kinds = (
            ("Landsat L1TP 30 m", "landsat8_oli", "TOA", 30),
            ("Landsat L2SP 30 m", "landsat8_oli", "SR", 30),
            ("Sentinel-2 L1C 10 m", "sentinel2_msi", "TOA", 10),
            ("Sentinel-2 L1C 20 m", "sentinel2_msi", "TOA", 20),
            ("Sentinel-2 L2A 10 m", "sentinel2_msi", "SR", 10),
        )
        for kind, sensor, level, metres in kinds:
            for seed in range(SEED, SEED + max(self.count // 6, 2)):
                made = chip(seed, sensor, level, metres, self.side, self.side, cover=0.0)  # type: ignore[arg-type]
                planes = dict(zip(made.roles, made.pixels, strict=True))
                native = {10: ("blue", "green", "red", "nir"), 20: ("nir08", "swir16", "swir22")}
                roles = native.get(metres, made.roles)
                yield Crop(
                    f"seed {seed}", kind, {role: planes[role] for role in roles if role in planes}
                )

    @cached_property
    def surfaces(self) -> dict[str, dict[str, dict[str, NDArray[np.float32]]]]:
        """By level (SR, TOA), surface and role: reflectances; what the landscape lacks is left out.

        Snow in shadow is snow below clouds of an optical thickness from 1 to 20.
        """
        found: dict[str, dict[str, list[NDArray[np.float32]]]] = {"SR": {}, "TOA": {}}
        for seed in range(SEED, SEED + 12):
            drawn = moment(seed)
            ground = Landscape(seed, drawn.sun_elevation, drawn.sun_azimuth, 700.0)
            air = Air(drawn.sun_elevation, drawn.haze)
            for surface, values in _surfaces(ground, air, drawn.west, drawn.north).items():
                haze = np.full(values.shape[1], drawn.haze, dtype=np.float32)
                tops = [air.top(role, row, haze) for role, row in zip(ROLES, values, strict=True)]
                found["SR"].setdefault(surface, []).append(values)
                found["TOA"].setdefault(surface, []).append(np.stack(tops))
        return {level: _pooled(parts) for level, parts in found.items()}

    @cached_property
    def pairs(self) -> Pixels:
        """(2, 6, pixels) surface reflectance of the same clear ground for both sensors."""
        both = []
        for sensor in ("landsat8_oli", "sentinel2_msi"):
            made = [chip(SEED + n, sensor, "SR", 30, 64, 64, cover=0.0).pixels for n in range(6)]
            both.append(np.concatenate([part.reshape(6, -1) for part in made], axis=1))
        return np.stack(both)


ROLES = ("blue", "green", "red", "nir08", "swir16", "swir22")


def _surfaces(
    ground: Landscape, air: Air, west: float, north: float
) -> dict[str, NDArray[np.float32]]:
    """By surface: (6, pixels) surface reflectance of one place, 7 km a side."""
    steps = 60 * np.arange(120, dtype=np.float64)
    x, y = (west + steps)[None, :], (north - steps)[:, None]
    values, kinds = ground.reflectance(x, y, ROLES), ground.materials(x, y)
    found = {name: values[:, kinds == spectra.NUMBER[name]] for name in _MATERIALS}
    snow = found["snow"]
    sky = np.array([air.diffuse(role) for role in ROLES], dtype=np.float32)[:, None]
    lit = sky + (1 - sky) * sunlight(np.linspace(1, 20, snow.shape[1], dtype=np.float32))
    return {**found, "snow in shadow": snow * lit}


def _pooled(parts: dict[str, list[NDArray[np.float32]]]) -> dict[str, dict[str, Any]]:
    """By surface and role, of surfaces with at least 50 pixels."""
    pools = {name: np.concatenate(some, axis=1) for name, some in parts.items()}
    return {
        name: dict(zip(ROLES, values, strict=True))
        for name, values in pools.items()
        if values.shape[1] >= 50
    }


def labelled(made: Chip, name: str) -> Labelled:
    """A chip of the twin as the page wants it."""
    cloud = made.labels == CLOUD
    return Labelled(
        name=name,
        source="twin",
        pixels=made.pixels,
        roles=made.roles,
        level=made.level,
        cloud=cloud,
        thin=cloud & (made.thickness < THIN),
        shadow=made.labels == SHADOW,
        snow=made.labels == SNOW,
        metres=made.metres,
        thickness=made.thickness,
    )


def _four(chip_: Labelled) -> Labelled:
    """With blue, green, red and near infrared alone; B8A stands for B08 here."""
    return Labelled(
        chip_.name,
        chip_.source,
        chip_.pixels[:4],
        ("blue", "green", "red", "nir"),
        chip_.level,
        chip_.cloud,
        chip_.thin,
        chip_.shadow,
        chip_.snow,
        chip_.metres,
        chip_.thickness,
    )
