"""An encoder's first lessons: patches told apart, and what was learned carried over."""

import pytest
import torch

from nndacss.errors import SettingsError
from nndacss.models.card import EncoderCard, load_weights
from nndacss.pretrain.plan import pretrain_orders
from nndacss.pretrain.stage import pretrain_encoder
from nndacss.samples.stage import make_samples
from nndacss.settings import build
from nndacss.train.fitting import check_checkpoint
from nndacss.train.plan import train_order
from nndacss.train.stage import train_model
from tests.datasets.eurosat_files import eurosat
from tests.stages import begun, finished_store
from tests.train.land_stores import ROLES, make_land_store

pytestmark = pytest.mark.usefixtures("one_thread")

SCALES = dict.fromkeys((*ROLES, "ndvi"), 0.2)
TABLE = {
    "samples": {"roles": list(ROLES), "finest": 10.0},
    "train": {
        "architecture": {
            "name": "Unet",
            "encoder": "resnet18",
            "decoder_channels": [16, 16, 8, 8, 8],
        },
        "scaling": {"offset": SCALES, "spread": SCALES},
        "indices": ["ndvi"],
        "transfer": {"encoder": "pretrained", "frozen_epochs": 1},
        "augment": {"drop_chance": 0.0, "drop_nir_chance": 0.0},
        "epochs": 2,
        "samples_per_epoch": 4,
        "batch": 4,
        "crop": 64,
        "cross_validated": [],
        "monitor": 0.0,
        "workers": 0,
    },
    "pretrain": {
        "side": 32,
        "epochs": 5,
        "samples_per_epoch": 64,
        "batch": 8,
        "rate": 3e-4,
        "average": 0.0,
        "monitor": 0.2,
        "workers": 0,
    },
}


def settings(folder, **train):
    table = {**TABLE, "train": {**TABLE["train"], **train}}
    entry = {"kind": "eurosat", "folder": str(folder)}
    table["pretrain"] = {**TABLE["pretrain"], "datasets": [entry]}
    return build(table, "test")


def test_what_was_learned_is_carried_over(tmp_path):
    folder = eurosat(tmp_path / "data", side=32, count=10)["folder"]
    given = settings(folder)
    samples, order = pretrain_orders(given)
    begun_samples = begun(samples, tmp_path)
    make_samples(begun_samples)
    done(begun_samples)
    context = begun(order, tmp_path)
    summary = pretrain_encoder(context)
    done(context)
    # half as bright is another class: a few short epochs are enough
    assert summary["scores"]["monitor/accuracy"] == 1.0
    card, tensors = load_weights(context.folder / "weights.json", EncoderCard)
    assert card.roles == (*ROLES, "ndvi")
    assert (card.classes[1], card.levels) == ("forest", ("TOA",))
    assert card.training["data"] == {"eurosat": {"samples": 16}}

    land, _ = finished_store(tmp_path / "work", "samples", make_land_store)
    fitted = begun(train_order(land, given, "a", order), tmp_path / "work")
    for file in (tmp_path / "recipes", tmp_path / "pretrain"):
        for path in file.rglob("*"):
            if path.is_file():
                to = tmp_path / "work" / path.relative_to(tmp_path)
                to.parent.mkdir(parents=True, exist_ok=True)
                to.write_bytes(path.read_bytes())
    train_model(fitted)
    frozen = check_checkpoint(fitted.folder / "frozen" / "last.ckpt")["state_dict"]
    for name in ("layer2.0.conv1.weight", "conv1.weight"):
        assert torch.equal(frozen[f"network.encoder.{name}"], tensors[f"encoder.{name}"]), name


def done(context):
    (context.folder / "stage.json").write_text('{"summary": {}}')


def test_identity(tmp_path):
    folder = eurosat(tmp_path / "data")["folder"]

    def digest(**train):
        return pretrain_orders(settings(folder, **train))[-1].recipe.digest

    same = digest()
    assert digest(rate=1e-4, epochs=9) == same
    assert digest(indices=None) != same
    assert digest(architecture={"name": "Unet", "encoder": "resnet34"}) != same
    plain = settings(folder, transfer={"encoder": "", "frozen_epochs": 0})
    assert pretrain_orders(plain) == []
    nothing = build({**TABLE, "pretrain": {}}, "test")
    with pytest.raises(SettingsError, match="nothing to cut"):
        pretrain_orders(nothing)
