"""Which way a scene is harmonized, and with which weights. No torch, no raster.

It runs where recipes are made, so that weights that are missing or of another kind, and scenes
that do not suit them, are found before any work starts.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from nndacss.errors import InputError, NndacssError, SettingsError, WeightsError, complain
from nndacss.harmonize.settings import DEFAULT_WEIGHTS, HarmonizeSettings
from nndacss.identity import digest
from nndacss.models.card import find
from nndacss.models.harmonizer_card import (
    HarmonizerCard,
    Precision,
    harmonizer_card,
    usual_precision,
)
from nndacss.plugins import names
from nndacss.resources import folder
from nndacss.sensors import REFLECTIVE

#: Settings that say nothing of the pixels of a method that is chosen: which networks there are is
#: in their sha256, and the scene's level is in the recipe.
_NOT_PIXELS = ("method", "weights", "precision", "force_toa")
#: Metres of the grid that harmonizers work on.
METRES = 10.0


@dataclass(frozen=True)
class Target:
    """What must be known of a scene and its output before a method is chosen."""

    name: str
    sensor: str
    """Module of `nndacss.sensors`."""
    level: str
    """`TOA` or `SR`."""
    metres: float = METRES
    """Pixel size of the output."""


@dataclass(frozen=True)
class Choice:
    """A method, and the networks it needs."""

    method: str
    """A module of `nndacss.harmonize`."""
    cards: tuple[HarmonizerCard, ...] = ()
    """In the order of their sha256: the order in which they were named changes nothing."""
    weights: tuple[str, ...] = ()
    """Where they are, in the same order: installed names, or absolute paths of cards."""

    @property
    def sha256(self) -> str | None:
        """Identity of the weights: one network's own, of several the digest of their sorted list.

        None without a network.
        """
        return ensemble_sha256([card.sha256 for card in self.cards]) if self.cards else None

    def precision(self, settings: HarmonizeSettings) -> Precision:
        """What the networks compute in."""
        if settings.precision == "auto":
            return usual_precision(self.cards)
        return settings.precision

    @property
    def uncertain(self) -> bool:
        """Whether its networks state how far they may be off."""
        return len(self.cards) > 1 or any(card.deviation == "predicted" for card in self.cards)

    def recipe_settings(self, settings: HarmonizeSettings) -> dict[str, Any]:
        """What of the settings decides the pixels; `auto` and what it stands for are the same."""
        kept = {key: value for key, value in settings.changed().items() if key not in _NOT_PIXELS}
        if not self.cards:
            kept.pop("uncertainty", None)
        return kept | ({"method": self.method} if self.method != "bandpass" else {})


def choose(settings: HarmonizeSettings, target: Target) -> Choice:
    """The method for a scene.

    Raises WeightsError where weights are missing or no harmonizer's, InputError or SettingsError
    where `deep` was asked for and scene or settings do not suit it. With `auto` only weights that
    the user names are missed.
    """
    if settings.method not in ("auto", "deep"):
        if settings.method not in names("harmonize"):
            expected = f"auto, {', '.join(names('harmonize'))}"
            found = repr(settings.method)
            raise SettingsError(complain("harmonize.method", found, expected, "correct the name"))
        return Choice(settings.method)
    auto = settings.method == "auto"
    if auto and settings.weights == DEFAULT_WEIGHTS and not installed(*DEFAULT_WEIGHTS):
        return Choice("bandpass")
    choice = _members(settings)
    misfit = _misfit(settings, choice.cards, target)
    if misfit is None:
        return choice
    if auto:
        return Choice("bandpass")
    raise misfit


def installed(*weights: str) -> bool:
    """Whether all of these came with the package."""
    return all((folder("checkpoints") / f"{name}.json").is_file() for name in weights)


def ensemble_sha256(members: list[str]) -> str:
    """One network's sha256; of several the digest of their sorted list."""
    return members[0] if len(members) == 1 else digest(sorted(members))


def _members(settings: HarmonizeSettings) -> Choice:
    """The cards of `harmonize.weights`."""
    pairs = [(harmonizer_card(name), name) for name in settings.weights]
    pairs.sort(key=lambda pair: pair[0].sha256)
    for (one, first), (other, second) in pairwise(pairs):
        if one.sha256 == other.sha256:
            found = f"the same weights twice ({first}, {second})"
            expected = "members that differ"
            raise WeightsError(complain("harmonize.weights", found, expected, "leave one out"))
    cards = tuple(card for card, _ in pairs)
    return Choice("deep", cards, tuple(_place(name) for _, name in pairs))


def _place(name: str) -> str:
    """An installed name as it is, any other card by its absolute path."""
    card = find(name)
    return name if card == folder("checkpoints") / f"{name}.json" else str(Path(card).resolve())


def _misfit(
    settings: HarmonizeSettings, cards: tuple[HarmonizerCard, ...], target: Target
) -> NndacssError | None:
    """Why the networks cannot be used, the first reason; None where they can."""
    remedy = "use harmonize.method = auto or bandpass"
    if target.sensor != "landsat8_oli":
        found = "a scene that is not Landsat-8/9's"
        expected = "Landsat for harmonize.method = deep (Sentinel-2's bands are the target's own)"
        return InputError(complain(target.name, found, expected, remedy))
    levels = set.intersection(*(set(card.levels) for card in cards))
    forced = settings.method == "deep" and settings.force_toa
    if target.level not in levels and not forced:
        found = f"{target.level} reflectance"
        known = " or ".join(sorted(levels)) or "one level for all members"
        expected = f"{known}, which harmonize.method = deep was trained for"
        more = f"give the Level-2 product, {remedy}, or say harmonize.force_toa = true"
        return InputError(complain(target.name, found, expected, more))
    if set(settings.roles) != set(REFLECTIVE):
        found = ", ".join(settings.roles)
        expected = f"all of {', '.join(REFLECTIVE)} for harmonize.method = deep"
        return SettingsError(complain("harmonize.roles", found, expected, remedy))
    made = sorted({card.target for card in cards})
    if made != [settings.target]:
        expected = f"{' or '.join(made)}, which {cards[0].name} makes"
        return SettingsError(complain("harmonize.target", settings.target, expected, remedy))
    if abs(target.metres - METRES) > 0.01:
        found, expected = f"pixels of {target.metres:g} m", "10 m for harmonize.method = deep"
        return SettingsError(complain("tile.grid", found, expected, remedy))
    return None
