"""Tables and files from counts that were made on paper."""

import csv
import json
import re

import pytest

from nndacss.experiment.stage import write_report
from tests.experiment.book import Book, counts


@pytest.fixture
def book(tmp_path):
    """Two seeds in two folds, and a baseline; worked by hand below."""
    book = Book(
        tmp_path,
        {
            "seeds": [0, 1],
            "folds": 2,
            "variants": [{"name": "ours", "set": {"train": {"epochs": 3}}, "note": "n"}],
            "thresholds": [
                {"data": "real", "label": "cloud", "at_least": 0.6},
                {"data": "real", "label": "snow", "at_least": 0.6},
            ],
        },
    )
    book.run("ours", 0, 0, [("A", counts(1, 1, 0, 8))], [("T", counts(1, 0, 1, 0))])
    book.run("ours", 0, 1, [("B", counts(8, 0, 2, 0))], [("T", counts(2, 0, 0, 0))])
    book.run("ours", 1, 0, [("A", counts(1, 0, 0, 9))], [("T", counts(2, 0, 0, 0))])
    book.run("ours", 1, 1, [("B", counts(5, 0, 5, 0))], [("T", counts(2, 0, 0, 0))])
    book.run("peer at 30 m", unsuited="needs near infrared", drawn=[("T", counts(0, 1, 2, 1))])
    return book


def row(found, model, data, name="cloud", metric="iou"):
    (one,) = [
        row
        for row in found["scores"]
        if (row["model"], row["data"], row["class"], row["metric"]) == (model, data, name, metric)
    ]
    return one


def test_folds_are_pooled_before_they_are_scored(book):
    cloud = row(book.found(), "ours", "real")
    # seed 0: tp 9, fp 1, fn 2 -> 9/12; seed 1: tp 6, fn 5 -> 6/11
    first, second = 9 / 12, 6 / 11
    assert cloud["mean"] == pytest.approx((first + second) / 2)
    assert cloud["deviation"] == pytest.approx(abs(first - second) / 2**0.5)
    assert (cloud["units"], cloud["runs"]) == (2, 4)
    assert (cloud["lowest"], cloud["highest"]) == (0.5, 1.0)


def test_elsewhere_every_run_is_a_unit(book):
    cloud = row(book.found(), "ours", "drawn")
    assert cloud["mean"] == pytest.approx((0.5 + 1 + 1 + 1) / 4)
    assert cloud["units"] == 4


def test_what_is_not_decided_has_no_score(book):
    found = book.found()
    assert not [r for r in found["scores"] if r["class"] == "snow" and r["metric"] == "iou"]
    assert row(found, "peer at 30 m", "drawn")["mean"] == 0
    assert found["unsuited"] == [
        {"model": "peer at 30 m", "data": "real", "reason": "needs near infrared"}
    ]
    reached = {(t["model"], t["label"]): (t["reached"], t["met"]) for t in found["thresholds"]}
    assert reached[("ours", "cloud")] == (pytest.approx((9 / 12 + 6 / 11) / 2), True)
    assert reached[("ours", "snow")] == (None, None)
    assert reached[("peer at 30 m", "cloud")] == (None, None)


def test_confusion_and_scenes_by_hand(book):
    found = book.found()
    ours = next(c for c in found["confusion"] if (c["model"], c["data"]) == ("ours", "real"))
    assert ours["pixels"][0] == [17, 0, 0, 1, 0]
    assert ours["pixels"][3] == [7, 0, 0, 15, 0]
    scene = next(s for s in found["scenes"] if s["scene"] == "B")
    assert scene["iou"]["cloud"] == pytest.approx(13 / 20)
    assert scene["iou"]["shadow"] is None


def test_a_missing_run_spoils_no_other(book, tmp_path):
    book.run("failed", 0, 0, done=False)
    found = book.found()
    assert not found["complete"]
    assert found["pending"] == ["failed, 0, 0"]
    assert row(found, "ours", "real")["units"] == 2
    write_report(tmp_path, book.order, tmp_path / "report")
    assert "failed, 0, 0" in (tmp_path / "report" / "report.html").read_text()


def test_files_say_the_same(book, tmp_path):
    folder = tmp_path / "report"
    write_report(tmp_path, book.order, folder)
    found = json.loads((folder / "result.json").read_text())
    page = (folder / "report.html").read_text()
    with (folder / "scores.csv").open() as file:
        table = list(csv.DictReader(file))
    assert len(table) == len(found["scores"])
    for stated, line in zip(found["scores"], table, strict=True):
        assert float(line["mean"]) == stated["mean"]
    shown = {float(value) for value in re.findall(r'<data value="([^"]+)"', page)}
    assert row(found, "ours", "real")["mean"] in shown
    assert "0.648<" in page.replace("</data>", "<")
    assert "\N{PLUS-MINUS SIGN} 0.145" in page
    assert "a package is missing" in page
    assert "a&lt;b" in page
    assert "needs near infrared" in page
    assert page.index("IoU: real data") < page.index("IoU: simulated data")
    assert not re.search(r'(src|href)="(?!data:|#)', page)
    with (folder / "confusion.csv").open() as file:
        assert sum(int(line["said_cloud"]) for line in csv.DictReader(file)) > 0


def test_no_run_at_all_is_a_page_too(tmp_path):
    book = Book(tmp_path)
    book.run("failed", 0, done=False)
    write_report(tmp_path, book.order, tmp_path / "report")
    assert "Not complete" in (tmp_path / "report" / "report.html").read_text()
