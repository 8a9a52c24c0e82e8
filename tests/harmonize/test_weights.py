"""Which method a scene gets, and what is said where the networks do not suit it."""

import pytest

from nndacss.errors import InputError, SettingsError, WeightsError
from nndacss.harmonize import weights as module
from nndacss.harmonize.settings import HarmonizeSettings
from nndacss.harmonize.weights import Target, choose
from tests.models.small_harmonizer import small_harmonizer

LANDSAT = Target("LC08_scene", "landsat8_oli", "SR")
TOA = Target("LC08_scene", "landsat8_oli", "TOA")
MSI = Target("S2A_scene", "sentinel2_msi", "SR")
COARSE = Target("LC08_scene", "landsat8_oli", "SR", 20.0)

UNSUITABLE = [
    (MSI, {}, InputError, r"S2A_scene: found a scene that is not Landsat-8/9's"),
    (TOA, {}, InputError, r"found TOA reflectance; expected SR.*force_toa = true"),
    (LANDSAT, {"roles": ("red", "nir08")}, SettingsError, r"roles: found red, nir08; expected all"),
    (LANDSAT, {"target": "sentinel-2b"}, SettingsError, r"found sentinel-2b; expected sentinel-2a"),
    (COARSE, {}, SettingsError, r"tile\.grid: found pixels of 20 m; expected 10 m"),
]


def settings(weights, **more):
    """With the first of `weights`, unless said otherwise."""
    return HarmonizeSettings(**{"method": "deep", "weights": (str(weights[0]),)} | more)


@pytest.mark.parametrize(("target", "more", "kind", "message"), UNSUITABLE)
def test_what_does_not_suit(weights, target, more, kind, message):
    with pytest.raises(kind, match=message):
        choose(settings(weights, **more), target)
    auto = settings(weights, method="auto", force_toa=True, **more)
    assert choose(auto, target).method == "bandpass"


def test_top_of_atmosphere_by_force_only(weights):
    assert choose(settings(weights, force_toa=True), TOA).method == "deep"


def test_auto_takes_named_weights_that_suit(weights):
    found = choose(settings(weights, method="auto"), LANDSAT)
    assert found.method == "deep"
    assert found.sha256 == found.cards[0].sha256
    reversed_roles = HarmonizeSettings().roles[::-1]
    assert choose(settings(weights, roles=reversed_roles), LANDSAT).method == "deep"


def test_without_default_weights_auto_is_bandpass_and_deep_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "folder", lambda kind: tmp_path)
    monkeypatch.setattr("nndacss.models.card.folder", lambda kind: tmp_path)
    assert choose(HarmonizeSettings(), LANDSAT).method == "bandpass"
    with pytest.raises(WeightsError, match=r"harmonizer_detail_v1: found no such weights"):
        choose(HarmonizeSettings(method="deep"), LANDSAT)
    small_harmonizer(tmp_path, "harmonizer_detail_v1")
    found = choose(HarmonizeSettings(), LANDSAT)
    assert found.weights == ("harmonizer_detail_v1",)  # an installed name, no path
    assert choose(HarmonizeSettings(), MSI).method == "bandpass"


def test_bad_weights(weights, tmp_path):
    with pytest.raises(WeightsError, match="expected a weights card of a harmonizer"):
        choose(settings(["mask_unetpp_v4"]), LANDSAT)
    with pytest.raises(WeightsError, match="absent: found no such weights"):
        choose(settings(["absent"], method="auto"), LANDSAT)
    copy = small_harmonizer(tmp_path, "member0", seed=0)
    with pytest.raises(WeightsError, match="the same weights twice"):
        choose(HarmonizeSettings(method="deep", weights=(str(weights[0]), str(copy))), LANDSAT)
    with pytest.raises(SettingsError, match=r"'magic'; expected auto, bandpass, deep"):
        choose(settings(weights, method="magic"), LANDSAT)
    for names in ((), ("a", "a")):
        with pytest.raises(ValueError, match="each once"):
            HarmonizeSettings(weights=names)


def test_an_ensemble_has_one_identity_in_any_order(weights):
    names = [str(name) for name in weights]
    found = [
        choose(HarmonizeSettings(method="deep", weights=tuple(order)), LANDSAT)
        for order in (names, names[::-1])
    ]
    assert found[0].sha256 == found[1].sha256
    assert found[0].weights == found[1].weights
    assert found[0].sha256 not in {card.sha256 for card in found[0].cards}
    two = choose(HarmonizeSettings(method="deep", weights=tuple(names[:2])), LANDSAT)
    assert two.sha256 != found[0].sha256
