"""Settings of cleaning: section `[clean]`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from nndacss.landcovernet.names import BANDS
from nndacss.settings import Settings

VERSION = 1

Share = Annotated[float, Field(ge=0, le=1)]


class CleanSettings(Settings):
    """When an image is rejected."""

    folder: str = "data/landcovernet"
    """The archive; renames nothing (its content does)."""
    overrule: str = ""
    """A CSV file `name,verdict,why` that a person writes: `keep` or `reject` for a sample, or for a
    chip with all its dates."""
    bands: tuple[str, ...] = ("B02", "B03", "B04", "B08", "B11", "B12")
    """Bands that are compared with the labels."""
    least_labelled: Share = 0.9
    """Share of the chip that has a label."""
    least_consensus: Annotated[float, Field(ge=0, le=100)] = 60.0
    """Mean consensus of labelled pixels."""
    cloud: Literal["CLD", "SCL"] = "CLD"
    """By which layer: mean cloud probability, or the share of pixels classed as cloud."""
    most_cloud: Share = 0.05
    """Mean cloud cover of what is there."""
    most_missing: Share = 0.05
    """Share of missing pixels."""
    most_hidden: Share = 0.2
    """Share that SCL calls cloud, shadow, defective, or snow where the label is not snow."""
    most_contradiction: Share = 0.35
    """Share of labelled pixels whose spectra contradict their label: more is rejected, if it also
    is an outlier among all images, by `spread`."""
    spread: Annotated[float, Field(gt=0)] = 4.0
    """Outlier: so many robust standard deviations above the median of all images."""
    most_alike: Share = 0.9
    """Two images of different chips that are more alike are the same picture (correlation)."""
    most_overlap: Share = 0.1
    """Share of a chip's ground that may lie in another chip."""
    pictures: Annotated[int, Field(ge=0)] = 60
    """Rejected images on the page, at most."""

    @field_validator("bands")
    @classmethod
    def _known(cls, bands: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [band for band in bands if band not in BANDS]
        if unknown or len(bands) < 2 or len(set(bands)) < len(bands):
            raise ValueError(f"two or more of {', '.join(BANDS)}, each once")
        return bands


SETTINGS = CleanSettings
