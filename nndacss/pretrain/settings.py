"""Settings of an encoder's first lessons: section `[pretrain]`."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from nndacss.samples.settings import Entry
from nndacss.train.fit_settings import FitSettings
from nndacss.train.settings import AugmentSettings

VERSION = 1

#: Turned and mirrored, and a little brighter or darker: patches show one thing, whole.
PLAIN = AugmentSettings(
    zoom_chance=0.0,
    drop_chance=0.0,
    drop_nir_chance=0.0,
    brightness=0.05,
    gain=0.02,
    offset=0.005,
    haze_chance=0.0,
    noise_chance=0.0,
    saturate_chance=0.0,
    wedge_chance=0.0,
)


class PretrainSettings(FitSettings):
    """One fit of a classifier. Network, bands, indices and scaling are those of `[train]`."""

    SECTION = "pretrain"
    datasets: tuple[Entry, ...] = ()
    """`[[pretrain.datasets]]`: patches of one class each, e.g. kind `eurosat`."""
    side: int = Field(default=64, ge=32, multiple_of=32)
    """Rows and columns of a patch."""
    augment: AugmentSettings = PLAIN

    def decisive(self) -> dict[str, Any]:
        """As every fit's; the data are an input of their own."""
        return {
            key: value for key, value in self.changed().items() if key not in ("datasets", "side")
        }


SETTINGS = PretrainSettings
