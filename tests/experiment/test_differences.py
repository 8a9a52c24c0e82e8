"""Differences to a reference, strata and leak checks, from counts to the page."""

import csv
import json
import re

import pytest
from scipy import stats

from nndacss.experiment.results import by_scene, collect
from nndacss.experiment.stage import write_report
from tests.experiment.book import Book, counts

SCENES = 8
SETTINGS = {
    "seeds": [0, 1],
    "reference": "plain",
    "variants": [{"name": name} for name in ("plain", "fourier", "dilated")],
    "leak_checks": [
        {"variant": "fourier", "control": "dilated", "data": "drawn", "source": "real"}
    ],
}


def cloud(right):
    """Scenes of 100 cloud pixels; `right` of them found, a different number in each."""
    return [(f"S{n}", counts(right + (n % 3), 0, 100 - right - (n % 3), 50)) for n in range(SCENES)]


def varied(right, step):
    """As `cloud`, unlike from scene to scene."""
    return [(f"S{n}", counts(right + step * n, 0, 100 - right - step * n, 50)) for n in range(8)]


@pytest.fixture
def book(tmp_path):
    """Two runs of each model on eight scenes; `fourier` gains 0.2 on the drawn ones."""
    book = Book(tmp_path, SETTINGS)
    for seed in (0, 1):
        book.run("plain", seed, real=cloud(60 + seed), drawn=cloud(50 + seed))
        book.run("fourier", seed, real=cloud(60 + seed), drawn=varied(70 + seed, 1))
        book.run("dilated", seed, real=cloud(60 + seed), drawn=cloud(50 + seed))
    return book


def row(found, model, data="drawn", name="cloud", part=""):
    (one,) = [
        row
        for row in found["differences"]
        if (row["model"], row["data"], row["class"], row["part"]) == (model, data, name, part)
    ]
    return one


def test_a_difference_by_hand(book):
    fourier = row(book.found(), "fourier")
    # of 800 cloud pixels: 70 to 77 found a scene, against 50 + (0 1 2 0 1 2 0 1)
    right = [sum(range(70, 78)), 8 * 50 + 7]
    assert fourier["difference"] == pytest.approx((right[0] - right[1]) / 800)
    assert (fourier["scenes"], fourier["showing"]) == (8, 8)
    assert (fourier["runs"], fourier["reference_runs"]) == (2, 2)
    assert fourier["verdict"] == "better"
    # scenes all of 100 pixels, runs 0.01 apart: variances of scenes and of runs by hand
    apart = [(70 + n - 50 - n % 3) / 100 for n in range(8)]
    scenes = stats.sem(apart) ** 2
    runs = 2 * stats.sem([0.5, 0.51]) ** 2
    assert fourier["error"] == pytest.approx((scenes + runs) ** 0.5, rel=0.05)
    assert fourier["luck"] == pytest.approx(runs / (scenes + runs), rel=0.1)


def test_the_difference_is_that_of_the_tables(book):
    found = book.found()
    mean = {
        r["model"]: r["mean"]
        for r in found["scores"]
        if (r["data"], r["class"], r["metric"]) == ("drawn", "cloud", "iou")
    }
    expected = mean["fourier"] - mean["plain"]
    assert row(found, "fourier")["difference"] == pytest.approx(expected)
    assert {r["model"] for r in found["differences"]} == {"fourier", "dilated"}
    assert not [r for r in found["differences"] if r["class"] in ("shadow", "snow")]


def test_without_a_reference_nothing_is_compared(book):
    book.settings = {}
    found = book.found()
    assert (found["reference"], found["differences"], found["leaks"]) == (None, [], [])


def test_a_page_without_intervals_counts_none(tmp_path):
    book = Book(tmp_path, {**SETTINGS, "leak_checks": []})
    for model in ("plain", "fourier"):
        book.run(model, 0, drawn=varied(50, 1)[:3], real=varied(50, 1)[:3])
    write_report(tmp_path, book.order, tmp_path / "report")
    page = (tmp_path / "report" / "report.html").read_text()
    assert "There is no interval here" in page
    assert "would leave out 0" not in page


def test_only_scenes_of_all_units_are_compared(tmp_path):
    """A fold that failed leaves its scenes out, for both models."""
    book = Book(tmp_path, {**SETTINGS, "folds": 2, "leak_checks": []})
    for model, right in (("plain", 50), ("fourier", 70)):
        for fold, part in enumerate((slice(0, 6), slice(6, 8))):
            done = (model, fold) != ("fourier", 1)
            book.run(model, 0, fold, real=varied(right, 1)[part], done=done)
    found = row(book.found(), "fourier", "real")
    assert (found["scenes"], found["difference"]) == (6, pytest.approx(0.2))
    plain = [r for r in collect(book.work, book.order)[0] if r.model == "plain"]
    assert by_scene(plain, "real").tallies.shape == (1, 8, 4, 4)  # two folds, one unit


def leak(found, against):
    (one,) = [row for row in found["leaks"] if row["against"] == against]
    return one


def test_a_gain_that_vanishes_in_its_control_is_told_at_the_top(book, tmp_path):
    control = leak(book.found(), "dilated")
    assert control["state"] == "vanishes"
    assert control["sentence"].startswith(
        "Possible label leak: the gain of fourier over plain in cloud on drawn (+0.226, "
    )
    assert "vanishes, its control dilated differs by +0.000," in control["sentence"]
    write_report(tmp_path, book.order, tmp_path / "report")
    page = (tmp_path / "report" / "report.html").read_text()
    assert page.index(control["sentence"]) < page.index("IoU: real data")
    source = leak(book.found(), "real")
    assert (source["state"], source["alarm"], control["alarm"]) == ("vanishes", False, True)
    assert source["sentence"] in page
    assert page.count('class="note alarm"') == 1  # no gain at home is no alarm


@pytest.mark.parametrize(
    ("dilated", "real", "states"),
    [
        (varied(64, 1), varied(76, 1), ("stays", "stays")),
        (cloud(50), cloud(40), ("vanishes", "loss")),
        (varied(20, 11), varied(30, 10), ("open", "open")),
    ],
)
def test_what_a_check_finds(tmp_path, dilated, real, states):
    book = Book(tmp_path, SETTINGS)
    for seed in (0, 1):
        book.run("plain", seed, real=cloud(60), drawn=cloud(50 + seed))
        book.run("fourier", seed, real=real, drawn=varied(70 + seed, 1))
        book.run("dilated", seed, real=cloud(60), drawn=dilated)
    found = book.found()
    assert (leak(found, "dilated")["state"], leak(found, "real")["state"]) == states
    assert ("loss" in leak(found, "real")["sentence"]) == (real == cloud(40))


def test_no_gain_and_no_scores_are_told(book):
    check = {**SETTINGS["leak_checks"][0], "data": "real"}
    # a second control for a gain that is not there adds nothing
    book.settings = {
        **SETTINGS,
        "leak_checks": [check, {k: v for k, v in check.items() if k != "source"}],
    }
    (only,) = book.found()["leaks"]
    assert only["state"] == "no gain"
    assert "the difference of fourier over plain in cloud on real (+0.000, " in only["sentence"]


def test_a_control_that_is_not_done_leaves_the_question_open(tmp_path):
    book = Book(tmp_path, SETTINGS)
    book.run("plain", 0, drawn=cloud(50))
    book.run("fourier", 0, drawn=varied(70, 1))
    book.run("dilated", 0, done=False)
    rows = book.found()["leaks"]
    assert [row["state"] for row in rows] == ["open", "open"]
    assert rows[0]["sentence"].endswith("; dilated has no scores.")


def test_strata_are_scored_and_compared_apart(tmp_path):
    """Half of each scene's clouds lie over snow, and are found by one model only."""
    book = Book(tmp_path, {**SETTINGS, "leak_checks": []})
    empty = counts(0, 0, 0, 0)
    for model, right in (("plain", 0), ("fourier", 40)):
        over = {"snow_below": counts(right, 10, 50 - right, 5), "water": empty}
        book.run(model, 0, drawn=[(*scene, over) for scene in varied(40 + right, 1)])
    book.run("dilated", 0, drawn=varied(40, 1))  # a file of before there were strata
    found = book.found()
    scores = {
        (r["model"], r["part"]): r["mean"]
        for r in found["parts"]
        if (r["class"], r["metric"]) == ("cloud", "iou")
    }
    assert scores == {("plain", "snow_below"): 0, ("fourier", "snow_below"): 40 / 60}
    assert row(found, "fourier", part="snow_below")["difference"] == pytest.approx(40 / 60)
    write_report(tmp_path, book.order, tmp_path / "report")
    page = (tmp_path / "report" / "report.html").read_text()
    assert "<h3>Apart: cloud over snow</h3>" in page
    assert ">shadow over water<" not in page
    assert "0.667" in page[page.index("Apart: cloud over snow") :]
    with (tmp_path / "report" / "parts.csv").open() as file:
        assert {line["part"] for line in csv.DictReader(file)} == {"snow_below"}


def test_the_page_says_it_in_words(book, tmp_path):
    folder = tmp_path / "report"
    write_report(tmp_path, book.order, folder)
    page = (folder / "report.html").read_text()
    found = json.loads((folder / "result.json").read_text())
    fourier, dilated = row(found, "fourier"), row(found, "dilated", "real")
    assert "Differences to plain" in page
    assert '<span class="tell ok">better</span>' in page
    seen = f"{dilated['detectable']:.2f}"
    assert f"inconclusive: the test could have seen a difference of {seen}<" in page
    assert f">+{fourier['difference']:.3f}</data>" in page
    assert "Scenes that show the class, of 8: cloud 8 (8), clear 8 (8)." in re.sub(
        r"\s+", " ", page
    )
    assert "Trained once" not in page
    with (folder / "differences.csv").open() as file:
        told = {(r["model"], r["data"], r["class"]): r for r in csv.DictReader(file)}
    assert float(told["fourier", "drawn", "cloud"]["low"]) == fourier["low"]


def test_one_seed_is_no_measure_of_luck(tmp_path):
    book = Book(tmp_path, {**SETTINGS, "leak_checks": []})
    for model, right in (("plain", 50), ("fourier", 60)):
        book.run(model, 0, drawn=varied(right, 1)[:4] if model == "fourier" else varied(right, 1))
    book.run("peer", drawn=varied(55, 1))
    write_report(tmp_path, book.order, tmp_path / "report")
    page = (tmp_path / "report" / "report.html").read_text()
    assert "Trained once: plain, fourier." in page
    assert "inconclusive: too few scenes (4)" in page
