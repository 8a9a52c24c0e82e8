"""Reading other people's weights without running their code.

Takes what is common: a state dict as `.pth`, `.pt`, `.bin` (torch's zip or pickle, read with
`weights_only=True`) or `.safetensors`; bare, or inside a training checkpoint, or under the prefix
of a wrapper (`module.` of DataParallel, `model.` of hub models).
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nndacss.errors import WeightsError, complain

if TYPE_CHECKING:
    from torch import Tensor

#: Wrappers that put their name before every layer: DataParallel, torch.compile, hub models,
#: Lightning modules.
WRAPPERS = ("module.", "_orig_mod.", "model.", "network.", "net.")
_SAFE = "a state dict: names and tensors, nothing else"


def load_foreign(path: Path) -> dict[str, Tensor]:
    """Layer names without wrappers -> tensors on the CPU, floating ones as float32.

    WeightsError where the file is missing, damaged, holds more than data (pickled code is never
    run), holds no state dict, or numbers that are not finite.
    """
    if not path.is_file():
        remedy = "check the path"
        raise WeightsError(complain(path, "no such file", "a weights file", remedy))
    found = _safetensors(path) if path.suffix == ".safetensors" else _pickled(path)
    tensors = unwrap(_state(found, path))
    for key, value in tensors.items():
        if value.is_floating_point() and not bool(value.isfinite().all()):
            remedy = "take another checkpoint of that training"
            raise WeightsError(complain(path, f"NaN or infinity in {key}", "numbers", remedy))
    return {
        key: value.float() if value.is_floating_point() else value for key, value in tensors.items()
    }


def unwrap(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Without the prefixes of wrappers, as far as all layers have them.

    >>> list(unwrap({"module.model.a.weight": 1, "module.model.b": 2}))
    ['a.weight', 'b']
    """
    result = dict(tensors)
    while result:
        first = next(iter(result))
        prefix = next((name for name in WRAPPERS if first.startswith(name)), None)
        if prefix is None or not all(key.startswith(prefix) for key in result):
            break
        result = {key.removeprefix(prefix): value for key, value in result.items()}
    return result


def _safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except SafetensorError as error:
        raise _damaged(path, error) from error


def _pickled(path: Path) -> Any:
    import torch

    try:
        # the published training script keeps its loss beside the weights: a class of torch's own
        with torch.serialization.safe_globals([torch.nn.L1Loss]):
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        found = f"more than data, or no weights at all ({_first_line(error)})"
        remedy = "pickled code is never run: save the state dict alone, best as .safetensors"
        raise WeightsError(complain(path, found, _SAFE, remedy)) from error
    except (RuntimeError, OSError, EOFError, ValueError, KeyError, AttributeError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> WeightsError:
    found = f"a damaged or foreign file ({_first_line(error)})"
    return WeightsError(complain(path, found, _SAFE, "fetch it again"))


def _first_line(error: Exception) -> str:
    """What went wrong, without torch's advice, before and after it, to run the code anyway."""
    text = str(error).rpartition("WeightsUnpickler error:")[2].partition("Please use")[0]
    lines = text.strip().splitlines()
    return lines[0][:160].rstrip(". ") if lines else type(error).__name__


def _state(found: Any, path: Path) -> dict[str, Tensor]:
    """The state dict: what was found, or the largest one a level below (a training checkpoint)."""
    if isinstance(found, Mapping):
        inner = [value for value in found.values() if isinstance(value, Mapping)]
        for candidate in sorted([found, *inner], key=_count, reverse=True)[:1]:
            if _count(candidate):
                return dict(candidate)
        names = ", ".join(str(key) for key in list(found)[:5]) or "nothing"
        what = f"a dictionary of {names}"
    else:
        what = f"one {type(found).__name__}"
    raise WeightsError(complain(path, what, _SAFE, "save network.state_dict()"))


def _count(candidate: Mapping[Any, Any]) -> int:
    """Numbers in a dictionary of named tensors; 0 for any other dictionary."""
    import torch

    named = all(
        isinstance(key, str) and isinstance(value, torch.Tensor) for key, value in candidate.items()
    )
    return sum(value.numel() for value in candidate.values()) if named else 0
