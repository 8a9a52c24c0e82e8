"""Lists of scenes, periods, plans, failure records."""

import json
from datetime import date

import pytest

from nndacss.errors import InputError, SettingsError
from nndacss.operations import failures, products
from nndacss.operations.dates import period
from nndacss.operations.failures import Failure
from nndacss.operations.plans import limited
from nndacss.operations.scenes import Listed, list_scenes, write_scenes
from tests.operations.conftest import planned

L2 = "LC08_L2SP_195025_20260415_20260420_02_T1"
L1 = "LC08_L1TP_195025_20260415_20260420_02_T1"
ALONE = "LC09_L1TP_195025_20260423_20260428_02_T1"


def folder_with(place, *names):
    for name in names:
        (place / name).mkdir(parents=True)
    return place


def test_twins_are_no_scenes_and_lonely_level_1_is(tmp_path):
    folder_with(tmp_path, L2, L1, ALONE, "notes", "S2B_MSIL2A_20260416.SAFE")
    (tmp_path / f"{L1}_truth.tif").write_bytes(b"")
    found = list_scenes(tmp_path)
    assert [scene.id for scene in found] == [L2, ALONE, "S2B_MSIL2A_20260416.SAFE"]
    assert found[0].l1 == str(tmp_path / L1)
    assert found[1].l1 is None


def test_of_several_twins_none_is_a_scene_and_the_plan_chooses(tmp_path):
    folder_with(tmp_path, L2, L1, L1.replace("20260420", "20260430"))
    (scene,) = list_scenes(tmp_path)
    assert (scene.id, scene.l1) == (L2, None)


def test_written_lists(tmp_path):
    folder_with(tmp_path / "a", L2, L1, ALONE)
    found = list_scenes(tmp_path / "a")
    item = Listed("x", "stac", item={"id": "x", "type": "Feature"}, l1={"id": "y"})
    write_scenes([*found, item], tmp_path / "scenes.json")
    assert list_scenes(tmp_path / "scenes.json") == [*found, item]
    text = tmp_path / "list.txt"
    text.write_text(f"# mine\na/{L2}\n\na/{ALONE}  # late\n")
    assert [scene.path for scene in list_scenes(text)] == [scene.path for scene in found]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("absent", None, "No such file"),
        ("empty.txt", "# nothing\n", "found no line"),
        ("bad.json", "{", "JSONDecodeError"),
        ("bad.json", '[{"id": "x"}]', "KeyError"),
        ("bad.json", '[{"id": "x", "source": "ftp"}]', "neither folder nor stac"),
    ],
)
def test_no_list_is_told(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=message):
        list_scenes(tmp_path / name)


def test_a_folder_without_products_is_told(tmp_path):
    folder_with(tmp_path, "notes")
    with pytest.raises(InputError, match="1 entries, none of them a product"):
        list_scenes(tmp_path)


TODAY = date(2026, 11, 21)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026-11-09", "2026-11-09", "2026-11-09"),
        ("2026-W46", "2026-11-09", "2026-11-15"),
        ("2024-02", "2024-02-01", "2024-02-29"),
        ("2026-11-09/2026-11-15", "2026-11-09", "2026-11-15"),
        ("1d", "2026-11-21", "2026-11-21"),
        ("30d", "2026-10-23", "2026-11-21"),
    ],
)
def test_periods_hold_both_ends(text, first, last):
    found = period(text, TODAY)
    assert (found.first, found.last) == (date.fromisoformat(first), date.fromisoformat(last))
    assert found.first in found
    assert found.last in found


@pytest.mark.parametrize("text", ["", "0d", "yesterday", "2026-13", "2026-11-15/2026-11-09"])
def test_no_period_is_told(text):
    with pytest.raises(SettingsError, match="--dates"):
        period(text, TODAY)


def test_a_limit_leaves_the_rest(roots):
    scenes = [planned(roots.chain(name)) for name in "abc"]
    scenes[0] = planned(roots.chain("d"), "skipped", "done before")
    assert [one.state for one in limited(scenes, 0)] == ["skipped", "todo", "todo"]
    assert [one.reason for one in limited(scenes, 1)] == ["done before", "", "beyond --limit"]
    with pytest.raises(InputError):
        limited(scenes, -1)


def failure(batch, target="a_1", place="/data/a", settings="s"):
    return Failure(target, "a", "1", "mask", "no\n  way", place, settings, batch)


def test_failures_count_runs_and_not_stages(tmp_path):
    assert failures.keep(tmp_path, failure("one")).attempts == 1
    assert failures.keep(tmp_path, failure("one")).attempts == 1
    first = failures.load(tmp_path, "a_1")
    again = failures.keep(tmp_path, failure("two"))
    assert (again.attempts, again.since, again.reason) == (2, first.since, "no way")
    assert list(failures.load_all(tmp_path)) == [again]
    failures.remove(tmp_path, "a_1")
    assert failures.load(tmp_path, "a_1") is None


def test_a_scene_delivered_anew_settles_its_old_failure(tmp_path):
    failures.keep(tmp_path, failure("one", "a_1"))
    failures.keep(tmp_path, failure("one", "a_2", settings="other"))
    failures.keep(tmp_path, failure("one", "b_3", place="/data/b"))
    failures.settle(tmp_path, {"/data/a"}, "s")
    assert [record.target for record in failures.load_all(tmp_path)] == ["a_2", "b_3"]


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (lambda folder: (folder / "x_mask.tif").unlink(), "no x_mask.tif"),
        (lambda folder: (folder / "x_mask.tif").write_bytes(b"1"), "1 bytes where 2000 were"),
        (lambda folder: (folder / "item.json").write_text("{"), "cannot be read"),
    ],
)
def test_a_product_edited_by_hand_shows(roots, spoil, fault):
    folder = roots.root / roots.chain("scene")["product"].target
    assert products.find(roots.products, folder.name).fault == ""
    assert products.find(roots.products, folder.name).megabytes == 0.002
    spoil(folder)
    assert fault in products.find(roots.products, folder.name).fault
    assert (
        f"Invalidate --target {folder.name}" in products.find(roots.products, folder.name).complaint
    )
    (folder / "item.json").unlink()
    assert products.find(roots.products, folder.name) is None


def test_item_sizes_of_real_items_are_those_on_disk(roots):
    folder = roots.root / roots.chain("scene")["product"].target
    named = json.loads((folder / "item.json").read_text())["assets"]["mask"]["file:size"]
    assert named == (folder / "x_mask.tif").stat().st_size
