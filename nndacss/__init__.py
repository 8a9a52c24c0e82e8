"""Landsat scenes as Sentinel-2-like 10 m products with cloud, shadow and snow masks.

The door for Python users is `open_scene`, `output_grid`, `read_harmonized`, `read_uncertainty`,
`read_mask` and `load_mask_model`, see `nndacss.api`. They load on first use, so that importing
the package stays light.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nndacss.api import (
        load_mask_model,
        open_scene,
        output_grid,
        read_harmonized,
        read_mask,
        read_uncertainty,
    )

__all__ = [
    "load_mask_model",
    "open_scene",
    "output_grid",
    "read_harmonized",
    "read_mask",
    "read_uncertainty",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(importlib.import_module("nndacss.api"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
