"""Masks to compose with: what open sets become, and growth against brute force."""

import itertools

import numpy as np

from nndacss.compose.masks import dilated, from_sets


def test_open_sets_by_the_rule():
    """Of all sixteen sets: cloud where it may be, shadow and snow where nothing else, else ground.

    Unlabelled pixels are ground too.
    """
    sets = np.arange(16, dtype=np.uint16)[None]
    expected = [0, 0, 1, 0, 2, 0, 0, 0] + [3] * 8
    assert from_sets(sets)[0].tolist() == expected
    assert from_sets(sets).dtype == np.uint8


def brute(labels, distance):
    """Every ground pixel within `distance` of a structure; None where two are equally near."""
    result = labels.astype(object)
    structures = [(r, c) for r, c in np.ndindex(labels.shape) if labels[r, c] in (1, 3)]
    for r, c in np.ndindex(labels.shape):
        away = sorted(((r - y) ** 2 + (c - x) ** 2, labels[y, x]) for y, x in structures)
        if labels[r, c] in (0, 2) and away[0][0] <= distance**2:
            ties = {label for square, label in away if square == away[0][0]}
            result[r, c] = away[0][1] if len(ties) == 1 else None
    return result


def test_growth_is_by_the_drawn_distance():
    labels = np.zeros((24, 30), dtype=np.uint8)
    labels[3:6, 4:9] = 3
    labels[15, 20] = 1
    labels[20:, :] = 2
    grown = []
    for seed in range(6):
        found = dilated(labels, 8, np.random.default_rng(seed))
        distance = np.random.default_rng(seed).uniform(0, 8)
        expected = brute(labels, distance)
        sure = expected != None  # noqa: E711 - element by element
        np.testing.assert_array_equal(found[sure], expected[sure].astype(np.uint8))
        grown.append(int((found != labels).sum()))
    assert len(set(grown)) > 3
    assert labels[6, 4] == 0  # the input is as it was


def test_nothing_grows_from_nothing():
    labels = np.full((5, 5), 2, dtype=np.uint8)
    for seed, limit in itertools.product(range(3), (0.0, 9.0)):
        np.testing.assert_array_equal(dilated(labels, limit, np.random.default_rng(seed)), labels)
