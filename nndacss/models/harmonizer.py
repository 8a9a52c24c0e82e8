"""Harmonizers: networks from Landsat on the 10 m grid to Sentinel-2-like reflectance.

    Harmonizer(["harmonizer_detail_v1"])(pixels)     (n, 7, rows, columns) -> (n, 12, rows, columns)

Two families: `deep_harmonization`, the published U-Nets, and `detail`, our own. Several weights
are an ensemble: its mean is the result, and the spread of its members (with what each says of
its own error) the standard deviation. Importing this module is light (no torch, no weights).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from math import lcm
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nndacss.errors import InputError, WeightsError, complain
from nndacss.models.card import load_weights
from nndacss.models.detail import DetailArchitecture
from nndacss.models.harmonizer_card import (
    INPUTS,
    ROLES,
    DeepArchitecture,
    HarmonizerCard,
    Precision,
    harmonizer_card,
)
from nndacss.models.runtime import native_bfloat16, one_thread
from nndacss.raster import Pixels

if TYPE_CHECKING:
    from torch import Tensor

#: Pan where there is none, for networks that must have it: OLI's pan (0.50 to 0.68 um) as a mean
#: of the bands it overlaps, by the overlap of the response curves (Barsi et al. 2014, rounded).
SYNTHETIC_PAN = {"blue": 0.10, "green": 0.50, "red": 0.40}
#: Tiles of a batch on a card; the processor takes one.
CARD_BATCH = 8

Member = Callable[["Tensor"], "tuple[Tensor, Tensor | None]"]
"""Pixels with NaN to mean and, where the member states one, the standard deviation."""


class Harmonizer:
    """One or more networks, loaded and checked. Safe to use from several threads."""

    classes = 2 * len(ROLES)
    """Planes of the result: six bands, six standard deviations."""

    def __init__(
        self,
        names: Sequence[str | Path],
        device: str = "cpu",
        precision: Precision = "float32",
    ) -> None:
        """Weights by name or path, on `cpu` or `cuda:<n>`; WeightsError where they do not fit."""
        import torch

        if not names:
            raise WeightsError("no weights for a harmonizer; name at least one")
        self.cards = tuple(harmonizer_card(name) for name in names)
        targets = {card.target for card in self.cards}
        if len(targets) > 1:
            found = f"members for {', '.join(sorted(targets))}"
            raise WeightsError(complain("ensemble", found, "one target", "choose members of one"))
        self.device, self.precision = torch.device(device), precision
        self._members = tuple(_member(name, self.device, precision) for name in names)
        self._lock = threading.Lock()

    @property
    def multiple(self) -> int:
        """Sides of tiles, 10 m pixels, are multiples of it."""
        return lcm(*(card.multiple for card in self.cards))

    @property
    def reach(self) -> int:
        """10 m pixels by which a result depends on its surroundings; 0 is without bound."""
        reaches = [card.reach for card in self.cards]
        return 0 if 0 in reaches else max(reaches)

    @property
    def batch(self) -> int:
        """Tiles of a full batch."""
        return 1 if self.device.type == "cpu" else CARD_BATCH

    @property
    def uncertain(self) -> bool:
        """Whether it gives standard deviations."""
        return len(self.cards) > 1 or self.cards[0].deviation == "predicted"

    def __call__(self, pixels: Pixels) -> Pixels:
        """(n, 7, rows, columns) reflectance, NaN missing, to (n, 12, rows, columns) float32.

        Six bands of the target's reflectance and six standard deviations of their error; of no
        meaning where a band of the six is missing. Standard deviations are NaN where nothing
        states them (see `uncertain`).
        Raises InputError where the shape is another.
        """
        import torch

        self._check(pixels)
        count = len(pixels)
        if count < self.batch:  # one size of batch, so that a tile's neighbours do not matter
            empty = np.full((self.batch - count, *pixels.shape[1:]), np.nan, dtype=np.float32)
            pixels = np.concatenate([pixels, empty])
        with torch.inference_mode():
            given = torch.from_numpy(np.ascontiguousarray(pixels, dtype=np.float32))
            given = given.to(self.device)
            if self.device.type == "cpu":
                one_thread()
                found = self._ensemble(given)
            else:
                with self._lock:
                    found = self._ensemble(given)
            result: Pixels = found.cpu().numpy()
        return result[:count]

    def _ensemble(self, given: Tensor) -> Tensor:
        """Mean of the members; variance between them (unbiased) plus the mean of their own."""
        import torch

        results = [member(given) for member in self._members]
        if len(results) == 1 and results[0][1] is not None:
            return torch.cat([results[0][0], results[0][1]], dim=1)
        means = torch.stack([mean for mean, _ in results])
        own = [sigma.square() for _, sigma in results if sigma is not None]
        between = means.var(dim=0, unbiased=True) if len(results) > 1 else None
        variance = torch.stack(own).mean(dim=0) if own else None
        if between is not None:
            variance = between if variance is None else variance + between
        if variance is None:
            variance = torch.full_like(means[0], torch.nan)
        return torch.cat([means.mean(dim=0), variance.sqrt()], dim=1)

    def _check(self, pixels: Pixels) -> None:
        shape = pixels.shape
        wrong = len(shape) != 4 or shape[1] != len(INPUTS)
        if wrong or any(side % self.multiple or not side for side in shape[2:]):
            expected = f"(n, {len(INPUTS)}, rows, columns), sides multiples of {self.multiple}"
            remedy = "pad the image with NaN"
            raise InputError(complain("pixels", f"an array of shape {shape}", expected, remedy))


def _member(name: str | Path, device: Any, precision: Precision) -> Member:
    """One network on its device."""
    card, tensors = load_weights(name, HarmonizerCard)
    built = card.built
    if isinstance(built, DetailArchitecture):
        return _detail(name, built, tensors, device, precision)
    return _deep(name, built, tensors, device, precision)


def _detail(
    name: str | Path,
    built: DetailArchitecture,
    tensors: Mapping[str, Tensor],
    device: Any,
    precision: Precision,
) -> Member:
    import torch

    from nndacss.models.detail import build

    network = build(built)
    _fill(network, tensors, name)
    network.eval().requires_grad_(False)
    network = network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    # a processor that must imitate bfloat16 computes more exactly instead, and faster
    half = precision == "bfloat16" and (device.type != "cpu" or native_bfloat16())

    def member(pixels: Tensor) -> tuple[Tensor, Tensor | None]:
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=half):
            mean, log_sigma = network(pixels)
        return mean.float(), log_sigma.float().exp()

    return member


def _deep(
    name: str | Path,
    built: DeepArchitecture,
    tensors: Mapping[str, Tensor],
    device: Any,
    precision: Precision,
) -> Member:
    from nndacss.models.deep_harmonization import fill, prepare

    run = prepare(fill(tensors, built.depth, built.up, str(name)), device, precision)

    def member(pixels: Tensor) -> tuple[Tensor, Tensor | None]:
        return run(published_input(pixels)), None

    return member


def published_input(pixels: Tensor) -> Tensor:
    """What the published networks are given: no NaN, nothing below 0, pan everywhere.

    Missing pan is `SYNTHETIC_PAN` of the bands (surface reflectance: darker than TOA by the haze).
    Missing ground is 0, as in their training files.
    """
    import torch

    bands, pan = pixels[:, :-1], pixels[:, -1:]
    weights = torch.zeros(len(ROLES), device=pixels.device)
    for role, weight in SYNTHETIC_PAN.items():
        weights[ROLES.index(role)] = weight
    mean = (bands * weights[:, None, None]).sum(dim=1, keepdim=True)
    whole = torch.cat([bands, torch.where(torch.isnan(pan), mean, pan)], dim=1)
    return whole.nan_to_num(nan=0.0).clamp(min=0.0)


def _fill(network: Any, tensors: Mapping[str, Tensor], name: str | Path) -> None:
    """Weights into a network; WeightsError names the first layer that differs."""
    own = network.state_dict()
    for key in [*own, *tensors]:
        has = tuple(tensors[key].shape) if key in tensors else None
        needs = tuple(own[key].shape) if key in own else None
        if has != needs:
            found = f"layer {key}: {has or 'absent'}"
            remedy = "take card and weights from one export"
            expected = f"{needs or 'no such layer'}, as the card's architecture says"
            raise WeightsError(complain(name, found, expected, remedy))
    network.load_state_dict(dict(tensors))
