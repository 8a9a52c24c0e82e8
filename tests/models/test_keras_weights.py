"""Published Keras files in torch: the same numbers as Keras, and files that are of no use."""

import h5py
import numpy as np
import pytest
import torch

from nndacss.errors import WeightsError
from nndacss.models.keras_weights import load_cloud_net, load_generator
from nndacss.models.separable_prepare import prepare
from tests.models import keras_files

pytestmark = pytest.mark.usefixtures("one_thread")


def run(network, image):
    """(rows, columns, bands) in and out."""
    planes = torch.from_numpy(image.astype(np.float32)).permute(2, 0, 1)[None]
    with torch.no_grad():
        return network(planes)[0].permute(1, 2, 0).numpy()


@pytest.fixture
def image():
    return np.random.default_rng(1).uniform(0, 1, (16, 20, 4))


def test_generator_as_keras_computes_it(tmp_path, image):
    layers = keras_files.generator_arrays()
    network = load_generator(keras_files.save(tmp_path / "a.hdf5", layers))
    found = run(network, image)
    expected = keras_files.generated(layers, image)
    assert expected.std() > 0.1
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("bands", [4, 6])
def test_cloud_network_as_keras_computes_it(tmp_path, bands):
    image = np.random.default_rng(2).uniform(0, 1, (16, 20, bands))
    layers = keras_files.cloud_arrays(bands=bands, scale=2.5)
    network = load_cloud_net(keras_files.save(tmp_path / "a.hdf5", layers))
    expected = keras_files.clouds(layers, image)
    assert expected.std() > 0.1
    np.testing.assert_allclose(run(network, image)[..., 0], expected, atol=1e-4)


@pytest.mark.parametrize("form", ["as loaded", "fast"])
def test_published_files_give_what_tensorflow_gave(shared_data, form):
    weights = shared_data("weights")
    stored = np.load(shared_data("parity") / "probav_dagans_320.npz")
    generator = load_generator(weights / "full.hdf5")
    clouds = load_cloud_net(weights / "cloud_detection_l8.hdf5")
    if form == "fast":
        generator, clouds = prepare(generator, threads=2), prepare(clouds, threads=2)
    assert np.abs(run(generator, stored["x"]) - stored["generator"]).max() < 1e-5
    for source, expected in (("generator", "cloud_on_generated"), ("x", "cloud_on_input")):
        found = torch.from_numpy(run(clouds, stored[source])).sigmoid().numpy()
        assert np.abs(found - stored[expected]).max() < 1e-4
        sure = np.abs(stored[expected] - 0.5) > 1e-4
        assert np.array_equal((found > 0.5)[sure], (stored[expected] > 0.5)[sure])


@pytest.mark.parametrize(("name", "bands"), [("RGBI6", 4), ("RGBISWIR7", 6)])
def test_the_networks_for_landsat_load(shared_data, name, bands):
    network = load_cloud_net(shared_data("weights") / f"landsatbiome{name}.hdf5")
    assert network.bands == bands
    factors = network.normalization.scale.flatten().tolist()
    published = [2.70713, 2.90551, 2.79854, 2.71359, 5.33978, 6.70429]
    assert factors == pytest.approx(published[:bands], abs=1e-5)


def layer(name, kind, **config):
    return {"class_name": kind, "config": {"name": name, **config}}


def plan_of(layers, **changed):
    """The plan of a generator, with layers changed."""
    found = []
    for name in layers:
        if "_bn_" in name:
            one = layer(name, "BatchNormalization", epsilon=0.001)
        elif "block" in name:
            dilation = [2, 2] if "block_2" in name else [1, 1]
            one = layer(name, "SeparableConv2D", dilation_rate=dilation, padding="same")
        else:
            one = layer(name, "Conv2D", activation="linear")
        found.append(changed.get(name, one))
    return found


def test_a_plan_that_agrees_is_fine(tmp_path, image):
    layers = keras_files.generator_arrays()
    network = load_generator(keras_files.save(tmp_path / "a.hdf5", layers, plan_of(layers)))
    np.testing.assert_allclose(run(network, image), keras_files.generated(layers, image), atol=1e-5)


SECOND = "generator_block_2_conv_1"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (layer(SECOND, "SeparableConv2D", dilation_rate=[1, 1]), r"dilation_rate = \[1, 1\]"),
        (layer(SECOND, "Conv2D"), "a Conv2D; expected a SeparableConv2D"),
        (layer(SECOND, "SeparableConv2D", padding="valid"), "padding = valid; expected same"),
    ],
)
def test_a_plan_that_differs_names_the_layer(tmp_path, changed, said):
    layers = keras_files.generator_arrays()
    path = keras_files.save(tmp_path / "a.hdf5", layers, plan_of(layers, **{SECOND: changed}))
    with pytest.raises(WeightsError, match=rf"a\.hdf5: found layer {SECOND}: {said}"):
        load_generator(path)


def narrower(layers):
    layers["generator_block_2_bn_1"]["gamma"] = np.ones(4, np.float32)


def mixed(layers):
    layers["normalization_gen_in"]["kernel"][0, 0, 1, 2] = 0.5


def infinite(layers):
    layers["out_generator"]["bias"][1] = np.inf


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda layers: layers.pop("out_generator"), "no layer out_generator"),
        (lambda layers: layers.update(extra={"bias": np.ones(3)}), "an unexpected layer extra"),
        (narrower, r"generator_block_2_bn_1: weight of shape \(4,\); expected \(5,\)"),
        (mixed, "normalization_gen_in: it mixes bands"),
        (infinite, "NaN or infinity in out_generator"),
        (lambda layers: layers["out_generator"].pop("bias"), "out_generator: no bias, only kernel"),
        (lambda layers: layers.clear(), "no layer generator_block_1_conv_1"),
    ],
)
def test_other_layers_are_named(tmp_path, damage, said):
    layers = keras_files.generator_arrays()
    damage(layers)
    with pytest.raises(WeightsError, match=said):
        load_generator(keras_files.save(tmp_path / "a.hdf5", layers))


def test_a_network_of_another_kind(tmp_path):
    clouds = keras_files.save(tmp_path / "c.hdf5", keras_files.cloud_arrays())
    with pytest.raises(WeightsError, match="its first layers: normalization, input_conv_1"):
        load_generator(clouds)
    generator = keras_files.save(tmp_path / "g.hdf5", keras_files.generator_arrays())
    with pytest.raises(WeightsError, match="no layer input_conv_1"):
        load_cloud_net(generator)


def test_files_that_are_no_weights(tmp_path):
    path = tmp_path / "a.hdf5"
    with pytest.raises(WeightsError, match="no such file"):
        load_generator(path)
    path.write_bytes(b"<html>404</html>")
    with pytest.raises(WeightsError, match="none of HDF5"):
        load_generator(path)
    with h5py.File(path, "w") as file:
        file["x"] = np.zeros(3)
    with pytest.raises(WeightsError, match="without layer names"):
        load_generator(path)
    keras_files.save(path, keras_files.generator_arrays())
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(WeightsError, match="damaged"):
        load_generator(path)
