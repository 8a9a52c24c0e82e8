"""The networks between Proba-V and Landsat-8: sizes, reach, normalization, fast form, tiles."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from nndacss.models.cyclegan import CENTRE, REACH, Discriminator, Generator
from nndacss.models.probav_networks import (
    DETECT,
    TRANSLATE,
    CloudDetector,
    Cut,
    Translator,
    tiles,
)
from nndacss.models.separable_unet import REACH as CLOUD_REACH
from nndacss.models.separable_unet import CloudNet

pytestmark = pytest.mark.usefixtures("one_thread")


def settled(network, seed=0):
    """With norms and biases that have seen something."""
    torch.manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.05, 0.5)
            module.weight.data.uniform_(0.7, 1.3)
            module.bias.data.normal_(0, 0.2)
        elif isinstance(module, nn.Conv2d | nn.ConvTranspose2d) and module.bias is not None:
            module.bias.data.normal_(0, 0.1)
    return network.eval()


def reached(network, side, at):
    """Rows and columns of the input on which one output pixel depends, as distances."""
    planes = torch.rand(1, 4, side, side, dtype=torch.float64, requires_grad=True)
    network.double()(planes)[0, 0, at, at].backward()
    rows = torch.nonzero(planes.grad[0].abs().sum(dim=(0, 2))).flatten() - at
    columns = torch.nonzero(planes.grad[0].abs().sum(dim=(0, 1))).flatten() - at
    return [int(rows.min()), int(rows.max()), int(columns.min()), int(columns.max())]


def count(network):
    return sum(parameter.numel() for parameter in network.parameters())


def test_sizes():
    # depthwise 9 a band, pointwise with bias, two numbers a norm and band
    blocks = 9 * 4 + 4 * 64 + 64 + 9 * 64 + 64 * 64 + 64
    blocks += 9 * 68 + 68 * 64 + 64 + 9 * 64 + 64 * 64 + 64
    assert count(Generator()) == blocks + 4 * 2 * 64 + 132 * 4 + 4
    layers = 16 * (4 * 8 + 8 * 16 + 16 * 32 + 32 * 64) + 8 + 16 + 32 + 64
    assert count(Discriminator()) == layers + 2 * (16 + 32 + 64) + 64 + 1
    assert Discriminator()(torch.rand(2, 4, 64, 64)).shape == (2, 1, 4, 4)


def test_a_generator_that_adds_nothing_gives_the_mean_of_each_band():
    network = settled(Generator(filters=3))
    nn.init.zeros_(network.out.weight)
    nn.init.zeros_(network.out.bias)
    result = network(torch.rand(1, 4, 8, 8))
    expected = torch.tensor(CENTRE).view(1, 4, 1, 1).expand(1, 4, 8, 8)
    torch.testing.assert_close(result, expected)


def test_first_weights_are_keras_glorot():
    torch.manual_seed(0)
    network = Generator()
    layer = network.block_1.depthwise_2  # 64 bands: limit sqrt(6 / (9 * 64 + 9))
    limit = (6 / (9 * 64 + 9)) ** 0.5
    assert limit * 0.95 < layer.weight.abs().max() <= limit
    assert not network.block_1.pointwise_2.bias.any()


def test_keras_norms():
    (norm,) = {
        (module.eps, module.momentum)
        for module in Generator().modules()
        if isinstance(module, nn.BatchNorm2d)
    }
    assert norm == (1e-3, 0.01)
    assert {
        (module.eps, module.momentum)
        for module in Discriminator().modules()
        if isinstance(module, nn.BatchNorm2d)
    } == {(1e-3, 0.2)}


def test_instance_norm_takes_out_each_images_own_contrast():
    torch.manual_seed(0)
    image = torch.rand(1, 4, 16, 16) - 0.5
    block = Generator(filters=6, norm="instancenorm").block_1
    torch.testing.assert_close(block(image), block(40 * image), atol=0.05, rtol=0.05)
    plain = Generator(filters=6, norm="none").block_1
    assert (plain(40 * image) - plain(image)).abs().max() > 1
    alone = Generator(filters=6, norm="instancenorm").eval()
    pair = torch.cat([image, 7 * image])
    torch.testing.assert_close(alone(pair)[:1], alone(image))


def test_reach():
    assert reached(settled(Generator(filters=3)), 24, 12) == [-REACH, REACH] * 2
    found = np.array([reached(settled(CloudNet(4, filters=6)), 64, at) for at in range(28, 36)])
    assert found.min() == -CLOUD_REACH
    assert found.max() == CLOUD_REACH
    assert DETECT.halo > CLOUD_REACH
    assert TRANSLATE.halo > REACH


def image_with_gaps(rows, columns, seed=0):
    rng = np.random.default_rng(seed)
    pixels = rng.uniform(0, 1, (4, rows, columns)).astype(np.float32)
    pixels[:, 5:9, 7:20] = np.nan
    pixels[2, 30, 30] = np.nan  # one band alone
    return pixels


def plain(network, pixels, multiple=1):
    """The untouched network on the whole image at once, missing as 0."""
    missing = np.isnan(pixels).any(axis=0)
    filled = np.where(missing, 0, pixels).astype(np.float32)
    lack = [(0, -size % multiple) for size in missing.shape]
    filled = np.pad(filled, ((0, 0), *lack), mode="reflect")
    with torch.no_grad():
        result = network(torch.from_numpy(filled)[None])[0].numpy()
    return result[:, : missing.shape[0], : missing.shape[1]], missing


def whole(network, pixels, cut, core, out):
    for tile in tiles(pixels.shape[1:], replace(cut, core=core)):
        out[..., *tile.at] = network(pixels[:, *tile.around])[..., *tile.inside]
    return out


def test_translation_in_tiles_is_that_of_the_whole_image():
    pixels = image_with_gaps(70, 91)
    network = settled(Generator(filters=6))
    expected, missing = plain(network, pixels)
    found = whole(Translator(network), pixels, TRANSLATE, 32, np.zeros_like(pixels))
    assert np.array_equal(np.isnan(found), np.broadcast_to(missing, found.shape))
    np.testing.assert_allclose(found[:, ~missing], expected[:, ~missing], atol=2e-6)


@pytest.mark.parametrize("core", [32, 64])
def test_clouds_in_tiles_are_those_of_the_whole_image(core):
    pixels = image_with_gaps(90, 115)
    network = settled(CloudNet(4, filters=6))
    logits, missing = plain(network, pixels, 4)
    expected = 1 / (1 + np.exp(-logits[0].astype(float)))
    assert expected.std() > 0.005
    detector = CloudDetector(network)
    found = whole(detector, pixels, DETECT, core, np.zeros((90, 115), np.float32))
    assert np.array_equal(np.isnan(found), missing)
    np.testing.assert_allclose(found[~missing], expected[~missing], atol=2e-6)


def test_what_is_missing_everywhere_is_not_computed():
    nothing = np.full((4, 9, 10), np.nan, dtype=np.float32)
    assert np.isnan(Translator(Generator(filters=2))(nothing)).all()
    found = CloudDetector(CloudNet(4, filters=2))(nothing)
    assert found.shape == (9, 10)
    assert np.isnan(found).all()


@pytest.mark.parametrize("multiple", [1, 4])
@pytest.mark.parametrize("shape", [(50, 33), (1, 400), (16, 17), (131, 64), (48, 47)])
def test_tiles_cover_every_pixel_once_with_what_lies_around(shape, multiple):
    covered = np.zeros(shape, dtype=int)
    cut = Cut(8, 16, multiple)
    windows = [set(), set()]
    for tile in tiles(shape, cut):
        covered[tile.at] += 1
        for axis, (keep, wide) in enumerate(zip(tile.at, tile.around, strict=True)):
            size = shape[axis]
            assert wide.start % multiple == 0
            assert 0 <= wide.start <= max(keep.start - 8, 0)
            assert min(keep.stop + 8, size) <= wide.stop <= size
            windows[axis].add(-(-(wide.stop - wide.start) // multiple))
    assert (covered == 1).all()
    for lengths in windows:
        assert len(lengths) == 1, "a network is compiled for one shape"
        assert lengths.pop() * multiple <= 16 + 2 * 8 + multiple - 1


def test_spans_by_hand():
    """100 pixels, 8 around, 30 kept: (100 - 16) / 30 makes 3 of (100 + 2 * 16) / 3 = 44."""
    found = [(t.at[1], t.around[1]) for t in tiles((1, 100), Cut(8, 30))]
    assert found == [
        (slice(0, 36), slice(0, 44)),
        (slice(36, 64), slice(28, 72)),
        (slice(64, 100), slice(56, 100)),
    ]
