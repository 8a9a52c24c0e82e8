"""Settings of the samples: section `[samples]`, and one `[[samples.datasets]]` an archive."""

from __future__ import annotations

from pydantic import Field, model_validator

from nndacss import entries
from nndacss.sensors import REFLECTIVE
from nndacss.settings import Settings

VERSION = 1

#: What a band of a sample may be: reflectance of either sensor.
KNOWN = (
    *REFLECTIVE,
    *("nir", "coastal", "cirrus", "pan", "nir09"),
    *("rededge071", "rededge075", "rededge078"),
)


class Entry(entries.Entry):
    """One archive; its kind is a module of `nndacss.datasets`."""

    nir_as_nir08: bool = True
    """Whether a broad near infrared (`nir`, B08) stands for `nir08` where there is no other."""
    simulated: bool = False
    """Whether the archive is made by a program, not observed: cards and reports then say so. Of
    kind `twin` they know."""


class SamplesSettings(Settings):
    """Which images, and how they are cut."""

    datasets: tuple[Entry, ...] = ()
    """Tables `[[samples.datasets]]`: `kind`, options of that dataset (paths are relative to the
    current directory), and optionally `name` and `nir_as_nir08`."""
    side: int = Field(default=256, ge=32, le=2048, multiple_of=32)
    """Rows and columns of a sample, pixels; the network needs a multiple of 32."""
    stride: int = Field(default=0, ge=0)
    """Pixels from one window to the next; 0 means `side`, no overlap."""
    roles: tuple[str, ...] = REFLECTIVE
    """Bands of a sample; one that an image lacks is missing (NaN) everywhere."""
    finest: float = Field(default=20.0, gt=0)
    """Metres: finer images are averaged by round(finest / metres) first, as the network sees
    them."""
    weights: bool | None = None
    """Whether the store keeps how sure each label is, where the data say so: a fit then counts a
    pixel by it."""

    @model_validator(mode="after")
    def _consistent(self) -> SamplesSettings:
        titles = [entry.title for entry in self.datasets]
        for title in titles:
            if titles.count(title) > 1:
                raise ValueError(f"two datasets are called {title!r}; give them a `name`")
        if self.stride > self.side:
            raise ValueError(f"stride {self.stride} leaves gaps; at most side, {self.side}")
        if len(set(self.roles)) != len(self.roles) or not self.roles:
            raise ValueError("roles must be different, and at least one")
        if not set(self.roles) <= set(KNOWN):
            raise ValueError(f"roles must be of {', '.join(KNOWN)}")
        return self


SETTINGS = SamplesSettings
