"""Other people's weights files: all common forms are read, no code in them is run."""

import collections
import pickle

import pytest
import torch
from safetensors.torch import save_file

from nndacss.errors import WeightsError
from nndacss.models.deep_harmonization import build, recognise
from nndacss.models.foreign import load_foreign

torch.manual_seed(1)
STATE = build(3, "shuffle", base=4).state_dict()


def wrapped(prefix):
    return {prefix + key: value for key, value in STATE.items()}


def training(state):
    """As the published training script saves: its loss object lies beside the weights."""
    return {
        "epoch": 7,
        "model_state_dict": state,
        "optimizer_state_dict": {"state": {}, "param_groups": [{"lr": 1e-5}]},
        "loss": torch.nn.L1Loss(),
    }


@pytest.mark.parametrize(
    "saved",
    [
        STATE,
        collections.OrderedDict(wrapped("model.")),
        wrapped("module.model."),
        training(STATE),
        training(wrapped("module.")),
        {"state_dict": {key: value.double() for key, value in wrapped("model.").items()}},
    ],
)
def test_pickled_forms(tmp_path, saved):
    torch.save(saved, tmp_path / "w.pth")
    found = load_foreign(tmp_path / "w.pth")
    assert list(found) == list(STATE)
    assert all(torch.equal(found[key], value) for key, value in STATE.items())
    assert recognise(found, "w.pth", base=4) == (3, "shuffle")


def test_files_from_before_torch_1_6(tmp_path):
    torch.save({"state_dict": STATE}, tmp_path / "w.pth", _use_new_zipfile_serialization=False)
    assert torch.equal(load_foreign(tmp_path / "w.pth")["final.bias"], STATE["final.bias"])


def test_safetensors_half_becomes_float(tmp_path):
    save_file({key: v.half() for key, v in wrapped("model.").items()}, tmp_path / "w.safetensors")
    found = load_foreign(tmp_path / "w.safetensors")
    assert set(found) == set(STATE)
    assert found["final.bias"].dtype == torch.float32
    assert torch.equal(found["final.bias"], STATE["final.bias"].half().float())


class Evil:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (self.path, "w"))


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("zipped", [True, False])
def test_code_is_not_run(tmp_path, zipped):
    trap = tmp_path / "trap"
    content = {"model_state_dict": STATE, "extra": Evil(str(trap))}
    torch.save(content, tmp_path / "w.pth", _use_new_zipfile_serialization=zipped)
    with pytest.raises(WeightsError, match=r"w\.pth.*more than data.*io\.open.*never run"):
        load_foreign(tmp_path / "w.pth")
    (tmp_path / "plain.bin").write_bytes(pickle.dumps(Evil(str(trap))))
    with pytest.raises(WeightsError, match=r"plain\.bin"):
        load_foreign(tmp_path / "plain.bin")
    assert not trap.exists()


def test_a_whole_module_is_refused(tmp_path):
    torch.save(torch.nn.Conv2d(1, 1, 1), tmp_path / "w.pt")
    with pytest.raises(WeightsError, match="save the state dict alone"):
        load_foreign(tmp_path / "w.pt")


@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
def test_damaged_files(tmp_path, name):
    path = tmp_path / name
    with pytest.raises(WeightsError, match="no such file"):
        load_foreign(path)
    save = save_file if name.endswith("safetensors") else torch.save
    save(dict(STATE), path)
    data = path.read_bytes()
    for bad in (b"", data[: len(data) // 2], b"<html>not found</html>"):
        path.write_bytes(bad)
        with pytest.raises(WeightsError, match=name):
            load_foreign(path)


@pytest.mark.parametrize("content", [{}, {"epoch": 3}, [1, 2], torch.zeros(3)])
def test_no_weights_inside(tmp_path, content):
    torch.save(content, tmp_path / "w.pth")
    with pytest.raises(WeightsError, match="a state dict: names and tensors"):
        load_foreign(tmp_path / "w.pth")


def test_numbers_that_are_none(tmp_path):
    broken = {**STATE, "final.bias": torch.tensor([1.0, float("nan"), 0, 0, 0, 0])}
    torch.save(broken, tmp_path / "w.pth")
    with pytest.raises(WeightsError, match=r"NaN or infinity in final\.bias"):
        load_foreign(tmp_path / "w.pth")
