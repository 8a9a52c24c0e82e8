"""Tables against truth: which pixels count, at which size, and who wins."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
from harmonizer_methods import BANDPASS, PLAIN, Network, methods
from harmonizers import Column, Tally, chosen, halved, measure, versus, views
from pansharpening import CLASSICAL
from rich.console import Console
from spectra_pairs import measure_spectra, read_pairs

from nndacss.harmonize.bandpass import COEFFICIENTS, adjust
from nndacss.models.harmonizer_card import ROLES
from nndacss.pairs.layout import Header
from nndacss.pairs.source import Pair, PairRecord
from nndacss.pairs.store import PairStore
from nndacss.pairs.write import write_store

NAN = float("nan")
SIDE = 48


def pair(number: int, kind: str, pan: bool) -> Pair:
    random = np.random.default_rng(number)
    target = random.random((6, SIDE, SIDE)).astype(np.float32) * 0.3 + 0.05
    inputs = np.concatenate([target, target[1:2]]) + np.float32(0.01)
    if kind == "degraded":
        means = target[3:].reshape(3, SIDE // 2, 2, SIDE // 2, 2).mean(axis=(2, 4))
        target[3:] = means.repeat(2, axis=1).repeat(2, axis=2)
    if not pan:
        inputs[6] = NAN
    coarse = kind == "degraded"
    place = (kind, kind, f"image {number}", f"scene {number}", 0, 0, "SR", coarse)
    return Pair(inputs, target, PairRecord(*place, NAN, NAN, (0.0, 0.0)))


@pytest.fixture
def store(tmp_path):
    pairs = [pair(k, "twin" if k < 3 else "degraded", k not in (2, 4)) for k in range(5)]
    pairs[0].inputs[3, 20:30, 20:24] = NAN
    path = tmp_path / "pairs.h5"
    write_store(path, Header(SIDE, {}), pairs)
    return PairStore(path)


def stand_in(name: str, off: float) -> Network:
    """A network that takes the bands and is off by as much."""

    class Off:
        multiple, classes = 6, 12

        def __call__(self, pixels):
            shift = np.nan_to_num(pixels[:, :-1]) - np.float32(0.01) + np.float32(off)
            return np.concatenate([shift, np.full_like(shift, 0.01)], axis=1)

    return Network(name, Off())


def test_every_pair_is_seen_without_pan_and_those_with_pan_twice(store):
    seen = [column for index in range(len(store)) for column, _, _ in views(store, index)]
    assert sum(column.pan for column in seen) == 3
    assert sum(not column.pan for column in seen) == 5
    assert all(column.coarse == (column.kind == "degraded") for column in seen)
    for _, inputs, truth in views(store, 0):
        lost = np.isnan(inputs[:6]).any(axis=0)
        assert lost.sum() == 40
        assert np.isnan(truth[:, lost]).all()
        assert not np.isnan(truth[:, ~lost]).any()


def test_scores_are_those_of_known_errors(store):
    found = measure(store, [stand_in("near", 0.002)], None, rim=6)
    assert len(found) == 4
    assert [(column["kind"], column["pan"], column["pairs"]) for column in found] == [
        ("degraded", True, 1),
        ("degraded", False, 2),
        ("twin", True, 2),
        ("twin", False, 3),
    ]
    for column in found:
        scores = column["scores"]["near"]
        # 20 m bands of degraded pairs are off at 10 m by far more: they are compared as means
        assert scores["rmse"] == pytest.approx(dict.fromkeys(ROLES, 0.002), abs=6e-5)
        assert scores["bias"] == pytest.approx(dict.fromkeys(ROLES, 0.002), abs=2e-5)
        assert scores["psnr"]["blue"] == pytest.approx(20 * math.log10(1 / 0.002), abs=0.3)
        # bands of mean 0.2: an ERGAS of 100 / 3 * 0.002 / 0.2
        assert scores["ergas"]["all"] == pytest.approx(1 / 3, rel=0.02)
        assert set(column["scores"]) >= {"cubic", PLAIN}
        assert set(CLASSICAL) <= set(column["scores"]) or not column["pan"]
        against = column["against"]["near"]["bandpass"]
        assert not [cell for cell in against["worse"] if cell.startswith(("rmse", "psnr"))]


def test_bandpass_is_the_products_coefficients(store):
    inputs, _ = store.read(2)
    found = methods(False, [])[PLAIN](inputs)
    for band, role in enumerate(ROLES):
        slope, offset = COEFFICIENTS["sentinel-2a"][role]
        np.testing.assert_allclose(found[band], (inputs[band] - offset) / slope, rtol=1e-5)
    # no detail to add where pan is flat
    given = np.concatenate([inputs[:6], np.full_like(inputs[:1], 0.2)])
    expected = adjust(inputs[:6], ROLES, "sentinel-2a")
    np.testing.assert_allclose(methods(True, [])[BANDPASS](given), expected, atol=1e-4)


def test_who_is_better_by_hand():
    truth = np.zeros((6, 24, 24), dtype=np.float32) + np.linspace(0.1, 0.3, 24, dtype=np.float32)
    rows = {name: Tally() for name in ("a", "b", "c")}
    ripple = np.where(np.indices((24, 24)).sum(axis=0) % 2, 1, -1).astype(np.float32)
    rows["a"].add(truth + np.float32(0.01) + ripple * np.float32(0.001), truth)
    rows["b"].add(truth + np.float32(0.01002), truth)
    rows["c"].add(truth - np.float32(0.02), truth)
    column = Column("twin", "SR", False, False)
    against_b = versus(rows, "a", ["b"], column)
    assert against_b["tie"] == [f"bias {role}" for role in ROLES]
    assert {"rmse blue", "ssim blue", "psnr red", "ergas all", "sam all"} <= set(against_b["worse"])
    assert versus(rows, "b", ["c"], column) == {"tie": [], "worse": []}
    # a bias is better where it is smaller in size, whatever its sign
    assert "bias blue" in versus(rows, "c", ["b"], column)["worse"]


def test_halved_by_hand():
    pixels = np.arange(12, dtype=np.float32).reshape(1, 3, 4)
    pixels[0, 0, 3] = NAN
    assert halved(pixels)[0, 0, 0] == (0 + 1 + 4 + 5) / 4
    assert np.isnan(halved(pixels)[0, 0, 1])
    assert halved(pixels).shape == (1, 1, 2)


def test_a_limit_draws_the_same_pairs_of_each_kind():
    records = [SimpleNamespace(kind="twin" if k % 3 else "degraded") for k in range(30)]
    store = SimpleNamespace(records=records)
    picked = chosen(store, 4)
    assert picked == chosen(store, 4) == sorted(picked)
    kinds = [records[index].kind for index in picked]
    assert (kinds.count("twin"), kinds.count("degraded")) == (4, 4)
    assert chosen(store, None) == list(range(30))


def test_matched_spectra(shared_data):
    """The identity's figures by plain arithmetic on the raw files; our step beats both."""
    folder = shared_data("spectra-pairs")
    raw = {
        name: np.fromfile(file, dtype="<i2").reshape(bands, 1000, 9)
        for name, bands in (("Landsat-8", 7), ("Sentinel-2A", 11))
        for file in [next(folder.glob(f"*{name}*.bsq"))]
    }
    oli, msi = raw["Landsat-8"][[1, 2, 3, 4, 5, 6]], raw["Sentinel-2A"][[1, 2, 3, 8, 9, 10]]
    known = (oli != -9999).all(axis=0) & (msi != -9999).all(axis=0)
    found = measure_spectra(folder.parent)
    assert found["spectra"] == known.sum() == 8940
    error = (oli[:, known].astype(float) - msi[:, known]) / 10000
    plain = dict(zip(ROLES, np.sqrt((error**2).mean(axis=1)), strict=True))
    assert found["scores"]["as it is"]["rmse"] == pytest.approx(plain, rel=1e-4)
    for role in ROLES:
        ours, others = (
            found["scores"][name]["rmse"][role] for name in ("spectral step", "bandpass")
        )
        assert ours <= others + 1e-7
    assert [len(each) for each in read_pairs(folder.parent)] == [6, 6]


def test_the_table_names_what_is_not_better(store, capsys):
    from harmonizers import show

    show(measure(store, [stand_in("far", 0.2)], None, 6), Console(width=200))
    printed = capsys.readouterr().out
    assert "simulated twin, with pan, all bands at 10 m: 2 pairs" in printed
    assert "far against bandpass: not better in: rmse blue" in printed
