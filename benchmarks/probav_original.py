"""The published Proba-V networks as their own program runs them: TensorFlow, Keras 2.

    pip install tensorflow-cpu tf_keras                  (the package does not need them)
    python benchmarks/probav_original.py FILE SIDE THREADS

A file's plan is taken as it is, but for images of any size; `nndacss` has no part in it. As a
program it runs the network on a random image of SIDE x SIDE pixels each time a line comes in, and
answers with the seconds: in a process of its own, as its users run it.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np


def installed() -> bool:
    """Whether the original can run here."""
    return all(importlib.util.find_spec(name) for name in ("tensorflow", "tf_keras"))


def original(path: Path, side: int, threads: int) -> Callable[[], float]:
    """The seconds that a network takes for an image, each time it is called."""
    command = [sys.executable, __file__, str(path), str(side), str(threads)]
    search = os.pathsep.join(sys.path)
    environment = {**os.environ, "PYTHONPATH": search, "TF_CPP_MIN_LOG_LEVEL": "3"}
    pipe = subprocess.PIPE
    child = subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True, env=environment
    )

    def run() -> float:
        if child.stdin is None or child.stdout is None:
            raise RuntimeError("no pipe")
        child.stdin.write("\n")
        child.stdin.flush()
        answer = child.stdout.readline()
        if not answer:
            raise RuntimeError(f"the original ended without a word; see: {' '.join(command)}")
        return float(answer)

    return run


def main() -> None:
    """Answer lines with seconds until there are no more."""
    import tensorflow
    import tf_keras

    path, side, threads = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
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
    image = np.random.default_rng(0).random((1, side, side, bands), dtype=np.float32)
    planes = tensorflow.constant(image)
    for _ in sys.stdin:
        started = time.perf_counter()
        call(planes).numpy()
        print(time.perf_counter() - started, flush=True)


if __name__ == "__main__":
    main()
