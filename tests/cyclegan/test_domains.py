"""Files of patches: what is in them, from the twin and from products; kept when killed."""

import h5py
import numpy as np
import pytest

from nndacss.cyclegan.dataset import Pairs
from nndacss.domains import stage, twin
from nndacss.domains.kinds import Products, Twin
from nndacss.domains.plan import domains_order
from nndacss.domains.settings import DomainsSettings
from nndacss.domains.stage import make_domains
from nndacss.domains.store import DomainStore
from nndacss.errors import DatasetError, SettingsError
from nndacss.settings import load_settings
from nndacss.simulate.probav_product import write_probav
from tests.cyclegan.patches import patches
from tests.stages import begun, stop_and_go_on

SMALL = DomainsSettings(resolution="100M", side=16, stride=16)


def order(**options):
    entry = {"kind": "twin", "first": 5, "count": 3, "image": 32, **options}
    table = [f"{key} = {value!r}" for key, value in entry.items()]
    sources = f"domains.sources=[{{{', '.join(table)}}}]"
    return domains_order(
        load_settings(
            None, [sources, "domains.resolution=100M", "domains.side=16", "domains.stride=16"]
        )
    )


def made_of_nothing(self, title, name, settings):
    """Patches without the simulation: one scene a seed."""
    del self, title
    yield from patches(count=2, side=settings.side, seed=int(name), scenes=1)


def test_what_a_twin_patch_holds():
    first, *_, last = twin.patches(Twin(image=32, drift=0.0), "made", "0000005", SMALL)
    assert (first.record.row, first.record.column) == (0, 0)
    assert (last.record.row, last.record.column) == (16, 16)
    for patch in (first, last):
        assert patch.pv.shape == patch.lu.shape == patch.l8.shape == (16, 16, 4)
        for image in (patch.pv, patch.lu, patch.l8):
            assert image.dtype == np.float32
            assert np.isfinite(image).all()
            assert 0 < image.mean() < 1
        for cloud in (patch.pv_cloud, patch.lu_cloud, patch.l8_cloud):
            assert cloud.shape == (16, 16)
            assert 0 <= cloud.min() <= cloud.max() <= 1


def test_both_sensors_see_one_place_but_not_alike():
    """Ground agrees pixel by pixel; calibration and noise do not."""
    (patch,) = twin.patches(
        Twin(image=48, drift=0.0, zenith=0.0),
        "made",
        "0000011",
        SMALL.model_copy(update={"side": 48}),
    )
    clear = (patch.pv_cloud < 0.01) & (patch.lu_cloud < 0.01)
    assert clear.mean() > 0.2
    for band in (1, 2, 3):
        pv, lu = patch.pv[..., band][clear], patch.lu[..., band][clear]
        assert np.corrcoef(pv, lu)[0, 1] > 0.97
    moved = np.roll(patch.lu[..., 2], 2, axis=1)
    clear[:, :2] = False
    still = np.corrcoef(patch.pv[..., 2][clear], patch.lu[..., 2][clear])[0, 1]
    assert np.corrcoef(patch.pv[..., 2][clear], moved[clear])[0, 1] < still - 0.05
    gap = np.abs(patch.pv - patch.lu)[clear].mean(axis=0)
    assert (gap > 0.001).all()


def test_the_same_seed_gives_the_same_patches_whatever_else_is_made():
    alone = list(twin.patches(Twin(image=32, first=7, count=1), "made", "0000007", SMALL))
    among = list(twin.patches(Twin(image=32, first=0, count=9), "made", "0000007", SMALL))
    for one, other in zip(alone, among, strict=True):
        assert np.array_equal(one.pv, other.pv)
        assert np.array_equal(one.lu, other.lu)


def test_the_file_reads_as_the_published_one(tmp_path, monkeypatch):
    monkeypatch.setattr(Twin, "patches", made_of_nothing)
    context = begun(order(), tmp_path)
    summary = make_domains(context)
    assert summary == {"patches": 6, "sources": {"made": {"patches": 6, "scenes": 1}}}
    path = context.folder / "domains.h5"
    with h5py.File(path) as file:
        assert file["PV"].shape == file["LU"].shape == (6, 16, 16, 4)
        first = file["PV"][0]
    pairs = Pairs(path)
    assert (len(pairs), pairs.side) == (6, 16)
    assert np.array_equal(pairs.read(0)[0], np.moveaxis(first, -1, 0))
    with DomainStore(path) as store:
        patch = next(patches(count=2, side=16, seed=5, scenes=1))
        assert np.array_equal(store.read(0)["LU_CLOUD"], patch.lu_cloud)
        assert store.records[0].scene == "twin-0"


def test_killed_it_goes_on_with_what_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr(Twin, "patches", made_of_nothing)
    before, after = stop_and_go_on(
        monkeypatch, stage, "make_part", make_domains, begun(order(), tmp_path), after=2
    )
    assert (len(before), len(after)) == (2, 1)
    assert not set(before) & set(after)


def test_what_renames_the_file():
    assert order().recipe.digest == order().recipe.digest
    for change in ({"first": 6}, {"drift": 0.0}, {"image": 48}):
        assert order(**change).recipe.digest != order().recipe.digest


def test_settings_that_cannot_be(tmp_path):
    with pytest.raises(SettingsError, match="nothing to make patches from"):
        domains_order(load_settings(None))
    with pytest.raises(SettingsError, match="unknown option foo"):
        order(foo=1)
    with pytest.raises(SettingsError, match=r"found image = 32; expected at least side, 64"):
        next(twin.patches(Twin(image=32), "made", "0000001", DomainsSettings()))
    absent = Products(landsat=tmp_path / "no.HDF5", probav=tmp_path / "neither.HDF5")
    with pytest.raises(DatasetError, match=r"no.HDF5: found no such file"):
        absent.fingerprint()


@pytest.fixture(scope="module")
def products(tmp_path_factory):
    """A Proba-V product, and a conversion of the same pixels two to the north-west."""
    folder = tmp_path_factory.mktemp("products")
    bounds = (613_215.0, 5_481_405.0, 619_215.0, 5_487_405.0)
    probav = write_probav(folder, seed=3, product="100M", bounds=bounds, swath=0.8).path
    landsat = folder / "LC08_L1TP_195025_20260415_20260415_02_T1_100M.HDF5"
    with h5py.File(probav) as source, h5py.File(landsat, "w") as file:
        file.attrs["class_image"] = "L8Image"
        for name in ("BLUE", "RED", "NIR", "SWIR"):
            layer = source[f"LEVEL2A/RADIOMETRY/{name}/TOA"]
            wide = np.pad(np.maximum(layer[()], 0), ((2, 0), (2, 0)), mode="edge")
            place = list(layer.attrs["MAPPING"])
            step = float(place[5])
            # the published program's own convention: the corner of the pixel
            place[3] = repr(float(place[3]) - 2.3 * step - step / 2).encode()
            place[4] = repr(float(place[4]) + 1.8 * step + step / 2).encode()
            made = file.create_dataset(f"LEVEL2A/RADIOMETRY/{name}/TOA", data=wide)
            made.attrs.update({"SCALE": 2000, "OFFSET": 0, "MAPPING": np.array(place, dtype="S")})
        cover = np.full(wide.shape, 0.25, dtype=np.float32)
        cover[:5] = -1
        file.create_dataset("CM_RESAMPLED", data=cover)
    return landsat, probav


def test_patches_of_products_lie_on_each_other(products):
    landsat, probav = products
    found = list(
        Products(landsat=landsat, probav=probav).patches("real", "both", SMALL),
    )
    with h5py.File(probav) as file:
        counts = np.stack([file[f"LEVEL2A/RADIOMETRY/{b}/TOA"][()] for b in ("BLUE", "SWIR")])
        code = file["LEVEL2A/QUALITY/SM"][()] & 0b111
    assert found
    whole = 0
    for row in range(0, counts.shape[1] - 15, 16):
        for column in range(0, counts.shape[2] - 15, 16):
            whole += (counts[:, row : row + 16, column : column + 16] >= 0).all()
    assert len(found) == whole
    for patch in found:
        at = np.s_[patch.record.row : patch.record.row + 16]
        across = np.s_[patch.record.column : patch.record.column + 16]
        assert np.allclose(patch.pv[..., 0], counts[0, at, across] / 2000)
        assert np.array_equal(patch.pv, patch.lu)
        assert np.array_equal(patch.pv_cloud, code[at, across] == 3)
        assert np.isnan(patch.l8).all()
    first = next(patch for patch in found if patch.record.row == 0)
    assert np.isnan(first.lu_cloud[:3]).all()
    assert (first.lu_cloud[3:] == 0.25).all()


def test_products_that_do_not_go_together(products, tmp_path):
    landsat, probav = products
    with pytest.raises(DatasetError, match="a converted Landsat scene"):
        next(Products(landsat=landsat, probav=landsat).patches("real", "both", SMALL))
    with pytest.raises(DatasetError, match="no conversion"):
        next(Products(landsat=probav, probav=probav).patches("real", "both", SMALL))
    with pytest.raises(DatasetError, match=r"a 100M product; expected 333M"):
        next(
            Products(landsat=landsat, probav=probav).patches(
                "real", "both", SMALL.model_copy(update={"resolution": "333M"})
            )
        )
    bounds = (623_215.0, 5_481_405.0, 626_215.0, 5_484_405.0)
    far = write_probav(tmp_path, seed=3, product="100M", bounds=bounds).path
    with pytest.raises(DatasetError, match="an overlap of less than 16 x 16 pixels"):
        next(Products(landsat=landsat, probav=far).patches("real", "both", SMALL))


def test_clouds_drift_and_the_ground_stays():
    """What the wind does between the passes moves clouds only."""
    still, moved = (
        twin.image_of(Twin(image=32, drift=drift, zenith=0.0), 5, "100M") for drift in (0.0, 3000.0)
    )
    assert np.array_equal(still.as_probav, moved.as_probav)
    assert not np.array_equal(still.probav.cloud, moved.probav.cloud)
    assert np.array_equal(still.probav.water, moved.probav.water)
