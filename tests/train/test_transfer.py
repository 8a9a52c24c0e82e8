"""Land cover: an encoder that learned elsewhere, its phases, and labels of unequal worth."""

import json

import numpy as np
import pytest
import torch

from nndacss.errors import SettingsError, WeightsError
from nndacss.models.card import LandCoverCard, MaskCard, load_weights
from nndacss.models.segmentation import Architecture, build, encode
from nndacss.models.torchvision_fix import ensure_torchvision
from nndacss.train.data import SampleData
from nndacss.train.encoder import adapt, freeze, from_file, layers, published, take_over
from nndacss.train.fit import begun as begun_fit
from nndacss.train.fit import fit, phases
from nndacss.train.fitting import check_checkpoint
from nndacss.train.module import ONE_CYCLE, rate_groups
from nndacss.train.plan import train_order
from nndacss.train.settings import TrainSettings
from nndacss.train.stage import train_model
from tests.stages import begun, finished_store
from tests.train.land_stores import ROLES, make_land_store, sample

ensure_torchvision()

pytestmark = pytest.mark.usefixtures("one_thread")

SCALING = {
    "offset": {"blue": 0.2, "green": 0.2, "red": 0.2, "nir": 0.3, "ndvi": 0.3},
    "spread": {"blue": 0.2, "green": 0.2, "red": 0.2, "nir": 0.2, "ndvi": 0.4},
}
SMALL = {
    "architecture": Architecture(
        name="Unet", encoder="resnet18", decoder_channels=(32, 16, 16, 8, 8)
    ),
    "scaling": SCALING,
    "indices": ("ndvi",),
    "augment": {"resized": (0.35, 1.0), "drop_chance": 0.0, "drop_nir_chance": 0.0},
    "epochs": 4,
    "samples_per_epoch": 24,
    "batch": 4,
    "crop": 64,
    "rate": 2e-3,
    "average": 0.0,
    "monitor": 0.2,
    "cross_validated": (),
    "workers": 0,
}


@pytest.fixture(scope="session")
def file(tmp_path_factory):
    """An encoder's file of torchvision's names and shapes; its numbers are random."""
    import torchvision

    torch.manual_seed(7)
    path = tmp_path_factory.mktemp("hub") / "resnet18.pth"
    torch.save(torchvision.models.resnet18(weights=None).state_dict(), path)
    return path


@pytest.fixture(scope="session")
def work(tmp_path_factory):
    root = tmp_path_factory.mktemp("land")
    return root, *finished_store(root, "samples", make_land_store)


@pytest.fixture(scope="session")
def whole(work, file):
    """The uninterrupted fit of two phases, through the stage's body."""
    root, samples, _ = work
    settings = TrainSettings(**SMALL, transfer=transfer(file))
    torch.set_num_threads(1)
    context = begun(train_order(samples, {"train": settings}, "whole"), root)
    return context, settings, train_model(context)


def transfer(file, **changes):
    return {"encoder": str(file), "frozen_epochs": 2, "frozen_rate": 5e-3, **changes}


def silent(fraction, message):
    pass


def test_it_learns_and_its_card_is_of_land_cover(whole):
    context, _, summary = whole
    card, tensors = load_weights(context.folder / "weights.json", LandCoverCard)
    assert (card.roles, card.bands, card.required) == ((*ROLES, "ndvi"), ROLES, ROLES)
    assert (card.classes[0], card.classes[6]) == ("water", "natural_vegetation")
    assert (card.finest, card.coarsest, card.levels) == (10.0, 20.0, ("SR",))
    assert summary["epoch"] == 4
    losses = [entry["train/loss"] for entry in history(context.folder)]
    assert losses[-1] < losses[0]
    load_weights(context.folder / "weights.json", MaskCard)  # what runs a mask's network runs this
    network = build(card.architecture, 5, 7).eval()
    network.load_state_dict(tensors)
    pixels, sets, _ = sample(np.random.default_rng(99), 64)
    ndvi = (pixels[3] - pixels[2]) / (pixels[3] + pixels[2])
    planes = torch.from_numpy(np.concatenate([pixels, ndvi[None]]))[None]
    with torch.no_grad():
        said = network(encode(planes, card.roles, card.scaling)).argmax(1)[0].numpy()
    labelled = sets != 0
    assert ((1 << said) == sets)[labelled].mean() > 0.25  # chance is 0.14


def history(folder):
    parts = [check_checkpoint(folder / place / "last.ckpt") for place in ("frozen", ".")]
    keeps = [next(v for k, v in part["callbacks"].items() if "Keep" in k) for part in parts]
    return [entry for keep in keeps for entry in keep["history"]]


@pytest.mark.parametrize("stop", [1, 2, 3])
def test_a_fit_that_stops_anywhere_goes_on_to_the_same_weights(whole, work, file, tmp_path, stop):
    context, settings, _ = whole
    first = fit(work[2], settings, tmp_path, silent, stop_after=stop, encoder=from_file(file))
    assert len(first.history) == stop
    second = fit(work[2], settings, tmp_path, silent, encoder=from_file(file))
    assert [entry["epoch"] for entry in second.history] == [0, 1, 2, 3]
    theirs, mine = (check_checkpoint(at / "last.ckpt") for at in (context.folder, tmp_path))
    assert all(torch.equal(v, mine["state_dict"][k]) for k, v in theirs["state_dict"].items())
    assert repr(theirs["optimizer_states"]) == repr(mine["optimizer_states"])


def test_the_frozen_encoder_keeps_its_kernels_and_then_learns(whole, file):
    context, _, _ = whole
    start = from_file(file)
    frozen = check_checkpoint(context.folder / "frozen" / "last.ckpt")["state_dict"]
    after = check_checkpoint(context.folder / "last.ckpt")["state_dict"]
    kernel = "layer3.0.conv1.weight"
    assert torch.equal(frozen[f"network.encoder.{kernel}"], start[kernel])
    assert not torch.equal(after[f"network.encoder.{kernel}"], start[kernel])
    # norms, and the layer that was adapted to other bands, learn from the beginning
    assert not torch.equal(
        frozen["network.encoder.layer3.0.bn1.weight"], start["layer3.0.bn1.weight"]
    )
    first = adapt(start["conv1.weight"], (*ROLES, "ndvi"))
    assert not torch.equal(frozen["network.encoder.conv1.weight"], first)


def test_rgb_gives_what_the_published_network_gives(tmp_path):
    """ResNet-34 as torchvision has it, on colours scaled by us: its own features."""
    import torchvision

    published_ = torchvision.models.resnet34(weights=None).eval()
    torch.save({"state_dict": published_.state_dict()}, tmp_path / "resnet34.pth")
    network = build(
        Architecture(name="Unet", encoder="resnet34", decoder_channels=(256, 128, 64, 32, 16)), 3, 7
    )
    state = from_file(tmp_path / "resnet34.pth")
    assert take_over(network.encoder, state, ("blue", "green", "red"), "resnet34.pth")
    colours = torch.randn(1, 3, 64, 64)  # red, green, blue
    planes = torch.cat([colours.flip(1), torch.ones(1, 3, 64, 64)], dim=1)
    with torch.no_grad():
        ours = network.encoder.eval()(planes)[-1]
        x = published_.maxpool(published_.relu(published_.bn1(published_.conv1(colours))))
        for layer in ("layer1", "layer2", "layer3", "layer4"):
            x = getattr(published_, layer)(x)
    torch.testing.assert_close(ours, x, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("encoder", ["resnet18", "tu-resnet18"])
def test_files_of_torchvision_timm_and_smp(encoder, file, tmp_path):
    import segmentation_models_pytorch as smp
    import timm

    whole_ = smp.Unet("resnet18", encoder_weights=None, classes=7)
    for state in (timm.create_model("resnet18").state_dict(), whole_.state_dict()):
        torch.save(state, tmp_path / "a.pth")
        target = build(Architecture(name="Unet", encoder=encoder), 4, 7)
        assert take_over(target.encoder, from_file(tmp_path / "a.pth"), ROLES, "a.pth")
        kernel = state.get("encoder.layer1.0.conv1.weight", state.get("layer1.0.conv1.weight"))
        found = next(
            v for k, v in target.encoder.state_dict().items() if k.endswith("layer1.0.conv1.weight")
        )
        assert torch.equal(found, kernel)


def test_other_weights_are_refused(file, tmp_path):
    target = build(Architecture(name="Unet", encoder="resnet34"), 4, 7)
    with pytest.raises(WeightsError, match=r"a\.pth: found no layer1\.2"):
        take_over(target.encoder, from_file(file), ROLES, "a.pth")
    state = from_file(file)
    target = build(Architecture(name="Unet", encoder="resnet18"), 4, 7)
    with pytest.raises(WeightsError, match=r"layer4\.0\.conv1\.weight of \(3, 3\)"):
        take_over(target.encoder, {**state, "layer4.0.conv1.weight": torch.ones(3, 3)}, ROLES, "b")


def test_without_a_network_it_says_what_to_do(monkeypatch):
    import segmentation_models_pytorch as smp

    def none(*_, **__):
        raise OSError("We couldn't connect to 'https://huggingface.co'\nmore")

    monkeypatch.setattr(smp.encoders, "get_encoder", none)
    with pytest.raises(WeightsError, match=r"resnet18: .*couldn't connect.*put the file"):
        published(Architecture(name="Unet", encoder="resnet18"))


def test_deeper_layers_learn_slower():
    network = build(Architecture(name="Unet", encoder="resnet18"), 4, 7)
    groups = rate_groups(network, 1e-3, 0.02, 0.01)
    rates = sorted({group["lr"] for group in groups})
    assert (rates[0], rates[-1]) == (pytest.approx(2e-5), pytest.approx(1e-3))
    steps = np.diff(np.log(rates))
    assert len(rates) == 7  # conv1, bn1, four layers, decoder with head
    np.testing.assert_allclose(steps, steps[0])
    count = sum(value.numel() for group in groups for value in group["params"])
    assert count == sum(value.numel() for value in network.parameters())
    freeze(network.encoder, keep_first=False)
    held = sum(
        value.numel()
        for group in rate_groups(network, 1e-3, 0.02, 0.01)
        for value in group["params"]
    )
    norms = sum(v.numel() for k, v in network.encoder.named_parameters() if v.ndim == 1)
    rest = sum(v.numel() for k, v in network.named_parameters() if not k.startswith("encoder."))
    assert held == norms + rest
    assert len(layers(network.encoder)) == 6


def test_a_random_encoder_is_not_frozen_and_a_frozen_one_has_one_rate(work, file, tmp_path):
    random = TrainSettings(**SMALL, transfer={"encoder": "", "frozen_epochs": 9})
    assert [(one.frozen, one.settings.epochs) for one in phases(random, tmp_path)] == [(False, 4)]
    known = TrainSettings(**SMALL, transfer=transfer(file))
    first, second = phases(known, tmp_path)
    assert (first.settings.epochs, second.settings.epochs, second.before) == (2, 2, 2)
    for phase, count in ((first, 1), (second, 7)):
        learner, _ = begun_fit(work[2], phase.settings)
        learner.prepare(phase.frozen, adapted=True)
        groups = learner.configure_optimizers()["optimizer"].param_groups
        assert len({group["max_lr"] for group in groups}) == count


def test_one_cycle_rises_falls_and_turns_the_momentum():
    value = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.AdamW([value], lr=1.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1.0, total_steps=100, **ONE_CYCLE)
    rates, momenta = [], []
    for _ in range(100):
        rates.append(optimizer.param_groups[0]["lr"])
        momenta.append(optimizer.param_groups[0]["betas"][0])
        optimizer.step()
        schedule.step()
    assert rates[0] == pytest.approx(1 / 25)
    assert int(np.argmax(rates)) == 24
    assert int(np.argmin(momenta)) == 24
    assert rates[-1] == pytest.approx(1e-5)
    assert (momenta[0], momenta[24]) == (pytest.approx(0.95), pytest.approx(0.85))


@pytest.mark.slow
def test_a_rate_is_found_once(work, file, tmp_path):
    settings = TrainSettings(
        **{**SMALL, "epochs": 2}, transfer=transfer(file, frozen_epochs=1, find_rate=True)
    )
    fit(work[2], settings, tmp_path, silent, stop_after=1, encoder=from_file(file))
    kept = tmp_path / "frozen" / "rate.json"
    found = json.loads(kept.read_text())
    assert 1e-6 < found["rate"] < 1
    assert found["rates"][0] == 1e-7
    # what was found is what is used, and a fit that goes on does not look again
    state = check_checkpoint(tmp_path / "frozen" / "last.ckpt")["lr_schedulers"][0]
    assert max(state["base_lrs"]) * 25 == pytest.approx(found["rate"])
    kept.write_text(json.dumps({"rate": 1e-9}))
    fit(work[2], settings, tmp_path, silent, encoder=from_file(file))
    assert json.loads(kept.read_text()) == {"rate": 1e-9}
    assert (tmp_path / "rate.json").exists()


def test_a_recipe_knows_the_file_by_its_content(work, file, tmp_path):
    _, samples, _ = work
    settings = TrainSettings(**SMALL, transfer=transfer(file))
    order = train_order(samples, {"train": settings}, "a")
    assert str(file) not in json.dumps(order.recipe.settings)
    assert order.location["encoder"] == str(file)
    copy = tmp_path / "other.pth"
    copy.write_bytes(file.read_bytes())
    again = TrainSettings(**SMALL, transfer=transfer(copy))
    assert train_order(samples, {"train": again}, "a").recipe.digest == order.recipe.digest
    copy.write_bytes(file.read_bytes()[:-1])
    other = train_order(samples, {"train": again}, "a").recipe.digest
    assert other != order.recipe.digest
    with pytest.raises(WeightsError, match=r"nothing\.pth: found no such file"):
        train_order(
            samples, {"train": TrainSettings(**SMALL, transfer=transfer("nothing.pth"))}, "a"
        )
    with pytest.raises(WeightsError, match="no data for it"):
        train_order(
            samples, {"train": TrainSettings(**SMALL, transfer=transfer("pretrained"))}, "a"
        )


def test_batches_hold_indices_of_the_varied_bands_and_how_sure_labels_are(work):
    settings = TrainSettings(**SMALL)
    data = SampleData(work[2], settings)
    pixels, sure, sets = (data.varied()[(0, 3, 5)][key] for key in ("pixels", "sure", "sets"))
    red, nir = pixels[2], pixels[3]
    ndvi, there = ((nir - red) / (nir + red)).clip(-1, 1), pixels[4].isfinite()
    assert there.float().mean() > 0.5
    torch.testing.assert_close(pixels[4][there], ndvi[there])
    # each class is as sure as it was when it was drawn, wherever it was turned and cut to
    labelled = sets > 0
    odd = (torch.log2(sets[labelled].float()).round().long() % 2).bool()
    assert sure[labelled][odd].unique().tolist() == [pytest.approx(0.6)]
    assert sure[labelled][~odd].unique().tolist() == [1.0]
    with pytest.raises(SettingsError, match=r"train\.indices: found ndbi of bands"):
        SampleData(work[2], TrainSettings(**{**SMALL, "indices": ("ndbi",)}))
