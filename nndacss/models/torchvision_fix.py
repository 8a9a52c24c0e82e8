"""Make torchvision importable beside a CPU torch, and do nothing where the wheels fit.

PyPI's torchvision is a CUDA build. Beside a CPU torch its compiled operators cannot load, and
its import fails with "operator torchvision::nms does not exist" (pytorch/vision#9077, #9085);
timm, segmentation-models-pytorch, torchmetrics and lightning fail with it, though none of what
this project uses of them calls those operators. Declaring the two operators' schemas is enough
for the import. Call `ensure_torchvision()` before the first import of any of those packages.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

#: What torchvision itself declares in C++ (torchvision/csrc/ops/nms.cpp, quantized/cpu).
_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_keep: list[Any] = []  # a torch Library undoes its definitions when it is collected


def ensure_torchvision() -> bool:
    """Import torchvision; returns whether the cure was needed. Other errors pass through."""
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
    else:
        return False
    import torch

    library: Any = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for schema in _SCHEMAS:
        library.define(schema)
    _keep.append(library)
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    importlib.import_module("torchvision")
    return True
