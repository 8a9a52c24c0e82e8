"""What Clean and Invalidate remove, and what they must leave."""

import pytest

from nndacss.errors import InputError
from nndacss.operations.batch import Batch
from nndacss.operations.clean import clean, discard, leftovers
from nndacss.operations.failures import Failure, keep, load
from nndacss.operations.invalidate import Choice, choose, invalidate
from tests.operations.conftest import planned


def kinds(found):
    return sorted({leftover.kind for leftover in found})


def test_work_of_finished_products_goes_and_nothing_else(roots):
    done = roots.chain("done")
    begun = roots.chain("begun", until="mask")
    trained = roots.work / "train" / "model_01234567"
    trained.mkdir(parents=True)
    (trained / "weights.safetensors").write_bytes(bytes(10))
    found = leftovers(roots.work, roots.products, days=7)
    assert kinds(found) == ["finished"]
    assert sum(leftover.size.bytes for leftover in found) == 4 * 1002
    clean(found)
    work, products = roots.folders()
    assert work == {f"{stage}/{begun[stage].target}" for stage in ("acquire", "mask")}
    assert products == {done["product"].target}
    assert (trained / "weights.safetensors").exists()
    assert roots.recipe(done["mask"]).exists()  # and what its run took
    assert leftovers(roots.work, roots.products, days=7) == []


def test_what_an_unfinished_product_shares_stays_until_it_is_old(roots):
    done = roots.chain("scene", 1)
    # the same scene with another setting: harmonize is under way, acquire and mask are shared
    harmonize = roots.work / "harmonize"
    other = roots.work / "recipes"
    before = set(other.iterdir())
    sharing = {**done, **_unfinished(roots)}
    clean(leftovers(roots.work, roots.products, days=7))
    work, _ = roots.folders()
    assert f"mask/{done['mask'].target}" in work
    assert f"harmonize/{done['harmonize'].target}" not in work
    assert set(other.iterdir()) > before
    roots.age(8, roots.work)
    clean(leftovers(roots.work, roots.products, days=7))
    assert roots.folders()[0] == set()
    assert not list(harmonize.iterdir())
    assert not roots.recipe(sharing["product"]).exists()
    assert roots.recipe(done["product"]).exists()


def _unfinished(roots):
    from nndacss.identity import Order, Recipe

    scene = {"scene": Recipe("acquire", 1, {}, {"scene": "scene"}).digest}
    mask = Recipe("mask", 1, {}, scene).digest
    harmonize = Order(Recipe("harmonize", 1, {"harmonize": {"x": 2}}, scene), "scene")
    inputs = {**scene, "mask": mask, "harmonize": harmonize.recipe.digest}
    product = Order(Recipe("product", 1, {}, inputs), "scene")
    for order in (harmonize, product):
        order.save(roots.work)
    roots.make(harmonize)
    return {"harmonize": harmonize, "product": product}


def test_what_a_running_batch_needs_stays(roots):
    done = roots.chain("scene")
    batch = Batch(roots.work / "batches" / "20261121T100000Z-h-1")
    batch.begin({"output_root": str(roots.root)})
    batch.save_plan([planned(done)])
    with batch.held():
        assert leftovers(roots.work, roots.products, days=0) == []
        discard(roots.work, roots.products, planned(done).stages, "another")
        assert len(roots.folders()[0]) == 4
    discard(roots.work, roots.products, planned(done).stages, "another")
    assert roots.folders()[0] == set()


def test_fetched_scenes_go_with_the_last_product_that_needs_them(roots, tmp_path):
    fetched, own = roots.work / "scenes" / "a_1", tmp_path / "mine"
    for place in (fetched, own):
        place.mkdir(parents=True)
        (place / "B4.TIF").write_bytes(bytes(500))
    listing = {"scene": str(fetched), "scene_listing": "x", "l1": str(own)}
    roots.chain("done", location=listing)
    assert "fetched" not in kinds(leftovers(roots.work, roots.products, 7, keep_fetched=True))
    found = leftovers(roots.work, roots.products, days=7)
    assert kinds(found) == ["fetched", "finished"]
    clean(found)
    assert not fetched.exists()
    assert (own / "B4.TIF").exists()


def test_old_folders_without_recipe_and_remains_go(roots):
    orders = roots.chain("scene", until="mask")
    roots.recipe(orders["mask"]).unlink()
    trash = roots.work / "mask" / ".trash-0123-x"
    trash.mkdir()
    assert kinds(leftovers(roots.work, roots.products, days=7)) == ["remains"]
    roots.age(8, roots.work)
    clean(leftovers(roots.work, roots.products, days=7))
    assert roots.folders()[0] == set()
    assert not trash.exists()


def test_invalidation_takes_along_what_was_made_from_it(roots):
    first, other = roots.chain("LC08_a"), roots.chain("LC09_b")
    keep(roots.work, Failure(first["product"].target, "LC08_a", "x", "product", "no"))
    doomed = choose(roots.work, roots.products, Choice(scene="LC08_*", stage="mask"))
    assert [(one.target.stage, one.chosen) for one in doomed] == [
        ("mask", True),
        ("product", False),
    ]
    invalidate(doomed, roots.work)
    work, products = roots.folders()
    kept = {f"{stage}/{first[stage].target}" for stage in ("acquire", "harmonize")}
    assert work == kept | {f"{stage}/{order.target}" for stage, order in other.items()}
    assert products == {other["product"].target}
    assert load(roots.work, first["product"].target) is None


@pytest.mark.parametrize(
    ("choice", "stages"),
    [
        (Choice(target="scene_*", stage="product"), ["product"]),
        (Choice(stage="acquire"), ["acquire", "harmonize", "mask", "product"]),
        (Choice(stage="harmonize", scene="scene"), ["harmonize", "product"]),
    ],
)
def test_choices(roots, choice, stages):
    roots.chain("scene")
    assert [one.target.stage for one in choose(roots.work, roots.products, choice)] == stages


@pytest.mark.parametrize("choice", [Choice(), Choice(scene="nothing"), Choice(digest="zz")])
def test_no_choice_removes_nothing(roots, choice):
    roots.chain("scene")
    with pytest.raises(InputError):
        choose(roots.work, roots.products, choice)
