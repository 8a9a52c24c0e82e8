"""The recipes of a comparison: patches, cloud networks, CycleGANs and what compares them. Light."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from nndacss.cloudnet.plan import cloud_net_order
from nndacss.cloudnet.settings import CloudNetSettings
from nndacss.cyclegan.plan import cyclegan_order
from nndacss.cyclegan.settings import ABLATIONS, CycleGANSettings
from nndacss.domains.plan import domains_order
from nndacss.domains.settings import DomainsSettings
from nndacss.errors import SettingsError, complain
from nndacss.identity import Order, Recipe
from nndacss.settings import Settings, version
from nndacss.transfer.settings import TransferSettings

#: Inputs of the recipe beside the networks.
TEST = "test"
#: Landsat as it is, through the physical transform, and Proba-V itself.
PLAIN, TRANSFORMED, PROBAV = "L8", "LU", "PV"


@dataclass(frozen=True)
class Plan:
    """Everything that a comparison needs made."""

    train: Order
    test: Order
    clouds: Mapping[str, Order]
    """Domain -> the cloud network of its patches."""
    gans: Mapping[str, Mapping[str, Any]]
    """Ablation -> the settings that it changes; planned by `gan_order` once clouds are there."""
    settings: Mapping[str, Settings]


def plan(settings: Mapping[str, Settings]) -> Plan:
    """What a config asks for; SettingsError where test and training share scenes or none is."""
    own = cast(TransferSettings, settings["transfer"])
    domains = cast(DomainsSettings, settings["domains"])
    if not own.sources:
        raise SettingsError("no [[transfer.sources]] in the config: nothing to test on")
    _apart(domains, own)
    tested = {**settings, "domains": domains.model_copy(update={"sources": own.sources})}
    train, test = domains_order(settings, "train"), domains_order(tested, "test")
    fit = cast(CloudNetSettings, settings["cloudnet"])
    wanted = (PLAIN, TRANSFORMED, *((PROBAV,) if own.ceiling else ()))
    clouds = {
        domain: cloud_net_order(
            train, fit.model_copy(update={"domain": domain}), f"clouds_{domain.lower()}"
        )
        for domain in wanted
    }
    return Plan(train, test, clouds, {name: ABLATIONS[name] for name in own.gans}, settings)


def gan_order(planned: Plan, ablation: str, clouds: Path) -> Order:
    """The CycleGAN of an ablation, judged by the cloud network whose card lies at `clouds`."""
    base = cast(CycleGANSettings, planned.settings["cyclegan"])
    change = {**planned.gans[ablation], "weights_cloud_detection": str(clouds)}
    own = CycleGANSettings.model_validate({**base.model_dump(), **change})
    name = f"cycle_{own.df_gen}_{own.df_disc}_{ablation}"
    return cyclegan_order(own, planned.train, name)


def transfer_order(planned: Plan, gans: Mapping[str, Order], name: str) -> Order:
    """The comparison itself."""
    own = cast(TransferSettings, planned.settings["transfer"])
    kept = {k: v for k, v in own.changed().items() if k not in ("sources", "gans", "ceiling")}
    inputs = {
        TEST: planned.test.recipe.digest,
        **{f"clouds_{domain}": order.recipe.digest for domain, order in planned.clouds.items()},
        **{f"gan_{ablation}": order.recipe.digest for ablation, order in gans.items()},
    }
    settings = {"transfer": kept} if kept else {}
    return Order(Recipe("transfer", version("transfer"), settings, inputs), name)


def _apart(domains: DomainsSettings, own: TransferSettings) -> None:
    """SettingsError where a seed of the twin is both trained and tested on."""
    seeds = [
        {n for entry in sources if entry.kind == "twin" for n in _seeds(entry.options)}
        for sources in (domains.sources, own.sources)
    ]
    if shared := seeds[0] & seeds[1]:
        found = f"seed {min(shared)} in [[domains.sources]] too"
        remedy = "choose other ranges of seeds"
        raise SettingsError(complain("[[transfer.sources]]", found, "other scenes", remedy))


def _seeds(options: Mapping[str, Any]) -> range:
    from nndacss.domains.kinds import Twin

    first = int(options.get("first", Twin.model_fields["first"].default))
    return range(first, first + int(options.get("count", Twin.model_fields["count"].default)))
