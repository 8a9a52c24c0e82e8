"""A cloud network from patches to weights that load and tell clouds; exact resume."""

import numpy as np
import pytest
import torch

from nndacss.cloudnet.data import CloudData
from nndacss.cloudnet.learner import entropy
from nndacss.cloudnet.plan import cloud_net_order
from nndacss.cloudnet.settings import CloudNetSettings
from nndacss.cloudnet.stage import fit, train_cloud_net
from nndacss.errors import SettingsError, WeightsError
from nndacss.models.card import load_card
from nndacss.models.probav_card import CloudCard, choose
from nndacss.models.probav_networks import CloudDetector, cloud_net
from tests.cyclegan.patches import domains_file, patches
from tests.stages import begun, finished_store

pytestmark = pytest.mark.usefixtures("one_thread")
TINY = CloudNetSettings(
    filters=4,
    epochs=10,
    samples_per_epoch=48,
    batch=4,
    momentum=0.3,
    average=0.5,
    rate=1e-2,
    monitor=0.25,
    device="cpu",
)


def quiet(fraction, message):
    pass


def test_entropy_counts_known_pixels_only():
    logits = torch.tensor([[[[0.0, 2.0], [-1.0, 5.0]]]])
    cloud = torch.tensor([[[1.0, 0.25], [0.0, np.nan]]])
    p = 1 / (1 + np.exp(-np.array([0.0, 2.0, -1.0])))
    y = np.array([1, 0.25, 0])
    right = -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean()
    assert float(entropy(logits, cloud)) == pytest.approx(right, rel=1e-5)
    assert float(entropy(logits, torch.full_like(cloud, np.nan))) == 0


def test_scenes_that_watch_do_not_train(tmp_path):
    data = CloudData(domains_file(tmp_path / "domains.h5", count=12, scenes=4), TINY)
    records = data.store.records
    assert {records[i].scene for i in data.parts["monitor"]} == set(data.watched)
    assert not {records[i].scene for i in data.train} & data.watched
    assert len(data.watched) == 1


def test_resumed_gives_the_same_weights(tmp_path):
    store = domains_file(tmp_path / "domains.h5", count=12)
    settings = TINY.model_copy(update={"epochs": 2})
    whole = fit(store, settings, tmp_path / "whole", quiet)
    fit(store, settings, tmp_path / "parts", quiet, stop_after=1)
    resumed = fit(store, settings, tmp_path / "parts", quiet)
    found = resumed.learner.result.state_dict()
    for name, value in whole.learner.result.state_dict().items():
        assert torch.equal(value, found[name])


def test_it_learns_and_its_weights_tell_clouds(tmp_path):
    source, _ = finished_store(tmp_path, "domains", lambda path: domains_file(path, count=24))
    context = begun(cloud_net_order(source, TINY, "clouds"), tmp_path)
    summary = train_cloud_net(context)
    assert summary["scores"][0]["accuracy"] > 0.9
    chosen = choose(context.folder / "weights.json", CloudCard)
    assert chosen.simulated
    detect = CloudDetector(cloud_net(chosen))
    hits = [
        ((detect(np.moveaxis(p.lu, -1, 0)) >= 0.5) == (p.lu_cloud >= 0.5)).mean()
        for p in patches(count=5, seed=99)
    ]
    assert np.mean(hits) > 0.9
    card = load_card(context.folder / "weights.json", CloudCard)
    assert card.training["domain"] == "LU"
    assert card.training["kept_out"]
    other = TINY.model_copy(update={"start": str(context.folder / "weights.json"), "filters": 8})
    with pytest.raises(WeightsError, match=r"found 4 filters; expected 8"):
        cloud_net_order(source, other, "clouds")


def test_patches_without_that_sensor_cannot_train(tmp_path):
    store = domains_file(tmp_path / "domains.h5", count=2)
    with pytest.raises(SettingsError, match=r"patches of LU with clouds to train on"):
        CloudData(store, TINY)
