"""What is compared: from a harmonizer's input to the target's bands, one call a method.

A method takes (7, rows, columns) float32 reflectance on the 10 m grid (see
`nndacss.models.harmonizer`; pan all NaN: none) and gives (6, rows, columns) reflectance.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from pansharpening import CLASSICAL, regression

from nndacss.harmonize.bandpass import adjust
from nndacss.models.harmonizer import Harmonizer
from nndacss.models.harmonizer_card import ROLES, harmonizer_card, usual_precision
from nndacss.raster import Pixels

Method = Callable[[Pixels], Pixels]
#: Whose bands are made: the target of our weights.
TARGET = "sentinel-2a"
#: Names in tables.
CUBIC, BANDPASS, PLAIN = "cubic", "bandpass", "bandpass, no pan"


def cubic(inputs: Pixels) -> Pixels:
    """The bands as they are: Landsat's, resampled."""
    return inputs[:-1]


def adjusted(sharpen: Method, inputs: Pixels) -> Pixels:
    """Sharpened, then the published coefficients, as the product's `bandpass` does."""
    return adjust(sharpen(inputs), ROLES, TARGET)


@dataclass(frozen=True)
class Network:
    """Weights, or several as an ensemble, on images of any size."""

    name: str
    """As given: names or paths of weights, with commas between the members of an ensemble."""
    harmonizer: Harmonizer

    @classmethod
    def load(cls, name: str) -> Network:
        """By name or path; `a,b,c` is an ensemble."""
        members = name.split(",")
        usual = usual_precision([harmonizer_card(member) for member in members])
        return cls(name, Harmonizer(members, precision=usual))

    def __call__(self, inputs: Pixels) -> Pixels:
        """The mean."""
        return self.both(inputs)[: len(ROLES)]

    def both(self, inputs: Pixels) -> Pixels:
        """(12, rows, columns): mean, and standard deviation of its error."""
        rows, columns = inputs.shape[1:]
        lack = [(0, -side % self.harmonizer.multiple) for side in (rows, columns)]
        padded = np.pad(inputs, [(0, 0), *lack], constant_values=np.nan)
        return self.harmonizer(padded[None])[0, :, :rows, :columns]


def methods(pan: bool, networks: Sequence[Network]) -> Mapping[str, Method]:
    """Name -> method: those that need pan only where there is one."""
    found: dict[str, Method] = {CUBIC: cubic, PLAIN: partial(adjusted, cubic)}
    if pan:
        found[BANDPASS] = partial(adjusted, regression)
        found |= {name: partial(adjusted, sharpen) for name, sharpen in CLASSICAL.items()}
    return found | {network.name: network for network in networks}
