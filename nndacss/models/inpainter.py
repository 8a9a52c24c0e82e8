"""Inpainting networks: hidden pixels come back as the structure a network was trained for.

    restorer = Restorer("cloud")  # or shadow, snow; or the name or path of weights
    painted = restorer.restore(pixels, hole)

A network of n bands is a U-Net++ with one output plane a band. The family `own` takes 2 n planes:
n scaled bands (0 where nothing is seen), then n that say for each band 1 seen, 0 missing, -1 to
be restored; so one network takes any subset of its bands, and nodata is not taken for a hole. The
family `published` takes the n bands as they are, clipped to 0..1, with 0 in the hole.

A network looks at its whole patch (squeeze and excitation): what it paints depends on all that is
seen there. It learns from differences of pixels, so that it paints what is most usual in such a
place: brightness, colour and how they change towards the border, without the fine texture of one
particular cloud.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nndacss.errors import InputError, WeightsError, complain
from nndacss.models.card import load_weights
from nndacss.models.device import Choice, choose, hold
from nndacss.models.inpainter_card import DEFAULT_WEIGHTS, InpainterCard, inpainter_card
from nndacss.models.inpainter_window import Forward, whole, windowed
from nndacss.models.segmentation import MULTIPLE, Scaling, build, encode
from nndacss.raster import Pixels

if TYPE_CHECKING:
    from torch import Tensor, nn

Mask = NDArray[np.bool_]

#: Patches a batch on a card; the processor takes one at a time on each core.
CARD_BATCH = 16
#: Painted reflectance lies between these: light is not negative, and sunlit cloud at the top of
#: the atmosphere reaches about 1.5. The published networks' own limits are 0 and 1.
LOWEST, HIGHEST = 0.0, 1.5


class Restorer:
    """Fills holes with one structure. Safe to use from several threads."""

    def __init__(self, name: str | Path, device: Choice = "cpu", threads: int = 1) -> None:
        """`name`: a structure (our weights), the name or path of a card, or a published file.

        `threads` is how many patches are painted at once on the processor; it changes no pixel.
        WeightsError where weights are missing, damaged or of another network; SettingsError
        where `device` is `cuda` and there is none.
        """
        import torch

        from nndacss.models.fold import fold_batch_norm

        self.card, network = open_network(name)
        planes = len(self.card.roles) * (2 if self.card.family == "own" else 1)
        fold_batch_norm(network, torch.zeros(1, planes, MULTIPLE, MULTIPLE))
        self._device = "cuda:0" if choose(device) == "cuda" else "cpu"
        network = network.to(self._device)
        # torch's stubs do not know this overload of its own `to`
        network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        # patches of a batch have different holes; on the processor a batch is one patch
        self._forward = windowed(network) if self._device == "cpu" else whole(network)
        self._threads = threads

    @property
    def structure(self) -> str:
        """`cloud`, `shadow` or `snow`."""
        return self.card.structure

    @property
    def roles(self) -> tuple[str, ...]:
        """Bands the network knows, in its order."""
        return self.card.roles

    def restore(self, pixels: Pixels, hole: Mask, roles: Sequence[str] | None = None) -> Pixels:
        """Patches with their holes filled; the input is not modified.

        `pixels` is (n, bands, rows, columns) float32 reflectance, NaN missing, of any size;
        `hole` (n, rows, columns), True where the structure shall be; `roles` names the bands
        where they are not the network's own: any of them, in any order. Outside the hole the
        result equals the input, and missing pixels stay missing. What a patch gets depends on
        that patch alone: a batch of n gives the pixels of n batches of one. A patch without a
        hole comes back as it is.

        InputError where shapes or bands do not fit, or where a hole leaves nothing to see.
        """
        names = tuple(self.roles if roles is None else roles)
        check(pixels, hole, names, self.card)
        result = pixels.copy()
        holed = [int(index) for index in np.flatnonzero(hole.any(axis=(1, 2)))]
        where = [self.roles.index(name) for name in names]
        with hold(self._device):
            for group, filled in self._filled(pixels, hole, where, holed):
                there = hole[group][:, None] & ~np.isnan(pixels[group])
                result[group] = np.where(there, filled[:, where], pixels[group])
        return result

    def _filled(
        self, pixels: Pixels, hole: Mask, where: list[int], indices: list[int]
    ) -> Iterator[tuple[list[int], Pixels]]:
        """Groups of patches, with all of the network's bands as it gives them."""
        from nndacss.models.runner import give_back_threads

        size = 1 if self._device == "cpu" else CARD_BATCH
        groups = [indices[first : first + size] for first in range(0, len(indices), size)]

        def fill(group: list[int]) -> tuple[list[int], Pixels]:
            known = np.full((size, len(self.roles), *hole.shape[1:]), np.nan, np.float32)
            known[: len(group), where] = pixels[group]
            # a batch is always full, so that a patch gets the same whatever its neighbours
            holes = np.zeros((size, *hole.shape[1:]), dtype=np.bool_)
            holes[: len(group)] = hole[group]
            return group, self._apply(known, holes)[: len(group)]

        if self._device != "cpu":
            yield from map(fill, groups)
            return
        # in threads also where there is one, so that the caller's own number of threads stays
        with ThreadPoolExecutor(self._threads, thread_name_prefix="restorer") as pool:
            yield from pool.map(fill, groups)
        give_back_threads()

    def _apply(self, pixels: Pixels, hole: Mask) -> Pixels:
        import torch

        from nndacss.models.runtime import one_thread

        if self._device == "cpu":
            one_thread()
            return _applied(self.card, self._forward, "cpu", pixels, hole)
        exact = torch.backends.cudnn.flags(enabled=True, allow_tf32=False, deterministic=True)
        with exact:
            return _applied(self.card, self._forward, self._device, pixels, hole)


def open_network(name: str | Path) -> tuple[InpainterCard, nn.Module]:
    """Card and network as trained, in eval mode on the processor; see `Restorer` for names.

    WeightsError where weights are missing, damaged, hold pickled code (which is never run) or
    are of another network than their card says.
    """
    card = inpainter_card(name)
    if card.family == "own":
        _, tensors = load_weights(DEFAULT_WEIGHTS.get(str(name), name), InpainterCard)
        network = build(card.architecture, len(card.roles), len(card.roles))
    else:
        from nndacss.models.foreign import load_foreign

        tensors = load_foreign(Path(name))
        network = build_published(card)
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        found = " ".join(str(error).split())[:200]
        expected = f"{card.architecture.name} of {len(card.roles)} bands, as its card states"
        if card.family == "published":
            expected = "the published U-Net++: timm-efficientnet-b0, 8 bands in and out"
        remedy = "take card and weights from one export"
        raise WeightsError(complain(name, found, expected, remedy)) from error
    return card, network.eval().requires_grad_(requires_grad=False)


def build_published(card: InpainterCard) -> nn.Module:
    """The published network, random weights: (n, bands, rows, columns) in and out, linear."""
    from nndacss.models.torchvision_fix import ensure_torchvision

    ensure_torchvision()
    import segmentation_models_pytorch as smp

    bands = len(card.roles)
    network: nn.Module = smp.UnetPlusPlus(
        card.architecture.encoder, encoder_weights=None, in_channels=bands, classes=bands
    )
    return network


def apply(card: InpainterCard, network: nn.Module, pixels: Pixels, hole: Mask) -> Pixels:
    """All pixels as the network gives them: (n, bands, rows, columns) float32 reflectance.

    The plain way, by the whole network as trained: what `Restorer` must equal in the holes.
    `pixels` has the card's bands, NaN missing; `hole` is (n, rows, columns). Rows and columns
    that are no multiple of 32 are filled up with missing pixels for the network.
    """
    device = str(next(network.parameters()).device)
    return _applied(card, whole(network), device, pixels, hole)


def _applied(
    card: InpainterCard, forward: Forward, device: str, pixels: Pixels, hole: Mask
) -> Pixels:
    import torch

    rows, columns = hole.shape[1:]
    with torch.inference_mode():
        seen = torch.from_numpy(np.ascontiguousarray(pixels)).to(device)
        hidden = torch.from_numpy(np.ascontiguousarray(hole)).to(device)
        lack = (0, -columns % MULTIPLE, 0, -rows % MULTIPLE)
        seen = torch.nn.functional.pad(seen, lack, value=torch.nan)
        hidden = torch.nn.functional.pad(hidden, lack, value=False)
        if card.family == "own":
            output = forward(planes(seen, hidden, card.roles, card.scaling), hidden)
            found = decoded(output, card.roles, card.scaling).clamp(LOWEST, HIGHEST)
        else:
            shown = seen.masked_fill(hidden[:, None], 0).nan_to_num(0).clamp(0, 1)
            shown = shown.contiguous(memory_format=torch.channels_last)
            found = forward(shown, hidden).clamp(0, 1)
        result: Pixels = found[:, :, :rows, :columns].float().cpu().numpy()
    return result


def planes(pixels: Tensor, hole: Tensor, roles: tuple[str, ...], scaling: Scaling) -> Tensor:
    """Input of our own networks: (n, 2 bands, rows, columns) of (n, bands, ...) and (n, ...)."""
    import torch

    hidden = hole[:, None] & torch.isfinite(pixels)
    shown = encode(pixels.masked_fill(hidden, torch.nan), roles, scaling)
    values, present = shown.chunk(2, dim=1)
    state = torch.where(hidden, -torch.ones_like(present), present)
    return torch.cat([values, state], dim=1).contiguous(memory_format=torch.channels_last)


def decoded(output: Tensor, roles: tuple[str, ...], scaling: Scaling) -> Tensor:
    """Reflectance from the scaled planes of our own networks; (n, bands, rows, columns)."""
    offset = output.new_tensor([scaling.offset[role] for role in roles])
    spread = output.new_tensor([scaling.spread[role] for role in roles])
    return output * spread.view(-1, 1, 1) + offset.view(-1, 1, 1)


def check(pixels: Pixels, hole: Mask, roles: tuple[str, ...], card: InpainterCard) -> None:
    """InputError unless these are patches of bands that the network knows, with their holes."""
    lost = [role for role in roles if role not in card.roles]
    if lost or not roles or len(set(roles)) < len(roles):
        found = f"bands {', '.join(roles) or 'none'}"
        expected = f"some of {', '.join(card.roles)}, each once"
        raise InputError(complain(card.name, found, expected, "name the bands in `roles`"))
    if pixels.ndim != 4 or pixels.shape[1] != len(roles):
        found = f"an array of shape {pixels.shape}"
        expected = f"(n, {len(roles)}, rows, columns): bands {', '.join(roles)}"
        remedy = "give the network's bands, or say in `roles` which of them there are"
        raise InputError(complain(card.name, found, expected, remedy))
    if pixels.dtype != np.float32:
        found, remedy = f"{pixels.dtype} numbers", "convert digital numbers first"
        raise InputError(complain(card.name, found, "float32 reflectance", remedy))
    if hole.dtype != np.bool_ or hole.shape != (len(pixels), *pixels.shape[2:]):
        found = f"a hole of shape {hole.shape}, {hole.dtype}"
        expected = f"{(len(pixels), *pixels.shape[2:])}, bool, as the patches have"
        raise InputError(complain(card.name, found, expected, "cut the mask to the patch"))
    blind = hole.any(axis=(1, 2)) & ~(~hole & ~np.isnan(pixels).all(axis=1)).any(axis=(1, 2))
    if blind.any():
        found = f"a hole over all that is seen of patch {int(np.flatnonzero(blind)[0])}"
        expected, remedy = "some ground to go by", "take a smaller mask or leave the patch out"
        raise InputError(complain(card.name, found, expected, remedy))
