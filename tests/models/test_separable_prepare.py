"""The fast form of the Proba-V networks against the networks themselves."""

import copy
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from nndacss.models.cyclegan import Generator
from nndacss.models.separable_prepare import Compiled, prepare
from nndacss.models.separable_unet import CloudNet

NETWORKS = {
    "generator": lambda: Generator(filters=8),
    "instancenorm": lambda: Generator(filters=8, norm="instancenorm"),
    "cloud": lambda: CloudNet(4, filters=8),
    "scaled": lambda: CloudNet(4, 8, scale=[3.0, 4.0, 5.0, 2.0], offset=[-0.5, -0.7, 0.1, 0.2]),
}

pytestmark = pytest.mark.usefixtures("one_thread")


def learnt(kind):
    """With norms that are not the identity."""
    torch.manual_seed(5)
    network = NETWORKS[kind]().train()
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.momentum = 1.0
    network(torch.rand(2, 4, 44, 36))
    return network.eval()


def check(network, run, planes):
    with torch.inference_mode():
        expected = network(planes)
    assert expected.std() > 0.01
    torch.testing.assert_close(run(planes), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("kind", NETWORKS)
def test_it_is_the_same_function(kind, threads):
    """For one image and for two, of several sizes one after another, and again of the first."""
    network = learnt(kind)
    run = prepare(copy.deepcopy(network), threads=threads)
    assert isinstance(run, Compiled) == (kind != "instancenorm")
    for size in ((2, 4, 44, 36), (1, 4, 4, 100), (1, 4, 132, 96), (2, 4, 44, 36)):
        check(network, run, torch.rand(size))


def test_threads_and_calls_at_once_change_no_bit():
    network = learnt("cloud")
    alone, many = (prepare(copy.deepcopy(network), threads=threads) for threads in (1, 3))
    images = list(torch.rand(6, 1, 4, 80, 96))
    images += [torch.rand(1, 4, 40, 48)]  # another shape in between
    images += list(torch.rand(3, 1, 4, 80, 96))
    expected = [alone(image) for image in images]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(many, images))
    assert all(torch.equal(*pair) for pair in zip(found, expected, strict=True))


def test_what_it_gives_stays():
    """A second result does not overwrite the first."""
    run = prepare(learnt("generator"))
    first = run(torch.zeros(1, 4, 16, 16))
    kept = first.clone()
    run(torch.ones(1, 4, 16, 16))
    assert torch.equal(first, kept)


def test_views_of_larger_images_are_taken_as_they_are():
    network = learnt("cloud")
    large = torch.rand(1, 4, 80, 60)
    check(network, prepare(copy.deepcopy(network)), large[:, :, 8:48, 4:40])


SIGNAL = """
import gc, os, signal, threading, torch
from nndacss.models.separable_prepare import prepare
from nndacss.models.separable_unet import CloudNet
held = [prepare(CloudNet(4, 2))]
held[0](torch.zeros(1, 4, 16, 16))
signal.signal(signal.SIGUSR1, lambda number, frame: print("handled"))
other = threading.Thread(target=lambda: (held.clear(), gc.collect()))
other.start()
other.join()
os.kill(os.getpid(), signal.SIGUSR1)
"""


def test_signals_are_handled_after_a_network_has_gone():
    """In a process of its own: where OpenVINO unmaps the handlers' stack it ends by SIGSEGV."""
    done = subprocess.run([sys.executable, "-c", SIGNAL], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "handled\n"), done.stderr
