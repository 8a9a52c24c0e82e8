"""The published cloud networks for Landsat-8 and Sentinel-2 as weights of a mask.

    --set mask.weights=/path/landsatbiomeRGBI6.hdf5         blue green red nir
    --set mask.weights=/path/landsatbiomeRGBISWIR7.hdf5     the same with swir16 swir22

Lopez-Puigdollers et al. 2021 (Remote Sensing 13, 992); files of IPL-UV/DL-L8S2-UV, read as they
are. They know cloud and no cloud, so their masks hold no shadow and no snow. `nir` is
Sentinel-2's B08, as published; on Landsat the narrow band stands in for it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nndacss.download import checksum
from nndacss.errors import WeightsError, complain
from nndacss.labels.climate import SCHEME, Climate
from nndacss.models.card import MaskCard, find, is_keras
from nndacss.models.keras_weights import KerasFile, load_cloud_net, read
from nndacss.models.segmentation import Architecture, Scaling
from nndacss.models.tiled import Layout
from nndacss.raster import Pixels

if TYPE_CHECKING:
    from nndacss.models.runner import Network

#: Bands by their number.
ROLES: Mapping[int, tuple[str, ...]] = {
    4: ("blue", "green", "red", "nir"),
    6: ("blue", "green", "red", "nir", "swir16", "swir22"),
}
#: Metres: Landsat's pixels, on which they were trained.
TRAINED = 30.0
#: A pixel depends on those at most 23 rows and columns away, so a rim of 24 leaves what the whole
#: image would give, but for a last tile that does not start at a multiple of 4.
LAYOUT = Layout(256, stride=192, rim=24, multiple=4, dtype=np.float16, kept=32)
_NOTES = (
    "Knows cloud only: shadow and snow come out as clear ground",
    "Learnt from top-of-atmosphere reflectance of Landsat-8 at 30 m (L8 Biome); on surface "
    "reflectance it is not what was published",
)


def card_of(path: Path) -> MaskCard:
    """The card that a published file stands for; WeightsError where it is no such file. Light."""
    if not path.is_file():
        raise WeightsError(complain(path, "no such file", "a weights file", "check the path"))
    bands = _bands(read(path))
    return MaskCard(
        name=path.stem,
        purpose="Cloud in Landsat-8 and Sentinel-2 images, top-of-atmosphere reflectance",
        architecture=Architecture(name="CloudNet", encoder="", decoder_channels=()),
        roles=ROLES[bands],
        required=ROLES[bands],
        stand_in={"nir": "nir08"},
        classes=SCHEME.classes,
        scaling=Scaling(offset={}, spread={}),
        finest=TRAINED,
        training={
            "data": "L8 Biome, Landsat-8 top-of-atmosphere reflectance at 30 m",
            "simulated": False,
            "by": "Lopez-Puigdollers et al. 2021, Remote Sensing 13, 992",
        },
        licence="not stated for the weights; look at IPL-UV/DL-L8S2-UV before you pass them on",
        notes=_NOTES,
        sha256=checksum(path),
    )


def _bands(file: KerasFile) -> int:
    """How many bands the network takes; WeightsError where it is not for Landsat."""
    kernel = file.layers.get("input_conv_1", {}).get("depthwise_kernel")
    factor = file.layers.get("normalization", {}).get("kernel")
    expected = "a cloud network of DL-L8S2-UV for Landsat-8 and Sentinel-2"
    remedy = "give landsatbiomeRGBI6.hdf5 or landsatbiomeRGBISWIR7.hdf5, or weights with a card"
    if kernel is None or factor is None or kernel.ndim != 4 or kernel.shape[2] not in ROLES:
        raise WeightsError(complain(file.path, "another network", expected, remedy))
    if np.array_equal(factor[0, 0], np.eye(len(factor[0, 0]))):
        found = "a network without scaling of its bands, as that for Proba-V"
        raise WeightsError(complain(file.path, found, expected, remedy))
    return int(kernel.shape[2])


def open_network(name: str | Path, device: str = "cpu") -> Network | CloudNetwork:
    """A mask's network by name, card or published file, ready to predict."""
    from nndacss.models.runner import Network

    path = find(name)
    return CloudNetwork(path, device) if is_keras(path) else Network(path, device)


class CloudNetwork:
    """Reflectance to class probabilities, as `nndacss.models.runner.Network`."""

    batch = 1
    layout = LAYOUT

    def __init__(self, path: Path, device: str = "cpu") -> None:
        """A published file on `cpu` or `cuda:<n>`; WeightsError where it does not fit."""
        import torch

        from nndacss.models.separable_prepare import prepare

        self.card = card_of(path)
        self.device = torch.device(device)
        self._run = prepare(load_cloud_net(path), device)
        self._lock = threading.Lock()

    @property
    def classes(self) -> int:
        """How many classes the mask has; two of them are never predicted."""
        return len(self.card.classes)

    def suited(self, factor: int, push_broom: bool = True) -> CloudNetwork:
        """Itself: it goes by colour and shape alone, in all images alike."""
        del factor, push_broom
        return self

    def __call__(self, pixels: Pixels) -> Pixels:
        """(n, bands, rows, columns) reflectance, NaN missing, to (n, 4, rows, columns).

        Rows and columns are multiples of 4. Probabilities of clear and cloud sum to 1, also where
        pixels are missing (they mean nothing there).
        """
        import torch

        given = torch.from_numpy(np.nan_to_num(pixels, nan=0.0))
        if self.device.type == "cpu":
            logits = self._run(given)
        else:
            with self._lock:
                logits = self._run(given)
        cloud: Pixels = logits.sigmoid().numpy()[:, 0]
        result = np.zeros((len(pixels), self.classes, *cloud.shape[1:]), dtype=np.float32)
        result[:, Climate.CLOUD] = cloud
        result[:, Climate.CLEAR] = 1 - cloud
        return result
