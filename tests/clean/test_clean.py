"""Cleaning finds what was planted, keeps the rest, and does what a person says."""

import csv

import numpy as np
import pytest

from nndacss.clean.duplicates import overlaps, twins
from nndacss.clean.measure import Measure
from nndacss.clean.outliers import Look, contradiction, describe, limit_of, robust
from nndacss.clean.plan import clean_order
from nndacss.clean.settings import CleanSettings
from nndacss.clean.stage import clean_archive
from nndacss.clean.verdict import (
    Row,
    overruled,
    plain_reasons,
    read_overrules,
    wrong_chips,
)
from nndacss.datasets.landcovernet import LandCoverNet
from nndacss.datasets.landcovernet_files import scan
from nndacss.errors import DatasetError, SettingsError
from nndacss.settings import load_settings
from nndacss.simulate.landcover import write_landcovernet
from nndacss.simulate.landcover_errors import plant
from nndacss.stage import Context
from tests.landcovernet.archive import labels, layers, write_stac


def run(folder, root, *said):
    """The stage in this process: its folder and summary."""
    order = clean_order(load_settings(None, [f"clean.folder={folder}", *said]))
    context = Context(order, root, root, 1)
    context.folder.mkdir(parents=True, exist_ok=True)
    return context.folder, dict(clean_archive(context))


def table(folder):
    with (folder / "cleaning.csv").open(newline="") as file:
        return {row["name"]: row for row in csv.DictReader(file)}


#: What each kind of error must be rejected for.
FOUND = {
    "wrong label": "contradicts its label",
    "shuffled classes": "contradicts its label",
    "low consensus": "consensus",
    "half labelled": "labelled",
    "unknown class": "files: ",
    "copied chip": "same ",
    "missing band": "files: ",
    "truncated band": "files: ",
    "wrong size": "files: ",
    "wrong units": "contradicts its label",
    "no label": "no label",
    "no image": "no image",
}
#: Reasons that come of the weather, which is not planted.
WEATHER = ("cloud", "missing", "hidden")


def tally(rows, planted):
    """Kind -> found and all of its images; other clear images that were rejected."""
    kinds = {one.name: one.kind for one in planted}
    copies = {name[:5] for name, kind in kinds.items() if kind == "copied chip"}
    found = {kind: [0, 0] for kind in FOUND}
    false = []
    for name, row in rows.items():
        reasons = row["reasons"].split("; ") if row["reasons"] else []
        if any(reason.startswith(WEATHER) for reason in reasons):
            continue
        kind = kinds.get(name) or kinds.get(name[:8])
        if kind:
            found[kind][1] += 1
            found[kind][0] += any(reason.startswith(FOUND[kind]) for reason in reasons)
        elif reasons and not (name[:5] in copies and reasons[0].startswith("same ")):
            false.append(name)
    return found, false


def clear(rows, planted):
    """How many clear images carry no planted error."""
    names = {one.name for one in planted}
    return sum(
        name not in names
        and name[:8] not in names
        and not any(word in row["reasons"] for word in WEATHER)
        for name, row in rows.items()
    )


#: Kinds that are told by looking at many images together.
TOGETHER = ("wrong label", "shuffled classes", "wrong units", "copied chip")


def test_planted_errors_are_found(tmp_path):
    folder = write_landcovernet(tmp_path / "archive", chips=24, dates=1, seed=3, side=32)
    planted = plant(folder, seed=3, each=1)
    assert {one.kind for one in planted} == set(FOUND)
    place, summary = run(folder, tmp_path / "work")
    rows = table(place)
    found, _ = tally(rows, planted)
    for kind in set(FOUND) - set(TOGETHER):
        hits, count = found[kind]
        assert hits == count > 0, kind
    tile = next(one.name[:5] for one in planted if one.kind == "copied chip")
    assert any("same ground as" in row["reasons"] for name, row in rows.items() if tile in name)
    assert any("same picture as" in row["reasons"] for name, row in rows.items() if tile in name)
    assert summary["images"] == len(rows)
    assert summary["kept"] == sum(row["verdict"] == "kept" for row in rows.values())
    data = LandCoverNet(folder=folder, selection=place / "kept.txt")
    assert len(data.names()) == summary["kept"]
    for name in data.names()[:3]:
        data.load(name)
    page = (place / "cleaning.html").read_text()
    assert page.count("<figure>") == 60 + 12


#: Counts of three classes, by the archive's codes, in six bands.
SPECTRA = {
    1: (600, 500, 300, 200, 100, 80),
    3: (2000, 2500, 3000, 3500, 4200, 3800),
    5: (300, 450, 300, 3000, 1500, 700),
}


def classed(draw, codes):
    """A date that shows classes, each with a tenth of noise."""
    date = layers()
    for number, band in enumerate(CleanSettings().bands):
        counts = np.zeros(codes.shape)
        for code, spectrum in SPECTRA.items():
            counts[codes == code] = spectrum[number]
        noise = np.exp(draw.normal(0, 0.1, codes.shape))
        date[band] = np.rint(counts * noise).astype(np.uint16)[None]
    return {band: date[band] for band in (*CleanSettings().bands, "SCL", "CLD")}


def test_a_label_that_contradicts_its_images_is_found(tmp_path):
    draw = np.random.default_rng(2)
    for number in range(9):
        codes = draw.choice([1, 3, 5], (4, 4)).repeat(4, axis=0).repeat(4, axis=1)
        said = {1: 5, 3: 3, 5: 1} if number == 4 else {1: 1, 3: 3, 5: 5}
        wrong = np.vectorize(said.get)(codes)
        dates = {day: classed(draw, codes) for day in ("20180119", "20180203", "20180701")}
        del dates["20180701" if number % 2 else "20180203"]
        write_stac(tmp_path / "archive", {f"3{number}PNL_00": dates}, labels(wrong))
    place, _ = run(tmp_path / "archive", tmp_path / "work", "clean.most_overlap=1")
    rows = table(place)
    rejected = {name for name, row in rows.items() if row["verdict"] == "rejected"}
    assert rejected == {"34PNL_00_20180119", "34PNL_00_20180701"}
    bad = rows["34PNL_00_20180119"]
    assert bad["reasons"].startswith("contradicts its label on ")
    few = LandCoverNet(folder=tmp_path / "archive", bands=("B02",))
    codes = few.load("34PNL_00_20180119").sets
    swapped = np.isin(codes, (1 << 0, 1 << 4)).mean()  # water or woody
    assert float(bad["contradiction"]) == pytest.approx(swapped, abs=0.03)


@pytest.mark.slow
def test_planted_errors_on_real_labels(shared_data, tmp_path):
    """Recall and false rejections, which `pytest -s` shows."""
    source = shared_data("landcovernet")
    folder = write_landcovernet(tmp_path / "archive", source, chips=72, dates=1, seed=5)
    planted = plant(folder, seed=5, each=2)
    place, _ = run(folder, tmp_path / "work")
    rows = table(place)
    found, false = tally(rows, planted)
    single = [pair for kind, pair in found.items() if kind != "copied chip"]  # one of two stays
    hits, count = (int(number) for number in np.sum(single, axis=0))
    contradicting = [name for name in false if "contradicts" in rows[name]["reasons"]]
    others = clear(rows, planted)
    print(f"found {hits} of {count} planted; rejected {len(contradicting)} of {others} others")
    assert hits >= 0.95 * count
    assert len(contradicting) <= 0.05 * others


@pytest.fixture
def small(tmp_path):
    """Two clear chips and a cloudy date."""
    own = labels(np.repeat(np.arange(1, 5), 4)[None].repeat(16, axis=0))
    chips = {
        "35PNL_00": {"20180119": layers(), "20180203": layers(cloud=0.5)},
        "36RVP_00": {"20180630": layers(level=2000)},
    }
    write_stac(tmp_path / "archive", chips, own)
    return tmp_path / "archive"


def test_chips_on_one_ground_are_one(small, tmp_path):
    place, _ = run(small, tmp_path / "work")  # both chips were written to the same corner
    assert LandCoverNet(folder=small, selection=place / "kept.txt").names() == (
        "35PNL_00_20180119",
    )


def test_all_rejected_is_told_to_who_reads_the_list(small, tmp_path):
    place, summary = run(small, tmp_path / "work", "clean.least_consensus=99")
    assert (summary["kept"], summary["images"], summary["chips_kept"]) == (0, 3, 0)
    assert summary["reasons"]["consensus"] == 3
    with pytest.raises(DatasetError, match=r"kept\.txt: found no name"):
        LandCoverNet(folder=small, selection=place / "kept.txt").names()


def test_a_person_has_the_last_word(small, tmp_path):
    place, _ = run(small, tmp_path / "work", "clean.most_overlap=1")
    assert LandCoverNet(folder=small, selection=place / "kept.txt").names() == (
        "35PNL_00_20180119",
        "36RVP_00_20180630",
    )
    edited = tmp_path / "edited.csv"
    lines = (place / "overrule.csv").read_text()
    mine = lines.replace("# 35PNL_00_20180203,keep", "35PNL_00_20180203,keep")
    assert mine != lines
    edited.write_text(mine + "36RVP_00,reject,a mine opened, here\n")
    said = ("clean.most_overlap=1", f"clean.overrule={edited}")
    other, summary = run(small, tmp_path / "work", *said)
    assert other != place
    assert LandCoverNet(folder=small, selection=other / "kept.txt").names() == (
        "35PNL_00_20180119",
        "35PNL_00_20180203",
    )
    rows = table(other)
    assert rows["35PNL_00_20180203"]["overruled"].startswith("keep: cloud 50%")
    assert rows["36RVP_00_20180630"]["overruled"] == "reject: a mine opened"
    assert summary["overruled"] == 2


def test_where_it_lies_renames_nothing_but_content_does(small, tmp_path):
    def named(folder, *said):
        return clean_order(load_settings(None, [f"clean.folder={folder}", *said])).recipe.digest

    one = named(small)
    moved = small.rename(tmp_path / "elsewhere")
    assert named(moved) == one
    assert named(moved, "clean.least_consensus=70") != one
    next(iter(scan(moved).images.values())).files["B02"].unlink()
    assert named(moved) != one
    with pytest.raises(SettingsError, match=r"none\.csv"):
        named(moved, f"clean.overrule={tmp_path / 'none.csv'}")
    with pytest.raises(DatasetError, match="no such folder"):
        named(small)


def test_a_changed_archive_is_not_cleaned_by_an_old_plan(small, tmp_path):
    order = clean_order(load_settings(None, [f"clean.folder={small}"]))
    next(iter(scan(small).images.values())).files["B02"].unlink()
    with pytest.raises(DatasetError, match="other files than when the task was planned"):
        clean_archive(Context(order, tmp_path, tmp_path, 1))


def said(tmp_path, text):
    path = tmp_path / "said.csv"
    path.write_text(text)
    return path


ROWS = [
    Row("35PNL_00_20180119", "rejected", "cloud 50% (> 5%)"),
    Row("35PNL_00_20180203", "kept", ""),
    Row("36RVP_00_20180630", "rejected", "files: no B11", unusable=True),
]


def test_overrules(tmp_path):
    path = said(tmp_path, "35PNL_00,keep,thin\n# nothing\n\n35PNL_00_20180203,reject,\n")
    rows = overruled(ROWS, read_overrules(path), path)
    assert [row.verdict for row in rows] == ["kept", "rejected", "rejected"]
    assert [row.overruled for row in rows] == ["keep: thin", "reject", ""]
    path = said(tmp_path, "36RVP_00,keep,all of it\n")  # of a chip, what can be read
    assert [row.verdict for row in overruled(ROWS, read_overrules(path), path)][2] == "rejected"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("35PNL_00_20180119,maybe,\n", "the line '35PNL_00_20180119,maybe,'"),
        ("35PNL_00_20180119\n", "name,verdict,why"),
        ("35PNL_77,keep,\n", "35PNL_77, which is no sample and no chip"),
        ("36RVP_00_20180630,keep,\n", "36RVP_00_20180630: found files: no B11"),
    ],
)
def test_overrules_that_cannot_be_followed(tmp_path, text, message):
    path = said(tmp_path, text)
    with pytest.raises(SettingsError, match=message):
        overruled(ROWS, read_overrules(path), path)


def test_plain_reasons_begin_beyond_their_limits():
    at = {"labelled": 0.9, "consensus": 60, "cloud": 0.05, "missing": 0.05, "hidden": 0.2}
    assert plain_reasons(Measure("a", **at), CleanSettings()) == []
    for key, value, word in (
        ("labelled", 0.89, "labelled on 89% (< 90%)"),
        ("consensus", 59.0, "consensus 59 (< 60)"),
        ("cloud", 0.06, "cloud 6% (> 5%)"),
        ("missing", 0.07, "missing 7% (> 5%)"),
        ("hidden", 0.3, "hidden 30% (> 20%)"),
    ):
        assert plain_reasons(Measure("a", **{**at, key: value}), CleanSettings()) == [word]


def test_robust_estimates_bear_a_fifth_of_errors():
    draw = np.random.default_rng(4)
    scatter = np.array([[0.09, 0.05], [0.05, 0.16]])
    good = draw.multivariate_normal([1.0, -2.0], scatter, 4000)
    bad = draw.normal([6.0, 3.0], 0.1, (1000, 2))
    look = robust(np.concatenate([good, bad]))
    np.testing.assert_allclose(look.centre, [1.0, -2.0], atol=0.05)
    np.testing.assert_allclose(np.linalg.inv(look.inverse), scatter, rtol=0.35, atol=0.02)
    assert np.abs(np.concatenate([good, bad]).mean(axis=0) - [1, -2]).min() > 0.9


def picture(name, classes, values, **more):
    classes = np.array(classes, dtype=np.uint8)
    spectra = np.array(values, dtype=np.float32)
    weights = np.ones(len(classes), dtype=np.float32)
    return Measure(name, spectra=spectra, classes=classes, weights=weights, **more)


def test_contradiction_by_hand():
    narrow = np.eye(2) / 0.01
    looks = {0: Look(np.zeros(2), narrow, 0.0), 4: Look(np.ones(2), narrow, 0.0)}
    right = picture("a", [0, 0, 4, 4], [[0, 0], [0.1, 0], [1, 1], [1, 0.9]])
    assert contradiction(right, looks) == 0
    swapped = picture("b", [4, 4, 0, 4], [[0, 0], [0.1, 0], [1, 1], [1, 0.9]])
    assert contradiction(swapped, looks) == 0.75
    between = picture("c", [0], [[0.32, 0.0]])  # beyond 9.2, nearer to its own class
    assert contradiction(between, looks) == 0
    nowhere = picture("d", [0], [[-3.0, 0.0]])  # nearest to its own class, but absurdly far
    assert contradiction(nowhere, looks) == 1
    assert contradiction(picture("e", [2], [[0, 0]]), looks) == 0  # no look of that class
    weighted = picture("f", [0, 4], [[0, 0], [0, 0]])
    heavy = Measure(
        "f",
        spectra=weighted.spectra,
        classes=weighted.classes,
        weights=np.array([1, 3], dtype=np.float32),
    )
    assert contradiction(heavy, looks) == 0.75


def test_a_class_needs_enough_images():
    draw = np.random.default_rng(0)
    three = [picture(str(n), [1] * 50, draw.normal(0, 1, (50, 2))) for n in range(3)]
    assert list(describe(three)) == [1]
    assert describe(three[:2]) == {}


def test_limit_of_outliers():
    shares = [0.1, 0.2, 0.3, 0.9]
    # median 0.25, deviations 0.15, 0.05, 0.05, 0.65: their median is 0.1
    assert limit_of(shares, 0.05, 2) == pytest.approx(0.25 + 2 * 1.4826 * 0.1)
    assert limit_of([], 0.3, 4) == 0.3


def test_a_label_that_most_dates_contradict_is_wrong_on_all():
    shares = {
        "a_00_1": 0.9,
        "a_00_2": 0.8,
        "a_00_3": 0.0,
        "a_00_4": 0.0,
        "b_00_1": 0.9,
        "b_00_2": 0,
    }
    assert wrong_chips(list(shares), shares, 0.3) == {"a_00": "2 of 4 clear dates"}


def unit(*values):
    vector = np.array(values, dtype=np.float32)
    return vector / np.linalg.norm(vector)


def test_twins_are_of_other_chips_and_one_stays():
    pictures = {
        "35PNL_00_20180101": (unit(1, 2, -3), 90),
        "35PNL_00_20180111": (unit(1, 2, -3), 90),  # the same chip
        "35PNL_10_20180102": (unit(1, 2.1, -3.1), 95),
        "36RVP_00_20180103": (unit(1, 2, -3.05), 80),
        "36RVP_10_20180103": (unit(1, -2, 1), 99),  # another picture
        "36RVP_20_20180701": (unit(1, 2, -3), 99),  # another quarter
    }
    measures = {
        name: Measure(name, labelled=1.0, consensus=consensus, small=small)
        for name, (small, consensus) in pictures.items()
    }
    best = "35PNL_10_20180102"
    assert twins(measures, 0.99) == {
        "35PNL_00_20180101": best,
        "35PNL_00_20180111": best,
        "36RVP_00_20180103": best,
    }


def test_grounds_that_overlap():
    def at(name, west, consensus=90.0):
        bounds = (west, 9.0, west + 0.02, 9.02)
        return Measure(f"{name}_20180101", labelled=1.0, consensus=consensus, bounds=bounds)

    chips = [
        at("35PNL_00", 27.0),
        at("35PNL_10", 27.017),
        at("35PNL_20", 27.3),
        at("36A_00", 27.299, 95),
    ]
    measures = {one.name: one for one in chips}
    # 0.003 of 0.02 degrees is 15 %, 0.019 of 0.02 is 95 %
    assert overlaps(measures, 0.1) == {"35PNL_10": "35PNL_00", "35PNL_20": "36A_00"}
    assert overlaps(measures, 0.2) == {"35PNL_20": "36A_00"}
