"""By class: which pixels come from where, and over what border."""

from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from nndacss.compose.by_class import METHOD
from nndacss.compose.options import ComposeOptions
from nndacss.compose.window import halo
from nndacss.errors import SettingsError
from tests.compose.places import place


def composed(views, **options):
    return METHOD(views, ComposeOptions.model_validate(options), None)


def test_hard_border():
    views = place()
    result = composed(views, adapted="bicubic")
    taken = np.isin(views.labels, (1, 3))
    np.testing.assert_array_equal(result.changed, taken)
    np.testing.assert_array_equal(result.pixels, np.where(taken, views.landsat, views.harmonized))


def test_feathered_border_worked_by_hand():
    """Half a cosine over 40 m: 1 on the class, 0.854, 0.5, 0.146 at 10, 20, 30 m, then 0."""
    labels = np.zeros((3, 12), dtype=np.uint8)
    labels[:, :2], labels[:, 10:] = 3, 255
    landsat, harmonized = np.ones((6, 3, 12), np.float32), np.zeros((6, 3, 12), np.float32)
    views = place(landsat=landsat, harmonized=harmonized, labels=labels)
    result = composed(views, adapted="bicubic", feather=40)
    wanted = [1, 1, 0.853553, 0.5, 0.146447, 0, 0, 0, 0, 0, np.nan, np.nan]
    np.testing.assert_allclose(result.pixels[4, 1], wanted, atol=1e-6)
    np.testing.assert_array_equal(result.changed[1], [True] * 5 + [False] * 7)


def test_fourier_goes_into_the_classes_only():
    views = place((64, 64))
    whole = composed(replace(views, labels=np.full((64, 64), 3, np.uint8)), fourier={"block": 160})
    result = composed(views, fourier={"block": 160}, classes=["cloud"])
    cloud = views.labels == 3
    wanted = np.where(cloud, whole.pixels, views.harmonized)
    np.testing.assert_array_equal(result.pixels, wanted)
    assert np.abs(wanted - views.harmonized)[:, cloud].mean() > 0.05


def test_windows_agree_with_the_whole():
    views = place((160, 160), nodata=True)
    options = ComposeOptions(feather=120, fourier={"block": 200, "cutoff": 100})
    margin = halo(options, 10)
    assert margin == 19
    whole = METHOD(views, options, None)
    cut = np.s_[20 - margin : 100 + margin, 60 - margin : 140 + margin]
    window = replace(
        views,
        landsat=views.landsat[:, *cut],
        harmonized=views.harmonized[:, *cut],
        labels=views.labels[cut],
        at=(20 - margin, 60 - margin),
    )
    part = METHOD(window, options, None)
    kept = np.s_[margin : margin + 80, margin : margin + 80]
    np.testing.assert_allclose(part.pixels[:, *kept], whole.pixels[:, 20:100, 60:140], atol=1e-6)
    np.testing.assert_array_equal(part.changed[kept], whole.changed[20:100, 60:140])


@pytest.mark.parametrize(
    ("options", "pixels"),
    [
        ({}, 127),
        ({"feather": 3000}, 300),
        ({"adapted": "bicubic"}, 0),
        ({"adapted": "bicubic", "feather": 25}, 3),
        ({"method": "fourier", "feather": 3000}, 127),
        ({"method": "deep"}, 0),
    ],
)
def test_halo(options, pixels):
    assert halo(ComposeOptions(**options), 10) == pixels


@pytest.mark.parametrize(
    "options", [{"adapted": "histogram"}, {"method": "fourier", "fourier": {"by": "beta"}}]
)
def test_whole_image_methods_are_not_for_scenes(options):
    with pytest.raises(SettingsError, match="use fourier by cutoff"):
        halo(ComposeOptions.model_validate(options), 10)


def test_names_are_checked():
    with pytest.raises(ValidationError, match="another method"):
        ComposeOptions(adapted="by_class")
    with pytest.raises(SettingsError, match="histogram"):
        composed(place(), adapted="furrier")
