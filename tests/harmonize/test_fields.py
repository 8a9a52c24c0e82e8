"""Rectangles of several threads as one batch: nobody waits in vain, nobody gets another's."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from nndacss.harmonize.fields import Together


class Card:
    """Adds 1, slowly, and remembers the batches."""

    batch, classes = 4, 1

    def __init__(self):
        self.batches, self.at_once, self.lock = [], 0, threading.Lock()

    def __call__(self, pixels):
        assert self.lock.acquire(blocking=False), "two at once"
        self.batches.append(len(pixels))
        time.sleep(0.01)
        self.lock.release()
        if (pixels < 0).any():
            raise ValueError("bad pixels")
        return pixels + 1


def test_batches_of_what_waits():
    card = Card()
    together = Together(card)
    sizes = [8, 8, 8, 5] * 8
    images = [np.full((1, 1, size, 8), k, dtype=np.float32) for k, size in enumerate(sizes)]
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(together, images))
    assert all(np.array_equal(one, image + 1) for one, image in zip(found, images, strict=True))
    assert sum(card.batches) == len(images)
    assert 1 < max(card.batches) <= card.batch


def test_an_error_reaches_its_own_thread_and_stops_no_other():
    together = Together(Card())
    images = [np.full((1, 1, 8, 8), -1.0 if k == 3 else k, dtype=np.float32) for k in range(9)]
    with ThreadPoolExecutor(1) as pool:
        found = [pool.submit(together, image) for image in images]
    with pytest.raises(ValueError, match="bad pixels"):
        found[3].result()
    assert np.array_equal(found[4].result(), images[4] + 1)
