"""The weights of the Proba-V networks: cards of our own, or published Keras files. Light.

    generator   Proba-V's bands as Landsat-8 would see them   `nndacss.models.cyclegan.Generator`
    cloud       probability of cloud      `nndacss.models.separable_unet.CloudNet`

Wherever weights are named, a name in `checkpoints/`, the path of a card, or the path of a Keras
file (`.hdf5`) as its authors publish it will do. The networks come from `probav_networks`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from nndacss.download import checksum
from nndacss.errors import WeightsError, complain
from nndacss.models.card import Card, find, is_keras, load_card
from nndacss.settings import Settings

#: Our own weights, in `checkpoints/`.
DEFAULT_GENERATOR, DEFAULT_CLOUD = "probav_generator_v1", "probav_cloud_v1"
#: The published ones, as their repository (IPL-UV/pvl8dagans) names the files.
PUBLISHED_GENERATOR, PUBLISHED_CLOUD = "full.hdf5", "cloud_detection_l8.hdf5"
#: Roles of Proba-V's bands, in the networks' order.
ROLES = ("blue", "red", "nir", "swir16")


class GeneratorArchitecture(Settings):
    """See `nndacss.models.cyclegan.Generator`."""

    bands: int = 4
    filters: int = 64
    norm: Literal["batchnorm", "instancenorm", "none"] = "batchnorm"


class CloudArchitecture(Settings):
    """See `nndacss.models.separable_unet.CloudNet`; scale and offset are in the weights."""

    bands: int = 4
    filters: int = 32


class GeneratorCard(Card):
    """Weights that translate images of one sensor into another's."""

    OF: ClassVar[str] = " of a generator"
    family: Literal["cyclegan"] = "cyclegan"
    architecture: GeneratorArchitecture = GeneratorArchitecture()
    source: str
    """Whose images it takes, a module of `nndacss.sensors`."""
    target: str
    """Whose images it makes them like."""


class CloudCard(Card):
    """Weights that give the probability of cloud."""

    OF: ClassVar[str] = " of a cloud network"
    family: Literal["separable_unet"] = "separable_unet"
    architecture: CloudArchitecture = CloudArchitecture()


@dataclass(frozen=True)
class Chosen:
    """Weights as they were asked for, found and identified."""

    path: Path
    """The card, or the Keras file."""
    sha256: str
    """Of the weights."""
    name: str
    simulated: bool
    """Whether they were trained on simulated images, wholly or in part."""
    notes: tuple[str, ...] = ()

    @property
    def keras(self) -> bool:
        """Whether it is a Keras file."""
        return is_keras(self.path)

    def told(self) -> dict[str, Any]:
        """For a product's metadata."""
        return {"name": self.name, "sha256": self.sha256, "simulated": self.simulated}


def choose(name: str | Path, kind: type[GeneratorCard] | type[CloudCard]) -> Chosen:
    """Weights by name or path; WeightsError where there are none, or of another kind.

    A generator must take Proba-V's images.
    """
    path = Path(name)
    if is_keras(path):
        if not path.is_file():
            remedy = "check the path, or leave it out for our own weights"
            raise WeightsError(complain(path, "no such file", "a Keras weights file", remedy))
        return Chosen(path, checksum(path), path.stem, simulated=False)
    card = load_card(name, kind)
    if card.roles != ROLES:
        found = f"weights for the bands {', '.join(card.roles)}"
        raise WeightsError(complain(name, found, ", ".join(ROLES), "choose weights for Proba-V"))
    if isinstance(card, GeneratorCard) and card.source != "probav":
        found = f"a generator that takes images of {card.source}"
        remedy = "choose the other generator of that training"
        raise WeightsError(complain(name, found, "one that takes probav", remedy))
    return Chosen(find(name), card.sha256, card.name, _simulated(card.training), card.notes)


def published(folder: Path) -> tuple[Path, Path]:
    """Generator and cloud network in a folder with the published files."""
    return folder / PUBLISHED_GENERATOR, folder / PUBLISHED_CLOUD


def _simulated(training: Mapping[str, Any]) -> bool:
    """A card that does not say counts as trained on simulated images."""
    return bool(training.get("simulated", True))
