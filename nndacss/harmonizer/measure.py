"""How good a harmonizer is on pairs: sums a kind and band, scores from sums.

Beside each score of the result stands that of the spectral step alone, without any detail, so
that the gain can be seen. Where the truth is coarse, 2 x 2 means are compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import log, sqrt

import numpy as np
import torch
from torch import Tensor

from nndacss.harmonizer.data import KINDS
from nndacss.harmonizer.losses import at_truth, errors
from nndacss.metrics.image import Sums
from nndacss.sensors import REFLECTIVE

#: Rows of the sums of one kind; each has six bands.
WORDS = (
    "pixels", "error", "squares", "absolute", "step_error", "step_squares",
    "ratio", "within", "likelihood", "snow_pixels", "snow_ratio",
)  # fmt: skip
#: Snow in the input: index (green - swir16) / (green + swir16) and near infrared above these, as
#: Hall et al. 1995 (doi:10.1016/0034-4257(95)00137-P) separate it from soil and from water.
SNOW_INDEX, SNOW_NIR = 0.4, 0.11
_LOG_2PI = log(2 * torch.pi)


def snowy(inputs: Tensor) -> Tensor:
    """(n, rows, columns) bool from the input (n, 7, rows, columns); missing is not snow."""
    green, nir, short = (inputs[:, REFLECTIVE.index(role)] for role in ("green", "nir08", "swir16"))
    bright = (green + short) > 0
    return bright & (green - short > SNOW_INDEX * (green + short)) & (nir > SNOW_NIR)


class Totals:
    """Sums over any number of batches, by kind."""

    def __init__(self) -> None:
        self.sums: dict[str, Tensor] = {}
        """Kind -> (words, bands) float64."""

    def add(
        self,
        batch: Mapping[str, Tensor],
        mean: Tensor,
        log_sigma: Tensor | None,
        base: Tensor,
    ) -> None:
        """Take in one batch: result, its deviation where stated, and the step alone."""
        inputs, target, coarse = batch["inputs"], batch["target"], batch["coarse"]
        found = errors(mean, inputs, target, coarse)
        step = errors(base, inputs, target, coarse).error
        rows = {
            "pixels": found.known,
            "error": found.error,
            "squares": found.error.square(),
            "absolute": found.error.abs(),
            "step_error": step,
            "step_squares": step.square(),
        }
        if log_sigma is not None:
            rows |= _spread_rows(found.error, found.known, log_sigma, batch)
        empty = torch.zeros_like(found.error)
        sums = torch.stack([
            rows.get(word, empty).sum(dim=(2, 3), dtype=torch.float64) for word in WORDS
        ])  # fmt: skip
        for index, kind in enumerate(KINDS):
            mine = batch["kind"] == index
            if mine.any():
                new = sums[:, mine].sum(dim=1).cpu()
                self.sums[kind] = self.sums[kind] + new if kind in self.sums else new

    def of(self, word: str, kind: str | None = None) -> Tensor:
        """(bands,) of one kind or of all."""
        chosen = [self.sums[kind]] if kind else list(self.sums.values())
        return torch.stack(chosen).sum(dim=0)[WORDS.index(word)]

    def scores(self) -> dict[str, float]:
        """All that is known: `l1` (mean over bands), and `<kind>/<word>_<band>`."""
        if not self.sums:
            return {}
        pixels = self.of("pixels")
        known = pixels > 0
        found = {"l1": float((self.of("absolute")[known] / pixels[known]).mean())}
        for kind in self.sums:
            for word, values in self._bands(kind).items():
                for role, value in zip(REFLECTIVE, values, strict=True):
                    if np.isfinite(value):
                        found[f"{kind}/{word}_{role}"] = float(value)
        return found

    def _bands(self, kind: str) -> dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]]:
        result = _plain(*(self.of(word, kind) for word in ("pixels", "error", "squares")))
        step = _plain(*(self.of(word, kind) for word in ("pixels", "step_error", "step_squares")))
        words = {
            "rmse": result.rmse(),
            "bias": result.bias(),
            "psnr": result.psnr(),
            "step_rmse": step.rmse(),
            "step_bias": step.bias(),
            "step_psnr": step.psnr(),
        }
        if self.of("ratio", kind).any():
            count = result.pixels
            with np.errstate(invalid="ignore", divide="ignore"):
                words["rms_ratio"] = np.sqrt(self.of("ratio", kind).numpy() / count)
                words["within_sigma"] = self.of("within", kind).numpy() / count
                words["likelihood"] = self.of("likelihood", kind).numpy() / count
        return words


def _plain(pixels: Tensor, error: Tensor, squares: Tensor) -> Sums:
    """Sums of which nothing but these is known."""
    none = np.zeros(len(pixels))
    return Sums(pixels.numpy(), error.numpy(), squares.numpy(), none, none, none)


def _spread_rows(
    error: Tensor, known: Tensor, log_sigma: Tensor, batch: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Error over deviation; `likelihood` is -log of the Gaussian density."""
    sigma = at_truth(log_sigma.exp(), batch["coarse"])
    ratio = error / sigma
    snow = snowy(batch["inputs"])[:, None].expand_as(error)
    snow = (at_truth(snow.to(error.dtype), batch["coarse"]) > 0.99) & known
    likelihood = 0.5 * (ratio.square() + _LOG_2PI) + sigma.log()
    return {
        "ratio": ratio.square(),
        "within": known & (ratio.abs() <= 1),
        "likelihood": torch.where(known, likelihood, 0.0),
        "snow_pixels": snow,
        "snow_ratio": torch.where(snow, ratio.square(), 0.0),
    }


def calibration(totals: Totals) -> Tensor:
    """(bands,) what to add to log sigma so that the RMS of error over sigma is 1; 0 if unknown."""
    pixels, ratio = totals.of("pixels"), totals.of("ratio")
    there = (pixels > 0) & (ratio > 0)
    mean = torch.where(there, ratio / pixels.clamp_min(1), 1.0)
    return (0.5 * mean.log()).to(torch.float32)


def snow_factor(totals: Totals, least: int) -> float:
    """RMS of error over sigma on snow, all bands, at least 1; 1 below `least` snow pixels a band.

    Snow is rare: without this factor the deviation there would be that of ordinary ground.
    """
    pixels = totals.of("snow_pixels").sum().item()
    if pixels < least * len(REFLECTIVE):
        return 1.0
    return max(1.0, sqrt(totals.of("snow_ratio").sum().item() / pixels))
