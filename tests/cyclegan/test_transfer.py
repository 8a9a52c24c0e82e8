"""The comparison: counts by hand, distances, which variants, and a whole run on made patches."""

import csv
import json

import numpy as np
import pytest
import torch

from nndacss.cloudnet.stage import train_cloud_net
from nndacss.cyclegan.stage import train_cyclegan
from nndacss.domains.kinds import Twin
from nndacss.domains.stage import make_domains
from nndacss.errors import SettingsError
from nndacss.settings import load_settings
from nndacss.stage import Context
from nndacss.transfer.measure import Counts, count, distances, scores
from nndacss.transfer.plan import gan_order, plan, transfer_order
from nndacss.transfer.stage import compare, variants
from tests.cyclegan.patches import patches

pytestmark = pytest.mark.usefixtures("one_thread")
SETTINGS = (
    'domains.sources=[{ kind = "twin", first = 0, count = 4, image = 16 }]',
    'transfer.sources=[{ kind = "twin", first = 50, count = 2, image = 16 }]',
    *("domains.side=16", "domains.stride=16"),
    *("cloudnet.filters=2", "cloudnet.epochs=1", "cloudnet.batch=2", "cloudnet.monitor=0"),
    *("cyclegan.df_gen=2", "cyclegan.df_disc=2", "cyclegan.epochs=1", "cyclegan.batch_size=2"),
    *("cloudnet.device=cpu", "cyclegan.device=cpu", "transfer.draws=100"),
)


def made_of_nothing(self, title, name, settings):
    del self, title
    yield from patches(count=2, side=settings.side, seed=int(name), scenes=1, kind=f"s{name}")


def test_counts_and_scores_by_hand():
    found = np.array([[0.9, 0.4, 0.6, 0.1], [np.nan, 0.5, 0.2, 0.8]], dtype=np.float32)
    share = np.array([[1.0, 0.7, 0.2, 0.0], [1.0, np.nan, 0.5, 0.5]], dtype=np.float32)
    # told / true: hit, missed, wrong, clear, unknown, unknown, missed, hit
    counts = count(found, share, 0.5)
    assert counts.tolist() == [1, 1, 2, 2]
    result = scores(counts)
    assert result["accuracy"] == pytest.approx(3 / 6)
    assert result["iou_cloud"] == pytest.approx(2 / 5)
    assert result["iou_clear"] == pytest.approx(1 / 4)
    assert result["recall_cloud"] == pytest.approx(2 / 4)
    assert result["precision_cloud"] == pytest.approx(2 / 3)
    assert np.isnan(scores(np.array([3, 0, 0, 0]))["iou_cloud"])


def test_counts_are_summed_by_scene_and_the_interval_knows_it():
    rows = [np.array([10, 0, 0, 10]), np.array([0, 10, 10, 0]), np.array([10, 0, 0, 10])]
    counts = Counts.of(["a", "b", "a"], rows)
    assert counts.values.tolist() == [[20, 0, 0, 20], [0, 10, 10, 0]]
    assert counts.scores()["accuracy"] == pytest.approx(40 / 60)
    assert counts.interval("accuracy", 500, 0) == (0.0, 1.0)
    alike = Counts.of(["a", "b"], [rows[0], rows[0]])
    assert alike.interval("accuracy", 500, 0) == (1.0, 1.0)


def test_distances_are_wasserstein():
    from scipy.stats import wasserstein_distance

    rng = np.random.default_rng(0)
    first = rng.normal(0.3, 0.1, (40_000, 4)).astype(np.float32)
    second = first[::2] * np.float32([1, 1.2, 1, 0.5]) + np.float32([0.05, 0, 0, 0.1])
    found = distances(first, second)
    for number, band in enumerate(("BLUE", "RED", "NIR", "SWIR")):
        right = wasserstein_distance(first[:, number], second[:, number])
        assert found[band] == pytest.approx(right, abs=0.001)
    assert found["BLUE"] == pytest.approx(0.05, abs=0.002)


def test_what_is_compared():
    inputs = {
        "test": "0",
        "clouds_L8": "1",
        "clouds_LU": "2",
        "clouds_PV": "3",
        "gan_fullrepr": "4",
    }
    assert [(v.clouds, v.images, v.gan) for v in variants(inputs)] == [
        ("L8", "PV", ""),
        ("LU", "PV", ""),
        ("LU", "PV", "fullrepr"),
        ("LU", "LU", ""),
        ("PV", "PV", ""),
    ]


def test_training_and_test_share_no_scene():
    with pytest.raises(SettingsError, match=r"found seed 3 in \[\[domains.sources\]\] too"):
        plan(load_settings(None, [*SETTINGS, SETTINGS[1].replace("50", "3")]))
    with pytest.raises(SettingsError, match="nothing to test on"):
        plan(load_settings(None, SETTINGS[:1]))


def done(order, root, body):
    """A stage run to its end in this process."""
    order.save(root)
    context = Context(order, root, root / "products", threads=1)
    context.folder.mkdir(parents=True)
    summary = dict(body(context))
    (context.folder / "stage.json").write_text(json.dumps({"summary": summary}))
    return context.folder


def test_a_whole_comparison(tmp_path, monkeypatch):
    monkeypatch.setattr(Twin, "patches", made_of_nothing)
    planned = plan(load_settings(None, SETTINGS))
    for order in (planned.train, planned.test):
        done(order, tmp_path, make_domains)
    folders = {n: done(o, tmp_path, train_cloud_net) for n, o in planned.clouds.items()}
    assert set(folders) == {"L8", "LU", "PV"}
    gan = gan_order(planned, "fullrepr", folders["LU"] / "weights.json")
    assert set(gan.recipe.inputs) == {"domains", "cloud_detection"}
    done(gan, tmp_path, train_cyclegan)
    order = transfer_order(planned, {"fullrepr": gan}, "compared")
    folder = done(order, tmp_path, compare)
    result = json.loads((folder / "result.json").read_text())
    assert (result["patches"], result["scenes"]) == (4, 2)
    assert len(result["variants"]) == 5
    for row in result["variants"]:
        assert row["pixels"] == 4 * 16 * 16
        assert 0 <= row["accuracy"] <= 1
        low, high = row["intervals"]["accuracy"]
        assert low <= row["accuracy"] <= high
    before, after = result["distances"]
    assert before["name"] == "Proba-V"
    assert after["name"] == "Proba-V, fullrepr"
    table = list(csv.DictReader((folder / "table.csv").open()))
    assert [row["name"] for row in table] == [row["name"] for row in result["variants"]]
    page = (folder / "report.html").read_text()
    assert f"{result['variants'][1]['accuracy']:.4f}" in page
    # the same again by hand: the network trained on transformed Landsat, on Proba-V
    from nndacss.models.probav_card import CloudCard, choose
    from nndacss.models.probav_networks import cloud_net

    network = cloud_net(choose(folders["LU"] / "weights.json", CloudCard))
    right = 0
    for seed in (50, 51):
        for patch in patches(count=2, side=16, seed=seed, scenes=1):
            image = torch.from_numpy(np.moveaxis(patch.pv, -1, 0)[None].copy())
            with torch.no_grad():
                told = (network(image).sigmoid()[0, 0] >= 0.5).numpy()
            right += int((told == (patch.pv_cloud >= 0.5)).sum())
    assert result["variants"][1]["accuracy"] == pytest.approx(right / 1024)
