"""The recipe and settings of a fit: what renames it, what is refused, and how scenes are split."""

import subprocess
import sys
from dataclasses import dataclass

import pytest

from nndacss.errors import SettingsError, WeightsError
from nndacss.harmonizer.plan import harmonizer_order
from nndacss.harmonizer.settings import HarmonizerSettings
from nndacss.harmonizer.split import split
from nndacss.identity import Order, Recipe
from nndacss.models.detail import DetailArchitecture
from nndacss.settings import load_settings
from tests.models.small_harmonizer import small_harmonizer

PAIRS = Order(Recipe("pairs", 1, {}, {"twin": "00"}), "small")


def order(pairs=PAIRS, **changes):
    return harmonizer_order(pairs, {"harmonizer": HarmonizerSettings(**changes)}, "net")


@pytest.mark.parametrize(
    "changes",
    [
        {"epochs": 3}, {"seed": 1}, {"split_seed": 1}, {"crop": 48}, {"augment": {"wedge": 0.1}},
        {"loss": {"spread": 0.5}}, {"architecture": {"width": 32}}, {"precision": "bf16-mixed"},
        {"target": "sentinel-2b"}, {"family": "deep_harmonization"},
    ],
)  # fmt: skip
def test_science_renames(changes):
    assert order(**changes).recipe.digest != order().recipe.digest


@pytest.mark.parametrize("changes", [{"workers": 3}, {"device": "cpu"}])
def test_means_do_not(changes):
    assert order(**changes).recipe.digest == order().recipe.digest


def test_a_recipe_holds_the_whole_architecture():
    """A later default of the network must not change what an old recipe means."""
    own = order(architecture={"width": 32}).recipe.settings["harmonizer"]
    assert own["architecture"] == DetailArchitecture(width=32).model_dump()
    spelt = DetailArchitecture().model_dump()
    assert order(architecture=spelt).recipe.digest == order().recipe.digest
    assert order().recipe.inputs == {"pairs": PAIRS.recipe.digest}


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("architecture={ depth = 5 }", r"architecture of detail, depth.*width"),
        ("family=unet", "detail"),
        ("crop=100", "crop must be a multiple of 6"),
        ('architecture={ target = "sentinel-2b" }', "target"),
        ("loss={ scale = [1, 1, 1, 1, 1, 0] }", "scale must be above 0"),
        ("share={ twin = 1.5 }", "share"),
    ],
)
def test_settings_that_do_not_fit(setting, message):
    with pytest.raises(SettingsError, match=message):
        load_settings(None, [f"harmonizer.{setting}"])


def test_a_u_net_wants_windows_that_halve():
    own = {"family": "deep_harmonization", "architecture": {"depth": 6}}
    assert HarmonizerSettings(**own, crop=96).multiple == 32
    with pytest.raises(ValueError, match="multiple of 32"):
        HarmonizerSettings(**own, crop=120)


def test_a_start_must_be_the_same_network(tmp_path):
    card = str(small_harmonizer(tmp_path))
    found = order(start=card, architecture={"width": 8, "blocks": 1})
    assert found.location["start"] == card
    assert found.recipe.weights
    assert "start" not in found.recipe.settings["harmonizer"]
    with pytest.raises(WeightsError, match=r"width.*harmonizer\.family and architecture"):
        order(start=card)


@dataclass(frozen=True)
class Record:
    dataset: str
    scene: str


#: Ten scenes of four pairs each, and one scene that two data sets show.
RECORDS = [Record("twin", f"t{n // 4}") for n in range(40)]
RECORDS += [Record("chips", f"c{n // 4}") for n in range(40)]
RECORDS += [Record("day", f"c{n // 4}") for n in range(40)] + [Record("lone", "x")]


def test_no_scene_is_torn_whatever_shows_it():
    parts = split(RECORDS, HarmonizerSettings(monitor=0.2))
    assert sorted(parts.train + parts.monitor) == list(range(len(RECORDS)))
    train, monitor = ({RECORDS[i].scene for i in part} for part in (parts.train, parts.monitor))
    assert not train & monitor
    assert {scene[0] for scene in monitor} == {"t", "c"}  # a lone scene is trained on
    assert sum(scene[0] == "t" for scene in monitor) == 2
    assert split(RECORDS, HarmonizerSettings(monitor=0.2, seed=5)) == parts
    assert split(RECORDS, HarmonizerSettings(monitor=0.2, split_seed=5)) != parts


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"share": {"biome": 0.5}}, "biome.*chips, day, lone, twin"),
        ({"batch": 500}, "pairs to train on"),
        ({"keep": "best", "monitor": 0.0}, "harmonizer.keep"),
    ],
)
def test_what_does_not_fit_the_store(changes, message):
    with pytest.raises(SettingsError, match=message):
        split(RECORDS, HarmonizerSettings(**changes))


def test_planning_imports_no_torch():
    code = (
        "import sys, nndacss.harmonizer.plan;"
        "print({'torch', 'lightning', 'h5py'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
