"""The compose stage: samples by hand, controls, and whole or absent."""

import numpy as np
import pytest

from nndacss.compose import stage
from nndacss.compose.plan import compose_order
from nndacss.compose.settings import ComposeSettings
from nndacss.errors import DatasetError, SettingsError
from nndacss.labels.climate import SCHEME
from nndacss.samples.show import show
from nndacss.samples.store import SampleStore
from nndacss.stage import Context
from nndacss.views.image import Window
from nndacss.views.layout import Header, Record
from nndacss.views.settings import ViewsSettings
from nndacss.views.store import write_store
from tests.compose.places import place
from tests.stages import damage_part, finished_store, stop_and_go_on

SIDE, COUNT = 144, 5


def view(number):
    """The images and sets of one view: cloud, shadow and snow elsewhere in each."""
    made = place((SIDE, SIDE), seed=number)
    landsat = made.landsat.copy()
    landsat[:, :4, :4] = np.nan
    labels = np.roll(made.labels, 7 * number, axis=1)
    sets = np.left_shift(1, labels).astype(np.uint16)
    sets[-10:] = 7
    return Window(0, 0, landsat, made.harmonized, np.where(np.isnan(landsat[0]), 0, sets))


def record(number):
    scene = f"twin-{number // 2}"
    return Record("twin", f"{number:07d}", scene, 0, 0, "SR", "landsat8_oli", True, (40.0, 150.0))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A work root with views in it, and their order."""
    work = tmp_path_factory.mktemp("work")
    sources = {"views": {"sources": [{"kind": "twin"}]}}
    header = Header("climate", SCHEME.classes, SIDE, "sentinel-2a", {"settings": sources})
    items = [(view(n), record(n)) for n in range(COUNT)]
    order, _ = finished_store(work, "views", lambda path: write_store(path, header, items))
    return work, order


def context(made, threads=1, **options):
    work, views = made
    settings = ComposeSettings(**({"side": 64} | options))
    order = compose_order(views, {"compose": settings, "views": ViewsSettings(side=SIDE)})
    order.save(work)
    return Context(order, work, work / "products", threads)


def samples(made, **options):
    """The records, pixels and sets of all samples."""
    found = context(made, **options)
    if not (found.folder / "samples.h5").exists():
        stage.compose_samples(found)
    with SampleStore(found.folder / "samples.h5") as store:
        both = [store.read(n) for n in range(len(store))]
        return store.records, [pixels for pixels, _ in both], [sets for _, sets in both]


def by_fours(image):
    """Means of 2 x 2 pixels, NaN left out, of whole blocks of the first 128 pixels."""
    blocks = image[:, :128, :128].reshape(6, 64, 2, 64, 2)
    return np.nanmean(blocks, axis=(2, 4))


def stored(image):
    """Through int16 x 10000, as views are stored."""
    return np.where(np.isnan(image), np.nan, np.rint(image * 10000) / 10000)


@pytest.mark.filterwarnings("ignore:Mean of empty slice")
def test_bicubic_is_landsat_averaged_with_its_labels(made):
    records, pixels, sets = samples(made, method="bicubic")
    assert [r.name for r in records] == [f"{n:07d}" for n in range(COUNT)]
    window = view(2)
    expected = by_fours(stored(window.landsat))
    np.testing.assert_allclose(pixels[2], expected, atol=1.01e-4)
    assert np.isnan(pixels[2][:, :2, :2]).all()
    # a block of one set keeps it
    blocks = window.sets[:128, :128].reshape(64, 2, 64, 2).swapaxes(1, 2).reshape(64, 64, 4)
    one = (blocks == blocks[..., :1]).all(axis=2)
    assert (sets[2][one] == blocks[..., 0][one]).all()
    first = records[2]
    assert (first.sensor, first.level, first.metres) == ("landsat8_oli", "SR", 20.0)
    assert (first.scene, first.sun) == ("twin-1", (40.0, 150.0))
    assert first.labelled == int((sets[2] != 0).sum())
    assert first.class_counts[3] == int((sets[2] == 8).sum())


@pytest.mark.filterwarnings("ignore:Mean of empty slice")
def test_by_class_is_landsat_under_cloud_and_shadow_and_harmonized_elsewhere(made):
    """Ground of the open set of three is ground: harmonized."""
    records, pixels, _ = samples(made, adapted="bicubic")
    window = view(3)
    taken = np.isin(window.sets, [2, 8])
    both = np.where(taken, stored(window.landsat), stored(window.harmonized))
    both[:, np.isnan(window.landsat).any(axis=0)] = np.nan
    np.testing.assert_allclose(pixels[3], by_fours(both), atol=1.01e-4)
    assert records[3].sensor == "landsat8_oli as sentinel2_msi"


def test_wrong_masks_change_the_image_and_never_the_label(made):
    true, other, dilated = (
        samples(made, adapted="bicubic", mask=mask) for mask in ("true", "other", "dilated")
    )
    for found in (other, dilated):
        for sets, wanted in zip(found[2], true[2], strict=True):
            np.testing.assert_array_equal(sets, wanted)
        assert all((a != b).any() for a, b in zip(found[1], true[1], strict=True))
    # grown: where it was Landsat's it still is
    window = view(0)
    inner = by_fours(np.where(np.isin(window.sets, [2, 8]), 1.0, 0.0)[None].repeat(6, 0)) == 1
    np.testing.assert_array_equal(dilated[1][0][inner], true[1][0][inner])


def test_another_mask_is_of_another_scene():
    rng = np.random.default_rng(0)
    records = [record(n) for n in range(COUNT)]
    drawn = {stage.other(records, 1, rng) for _ in range(60)}
    assert drawn == {2, 3, 4}


def test_draws_differ_and_depend_on_the_view_alone(made):
    mixed = {"method": "mix_channels", "mix_channels": {"kind": "linear"}}
    records, pixels, sets = samples(made, draws=2, **mixed)
    assert [r.name for r in records[:3]] == [
        "0000000, draw 0",
        "0000000, draw 1",
        "0000001, draw 0",
    ]
    assert (pixels[0] != pixels[1])[:, 8:, 8:].any()
    np.testing.assert_array_equal(sets[0], sets[1])
    single = samples(made, **mixed)[1]
    np.testing.assert_array_equal(single[1], pixels[2])
    other = samples(made, seed=1, **mixed)[1]
    assert (other[1] != single[1])[:, 8:, 8:].any()


@pytest.mark.slow
def test_same_store_from_several_processes(made, monkeypatch):
    monkeypatch.setattr(stage, "SIZE", 2)
    one = context(made, seed=5, fourier={"block": 600})
    stage.compose_samples(one)
    first = (one.folder / "samples.h5").read_bytes()
    (one.folder / "samples.h5").unlink()
    stage.compose_samples(context(made, seed=5, fourier={"block": 600}, threads=2))
    assert (one.folder / "samples.h5").read_bytes() == first


def test_what_is_composed_is_not_composed_again(made, monkeypatch):
    monkeypatch.setattr(stage, "SIZE", 2)
    own = context(made, method="deep")
    own.folder.mkdir(parents=True)
    first, then = stop_and_go_on(
        monkeypatch, stage, "make_part", stage.compose_samples, own, after=2
    )
    assert (first, then) == (["000000", "000002"], ["000004"])
    with SampleStore(own.folder / "samples.h5") as store:
        assert [r.name for r in store.records] == [f"{n:07d}" for n in range(COUNT)]


def test_a_damaged_part_is_told(made, monkeypatch):
    own = context(made, method="histogram")
    own.folder.mkdir(parents=True)
    part = damage_part(monkeypatch, stage, stage.compose_samples, own, 0)
    with pytest.raises(DatasetError, match=part.name):
        stage.compose_samples(own)


def test_a_page_shows_them(made, tmp_path):
    own = context(made, method="bandpass")
    stage.compose_samples(own)
    with SampleStore(own.folder / "samples.h5") as store:
        settings = store.header.recipe["settings"]
        show(store, tmp_path / "page.html")
    # where the images come from, and what was made of them
    assert settings["compose"]["method"] == "bandpass"
    assert f"{COUNT} samples of 64" in (tmp_path / "page.html").read_text()


def test_one_scene_has_no_other_mask(tmp_path):
    header = Header("climate", SCHEME.classes, SIDE, "sentinel-2a", {})
    items = [(view(n), record(n)) for n in range(2)]
    made = (
        tmp_path,
        finished_store(tmp_path, "views", lambda path: write_store(path, header, items))[0],
    )
    with pytest.raises(DatasetError, match="views of one scene; expected two scenes"):
        stage.compose_samples(context(made, mask="other"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "dep"}, "compose.method: found 'dep'; expected one of bandpass, bicubic"),
        ({"adapted": "masks"}, "compose.adapted: found 'masks'"),
        ({"side": 96}, r"views of 72 pixels of 20 m; expected at least compose.side = 96"),
        ({"side": 64, "finest": 30}, r"views of 48 pixels of 30 m"),
    ],
)
def test_wrong_settings(made, options, message):
    with pytest.raises(SettingsError, match=message):
        context(made, **options)


def test_a_mask_that_changes_nothing_is_refused():
    with pytest.raises(ValueError, match="mask = 'other' changes nothing but by_class"):
        ComposeSettings(method="deep", mask="other")


def test_names_of_stores_tell_the_method(made):
    titles = {
        "by_class-fourier": {},
        "deep": {"method": "deep"},
        "by_class-bicubic-other": {"adapted": "bicubic", "mask": "other"},
    }
    for title, options in titles.items():
        assert context(made, **options).order.target.startswith(f"{title}_")
