"""Two products of one day: shifts found and taken out, masked windows dropped, misfits refused."""

from dataclasses import dataclass

import numpy as np
import pytest

from nndacss.errors import DatasetError
from nndacss.pairs import overlap
from nndacss.pairs.kinds import SameDay
from nndacss.pairs.overlap import Overlap
from nndacss.pairs.shift import shift_between
from nndacss.readers import open_scene
from nndacss.samples.cut import average
from nndacss.simulate.landsat import write_landsat
from nndacss.simulate.landscape import Ground, Landscape
from nndacss.simulate.sentinel2 import write_sentinel2
from nndacss.simulate.sky import Sky

pytestmark = pytest.mark.filterwarnings("ignore::nndacss.errors.LossWarning")

#: Metres east and south by which Landsat's content is written off its place.
EAST, SOUTH = 11.0, -6.5
LANDSAT, MSI = {"west": 613_215.0, "north": 5_487_405.0}, {"west": 613_200.0, "north": 5_487_420.0}


@dataclass(frozen=True)
class Moved:
    """A ground that lies elsewhere."""

    ground: Ground
    east: float
    south: float

    def reflectance(self, x, y, roles):
        return self.ground.reflectance(x - self.east, y + self.south, roles)


@pytest.fixture(scope="module")
def products(tmp_path_factory):
    """Landsat L2SP, L1TP and Sentinel-2 L2A of one ground, a cloud over a corner, 4 x 4 km."""
    folder = tmp_path_factory.mktemp("same_day")
    ground = Landscape(4, 45.0, 150.0)
    size = 4000.0
    box = (613_200.0, 5_487_420.0 - size, 613_200.0 + size, 5_487_420.0)
    sky = Sky(2, 0.05, altitude=800.0, haze=0.06, veils=0.0).over(box)
    landsat = write_landsat(
        folder,
        rows=132,
        columns=132,
        scene=Moved(ground, EAST, SOUTH),
        sky=sky,
        swath=False,
        **LANDSAT,
    )
    sentinel2 = write_sentinel2(
        folder, rows=396, columns=396, scene=ground, sky=sky, levels=("L1C", "L2A"), **MSI
    )
    return landsat, sentinel2


def source(products, **options):
    landsat, sentinel2 = products
    places = {"landsat": landsat.l2, "l1": landsat.l1, "sentinel2": sentinel2.l2a}
    return SameDay(**places | options)


def pairs(products, **options):
    made = source(products, **options)
    return list(made.pairs("real", made.names()[0], 96))


@pytest.fixture(scope="module")
def aligned(products):
    return pairs(products, masked=0.2)


def apart(pair):
    """Metres, at 30 m, where the target is known."""
    inputs, target = pair.inputs[:6].copy(), pair.target
    inputs[np.isnan(target)] = np.nan
    east, south, _ = shift_between(average(inputs, 3), average(target, 3))
    return 30 * east, 30 * south


def test_the_shift_is_found(products):
    landsat, sentinel2 = products
    both = Overlap(open_scene(landsat.l2, landsat.l1), open_scene(sentinel2.l2a))
    windows = [w for w in both.windows(96) if both.unclear(w.grid).mean() < 0.05]
    assert len(windows) > 4
    assert both.shift(windows) == pytest.approx((EAST, SOUTH), abs=1.0)


def test_the_shift_is_taken_out(products, aligned):
    left = np.array([apart(pair) for pair in aligned if not np.isnan(pair.target).any()])
    assert np.abs(np.median(left, axis=0)).max() < 1
    stays = pairs(products, masked=0.0, align=False)
    left = np.array([apart(pair) for pair in stays])
    np.testing.assert_allclose(np.median(left, axis=0), (EAST, SOUTH), atol=1)
    assert stays[0].record.psnr < min(pair.record.psnr for pair in aligned[:1])


def test_what_a_pair_is(aligned):
    for pair in aligned:
        record = pair.record
        assert (record.kind, record.level, record.coarse_truth) == ("same_day", "SR", True)
        assert record.scene == "landsat-8 195025 2026-04-15"
        assert record.row % 96 == record.column % 96 == 0
        assert record.ssim >= 0.81
        assert record.psnr > 22
        assert pair.inputs.shape == (7, 96, 96)
        assert not np.isnan(pair.inputs).any()
        assert np.isnan(pair.target).any(axis=0).mean() <= 0.2
        blocks = pair.target[3:].reshape(3, 48, 2, 48, 2)
        known = ~np.isnan(blocks).any(axis=(2, 4))
        spread = blocks.max((2, 4)) - blocks.min((2, 4))
        assert (spread[known] == 0).all()
        np.testing.assert_allclose(
            np.nanmean(pair.inputs[1:6], (1, 2)), np.nanmean(pair.target[1:6], (1, 2)), atol=0.02
        )
    tell = [pair.record.shift for pair in aligned if not np.isnan(pair.record.shift[0])]
    np.testing.assert_allclose(np.median(tell, axis=0), (EAST, SOUTH), atol=1)


def test_masked_windows_are_dropped(products, aligned):
    strict, loose = pairs(products, masked=0.0), pairs(products, masked=1.0)
    assert 0 < len(strict) < len(loose)
    assert len(strict) <= len(aligned) <= len(loose)
    assert not any(np.isnan(pair.target).any() for pair in strict)


def test_pairs_that_are_unlike_are_dropped(products):
    best = pairs(products, masked=0.0)
    limit = float(np.median([pair.record.psnr for pair in best]))
    fewer = pairs(products, masked=0.0, psnr=limit)
    assert 0 < len(fewer) < len(best)
    assert all(pair.record.psnr > limit for pair in fewer)
    limit = float(np.median([pair.record.ssim for pair in best]))
    fewer = pairs(products, masked=0.0, ssim=limit)
    assert 0 < len(fewer) < len(best)


def test_without_level_1_there_is_no_pan(products):
    found = pairs(products, masked=0.0, l1=None)
    assert all(np.isnan(pair.inputs[6]).all() for pair in found)
    assert not np.isnan(found[0].inputs[:6]).any()


def test_agencies_masks_count(products):
    landsat, sentinel2 = products
    both = Overlap(open_scene(landsat.l2), open_scene(sentinel2.l2a))
    grid = both.sentinel2.grid("blue")
    ours, theirs = (scene.quality_flags(grid) for scene in (both.landsat, both.sentinel2))
    found = both.unclear(grid)
    for part in (ours.cloud, ours.shadow, ours.dilated, ours.fill, theirs.cloud, theirs.shadow):
        assert found[part].all()
    assert 0.05 < found.mean() < 0.9
    assert not found[ours.clear & theirs.clear].any()


def test_what_makes_no_pair(products, tmp_path):
    landsat, sentinel2 = products
    with pytest.raises(DatasetError, match="level TOA; expected surface reflectance"):
        pairs(products, sentinel2=sentinel2.l1c)
    with pytest.raises(DatasetError, match="a product of landsat8_oli; expected sentinel2_msi"):
        pairs(products, sentinel2=landsat.l2)
    later = write_landsat(tmp_path, rows=40, columns=40, date="2026-04-16", **LANDSAT)
    with pytest.raises(DatasetError, match=r"2026-04-16, and 2026-04-15 of S2A.*same day"):
        pairs(products, landsat=later.l2, l1=None)
    away = write_landsat(tmp_path, rows=40, columns=40, west=700_215.0, north=5_487_405.0)
    with pytest.raises(DatasetError, match=r"no ground that S2A.*an overlap"):
        pairs(products, landsat=away.l2, l1=None)


def test_no_clear_window_makes_no_pair(products, monkeypatch):
    monkeypatch.setattr(overlap.Overlap, "unclear", lambda self, grid: np.ones(grid.shape, bool))
    assert pairs(products) == []
