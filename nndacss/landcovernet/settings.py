"""Settings of LandCoverNet's acquisition: section `[landcovernet]`."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from nndacss.landcovernet.names import BANDS, CONTINENTS
from nndacss.settings import Settings

VERSION = 1

Share = Annotated[float, Field(ge=0, le=1)]


class LandCoverNetSettings(Settings):
    """Which chips, dates and bands are fetched, from where to where."""

    source: str = "s3://radiantearth/landcovernet"
    """`s3://bucket/prefix`, listed by the S3 API; or a web address, read by its STAC items."""
    endpoint: str = "https://data.source.coop"
    """Address of the S3 API; renames nothing."""
    signed: bool = False
    """Whether S3 requests are signed with the machine's AWS credentials; renames nothing."""
    folder: str = "data/landcovernet"
    """Where the archive comes to; renames nothing."""
    continents: tuple[str, ...] = CONTINENTS
    """Africa, Asia, Australia and Oceania, Europe, North America, South America."""
    tiles: tuple[str, ...] = ()
    """Only chips of these MGRS tiles; none: of all."""
    chips: Annotated[int, Field(ge=0)] = 0
    """At most so many chips a continent, evenly spread over its list; 0: all."""
    bands: tuple[str, ...] = tuple(BANDS)
    """Bands by the archive's names. SCL and CLD always come with them."""
    dates: Annotated[int, Field(ge=1, le=12)] = 1
    """Dates of each quarter: the first that are clear enough."""
    cloud: Literal["CLD", "SCL"] = "CLD"
    """By which layer: mean cloud probability, or the share of pixels classed as cloud."""
    most_cloud: Share = 0.05
    """Clear enough: mean cloud cover of what is there at most this."""
    most_missing: Share = 0.05
    """Clear enough: share of missing pixels at most this."""
    parallel: Annotated[int, Field(ge=1, le=64)] = 8
    """Chips that are fetched at once, one connection each; renames nothing."""

    @field_validator("continents")
    @classmethod
    def _known_continents(cls, continents: tuple[str, ...]) -> tuple[str, ...]:
        if not continents or not set(continents) <= set(CONTINENTS):
            raise ValueError(f"some of {', '.join(CONTINENTS)}")
        return continents

    @field_validator("bands")
    @classmethod
    def _known(cls, bands: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [band for band in bands if band not in BANDS]
        if unknown or not bands or len(set(bands)) < len(bands):
            raise ValueError(f"some of {', '.join(BANDS)}, each once")
        return bands

    @model_validator(mode="after")
    def _known_source(self) -> Self:
        if not self.source.startswith(("s3://", "http://", "https://")):
            raise ValueError("source must be s3://bucket/prefix, http://... or https://...")
        return self


#: Keys that say how and where, not what.
PLACES = ("endpoint", "signed", "folder", "parallel")

SETTINGS = LandCoverNetSettings
