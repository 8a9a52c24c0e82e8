"""Experiments as recipes: what is shared, what differs, and what is wrong before work starts."""

import subprocess
import sys
from pathlib import Path

import pytest

from nndacss.errors import DatasetError, NndacssError, SettingsError
from nndacss.experiment.plan import plan_experiment
from nndacss.experiment.settings import ExperimentSettings, Variant
from nndacss.identity import load_order, recipe_path
from tests.models.small import save_small

ROOT = Path(__file__).parents[2]
BASE = """
[[samples.datasets]]
kind = "twin"
count = 8
[train]
cross_validated = []
[[evaluate.test]]
kind = "twin"
first = 1000
count = 4
"""
TWO = """
[[experiment.variants]]
name = "plain"
[[experiment.variants]]
name = "long"
set.train.epochs = 40
"""


@pytest.fixture
def planned(tmp_path):
    def plan(text, *overrides):
        config = tmp_path / "a.toml"
        config.write_text(BASE + text)
        return plan_experiment(config, overrides)

    return plan


def digests(plan, place):
    return {run.needs[place].recipe.digest for run in plan.runs}


def test_variants_share_what_they_have_in_common(planned):
    plan = planned(TWO)
    assert [run.key for run in plan.runs] == ["plain, seed 0", "long, seed 0"]
    assert len(digests(plan, 0)) == 1
    assert len(digests(plan, 1)) == 2
    assert plan.runs[1].needs[1].recipe.settings["train"]["epochs"] == 40


def test_a_run_a_seed_and_fold(planned):
    text = TWO.replace("set.train", '"set"."train.rate" = 0.01\nset.train')
    text += "[experiment]\nseeds = [0, 7]\nfolds = 3\n"
    base = 'evaluate.test=[{kind="twin", first=1000, count=4, cross_validated=true}]'
    plan = planned(text, 'train.cross_validated=["twin"]', base)
    assert len(plan.runs) == 2 * 2 * 3
    assert len(digests(plan, 0)) == 1
    assert len(digests(plan, 1)) == 12
    settings = plan.runs[-1].needs[1].recipe.settings["train"]
    assert {key: settings[key] for key in ("seed", "fold", "folds", "epochs", "rate")} == {
        "seed": 7,
        "fold": 2,
        "folds": 3,
        "epochs": 40,
        "rate": 0.01,
    }


def test_names_of_shared_targets_do_not_depend_on_who_asks(planned):
    one = planned(TWO)
    other = planned(TWO.replace("plain", "renamed") + '[experiment]\nname = "other"\n')
    for run, same in zip(one.runs, other.runs, strict=True):
        assert run.evaluate.target == same.evaluate.target
        assert [order.target for order in run.needs] == [order.target for order in same.needs]
    assert one.summary.target != other.summary.target


def test_painted_samples_in_place_of_cut_ones(planned):
    text = """
[[mask_bank.sources]]
kind = "twin"
first = 90
count = 2
[[experiment.variants]]
name = "plain"
[[experiment.variants]]
name = "painted"
set.inpaint.train = true
[[experiment.variants]]
name = "painted-more"
set.inpaint.train = true
set.inpaint.draws = 3
"""
    plain, painted, more = planned(text).runs
    assert [order.recipe.stage for order in plain.needs] == ["samples", "train"]
    stages = ["samples", "mask_bank", "inpaint", "train"]
    assert [order.recipe.stage for order in painted.needs] == stages
    samples, bank, store, train = (order.recipe for order in painted.needs)
    assert train.inputs == {"samples": store.digest}
    assert store.inputs == {"samples": samples.digest, "mask_bank": bank.digest}
    assert samples == plain.needs[0].recipe
    assert [order.recipe for order in more.needs][:2] == [samples, bank]
    assert more.needs[2].recipe.digest != store.digest
    views = 'views.sources=[{kind="twin", count=2}]'
    with pytest.raises(SettingsError, match=r"inpaint\.train and \[\[views\.sources\]\]"):
        planned(text, views)


def test_recipes_are_written_for_every_stage(planned, tmp_path):
    plan = planned(TWO)
    plan.save(tmp_path)
    for digest in plan.summary.recipe.inputs.values():
        evaluate = load_order(recipe_path(tmp_path, digest))
        train = load_order(recipe_path(tmp_path, evaluate.recipe.inputs["train"]))
        assert load_order(recipe_path(tmp_path, train.recipe.inputs["samples"]))


def test_where_data_lie_is_no_identity(planned, shared_data, tmp_path):
    folder = shared_data("sentinel2-labelled")
    (tmp_path / "link").symlink_to(folder)
    table = 'evaluate.test=[{{kind="sentinel2_chips", folder="{}", family="oncloudn"}}]'
    one, other = (planned(TWO, table.format(path)) for path in (folder, tmp_path / "link"))
    assert one.summary.recipe.digest == other.summary.recipe.digest
    assert one.runs[0].evaluate.location["sentinel2_chips.folder"] == str(folder.resolve())


def test_weights_and_missing_packages(planned, tmp_path, monkeypatch):
    card = save_small(tmp_path)
    monkeypatch.setattr("importlib.util.find_spec", _without("ukis_csmask"))
    text = "[experiment]\nvariants = []\n[[experiment.baselines]]\nkind = 'ukis_csmask'\n"
    with pytest.raises(SettingsError, match=r"nothing to score.*pip install 'ukis-csmask"):
        planned(text)
    text += f"[[experiment.baselines]]\nkind = 'weights'\nweights = '{card}'\nname = 'small'\n"
    plan = planned(text)
    assert [run.key for run in plan.runs] == ["small"]
    assert plan.losses == ("ukis_csmask is not installed: pip install 'ukis-csmask[cpu]==1.0.0'",)


def _without(package):
    from importlib.util import find_spec

    return lambda name, *rest: None if name == package else find_spec(name, *rest)


CHECKED = TWO + "[[experiment.leak_checks]]\nvariant='long'\ndata='twin'\nsource='twin'"
PLAIN = ("experiment.reference=plain",)
SAME = TWO.replace("set.train.epochs = 40", "set.mask.cirrus = false")


@pytest.mark.parametrize(
    ("text", "overrides", "message"),
    [
        ("[experiment]\nfold = 5", (), "unknown key experiment.fold; expected one of"),
        ("[experiment]\nseeds = 'many'", (), "experiment.seeds = 'many'"),
        ("[experiment]\nfolds = 1", (), "one fold would train on nothing"),
        ("[experiment]\nmetrics = ['dice']", (), "balanced_accuracy"),
        ("[experimnet]\nname = 'a'", (), r"section \[experimnet\]"),
        (TWO.replace("epochs", "epoch"), (), r"variant 'long': found unknown key train\.epoch"),
        (TWO.replace("set.train", "set.trian"), (), r"variant 'long': found section \[trian\]"),
        (TWO.replace("epochs", "seed"), (), "found train.seed; expected experiment.seeds"),
        (TWO.replace("set.train.epochs", "set.epochs"), (), "is no section.key"),
        (TWO.replace("long", "plain"), (), "'plain' is there twice"),
        (SAME, (), "variants 'plain, seed 0' and 'long, seed 0' with the same settings"),
        (
            TWO,
            ("train.fold=2",),
            r"found train\.fold = 2; .*folds = 5 and experiment\.only = \[2\]",
        ),
        (TWO, ("train.seed=3",), r"found train\.seed = 3; expected experiment\.seeds = \[3\]"),
        (TWO, ("experiment.only=[0]",), "no folds to choose from; set experiment.folds to 2"),
        (TWO, ("experiment.folds=3", "experiment.only=[3]"), "some of the folds 0 to 2"),
        (TWO, ("evaluate.test=[]",), r"no \[\[evaluate\.test\]\]"),
        (TWO, ("samples.datasets=[]",), r"no \[\[samples\.datasets\]\]"),
        (TWO, ('evaluate.test=[{kind="twins"}]',), "'twins' is not known"),
        (
            TWO,
            ('evaluate.test=[{kind="twin", cuont=3}]',),
            r"\[\[evaluate\.test\]\] twin: found unknown option cuont",
        ),
        (TWO, ('evaluate.test=[{kind="twin"}, {kind="twin"}]',), "two test data"),
        (TWO, ('evaluate.test=[{kind="biome_chips"}]',), "no folder"),
        (TWO, ('evaluate.test=[{kind="biome_chips", folder="nowhere"}]',), "no such folder"),
        (TWO, ('evaluate.test=[{kind="twin", cross_validated=true}]',), "experiment.folds of 2"),
        (
            TWO,
            ('evaluate.test=[{kind="twin", count=2, cross_validated=true}]', "experiment.folds=3"),
            "found 2 scenes; expected at least experiment.folds = 3",
        ),
        (
            TWO,
            ('evaluate.test=[{kind="twin", cross_validated=true}]', "experiment.folds=2"),
            "named in train.cross_validated",
        ),
        (
            TWO + "[[experiment.thresholds]]\ndata='biome'\nlabel='cloud'\nat_least=0.5",
            (),
            "experiment.thresholds.data: found 'biome'; expected one of twin",
        ),
        ("[[experiment.baselines]]\nkind='weights'\nweights='absent'", (), "no such weights"),
        (TWO, ("experiment.reference=best",), "choose a variant or baseline: plain, long"),
        (CHECKED, ("experiment.reference=long",), "'long' is none of the variants plain"),
        (CHECKED.replace("'long'", "'lnog'"), PLAIN, "'lnog' is none of the variants long"),
        (CHECKED, (), "a gain is over `reference`: set it"),
        (CHECKED.replace("source", "control"), PLAIN, "'twin' is none of the variants long"),
        (CHECKED.replace("source='twin'", "control='long'"), PLAIN, "cannot be its own control"),
        (CHECKED.replace("source='twin'", ""), PLAIN, "no `control` and no `source`"),
        (CHECKED.replace("'twin'", "'real'"), PLAIN, "leak_checks.data: found 'real'"),
        (CHECKED.replace("source='twin'", "source='a'"), PLAIN, "leak_checks.source: found 'a'"),
        (CHECKED + "\nlabels=['haze']", PLAIN, "leak_checks.labels: found 'haze'"),
        ("[[experiment.baselines]]\nkind='s2cloudless'", (), "ukis_csmask"),
    ],
)
def test_what_is_wrong_is_said_at_once(planned, text, overrides, message):
    with pytest.raises(NndacssError, match=message) as error:
        planned(text, *overrides)
    assert "\n" not in str(error.value)
    assert isinstance(error.value, SettingsError | DatasetError | ValueError)


def test_parts_of_an_archive_are_tested_in_the_folds_of_all_of_it(planned):
    part = '{{kind="twin", name="{}", first={}, count=2, cross_validated=true}}'
    tests = f"evaluate.test=[{part.format('a', 0)}, {part.format('b', 2)}]"
    plan = planned(TWO, tests, "experiment.folds=3", 'train.cross_validated=["twin"]')
    assert len([run for run in plan.runs if run.model == "plain"]) == 3


def test_planning_is_light(tmp_path):
    """It runs in the scheduler's process."""
    config = tmp_path / "a.toml"
    config.write_text(BASE + TWO)
    code = (
        "import sys; from pathlib import Path; import nndacss.experiment.plan as p;"
        f"p.plan_experiment(Path({str(config)!r}));"
        "print([m for m in ('torch', 'lightning', 'rasterio', 'scipy') if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert said.stdout.strip() == "[]", said.stdout + said.stderr


def test_a_variant_may_be_written_either_way():
    nested = Variant(name="a", set={"train": {"epochs": 3, "loss": {"dice": 0.0}}})
    dotted = Variant(name="a", set={"train.epochs": 3, "train.loss": {"dice": 0.0}})
    assert nested.changes() == dotted.changes()
    assert ExperimentSettings().variants[0].changes() == {}
