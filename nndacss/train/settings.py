"""Settings of training: section `[train]`, its tables `[train.augment]`, `[train.paint]`, ..."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import Field, model_validator

from nndacss.inpaint.options import PaintSettings
from nndacss.models.darkness import Darkness
from nndacss.models.haze import Haze
from nndacss.models.parallax import Parallax
from nndacss.models.segmentation import MULTIPLE, Architecture, Scaling
from nndacss.settings import Settings
from nndacss.train.fit_settings import FitSettings

VERSION = 3

#: Offset and spread a role: near the mean and the scatter of top-of-atmosphere reflectance over
#: land and cloud together, rounded; fixed, so that weights and not data carry the meaning.
DEFAULT_SCALING = Scaling(
    offset={
        "blue": 0.2, "green": 0.2, "red": 0.2, "nir08": 0.3, "swir16": 0.2, "swir22": 0.15,
    },
    spread={
        "blue": 0.2, "green": 0.2, "red": 0.2, "nir08": 0.2, "swir16": 0.15, "swir22": 0.15,
    },
)  # fmt: skip


class AugmentSettings(Settings):
    """How a sample is varied; sizes in reflectance, `*_chance` is how often."""

    flip: bool = True
    """One of the eight turns and mirrorings of the square."""
    zoom: tuple[float, float] = (0.75, 1.4)
    """Smallest and largest magnification. A sample is never enlarged beyond its border, so one
    below 1 needs a crop smaller than the sample."""
    zoom_chance: float = Field(default=0.5, ge=0, le=1)
    resized: tuple[float, float] | None = None
    """Instead of `zoom`: every window is a random share of the sample's area between these two, 3:4
    to 4:3, brought to the crop's side (a random resized crop)."""
    drop_chance: float = Field(default=0.5, ge=0, le=1)
    """Leave out `swir16`, `swir22` or both, evenly: many sensors have no more than four bands."""
    drop_swir_chance: float = Field(default=0.0, ge=0, le=1)
    """Leave out both, besides: for a network that is often given four bands."""
    drop_nir_chance: float = Field(default=0.05, ge=0, le=1)
    """Leave out `nir08` as well as both short-wave bands."""
    brightness: float = Field(default=0.1, ge=0, lt=1)
    """Largest relative gain common to all bands: sun angle that was not allowed for."""
    gain: float = Field(default=0.05, ge=0, lt=1)
    """Largest relative gain of each band: calibration and band response."""
    offset: float = Field(default=0.01, ge=0)
    """Largest offset of each band: path radiance, an atmospheric correction's fault."""
    haze: float = Field(default=0.06, ge=0)
    """Largest path reflectance of an added haze in the blue band; it falls off with wavelength by
    a power between 0.5 (large particles) and 3, and dims the ground by the same share."""
    haze_chance: float = Field(default=0.3, ge=0, le=1)
    noise: float = Field(default=0.01, ge=0)
    """Largest standard deviation of added noise."""
    noise_chance: float = Field(default=0.25, ge=0, le=1)
    saturate: tuple[float, float] = (0.4, 1.2)
    """Where all bands are clipped, as in products scaled to 8 bit."""
    saturate_chance: float = Field(default=0.15, ge=0, le=1)
    saturate_apart: float = Field(default=0.0, ge=0, le=1)
    """Of these, in how many about half of the visible bands saturate, each at a level of its own,
    and no other: Landsat-5 and -7 show no more than 0.39 in blue, and bright cloud in near
    infrared as it is."""
    wedge_chance: float = Field(default=0.1, ge=0, le=1)
    """Make one side of a slanted line missing, as at the border of a scene."""
    wedge: float = Field(default=0.5, ge=0, le=1)
    """Largest distance of that line from the border, in half widths of the sample."""

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        if self.drop_chance + self.drop_swir_chance + self.drop_nir_chance > 1 + 1e-9:
            raise ValueError("drop_chance, drop_swir_chance and drop_nir_chance exceed 1 together")
        return self


class LossSettings(Settings):
    """What is minimised, see `nndacss.train.losses`."""

    balance: float = Field(default=0.5, ge=0, le=1)
    """Weight of a pixel: the share of its label among all labels to minus this power; 0 none."""
    balance_limit: float = Field(default=5.0, ge=1)
    """Largest ratio of two weights."""
    dice: float = Field(default=0.5, ge=0)
    """Weight of the soft Dice term beside the likelihood."""


#: What `transfer.encoder` may say besides a file: of the network's library, or of [pretrain].
IMAGENET, PRETRAINED = "imagenet", "pretrained"


class TransferSettings(Settings):
    """An encoder that has learned elsewhere: what it starts from, and how it is taken along.

    First `frozen_epochs` in which the encoder stays as it is (but for its norms, and its first
    layer where that was adapted to other bands), then the rest with all layers, the deeper ones
    slower. Each of the two phases is one cycle of the rate: up in its first quarter, then down
    (Smith 2018, arXiv:1803.09820, as fastai has it).
    """

    encoder: str = IMAGENET
    """`imagenet`: as published for the architecture's encoder, fetched; a file of such weights (a
    state dict of torchvision, timm or smp); `pretrained`: of the stage [pretrain]; "": random."""
    encoder_sha256: str = ""
    """Of the file; found where it is empty."""
    frozen_epochs: int = Field(default=3, ge=0)
    """Of `epochs`; an encoder that starts random is never frozen."""
    frozen_rate: float = Field(default=5.2e-4, gt=0)
    """Largest rate while the encoder is frozen; `rate` is that of the second phase."""
    lowest: float = Field(default=0.02, gt=0, le=1)
    """Share of the rate that the encoder's first layer gets in the second phase; from layer to
    layer it grows by a constant factor to the decoder's, which is 1."""
    find_rate: bool = False
    """Whether each phase finds its own largest rate, by a range test of 100 steps."""


class TrainSettings(FitSettings):
    """One supervised fit of a segmentation network."""

    SECTION = "train"
    architecture: Architecture = Architecture()
    scaling: Scaling = DEFAULT_SCALING
    indices: tuple[str, ...] | None = None
    """Planes that the network gets beside the bands, e.g. `ndvi`, see `nndacss.models.indices`;
    each needs its scaling."""
    transfer: TransferSettings | None = None
    """Where the encoder starts from what it learned elsewhere."""
    augment: AugmentSettings = AugmentSettings()
    paint: PaintSettings = PaintSettings()
    """Clouds and shadows painted into samples before they are augmented; off by default."""
    loss: LossSettings = LossSettings()
    lean: Mapping[str, float] = {}
    """Class -> what is added to its logit, in validation and in the exported network, not in the
    training loss: above 0 finds more of it. Weighted losses and labels of other archives leave a
    network more or less strict than people are. Choose it on held-out scenes."""
    darkness: Darkness | None = None
    """As `lean`, how much contrast with the ground around moves the odds of shadow in the exported
    network; `{}` takes the defaults. Fit and validation know nothing of it."""
    parallax: Parallax | None = None
    """As `darkness`, how displacement between bands moves the odds of cloud against snow and other
    bright ground."""
    haze: Haze | None = None
    """As `darkness`, how haze above that of clear ground around moves the odds of cloud."""
    margin: int = Field(default=0, ge=0)
    """As `darkness`, by how many of the network's pixels clouds and shadows reach further in images
    whose pixels are finer."""
    crop: int = Field(default=224, ge=32)
    """Side of a training window, a multiple of 32, drawn from within the sample."""
    folds: int = Field(default=5, ge=2)
    fold: int = Field(default=-1, ge=-1)
    """Which fold of the cross-validated data sets is held out; -1: none. The held-out fold is
    only watched: what is evaluated on must not choose."""
    fold_seed: int = Field(default=0, ge=0)
    """How scenes fall into folds: not the fit's seed, so that several seeds share their folds."""
    cross_validated: tuple[str, ...] = ("biome_chips",)
    """Data sets cut into folds by scene. All others train, but for their monitoring scenes."""
    best_by: Literal["loss", "iou"] = "iou"
    """Lowest loss or highest mean IoU."""
    purpose: str = "Cloud, shadow and snow in Landsat and Sentinel-2 images"

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.crop % MULTIPLE:
            raise ValueError(f"crop must be a multiple of {MULTIPLE}")
        low, high = self.augment.zoom
        if not 0 < low <= high:
            raise ValueError("augment.zoom must be two rising numbers above 0")
        if self.augment.saturate[0] > self.augment.saturate[1]:
            raise ValueError("augment.saturate must be two rising numbers")
        if self.fold >= self.folds:
            raise ValueError(f"fold must be below folds = {self.folds}")
        transfer = self.transfer
        if transfer and transfer.encoder and transfer.frozen_epochs >= self.epochs:
            raise ValueError("transfer.frozen_epochs must be fewer than epochs")
        if self.augment.resized and not 0 < self.augment.resized[0] <= self.augment.resized[1] <= 1:
            raise ValueError("augment.resized must be two rising shares, above 0 and up to 1")
        return self


SETTINGS = TrainSettings
