"""Settings of acquisition: section `[acquire]`. They rename nothing: a scene is what it is."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from nndacss.settings import Settings

VERSION = 1


class AcquireSettings(Settings):
    """How scenes are fetched."""

    parallel: Annotated[int, Field(ge=1, le=32)] = 4
    """Files that are fetched from one host at once, by all processes of this machine."""
    remote: bool = False
    """Read a scene of an archive where it is: only the blocks that the area needs come here. For
    areas that are small beside the scene, of COGs on servers that answer ranges."""


SETTINGS = AcquireSettings
