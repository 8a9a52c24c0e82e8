"""The network's shapes, its faults, and how reflectance enters it."""

import pytest
import torch

from nndacss.errors import SettingsError
from nndacss.models.segmentation import MULTIPLE, Architecture, Scaling, build, encode

SMALL = Architecture(encoder="tu-mobilenetv3_small_050", decoder_channels=(16, 16, 8, 8, 8))
SCALING = Scaling(offset={"red": 0.2, "blue": 0.1}, spread={"red": 0.1, "blue": 0.5}, clip=3.0)


def test_planes_by_hand():
    pixels = torch.tensor([[[0.3, float("nan")]], [[0.6, 9.0]]])  # red, blue
    planes = encode(pixels, ("red", "blue"), SCALING)
    expected = [[[1.0, 0.0]], [[1.0, 3.0]], [[1.0, 0.0]], [[1.0, 1.0]]]
    torch.testing.assert_close(planes, torch.tensor(expected))
    # the roles decide, not the order of the scaling; batches go along
    swapped = encode(pixels.flip(0)[None], ("blue", "red"), SCALING)
    torch.testing.assert_close(swapped[0], planes[[1, 0, 3, 2]])


def test_a_missing_band_is_not_a_dark_one():
    missing = encode(torch.full((1, 1, 1), float("nan")), ("red",), SCALING)
    average = encode(torch.full((1, 1, 1), 0.2), ("red",), SCALING)
    assert missing.flatten().tolist() == [0.0, 0.0]
    assert average.flatten().tolist() == [0.0, 1.0]


def test_logits_have_the_size_of_the_input():
    network = build(SMALL, bands=3, classes=5).eval()
    with torch.no_grad():
        assert network(torch.zeros(2, 6, MULTIPLE, 2 * MULTIPLE)).shape == (2, 5, 32, 64)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "Nothing"}, "Nothing"),
        ({"name": "encoders"}, "encoders"),
        ({"encoder": "tu-nothing"}, "tu-nothing"),
        ({"encoder": "nothing"}, "nothing"),
        ({"name": "DeepLabV3"}, "DeepLabV3"),
        ({"decoder_channels": (8,) * 6}, "UnetPlusPlus"),
    ],
)
def test_unknown_parts(changes, message):
    with pytest.raises(SettingsError, match=message):
        build(SMALL.model_copy(update=changes), bands=3, classes=4)
