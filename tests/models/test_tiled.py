"""The laws of tiled prediction: nothing shifts, nothing depends on how the work is shared."""

import numpy as np
import pytest

from nndacss.models.runner import Network
from nndacss.models.tiled import MASK, SIDE, Axis, Layout, Tiled
from tests.models.small import save_small

RIM, STRIDE, KEPT = MASK.rim, MASK.stride, MASK.kept
SIZES = (1, 31, 32, 33, 255, 256, 257, 300, 448, 449, 500, 1000)


class Plain:
    """Two classes: the first band's value, and 1 minus it. Looks at single pixels."""

    batch, classes = 1, 2

    def __init__(self):
        self.seen = 0

    def __call__(self, pixels):
        self.seen += len(pixels)
        return np.stack([pixels[:, 0], 1 - pixels[:, 0]], axis=1)


class Moody(Plain):
    """As `Plain`, but every tile adds its own offset and sees wrongly at its edge."""

    def __call__(self, pixels):
        value = super().__call__(pixels)
        mood = np.nanstd(pixels, axis=(1, 2, 3)) * 6 + np.nanmean(pixels, axis=(1, 2, 3)) * 3
        value += mood.astype(np.float32)[:, None, None, None]
        value[:, :, :RIM] = value[:, :, -RIM:] = 9
        value[:, :, :, :RIM] = value[:, :, :, -RIM:] = 9
        return value


class Batched(Moody):
    batch = 8


def image(rows, columns, seed=0):
    """Smooth waves of several lengths, and rough patches: tiles differ in mean and spread."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:rows, :columns] / 100
    waves = sum(np.sin(a * y + b * x + c) for a, b, c in rng.uniform(-3, 3, (6, 3)))
    noise = rng.normal(0, 0.01, (rows, columns)) * (1 + np.sin(y))
    return (0.5 + 0.04 * waves + noise).astype(np.float32)[None]


def texture(rows, columns, bands, seed=0):
    """Noise of several grains, alike everywhere, so that places can be compared."""
    rng = np.random.default_rng(seed)
    total = np.zeros((bands, rows, columns), dtype=np.float32)
    for grain in (1, 4, 16, 64):
        noise = rng.normal(0, 0.07, (bands, rows // grain + 1, columns // grain + 1))
        total += noise.repeat(grain, axis=1).repeat(grain, axis=2)[:, :rows, :columns]
    return total + np.float32(0.2)


def tiled(pixels, network, threads=1):
    def read(rows, columns):
        return pixels[:, rows, columns]

    return Tiled(pixels.shape[1:], read, network, [0], threads)


def whole(pixels, network):
    with tiled(pixels, network) as tiles:
        return tiles.values(slice(0, pixels.shape[1]), slice(0, pixels.shape[2]))


@pytest.mark.parametrize("size", SIZES)
def test_weights_sum_to_one_and_rims_count_for_nothing(size):
    axis = Axis(size)
    total = np.zeros(max(size, axis.side))
    for start, row in zip(axis.starts, axis.weights, strict=True):
        total[start : start + axis.side] += row
    assert np.abs(total[:size] - 1).max() < 1e-6
    assert axis.side % 32 == 0
    assert axis.side <= SIDE
    assert all(b - a <= STRIDE for a, b in zip(axis.starts, axis.starts[1:], strict=False))
    for row in axis.weights[1:]:
        assert not row[:RIM].any()
    for row in axis.weights[:-1]:
        assert not row[-RIM:].any()
    if size >= SIDE:
        assert axis.starts[0] == 0
        assert axis.starts[-1] + SIDE == size


@pytest.mark.parametrize("shape", [(1, 1), (40, 300), (257, 256), (700, 513)])
def test_a_network_of_single_pixels_gives_the_pixels_back(shape):
    pixels = np.random.default_rng(1).random((1, *shape), dtype=np.float32)
    field = whole(pixels, Plain())
    assert field.shape == (2, *shape)
    assert np.abs(field[0] - pixels[0]).max() < 1e-3  # float16
    assert np.abs(field.sum(axis=0) - 1).max() < 1e-3


@pytest.mark.parametrize("network", [Moody, Batched])
def test_blocks_order_and_threads_never_change_a_value(network):
    pixels = image(620, 740)
    expected = whole(pixels, Moody())
    rng = np.random.default_rng(2)
    with tiled(pixels, network(), threads=3) as tiles:
        for _ in range(12):
            top, left = int(rng.integers(0, 600)), int(rng.integers(0, 720))
            rows = slice(top, int(rng.integers(top + 1, 621)))
            columns = slice(left, int(rng.integers(left + 1, 741)))
            assert np.array_equal(tiles.values(rows, columns), expected[:, rows, columns])


def test_another_layout_keeps_float32_and_its_own_sizes():
    layout = Layout(side=128, stride=84, rim=16, multiple=64, dtype=np.float32, kept=4)
    axis = Axis(84 * 4 + 128, layout)
    assert axis.starts == (0, 84, 168, 252, 336)
    # away from the image's ends all tiles count alike: a lattice that may start anywhere
    assert np.array_equal(axis.weights[1], axis.weights[2])
    assert not axis.weights[1][:16].any()
    pixels = np.random.default_rng(4).random((1, 300, 250), dtype=np.float32)

    def read(rows, columns):
        return pixels[:, rows, columns]

    with Tiled((300, 250), read, Plain(), [0], 2, layout) as tiles:
        field = tiles.values(slice(0, 300), slice(0, 250))
    assert np.abs(field[0] - pixels[0]).max() < 1e-6


def seam(field):
    """Mean step at lines where a tile begins or ends to count, over that of lines 32 px away.

    A network's own pattern repeats every 32 px, its deepest stride, so like is set against like.
    The image's own edge, where no other tile helps, is left out.
    """
    ratios = []
    for axis in (1, 2):
        size = field.shape[axis]
        steps = np.abs(np.diff(field, axis=axis)).mean(axis=tuple({0, 1, 2} - {axis}))
        edges = {edge for pair in Axis(size).reach for edge in pair}
        edges |= {start + near for start in Axis(size).starts for near in (STRIDE // 2, SIDE // 2)}
        borders = [edge + near for edge in sorted(edges) for near in (-2, -1, 0)]
        borders = [at for at in borders if 40 <= at < size - 41]
        away = [at + far for at in borders for far in (-32, 32)]
        ratios.append(steps[borders].mean() / steps[away].mean())
    return max(ratios)


def test_seams_are_invisible():
    assert seam(whole(image(1024, 832), Moody())) < 1.05


def test_the_seam_metric_sees_hard_borders(monkeypatch):
    def hard(axis):
        table = np.zeros((len(axis.starts), SIDE), dtype=np.float32)
        table[:, 32:-32] = 1
        table[0, :32] = table[-1, -32:] = 1
        return table

    monkeypatch.setattr(Axis, "weights", property(hard))
    monkeypatch.setattr(Axis, "reach", property(Axis.reach.func))
    assert seam(whole(image(1024, 832), Moody())) > 1.5


def test_missing_pixels_stay_missing_and_no_others():
    pixels = image(500, 300)
    pixels[0, 100:130, 40:290] = np.nan
    pixels[0, 499, 299] = np.nan
    field = whole(pixels, Moody())
    assert np.array_equal(np.isnan(field), np.broadcast_to(np.isnan(pixels[0]), field.shape))


def test_tiles_without_any_pixel_are_not_computed():
    pixels = np.full((1, 256, 2048), np.nan, dtype=np.float32)
    pixels[0, :, :10] = 0.5
    network = Plain()
    field = whole(pixels, network)
    assert network.seen == 1
    assert np.isfinite(field[:, :, :10]).all()


def test_each_tile_is_computed_once_and_few_are_kept():
    pixels = np.zeros((1, 40, 60_000), dtype=np.float32)
    network = Plain()
    with tiled(pixels, network) as tiles:
        for left in range(0, 60_000, 170):
            tiles.values(slice(0, 40), slice(left, min(left + 170, 60_000)))
        assert len(tiles._tiles) <= KEPT
    assert network.seen == len(Axis(60_000).starts)


def test_an_error_while_reading_reaches_the_caller():
    def read(rows, columns):
        raise OSError("disk on fire")

    with (
        Tiled((300, 300), read, Plain(), [0], 2) as tiles,
        pytest.raises(OSError, match="disk on fire"),
    ):
        tiles.values(slice(0, 10), slice(0, 10))


def test_a_real_network_is_the_same_for_any_threads(tmp_path):
    network = Network(save_small(tmp_path))
    pixels = texture(640, 448, 6)
    fields = []
    for threads in (1, 3):
        with tiled(pixels, network, threads) as tiles:
            parts = [
                tiles.values(slice(0, 640), slice(left, min(left + 150, 448)))
                for left in range(0, 448, 150)
            ]
        fields.append(np.concatenate(parts, axis=2))
    assert np.array_equal(fields[0], fields[1])
    assert np.abs(fields[0].sum(axis=0) - 1).max() < 2e-3
