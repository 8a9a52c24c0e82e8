"""The LightningModule of the CycleGAN: four networks, one optimizer, one step.

As in the published program all gradients of a step belong to the same weights: no network moves
before all four have theirs. A generator's loss has terms that do not depend on it (what the other
generator pays alone), so the gradient of the sum below is each generator's own; and since Adam
treats every weight alone, one Adam is four.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn

from nndacss.cyclegan import losses
from nndacss.cyclegan.settings import CycleGANSettings
from nndacss.errors import StageError, complain
from nndacss.models.cyclegan import Discriminator, Generator, Norm
from nndacss.models.torchvision_fix import ensure_torchvision

ensure_torchvision()
from lightning.pytorch import LightningModule  # noqa: E402

#: Decay of Adam's first moment, as published; the second's is Keras' and torch's 0.999.
BETA = 0.5
#: Keras' epsilon of Adam; torch's is 1e-8.
EPSILON = 1e-7
#: Names of the settings and of the networks.
NORMS: Mapping[str, Norm] = {
    "batchnorm": "batchnorm",
    "instancenorm": "instancenorm",
    "no": "none",
}
GENERATORS, DISCRIMINATORS = ("genpv2l8", "genl82pv"), ("discl8", "discpv")


def build(settings: CycleGANSettings) -> nn.ModuleDict:
    """The four networks with fresh weights, by `settings.seed`: Keras' Glorot uniform."""
    torch.manual_seed(settings.seed)
    norm = NORMS[settings.normtype]
    networks: dict[str, nn.Module] = {
        name: Generator(filters=settings.df_gen, norm=norm) for name in GENERATORS
    }
    for generator in networks.values():
        for layer in generator.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.momentum = settings.momentum
    networks |= {name: Discriminator(filters=settings.df_disc) for name in DISCRIMINATORS}
    for network in networks.values():
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.xavier_uniform_(layer.weight)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
    if settings.identity_start:
        for name in GENERATORS:
            cast(Generator, networks[name]).start_as_identity()
    return nn.ModuleDict(networks)


class CycleGAN(LightningModule):
    """The training; all its state is in its checkpoints."""

    def __init__(self, settings: CycleGANSettings, clouds: nn.Module | None) -> None:
        """`clouds` gives logits; None where clouds have no weight."""
        super().__init__()
        self.settings = settings
        self.networks = build(settings).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        # in a list, so that it is no part of the checkpoints: it never changes
        self._clouds = [] if clouds is None else [losses.frozen(clouds)]
        self.automatic_optimization = False
        self.scores: dict[str, float] = {}

    def forward(self, images: Tensor) -> Tensor:
        """Proba-V images (n, 4, r, c) as Landsat sees them."""
        result: Tensor = self.networks["genpv2l8"](images)
        return result

    def translate(self, pv: Tensor, lu: Tensor) -> dict[str, Tensor]:
        """Both translations, and both there and back."""
        to_l8, to_pv = self.networks["genpv2l8"], self.networks["genl82pv"]
        l8_fake, pv_fake = to_l8(pv), to_pv(lu)
        return {
            "l8_fake": l8_fake,
            "pv_fake": pv_fake,
            "l8_cycled": to_l8(pv_fake),
            "pv_cycled": to_pv(l8_fake),
        }

    def terms(self, pv: Tensor, lu: Tensor) -> dict[str, Tensor]:
        """Every term of the losses by its published name, without weights."""
        made = self.translate(pv, lu)
        # real and fake in one batch: the discriminator's batch norm sees both
        l8_real, l8_judged = self._judged("discl8", lu, made["l8_fake"])
        pv_real, pv_judged = self._judged("discpv", pv, made["pv_fake"])
        found = {
            "gen_pvl8_loss": losses.fooling(l8_judged),
            "gen_l8pv_loss": losses.fooling(pv_judged),
            "disc_l8_loss": losses.telling(l8_real, l8_judged),
            "disc_pv_loss": losses.telling(pv_real, pv_judged),
            "identity_loss_pvl8": losses.difference(pv, made["l8_fake"]),
            "identity_loss_l8pv": losses.difference(lu, made["pv_fake"]),
            "cycle_loss_l8": losses.difference(lu, made["l8_cycled"]),
            "cycle_loss_pv": losses.difference(pv, made["pv_cycled"]),
        }
        if self._clouds:
            found["consistency_loss_pvl8"] = self._consistency(pv, made["l8_fake"])
            found["consistency_loss_l8pv"] = self._consistency(lu, made["pv_fake"])
        if self.settings.gradient_penalty_mode != "none":
            found["gp_l8_loss"] = self._penalty("discl8", lu)
            found["gp_pv_loss"] = self._penalty("discpv", pv)
        return found

    def totals(self, terms: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What each of the four networks pays, by its published name."""
        own = self.settings
        cycle = own.cycled_lambda * (terms["cycle_loss_l8"] + terms["cycle_loss_pv"])
        totals = {}
        for way in ("pvl8", "l8pv"):
            total = terms[f"gen_{way}_loss"] + own.identity_lambda * terms[f"identity_loss_{way}"]
            if self._clouds:
                weight = own.segmentation_consistency_lmbda
                total = total + weight * terms[f"consistency_loss_{way}"]
            totals[f"gen_{way}_total_loss"] = total + cycle
        for which in ("l8", "pv"):
            total = terms[f"disc_{which}_loss"]
            if f"gp_{which}_loss" in terms:
                total = total + own.gradient_penalty_weight * terms[f"gp_{which}_loss"]
            totals[f"disc_{which}_total_loss"] = total
        return totals

    def gradients(self, terms: Mapping[str, Tensor], totals: Mapping[str, Tensor]) -> None:
        """Leave in each network's weights the gradient of its own total."""
        cycle = terms["cycle_loss_l8"] + terms["cycle_loss_pv"]
        # the sum holds the cycle twice, and each generator pays it once
        both = totals["gen_pvl8_total_loss"] + totals["gen_l8pv_total_loss"]
        both = both - self.settings.cycled_lambda * cycle
        told = totals["disc_l8_total_loss"] + totals["disc_pv_total_loss"]
        self.manual_backward(both, inputs=self.weights_of(GENERATORS), retain_graph=True)
        self.manual_backward(told, inputs=self.weights_of(DISCRIMINATORS))

    def training_step(self, batch: Mapping[str, Tensor], batch_idx: int) -> dict[str, Tensor]:
        """One step; StageError before a loss that is no number spoils the weights."""
        del batch_idx
        optimizer: Any = self.optimizers()
        terms = self.terms(batch["pv"], batch["lu"])
        totals = self.totals(terms)
        loss = torch.stack(list(totals.values())).sum()
        if not torch.isfinite(loss):
            found, remedy = f"a loss of {loss.item()}", "lower lr"
            raise StageError(complain(f"step {self.global_step}", found, "a number", remedy))
        optimizer.zero_grad()
        self.gradients(terms, totals)
        optimizer.step()
        shown = {f"train/{name}": value.detach() for name, value in {**terms, **totals}.items()}
        self.log_dict(shown, on_step=True, on_epoch=True, batch_size=len(batch["pv"]))
        self.log("train/loss", loss.detach(), on_step=False, on_epoch=True)
        return {"loss": loss.detach()}

    def on_train_epoch_end(self) -> None:
        """Keep the means of the epoch."""
        found = self.trainer.callback_metrics
        self.scores = {
            name.removesuffix("_epoch"): float(value)
            for name, value in found.items()
            if name.endswith("_epoch")
        }

    def weights_of(self, names: tuple[str, ...]) -> list[nn.Parameter]:
        """The trained weights of some networks."""
        return [value for name in names for value in self.networks[name].parameters()]

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """One Adam over all four networks."""
        own = self.settings
        return torch.optim.Adam(self.parameters(), lr=own.lr, betas=(BETA, 0.999), eps=EPSILON)

    def _judged(self, name: str, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        logits = self.networks[name](torch.cat([real, fake]))
        return logits[: len(real)], logits[len(real) :]

    def _penalty(self, name: str, real: Tensor) -> Tensor:
        """With the moving averages of batch norm, as published: images do not see each other."""
        network = self.networks[name].eval()
        found = losses.penalty(network, real)
        network.train()
        return found

    def _consistency(self, source: Tensor, translated: Tensor) -> Tensor:
        """Clouds of an image, and of what became of it."""
        (clouds,) = self._clouds
        with torch.no_grad():
            reference = clouds(source).sigmoid()
        return losses.divergence(reference, clouds(translated).sigmoid())
