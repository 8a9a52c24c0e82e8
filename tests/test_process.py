"""Jobs in processes of their own."""

import os

import pytest

from nndacss.errors import StageError
from nndacss.process import finished


def test_jobs_come_back_from_processes_and_from_here():
    for workers in (1, 2):
        assert sorted(finished(abs, [-1, 2, -3], workers, "counted")) == [-3, -1, 2]
    assert list(finished(abs, [], 2, "counted")) == []


def test_a_killed_process_is_told():
    with pytest.raises(StageError, match=r"a process that counted was killed \(out of memory\?\)"):
        list(finished(os._exit, [1, 1], 2, "counted"))


def test_the_first_error_comes_through():
    with pytest.raises(ValueError, match="invalid literal"):
        list(finished(int, ["1", "x"], 2, "counted"))
