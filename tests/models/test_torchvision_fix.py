"""The cure for torchvision beside a CPU torch, in fresh processes."""

import subprocess
import sys

USE = """
from nndacss.models.torchvision_fix import ensure_torchvision
first = ensure_torchvision()
second = ensure_torchvision()
import segmentation_models_pytorch as smp, torch
net = smp.UnetPlusPlus("tu-resnet18", encoder_weights=None, in_channels=6, classes=4).eval()
with torch.no_grad():
    assert net(torch.zeros(1, 6, 64, 64)).shape == (1, 4, 64, 64)
print(first, second)
"""
PLAIN = "import torchvision"


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


def test_networks_can_be_built_and_the_cure_acts_only_where_it_must():
    plain = run(PLAIN)
    needed = plain.returncode != 0
    if needed:
        assert "torchvision::nms does not exist" in plain.stderr
    cured = run(USE)
    assert cured.returncode == 0, cured.stderr
    assert cured.stdout.split() == [str(needed), "False"]
