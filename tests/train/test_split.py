"""Who trains, who watches, who is held out; and in which order samples are drawn."""

from collections import Counter
from dataclasses import dataclass

import pytest

from nndacss.errors import SettingsError
from nndacss.samples.split import folds
from nndacss.train.draws import Draws, seeded, shares
from nndacss.train.settings import TrainSettings
from nndacss.train.split import split


@dataclass(frozen=True)
class Record:
    dataset: str
    scene: str


#: Ten Biome scenes of two samples each, forty twins.
RECORDS = [Record("biome_chips", f"b{n // 2}") for n in range(20)]
RECORDS += [Record("twin", f"t{n}") for n in range(40)]


def make(**changes):
    return split(RECORDS, TrainSettings(**changes))


def test_no_scene_is_torn_and_nothing_is_lost():
    parts = make(fold=2, monitor=0.1)
    scenes = [{RECORDS[i].scene for i in part} for part in (parts.train, parts.monitor, parts.held)]
    assert not scenes[0] & scenes[1]
    assert not scenes[0] & scenes[2]
    assert not scenes[1] & scenes[2]
    assert sorted(parts.train + parts.monitor + parts.held) == list(range(60))
    assert len(scenes[1]) == 4
    expected = folds({r.scene for r in RECORDS[:20]}, 5, 0)
    assert scenes[2] == {scene for scene, fold in expected.items() if fold == 2}


def test_each_scene_is_held_out_once_over_all_folds():
    held = [RECORDS[i].scene for fold in range(5) for i in make(fold=fold).held]
    assert Counter(held) == Counter(record.scene for record in RECORDS[:20])
    # who watches does not depend on the fold
    assert len({make(fold=fold).monitor for fold in range(5)}) == 1


def test_without_a_fold_all_of_the_cross_validated_train():
    parts = make(fold=-1, monitor=0.0)
    assert parts.train == tuple(range(60))
    assert parts.monitor == parts.held == ()


def test_folds_belong_to_their_own_seed():
    assert make(fold=1, seed=1).held == make(fold=1, seed=2).held
    assert make(fold=1, fold_seed=1).held != make(fold=1, fold_seed=2).held


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"share": {"landcover": 0.5}}, "landcover.*biome_chips, twin"),
        ({"fold": 0, "cross_validated": ("sparcs",)}, "sparcs"),
        ({"batch": 64}, "60 samples|5[0-9] samples"),
        ({"keep": "best", "monitor": 0.0}, "train.keep"),
        ({"fold": 0, "folds": 40}, "40 folds of 10 scenes"),
    ],
)
def test_what_does_not_fit_the_store(changes, message):
    with pytest.raises(SettingsError, match=message):
        make(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"crop": 250},
        {"fold": 5},
        {"share": {"a": 0.7, "b": 0.7}},
        {"share": {"a": -0.1}},
        {"augment": {"zoom": (1.4, 0.7)}},
        {"precision": "float8"},
        {"batch": 1},
    ],
)
def test_settings_out_of_range(changes):
    with pytest.raises(ValueError, match=next(iter(changes))):
        TrainSettings(**changes)


def test_shares():
    groups = {"a": [0], "b": [1, 2, 3], "c": [4]}
    assert shares(groups, {}) == {"a": 0.2, "b": pytest.approx(0.6), "c": 0.2}
    assert shares({"a": [0], "b": [1]}, {"a": 0.2, "b": 0.2}) == {"a": 0.5, "b": 0.5}
    assert shares({"a": [0]}, {"a": 0.3}) == {"a": 1.0}
    with pytest.raises(SettingsError, match="share"):
        shares({"a": [0]}, {"a": 0.0})


def test_an_epoch_has_its_shares_and_its_own_order():
    draws = Draws({"few": [0, 1, 2], "many": list(range(10, 50))}, {"few": 0.25}, 40, seed=3)
    first, second = draws.epoch(0), draws.epoch(1)
    assert len(first) == len(second) == 40
    assert sum(index < 10 for index in first) == 10
    assert first != second
    assert draws.epoch(0) == first


def test_within_a_data_set_all_take_turns_across_epochs():
    draws = Draws({"few": [0, 1, 2], "many": list(range(10, 50))}, {"few": 0.25}, 40, seed=3)
    seen = Counter(index for epoch in range(4) for index in draws.epoch(epoch))
    # 40 draws of 3, 120 draws of 40
    assert {seen[index] for index in (0, 1, 2)} <= {13, 14}
    assert {seen[index] for index in range(10, 50)} == {3}


def test_generators_are_fixed_for_all_time():
    assert seeded(0, "sample", 1, 2).integers(1 << 30) == seeded(0, "sample", 1, 2).integers(
        1 << 30
    )
    assert seeded(0, "sample", 1, 2).integers(1 << 30) != seeded(0, "sample", 12).integers(1 << 30)
