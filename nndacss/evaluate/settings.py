"""Settings of the evaluation: section `[evaluate]`, test data as `[[evaluate.test]]`."""

from __future__ import annotations

from collections import Counter

from pydantic import Field, field_validator

from nndacss.samples.settings import Entry
from nndacss.settings import Settings

VERSION = 2


class TestData(Entry):
    """Labelled data to score on: an entry as in `[[samples.datasets]]`, with what tests need."""

    __test__ = False  # no test class, whatever its name

    cross_validated: bool = False
    """Trained on too, in folds: each scene is scored only by the model whose fold left it out."""
    visible_only: bool = False
    """Whether images without any near infrared are scored, by models that can do without."""
    note: str = ""
    """What a reader must know of these labels; shown beside the scores."""


class EvaluateSettings(Settings):
    """On what, and how closely, a model is scored."""

    test: tuple[TestData, ...] = ()
    """`[[evaluate.test]]` tables."""
    tolerance: int = Field(default=0, ge=0, le=20)
    """Pixels around borders of the truth that do not count; 0 scores every labelled pixel."""
    worst: int = Field(default=3, ge=0, le=50)
    """How many of the worst samples of each test data are kept as pictures."""
    calibration: int | None = Field(default=None, ge=2, le=100)
    """In how many bins it is counted whether probabilities can be believed, of models that give
    them; none where it is not set."""

    @field_validator("test")
    @classmethod
    def _distinct(cls, test: tuple[TestData, ...]) -> tuple[TestData, ...]:
        twice = [
            name for name, count in Counter(entry.title for entry in test).items() if count > 1
        ]
        if twice:
            raise ValueError(f"two test data are called {twice[0]!r}; names must differ")
        return test


SETTINGS = EvaluateSettings
