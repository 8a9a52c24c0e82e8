"""Folds by scene: all windows of one place and time fall into one fold.

Balanced: scenes are put in an order that only the seed and their own names decide, and dealt out
in turn, so that fold sizes differ by one scene at most. Adding a scene may move others; a store's
list of scenes is fixed by its recipe, and so are its folds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from nndacss.errors import SettingsError


def folds(scenes: Iterable[str], count: int, seed: int) -> dict[str, int]:
    """Scene -> fold 0..count-1, the same on every machine; repeated scenes count once.

    >>> folds(["a", "b", "c", "d", "a"], 2, seed=0)
    {'d': 0, 'a': 1, 'c': 0, 'b': 1}
    """
    distinct = set(scenes)
    if not 1 <= count <= max(1, len(distinct)):
        raise SettingsError(f"{count} folds of {len(distinct)} scenes; use 1 to {len(distinct)}")
    order = sorted(distinct, key=lambda scene: (_key(scene, seed), scene))
    return {scene: place % count for place, scene in enumerate(order)}


def _key(scene: str, seed: int) -> str:
    # a hash, not a generator: numpy's streams may change between versions
    return hashlib.sha256(f"{seed}:{scene}".encode()).hexdigest()
