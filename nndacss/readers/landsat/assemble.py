"""The layers of one product: its bands and quality files, placed, and checked against each other.

All files of one resolution must share one grid, or they are not of one scene. The pan band must
cover the other bands. What is missing is told in sentences, not by errors: whether a band is
needed is for the caller to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nndacss.errors import BandError, complain
from nndacss.readers.landsat.files import Store
from nndacss.readers.landsat.georeference import place
from nndacss.readers.landsat.identity import stored_name
from nndacss.readers.landsat.metadata import BandEntry, Metadata
from nndacss.readers.layers import Handles, Layer, read_header
from nndacss.readers.scene import SceneIdentity
from nndacss.readers.windows import check_one_grid, describe

_PLANES = {"pan": "PANCHROMATIC", "lwir11": "THERMAL", "lwir12": "THERMAL"}
#: Pan may begin this far from the other bands (metres): half a pixel of either, and the pixel by
#: which a crop may be cut differently.
_PAN_SLACK = 60.0


@dataclass(frozen=True)
class Product:
    """One opened Level-1 or Level-2 product."""

    identity: SceneIdentity
    metadata: Metadata
    bands: Mapping[str, Layer]
    """By role, those that are there."""
    quality: Layer | None
    saturation: Layer | None
    solar: tuple[Layer, Layer] | None
    """Solar zenith and azimuth, 0.01 degree."""
    notes: tuple[str, ...]
    """What had to be assumed."""

    def announced(self, role: str) -> str | None:
        """The file that the metadata name for a band."""
        return next((entry.file for entry in self.metadata.bands if entry.role == role), None)


def assemble(store: Store, metadata: Metadata, identity: SceneIdentity) -> Product:
    """Opens every file that is there; BandError where one does not belong."""
    builder = _Builder(store, metadata)
    bands = {
        entry.role: layer
        for entry in metadata.bands
        if (layer := builder.layer(entry.file, _PLANES.get(entry.role, "REFLECTIVE"), entry))
    }
    quality, saturation, zenith, azimuth = (
        builder.layer(name, "REFLECTIVE") if name else None
        for name in (
            metadata.quality,
            metadata.saturation,
            metadata.solar_zenith,
            metadata.solar_azimuth,
        )
    )
    extra = [layer for layer in (quality, saturation, zenith, azimuth) if layer]
    check_one_grid([*(layer for role, layer in bands.items() if role != "pan"), *extra])
    if "pan" in bands and len(bands) > 1:
        _check_pan(bands["pan"], next(layer for role, layer in bands.items() if role != "pan"))
    solar = (zenith, azimuth) if zenith and azimuth else None
    return Product(identity, metadata, bands, quality, saturation, solar, tuple(builder.notes))


class _Builder:
    """Makes layers of one product's files."""

    def __init__(self, store: Store, metadata: Metadata) -> None:
        self._store, self._metadata, self._handles = store, metadata, Handles()
        self.notes: list[str] = []

    def layer(self, name: str, plane: str, entry: BandEntry | None = None) -> Layer | None:
        """The layer of an announced file; None where it is not there."""
        stored = stored_name(self._store, self._metadata, name)
        if stored is None:
            return None
        path = self._store.gdal_path(stored)
        header = read_header(self._handles, path, stored)
        placed = place(header, plane, self._metadata)
        if placed.assumed:
            self.notes.append(
                f"{stored} has no georeference and is not of the size that "
                f"{self._metadata.source} states: its upper left pixel is assumed to coincide "
                "with that of the other bands, which may be off by up to one pan pixel (15 m)"
            )
        return Layer(self._handles, path, header, placed.grid, entry)


def _check_pan(pan: Layer, other: Layer) -> None:
    inner, outer = pan.grid.boundingbox, other.grid.boundingbox
    gaps = [abs(a - b) for a, b in zip(inner.bbox, outer.bbox, strict=True)]
    if pan.grid.crs != other.grid.crs or max(gaps) > _PAN_SLACK:
        raise BandError(
            complain(
                pan.header.file,
                describe(pan.grid),
                f"the area of {other.header.file}, {describe(other.grid)}",
                "these are bands of different scenes; order the product again",
            )
        )
