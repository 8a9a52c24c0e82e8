"""Keras weights files with random numbers, and what Keras makes of them, in plain numpy."""

from __future__ import annotations

import json

import h5py
import numpy as np


def generator_arrays(seed=0, filters=5):
    """Layer -> arrays of a generator, in the published order."""
    rng = np.random.default_rng(seed)
    centre = np.array([0.4, 0.3, 0.5, 0.2])
    found = {"normalization_gen_in": {"kernel": np.eye(4)[None, None], "bias": -centre}}
    for block, width in ((1, 4), (2, 4 + filters)):
        found |= _block(rng, f"generator_block_{block}_", width, filters)
    found["out_generator"] = _plain(rng, 1, 4 + 2 * filters, 4)
    found["normalization_gen_out"] = {"kernel": np.eye(4)[None, None], "bias": centre}
    return _single(found)


def cloud_arrays(seed=0, filters=3, bands=4, scale=None):
    """Layer -> arrays of a cloud network."""
    rng = np.random.default_rng(seed)
    factor = np.ones(bands) if scale is None else np.full(bands, scale)
    found = {
        "normalization": {
            "kernel": np.diag(factor)[None, None],
            "bias": rng.normal(-0.4, 0.1, bands),
        }
    }
    one, two, four = filters, 2 * filters, 4 * filters
    for name, inner, outer in (
        ("input", bands, one),
        ("pool1", one, two),
        ("pool2", two, four),
        ("up1", 2 * two, two),
        ("up2", 2 * one, one),
    ):
        found |= _block(rng, f"{name}_", inner, outer)
    # a transposed convolution keeps (rows, columns, out, in)
    found["upconv1"] = {"kernel": _drawn(rng, (2, 2, two, four)), "bias": rng.normal(0, 0.1, two)}
    found["upconv2"] = {"kernel": _drawn(rng, (2, 2, one, two)), "bias": rng.normal(0, 0.1, one)}
    found["linear_model"] = _plain(rng, 1, one, 1)
    # logits about 0, as of a trained network: cloud here, none there
    logits = clouds(found, rng.uniform(0, 1, (64, 64, bands)))
    last = found["linear_model"]
    last["kernel"] = last["kernel"] / logits.std()
    last["bias"] = (last["bias"] - logits.mean()) / logits.std()
    return _single(found)


def save(path, layers, plan=None):
    """As Keras saves a model: with its plan, or weights only."""
    with h5py.File(path, "w") as file:
        root = file if plan is None else file.create_group("model_weights")
        if plan is not None:
            file.attrs["model_config"] = json.dumps({"config": {"layers": plan}})
        root.attrs["layer_names"] = np.array([*layers, "some_activation"], dtype="S")
        root.create_group("some_activation").attrs["weight_names"] = np.array([], dtype="S")
        for name, arrays in layers.items():
            group = root.create_group(name)
            # Keras numbers what it built before under the same name
            group.attrs["weight_names"] = np.array([f"{name}_2/{key}:0" for key in arrays], "S")
            for key, value in arrays.items():
                group[f"{name}_2/{key}:0"] = value
    return path


def generated(layers, image):
    """(rows, columns, 4) through a generator, as Keras does it."""
    x = _conv1(image, layers["normalization_gen_in"])
    first = np.concatenate([x, _run(layers, "generator_block_1_", x)], axis=2)
    both = np.concatenate([_run(layers, "generator_block_2_", first, 2), first], axis=2)
    return _conv1(_conv1(both, layers["out_generator"]), layers["normalization_gen_out"])


def clouds(layers, image):
    """(rows, columns, bands) to (rows, columns) logits, as Keras does it."""
    fine = _run(layers, "input_", _conv1(image, layers["normalization"]))
    middle = _run(layers, "pool1_", _pooled(fine))
    deep = _run(layers, "pool2_", _pooled(middle))
    middle = _run(layers, "up1_", np.concatenate([_doubled(deep, layers["upconv1"]), middle], 2))
    fine = _run(layers, "up2_", np.concatenate([_doubled(middle, layers["upconv2"]), fine], 2))
    return _conv1(fine, layers["linear_model"])[..., 0]


def _single(layers):
    return {
        name: {key: value.astype(np.float32) for key, value in arrays.items()}
        for name, arrays in layers.items()
    }


def _drawn(rng, shape):
    return rng.normal(0, 1 / np.sqrt(shape[0] * shape[1] * shape[2]) + 0.1, shape)


def _plain(rng, side, inner, outer):
    return {"kernel": _drawn(rng, (side, side, inner, outer)), "bias": rng.normal(0, 0.1, outer)}


def _block(rng, prefix, inner, outer):
    found = {}
    for number, width in ((1, inner), (2, outer)):
        found[f"{prefix}conv_{number}"] = {
            "depthwise_kernel": rng.normal(0, 0.4, (3, 3, width, 1)),
            "pointwise_kernel": _drawn(rng, (1, 1, width, outer)),
            "bias": rng.normal(0, 0.1, outer),
        }
        found[f"{prefix}bn_{number}"] = {
            "gamma": rng.uniform(0.7, 1.3, outer),
            "beta": rng.normal(0, 0.2, outer),
            "moving_mean": rng.normal(0, 0.2, outer),
            # small enough for Keras' epsilon, 0.001, to count
            "moving_variance": rng.uniform(0.001, 0.5, outer),
        }
    return found


def _conv1(x, arrays):
    return x @ arrays["kernel"][0, 0].astype(float) + arrays["bias"]


def _run(layers, prefix, x, dilation=1):
    for number in (1, 2):
        conv, norm = layers[f"{prefix}conv_{number}"], layers[f"{prefix}bn_{number}"]
        wide = np.pad(x, ((dilation,) * 2, (dilation,) * 2, (0, 0)))
        rows, columns = x.shape[:2]
        total = np.zeros(x.shape)
        for i in range(3):
            for j in range(3):
                part = wide[i * dilation : i * dilation + rows, j * dilation :][:, :columns]
                total += part * conv["depthwise_kernel"][i, j, :, 0]
        x = total @ conv["pointwise_kernel"][0, 0].astype(float) + conv["bias"]
        spread = np.sqrt(norm["moving_variance"].astype(float) + 0.001)
        x = (x - norm["moving_mean"]) / spread * norm["gamma"] + norm["beta"]
        x = np.maximum(x, 0)
    return x


def _pooled(x):
    rows, columns, bands = x.shape
    return x.reshape(rows // 2, 2, columns // 2, 2, bands).max(axis=(1, 3))


def _doubled(x, arrays):
    rows, columns, _ = x.shape
    result = np.empty((2 * rows, 2 * columns, arrays["kernel"].shape[2]))
    for i in range(2):
        for j in range(2):
            result[i::2, j::2] = x @ arrays["kernel"][i, j].T.astype(float) + arrays["bias"]
    return result
