"""Fixtures that all tests share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

_BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture
def shared_data() -> Callable[[str], Path]:
    """`shared_data(name)`: a folder of real data, or the test is skipped with the reason.

    The data lie beside the repository, or where NNDACSS_SHARED_DATA says.
    """

    def find(name: str) -> Path:
        path = Path(os.environ.get("NNDACSS_SHARED_DATA", _BESIDE)) / name
        if not path.exists():
            pytest.skip(f"no real data: {path} is absent")
        return path

    return find


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Tiny tensors: more threads of torch only wait for each other."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
