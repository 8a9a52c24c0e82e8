"""Every kind of model behind one call: a sample in, labels out at the sample's own pixels.

A model that cannot work on an image (bands it needs are not there) raises `Unsuited`; the tables
then say so instead of a number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from nndacss.datasets import Sample
from nndacss.errors import SettingsError
from nndacss.evaluate.settings import TestData
from nndacss.plugins import load
from nndacss.raster import Pixels

Labels = NDArray[np.uint8]


class Unsuited(Exception):  # noqa: N818 - an answer, not an error
    """The model cannot say anything about such images; the message says why in a few words."""


class Model(Protocol):
    """What is scored."""

    @property
    def facts(self) -> Mapping[str, Any]:
        """What a report says of it: `name`, `classes` that it knows, `training` (`data`), ..."""

    def __call__(self, sample: Sample, entry: TestData) -> Labels:
        """(rows, columns) class codes of the sample's scheme, 255 where it says nothing."""


class Said(Protocol):
    """Labels with the probabilities that they come from."""

    @property
    def labels(self) -> Labels: ...  # noqa: D102

    @property
    def probability(self) -> Pixels: ...  # noqa: D102


@runtime_checkable
class Probable(Protocol):
    """A model that says how sure it is."""

    def predict(self, sample: Sample, entry: TestData) -> Said:
        """(rows, columns) labels, and (classes, rows, columns) probabilities, NaN where none."""


@dataclass(frozen=True)
class Network:
    """Weights of this package."""

    model: Any
    """A `nndacss.models.mask_model.MaskModel`."""
    facts: Mapping[str, Any]
    metres: float = 0.0
    """Finer images are averaged to about this first; 0: as they are (the model averages itself)."""

    @classmethod
    def load(cls, name: str | Path, metres: float = 0.0, threads: int | None = None) -> Network:
        """By name in `checkpoints/`, or by path of card or weights."""
        from nndacss.models.mask_model import load_mask_model

        model = load_mask_model(name, threads=threads)
        card = model.card
        facts = {
            "kind": "weights",
            "name": card.name,
            "sha256": card.sha256,
            "classes": list(card.classes),
            "training": dict(card.training),
        }
        return cls(model, facts, metres)

    def __call__(self, sample: Sample, entry: TestData) -> Labels:
        """Labels of one sample."""
        card = self.model.card
        roles, pixels = known_bands(sample, card.bands, entry.nir_as_nir08)
        near = {"nir", "nir08"} & set(roles)
        push_broom = load("sensors", sample.sensor).push_broom
        if not near and not entry.visible_only:
            raise Unsuited("needs near infrared")
        if sample.metres > card.coarsest:
            raise Unsuited(f"is for pixels of at most {card.coarsest:g} m")

        def predict(small: Pixels, metres: float) -> Labels:
            labels: Labels = self.model(
                small,
                roles=roles,
                metres=metres,
                nir_as_nir08=entry.nir_as_nir08,
                visible_only=not near,
                push_broom=push_broom,
            ).labels
            return labels

        return at_metres(pixels, sample.metres, self.metres, predict)


def known_bands(
    sample: Sample, known: Sequence[str], nir_as_nir08: bool
) -> tuple[tuple[str, ...], Pixels]:
    """Roles and pixels of the bands that a model knows; of two near infrareds it gets `nir08`."""
    wanted = list(known)
    if nir_as_nir08 and "nir08" in wanted and "nir08" not in sample.roles:
        wanted[wanted.index("nir08")] = "nir"
    kept = tuple(role for role in wanted if role in sample.roles)
    return kept, sample.pixels[[sample.roles.index(role) for role in kept]]


def seen(sample: Sample) -> NDArray[np.bool_]:
    """Where every reflective band of the image is there: the pixels that all models are scored on.

    Thin stripes that one model forgives and another does not are nobody's merit.
    """
    wanted = {"blue", "green", "red", "nir", "nir08", "swir16", "swir22"}
    planes = [k for k, role in enumerate(sample.roles) if role in wanted]
    return np.asarray(np.isfinite(sample.pixels[planes]).all(axis=0))


def at_metres(pixels: Pixels, metres: float, wanted: float, predict: Any) -> Labels:
    """Predict on pixels averaged by a whole factor to about `wanted` metres; labels at full size.

    `predict(pixels, metres)` gives labels. 0, or a factor of 1, predicts the image as it is. A
    block's average leaves out its missing pixels.
    """
    factor = max(1, round(wanted / metres)) if wanted else 1
    if factor == 1:
        labels: Labels = predict(pixels, metres)
        return labels
    from nndacss.models.mask_model import block_mean

    rows, columns = pixels.shape[1:]
    small = block_mean(pixels, factor)
    coarse = predict(small, metres * factor)
    return np.repeat(np.repeat(coarse, factor, 0), factor, 1)[:rows, :columns]


def open_model(
    model: Mapping[str, Any],
    location: Mapping[str, str],
    trained: Path | None,
    threads: int | None = None,
) -> Model:
    """The model that an order asks for.

    `model` is the recipe's `model` table; `location` says where its weights lie here; `trained`
    is the weights file of the training stage, where the order has one.
    """
    kind, metres = model["kind"], float(model.get("metres", 0.0))
    if kind == "ukis_csmask":
        from nndacss.evaluate.baselines import UkisCsmask

        return UkisCsmask(metres, threads or 0)
    if kind == "weights":
        return _network(location["weights"], metres, threads)
    if kind == "trained" and trained is not None:
        return _network(trained, metres, threads)
    raise SettingsError(f"no model of kind {kind!r}; expected trained, weights or ukis_csmask")


def _network(name: str | Path, metres: float, threads: int | None) -> Model:
    """Weights of ours, by the labels that they were trained on."""
    from nndacss.models.card import MaskCard, load_card

    if load_card(name, MaskCard).scheme == "land_cover":
        from nndacss.evaluate.land_cover import LandCoverNetwork

        return LandCoverNetwork.load(name, threads)
    return Network.load(name, metres, threads)
