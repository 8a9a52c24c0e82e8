"""Real pairs: a Landsat and a Sentinel-2 product of one place and day.

Windows lie side by side on Sentinel-2's 10 m grid where the two overlap. A window is left out
where the agencies' masks of the two together call more than `masked` of it cloud, shadow or
missing; what of that remains is missing in the target. Landsat, adjusted by the published
bandpass coefficients, is compared with Sentinel-2 averaged over Landsat's own 30 m pixels:

- the co-registration shift, by phase correlation of all six bands, per window; the median over
  the clear windows is taken out of the input when its pixels are read (`align`), so a band is
  still resampled once;
- SSIM (11 x 11 Gaussian of 1.5 pixels, mean over bands) and PSNR (all bands together), both of a
  data range of 1; a pair is kept where SSIM >= 0.81 and PSNR > 22 dB. The thresholds are those of
  Deep-Harmonization. Which bands, pixel size and data range its pairs were chosen by is not
  published; all six bands, 30 m and 1 are ours.

B8A, B11 and B12 of the target are the sensor's 20 m pixels, each on 2 x 2 pixels.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

from nndacss.pairs.kinds import SameDay
from nndacss.pairs.overlap import Overlap
from nndacss.pairs.source import Pair, PairRecord
from nndacss.readers import open_scene

log = logging.getLogger("nndacss")


def pairs(options: SameDay, title: str, name: str, side: int) -> Iterator[Pair]:
    """All windows that pass, row by row."""
    both = Overlap(open_scene(options.landsat, options.l1), open_scene(options.sentinel2))
    windows = [w for w in both.windows(side) if both.unclear(w.grid).mean() <= options.masked]
    shift = both.shift(windows)
    text = "%s: Landsat lies %.1f m east and %.1f m south of Sentinel-2, %d clear windows"
    log.info(text, title, *shift, len(windows))
    kept = 0
    for window in windows:
        seen = both.seen(window, shift if options.align else (0.0, 0.0))
        if not (seen.ssim >= options.ssim and seen.psnr > options.psnr):
            continue
        kept += 1
        record = PairRecord(
            dataset=title,
            kind="same_day",
            name=name,
            scene=both.landsat.identity.key,
            row=window.row,
            column=window.column,
            level=both.landsat.level,
            coarse_truth=True,
            ssim=seen.ssim,
            psnr=seen.psnr,
            shift=seen.shift,
        )
        yield Pair(seen.inputs, seen.target, record)
    log.info("%s: %d of %d clear windows pass SSIM and PSNR", title, kept, len(windows))
