"""The published Proba-V networks as their own program runs them: TensorFlow, Keras 2.

    pip install tensorflow-cpu tf_keras      (see requirements.txt; the package does not need them)

A file's plan is taken as it is, but for images of any size; `nndacss` has no part in it.
"""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from nndacss.raster import Pixels


def installed() -> bool:
    """Whether the original can run here."""
    return all(importlib.util.find_spec(name) for name in ("tensorflow", "tf_keras"))


def original(path: Path, pixels: Pixels, threads: int) -> Callable[[], Pixels]:
    """The network of a Keras file on the whole image; (rows, columns, planes) when called."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow
    import tf_keras

    if tensorflow.config.threading.get_intra_op_parallelism_threads() != threads:
        tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
    with h5py.File(path) as file:
        plan: dict[str, Any] = json.loads(file.attrs["model_config"])
    for layer in plan["config"]["layers"]:
        if layer["class_name"] == "InputLayer":
            bands = layer["config"]["batch_input_shape"][-1]
            layer["config"]["batch_input_shape"] = [None, None, None, bands]
    network = tf_keras.Model.from_config(plan["config"])
    network.load_weights(path)
    call = tensorflow.function(lambda planes: network(planes, training=False))
    planes = tensorflow.constant(np.moveaxis(pixels, 0, -1)[None])

    def run() -> Pixels:
        result: Pixels = call(planes).numpy()[0]
        return result

    return run
