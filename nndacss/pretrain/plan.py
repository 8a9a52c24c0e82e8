"""The recipes of an encoder's first lessons; light, for the scheduler's process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from nndacss.errors import SettingsError, complain
from nndacss.identity import Order
from nndacss.models.card import Card
from nndacss.pretrain.settings import PretrainSettings
from nndacss.samples.plan import samples_order
from nndacss.samples.settings import SamplesSettings
from nndacss.settings import Settings
from nndacss.train.order import fit_order
from nndacss.train.settings import PRETRAINED, TrainSettings

#: What of `[train]` decides the encoder.
SHARED = ("architecture", "scaling", "indices")


def pretrain_orders(settings: Mapping[str, Settings]) -> list[Order]:
    """Samples and fit, where `train.transfer` starts from them; else none.

    SettingsError where there are no data, DatasetError where an archive is missing.
    """
    train = cast(TrainSettings, settings["train"])
    if train.transfer is None or train.transfer.encoder != PRETRAINED:
        return []
    own = cast(PretrainSettings, settings["pretrain"])
    if own.start:
        remedy = "remove it"
        raise SettingsError(complain("pretrain.start", own.start, "no start", remedy))
    cut = cast(SamplesSettings, settings["samples"])
    wanted = SamplesSettings(
        datasets=own.datasets, side=own.side, roles=cut.roles, finest=cut.finest
    )
    samples = samples_order({"samples": wanted}, "patches")
    order = fit_order(samples, own, Card, lambda _: None, "encoder")
    changed = train.changed()
    shared: dict[str, Any] = {key: changed[key] for key in SHARED if key in changed}
    recipe = order.recipe
    sections = {**recipe.settings, **({"train": shared} if shared else {})}
    return [samples, replace(order, recipe=replace(recipe, settings=sections))]
