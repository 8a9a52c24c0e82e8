"""What an encoder starts from, as a part of a fit's recipe: by content, never by place.

Light but for `encoder_of`: recipes are made in the scheduler's process.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nndacss.datasets.files import sums
from nndacss.errors import WeightsError, complain
from nndacss.identity import Order
from nndacss.stage import Context
from nndacss.train.settings import IMAGENET, PRETRAINED, TrainSettings, TransferSettings

if TYPE_CHECKING:
    from torch import Tensor

#: What an order calls the place of the encoder's file, and a recipe the file itself.
PLACE = "encoder"
FILE = "file"
#: What a recipe calls the stage that trains an encoder.
INPUT = "pretrain"


def with_encoder(
    settings: TrainSettings, pretrained: Order | None
) -> tuple[TrainSettings, dict[str, str], dict[str, str]]:
    """The settings for a recipe, the file's place for an order, and the recipe's inputs by name.

    WeightsError where the file is not there or another than the settings demand, or where nothing
    trains the encoder.
    """
    transfer = settings.transfer
    if transfer is None or transfer.encoder in ("", IMAGENET):
        return settings, {}, {}
    if transfer.encoder == PRETRAINED:
        if pretrained is None:
            remedy = "add [[pretrain.datasets]], or name a file or imagenet"
            found = f"encoder = {PRETRAINED!r} and no data for it"
            raise WeightsError(complain("train.transfer", found, "data to learn from", remedy))
        return settings, {}, {INPUT: pretrained.recipe.digest}
    path = Path(transfer.encoder).resolve()
    known = {"encoder": FILE, "encoder_sha256": checked_sum(path, transfer.encoder_sha256)}
    return _with(settings, transfer, known), {PLACE: str(path)}, {}


def checked_sum(path: Path, wanted: str) -> str:
    """sha256 of the file; WeightsError where it is missing, or another than `wanted`, if any."""
    if not path.is_file():
        expected = f"a file of weights, or {IMAGENET} or {PRETRAINED}"
        remedy = "correct train.transfer.encoder"
        raise WeightsError(complain(path, "no such file", expected, remedy))
    found = sums([path])[path.name]
    if wanted and found != wanted:
        expected = f"sha256 {wanted[:12]}..., as settings or recipe say"
        remedy = "give that file, or plan the fit again"
        raise WeightsError(complain(path, f"{found[:12]}...", expected, remedy))
    return found


def encoder_of(context: Context, settings: TrainSettings) -> dict[str, Tensor] | None:
    """The weights that the encoder of an order's fit starts with; None where it has none."""
    from nndacss.train.encoder import from_file, published

    transfer = settings.transfer
    if transfer is None or not transfer.encoder:
        return None
    if transfer.encoder == IMAGENET:
        return published(settings.architecture)
    if transfer.encoder == PRETRAINED:
        folder, _ = context.input(INPUT)
        return from_file(folder / "weights.safetensors")
    path = Path(context.order.location[PLACE])
    checked_sum(path, transfer.encoder_sha256)
    return from_file(path)


def _with(
    settings: TrainSettings, transfer: TransferSettings, changes: dict[str, str]
) -> TrainSettings:
    return settings.model_copy(update={"transfer": transfer.model_copy(update=changes)})
