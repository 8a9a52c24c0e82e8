"""The grids of the transform: Landsat's 30 m, the blurred 90 m, Proba-V's degrees."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from affine import Affine
from odc.geo.geobox import GeoBox
from rasterio.crs import CRS
from rasterio.warp import calculate_default_transform, transform

from nndacss.errors import GridError, complain
from nndacss.harmonize.physical.psf import FACTOR

Shift = Literal["corrected", "legacy"]
"""Where the 90 m grid begins, see the folder's docstring."""
Resolution = Literal["100M", "333M", "1KM"]
"""What Proba-V's products call their pixel sizes."""

#: Degrees of a pixel, as the published program writes them: 1/1008, 1/336 and 1/112.
STEPS: dict[Resolution, float] = {
    "100M": 0.00297619047619 / 3,
    "333M": 0.00297619047619,
    "1KM": 0.00297619047619 * 3,
}
#: Pixels a side that are resampled at once: about 85 km, so that they need the same memory.
TILES: dict[Resolution, int] = {"100M": 768, "333M": 256, "1KM": 128}
#: A scene that spans more degrees of longitude lies around a pole or the antimeridian.
_WIDEST = 60.0


def coarse_grid(grid: GeoBox, shift: Shift) -> GeoBox:
    """The grid of blurred pixels: every third pixel of `grid`, sizes rounded up.

    >>> fine = GeoBox((4, 7), Affine(30, 0, 600_015, 0, -30, 5_000_025), "EPSG:32632")
    >>> coarse_grid(fine, "corrected").boundingbox.left, coarse_grid(fine, "legacy").shape
    (599985.0, Shape2d(x=3, y=2))
    """
    rows, columns = (-(-size // FACTOR) for size in grid.shape)
    move = Affine.translation(-1, -1) if shift == "corrected" else Affine.identity()
    return GeoBox((rows, columns), grid.affine @ move @ Affine.scale(FACTOR), grid.crs)


def probav_grid(coarse: GeoBox, resolution: Resolution) -> GeoBox:
    """The grid in EPSG:4326 that holds `coarse`, from its own north-west corner.

    GridError where that is no compact piece of latitude and longitude.
    """
    rows, columns = coarse.shape
    affine, width, height = calculate_default_transform(
        _crs(coarse),
        CRS.from_epsg(4326),
        columns,
        rows,
        *coarse.boundingbox.bbox,
        resolution=STEPS[resolution],
    )
    if width * affine.a > _WIDEST:
        found = f"{width * affine.a:.0f} degrees of longitude"
        expected = f"at most {_WIDEST:.0f}, as away from the poles and the antimeridian"
        remedy = "choose another scene"
        raise GridError(complain("scene", found, expected, remedy))
    return GeoBox((height, width), affine, "EPSG:4326")


def kernel_scale(coarse: GeoBox, target: GeoBox, shift: Shift) -> tuple[float, float]:
    """Target pixels to a 90 m pixel along its columns and rows: how much Lanczos' kernel widens.

    `corrected` measures it in the middle of `target`. `legacy` is the ratio of the two grids'
    sizes, as GDAL assumes when it is asked for a whole scene.
    """
    if shift == "legacy":
        (rows, columns), (height, width) = coarse.shape, target.shape
        return width / columns, height / rows
    middle = (target.shape[1] / 2, target.shape[0] / 2)
    steps = (0.0, 0.0), (1.0, 0.0), (0.0, 1.0)
    points = [target.affine @ (middle[0] + x, middle[1] + y) for x, y in steps]
    xs, ys = transform(_crs(target), _crs(coarse), *zip(*points, strict=True))
    at = np.array([~coarse.affine @ point for point in zip(xs, ys, strict=True)])
    across, down = at[1] - at[0], at[2] - at[0]
    return 1 / math.hypot(*across), 1 / math.hypot(*down)


def _crs(grid: GeoBox) -> CRS:
    return CRS.from_user_input(str(grid.crs))
