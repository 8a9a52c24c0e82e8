"""Weights and cards: what is written is read, and what is damaged is refused."""

import json

import pytest
import torch

from nndacss.errors import WeightsError
from nndacss.models.card import MaskCard, find, load_card, load_weights, save_weights
from nndacss.models.segmentation import Architecture, Scaling

CARD = MaskCard(
    name="small",
    purpose="a test",
    architecture=Architecture(),
    roles=("blue", "green"),
    required=("blue",),
    classes=("clear", "cloud"),
    scaling=Scaling(offset={"blue": 0.1, "green": 0.1}, spread={"blue": 0.2, "green": 0.2}),
    training={"data": {"twin": {"simulated": True}}},
    licence="none",
    sha256="",
)


@pytest.fixture
def saved(tmp_path):
    tensors = {
        "a.weight": torch.arange(6.0).reshape(2, 3).T,  # not contiguous
        "a.half": torch.tensor([0.5, -2.0], dtype=torch.float16),
        "a.count": torch.tensor(7),
    }
    return save_weights(CARD, tensors, tmp_path / "small"), tensors, tmp_path / "small"


def test_what_is_written_is_read(saved):
    card, tensors, path = saved
    for name in (path, path.with_suffix(".json"), path.with_suffix(".safetensors"), str(path)):
        read, found = load_weights(name, MaskCard)
        assert read == card
        assert set(found) == set(tensors)
        assert torch.equal(found["a.weight"], tensors["a.weight"])
        assert found["a.half"].dtype == torch.float32
        assert found["a.half"].tolist() == [0.5, -2.0]
        assert found["a.count"].item() == 7
    assert card.model_copy(update={"sha256": ""}) == CARD


def test_same_tensors_same_sha(saved, tmp_path):
    card, tensors, _ = saved
    assert save_weights(CARD, tensors, tmp_path / "again").sha256 == card.sha256
    tensors["a.count"] += 1
    assert save_weights(CARD, tensors, tmp_path / "again").sha256 != card.sha256


def test_a_name_with_a_dot_keeps_it(tmp_path):
    save_weights(CARD, {"a": torch.zeros(1)}, tmp_path / "mask_v1.2")
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "mask_v1.2.json",
        "mask_v1.2.safetensors",
    ]
    assert load_weights(tmp_path / "mask_v1.2", MaskCard)[0].name == "small"


def test_damaged_foreign_and_missing_weights(saved):
    _, _, path = saved
    weights, card = path.with_suffix(".safetensors"), path.with_suffix(".json")
    data = weights.read_bytes()
    weights.write_bytes(data[:-1])
    with pytest.raises(WeightsError, match=r"small\.safetensors.*as its card says"):
        load_weights(path, MaskCard)
    weights.unlink()
    with pytest.raises(WeightsError, match="no weights file"):
        load_weights(path, MaskCard)
    card.unlink()
    with pytest.raises(WeightsError, match="no such weights"):
        find(path)


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"name": "x"}', "null"])
def test_what_is_no_card(tmp_path, text):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(WeightsError, match=r"x\.json.*a weights card"):
        load_card(tmp_path / "x.json", MaskCard)


def test_an_unknown_key_is_refused(saved):
    _, _, path = saved
    card = path.with_suffix(".json")
    card.write_text(json.dumps({**json.loads(card.read_text()), "colour": "red"}))
    with pytest.raises(WeightsError, match="colour"):
        load_card(path, MaskCard)
