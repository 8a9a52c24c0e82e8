"""What a window must hold around the pixels that are kept of it."""

from __future__ import annotations

import math

from nndacss.compose.fourier import reach
from nndacss.compose.options import ComposeOptions
from nndacss.errors import SettingsError, complain


def halo(options: ComposeOptions, metres: float) -> int:
    """Pixels around a window on which its result depends, in production.

    SettingsError for a method that looks at the whole image at once, so that its result would
    depend on how a scene is cut: histograms, and `fourier` by beta.
    """
    nested = options.method == "by_class"
    method = options.adapted if nested else options.method
    if method == "histogram" or (method == "fourier" and options.fourier.by == "beta"):
        expected = "a method whose result does not depend on the window"
        remedy = "use fourier by cutoff, bicubic or deep"
        found = "histogram" if method == "histogram" else "fourier by beta"
        raise SettingsError(complain("composition of a scene", found, expected, remedy))
    around = reach(options.fourier, metres) if method == "fourier" else 0
    return max(around, math.ceil(options.feather / metres)) if nested else around
