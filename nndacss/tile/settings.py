"""Settings of the output grid and of how it is cut: section `[tile]`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator, model_validator

from nndacss.settings import Settings


class TileSettings(Settings):
    """The output grid and the lattice of windows and parts on it."""

    grid: str = "s2"
    """`s2`: UTM zone of the scene, 10 m, edges at multiples of 10 m, as Sentinel-2 has it;
    `landsat`: the scene's own CRS, each 30 m pixel cut in nine; `mgrs:32TQM`: that Sentinel-2
    tile; `like:FILE`: the grid of a raster; `box:EPSG:32632:LEFT,TOP,METRES,ROWS,COLUMNS`."""
    bbox: tuple[float, float, float, float] | None = None
    """West, south, east, north in degrees; west > east crosses the 180th meridian."""
    window: Annotated[int, Field(ge=64, le=2048)] = 512
    """Pixels a side that are computed at once."""
    part: Annotated[int, Field(ge=64, le=16384)] = 2048
    """Pixels a side of what is written as one file and, once written, not computed again."""

    @field_validator("bbox")
    @classmethod
    def _ordered(
        cls, box: tuple[float, float, float, float] | None
    ) -> tuple[float, float, float, float] | None:
        if box is not None and not (-90 <= box[1] < box[3] <= 90 and box[0] != box[2]):
            raise ValueError("west, south, east, north in degrees with south < north")
        return box

    @model_validator(mode="after")
    def _whole_windows(self) -> TileSettings:
        if self.part % self.window:
            raise ValueError("tile.part must be a multiple of tile.window")
        return self


SETTINGS = TileSettings
