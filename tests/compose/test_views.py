"""What comes in is checked before anything is computed."""

import numpy as np
import pytest

from nndacss.errors import DatasetError, InputError, SettingsError
from tests.compose.places import place

SIZE = (6, 48, 56)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        (
            {"landsat": np.zeros((12, 48, 56), np.float32)},
            InputError,
            r"\(12, 48, 56\).*blue, green",
        ),
        ({"harmonized": np.zeros(SIZE)}, InputError, "harmonized image: found float64"),
        ({"landsat": np.zeros((6, 0, 56), np.float32)}, InputError, "Landsat image"),
        ({"harmonized": np.zeros((6, 48, 55), np.float32)}, InputError, r"\(48, 55\) pixels"),
        ({"labels": np.zeros((16, 19), np.uint8)}, DatasetError, r"labels: found \(16, 19\)"),
        (
            {"labels": np.full(SIZE[1:], 192, np.uint8)},
            DatasetError,
            "code 192; .* 0, 1, 2, 3, 255",
        ),
        ({"labels": np.zeros(SIZE[1:], np.int64)}, DatasetError, "int64"),
        ({"target": "sentinel-3"}, SettingsError, "sentinel-2a or"),
    ],
)
def test_errors_say_what_is_wrong(changes, error, message):
    with pytest.raises(error, match=message) as found:
        place(**changes)
    assert "\n" not in str(found.value)
