"""Harmonizers on real Landsat crops, where there is no truth: whether they give the scene back.

The output is taken back to Landsat's bands (the spectral step undone), blurred by OLI's point
spread, averaged to the scene's own pixels and compared with them, where all is clear and known.
That says that a method keeps the radiometry; that its detail is right it cannot say. Seams are to
be read beside those of cubic, which has none: a crop has few window borders, and the ground there
may be rougher or smoother than around.
"""

from __future__ import annotations

import json
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from harmonizer_methods import BANDPASS, CUBIC, TARGET, Network
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from rich.console import Console
from rich.table import Table
from scipy.ndimage import binary_dilation

from nndacss.errors import DatasetError, LossWarning, complain
from nndacss.harmonize.bandpass import adjust
from nndacss.harmonize.fields import field
from nndacss.harmonize.pan import sharpen
from nndacss.harmonize.spectral import Spectral, bandpass_spectral, step, unchanged
from nndacss.metrics.image import compare
from nndacss.models.harmonizer_card import ROLES
from nndacss.pairs.degrade import OLI_SIGMA, oli_spread
from nndacss.product.checks import Seams, cut
from nndacss.raster import Pixels, Raster
from nndacss.readers import find_l1, open_scene, unpack
from nndacss.readers.scene import Scene
from nndacss.tile.grid import METRES, output_grid
from nndacss.tile.settings import TileSettings
from nndacss.tile.warp import Kernel, nearest, warp

#: Per band, reflectance: what a product may be off its scene.
BIAS, RMSE = 0.002, 0.01
#: QA_PIXEL bits that make a pixel not clear: fill, dilated cloud, cirrus, cloud, shadow, snow.
NOT_CLEAR = 0b111111
#: SR and TOA of Collection 2, factor and offset (USGS LSDS-1619, LSDS-1822).
SR, TOA = (2.75e-5, -0.2), (2e-5, -0.1)


@dataclass(frozen=True)
class Planes:
    """Bands in memory that can be read like a scene: two dates come as plain rasters."""

    planes: Mapping[str, tuple[Pixels, GeoBox]]
    """Role -> (rows, columns) reflectance, and its grid."""
    codes: NDArray[np.uint16]
    """QA_PIXEL on the grid of the bands."""

    @property
    def roles(self) -> tuple[str, ...]:
        """What can be read."""
        return tuple(self.planes)

    def grid(self, role: str) -> GeoBox:
        """The band's own pixel plane."""
        return self.planes[role][1]

    def read(
        self, roles: Sequence[str], grid: GeoBox | None = None, kernel: Kernel = "cubic"
    ) -> Raster:
        """As a scene's `read`."""
        wanted = self.grid(roles[0]) if grid is None else grid
        bands = [self.planes[role][0] for role in roles]
        if all(self.grid(role) == wanted for role in roles):
            return Raster(np.stack(bands), wanted, tuple(roles))
        warped = [
            warp(band[None], self.grid(role), wanted, kernel)[0]
            for role, band in zip(roles, bands, strict=True)
        ]
        return Raster(np.stack(warped), wanted, tuple(roles))

    def quality(self, grid: GeoBox | None = None) -> NDArray[np.uint16]:
        """QA_PIXEL on `grid`; 1 is outside."""
        own = self.grid("blue")
        return self.codes if grid is None else nearest(self.codes[None], own, grid, 1)[0]


@dataclass(frozen=True)
class Crop:
    """A piece of a real scene and what the product would make of its grid."""

    name: str
    scene: Scene | Planes

    @cached_property
    def grid(self) -> GeoBox:
        """The product's: 10 m, edges at multiples of 10 m."""
        return output_grid(self.scene.grid(ROLES[0]), TileSettings())

    @cached_property
    def inputs(self) -> Pixels:
        """What a harmonizer sees on the whole grid, (7, rows, columns)."""
        return self.seen(self.grid)

    def seen(self, grid: GeoBox) -> Pixels:
        """A harmonizer's input on any grid; pan all NaN where there is none."""
        bands = self.scene.read(ROLES, grid).pixels
        if "pan" in self.scene.roles:
            return np.concatenate([bands, self.scene.read(["pan"], grid).pixels])
        return np.concatenate([bands, np.full_like(bands[:1], np.nan)])

    def through(self, network: Network) -> Pixels:
        """(12, rows, columns): window by window, as the product does it."""
        result = np.full((2 * len(ROLES), *self.grid.shape), np.nan, dtype=np.float32)
        with field(network.harmonizer, self.seen, self.grid, threads=1) as values:
            for place in cut(self.grid, TileSettings()).windows:
                result[:, *place] = values(self.grid[place])
        return result

    def clear(self, grid: GeoBox) -> NDArray[np.bool_]:
        """(rows, columns): by QA_PIXEL; everywhere where the crop has none."""
        codes = self.scene.quality(grid)
        return np.ones(grid.shape, dtype=np.bool_) if codes is None else codes & NOT_CLEAR == 0

    def outputs(self, networks: Sequence[Network]) -> Iterator[tuple[str, Pixels, Spectral]]:
        """Method, (6, rows, columns) of its output, and the step from Landsat's bands in it."""
        yield CUBIC, self.inputs[:-1], unchanged(ROLES)
        sharp = self.inputs[:-1]
        if "pan" in self.scene.roles:
            sharp = sharpen(self.scene, ROLES, self.grid)[0]
        yield BANDPASS, adjust(sharp, ROLES, TARGET), bandpass_spectral(TARGET, ROLES)
        for network in networks:
            ours = all(card.family == "detail" for card in network.harmonizer.cards)
            used = step(TARGET) if ours else bandpass_spectral(TARGET, ROLES)
            yield network.name, self.through(network)[: len(ROLES)], used


@contextmanager
def crops(data: Path) -> Iterator[Iterator[Crop]]:
    """Surface reflectance with all six bands: the USGS crops, then two dates with pan."""
    with tempfile.TemporaryDirectory() as folder:
        yield _crops(data, Path(folder))


def _crops(data: Path, folder: Path) -> Iterator[Crop]:
    for path in sorted((data / "landsat-c2-crops").glob("*_L2SP_*.tar.gz")):
        # unpacked: read in place, GDAL would write a file beside each archive
        archives = (path, find_l1(path))
        places = [unpack(each, folder / each.name) if each else None for each in archives]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", LossWarning)
            scene = open_scene(places[0], places[1])
        if set(ROLES) <= set(scene.roles):
            yield Crop(path.name.split("_02_")[0], scene)
    for path in sorted((data / "deep-harmonization-inputs").glob("*_SR.tif")):
        yield Crop(path.name.split("_02_")[0], two_rasters(path))


def two_rasters(path: Path) -> Planes:
    """The crop at `path` (blue ... swir22 as counts, QA_PIXEL) with the pan raster beside it."""
    beside = path.name.replace("L2SP", "L1TP").replace("_SR.tif", "")
    tables = json.loads(path.with_name(beside + ".json").read_text())["LANDSAT_METADATA_FILE"]
    sun = np.sin(np.radians(float(tables["IMAGE_ATTRIBUTES"]["SUN_ELEVATION"])))
    planes = {}
    with rasterio.open(path) as file:
        counts, grid = file.read(), GeoBox.from_rio(file)
    for role, band in zip(ROLES, counts, strict=False):
        planes[role] = (np.where(band > 0, band * SR[0] + SR[1], np.nan).astype(np.float32), grid)
    with rasterio.open(path.with_name(beside + ".tif")) as file:
        pan, fine = file.read(1), GeoBox.from_rio(file)
    reflectance = np.where(pan > 0, (pan * TOA[0] + TOA[1]) / sun, np.nan)
    planes["pan"] = (reflectance.astype(np.float32), fine)
    return Planes(planes, counts[len(ROLES)].astype(np.uint16))


def brought_back(pixels: Pixels, used: Spectral, crop: Crop) -> tuple[Pixels, Pixels]:
    """The output on the scene's own pixels, and the scene; NaN where not clear or not known."""
    lost = np.isnan(pixels).any(axis=0)
    lost[[0, -1]] = lost[:, [0, -1]] = True
    reach = 2 * int(np.ceil(3 * OLI_SIGMA[30] / METRES)) + 1
    near = binary_dilation(lost, np.ones((reach, reach)))
    blurred = oli_spread(used.inverse().apply(pixels), OLI_SIGMA[30], METRES)
    own = crop.scene.grid(ROLES[0])
    share = warp(near[None].astype(np.float32), crop.grid, own, "average")[0]
    averaged = warp(np.nan_to_num(blurred).astype(np.float32), crop.grid, own, "average")
    whole = (np.nan_to_num(share, nan=1.0) < 1e-4) & crop.clear(own)
    return np.where(whole, averaged, np.float32(np.nan)), crop.scene.read(ROLES).pixels


def energy(pixels: Pixels) -> NDArray[np.float64]:
    """(bands,) mean squared gradient, reflectance squared per pixel of 10 m."""
    down, across = (np.square(np.diff(pixels, axis=axis).astype(np.float64)) for axis in (1, 2))
    return np.asarray(np.nanmean(down, axis=(1, 2)) + np.nanmean(across, axis=(1, 2)))


def seams(pixels: Pixels, grid: GeoBox) -> float | None:
    """Mean step at window borders over that inside; None where the crop has no border."""
    lattice, found = cut(grid, TileSettings()), Seams()
    found.add(pixels, (slice(0, grid.shape[0]), slice(0, grid.shape[1])), lattice)
    ratio: float | None = found.result()["windows"]
    return ratio


def measure_real(data: Path, networks: Sequence[Network]) -> list[dict[str, Any]]:
    """Per crop and method: bias and RMSE against the scene, sharpness, seams."""
    with crops(data) as found:
        scores = [_measure(crop, networks) for crop in found]
    if not scores:
        remedy = "give the folder that holds landsat-c2-crops as --data"
        raise DatasetError(complain(data, "no crops", "real Landsat crops", remedy))
    return scores


def _measure(crop: Crop, networks: Sequence[Network]) -> dict[str, Any]:
    methods: dict[str, Any] = {}
    sharpness: dict[str, NDArray[np.float64]] = {}
    clear = crop.clear(crop.grid)
    for name, pixels, used in crop.outputs(networks):
        sums = compare(*brought_back(pixels, used, crop))
        sharpness[name] = energy(np.where(clear, pixels, np.float32(np.nan)))
        methods[name] = {
            "pixels": int(sums.pixels.min()),
            "bias": dict(zip(ROLES, sums.bias().tolist(), strict=True)),
            "rmse": dict(zip(ROLES, sums.rmse().tolist(), strict=True)),
            "seams": seams(pixels, crop.grid),
        }
        for rival in (CUBIC, BANDPASS):
            if rival in sharpness:
                ratio = (sharpness[name] / sharpness[rival]).tolist()
                methods[name][f"energy over {rival}"] = dict(zip(ROLES, ratio, strict=True))
    return {
        "crop": crop.name,
        "pan": "pan" in crop.scene.roles,
        "quality": crop.scene.quality() is not None,
        "methods": methods,
    }


def over_limits(scores: Mapping[str, Any]) -> list[str]:
    """Bands whose bias or RMSE is beyond the limits."""
    found = [f"bias {role}" for role, value in scores["bias"].items() if abs(value) > BIAS]
    return found + [f"RMSE {role}" for role, value in scores["rmse"].items() if value > RMSE]


def show_real(found: Sequence[Mapping[str, Any]], console: Console) -> None:
    """One table a crop: bias / RMSE x 10,000 per band, sharpness per band, seams, verdict."""
    for crop in found:
        pan = "with pan" if crop["pan"] else "no pan"
        quality = "clear pixels" if crop["quality"] else "all pixels (no QA band)"
        table = Table(title=f"{crop['crop']}, {pan}, {quality}: brought back to 30 m minus scene")
        table.add_column("")
        for role in ROLES:
            table.add_column(f"{role}\nbias, RMSE x 10,000", justify="right")
        for title in ("gradient energy over\ncubic, band by band", "seams", f"{BIAS}, {RMSE}"):
            table.add_column(title, justify="right")
        for name, scores in crop["methods"].items():
            cells = [
                f"{1e4 * scores['bias'][role]:+.1f}, {1e4 * scores['rmse'][role]:.0f}"
                for role in ROLES
            ]
            energies = scores[f"energy over {CUBIC}"].values()
            cells.append(" ".join(f"{value:.2f}" for value in energies))
            cells.append("" if scores["seams"] is None else f"{scores['seams']:.3f}")
            cells.append(", ".join(over_limits(scores)) or "kept")
            table.add_row(Path(name).stem, *cells)
        console.print(table)
    for name in found[0]["methods"]:
        kept = sum(not over_limits(crop["methods"][name]) for crop in found)
        console.print(f"{Path(name).stem}: limits kept on {kept} of {len(found)} crops")
