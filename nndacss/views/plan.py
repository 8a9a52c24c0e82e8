"""From settings to the order of a view store; light, it runs in the scheduler's process.

The recipe holds which images are seen, the fingerprints of their archives and the sha256 of the
weights. Where anything lies is no part of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from nndacss import entries
from nndacss.errors import DatasetError, SettingsError, complain
from nndacss.harmonize.settings import HarmonizeSettings
from nndacss.harmonize.weights import Choice, Target, choose
from nndacss.identity import Order, Recipe
from nndacss.models.harmonizer_card import harmonizer_card
from nndacss.settings import Settings, version
from nndacss.views.kinds import scheme_of, source
from nndacss.views.settings import ViewsSettings

#: File of the store in the stage's folder.
STORE = "views.h5"


def views_order(settings: Mapping[str, Settings], name: str = "views") -> Order:
    """What to make.

    SettingsError for a wrong option, DatasetError where an archive is missing or empty,
    WeightsError where the weights are, or are no harmonizer's.
    """
    own = cast(ViewsSettings, settings["views"])
    if not own.sources:
        raise SettingsError("no [[views.sources]] in the config: no labelled images to see")
    sources = {entry.title: source(entry) for entry in own.sources}
    schemes = {scheme_of(found) for found in sources.values()}
    if schemes != {"climate"}:
        found, expected = f"labels of {', '.join(sorted(schemes))}", "cloud and shadow (climate)"
        raise SettingsError(complain("[[views.sources]]", found, expected, "choose other data"))
    for title, found_ in sources.items():
        if not found_.names():
            subject, remedy = f"[[views.sources]] {title}", "check its options"
            raise DatasetError(complain(subject, "no image", "labelled images", remedy))
    choice = chosen(own)
    stated = [entries.stated(entry, sources[entry.title]) for entry in own.sources]
    kept = {k: v for k, v in own.changed().items() if k not in ("weights", "precision")}
    recipe = Recipe(
        stage="views",
        version=version("views"),
        settings={"views": kept | {"sources": stated}},
        inputs={title: entries.fingerprint(found) for title, found in sources.items()},
        weights=choice.sha256,
        precision=choice.precision(_harmonizing(own)),
    )
    location = {"weights": "\n".join(choice.weights), "device": own.device}
    return Order(recipe, name, {**entries.located(sources), **location})


def chosen(own: ViewsSettings) -> Choice:
    """The networks of some settings; WeightsError where they are missing or do not fit."""
    return choose(_harmonizing(own), Target("[views]", "landsat8_oli", "SR"))


def _harmonizing(own: ViewsSettings) -> HarmonizeSettings:
    return HarmonizeSettings(
        method="deep",
        weights=own.weights,
        precision=own.precision,
        target=harmonizer_card(own.weights[0]).target,
    )
