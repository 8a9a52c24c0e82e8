"""Rough surface reflectance of top-of-atmosphere images, for networks that learned from Level 2A.

Air and a mean haze are taken off with the closed forms of `nndacss.simulate.atmosphere`, the sun as
high as at the image's centre. Neither the day's haze and vapour nor relief is known, so this is no
Level 2A. On 3,937 rock pixels that are stored as Sentinel-2 L1C and L2A (`spectra` of the shared
data) the median difference in blue goes from +0.056 to +0.007, in green from +0.027 to -0.001, in
red from +0.019 to +0.004, and stays near +0.01 in the near infrared. Snow, brighter than 0.8, stays
about 0.05 too dark.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np
from odc.geo.geobox import GeoBox

from nndacss.land_cover.image import Image, Where
from nndacss.raster import Pixels
from nndacss.sensors import sentinel2_msi
from nndacss.simulate.atmosphere import Air


class AirTaken:
    """A top-of-atmosphere image with its air taken off; everything else as the image has it."""

    def __init__(self, image: Image) -> None:
        self._image = image
        self._air = Air(image.sun_elevation, sensor=sentinel2_msi.SENSOR)
        self.kind = f"{image.kind}, rough surface reflectance of its top-of-atmosphere pixels"
        self.name: str = image.name
        self.level: str = image.level
        self.acquired: datetime = image.acquired
        self.platform: str = image.platform
        self.origin: str = image.origin
        self.hides: str = image.hides
        self.sun_elevation: float = image.sun_elevation
        self.roles: tuple[str, ...] = image.roles
        self.grid: GeoBox = image.grid

    def read(self, roles: Sequence[str], rows: slice, columns: slice) -> Pixels:
        """(bands, rows, columns) rough surface reflectance of a window, NaN where missing."""
        top = self._image.read(roles, rows, columns)
        pairs = zip(roles, top, strict=True)
        return np.stack([self._air.corrected(role, band) for role, band in pairs])

    def hidden(self, grid: GeoBox) -> Where:
        """As the image has it."""
        return self._image.hidden(grid)

    def colours(self, grid: GeoBox) -> Pixels:
        """As the image has it: seen from above the air."""
        return self._image.colours(grid)


Seen = Image | AirTaken
"""What a network looks at."""
