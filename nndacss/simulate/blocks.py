"""Windows of a scene, rendered by a few threads and handed out in order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from nndacss.simulate.sampling import Grid, Window

Result = TypeVar("Result")


def in_order(
    grid: Grid, block: int, threads: int | None, render: Callable[[Window], Result]
) -> Iterator[tuple[Window, Result]]:
    """Every window of `block` pixels with what `render` makes of it; at most two a thread wait."""
    windows = [
        Window(top, min(top + block, grid.rows), left, min(left + block, grid.columns))
        for top in range(0, grid.rows, block)
        for left in range(0, grid.columns, block)
    ]
    workers = threads or min(4, os.cpu_count() or 1)
    waiting: deque[tuple[Window, Future[Result]]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        for window in windows:
            waiting.append((window, pool.submit(render, window)))
            if len(waiting) >= 2 * workers:
                done, result = waiting.popleft()
                yield done, result.result()
        while waiting:
            done, result = waiting.popleft()
            yield done, result.result()
