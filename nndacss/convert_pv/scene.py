"""A Landsat scene's rows with their labels, as the transform takes them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from odc.geo.geobox import GeoBox

from nndacss.convert_pv.clouds import Clouds, open_clouds
from nndacss.errors import InputError, complain
from nndacss.harmonize.physical.transform import ROLES
from nndacss.raster import Pixels
from nndacss.readers import identify, open_scene, unpack
from nndacss.readers.scene import Scene
from nndacss.stage import Context


@dataclass(frozen=True)
class Source:
    """An opened scene. Safe to use from several threads."""

    scene: Scene
    clouds: Clouds | None
    grid: GeoBox
    """Of the bands, 30 m."""

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.grid.shape[0])

    def rows(self, rows: slice) -> tuple[Pixels, Pixels | None]:
        """(5, rows, columns) reflectance in the order of `ROLES`, and labels (rows, columns)."""
        pixels = self.scene.read(ROLES, self.grid[rows, :]).pixels
        return pixels, None if self.clouds is None else self.clouds.rows(rows)


def open_source(context: Context) -> Source:
    """The scene of an order; InputError where it changed, lacks a band or has no 30 m pixels."""
    order = context.order
    path = Path(order.location["scene"])
    found = identify(path).digest
    if found != order.recipe.inputs["scene"]:
        expected = f"{order.recipe.inputs['scene'][:8]}, as when the run was planned"
        remedy = "run the command again"
        raise InputError(complain(path, f"digest {found[:8]}", expected, remedy))
    scene = open_scene(_ready(path, context.folder / "scene"))
    absent = [role for role in ROLES if role not in scene.roles]
    if absent:
        names = ", ".join(scene.sensor.band(role).name for role in absent)
        wanted = ", ".join(scene.sensor.band(role).name for role in ROLES)
        remedy = "order the product again"
        raise InputError(complain(path, f"no {names}", f"the bands {wanted}", remedy))
    grid = scene.grid(ROLES[0])
    if abs(grid.affine.a - 30) > 1e-6 or abs(grid.affine.e + 30) > 1e-6:
        found = f"pixels of {grid.affine.a:g} x {-grid.affine.e:g} m"
        raise InputError(complain(path, found, "30 m, north up", "order the product again"))
    labels = order.location.get("labels")
    shape = (int(grid.shape[0]), int(grid.shape[1]))
    return Source(scene, open_clouds(Path(labels), shape) if labels else None, grid)


def _ready(path: Path, folder: Path) -> Path:
    """Where windows can be read: the path itself, or a compressed archive's unpacked copy."""
    if path.is_dir() or path.suffix == ".tar":
        return path
    return folder if folder.is_dir() else unpack(path, folder)
