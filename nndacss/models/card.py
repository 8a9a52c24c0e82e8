"""Weights with their card: `<name>.safetensors` beside `<name>.json`.

The card says what the weights are for, so that nothing about a model is known only to code: bands,
scaling, classes, training data, scores, licence. Its sha256 is the weights' identity in recipes.
Reading a card is light (no torch); reading weights runs no foreign code (safetensors).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

from pydantic import Field, ValidationError

from nndacss.errors import WeightsError, complain
from nndacss.identity import drafted
from nndacss.models.darkness import Darkness
from nndacss.models.haze import Haze
from nndacss.models.indices import bands_of
from nndacss.models.parallax import Parallax
from nndacss.models.segmentation import Architecture, Scaling
from nndacss.resources import folder
from nndacss.settings import Settings

if TYPE_CHECKING:
    from torch import Tensor


class Card(Settings):
    """What a reader, a user and a program must know of any weights."""

    OF: ClassVar[str] = ""
    """Ends the sentence "expected a weights card ..."."""
    name: str
    """File name of card and weights."""
    purpose: str
    """One sentence: what it does, for which images."""
    roles: tuple[str, ...]
    """Bands the network knows, in the order of its input planes."""
    levels: tuple[str, ...] = ("TOA", "SR")
    """Which reflectance it was trained on."""
    training: Mapping[str, Any]
    """Data (with counts and what is simulated), recipe, digest, seeds, steps."""
    scores: tuple[Mapping[str, Any], ...] = ()
    """What was measured, on which data, by which command."""
    licence: str
    notes: tuple[str, ...] = ()
    """Limits a user must know."""
    sha256: str
    """Of the weights file."""

    def inscribed(self) -> Mapping[str, str]:
        """What changes results though the tensors stay: written into the file, so into its sha256.

        That sum is the weights' identity, and a product made otherwise must have another recipe.
        """
        return {}


class MaskCard(Card):
    """Weights that tell classes apart."""

    OF: ClassVar[str] = " of a mask"
    architecture: Architecture
    required: tuple[str, ...] = ("blue", "green", "red", "nir08")
    """Bands an image must have."""
    stand_in: Mapping[str, str] = {}
    """Role -> the one that is read instead where an image does not have it."""
    scheme: str = "climate"
    """Module of `nndacss.labels`."""
    classes: tuple[str, ...]
    """Class k is code k of the labels."""
    scaling: Scaling
    darkness: Darkness | None = None
    """How contrast moves the odds of shadow once the network has spoken; none: it does not."""
    parallax: Parallax | None = None
    """How displacement between bands moves the odds of cloud before that; none: it does not."""
    haze: Haze | None = None
    """How haze moves the odds of cloud before both; none: it does not."""
    margin: int = Field(default=0, ge=0)
    """Pixels of `finest` by which clouds and shadows reach further in images of finer pixels."""
    finest: float = 20.0
    """Metres: finer images are averaged to pixels of at least this before the network sees them,
    and its probabilities brought back."""
    coarsest: float = 60.0
    """Metres: largest pixel it was trained for, with some margin."""

    @property
    def bands(self) -> tuple[str, ...]:
        """What an image may give it: its planes are bands, then indices of them."""
        return bands_of(self.roles)

    def inscribed(self) -> Mapping[str, str]:
        """How shadow and cloud are found beyond the network, if they are."""
        parts = {"darkness": self.darkness, "parallax": self.parallax, "haze": self.haze}
        found = {name: part.model_dump_json() for name, part in parts.items() if part is not None}
        return found | ({"margin": str(self.margin)} if self.margin else {})


class LandCoverCard(MaskCard):
    """Weights that tell kinds of land cover apart."""

    OF: ClassVar[str] = " of land cover"
    scheme: Literal["land_cover"] = "land_cover"
    levels: tuple[str, ...] = ("SR",)
    finest: float = 10.0
    coarsest: float = 20.0


class EncoderCard(Card):
    """Weights of an encoder that learned to tell whole patches apart."""

    OF: ClassVar[str] = " of an encoder"
    architecture: Architecture
    scaling: Scaling
    classes: tuple[str, ...]


#: Label scheme -> the kind of card that its weights have; any other has that of a mask.
KINDS: Mapping[str, type[MaskCard]] = {"land_cover": LandCoverCard}


C = TypeVar("C", bound=Card)

#: Endings of published Keras files.
KERAS = (".hdf5", ".h5")


def is_keras(path: str | Path) -> bool:
    """Whether a path names a Keras weights file, by its ending."""
    return Path(path).suffix.lower() in KERAS


def find(name: str | Path) -> Path:
    """The card of weights given by name (in `checkpoints/`) or by path (card or weights file).

    A published Keras file has no card and is found itself.
    """
    given = Path(name)
    if is_keras(given):
        return given
    places = [given.with_suffix(".json")] if given.suffix in (".json", ".safetensors") else []
    places += [folder("checkpoints") / f"{name}.json", given.with_name(given.name + ".json")]
    for place in places:
        if place.is_file():
            return place
    known = ", ".join(sorted(file.stem for file in folder("checkpoints").glob("*.json"))) or "none"
    expected = f"a card's path, or one of the installed weights: {known}"
    raise WeightsError(complain(name, "no such weights", expected, "check the name"))


def load_card(name: str | Path, kind: type[C]) -> C:
    """The card alone; WeightsError where it is missing or not a card of that kind."""
    path = find(name)
    if is_keras(path):
        return _published(path, kind)
    try:
        return kind.model_validate(json.loads(path.read_text()))
    except (ValueError, ValidationError) as error:
        found = _fault(error)
        remedy = "name weights of that kind, or export them again"
        raise WeightsError(complain(path, found, f"a weights card{kind.OF}", remedy)) from error


def _published(path: Path, kind: type[C]) -> C:
    """What stands for the card of a published Keras file, of which we know masks only."""
    from nndacss.models.landsat_clouds import card_of

    card = card_of(path)
    if not isinstance(card, kind):
        found = "published weights of a mask"
        raise WeightsError(complain(path, found, f"weights{kind.OF}", "name weights of that kind"))
    return card


def _fault(error: ValueError) -> str:
    """What is wrong with a card, in a few words: what it lacks, else its first wrong value."""
    if not isinstance(error, ValidationError):
        return " ".join(str(error).split())[:300]
    faults = [(".".join(str(part) for part in one["loc"]), one) for one in error.errors()]
    lacking = [key for key, one in faults if one["type"] == "missing"]
    if lacking:
        return f"no {', '.join(lacking)}"
    key, first = faults[0]
    return f"{key or 'card'}: {first['msg']}"


def load_weights(name: str | Path, kind: type[C]) -> tuple[C, dict[str, Tensor]]:
    """Card and float32 tensors; WeightsError where the file is not what the card says."""
    card, path = load_card(name, kind), find(name).with_suffix(".safetensors")
    if not path.is_file():
        remedy = "put it beside its card"
        raise WeightsError(complain(path, "no weights file", "the card's weights", remedy))
    data = path.read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != card.sha256:
        expected = f"{card.sha256[:12]}..., as its card says"
        remedy = "the file is damaged or of another card: fetch both again"
        raise WeightsError(complain(path, f"sha256 {found[:12]}...", expected, remedy))
    from safetensors.torch import load

    return card, {
        key: value.float() if value.is_floating_point() else value
        for key, value in load(data).items()
    }


def save_weights(card: C, tensors: Mapping[str, Tensor], path: Path) -> C:
    """Write `<path>.safetensors`, then the card with its sha256; returns the card as written."""
    from safetensors.torch import save

    planes = {key: value.contiguous() for key, value in tensors.items()}
    data = save(planes, dict(card.inscribed()) or None)
    complete = card.model_copy(update={"sha256": hashlib.sha256(data).hexdigest()})
    with drafted(path.with_name(path.name + ".safetensors")) as draft:
        draft.write_bytes(data)
    with drafted(path.with_name(path.name + ".json")) as draft:
        text = json.dumps(complete.model_dump(mode="json"), indent=2, sort_keys=True)
        draft.write_text(text + "\n")
    return complete
