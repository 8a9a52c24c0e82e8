"""Settings of acquisition: section `[acquire]`. None yet: a scene is what it is."""

from __future__ import annotations

from nndacss.settings import Settings

VERSION = 1


class AcquireSettings(Settings):
    """No settings."""


SETTINGS = AcquireSettings
