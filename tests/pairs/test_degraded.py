"""Degraded pairs: targets as they are, draws that repeat, parts that do not meet."""

import numpy as np
import pytest
import rasterio

from nndacss.errors import DatasetError, SettingsError
from nndacss.pairs import response, spectra
from nndacss.pairs.kinds import Degraded
from nndacss.pairs.plan import build
from nndacss.pairs.settings import Entry
from nndacss.pairs.shift import shift_between
from nndacss.samples.cut import average
from tests.pairs.test_archives import chips


def made(source, name="chip_a", side=48):
    return list(source.pairs("t", name, side))


@pytest.fixture
def folder(tmp_path):
    chips(tmp_path / "chips", 96)
    return tmp_path / "chips"


def test_the_target_is_the_image(folder):
    _, fine = chips(folder, 96)
    pairs = made(Degraded(archive="l2a_chips", folder=folder, draws=3))
    assert len(pairs) == 3 * 4  # four windows of 48 fit in 96
    everything = np.sort(fine.ravel())
    for pair in pairs:
        assert pair.record.coarse_truth
        cut = pair.target[0, :3, :5] * 1e4
        assert np.isin(np.rint(cut).astype(int), everything.astype(int)).all()
        for band in pair.target[3:]:
            blocks = band.reshape(24, 2, 24, 2)
            np.testing.assert_array_equal(blocks, blocks[:, :1, :, :1].repeat(2, 1).repeat(2, 3))
    assert len({pair.target[0, 0, 0] for pair in pairs}) > 6  # windows and turns differ


def test_draws_repeat_and_depend_on_the_seed(folder):
    source = Degraded(archive="l2a_chips", folder=folder, draws=2, no_pan=0.5)
    for one, two in zip(made(source), made(source), strict=True):
        np.testing.assert_array_equal(one.inputs, two.inputs)
        assert one.record == two.record or np.isnan(one.record.ssim)
    other = made(source.model_copy(update={"seed": 1}))
    assert not np.array_equal(other[0].target, made(source)[0].target)
    without = [bool(np.isnan(pair.inputs[6]).all()) for pair in made(source)]
    assert 0 < sum(without) < len(without)


def test_the_rim_is_missing_and_the_rest_is_there(folder):
    pair = made(Degraded(archive="l2a_chips", folder=folder, draws=1, no_pan=0), side=96)[0]
    lost = np.isnan(pair.inputs)
    assert lost[:, 0].all()
    assert lost[:, :, -1].all()
    assert not lost[:, 13:-13, 13:-13].any()
    assert lost[6].sum() < lost[0].sum()  # pan's kernels are shorter


def test_real_pairs_are_registered(shared_data):
    """Drawn shifts are found again by phase correlation at 30 m; levels agree."""
    folder = shared_data("sentinel2-l1c-multires")
    source = Degraded(
        archive="multires", folder=folder, draws=1, rows=(0.0, 0.4), no_pan=0, pan_shift=0
    )
    found = []
    for pair in made(source, source.names()[0], 240):
        east, south, agreement = shift_between(
            average(pair.inputs[:3], 3)[:, 6:-6, 6:-6], average(pair.target[:3], 3)[:, 6:-6, 6:-6]
        )
        assert agreement > 0.9
        found.append((30 * east - pair.record.shift[0], 30 * south - pair.record.shift[1]))
        np.testing.assert_allclose(
            np.nanmean(pair.inputs[1:6], (1, 2)), pair.target[1:6].mean((1, 2)), rtol=0.05
        )
    assert np.abs(found).max() < 1.0


def test_rows_keep_parts_of_an_image_apart(folder):
    _, fine = chips(folder, 96)
    upper, lower = (
        Degraded(archive="l2a_chips", folder=folder, draws=8, rows=rows)
        for rows in ((0.0, 0.5), (0.5, 1.0))
    )
    above = set(np.rint(fine[0, :48]).ravel().astype(int))
    below = set(np.rint(fine[0, 48:]).ravel().astype(int))
    for source, own, foreign in ((upper, above, below), (lower, below, above)):
        pairs = made(source, side=24)
        assert len(pairs) == 8 * 2 * 4
        seen = {int(v) for p in pairs for v in np.rint(p.target[0] * 1e4).ravel()}
        assert seen <= own
        assert not (seen - own) & foreign


def cubes(folder, *sensors):
    """Two ENVI cubes; spectra (n, bands) x 10000."""
    folder.mkdir()
    for (name, count, bands), values in zip(spectra._CUBES, sensors, strict=True):
        cube = np.full((count, len(values), 1), 1, np.int16)
        cube[list(bands), :, 0] = values.T
        path = folder / spectra.SPECTRA.format(name)
        size = {"width": 1, "height": len(values), "count": count, "dtype": "int16"}
        with rasterio.open(path, "w", driver="ENVI", **size) as file:
            file.write(cube)


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_airborne_finds_the_map_and_leaves_out_what_is_missing(tmp_path):
    draw = np.random.default_rng(0)
    matrix = np.eye(6) + draw.normal(0, 0.05, (6, 6))
    sentinel = draw.uniform(200, 5000, (400, 6))
    landsat = sentinel @ matrix.T + 30.0
    landsat[5, 2] = sentinel[7, 0] = -9999
    cubes(tmp_path / "s", np.rint(landsat), np.rint(sentinel))
    found = response.airborne(tmp_path / "s")
    np.testing.assert_allclose(found.matrix, matrix, atol=2e-4)
    np.testing.assert_allclose(found.offset, 0.003, atol=1e-4)


def test_airborne_of_the_real_spectra(shared_data):
    """Nearer to the spectra than doing nothing, in each band; the matrix is nearly diagonal."""
    folder = shared_data("spectra-pairs")
    found = response.airborne(folder)
    np.testing.assert_allclose(np.diag(found.matrix), 1, atol=0.15)
    assert np.abs(found.offset).max() < 0.003
    landsat, sentinel = spectra.matched(folder)
    assert len(landsat) == 8940
    x, y = sentinel.T[:, None], landsat.T[:, None]
    error = np.sqrt(((found.apply(x.astype(np.float32)) - y) ** 2).mean((1, 2)))
    assert (error < np.sqrt(((x - y) ** 2).mean((1, 2)))).all()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"archive": "tifs"}, SettingsError, r"\[\[pairs.sources\]\] degraded: found archive"),
        ({"drws": 3}, SettingsError, "unknown option drws; expected one of archive, folder"),
        ({"folder": None}, SettingsError, "folder"),
        ({"response": "airborne"}, SettingsError, "needs `spectra`"),
        ({"rows": [0.6, 0.4]}, SettingsError, "rows are two shares"),
        ({"only": ["chip_b"]}, DatasetError, "found no image chip_b; expected chip_a"),
    ],
)
def test_wrong_options(folder, options, error, message):
    known = {"archive": "l2a_chips", "folder": str(folder)} | options
    with pytest.raises(error, match=message):
        build(Entry(kind="degraded", **known)).names()


def test_an_image_smaller_than_a_pair(folder):
    source = Degraded(archive="l2a_chips", folder=folder)
    with pytest.raises(DatasetError, match=r"chip_a\.tif: found 96 x 96 pixels; expected at least"):
        made(source, side=120)
