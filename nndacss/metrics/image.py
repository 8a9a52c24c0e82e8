"""How near an image is to the truth: sums first, scores from sums.

`compare` looks at one pair of images and gives sums, which add up over images, windows and
machines; their scores are those of all pixels together, not means of scores. The functions
`rmse`, `bias`, `psnr`, `ssim`, `sam` and `ergas` are the scores of one pair. Everywhere

- images are (bands, rows, columns), reflectance (1.0 = 100 %) as float32 or float64;
- a pixel that is NaN in either image is not compared (in that band; for spectra: in any band);
- what nothing decides is NaN.

PSNR and SSIM take a data range of 1. A published SSIM or PSNR of reflectance with another data
range is another number: with 2, PSNR is 6.02 dB higher.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d, minimum_filter

from nndacss.raster import Pixels

Values = NDArray[np.float64]

#: The window of SSIM and its constants (Wang et al. 2004, IEEE TIP 13(4), doi:10.1109/
#: TIP.2003.819861): 11 x 11 Gaussian of 1.5 pixels, K1, K2, for data of range 1.
WINDOW, SIGMA, K1, K2 = 11, 1.5, 0.01, 0.03


@dataclass(frozen=True)
class Sums:
    """All that the scores need; adds up. Arrays are (bands,) float64."""

    pixels: Values
    """Compared pixels."""
    error: Values
    """Sum of estimate - truth."""
    squares: Values
    """Sum of its square."""
    truth: Values
    """Sum of the truth, for ERGAS."""
    windows: Values
    """Windows of SSIM that are known in every pixel."""
    similarity: Values
    """Sum of their SSIM."""
    spectra: float = 0.0
    """Pixels that are known in all bands, and black in neither image."""
    angle: float = 0.0
    """Sum of their spectral angles, radians."""

    @classmethod
    def zero(cls, bands: int) -> Sums:
        """Nothing compared yet."""
        a, b, c, d, e, f = np.zeros((6, bands))
        return cls(a, b, c, d, e, f)

    def __add__(self, other: Sums) -> Sums:
        if self.pixels.shape != other.pixels.shape:
            sizes = f"{self.pixels.size} and {other.pixels.size}"
            raise ValueError(f"sums of {sizes} bands do not add")
        return Sums(
            *(getattr(self, part.name) + getattr(other, part.name) for part in fields(self))
        )

    def rmse(self) -> Values:
        """(bands,) root mean square error, reflectance."""
        return np.sqrt(_ratio(self.squares, self.pixels))

    def bias(self) -> Values:
        """(bands,) mean of estimate - truth, reflectance."""
        return _ratio(self.error, self.pixels)

    def mean(self) -> Values:
        """(bands,) mean of the truth, reflectance."""
        return _ratio(self.truth, self.pixels)

    def psnr(self) -> Values:
        """(bands,) peak signal to noise ratio, dB, of a data range of 1; inf where equal."""
        with np.errstate(divide="ignore"):
            found: Values = -10 * np.log10(_ratio(self.squares, self.pixels))
        return found

    def ssim(self) -> Values:
        """(bands,) mean structural similarity, -1..1."""
        return _ratio(self.similarity, self.windows)

    def sam(self) -> float:
        """Mean spectral angle, degrees."""
        return float(np.degrees(self.angle / self.spectra)) if self.spectra else float("nan")

    def ergas(self, ratio: float) -> float:
        """Relative error over all bands, see the function `ergas`."""
        return relative_error(self.rmse(), self.mean(), ratio)


def compare(estimate: Pixels, truth: Pixels) -> Sums:
    """Sums of one pair of images, (bands, rows, columns). ValueError where their sizes differ."""
    if estimate.shape != truth.shape or estimate.ndim != 3:
        shapes = f"{estimate.shape} and {truth.shape}"
        raise ValueError(f"images are {shapes}; expected (bands, rows, columns), alike")
    first, second = estimate.astype(np.float64), truth.astype(np.float64)
    known = ~(np.isnan(first) | np.isnan(second))
    first, second = np.where(known, first, 0.0), np.where(known, second, 0.0)
    difference = first - second
    windows, similarity = _similarity(first, second, known)
    spectra, angle = _angles(first, second, known)
    return Sums(
        known.sum(axis=(1, 2)).astype(np.float64),
        difference.sum(axis=(1, 2)),
        np.square(difference).sum(axis=(1, 2)),
        second.sum(axis=(1, 2)),
        windows,
        similarity,
        spectra,
        angle,
    )


def rmse(estimate: Pixels, truth: Pixels) -> Values:
    """(bands,) root mean square error, reflectance."""
    return compare(estimate, truth).rmse()


def bias(estimate: Pixels, truth: Pixels) -> Values:
    """(bands,) mean of estimate - truth, reflectance."""
    return compare(estimate, truth).bias()


def psnr(estimate: Pixels, truth: Pixels) -> Values:
    """(bands,) peak signal to noise ratio, dB, of a data range of 1; inf where equal."""
    return compare(estimate, truth).psnr()


def ssim(estimate: Pixels, truth: Pixels) -> Values:
    """(bands,) mean structural similarity of windows that are known in every pixel, -1..1."""
    return compare(estimate, truth).ssim()


def sam(estimate: Pixels, truth: Pixels) -> float:
    """Mean angle between the spectra of a pixel, degrees (Kruse et al. 1993).

    doi:10.1016/0034-4257(93)90013-N. Blind to a spectrum that is brighter or darker as a whole.
    """
    return compare(estimate, truth).sam()


def ergas(estimate: Pixels, truth: Pixels, ratio: float) -> float:
    """Relative error over all bands (erreur relative globale adimensionnelle de synthèse).

    100 * ratio * root of the mean over bands of (RMSE / mean of the truth) squared; Wald 2000,
    "Quality of high resolution synthesised images: is there a simple criterion?". `ratio` is the
    high resolution's pixel size over the low resolution's: 10 / 30 for Landsat to Sentinel-2.
    """
    return compare(estimate, truth).ergas(ratio)


def relative_error(errors: Values, means: Values, ratio: float) -> float:
    """ERGAS of (bands,) RMSE and means of the truth, which may stem from several pixel sizes."""
    return float(100 * ratio * np.sqrt(np.mean(np.square(errors / means))))


def _ratio(part: Values, whole: Values) -> Values:
    with np.errstate(invalid="ignore"):
        found: Values = part / np.where(whole > 0, whole, np.nan)
    return found


def _similarity(first: Values, second: Values, known: NDArray[np.bool_]) -> tuple[Values, Values]:
    """Per band the number of windows and the sum of their SSIM."""
    windows, similarity = np.zeros(len(first)), np.zeros(len(first))
    for band, (x, y, there) in enumerate(zip(first, second, known, strict=True)):
        # zeros beyond the image: a window must lie inside it
        whole = minimum_filter(there.astype(np.uint8), WINDOW, mode="constant", cval=0) > 0
        windows[band] = whole.sum()
        if whole.any():
            similarity[band] = _ssim_map(x, y)[whole].sum()
    return windows, similarity


def _ssim_map(x: Values, y: Values) -> Values:
    """SSIM of the window around each pixel, (rows, columns)."""
    mean_x, mean_y = _blur(x), _blur(y)
    variance = _blur(x * x) - mean_x**2 + _blur(y * y) - mean_y**2
    covariance = _blur(x * y) - mean_x * mean_y
    c1, c2 = K1**2, K2**2
    found: Values = ((2 * mean_x * mean_y + c1) * (2 * covariance + c2)) / (
        (mean_x**2 + mean_y**2 + c1) * (variance + c2)
    )
    return found


def _blur(plane: Values) -> Values:
    distance = np.arange(WINDOW) - WINDOW // 2
    kernel = np.exp(-(distance**2) / (2 * SIGMA**2))
    kernel /= kernel.sum()
    down = correlate1d(plane, kernel, axis=0, mode="constant")
    found: Values = correlate1d(down, kernel, axis=1, mode="constant")
    return found


def _angles(first: Values, second: Values, known: NDArray[np.bool_]) -> tuple[float, float]:
    """Number of spectra, and the sum of the angles between them in radians."""
    there = known.all(axis=0)
    x, y = first[:, there], second[:, there]
    lengths = np.linalg.norm(x, axis=0) * np.linalg.norm(y, axis=0)
    lit = lengths > 0
    cosine = (x * y).sum(axis=0)[lit] / lengths[lit]
    return float(lit.sum()), float(np.arccos(np.clip(cosine, -1, 1)).sum())
