"""A segmentation network ready to predict: loaded, checked, folded, on its device.

Always float32, and always in batches of one size, so that what a tile gets does not depend on
its neighbours. On the processor a batch is one tile on one core, and several threads predict
several tiles: measured on two cores it is as fast as one tile on both when the machine is idle,
several times faster when it is not, and it makes results independent of the number of threads.
"""

from __future__ import annotations

import threading
from copy import copy
from pathlib import Path

import numpy as np

from nndacss.errors import WeightsError, complain
from nndacss.models.card import MaskCard, load_weights
from nndacss.models.contrast import shaded
from nndacss.models.displacement import raised
from nndacss.models.fold import fold_batch_norm
from nndacss.models.margin import widened
from nndacss.models.runtime import one_thread
from nndacss.models.segmentation import MULTIPLE, build, encode
from nndacss.models.tiled import MASK, Layout
from nndacss.models.veil import veiled
from nndacss.raster import Pixels

#: Tiles a batch on a card; the processor takes one.
CARD_BATCH = 8


class Network:
    """Reflectance to class probabilities. Safe to use from several threads."""

    def __init__(self, name: str | Path, device: str = "cpu") -> None:
        """Weights by name or path on `cpu` or `cuda:<n>`; WeightsError where they do not fit."""
        import torch

        self.card, tensors = load_weights(name, MaskCard)
        network = build(self.card.architecture, len(self.card.roles), len(self.card.classes))
        try:
            network.load_state_dict(tensors)
        except RuntimeError as error:
            found = " ".join(str(error).split())[:200]
            remedy = "take card and weights from one export"
            raise WeightsError(
                complain(name, found, "the network its card states", remedy)
            ) from error
        network.eval().requires_grad_(False)
        fold_batch_norm(network, torch.zeros(1, 2 * len(self.card.roles), MULTIPLE, MULTIPLE))
        self.device = torch.device(device)
        self._network = network.to(self.device)
        self._network = self._network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._lock = threading.Lock()

    @property
    def batch(self) -> int:
        """Tiles of a full batch."""
        return 1 if self.device.type == "cpu" else CARD_BATCH

    @property
    def layout(self) -> Layout:
        """How tiles of an image lie for it."""
        return MASK

    @property
    def classes(self) -> int:
        """How many classes it tells apart."""
        return len(self.card.classes)

    def __call__(self, pixels: Pixels) -> Pixels:
        """(n, bands, rows, columns) reflectance in the card's roles, NaN missing, n <= `batch`.

        Rows and columns are multiples of 32. Gives (n, classes, rows, columns) probabilities
        that sum to 1, also where pixels are missing (they mean nothing there).
        """
        import torch

        count = len(pixels)
        if count < self.batch:
            empty = np.full((self.batch - count, *pixels.shape[1:]), np.nan, dtype=np.float32)
            pixels = np.concatenate([pixels, empty])
        with torch.inference_mode():
            if self.device.type == "cpu":
                one_thread()
                result = self._forward(pixels)
            else:
                exact = torch.backends.cudnn.flags(
                    enabled=True, allow_tf32=False, deterministic=True
                )
                with self._lock, exact:
                    result = self._forward(pixels)
        return np.stack(
            [self._weighed(one, tile) for one, tile in zip(result[:count], pixels, strict=False)]
        )

    def suited(self, factor: int, push_broom: bool = True) -> Network:
        """The same for one kind of image: what its card says of others is taken out.

        `factor` is how many of the image's pixels a side make one of the network's. Where they are
        one, outlines have no margin; where bands were seen at one moment, no cloud is displaced.
        """
        none: dict[str, object] = {} if push_broom else {"parallax": None}
        if factor == 1:
            none["margin"] = 0
        other = copy(self)
        other.card = self.card.model_copy(update=none)
        return other

    def _weighed(self, probability: Pixels, pixels: Pixels) -> Pixels:
        """One tile's probabilities with the evidence that its card asks for."""
        card = self.card
        if card.haze is not None:
            probability = veiled(probability, pixels, card.roles, card.classes, card.haze)
        if card.parallax is not None:
            probability = raised(probability, pixels, card.roles, card.classes, card.parallax)
        if card.darkness is not None:
            probability = shaded(probability, pixels, card.roles, card.classes, card.darkness)
        if card.margin:
            there = np.asarray(np.isfinite(pixels).any(axis=0))
            probability = widened(probability, there, card.classes, card.margin)
        return probability

    def _forward(self, pixels: Pixels) -> Pixels:
        import torch

        tensor = torch.from_numpy(np.ascontiguousarray(pixels)).to(self.device)
        planes = encode(tensor, self.card.roles, self.card.scaling)
        logits = self._network(planes.contiguous(memory_format=torch.channels_last))
        result: Pixels = logits.softmax(dim=1).cpu().numpy()
        return result


def give_back_threads() -> None:
    """Let torch's new threads have as many cores as the caller's, not one as our tiles have.

    torch remembers the last number that any thread set, for all threads to come.
    """
    import torch

    torch.set_num_threads(torch.get_num_threads())
