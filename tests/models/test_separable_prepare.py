"""The fast form of the Proba-V networks against the networks themselves."""

import copy

import pytest
import torch

from nndacss.models import separable_prepare, separable_rows
from nndacss.models.cyclegan import Generator
from nndacss.models.separable_unet import CloudNet

NETWORKS = {
    "generator": lambda: Generator(filters=8),
    "instancenorm": lambda: Generator(filters=8, norm="instancenorm"),
    "cloud": lambda: CloudNet(4, filters=8),
}


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("strip", [5, 32, 1000])
@pytest.mark.parametrize("kind", NETWORKS)
def test_strips_change_nothing(kind, strip, monkeypatch):
    """Of any height: also one that divides no image, and one that is higher than all."""
    torch.manual_seed(5)
    network = NETWORKS[kind]().train()
    planes = torch.rand(2, 4, 44, 36)
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.momentum = 1.0
    network(planes)  # norms that are not the identity
    network.eval()
    with torch.inference_mode():
        expected = network(planes)
    monkeypatch.setattr(separable_rows, "STRIP", strip)
    found = separable_prepare.prepare(copy.deepcopy(network))(planes)
    assert expected.std() > 0.01
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
