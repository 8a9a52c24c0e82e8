"""Where shadows fall: signs worked out by hand, on both hemispheres."""

import pytest

from nndacss.errors import SettingsError
from nndacss.inpaint.cast import Geometry, in_pixels

#: Sun elevation and azimuth, view zenith and azimuth; (rows down, columns right) from a cloud at
#: 3000 m to its shadow, pixels of 30 m.
CASES = {
    # noon in the north, sun in the south: the shadow lies north, up in the image
    "sun south": ((45, 180, 0, 0), (-100, 0)),
    # noon in the south, sun in the north: the shadow lies south
    "sun north": ((45, 0, 0, 0), (100, 0)),
    # morning: the shadow lies west, left
    "sun east": ((45, 90, 0, 0), (0, -100)),
    # 3000 / tan 30 = 5196 m, to the north-west
    "northern morning": ((30, 135, 0, 0), (-122.474, -122.474)),
    # to the south-west
    "southern morning": ((30, 45, 0, 0), (122.474, -122.474)),
    # a sensor in the east sees the cloud too far west: the shadow seems further east by 3000 m
    "seen from the east": ((45, 180, 45, 90), (-100, 100)),
    # sun and sensor in one direction: the cloud hides its shadow
    "seen from the sun": ((45, 180, 45, 180), (0, 0)),
}


@pytest.mark.parametrize("name", CASES)
def test_by_hand(name):
    geometry, expected = CASES[name]
    found = in_pixels(Geometry(*geometry).offset(3000.0), 30.0)
    assert found == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(
    ("angles", "message"), [((0, 180), "sun elevation"), ((45, 0, 85, 0), "view zenith")]
)
def test_angles_that_cast_no_shadow(angles, message):
    with pytest.raises(SettingsError, match=message):
        Geometry(*angles)
