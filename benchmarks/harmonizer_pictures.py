"""Pictures of a harmonizer: whether its error is what it says, and how real scenes look.

    python benchmarks/harmonizer_pictures.py --weights harmonizer_detail_v1 --pairs held-out.h5
    python benchmarks/harmonizer_pictures.py --weights harmonizer_detail_v1 --data ../shared/data

`--pairs`: `reliability.png` and a table, on pairs that were held out. Pixels are sorted into bins
by the standard deviation that was predicted for them; each bin's root mean square error should be
it (the diagonal). Simulated and real pairs, with pan and without, stand apart. Coverage is the
share of pixels whose error is within one and two predicted deviations; of a normal distribution
it is 68 and 95 %. Where B8A, B11 and B12 are known at 20 m only, the error is that of 2 x 2 means
and the prediction the root mean square of the four.

`--data`: `panel_<crop>.png`, real Landsat crops before and after. All pictures of one row have one
stretch; the difference is the harmonizer minus bandpass, grey where there is none.

It needs matplotlib: `pip install -r benchmarks/requirements.txt`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib as mpl
import numpy as np
from harmonizer_methods import BANDPASS, CUBIC, Network
from harmonizers import Column
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import NDArray
from real_crops import Crop, crops
from reliability import EDGES, Reliability, reliability, show_reliability
from rich.console import Console

from nndacss.errors import NndacssError
from nndacss.models.harmonizer_card import ROLES
from nndacss.pairs.store import PairStore
from nndacss.raster import Pixels

#: Pixels a side of the zoomed detail, 10 m.
ZOOM = 120
#: Pixels that a picture of a whole crop is wide or high.
WIDTH = 330
#: Reflectance that is black and white in differences.
DIFFERENCE = 0.03
#: Bands shown as red, green and blue.
VIEWS = {"true colour": ("red", "green", "blue"), "SWIR NIR red": ("swir16", "nir08", "red")}
COLOURS = ("#3366cc", "#2a9d4a", "#cc3333", "#7a4fa3", "#d98c1f", "#6b6b6b")


def draw_reliability(found: dict[Column, Reliability], name: str, path: Path) -> None:
    """One plot a column: found against predicted error, a line a band."""
    across = min(len(found), 2)
    down = -(-len(found) // across)
    size = (6.2 * across, 6.4 * down)
    figure, axes = plt.subplots(down, across, figsize=size, squeeze=False, layout="constrained")
    ends = [EDGES[0], EDGES[-1]]
    for plot in axes.flat[len(found) :]:
        plot.set_axis_off()
    for plot, (column, sums) in zip(axes.flat, found.items(), strict=False):
        plot.loglog(ends, ends, color="black", linewidth=1)
        for factor in (0.5, 2):
            plot.loglog(ends, [factor * end for end in ends], color="black", lw=0.5, ls=":")
        for band, (role, colour) in enumerate(zip(ROLES, COLOURS, strict=True)):
            one, two = sums.coverage(band)
            label = f"{role}: {one:.0%} within 1, {two:.0%} within 2"
            plot.loglog(*sums.points(band), "o-", ms=3, lw=1, color=colour, label=label)
        plot.set(xlim=ends, ylim=ends, aspect="equal")
        plot.set_title(column, fontsize=10)
        plot.set(
            xlabel="predicted standard deviation, reflectance", ylabel="RMS error, reflectance"
        )
        plot.grid(visible=True, which="major", linewidth=0.3)
        plot.legend(fontsize=8, loc="upper left")
    figure.suptitle(f"{name}: error against its prediction (68 % and 95 % if normal)")
    figure.savefig(path, dpi=110)
    plt.close(figure)


def stretched(images: dict[str, Pixels], roles: tuple[str, ...]) -> dict[str, Pixels]:
    """(rows, columns, 3) 0..1 of each image: from 1 to 99 % of the first one's, band by band."""
    planes = [ROLES.index(role) for role in roles]
    first = next(iter(images.values()))[planes]
    low, high = (np.nanpercentile(first, q, axis=(1, 2))[:, None, None] for q in (1, 99))
    return {
        name: np.moveaxis(np.nan_to_num(np.clip((image[planes] - low) / (high - low), 0, 1)), 0, -1)
        for name, image in images.items()
    }


def detail(pixels: Pixels) -> tuple[slice, slice]:
    """The place of `ZOOM` pixels a side with most edges for its brightness in blue.

    So it is ground and no cloud. It is known throughout, where such a place is there.
    """
    blue, swir = ROLES.index("blue"), ROLES.index("swir16")
    best, found = -1.0, (slice(0, ZOOM), slice(0, ZOOM))
    for row in range(0, pixels.shape[1] - ZOOM + 1, ZOOM // 2):
        for column in range(0, pixels.shape[2] - ZOOM + 1, ZOOM // 2):
            place = (slice(row, row + ZOOM), slice(column, column + ZOOM))
            part = pixels[:, *place]
            edges = float(np.abs(np.diff(part[swir], axis=1)).mean())
            score = edges / (float(np.percentile(part[blue], 99)) + 0.05)
            if score > best:  # never where a pixel is missing: the score is NaN
                best, found = score, place
    return found


def smaller(pixels: Pixels) -> Pixels:
    """Means of so many pixels that the image fits its picture."""
    step = -(-max(pixels.shape[1:]) // WIDTH)
    bands, rows, columns = (
        size // step if axis else size for axis, size in enumerate(pixels.shape)
    )
    even = pixels[:, : rows * step, : columns * step]
    means: Pixels = even.reshape(bands, rows, step, columns, step).mean(axis=(2, 4))
    return means


def panel(crop: Crop, network: Network, path: Path) -> None:
    """Four rows: both colourings of the whole crop, and of its zoomed detail."""
    images = {name: pixels for name, pixels, _ in crop.outputs([network])}
    zoom = detail(images[BANDPASS])
    whole = {name: smaller(pixels) for name, pixels in images.items()}
    close = {name: pixels[:, *zoom] for name, pixels in images.items()}
    aspect = crop.grid.shape[0] / crop.grid.shape[1]
    figure, axes = plt.subplots(
        4,
        4,
        figsize=(17, 4.1 * (2 * aspect + 2) + 0.8),
        height_ratios=(aspect, aspect, 1, 1),
        layout="constrained",
    )
    for line, parts in ((axes[0:2], whole), (axes[2:4], close)):
        for plots, (view, roles) in zip(line, VIEWS.items(), strict=True):
            label = f"{view}, {ZOOM * 10} m" if parts is close else view
            _show_row(plots, parts, roles, label)
    step = crop.grid.shape[1] / whole[CUBIC].shape[2]
    for plot in axes[:2].flat:
        corner = zoom[1].start / step, zoom[0].start / step
        plot.add_patch(Rectangle(corner, ZOOM / step, ZOOM / step, fill=False, color="yellow"))
    pan = "with pan" if "pan" in crop.scene.roles else "no pan"
    figure.suptitle(f"{crop.name}, {pan}; stretch of each row: 1 to 99 % of cubic")
    figure.savefig(path, dpi=80)
    plt.close(figure)


def _show_row(
    plots: NDArray[np.object_], images: dict[str, Pixels], roles: tuple[str, ...], label: str
) -> None:
    """Cubic, bandpass, harmonizer, and the last minus the one before."""
    for plot, (name, picture) in zip(plots, stretched(images, roles).items(), strict=False):
        _show(plot, picture, f"{Path(name).stem}, {label}")
    planes = [ROLES.index(role) for role in roles]
    _, before, after = images.values()
    difference = np.clip((after - before)[planes] / (2 * DIFFERENCE) + 0.5, 0, 1)
    grey = np.nan_to_num(np.moveaxis(difference, 0, -1), nan=0.5)
    _show(plots[3], grey, f"difference to bandpass, -{DIFFERENCE} to +{DIFFERENCE}")


def _show(plot: Axes, picture: Pixels, title: str) -> None:
    plot.imshow(picture, interpolation="nearest")
    plot.set_title(title, fontsize=9)
    plot.set_axis_off()


def main() -> None:
    """Draw what is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights", required=True, help="name or path; a,b: an ensemble")
    parser.add_argument("--pairs", type=Path, help="a pair store: the reliability plot")
    parser.add_argument("--data", type=Path, help="real data: the panels")
    parser.add_argument("--limit", type=int, help="at most so many pairs of a kind")
    parser.add_argument("--rim", type=int, default=12, help="10 m pixels left out; even")
    parser.add_argument("--out", type=Path, default=Path("pictures"), help="folder")
    arguments = parser.parse_args()
    if not (arguments.pairs or arguments.data):
        parser.error("give --pairs or --data")
    mpl.use("Agg")
    arguments.out.mkdir(parents=True, exist_ok=True)
    console = Console(width=130)
    try:
        network = Network.load(arguments.weights)
        if arguments.pairs:
            if not network.harmonizer.uncertain:
                raise SystemExit(f"error: {network.name} alone states no deviation; add members")
            found = reliability(PairStore(arguments.pairs), network, arguments.limit, arguments.rim)
            draw_reliability(found, Path(network.name).stem, arguments.out / "reliability.png")
            show_reliability(found, console)
        if arguments.data:
            with crops(arguments.data) as every:
                for crop in every:
                    panel(crop, network, arguments.out / f"panel_{crop.name}.png")
    except NndacssError as error:
        raise SystemExit(f"error: {error}") from error
    console.print(f"pictures in {arguments.out}")


if __name__ == "__main__":
    main()
