"""The Python door of the mask network: an array in, labels and probabilities out.

    model = nndacss.load_mask_model()
    result = model(pixels, roles=("blue", "green", "red", "nir08"), metres=10)
    result.labels, result.probability

The network works at the pixel sizes its card states: finer images are averaged by a whole factor
(10 m by 2), and the probabilities come back bilinearly.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from nndacss.errors import InputError, complain
from nndacss.labels.climate import Climate
from nndacss.mask.settings import DEFAULT_WEIGHTS
from nndacss.mask.weights import mask_card
from nndacss.models.device import Choice, choose, hold
from nndacss.models.indices import indices_of, with_indices
from nndacss.models.tiled import Tiled
from nndacss.raster import Pixels
from nndacss.sensors import REFLECTIVE
from nndacss.tile.warp import source_window, warp

if TYPE_CHECKING:
    from nndacss.models.card import MaskCard
    from nndacss.models.landsat_clouds import CloudNetwork
    from nndacss.models.runner import Network

#: Reflectance beyond these is none: digital numbers, or a fill value that is not NaN. Cloud and
#: glint reach about 2; atmospheric correction takes shadows a little below 0.
LOWEST, HIGHEST = -1.0, 10.0
#: Rows and columns that are brought to the image's pixels at once.
BLOCK = 256


@dataclass(frozen=True)
class Prediction:
    """A mask and how sure the network was."""

    labels: NDArray[np.uint8]
    """(rows, columns) codes of `Climate`: 0 clear, 1 shadow, 2 snow, 3 cloud, 255 missing."""
    probability: Pixels
    """(4, rows, columns) float32, 0..1, sum 1, in the order of the codes; NaN where missing."""


def load_mask_model(
    name: str | Path = DEFAULT_WEIGHTS, device: Choice = "auto", threads: int | None = None
) -> MaskModel:
    """The mask network `name`: weights in `checkpoints/`, or the path of a card.

    `threads` (default: all cores) is how many tiles are predicted at once on the processor.
    Raises WeightsError where weights are missing, damaged or not of a mask, SettingsError where
    `device` is `cuda` and there is none.
    """
    mask_card(name)
    from nndacss.models.landsat_clouds import open_network

    chosen = "cuda:0" if choose(device) == "cuda" else "cpu"
    return MaskModel(open_network(name, chosen), threads or os.cpu_count() or 1)


class MaskModel:
    """Labels for images that come as arrays. Safe to use from several threads."""

    def __init__(self, network: Network | CloudNetwork, threads: int) -> None:
        self._network, self._threads = network, threads

    @property
    def card(self) -> MaskCard:
        """What the weights are: bands, training data, scores, limits, sha256."""
        return self._network.card

    def __call__(
        self,
        pixels: Any,
        roles: Sequence[str] = REFLECTIVE,
        metres: float = 30.0,
        *,
        nir_as_nir08: bool = False,
        visible_only: bool = False,
        push_broom: bool = True,
    ) -> Prediction:
        """The mask of one image of any size.

        `pixels` is (bands, rows, columns) reflectance (1.0 = 100 %), TOA or SR, float, NaN where
        missing; `roles` names its bands, any subset of the card's that holds those it requires
        (blue, green, red, nir08); `metres` is its pixel size. `nir_as_nir08` lets the broad near
        infrared `nir` (Sentinel-2's B08) stand for the narrow one; `visible_only` lets an image
        without near infrared pass, for what that is worth. `push_broom` says that the sensor sees
        bands one after the other, as Landsat-8/9 and Sentinel-2 do: then clouds lie a little
        elsewhere in each, and weights may go by that. Landsat-5 and -7 do not. North is up: where
        clouds cast their shadows is looked for in the image itself, west of them.

        A pixel is missing where one of the required bands is NaN; a gap in another band only
        means less to go by. Raises InputError where the image is not such an image.
        """
        from nndacss.models.runner import give_back_threads

        wanted = self._required(visible_only)
        names = _named(roles, self.card, wanted, nir_as_nir08)
        image = _checked(pixels, names)
        factor = working_factor(self.card, metres)
        planes = Planes(image, names, self.card, factor)
        required = [self.card.roles.index(role) for role in wanted]
        with hold(str(self._network.device)):
            network = self._network.suited(factor, push_broom)
            probability = self._field(network, planes, required, image.shape[1:])
            give_back_threads()
        missing = np.isnan(image[[names.index(role) for role in wanted]]).any(axis=0)
        probability[:, missing] = np.nan
        return Prediction(most_likely(probability), probability)

    def _required(self, visible_only: bool) -> tuple[str, ...]:
        return tuple(
            role
            for role in self.card.required
            if not visible_only or role in ("blue", "green", "red")
        )

    def _field(
        self,
        network: Network | CloudNetwork,
        planes: Planes,
        required: list[int],
        shape: tuple[int, ...],
    ) -> Pixels:
        """(classes, rows, columns) of the whole image, block by block."""
        fine = GeoBox((shape[0], shape[1]), Affine.scale(1, -1), None)
        coarse = GeoBox(planes.shape, fine.affine @ Affine.scale(planes.factor), None)
        result = np.empty((network.classes, *shape), dtype=np.float32)
        with Tiled(
            planes.shape, planes.read, network, required, self._threads, network.layout
        ) as tiles:
            for top in range(0, shape[0], BLOCK):
                for left in range(0, shape[1], BLOCK):
                    at = (
                        slice(top, min(top + BLOCK, shape[0])),
                        slice(left, min(left + BLOCK, shape[1])),
                    )
                    result[:, at[0], at[1]] = on_grid(tiles, coarse, fine[at])
        return result


def working_factor(card: MaskCard, metres: float) -> int:
    """How many pixels a side are averaged to one; InputError where none suits the card."""
    if not 0 < metres <= card.coarsest:
        expected = f"more than 0, at most {card.coarsest:g} m, which {card.name} was trained for"
        remedy = "give the pixel size in metres, or resample the image"
        raise InputError(complain("metres", f"{metres:g}", expected, remedy))
    return max(1, round(card.finest / metres))


def on_grid(tiles: Tiled, plane: GeoBox, grid: GeoBox) -> Pixels:
    """(classes, rows, columns) float32 on `grid`, from the field on its own `plane`.

    Bilinear; NaN where the plane's pixel that holds the centre is missing, or there is none.
    """
    rows, columns = source_window(plane, grid, margin=2)
    if rows.start == rows.stop or columns.start == columns.stop:
        return np.full((tiles.classes, *grid.shape), np.nan, dtype=np.float32)
    block = tiles.values(rows, columns)
    return warp(block, plane[rows, columns], grid, "bilinear")


def most_likely(probability: Pixels) -> NDArray[np.uint8]:
    """(rows, columns) uint8: the likeliest class, the first of equals; 255 where NaN."""
    missing = np.isnan(probability[0])
    labels = np.where(missing, Climate.NODATA, probability.argmax(axis=0))
    return labels.astype(np.uint8)


@dataclass(frozen=True)
class Planes:
    """An image as the network's planes at its working pixel size."""

    image: Pixels
    """(bands, rows, columns)."""
    names: tuple[str, ...]
    """Roles of the image's bands."""
    card: MaskCard
    """Its bands; NaN planes where the image has none."""
    factor: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the working image."""
        rows, columns = (-(-size // self.factor) for size in self.image.shape[1:])
        return rows, columns

    def read(self, rows: slice, columns: slice) -> Pixels:
        """A window of the working image: bands in the order of the card, then indices of them."""
        bands = self.card.bands
        rows_, columns_ = (
            slice(span.start * self.factor, span.stop * self.factor) for span in (rows, columns)
        )
        size = rows.stop - rows.start, columns.stop - columns.start
        result = np.full((len(bands), *size), np.nan, dtype=np.float32)
        where = [bands.index(name) for name in self.names]
        result[where] = block_mean(self.image[:, rows_, columns_], self.factor)
        return with_indices(result, bands, indices_of(self.card.roles))


def block_mean(pixels: Pixels, factor: int) -> Pixels:
    """Means of squares of `factor` pixels, of what is there of each; NaN where nothing is.

    The last square of a side may be cut by the image's edge.
    """
    if factor == 1:
        return pixels
    lack = [(0, -size % factor) for size in pixels.shape[1:]]
    whole = np.pad(pixels, ((0, 0), *lack), constant_values=np.nan)
    bands, rows, columns = whole.shape
    squares = whole.reshape(bands, rows // factor, factor, columns // factor, factor)
    there = np.count_nonzero(~np.isnan(squares), axis=(2, 4))
    total = np.nansum(squares, axis=(2, 4), dtype=np.float32)
    with np.errstate(invalid="ignore"):
        mean: Pixels = (total / there.astype(np.float32)).astype(np.float32)
    return mean


def _named(
    roles: Sequence[str], card: MaskCard, required: Sequence[str], nir_as_nir08: bool
) -> tuple[str, ...]:
    """The bands' names for the network; InputError where they do not suit it."""
    if isinstance(roles, str):
        raise InputError(complain("roles", repr(roles), "a sequence of names", "give a tuple"))
    names = tuple(roles)
    if nir_as_nir08 and "nir08" not in names:
        names = tuple("nir08" if name == "nir" else name for name in names)
    for role, other in card.stand_in.items():
        if role not in names:
            names = tuple(role if name == other else name for name in names)
    known = f"{card.name} knows {', '.join(card.bands)}"
    unknown = [name for name in names if name not in card.bands]
    if "nir" in unknown and "nir08" not in names:
        remedy = "say nir_as_nir08=True to let it stand for nir08"
        raise InputError(complain("roles", "nir", known, remedy))
    if unknown:
        raise InputError(complain("roles", ", ".join(unknown), known, "leave these bands out"))
    if len(set(names)) < len(names):
        raise InputError(complain("roles", ", ".join(names), "each band once", "correct roles"))
    lacking = [name for name in required if name not in names]
    if lacking:
        remedy = "give these bands too"
        if lacking == ["nir08"]:
            remedy += ", or say visible_only=True to do without near infrared"
        found = f"no {', '.join(lacking)} among {', '.join(names) or 'none'}"
        raise InputError(complain("roles", found, f"at least {', '.join(required)}", remedy))
    return names


def _checked(pixels: Any, names: tuple[str, ...]) -> Pixels:
    """The image as float32; InputError where it cannot be reflectance of these bands."""
    if isinstance(pixels, np.ma.MaskedArray):
        pixels = pixels.filled(np.nan) if pixels.dtype.kind == "f" else pixels.data
    image = np.asarray(pixels)
    if image.ndim != 3 or image.shape[0] != len(names) or 0 in image.shape:
        expected = f"(bands, rows, columns) with {len(names)} bands, as roles say"
        remedy = "put the bands on the first axis"
        raise InputError(complain("pixels", f"an array of shape {image.shape}", expected, remedy))
    expected = "reflectance as floats, 1.0 = 100 %, NaN where missing"
    remedy = "apply the product's scale and offset, and set its fill value to NaN"
    if image.dtype.kind != "f":
        raise InputError(complain("pixels", f"{image.dtype} numbers", expected, remedy))
    image = image.astype(np.float32, copy=False)
    if np.isnan(image).all():
        return image
    low, high = float(np.nanmin(image)), float(np.nanmax(image))
    if low < LOWEST or high > HIGHEST:
        found = f"values from {low:g} to {high:g}"
        raise InputError(complain("pixels", found, expected, remedy))
    return image
