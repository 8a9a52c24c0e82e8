"""The published U-Nets: their sizes, their function, and the fast form of it.

`plain` is the network written out again with plain functions, straight from a state dict.
"""

import copy
import re

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - its usual name

from nndacss.errors import SettingsError, WeightsError
from nndacss.models.deep_harmonization import (
    VARIANTS,
    build,
    check_state,
    fill,
    prepare,
    recognise,
)
from nndacss.models.deep_winograd import Winograd

BOTH = pytest.mark.parametrize("up", ["upsample", "shuffle"])


def plain(state, pixels):
    """Encoder blocks, then decoders; which up-mode is seen from the keys."""

    def conv(name, planes):
        weight = state[f"{name}.weight"]
        return F.conv2d(planes, weight, state[f"{name}.bias"], padding=weight.shape[-1] // 2)

    def prelu(name, planes):
        slope = state[f"{name}.weight"].item()
        return torch.where(planes >= 0, planes, slope * planes)

    def block(name, planes):
        planes = prelu(f"{name}.block.1", conv(f"{name}.block.0", planes))
        return prelu(f"{name}.block.3", conv(f"{name}.block.2", planes))

    depth = len({key.split(".")[1] for key in state if key.startswith("encoding_module")})
    kept = []
    for level in range(depth):
        if level:
            rows, columns = (side // 2 for side in pixels.shape[2:])
            cut = pixels[:, :, : 2 * rows, : 2 * columns]
            pixels = cut.unflatten(3, (columns, 2)).unflatten(2, (rows, 2)).mean(dim=(3, 5))
        pixels = block(f"encoding_module.{level}", pixels)
        kept.append(pixels)
    for level in range(depth - 1):
        name, skip = f"decoding_module.{level}", kept[depth - 2 - level]
        if f"{name}.Upsize.0.weight" in state:
            wide = prelu(f"{name}.Upsize.1", conv(f"{name}.Upsize.0", pixels))
            n, c, rows, columns = wide.shape
            wide = wide.reshape(n, c // 4, 2, 2, rows, columns).permute(0, 1, 4, 2, 5, 3)
            pixels = conv(f"{name}.Upsize.3", wide.reshape(n, c // 4, 2 * rows, 2 * columns))
        else:
            pixels = F.interpolate(pixels, scale_factor=2, mode="bilinear", align_corners=False)
            pixels = conv(f"{name}.Upsize.1", pixels)
        pixels = F.interpolate(pixels, size=skip.shape[2:], mode="bilinear")
        pixels = block(f"{name}.conv", torch.cat([pixels, skip], dim=1))
    return conv("final", pixels)


def random_state(depth, up, base, seed=0):
    """He's initialisation, slopes that all differ, biases that count."""
    draw = torch.Generator().manual_seed(seed)
    state = {}
    with torch.device("meta"):
        shapes = {key: value.shape for key, value in build(depth, up, base).state_dict().items()}
    for key, shape in shapes.items():
        if len(shape) == 4:
            spread = (2 / (shape[1] * shape[2] * shape[3])) ** 0.5
            state[key] = torch.randn(shape, generator=draw) * spread
        elif shape == (1,):
            state[key] = torch.rand(shape, generator=draw) * 0.4
        else:
            state[key] = torch.randn(shape, generator=draw) * 0.05
    return state


def tile(*shape, seed=1):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed)) * 0.5


@pytest.mark.parametrize("name", VARIANTS)
def test_numbers_of_parameters(name):
    variant = VARIANTS[name]
    with torch.device("meta"):
        count = sum(value.numel() for value in build(variant.depth, variant.up).parameters())
    assert f"{count / 1e6:.2f}" == f"{variant.millions:.2f}"
    assert variant.page.endswith(f"s2l8h-UNet-{name}")


def test_published_names_of_layers():
    def names(up):
        with torch.device("meta"):
            return build(5, up).state_dict()

    up, shuffle = names("upsample"), names("shuffle")
    assert up["encoding_module.0.block.0.weight"].shape == (64, 7, 3, 3)
    assert up["encoding_module.4.block.3.weight"].shape == (1,)
    assert up["decoding_module.0.Upsize.1.weight"].shape == (512, 1024, 1, 1)
    assert up["decoding_module.3.conv.block.2.weight"].shape == (64, 64, 3, 3)
    assert up["final.weight"].shape == (6, 64, 1, 1)
    assert shuffle["decoding_module.0.Upsize.0.weight"].shape == (2048, 1024, 3, 3)
    assert shuffle["decoding_module.0.Upsize.1.weight"].shape == (1,)
    assert shuffle["decoding_module.0.Upsize.3.weight"].shape == (512, 512, 3, 3)
    # two convolutions and two slopes a block; 1 or 2 convolutions and 0 or 1 slopes a doubling
    assert len(up) == 9 * 6 + 4 * 2 + 2
    assert len(shuffle) == 9 * 6 + 4 * 5 + 2


@BOTH
@pytest.mark.parametrize("size", [(16, 32), (19, 30)])
def test_same_as_written_out_plainly(up, size):
    state, pixels = random_state(4, up, 8), tile(2, 7, *size)
    network = fill(state, 4, up, "test", base=8)
    with torch.no_grad():
        found = network(pixels)
    expected = plain(state, pixels)
    assert found.shape == (2, 6, *size)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5 * expected.std().item())


@BOTH
def test_fast_form_is_the_same_function(up):
    """Wide enough that Winograd convolutions take part; odd sizes of pieces included."""
    state, pixels = random_state(3, up, 64), tile(2, 7, 24, 36)
    network = fill({key: value.clone() for key, value in state.items()}, 3, up, "test")
    run = prepare(network, "cpu", "float32")
    assert sum(isinstance(module, Winograd) for module in network.modules()) >= 6
    expected = plain(state, pixels)
    scale = expected.std()
    assert ((run(pixels) - expected).abs().max() / scale) < 2e-4
    assert torch.equal(run(pixels), run(pixels))
    assert run(pixels).dtype == torch.float32


@BOTH
def test_fast_form_in_bfloat16_is_near(up):
    state, pixels = random_state(3, up, 16), tile(1, 7, 32, 32)
    run = prepare(fill(state, 3, up, "test", base=16), "cpu", "bfloat16")
    found, expected = run(pixels), plain(random_state(3, up, 16), pixels)
    assert found.dtype == torch.float32
    relative = (found - expected).square().mean().sqrt() / expected.std()
    assert 1e-4 < relative < 0.03


@pytest.mark.parametrize(("inner", "outer"), [(5, 3), (4, 8)])
@pytest.mark.parametrize("size", [(4, 4), (1, 2), (17, 9), (150, 260)])
def test_winograd_is_a_convolution(inner, outer, size):
    torch.manual_seed(3)
    layer = torch.nn.Conv2d(inner, outer, 3, padding=1).requires_grad_(False)
    fast = Winograd(layer)
    fast.slope = 0.25
    pixels = tile(2, inner, *size)
    expected = F.leaky_relu(layer.double()(pixels.double()), 0.25)
    assert (fast(pixels) - expected).abs().max() < 1e-5


@pytest.mark.slow
def test_published_size_on_a_tile():
    state, pixels = random_state(5, "upsample", 64), tile(1, 7, 64, 64)
    expected = plain(state, pixels)
    network = fill(copy.deepcopy(state), 5, "upsample", "test")
    with torch.no_grad():
        assert ((network(pixels) - expected).abs().max() / expected.std()) < 1e-3
    run = prepare(network, "cpu", "float32")
    assert ((run(pixels) - expected).abs().max() / expected.std()) < 1e-3


def without(state, key):
    return {name: value for name, value in state.items() if name != key}


def test_the_first_layer_that_differs_is_named():
    state = random_state(3, "upsample", 8)
    check_state(state, 3, "upsample", "w", base=8)
    cases = [
        (
            without(state, "encoding_module.1.block.2.bias"),
            "no layer encoding_module.1.block.2.bias",
        ),
        ({**state, "final.weight": torch.zeros(4, 8, 1, 1)}, "layer final.weight (4, 8, 1, 1)"),
        ({**state, "extra.bias": torch.zeros(3)}, "layer extra.bias (3,)"),
        (
            {**state, "encoding_module.0.block.0.weight": torch.zeros(8, 6, 3, 3)},
            "layer encoding_module.0.block.0.weight (8, 6, 3, 3)",
        ),
    ]
    for tensors, found in cases:
        with pytest.raises(WeightsError, match=f"^w: found {re.escape(found)}; expected"):
            check_state(tensors, 3, "upsample", "w", base=8)
    with pytest.raises(WeightsError, match=r"decoding_module\.0\.Upsize\.0\.weight"):
        check_state(state, 3, "shuffle", "w", base=8)
    with pytest.raises(WeightsError, match=r"encoding_module\.3\.block\.0\.weight"):
        check_state(state, 4, "upsample", "w", base=8)


@BOTH
@pytest.mark.parametrize("depth", [2, 5, 6])
def test_recognised_by_its_layers(depth, up):
    state = random_state(depth, up, 1)
    assert recognise(state, "w", base=1) == (depth, up)
    with pytest.raises(WeightsError, match=r"no layer final\.bias"):
        recognise(without(state, "final.bias"), "w", base=1)


def test_other_networks_are_not_recognised():
    with pytest.raises(WeightsError, match=r"first layer stem\.weight"):
        recognise({"stem.weight": torch.zeros(1)}, "w")
    with pytest.raises(SettingsError, match="depth 5, up 'transposed'"):
        build(5, "transposed")
