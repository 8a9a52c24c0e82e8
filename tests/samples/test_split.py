"""Folds by scene."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nndacss.errors import SettingsError
from nndacss.samples.split import folds

SCENES = [f"scene-{n}" for n in range(31)]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(max_size=5), min_size=3, max_size=40, unique=True), st.integers(1, 3))
def test_balanced_and_complete(scenes, count):
    found = folds(scenes, count, seed=1)
    assert set(found) == set(scenes)
    sizes = [list(found.values()).count(fold) for fold in range(count)]
    assert max(sizes) - min(sizes) <= 1


def test_neither_order_nor_repetition_matters():
    assert folds(SCENES, 5, 0) == folds(SCENES[::-1] + SCENES, 5, 0)


def test_another_seed_is_another_split():
    assert folds(SCENES, 5, 0) != folds(SCENES, 5, 1)


def test_fixed_for_good():
    # folds that change would make old scores lie: this list never changes
    assert list(folds(SCENES[:6], 3, 7).values()) == [0, 1, 2, 0, 1, 2]
    assert list(folds(SCENES[:6], 3, 7)) == [
        "scene-2",
        "scene-3",
        "scene-5",
        "scene-1",
        "scene-4",
        "scene-0",
    ]


def test_more_folds_than_scenes():
    with pytest.raises(SettingsError, match="4 folds of 3 scenes"):
        folds(SCENES[:3], 4, 0)
