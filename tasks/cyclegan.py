"""TrainCycleGAN and what it needs: patches of both sensors, and a network that tells clouds.

Names, parameters and defaults of `TrainCycleGAN` and `TrainAllCycleGAN` are the published ones.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import luigi

from nndacss.cloudnet.settings import CloudNetSettings
from nndacss.cyclegan.settings import ABLATIONS, DEFAULT_CLOUD, CycleGANSettings
from nndacss.identity import Order, drafted, load_order, recipe_path
from nndacss.resources import config_file
from nndacss.settings import Settings, load_settings
from nndacss.stage import stage_folder
from tasks._base import StageTask, machine
from tasks._parameters import SetParameter
from tasks._planned import FitTask
from tasks._store import StoreTask

log = logging.getLogger("luigi-interface")

#: The four networks; the card of the last says that all are there.
NETWORKS = ("discl8", "discpv", "genl82pv", "genpv2l8")


class MakeCycleGANDataset(StoreTask):
    """Make patches of both sensors into `<work>/domains/<name>_<digest8>/domains.h5`.

    From simulated places, or from converted Landsat scenes and Proba-V products. Given a config
    (people), or the digest of a recipe that is planned already (other tasks).
    """

    name: str = luigi.Parameter(default="domains", description="what to call the file's folder")
    config: str = luigi.Parameter(default="", description="TOML file with a [domains] section")
    stage = "domains"

    def plan(self, settings: Mapping[str, Settings]) -> Order:
        """What to make; SettingsError or DatasetError where it cannot be."""
        # numpy comes with the sources: not at import time
        from nndacss.domains.plan import domains_order

        return domains_order(settings, self.name)


class TrainCloudNet(FitTask):
    """Fit a cloud network into `<work>/cloudnet/<name>_<digest8>/weights.{safetensors,json}`.

    Makes its patches first. Killed, it goes on from its last epoch.
    """

    name: str = luigi.Parameter(default="cloudnet", description="what to call the weights")
    config: str = luigi.Parameter(
        default="", description="TOML file with the sections [domains] and [cloudnet]"
    )
    stage = "cloudnet"

    def plan(self, settings: Mapping[str, Settings]) -> Order:
        """What to fit, and on what."""
        from nndacss.cloudnet.plan import cloud_net_order
        from nndacss.domains.plan import domains_order

        domains = domains_order(settings)
        domains.save(self.work)
        own = cast(CloudNetSettings, settings["cloudnet"])
        return cloud_net_order(domains, own, self.name)

    def requires(self) -> MakeCycleGANDataset:
        """The patches."""
        return _made(self.work, self.order)


class FitCycleGAN(StageTask):
    """Run the cyclegan stage; killed, it goes on from its last epoch."""

    stage = "cyclegan"

    def requires(self) -> list[MakeCycleGANDataset]:
        """The patches, where they are not given as a file."""
        made = "domains" in self.order.recipe.inputs
        return [_made(self.work, self.order)] if made else []


class TrainCycleGAN(luigi.Task):
    """Train a CycleGAN; its four networks go to `folder`, by their published names.

    What differs from its default here wins over the config, and `--set` over both.
    """

    folder: str = luigi.Parameter(
        default="checkpoints_trained", description="where the weights and their cards go"
    )
    dataset_folder: str = luigi.Parameter(
        default="",
        description="folder with the file of pairs (PV, LU), or that file; "
        "default: made from the config's [[domains.sources]]",
    )
    gradient_penalty_mode: str = luigi.ChoiceParameter(
        default="meschederreal", choices=["meschederreal", "none"]
    )
    gradient_penalty_weight: float = luigi.FloatParameter(default=10.0)
    df_gen: int = luigi.IntParameter(default=64, description="filters of the generators")
    df_disc: int = luigi.IntParameter(default=8, description="filters of the discriminators")
    epochs: int = luigi.IntParameter(default=25)
    seed: int = luigi.IntParameter(default=123)
    batch_size: int = luigi.IntParameter(default=48)
    lr: float = luigi.FloatParameter(default=1e-4, description="learning rate")
    identity_lambda: float = luigi.FloatParameter(default=5.0)
    cycled_lambda: float = luigi.FloatParameter(default=5.0)
    segmentation_consistency_lmbda: float = luigi.FloatParameter(default=1.0)
    weights_cloud_detection: str = luigi.Parameter(
        default=DEFAULT_CLOUD, description="cloud network: a card by name or path, or a Keras file"
    )
    suffix: str = luigi.Parameter(default="", description="ends the names of the weights")
    normtype: str = luigi.ChoiceParameter(
        default="batchnorm", choices=["batchnorm", "instancenorm", "no"]
    )
    config: str = luigi.Parameter(
        default="", description="TOML file with the sections [domains] and [cyclegan]"
    )
    set: tuple[str, ...] = SetParameter(
        default=(), description="section.key=value, over all else; may be repeated"
    )

    @property
    def experiment_name(self) -> str:
        """The published one: `cycle_<df_gen>_<df_disc>[_<suffix>]`."""
        own = self._settings["cyclegan"]
        return "_".join(["cycle", str(own.df_gen), str(own.df_disc), *filter(None, [self.suffix])])

    @cached_property
    def _settings(self) -> Any:
        published = CycleGANSettings()
        given = [
            f"cyclegan.{name}={json.dumps(value)}"
            for name, value in self.param_kwargs.items()
            if name in CycleGANSettings.model_fields and value != getattr(published, name)
        ]
        config = config_file(self.config) if self.config else None
        return load_settings(config, (*given, *self.set))

    @cached_property
    def order(self) -> Order:
        """What to train, with its recipe saved."""
        # numpy comes with the plans: not at import time
        from nndacss.cyclegan.plan import cyclegan_order
        from nndacss.domains.plan import domains_order

        work = Path(machine().work)
        data: Order | str = self.dataset_folder
        if not self.dataset_folder:
            data = domains_order(self._settings)
            data.save(work)
        order = cyclegan_order(self._settings["cyclegan"], data, self.experiment_name)
        order.save(work)
        return order

    def requires(self) -> FitCycleGAN:
        """The training."""
        return FitCycleGAN(name=self.order.name, recipe=self.order.recipe.digest)

    def output(self) -> list[Trained]:
        """`<folder>/<network><experiment name>.json`, in the order in which they are written."""
        return [
            Trained(Path(self.folder) / f"{network}{self.order.name}.json", self.order)
            for network in NETWORKS
        ]

    def run(self) -> None:
        """Put the weights into `folder`, each beside its card, cards last."""
        source = stage_folder(Path(machine().work), self.order)
        for network, target in zip(NETWORKS, self.output(), strict=True):
            for suffix in (".safetensors", ".json"):
                with drafted(target.path.with_suffix(suffix)) as draft:
                    shutil.copyfile((source / network).with_suffix(suffix), draft)
        log.info("the weights are %s; losses: tensorboard --logdir %s", self.folder, source)


class Trained(luigi.Target):
    """A card in the user's folder: there when it is of this very training."""

    def __init__(self, path: Path, order: Order) -> None:
        self.path, self._digest = path, order.recipe.digest

    def exists(self) -> bool:
        """Whether the card says so; one of other settings is overwritten."""
        try:
            training = json.loads(self.path.read_text())["training"]
        except (OSError, ValueError, KeyError):
            return False
        return bool(training.get("recipe") == self._digest)


class TrainAllCycleGAN(luigi.WrapperTask):
    """The five trainings of the publication: all losses, and with some of them left out."""

    folder: str = luigi.Parameter(
        default="checkpoints_trained", description="where the weights and their cards go"
    )
    dataset_folder: str = luigi.Parameter(
        default="", description="as of TrainCycleGAN: the same pairs for all"
    )
    suffix: str = luigi.Parameter(default="", description="begins the suffix of each training")
    seed: int = luigi.IntParameter(default=123)
    weights_cloud_detection: str = luigi.Parameter(
        default=DEFAULT_CLOUD, description="as of TrainCycleGAN"
    )
    config: str = luigi.Parameter(default="", description="as of TrainCycleGAN")
    set: tuple[str, ...] = SetParameter(default=(), description="as of TrainCycleGAN")

    def requires(self) -> list[TrainCycleGAN]:
        """One a set of losses."""
        common: dict[str, Any] = {
            "folder": self.folder,
            "dataset_folder": self.dataset_folder,
            "seed": self.seed,
            "weights_cloud_detection": self.weights_cloud_detection,
            "config": self.config,
            "set": self.set,
        }
        return [
            TrainCycleGAN(**common, suffix=f"{self.suffix}{name}", **weights)
            for name, weights in ABLATIONS.items()
        ]


def _made(work: Path, order: Order) -> MakeCycleGANDataset:
    """The task that makes the patches of an order."""
    digest = order.recipe.inputs["domains"]
    domains = load_order(recipe_path(work, digest))
    return MakeCycleGANDataset(name=domains.name, recipe=digest)
