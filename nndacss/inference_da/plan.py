"""What is adapted with which weights, and whether a file is the result. Light (no torch)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from nndacss.download import checksum
from nndacss.errors import InputError, complain
from nndacss.identity import Order, Recipe, digest
from nndacss.models.probav_card import CloudCard, GeneratorCard, choose

STAGE = "inference_da"
#: Raised when the same product and weights give other pixels.
VERSION = 2
#: Networks compute in it: bf16 flips about 1 % of a mask's pixels.
PRECISION = "float32"
#: Attribute of the adapted file's root: JSON with the recipe's digest, the weights and notes.
PROVENANCE = "NNDACSS"


@dataclass(frozen=True)
class Wanted:
    """What the user asked for."""

    product: Path
    """Proba-V HDF5 file."""
    destination: Path
    """HDF5 file to be written."""
    generator: str | Path
    """Weights, see `nndacss.models.probav_card`."""
    cloud: str | Path
    publish: Path | None = None
    """Folder for COGs, item and quicklook; None for none."""
    device: str = "auto"

    @property
    def item(self) -> Path | None:
        """The STAC item, written last of what is published."""
        if self.publish is None:
            return None
        return self.publish / self.destination.stem / "item.json"


def inference_order(wanted: Wanted) -> Order:
    """The recipe and its places; InputError or WeightsError where something is missing."""
    product = wanted.product
    if not product.is_file():
        expected = "a Proba-V product, one HDF5 file"
        raise InputError(complain(product, "no such file", expected, "check --pvimage"))
    if wanted.destination.resolve() == product.resolve():
        found = "the product itself as destination"
        remedy = "choose another --image-dest: products are never changed"
        raise InputError(complain(wanted.destination, found, "another file", remedy))
    generator = choose(wanted.generator, GeneratorCard)
    cloud = choose(wanted.cloud, CloudCard)
    recipe = Recipe(
        stage=STAGE,
        version=VERSION,
        settings={},
        inputs={"product": checksum(product)},
        weights=digest({"generator": generator.sha256, "cloud": cloud.sha256}),
        precision=PRECISION,
    )
    location = {
        "product": str(product.resolve()),
        "destination": str(wanted.destination.resolve()),
        "generator": str(generator.path.resolve()),
        "cloud": str(cloud.path.resolve()),
        "device": wanted.device,
    }
    if wanted.publish is not None:
        location["publish"] = str(wanted.publish.resolve())
    return Order(recipe, product.stem, location)


def made_by(path: Path, recipe: str) -> bool:
    """Whether `path` is an adapted product of that recipe's digest."""
    import h5py

    try:
        with h5py.File(path, "r", locking=False) as file:
            stated = json.loads(file.attrs.get(PROVENANCE, "{}"))
    except (OSError, ValueError, TypeError):
        return False
    return isinstance(stated, dict) and stated.get("recipe") == recipe


def published_by(item: Path, recipe: str) -> bool:
    """Whether a STAC item was written for that recipe's digest."""
    try:
        properties = json.loads(item.read_text())["properties"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return bool(properties.get("nndacss:recipe") == recipe)
