"""A Sentinel-2 product as a `Scene`; see `nndacss.readers.scene` for what each method gives."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from nndacss.errors import BandError, InputError, LossWarning, complain
from nndacss.readers.layered import LayeredScene
from nndacss.readers.scene import Confidence, Level, QualityFlags, SceneIdentity
from nndacss.readers.sentinel2 import quality
from nndacss.readers.sentinel2.identity import Safe, load
from nndacss.readers.sentinel2.layers import BandEntry, MsiLayer, open_layers
from nndacss.readers.sentinel2.losses import losses
from nndacss.readers.sentinel2.names import band_in
from nndacss.readers.sentinel2.sun import interpolate
from nndacss.readers.verify import verify
from nndacss.readers.windows import read_codes
from nndacss.sensors import REFLECTIVE, Sensor
from nndacss.sensors.sentinel2_msi import SENSOR

#: The band that Level 2A leaves out, and takes from the Level-1C product given along.
FROM_L1 = ("cirrus",)
#: No scene has a tenth of its blue pixels below these: path radiance alone makes 0.03 to 0.08 at
#: the top of the atmosphere (Rayleigh optical thickness 0.16 at 490 nm), and Sen2Cor's surface
#: reflectance of dark water is off by some hundredths at most.
_TOO_DARK = {"TOA": 0.0, "SR": -0.05}


def open_safe(path: Path, l1: Path | None = None) -> SentinelScene:
    """Opens the product at `path`, and the Level-1C product `l1` for the cirrus band."""
    own = load(path)
    other = load(l1) if l1 is not None else None
    if other is not None:
        _check_pair(own, other)
    scene = SentinelScene(own, other)
    for sentence in scene.losses:
        warnings.warn(f"{scene.identity.name}: {sentence}", LossWarning, stacklevel=4)
    return scene


class SentinelScene(LayeredScene):
    """One opened Sentinel-2 product. Immutable; safe to use from several threads."""

    def __init__(self, own: Safe, l1: Safe | None) -> None:
        self._own = own
        self._bands, self._scl = open_layers(own)
        lent = open_layers(l1)[0] if l1 is not None else {}
        self._bands = {
            role: found
            for role in SENSOR.roles
            if (found := self._bands.get(role) or (lent.get(role) if role in FROM_L1 else None))
        }
        self.identity: SceneIdentity = own.identity
        self.sensor: Sensor = SENSOR
        self.platform: str = own.product.platform
        self.level: Level = own.product.level
        self.origin: str = own.product.origin
        self.collection: str = "scl"
        self.quality_name: str = "SCL"
        self.quality_fill: int = quality.FILL
        self.sun_elevation: float = 90 - own.tile.sun_zenith
        self.sun_azimuth: float = own.tile.sun_azimuth
        self.roles: tuple[str, ...] = tuple(self._bands)
        self.losses: tuple[str, ...] = losses(own, self.roles)

    @property
    def baseline(self) -> str:
        """Processing baseline, as `05.11`."""
        return self._own.product.baseline_text

    def quality(self, grid: GeoBox | None = None) -> NDArray[np.uint16] | None:
        """SCL codes by nearest neighbour, 0 outside; None for Level 1C, which has none."""
        if self._scl is None:
            return None
        grid = self._scl.grid if grid is None else grid
        codes: NDArray[np.uint16] = read_codes(self._scl, grid, quality.FILL).astype(np.uint16)
        return codes

    def quality_flags(
        self, grid: GeoBox | None = None, confidence: Confidence = "high"
    ) -> QualityFlags | None:
        """`quality`, decoded; see `nndacss.readers.sentinel2.quality`."""
        codes = self.quality(grid)
        return None if codes is None else self.decode_quality(codes, confidence)

    def decode_quality(
        self, codes: NDArray[np.uint16], confidence: Confidence = "high"
    ) -> QualityFlags:
        """Any SCL codes, decoded; flags have the shape of `codes`."""
        return quality.decode(codes, confidence)

    def saturated(self, roles: Sequence[str], grid: GeoBox | None = None) -> NDArray[np.bool_]:
        """(rows, columns): True where any of `roles` holds the saturated DN.

        Of Level 2A also where SCL says saturated or defective, which does not say which band.
        """
        grid = self._shared_grid(roles) if grid is None else grid
        codes = self.quality(grid)
        result = np.zeros(grid.shape, dtype=np.bool_) if codes is None else codes == 1
        for role in roles:
            layer = self._layer(role)
            if isinstance(layer.entry, BandEntry):
                result |= read_codes(layer, grid, 0) == layer.entry.saturated
        return result

    def sun_angles(self, grid: GeoBox) -> NDArray[np.float32]:
        """(2, rows, columns): sun elevation and azimuth in degrees.

        From the granule's angle grid, else (and where it is NaN) the tile's means.
        """
        means = np.array([self.sun_elevation, self.sun_azimuth], dtype=np.float32)[:, None, None]
        sun, crs = self._own.tile.sun, self.grid(self.roles[0]).crs
        if sun is None or crs is None:
            return np.broadcast_to(means, (2, *grid.shape)).copy()
        found = interpolate(sun, crs, grid)
        return np.where(np.isnan(found).any(axis=0), means, found)

    def verify(self, roles: Sequence[str] = REFLECTIVE) -> None:
        """Read every block of `roles` and of all other files once; see the contract.

        InputError too where the offsets seem to be in the DN already; see the package.
        """
        wanted = {role: self._layer(role) for role in roles}
        others = [layer for role, layer in self._bands.items() if role not in wanted]
        others += [self._scl] if self._scl is not None else []
        verify(self.identity.name, list(wanted.values()), others)
        if "blue" in self._bands and self._own.product.offsets["B02"] < 0:
            self._check_offset(self._bands["blue"])

    def _check_offset(self, blue: MsiLayer) -> None:
        pixels = blue.glance()
        pixels = pixels[~np.isnan(pixels)]
        limit = _TOO_DARK[self.level]
        if pixels.size and (dark := float(np.percentile(pixels, 10))) < limit:
            found = f"a tenth of the blue pixels below reflectance {dark:.3f}"
            expected = f"more than {limit:g}; the offset of {self._own.product.source} seems to be "
            expected += "applied to the DN already"
            remedy = 'say so in a file item.json beside it: {"properties": '
            remedy += '{"earthsearch:boa_offset_applied": true}}'
            raise InputError(complain(self.identity.name, found, expected, remedy))

    def _layer(self, role: str) -> MsiLayer:
        """BandError names the file that should be there."""
        if role in self._bands:
            return self._bands[role]
        file = _announced(self._own, role)
        if file is not None:
            remedy = "order the product again, or ask for fewer bands"
            expected = f"it, as {self._own.product.source} says"
            raise BandError(complain(file, "no such file", expected, remedy))
        remedy = "ask for another band"
        if role in FROM_L1 and self.level == "SR":
            remedy = "give the Level-1C product of the same datatake along"
        expected = f"one of {', '.join(self.roles)}"
        raise BandError(complain(self.identity.name, f"no {role} band", expected, remedy))


def _announced(safe: Safe, role: str) -> str | None:
    """The image of a role that the metadata name for the tile, at its finest."""
    if role not in SENSOR.roles:
        return None
    found = []
    for path in safe.product.announced:
        name = PurePosixPath(path).name
        band, metres = band_in(name) or ("", None)
        if band == SENSOR.band(role).name and f"_T{safe.tile.name}_" in f"_{name}":
            found.append((metres or 0, name))
    return min(found)[1] if found else None


def _check_pair(own: Safe, l1: Safe) -> None:
    """The two must be Level 2A and Level 1C of one datatake and tile."""
    first, second = own.identity, l1.identity
    if first.level != "SR" or second.level != "TOA":
        found = f"{first.name} with {second.name} along"
        expected = "a Level-2A product with the Level-1C product of its datatake"
        raise InputError(complain(second.name, found, expected, "a Level-1C product stands alone"))
    if first.key != second.key:
        names = ("satellite", "tile", "datatake")
        pairs = zip(names, first.key.split(), second.key.split(), strict=True)
        differ = ", ".join(f"{name} {b} instead of {a}" for name, a, b in pairs if a != b)
        expected = f"the tile and datatake of {first.name}"
        raise InputError(complain(second.name, differ, expected, "give its own Level-1C product"))
