"""The learned mask: a segmentation network on the scene's own pixels.

The network sees what it was trained on: the scene's own pixels, never resampled (Landsat at
30 m; Sentinel-2 averaged to 20 m), and not the 10 m image, which shows nothing more and has nine
or four times the pixels. Its tiles lie on a lattice of the scene. Only the probabilities are
warped, bilinearly, to the product's grid, and the label is the likeliest class there. So neither
the output grid, nor an area of interest, nor how the work is shared changes what is predicted.

Where the Level-1 product is at hand the network sees top-of-atmosphere reflectance, since
atmospheric correction means little over cloud; else surface reflectance.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from affine import Affine
from odc.geo.geobox import GeoBox

from nndacss.errors import InputError, NndacssError, complain
from nndacss.mask.morphology import active, halo, treat
from nndacss.mask.result import Masked
from nndacss.mask.settings import MaskSettings
from nndacss.mask.weights import mask_card
from nndacss.models.card import MaskCard, find
from nndacss.models.device import claim
from nndacss.models.indices import indices_of, with_indices
from nndacss.models.mask_model import block_mean, most_likely, on_grid, working_factor
from nndacss.models.tiled import Tiled
from nndacss.raster import Pixels
from nndacss.readers.scene import Scene

if TYPE_CHECKING:
    from nndacss.models.landsat_clouds import CloudNetwork
    from nndacss.models.runner import Network


@dataclass(frozen=True)
class View:
    """A scene as the network sees it."""

    scene: Scene
    roles: tuple[str, ...]
    """The network's bands, as the scene names them."""
    plane: GeoBox
    """Its working pixels: the red band's own, averaged by `factor`."""
    factor: int
    indices: tuple[str, ...] = ()
    """What the network gets beside the bands."""

    def read(self, rows: slice, columns: slice) -> Pixels:
        """(bands and indices, rows, columns); NaN where missing, and in bands there are not."""
        window = self.plane[rows, columns]
        result = np.full((len(self.roles), *window.shape), np.nan, dtype=np.float32)
        for roles, factor in self._by_size():
            grid = _finer(window, factor)
            where = [self.roles.index(role) for role in roles]
            result[where] = block_mean(self.scene.read(roles, grid).pixels, factor)
        return with_indices(result, self.roles, self.indices)

    def _by_size(self) -> Iterator[tuple[Sequence[str], int]]:
        """Bands that there are: those that are averaged, and those that are as coarse or coarser.

        A band is read on its own pixels or averaged from them wherever its lattice allows.
        """
        metres = abs(self.plane.affine.a)
        fine: list[str] = []
        coarse: list[str] = []
        for role in self.roles:
            if role in self.scene.roles:
                own = abs(self.scene.grid(role).affine.a)
                (fine if own * 1.5 < metres else coarse).append(role)
        if fine:
            yield fine, self.factor
        if coarse:
            yield coarse, 1


def _finer(grid: GeoBox, factor: int) -> GeoBox:
    """Each pixel cut in `factor` times `factor`."""
    rows, columns = grid.shape
    return GeoBox(
        (rows * factor, columns * factor), grid.affine @ Affine.scale(1 / factor), grid.crs
    )


def see(scene: Scene, card: MaskCard, settings: MaskSettings) -> View:
    """The view of a scene for a network; InputError where it lacks what the network needs."""
    image = image_of(scene, card, settings)
    lacking = [role for role in _named(card.required, card, image) if role not in image.roles]
    if lacking:
        remedy = "use mask.method = quality or spectral"
        expected = f"{', '.join(card.required)}, which {card.name} requires"
        raise InputError(
            complain(image.identity.name, f"no {', '.join(lacking)}", expected, remedy)
        )
    own = image.grid("red")
    factor = working_factor(card, abs(own.affine.a))
    rows, columns = (-(-size // factor) for size in own.shape)
    plane = GeoBox((rows, columns), own.affine @ Affine.scale(factor), own.crs)
    bands = _named(card.bands, card, image)
    return View(image, bands, plane, factor, indices_of(card.roles))


def _named(roles: Sequence[str], card: MaskCard, scene: Scene) -> tuple[str, ...]:
    """The network's bands by the names under which the scene has them."""
    return tuple(role if role in scene.roles else card.stand_in.get(role, role) for role in roles)


def image_of(scene: Scene, card: MaskCard, settings: MaskSettings) -> Scene:
    """The product whose reflectance the network sees, by `mask.level`."""
    first: Scene | None = getattr(scene, "level_1", None)  # only some readers pair products
    if first is not None and not set(_named(card.required, card, first)) <= set(first.roles):
        first = None
    image = first if first is not None and settings.level != "SR" else scene
    wanted = card.levels if settings.level == "auto" else (settings.level,)
    if image.level in wanted:
        return image
    expected = f"{' or '.join(wanted)} reflectance for mask.level = {settings.level}"
    remedy = "give the Level-1 product along (--l1), or choose another mask.level or mask.method"
    raise InputError(complain(scene.identity.name, f"{image.level} reflectance", expected, remedy))


def suits(scene: Scene, card: MaskCard, settings: MaskSettings) -> bool:
    """Whether the network can be used on the scene."""
    try:
        see(scene, card, settings)
    except NndacssError:
        return False
    return True


class Labeller:
    """Windows of one scene's mask. Safe to use from several threads."""

    def __init__(self, scene: Scene, view: View, tiles: Tiled, settings: MaskSettings) -> None:
        self._scene, self._view, self._tiles, self._settings = scene, view, tiles, settings

    def __call__(self, grid: GeoBox) -> Masked:
        """One window of any grid, a pure function of its place."""
        settings, metres = self._settings, abs(grid.affine.a)
        around = halo(settings, metres)
        wide = grid.pad(around) if around else grid
        probability = on_grid(self._tiles, self._view.plane, wide)
        labels = most_likely(probability)
        raw = None
        if active(settings):
            inside = np.s_[around : around + grid.shape[0], around : around + grid.shape[1]]
            raw = labels[inside]
            labels = treat(labels, probability, settings, metres)[inside]
            probability = probability[(slice(None), *inside)]
        return Masked(
            labels,
            self._scene.quality(grid),
            probability if settings.probability else None,
            raw,
        )


@contextmanager
def labeller(scene: Scene, settings: MaskSettings, threads: int) -> Iterator[Labeller]:
    """Hold a device and the network for one scene; errors come before any work."""
    card = mask_card(settings.weights)
    view = see(scene, card, settings)
    with claim(settings.device) as device:
        network = _network(str(find(settings.weights)), card.sha256, device).suited(view.factor)
        required = [card.roles.index(role) for role in card.required]
        rows, columns = view.plane.shape
        layout = network.layout
        with Tiled((rows, columns), view.read, network, required, threads, layout) as tiles:
            yield Labeller(scene, view, tiles, settings)


@lru_cache(maxsize=2)
def _network(card: str, sha256: str, device: str) -> Network | CloudNetwork:
    del sha256  # part of the key: a file may be replaced
    from nndacss.models.landsat_clouds import open_network

    return open_network(card, device)


def mask(scene: Scene, grid: GeoBox, settings: MaskSettings) -> Masked:
    """One window by itself; many windows of a scene are cheaper through `labeller`."""
    with labeller(scene, settings, threads=1) as label:
        return label(grid)


METHOD = mask
