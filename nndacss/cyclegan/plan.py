"""The recipe of a CycleGAN's training; light, for the scheduler's process."""

from __future__ import annotations

from pathlib import Path

from nndacss.cyclegan.dataset import find_dataset, fingerprint
from nndacss.cyclegan.settings import CycleGANSettings
from nndacss.identity import Order, Recipe
from nndacss.models.probav_card import CloudCard, choose
from nndacss.settings import version

#: Inputs of the recipe: patches that our own stage makes, or a file from elsewhere.
MADE, GIVEN = "domains", "dataset"
CLOUDS = "cloud_detection"


def cyclegan_order(own: CycleGANSettings, data: Order | str | Path, name: str) -> Order:
    """The training `name` on what `data` makes, or on the file or folder that it names.

    Files enter by their content. The cloud network enters where it has a weight. DatasetError or
    WeightsError where one is missing.
    """
    location = {key: str(getattr(own, key)) for key in ("device", "workers")}
    if isinstance(data, Order):
        inputs = {MADE: data.recipe.digest}
    else:
        path = find_dataset(data)
        inputs = {GIVEN: fingerprint(path)}
        location[GIVEN] = str(path.resolve())
    if own.segmentation_consistency_lmbda:
        clouds = choose(own.weights_cloud_detection, CloudCard)
        inputs[CLOUDS], location[CLOUDS] = clouds.sha256, str(clouds.path.resolve())
    changed = own.decisive()
    recipe = Recipe(
        stage="cyclegan",
        version=version("cyclegan"),
        settings={"cyclegan": changed} if changed else {},
        inputs=inputs,
        precision=own.precision,
    )
    return Order(recipe, name, location)
