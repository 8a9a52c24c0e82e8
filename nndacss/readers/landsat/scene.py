"""A Landsat-8/9 product as a `Scene`; see `nndacss.readers.scene` for what each method gives."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from nndacss.errors import BandError, InputError, LossWarning, complain
from nndacss.readers.landsat import quality
from nndacss.readers.landsat.assemble import Product, assemble
from nndacss.readers.landsat.identity import load
from nndacss.readers.landsat.losses import losses
from nndacss.readers.layered import LayeredScene
from nndacss.readers.layers import Layer
from nndacss.readers.scene import Confidence, Level, QualityFlags, SceneIdentity
from nndacss.readers.verify import verify
from nndacss.readers.windows import describe, needed, read_codes
from nndacss.sensors import REFLECTIVE, Sensor
from nndacss.sensors.landsat8_oli import SENSOR

#: Bands that a Level-2 scene takes from the Level-1 product given along.
FROM_L1 = ("pan", "cirrus", "lwir11", "lwir12")
#: DN of a saturated pixel of a Level-1 band (LSDS-1822).
SATURATED = 65535


def open_landsat(path: Path, l1: Path | None = None) -> LandsatScene:
    """Opens the product at `path`, and the Level-1 product `l1` for what Level 2 has not."""
    own = assemble(*load(path))
    other = assemble(*load(l1)) if l1 is not None else None
    if other is not None:
        _check_pair(own, other)
    scene = LandsatScene(own, other)
    for sentence in scene.losses:
        warnings.warn(f"{scene.identity.name}: {sentence}", LossWarning, stacklevel=4)
    return scene


class LandsatScene(LayeredScene):
    """One opened Landsat-8/9 product. Immutable; safe to use from several threads."""

    def __init__(self, own: Product, l1: Product | None) -> None:
        self._own, self._l1 = own, l1
        self._bands = {
            role: found
            for role in SENSOR.roles
            if (found := own.bands.get(role) or _lent(l1, role)) is not None
        }
        self.identity: SceneIdentity = own.identity
        self.sensor: Sensor = SENSOR
        self.platform: str = own.metadata.platform
        self.level: Level = own.metadata.level
        self.origin: str = own.metadata.origin
        self.collection: str = own.metadata.collection
        self.quality_name: str = "QA_PIXEL" if self.collection == "2" else "BQA"
        self.quality_fill: int = quality.FILL
        self.sun_elevation: float = own.metadata.sun_elevation
        self.sun_azimuth: float = own.metadata.sun_azimuth
        self.roles: tuple[str, ...] = tuple(self._bands)
        self.losses: tuple[str, ...] = losses(own, l1)

    @property
    def level_1(self) -> LandsatScene | None:
        """The Level-1 product given along, as a scene of its own; None without."""
        return None if self._l1 is None else LandsatScene(self._l1, None)

    def quality(self, grid: GeoBox | None = None) -> NDArray[np.uint16] | None:
        """QA_PIXEL or BQA as they are, by nearest neighbour; 1 (fill) outside."""
        layer = self._either("quality")
        if layer is None:
            return None
        grid = layer.grid if grid is None else grid
        codes = read_codes(layer, grid, quality.FILL)
        nodata = layer.header.nodata
        if nodata is not None and nodata < 0:
            codes = np.where(codes == nodata, quality.FILL, codes)
        return codes.astype(np.uint16)

    def quality_flags(
        self, grid: GeoBox | None = None, confidence: Confidence = "high"
    ) -> QualityFlags | None:
        """`quality`, decoded by the collection's bits; see `nndacss.readers.landsat.quality`."""
        codes = self.quality(grid)
        return None if codes is None else self.decode_quality(codes, confidence)

    def decode_quality(
        self, codes: NDArray[np.uint16], confidence: Confidence = "high"
    ) -> QualityFlags:
        """Any codes of this product's quality band, by the collection's bits."""
        return quality.decode(codes, self._own.metadata.collection, confidence)

    def saturated(self, roles: Sequence[str], grid: GeoBox | None = None) -> NDArray[np.bool_]:
        """(rows, columns): True where any of `roles` is saturated.

        By QA_RADSAT where there is one. Collection 1 keeps only "some band is" in the BQA, which
        is then said of all. Else, and for pan and thermal bands, by DN 65535 of the Level-1 band;
        of a Level-2 band without either nothing is known, and the answer is False.
        """
        grid = self._shared_grid(roles) if grid is None else grid
        result = np.zeros(grid.shape, dtype=np.bool_)
        marks = self._either("saturation")
        by_bit = [role for role in roles if role in quality.SATURATION_BITS]
        if marks is not None and by_bit:
            codes = read_codes(marks, grid, 0).astype(np.uint16)
            for role in by_bit:
                result |= quality.band_saturated(codes, role)
        elif self.collection == "1" and by_bit and (codes_1 := self.quality(grid)) is not None:
            result |= quality.any_saturated(codes_1)
        else:
            by_bit = []
        for role in roles:
            if role not in by_bit:
                result |= self._at_top(role, grid)
        return result

    def sun_angles(self, grid: GeoBox) -> NDArray[np.float32]:
        """(2, rows, columns): sun elevation and azimuth in degrees.

        From the SZA and SAA bands (Collection 2 Level 1) where they hold a value, else (and
        outside the image) the scene centre's.
        """
        result = np.empty((2, *grid.shape), dtype=np.float32)
        result[0], result[1] = self.sun_elevation, self.sun_azimuth
        solar = self._own.solar or (self._l1.solar if self._l1 else None)
        if solar:
            zenith, azimuth = (read_codes(layer, grid, 0) for layer in solar)
            known = zenith > 0
            result[0][known] = 90 - zenith[known] / 100
            result[1][known] = azimuth[known] / 100 % 360
        return result

    def verify(self, roles: Sequence[str] = REFLECTIVE) -> None:
        """Read every block of `roles` and of all other files once; see the contract."""
        others = [
            layer
            for product in (self._own, self._l1)
            if product
            for layer in (product.quality, product.saturation, *(product.solar or ()))
            if layer
        ]
        wanted = {role: self._layer(role) for role in roles}
        others += [layer for role, layer in self._bands.items() if role not in wanted]
        verify(self.identity.name, list(wanted.values()), others)

    def _layer(self, role: str) -> Layer:
        """BandError names the file that should be there."""
        if role in self._bands:
            return self._bands[role]
        file = self._own.announced(role)
        if file is None and self._l1 is not None and role in FROM_L1:
            file = self._l1.announced(role)
        if file is not None:
            expected = f"it beside {self._own.metadata.source}"
            remedy = "order the product again, or ask for fewer bands"
            raise BandError(complain(file, "no such file", expected, remedy))
        remedy = (
            "give the Level-1 product of the same acquisition along"
            if role in FROM_L1 and self._l1 is None and self.level == "SR"
            else "ask for another band"
        )
        expected = f"one of {', '.join(self.roles)}"
        raise BandError(complain(self.identity.name, f"no {role} band", expected, remedy))

    def _either(self, part: str) -> Layer | None:
        """A part of the own product, or of the Level-1 product where only that has it."""
        layer: Layer | None = getattr(self._own, part)
        if layer is None and self._l1 is not None:
            layer = getattr(self._l1, part)
        return layer

    def _at_top(self, role: str, grid: GeoBox) -> NDArray[np.bool_]:
        """Where the Level-1 band of `role` holds the saturated DN; False where there is none."""
        layer = self._layer(role)
        if role in self._own.bands and self.level == "SR":
            lent = self._l1.bands.get(role) if self._l1 is not None else None
            if lent is None or role.startswith("lwir"):
                return np.zeros(grid.shape, dtype=np.bool_)
            layer = lent
        result: NDArray[np.bool_] = read_codes(layer, grid, 0) == SATURATED
        return result


def _lent(l1: Product | None, role: str) -> Layer | None:
    return l1.bands.get(role) if l1 is not None and role in FROM_L1 else None


def _check_pair(own: Product, l1: Product) -> None:
    """The two must be Level 2 and Level 1 of one acquisition, and overlap."""
    first, second = own.identity, l1.identity
    if first.level != "SR" or second.level != "TOA":
        found = f"{first.name} with {second.name} along"
        expected = "a Level-2 product with the Level-1 product of its acquisition"
        remedy = "a Level-1 product stands alone: it brings its own pan band"
        raise InputError(complain(second.name, found, expected, remedy))
    if first.key != second.key:
        names = ("satellite", "path and row", "date")
        pairs = zip(names, first.key.split(), second.key.split(), strict=True)
        differ = ", ".join(f"{name} {b} instead of {a}" for name, a, b in pairs if a != b)
        expected = f"the acquisition of {first.name}"
        raise InputError(complain(second.name, differ, expected, "give its own Level-1 product"))
    if own.bands and "pan" in l1.bands:
        _check_overlap(next(iter(own.bands.values())), l1.bands["pan"])


def _check_overlap(band: Layer, pan: Layer) -> None:
    rows, columns = needed(pan.grid, band.grid)
    if rows.start == rows.stop or columns.start == columns.stop:
        expected = f"the area of {band.header.file}, {describe(band.grid)}"
        remedy = "give the Level-1 product of the same area"
        raise InputError(complain(pan.header.file, describe(pan.grid), expected, remedy))
