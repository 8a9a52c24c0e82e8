"""From views and settings to the order of composed samples; light, for the scheduler's process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from nndacss.compose.settings import ComposeSettings
from nndacss.errors import SettingsError, complain
from nndacss.identity import Order, Recipe
from nndacss.plugins import names
from nndacss.samples.plan import STORE
from nndacss.settings import Settings, version
from nndacss.views.settings import ViewsSettings

__all__ = ["STORE", "compose_order", "factor"]

#: Metres per pixel of a view.
METRES = 10.0


def compose_order(views: Order, settings: Mapping[str, Settings], name: str = "") -> Order:
    """What to compose out of the views; called by the method unless it has a name.

    SettingsError for an unknown method, or where a view is smaller than a sample.
    """
    own = cast(ComposeSettings, settings["compose"])
    known = names("compose")
    for key, method in (("method", own.method), ("adapted", own.adapted)):
        if method not in known:
            expected = f"one of {', '.join(known)}"
            raise SettingsError(
                complain(f"compose.{key}", repr(method), expected, "correct the name")
            )
    side = cast(ViewsSettings, settings["views"]).side // factor(own)
    if side < own.side:
        found = f"views of {side} pixels of {METRES * factor(own):g} m"
        remedy = "enlarge views.side or lower compose.side"
        raise SettingsError(
            complain("[compose]", found, f"at least compose.side = {own.side}", remedy)
        )
    changed = own.changed()
    recipe = Recipe(
        stage="compose",
        version=version("compose"),
        settings={"compose": changed} if changed else {},
        inputs={"views": views.recipe.digest},
    )
    return Order(recipe, name or own.title)


def factor(settings: ComposeSettings) -> int:
    """Pixels of a view along the side of a sample's pixel."""
    return max(1, round(settings.finest / METRES))
