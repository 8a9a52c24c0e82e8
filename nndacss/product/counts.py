"""What is counted in the pass over all pixels: cover, agreement with the agency, histograms.

All counts are integers, so their sums do not depend on the order in which threads bring blocks.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nndacss.harmonize.result import BANDPASS, COMPOSED, NETWORK, NO_PAN, NODATA, OWN, SATURATED
from nndacss.labels.climate import Climate
from nndacss.product.pyramid import Codes
from nndacss.product.sheets import Sheet

#: The classes that a valid pixel can have, in the order of all tables.
CLASSES = (Climate.CLEAR, Climate.SHADOW, Climate.SNOW, Climate.CLOUD)
_OTHER = len(CLASSES)
#: Histogram of reflectance: bins of 0.01 from LOW to HIGH, beyond counted in the last ones.
LOW, HIGH, BINS = -0.1, 1.3, 140
#: Standard deviations above it are counted as this, in counts of the uncertainty: 0.2.
MOST = 2000
#: What a pixel can be made by, and marks beside it: name -> bit of the source layer.
MADE = {"network": NETWORK, "bandpass": BANDPASS, "own": OWN}
MARKS = {"composed": COMPOSED, "no_pan": NO_PAN, "saturated": SATURATED}
#: Products of more pixels than this have every fourth row and column in their histograms.
_THIN_FROM = 4_000_000


class Counts:
    """Sums over the blocks of a product."""

    def __init__(self, sheet: Sheet, pixels: int, agency: NDArray[np.uint8] | None) -> None:
        """`agency` is the climate code of every quality code, None without a quality band."""
        self._sheet = sheet
        self._step = 4 if pixels > _THIN_FROM else 1
        self._lock = threading.Lock()
        self._index = np.full(256, _OTHER, dtype=np.uint8)
        self._index[list(CLASSES)] = np.arange(_OTHER)
        self._agency = None if agency is None else self._index[agency]
        self.joint = np.zeros((_OTHER + 1, _OTHER + 1), dtype=np.int64)
        """Pixels by class of the mask (rows) and of the agency (columns); last: none."""
        self.histograms = np.zeros((2, len(sheet.bands), BINS), dtype=np.int64)
        """Pixels by bin, per band: all valid ones, and the clear ones of these."""
        self._source = np.zeros(256, dtype=np.int64)
        self._deviations = np.zeros((len(sheet.bands), MOST + 1), dtype=np.int64)

    def add(self, pixels: dict[str, Codes]) -> None:
        """One block: `mask`, `reflectance`, `source`, and `quality` and `uncertainty` if any."""
        labels = self._index[pixels["mask"][0]]
        agency = np.full(labels.shape, _OTHER, dtype=np.uint8)
        if self._agency is not None and "quality" in pixels:
            agency = self._agency[pixels["quality"][0]]
        pairs = labels * np.uint8(_OTHER + 1) + agency
        joint = np.bincount(pairs.ravel(), minlength=(_OTHER + 1) ** 2)
        thin = np.s_[:: self._step, :: self._step]
        counts = pixels["reflectance"][(slice(None), *thin)]
        histograms = self._histograms(counts, labels[thin])
        source = np.bincount(pixels["source"].ravel(), minlength=256)
        deviations = self._spread(pixels["uncertainty"]) if "uncertainty" in pixels else None
        with self._lock:
            self.joint += joint.reshape(self.joint.shape)
            self.histograms += histograms
            self._source += source
            if deviations is not None:
                self._deviations += deviations

    def _histograms(self, counts: Codes, labels: NDArray[np.uint8]) -> NDArray[np.int64]:
        found = np.zeros_like(self.histograms)
        valid = counts[0] != self._sheet.nodata
        clear = labels[valid] == CLASSES.index(Climate.CLEAR)
        low, width = round(LOW / self._sheet.scale), round((HIGH - LOW) / self._sheet.scale / BINS)
        for index, band in enumerate(counts):
            bins = np.clip((band[valid].astype(np.int32) - low) // width, 0, BINS - 1)
            found[0, index] = np.bincount(bins, minlength=BINS)
            found[1, index] = np.bincount(bins[clear], minlength=BINS)
        return found

    def _spread(self, counts: Codes) -> NDArray[np.int64]:
        """Pixels per band and standard deviation; the last band is flags."""
        thin = counts[:, :: self._step, :: self._step]
        there = thin[0] != NODATA
        return np.stack(
            [np.bincount(np.minimum(band[there], MOST), minlength=MOST + 1) for band in thin[:-1]]
        )

    def sources(self) -> dict[str, float]:
        """Share of the valid pixels by what made them, and with which marks."""
        valid = int(self._source[1:].sum())
        codes = np.arange(256)
        return {
            name: _share(int(self._source[(codes & bit) > 0].sum()), valid)
            for name, bit in {**MADE, **MARKS}.items()
        }

    def uncertainty(self) -> dict[str, float | None]:
        """Median standard deviation per band, in reflectance; None where no network was."""
        edges = (np.arange(MOST + 2) - 0.5) * self._sheet.scale
        return {
            role: percentile(counts, edges, 50)
            for role, counts in zip(self._sheet.bands, self._deviations, strict=True)
        }

    def cover(self) -> dict[str, Any]:
        """Pixels and shares (of the valid pixels) per class."""
        per_class = self.joint.sum(axis=1)
        valid = int(per_class[:_OTHER].sum())
        total = int(per_class.sum())
        return {
            "pixels": total,
            "valid": valid,
            "valid_share": _share(valid, total),
            "classes": {
                code.name.lower(): {
                    "pixels": int(per_class[index]),
                    "share": _share(int(per_class[index]), valid),
                }
                for index, code in enumerate(CLASSES)
            },
        }

    def agreement(self) -> dict[str, Any] | None:
        """Mask against the agency's bits where both say something; None without such pixels."""
        if self._agency is None or not self.joint[:_OTHER, :_OTHER].sum():
            return None
        return agreement(self.joint[:_OTHER, :_OTHER])

    def band_histograms(self) -> dict[str, Any]:
        """Per band the counts by bin, and median and outer percentiles of the valid pixels."""
        edges = np.linspace(LOW, HIGH, BINS + 1)
        bands = {}
        for index, role in enumerate(self._sheet.bands):
            every, clear = self.histograms[:, index]
            bands[role] = {
                "all": every.tolist(),
                "clear": clear.tolist(),
                **{f"p{q}": percentile(every, edges, q) for q in (2, 50, 98)},
                "clear_p98": percentile(clear, edges, 98),
            }
        pixels = int(self.histograms[0, 0].sum())
        sampled = {"low": LOW, "high": HIGH, "bins": BINS, "step": self._step, "pixels": pixels}
        return {**sampled, "bands": bands}


def agreement(joint: NDArray[np.int64]) -> dict[str, Any]:
    """Scores of a table of pixel counts, mask in rows, agency in columns.

    `iou` is the intersection over the union per class, None where neither has the class.
    """
    names = [code.name.lower() for code in CLASSES]
    same = np.diag(joint)
    union = joint.sum(axis=0) + joint.sum(axis=1) - same
    return {
        "classes": names,
        "pixels": int(joint.sum()),
        "joint": joint.tolist(),
        "equal_share": _share(int(same.sum()), int(joint.sum())),
        "iou": {
            name: _share(int(part), int(whole)) if whole else None
            for name, part, whole in zip(names, same, union, strict=True)
        },
    }


def percentile(counts: Sequence[int] | NDArray[np.int64], edges: Any, q: float) -> float | None:
    """The value below which `q` percent of a histogram lie, linear inside a bin; None if empty.

    >>> percentile([0, 10, 0], [0.0, 1.0, 2.0, 3.0], 50)
    1.5
    """
    sums = np.concatenate([[0], np.cumsum(counts)])
    if not sums[-1]:
        return None
    wanted = sums[-1] * q / 100
    found = int(np.searchsorted(sums, wanted, side="left"))
    found = max(found, 1)
    inside = (wanted - sums[found - 1]) / max(sums[found] - sums[found - 1], 1)
    return round(float(edges[found - 1] + inside * (edges[found] - edges[found - 1])), 5)


def _share(part: int, whole: int) -> float:
    return round(part / whole, 6) if whole else 0.0
