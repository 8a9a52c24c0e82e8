"""The settings that the tasks of a scene share: a file, overrides, an area, a grid like another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from nndacss.resources import config_file
from nndacss.settings import Settings, load_settings
from nndacss.tile.area import area_bbox
from nndacss.tile.settings import TileSettings
from tasks._child import ask_child


def scene_settings(
    config: str, overrides: Sequence[str], area: str, bbox: str
) -> dict[str, Settings]:
    """All sections; `tile.grid = like:FILE` is resolved to the grid that the file has.

    `area` is a GeoJSON file, `bbox` west,south,east,north; both may be empty.
    """
    said = list(overrides)
    if area or bbox:
        west, south, east, north = area_bbox(area, bbox)
        said.append(f"tile.bbox=[{west!r}, {south!r}, {east!r}, {north!r}]")
    file = config_file(config) if config else None
    settings = load_settings(file, said)
    grid = cast(TileSettings, settings["tile"]).grid
    if grid.startswith("like:"):
        box = ask_child("nndacss.tile", [grid.removeprefix("like:")])
        settings = load_settings(file, [*said, f"tile.grid={box}"])
    return settings
