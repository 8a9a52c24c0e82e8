"""The scene classification of Level-2A (SCL, by Sen2Cor), decoded to one set of flags.

Codes (Sentinel-2 PSD, and Sen2Cor's manual S2-PDGS-MPC-L2A-SUM): 0 no data, 1 saturated or
defective, 2 dark area or terrain shadow, 3 cloud shadow, 4 vegetation, 5 not vegetated, 6 water,
7 unclassified, 8 cloud of medium and 9 of high probability, 10 thin cirrus, 11 snow or ice.

- Saturated or defective pixels (1) are fill: they tell nothing about the ground.
- 2 is no cloud shadow: Sen2Cor puts dark ground and terrain shadow there.
- 8 and 9 are cloud, as the product's own cloud cover counts them. They are classes, not degrees
  of one confidence, so `medium` and `high` are the same; `low` takes 7 for cloud as well.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nndacss.errors import SettingsError
from nndacss.readers.scene import Confidence, QualityFlags

#: What lies outside the image: no data.
FILL = 0
DEFECTIVE = 1
_CODES = {"shadow": (3,), "cirrus": (10,), "snow": (11,), "water": (6,)}
_CLOUD = {"low": (7, 8, 9), "medium": (8, 9), "high": (8, 9)}
_LAST = 11


def decode(codes: NDArray[Any], confidence: Confidence = "high") -> QualityFlags:
    """Flags of the shape of `codes`; codes above 11 are unknown, and fill."""
    if confidence not in _CLOUD:
        raise SettingsError(f"confidence = {confidence!r}; choose one of: {', '.join(_CLOUD)}")
    fill = (codes == FILL) | (codes == DEFECTIVE) | (codes > _LAST)
    flags = {name: np.isin(codes, values) for name, values in _CODES.items()}
    flags["cloud"] = np.isin(codes, _CLOUD[confidence])
    unclear = fill | flags["cloud"] | flags["cirrus"] | flags["shadow"] | flags["snow"]
    return QualityFlags(
        fill=fill, dilated=np.zeros(codes.shape, dtype=np.bool_), clear=~unclear, **flags
    )
