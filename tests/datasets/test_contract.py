"""What every dataset in the folder keeps."""

import importlib
import json
import pickle
import subprocess
import sys

import numpy as np
import pytest
from pydantic import ValidationError

from nndacss.datasets import STRATA, Dataset
from nndacss.plugins import load, names
from nndacss.samples.settings import KNOWN
from tests.datasets.examples import EXAMPLES

MEMBERS = names("datasets")
HEAVY = {"torch", "rasterio", "osgeo", "lightning"}


@pytest.fixture(scope="module")
def datasets(tmp_path_factory):
    """One example of each member."""
    made = {}
    for kind in MEMBERS:
        folder = tmp_path_factory.mktemp(kind)
        made[kind] = load("datasets", kind)(**EXAMPLES[kind](folder))
    return made


def test_every_member_has_an_example():
    missing = set(MEMBERS) - set(EXAMPLES)
    assert not missing, f"write a small archive for {missing} in tests/datasets/examples.py"


def test_importing_and_planning_is_light():
    code = (
        "import sys, importlib\n"
        f"for name in {list(MEMBERS)}: importlib.import_module('nndacss.datasets.' + name)\n"
        "import nndacss.samples.plan\n"
        "print(*sys.modules)"
    )
    command = [sys.executable, "-c", code]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert not HEAVY & set(found)


@pytest.mark.parametrize("kind", MEMBERS)
def test_is_a_documented_dataset(kind):
    member = load("datasets", kind)
    assert issubclass(member, Dataset)
    assert not member.__abstractmethods__
    assert load("labels", member.scheme).name == member.scheme
    assert len(importlib.import_module(f"nndacss.datasets.{kind}").__doc__) > 200


@pytest.mark.parametrize("kind", MEMBERS)
def test_unknown_option_is_an_error(kind, datasets):
    options = datasets[kind].model_dump()
    with pytest.raises(ValidationError, match="colour"):
        load("datasets", kind)(**options, colour="blue")


@pytest.mark.parametrize("kind", MEMBERS)
def test_names_and_scenes(kind, datasets):
    dataset = datasets[kind]
    found = dataset.names()
    assert found
    assert list(found) == sorted(set(found))
    for name in found:
        assert dataset.scene(name)


@pytest.mark.parametrize("kind", MEMBERS)
def test_fingerprint_is_json_without_places(kind, datasets):
    dataset = datasets[kind]
    text = json.dumps(dataset.fingerprint(), sort_keys=True)
    assert text == json.dumps(pickle.loads(pickle.dumps(dataset)).fingerprint(), sort_keys=True)
    for place in dataset.places().values():
        assert str(place) not in text


@pytest.mark.parametrize("kind", MEMBERS)
def test_samples(kind, datasets):
    dataset = datasets[kind]
    scheme = load("labels", dataset.scheme)
    labelled = 0
    for name in dataset.names()[:4]:
        sample = dataset.load(name)
        again = dataset.load(name)
        assert (sample.name, sample.scene) == (name, dataset.scene(name))
        assert sample.pixels.dtype == np.float32
        assert sample.pixels.shape == (len(sample.roles), *sample.sets.shape)
        assert sample.sets.dtype == np.uint16
        assert sample.sets.max() < 1 << len(scheme.classes)
        assert not np.isinf(sample.pixels).any()
        assert set(sample.roles) <= set(KNOWN)
        assert len(set(sample.roles)) == len(sample.roles)
        seen = sample.pixels[~np.isnan(sample.pixels)]
        assert seen.min() > -0.5
        assert seen.max() < 3  # reflectance, neither counts nor kelvin
        assert set(sample.strata) <= set(STRATA)
        for part in sample.strata.values():
            assert (part.shape, part.dtype) == (sample.sets.shape, np.bool_)
        assert sample.level in ("TOA", "SR")
        assert sample.sensor in names("sensors")
        assert 1 <= sample.metres <= 100
        assert sample.sun is None or (-90 < sample.sun[0] <= 90 and -360 <= sample.sun[1] <= 360)
        np.testing.assert_array_equal(sample.pixels, again.pixels)
        np.testing.assert_array_equal(sample.sets, again.sets)
        labelled += int((sample.sets != 0).sum())
    assert labelled
