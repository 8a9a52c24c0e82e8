"""Processes that do not outlive each other, and give back what they do not need."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

#: prctl(2) option: the signal that a process gets when its parent dies.
_PR_SET_PDEATHSIG = 1


def die_with(parent: int) -> None:
    """Have the kernel kill this process when `parent` ends, however it ends.

    Linux only; elsewhere a stage whose parent was killed runs to its end, which is harmless
    (its results are whole or absent) but takes its time.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before we asked
            os._exit(1)


def release_memory() -> None:
    """Give freed memory back to the system between steps of different shape.

    glibc keeps what was freed, in pieces that the next step cannot use, so that a stage's peak
    would be the sum of its steps'. A no-op with other C libraries.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
