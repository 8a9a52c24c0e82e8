"""Products on disk, as lazily windowed scenes. See `nndacss.readers.scene` for the contract."""

from __future__ import annotations

from pathlib import Path

from nndacss.readers.scene import Level, Reader, Scene, SceneIdentity

__all__ = ["Level", "Reader", "Scene", "SceneIdentity", "identify", "open_scene"]
