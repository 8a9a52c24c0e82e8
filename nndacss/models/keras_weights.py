"""The Valencia group's published Keras weights (HDF5), read without TensorFlow.

    load_generator("full.hdf5"), load_cloud_net("cloud_detection_l8.hdf5")

A file holds a group for each layer with its arrays, and often the network's plan as JSON. Every
layer must be one that the network has, with its shape, and where there is a plan it must agree.
Importing this is light (no torch).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from numpy.typing import NDArray

from nndacss.errors import WeightsError, complain
from nndacss.models.keras_layers import Spot, cloud_layers, generator_layers, laid, options

if TYPE_CHECKING:
    from torch import Tensor, nn

    from nndacss.models.cyclegan import Generator
    from nndacss.models.separable_unet import CloudNet

Arrays = dict[str, NDArray[np.float32]]
"""Arrays of a layer by the last part of their name: `kernel`, `bias`, `gamma`, ..."""

_REMEDY = "give the file as its authors publish it, or weights with a card"


@dataclass(frozen=True)
class KerasFile:
    """What a weights file holds."""

    path: Path
    layers: Mapping[str, Arrays]
    """Layers with arrays, in the file's order."""
    plan: Mapping[str, Mapping[str, Any]]
    """Layer -> its class (`class_name`) and `config`; empty where the file has weights only."""


def load_generator(path: str | Path) -> Generator:
    """The generator of a weights file, in eval mode; WeightsError names the layer that differs."""
    from nndacss.models.cyclegan import Generator

    file = read(Path(path))
    first = _array(file, "generator_block_1_conv_1", "pointwise_kernel")
    norm = any(name.startswith("generator_block_1_bn") for name in file.layers)
    network = Generator(
        bands=first.shape[-2],
        filters=first.shape[-1],
        norm="batchnorm" if norm else "none",
    )
    fill(network, generator_layers(norm), file, "the Proba-V to Landsat-8 generator")
    return network


def load_cloud_net(path: str | Path) -> CloudNet:
    """The cloud network of a weights file, in eval mode; WeightsError as `load_generator`."""
    from nndacss.models.separable_unet import CloudNet

    file = read(Path(path))
    first = _array(file, "input_conv_1", "pointwise_kernel")
    network = CloudNet(bands=first.shape[-2], filters=first.shape[-1])
    fill(network, cloud_layers(), file, "the cloud network")
    return network


def read(path: Path) -> KerasFile:
    """All layers of a file; WeightsError where it is missing, damaged or no Keras weights."""
    if not path.is_file():
        raise WeightsError(complain(path, "no such file", "a weights file", "check the path"))
    try:
        with h5py.File(path, "r", locking=False) as file:
            root = file.get("model_weights", file)
            if "layer_names" not in root.attrs:
                found = "an HDF5 file without layer names"
                raise WeightsError(complain(path, found, "Keras weights", _REMEDY))
            layers = {name: _layer(root[name]) for name in _names(root.attrs["layer_names"])}
            plan = _plan(file.attrs.get("model_config"))
    except (OSError, KeyError, RuntimeError, ValueError, TypeError) as error:
        if isinstance(error, WeightsError):
            raise
        found = f"a damaged file, or none of HDF5 ({' '.join(str(error).split())[:160]})"
        raise WeightsError(complain(path, found, "Keras weights", "fetch it again")) from error
    return KerasFile(path, {name: arrays for name, arrays in layers.items() if arrays}, plan)


def fill(network: nn.Module, spots: Mapping[str, Spot], file: KerasFile, what: str) -> None:
    """Put a file's arrays into a network; WeightsError names the first layer that differs."""
    import torch

    unexpected = [name for name in file.layers if name not in spots]
    lacking = [name for name in spots if name not in file.layers]
    if unexpected or lacking:
        parts = [f"an unexpected layer {name}" for name in unexpected[:1]]
        parts += [f"no layer {name}" for name in lacking[:1]]
        counts = f"{len(file.layers)} layers with weights"
        found = f"{' and '.join(parts)} ({counts})"
        expected = f"the {len(spots)} layers of {what}"
        raise WeightsError(complain(file.path, found, expected, _REMEDY))
    state: dict[str, Tensor] = {}
    own = network.state_dict()
    for name, spot in spots.items():
        _check_plan(file, name, spot, what)
        for key, value in _laid(file, name, spot).items():
            if key not in own or tuple(own[key].shape) != value.shape:
                size = tuple(own[key].shape) if key in own else "nothing"
                found = f"layer {name}: {_last(key)} of shape {value.shape}"
                expected = f"{size}, as {what} has it"
                raise WeightsError(complain(file.path, found, expected, _REMEDY))
            state[key] = torch.from_numpy(value)
    counters = [key for key in own if key.endswith("num_batches_tracked")]
    network.load_state_dict(state | {key: own[key] for key in counters})
    network.eval()


def _names(stored: Any) -> list[str]:
    return [name.decode() if isinstance(name, bytes) else str(name) for name in stored]


def _layer(group: h5py.Group) -> Arrays:
    """A layer's arrays, by names like `conv/kernel:0`."""
    found: Arrays = {}
    for name in _names(group.attrs.get("weight_names", ())):
        array = np.asarray(group[name][()], dtype=np.float32)
        if not np.isfinite(array).all():
            raise WeightsError(
                complain(group.file.filename, f"NaN or infinity in {name}", "numbers", _REMEDY)
            )
        found[name.rpartition("/")[2].partition(":")[0]] = array
    return found


def _plan(text: Any) -> dict[str, Mapping[str, Any]]:
    if text is None:
        return {}
    config = json.loads(text)["config"]
    return {layer["config"]["name"]: layer for layer in config["layers"]}


def _array(file: KerasFile, layer: str, name: str) -> NDArray[np.float32]:
    """One array; WeightsError where there is none."""
    array = file.layers.get(layer, {}).get(name)
    if array is None or array.ndim < 2:
        first = ", ".join(list(file.layers)[:3]) or "none"
        found = f"no layer {layer} with {name} (its first layers: {first})"
        raise WeightsError(complain(file.path, found, "that layer", _REMEDY))
    return array


def _laid(file: KerasFile, name: str, spot: Spot) -> dict[str, NDArray[np.float32]]:
    """A layer's arrays as torch wants them, by torch's keys."""
    try:
        return laid(spot, file.layers[name])
    except (KeyError, ValueError) as error:
        reason = str(error).strip("'\"")
        found = f"layer {name}: {reason}"
        expected = f"the arrays of a {spot.kind.value} layer"
        raise WeightsError(complain(file.path, found, expected, _REMEDY)) from error


def _check_plan(file: KerasFile, name: str, spot: Spot, what: str) -> None:
    """WeightsError where the file's own plan says another kind of layer, or other options."""
    if not file.plan:
        return
    layer = file.plan.get(name, {"class_name": "none", "config": {}})
    if layer["class_name"] != spot.kind.value:
        found = f"layer {name}: a {layer['class_name']}"
        expected = f"a {spot.kind.value}, as {what} has it"
        raise WeightsError(complain(file.path, found, expected, _REMEDY))
    for option, wanted in options(spot).items():
        given = layer["config"].get(option)
        if given is not None and given != wanted:
            found = f"layer {name}: {option} = {given}"
            raise WeightsError(complain(file.path, found, f"{wanted}, as {what} has it", _REMEDY))


def _last(key: str) -> str:
    return key.rpartition(".")[2]
