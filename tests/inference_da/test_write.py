"""Adapted products: what is in them, that nothing else changed, and that bad ones leave nothing."""

import json
import shutil
from dataclasses import replace

import h5py
import numpy as np
import pytest
import torch

from nndacss.errors import BandError, InputError, NndacssError, OutputError, WeightsError
from nndacss.inference_da import stage
from nndacss.inference_da import write as write_module
from nndacss.inference_da.plan import Wanted, inference_order, made_by
from nndacss.inference_da.stage import adapt_product
from nndacss.inference_da.write import Coding
from nndacss.models.card import save_weights
from nndacss.models.cyclegan import Generator
from nndacss.models.keras_weights import load_cloud_net, load_generator
from nndacss.models.probav_card import (
    ROLES,
    CloudArchitecture,
    CloudCard,
    GeneratorArchitecture,
    GeneratorCard,
)
from nndacss.models.separable_unet import CloudNet
from nndacss.readers.probav import BANDS, open_product
from tests.inference_da.products import write
from tests.models import keras_files
from tests.stages import begun

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Keras files of a small generator near the identity, and of a small cloud network."""
    folder = tmp_path_factory.mktemp("weights")
    layers = keras_files.generator_arrays()
    kernel = layers["out_generator"]["kernel"]
    kernel *= 0.05
    kernel[0, 0, 5:9] += np.eye(4, dtype=np.float32)  # the centred input comes after 5 filters
    return (
        keras_files.save(folder / "full.hdf5", layers),
        keras_files.save(folder / "cloud.hdf5", keras_files.cloud_arrays(seed=4)),
    )


@pytest.fixture
def product(tmp_path):
    return write(tmp_path / "PROBAV_L2A_20140705_095913_2_333M_V101.HDF5")


def adapt(root, product, weights, name="out/adapted.HDF5", **more):
    """The stage in this process; destination and summary."""
    wanted = Wanted(product, root / name, *weights, device="cpu", **more)
    context = begun(inference_order(wanted), root / "work")
    try:
        return wanted.destination, adapt_product(context)
    finally:
        shutil.rmtree(context.folder)


def reflectance(path):
    with open_product(path) as opened:
        return opened.read()


def plainly(network, pixels, multiple=1):
    """The network as loaded, on the whole image; missing pixels enter as 0."""
    filled = np.nan_to_num(pixels, nan=0.0)
    lack = [(0, -size % multiple) for size in pixels.shape[1:]]
    planes = torch.from_numpy(np.pad(filled, ((0, 0), *lack), mode="reflect"))[None]
    with torch.no_grad():
        result = network(planes)[0].numpy()
    return result[:, : pixels.shape[1], : pixels.shape[2]]


def cut_small(monkeypatch, core):
    """Tiles that keep so many pixels a side."""
    for name in ("TRANSLATE", "DETECT"):
        cut = replace(getattr(write_module, name), core=core)
        monkeypatch.setattr(write_module, name, cut)


@pytest.mark.parametrize("core", [16, 768])
@pytest.mark.parametrize(
    "layout", [{}, {"level": "LEVEL3"}, {"converted": True}, {"packing": "szip"}]
)
def test_bands_and_mask(tmp_path, weights, monkeypatch, layout, core):
    """As the plain networks on the whole product: bands in counts, the mask from these bands."""
    cut_small(monkeypatch, core)
    product = write(tmp_path / "pv.HDF5", **layout)
    before = product.read_bytes()
    seen = reflectance(product)
    missing = np.isnan(seen[0])
    assert 0 < missing.mean() < 0.5
    place, summary = adapt(tmp_path, product, weights)
    found = reflectance(place)
    expected = np.clip(plainly(load_generator(weights[0]), seen), 0, 2)
    assert np.abs(expected - seen)[:, ~missing].mean() > 0.01, "adapted is not as observed"
    assert np.array_equal(np.isnan(found), np.broadcast_to(missing, found.shape))
    assert np.abs(found - expected)[:, ~missing].max() < 0.5 / 2000 + 1e-5
    logits = plainly(load_cloud_net(weights[1]), found, 4)[0].astype(float)
    with h5py.File(place) as file:
        cloud = file["CM_DAGANS"][()]
        assert cloud.dtype == np.float32
        level = layout.get("level", "LEVEL2A")
        assert file["CM_DAGANS"].attrs["MAPPING"][3] == b"10.0"
        for band in BANDS:
            assert (file[f"{level}/RADIOMETRY/{band}/TOA"][()][missing] == -1).all()
    assert (cloud[missing] == -1).all(), "nodata is never clear"
    np.testing.assert_allclose(cloud[~missing], 1 / (1 + np.exp(-logits))[~missing], atol=1e-5)
    assert cloud[~missing].std() > 0.02
    assert summary["valid"] == round(1 - missing.mean(), 4)
    assert summary["cloudy"] == round((cloud[~missing] > 0.5).mean(), 4)
    assert product.read_bytes() == before


def test_all_else_is_copied(tmp_path, product, weights):
    place, _ = adapt(tmp_path, product, weights)
    with h5py.File(product) as old, h5py.File(place) as new:
        names = []
        old.visit(names.append)
        there = []
        new.visit(there.append)
        assert set(there) == {*names, "CM_DAGANS"}
        assert set(new.attrs) == {*old.attrs, "NNDACSS"}
        for name in names:
            assert [*new[name].attrs] == [*old[name].attrs]
            if isinstance(old[name], h5py.Dataset):
                assert new[name].dtype == old[name].dtype
                assert (new[name].chunks, new[name].compression) == (
                    old[name].chunks,
                    old[name].compression,
                )
                assert name.endswith("TOA") != np.array_equal(new[name][()], old[name][()])
        told = json.loads(new.attrs["NNDACSS"])
    assert told["product"] == product.name
    assert told["generator"]["name"] == "full"


def test_threads_change_nothing(tmp_path, product, weights, monkeypatch):
    cut_small(monkeypatch, 16)
    place, _ = adapt(tmp_path, product, weights)
    wanted = Wanted(product, tmp_path / "b.HDF5", *weights, device="cpu")
    context = begun(inference_order(wanted), tmp_path / "more")
    object.__setattr__(context, "threads", 3)
    adapt_product(context)
    with h5py.File(place) as one, h5py.File(wanted.destination) as other:
        for name in ("CM_DAGANS", "LEVEL2A/RADIOMETRY/NIR/TOA"):
            assert np.array_equal(one[name][()], other[name][()])


def test_counts_never_say_missing():
    """Hand-worked: 0.1 is 200 of 2000; negative values are 0, too large ones 4000."""
    band = np.array([0.1, -0.2, 3.0, np.nan, 0.00026], np.float32)
    coding = Coding(0.0, 2000.0, -1, np.dtype(np.int16))
    assert coding.counts(band).tolist() == [200, 0, 4000, -1, 1]
    published = Coding(0.0, 2000.0, -2000, np.dtype(np.int16))
    assert published.counts(band).tolist() == [200, 0, 4000, -2000, 1]
    shifted = Coding(-100.0, 2000.0, 0, np.dtype(np.uint8))
    assert shifted.counts(band).tolist() == [100, 1, 255, 0, 1]


def test_a_second_run_does_nothing_and_other_weights_are_refused(tmp_path, product, weights):
    place, _ = adapt(tmp_path, product, weights)
    before = place.stat().st_mtime_ns, place.read_bytes()
    _, summary = adapt(tmp_path, product, weights)
    assert "valid" not in summary
    assert before == (place.stat().st_mtime_ns, place.read_bytes())
    other = keras_files.save(tmp_path / "other.hdf5", keras_files.cloud_arrays(seed=9))
    with pytest.raises(OutputError, match=r"adapted\.HDF5: found a file that was not made from"):
        adapt(tmp_path, product, (weights[0], other))
    assert place.read_bytes() == before[1]


def test_foreign_files_at_the_destination_stay(tmp_path, product, weights):
    place = tmp_path / "notes.HDF5"
    place.write_text("mine")
    with pytest.raises(OutputError, match="remove it, or choose another --image-dest"):
        adapt(tmp_path, product, weights, "notes.HDF5")
    assert place.read_text() == "mine"
    with pytest.raises(InputError, match="the product itself as destination"):
        adapt(product.parent, product, weights, product.name)


def test_whole_or_absent(tmp_path, product, weights, monkeypatch):
    """Killed while the mask is made: bands are adapted by then, and nothing is left of them."""

    def dying(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(stage, "detect", dying)
    with pytest.raises(KeyboardInterrupt):
        adapt(tmp_path, product, weights)
    assert list((tmp_path / "out").iterdir()) == []


def test_places_that_cannot_be_written(tmp_path, product, weights, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"file: found .*; expected a writable folder"):
        adapt(tmp_path, product, weights, "file/adapted.HDF5")

    def full(source, target):
        target.write_bytes(source.read_bytes()[:2000])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(stage.shutil, "copyfile", full)
    with pytest.raises(OutputError, match="No space left on device while writing"):
        adapt(tmp_path, product, weights)
    assert list((tmp_path / "out").iterdir()) == []


def without(name):
    def damage(path):
        with h5py.File(path, "r+") as file:
            del file[name]

    return damage


def shortened(path):
    path.write_bytes(path.read_bytes()[:-3000])


def scaleless(path):
    with h5py.File(path, "r+") as file:
        del file["LEVEL2A/RADIOMETRY/RED/TOA"].attrs["SCALE"]


def adapted_already(path):
    with h5py.File(path, "r+") as file:
        file["CM_DAGANS"] = np.zeros((3, 3))


def as_floats(path):
    with h5py.File(path, "r+") as file:
        old = file["LEVEL2A/RADIOMETRY/NIR/TOA"]
        values, attributes = old[()].astype(float), dict(old.attrs)
        del file["LEVEL2A/RADIOMETRY/NIR/TOA"]
        file["LEVEL2A/RADIOMETRY/NIR/TOA"] = values
        file["LEVEL2A/RADIOMETRY/NIR/TOA"].attrs.update(attributes)


@pytest.mark.parametrize(
    ("damage", "kind", "said"),
    [
        (without("LEVEL2A/RADIOMETRY/SWIR"), BandError, "no LEVEL2A/RADIOMETRY/SWIR/TOA"),
        (without("LEVEL2A/QUALITY/SM"), BandError, "the status map"),
        (shortened, InputError, "damaged"),
        (scaleless, InputError, "SCALE = None"),
        (lambda path: path.write_text("no HDF5"), InputError, "no HDF5 file"),
        (adapted_already, InputError, "CM_DAGANS: adapted already"),
        (as_floats, BandError, "float64 numbers in /LEVEL2A/RADIOMETRY/NIR/TOA"),
    ],
)
def test_bad_products(tmp_path, product, weights, damage, kind, said):
    damage(product)
    with pytest.raises(kind, match=said):
        adapt(tmp_path, product, weights)
    assert not (tmp_path / "out" / "adapted.HDF5").exists()
    assert not list(tmp_path.rglob(".draft-*"))


def test_a_block_that_cannot_be_read(tmp_path, product, weights):
    """Damage inside a band that only shows when it is read."""
    with h5py.File(product) as file:
        chunk = file["LEVEL2A/RADIOMETRY/SWIR/TOA"].id.get_chunk_info(0)
    with product.open("r+b") as raw:
        raw.seek(chunk.byte_offset)
        raw.write(b"\xff" * min(chunk.size, 64))
    with pytest.raises(BandError, match="what HDF5 cannot read"):
        adapt(tmp_path, product, weights)
    assert not list(tmp_path.rglob("adapted.HDF5"))


def test_weights_of_another_architecture(tmp_path, product, weights):
    with pytest.raises(WeightsError, match=r"cloud\.hdf5: found no layer generator_block_1_conv_1"):
        adapt(tmp_path, product, weights[::-1])
    six = keras_files.save(tmp_path / "six.hdf5", keras_files.cloud_arrays(bands=6))
    with pytest.raises(WeightsError, match="a network for 6 bands"):
        adapt(tmp_path, product, (weights[0], six))
    landsat = keras_files.save(tmp_path / "rgbi.hdf5", keras_files.cloud_arrays(scale=2.5))
    with pytest.raises(WeightsError, match="bands are scaled, as those for Landsat-8"):
        adapt(tmp_path, product, (weights[0], landsat))
    assert not list(tmp_path.rglob("adapted.HDF5"))


def own(folder, simulated):
    """Weights with cards, by name of the cards."""
    torch.manual_seed(0)
    stated = {"purpose": "tests", "roles": ROLES, "licence": "test", "sha256": ""}
    stated["training"] = {"simulated": simulated}
    generator = GeneratorCard(
        name="g",
        source="probav",
        target="landsat8_oli",
        architecture=GeneratorArchitecture(filters=3),
        **stated,
    )
    cloud = CloudCard(name="c", architecture=CloudArchitecture(filters=3), **stated)
    save_weights(generator, Generator(filters=3).state_dict(), folder / "g")
    save_weights(cloud, CloudNet(4, filters=3).state_dict(), folder / "c")
    return folder / "g.json", folder / "c.json"


@pytest.mark.parametrize(
    ("simulated", "origin", "warned"),
    [
        (["twin"], None, True),
        (["twin"], "Simulated by NNDACSS, not an observation", False),
        ([], None, False),
    ],
)
def test_our_own_weights_warn_on_observations(tmp_path, caplog, simulated, origin, warned):
    product = write(tmp_path / "pv.HDF5", origin=origin)
    place, summary = adapt(tmp_path, product, own(tmp_path, simulated))
    assert any("WARNING" in record.message for record in caplog.records) == warned
    assert bool(summary["notes"]) == warned
    if warned:
        assert "g and c learnt from simulated images" in summary["notes"][0]
        with h5py.File(place) as file:
            assert "learnt from simulated" in json.loads(file.attrs["NNDACSS"])["notes"][0]


def test_a_generator_for_the_other_way_is_refused(tmp_path, product):
    generator, cloud = own(tmp_path, [])
    card = json.loads(generator.read_text())
    generator.write_text(json.dumps(card | {"source": "landsat8_oli", "target": "probav"}))
    with pytest.raises(WeightsError, match="takes images of landsat8_oli"):
        adapt(tmp_path, product, (generator, cloud))
    with pytest.raises(WeightsError, match="expected a weights card of a generator"):
        adapt(tmp_path, product, (cloud, cloud))


def test_product_and_weights_are_the_identity(tmp_path, product, weights):
    def digest(pv, *files):
        return inference_order(Wanted(pv, tmp_path / "o.HDF5", *files)).recipe.digest

    first = digest(product, *weights)
    moved = shutil.copy(product, tmp_path / "moved.HDF5")
    assert digest(tmp_path / moved, *weights) == first
    other = keras_files.save(tmp_path / "other.hdf5", keras_files.cloud_arrays(seed=9))
    changed = write(tmp_path / "changed.HDF5", seed=7)
    digests = {first, digest(product, weights[0], other), digest(changed, *weights)}
    assert len(digests) == 3
    assert not made_by(product, first)
    with pytest.raises(NndacssError, match="no such file"):
        digest(tmp_path / "none.HDF5", *weights)


def test_weights_that_change_meanwhile_are_noticed(tmp_path, product, weights):
    mine = tmp_path / "mine.hdf5"
    shutil.copy(weights[1], mine)
    wanted = Wanted(product, tmp_path / "o.HDF5", weights[0], mine, device="cpu")
    context = begun(inference_order(wanted), tmp_path / "work")
    keras_files.save(mine, keras_files.cloud_arrays(seed=9))
    with pytest.raises(InputError, match="than when the run was planned"):
        adapt_product(context)
    assert not wanted.destination.exists()
