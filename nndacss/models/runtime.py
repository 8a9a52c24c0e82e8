"""The C libraries under torch, told to serve networks on a CPU that others use as well.

Call `prepare_cpu()` at the start of a stage's process, before the first import of torch. It holds
on to memory, so it is for stages, not for a user's own process.
"""

from __future__ import annotations

import ctypes
import os
from functools import cache
from pathlib import Path

# names and numbers of glibc's malloc.h
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8


def prepare_cpu() -> bool:
    """Keep big buffers, and wait for other threads without spinning.

    Buffers: by default glibc maps every large tensor fresh from the system and returns it when
    freed, so that each layer of each step pays for page faults, 10 to 20 % of a training step.
    False where the C library is another's and knows no such options.

    Waiting: torch's threads meet at the end of every operation. By default those that wait spin;
    where other work wants the cores, they spin in the time slice of the very thread they wait for,
    and a step takes ten times as long and more.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    options = ((_MMAP_THRESHOLD, 2**30), (_TRIM_THRESHOLD, 2**31 - 1), (_ARENA_MAX, 1))
    return [mallopt(option, value) for option, value in options] == [1] * len(options)


def one_thread() -> None:
    """One thread for torch in the calling thread: several tiles at once beat one on all cores."""
    import torch

    if torch.get_num_threads() != 1:
        torch.set_num_threads(1)


@cache
def native_bfloat16() -> bool:
    """Whether this machine's processor has bfloat16 arithmetic, as far as Linux tells."""
    try:
        words = set(Path("/proc/cpuinfo").read_text().split())
    except OSError:
        return False
    return bool(words & {"avx512_bf16", "amx_bf16", "bf16"})
