"""A work root with one scene's chain, made of small files instead of pixels."""

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from nndacss.chain import STAGES
from nndacss.identity import Order, Recipe, recipe_path
from nndacss.operations.plans import Planned
from nndacss.operations.roots import FolderRoot
from nndacss.stage import run_record, stage_folder


@dataclass
class Roots:
    """A work root and a product root."""

    work: Path
    root: Path

    @property
    def products(self):
        return FolderRoot(self.root)

    def chain(self, name, setting=0, *, until="product", location=None):
        """A scene's four stages, made up to one of them; stage -> order.

        `setting` is one of harmonize, so that scenes that differ in it share acquire and mask.
        """
        acquire = Order(Recipe("acquire", 1, {}, {"scene": name}), name, location or {})
        scene = {"scene": acquire.recipe.digest}
        mask = Order(Recipe("mask", 1, {}, scene), name)
        own = {"harmonize": {"x": setting}}
        harmonize = Order(Recipe("harmonize", 1, own, scene), name)
        inputs = {**scene, "mask": mask.recipe.digest, "harmonize": harmonize.recipe.digest}
        product = Order(Recipe("product", 1, {}, inputs), name)
        orders = dict(zip(STAGES, (acquire, mask, harmonize, product), strict=True))
        for stage, order in orders.items():
            order.save(self.work)
            self.make(order)
            if stage == until:
                break
        for order in orders.values():
            order.save(self.work)
        return orders

    def make(self, order):
        """What a stage leaves."""
        folder = stage_folder(self.work, order)
        (folder / "parts").mkdir(parents=True)
        (folder / "parts" / "1.tif").write_bytes(bytes(1000))
        (folder / "stage.json").write_text("{}")
        record = run_record(self.work, order.recipe.digest)
        record.parent.mkdir(exist_ok=True)
        facts = {"seconds": 2.0, "peak_mib": 100, "ended": "2026-11-21T10:30:00+00:00"}
        record.write_text(json.dumps(facts))
        if order.recipe.stage == "product":
            self.publish(self.root / order.target)

    @staticmethod
    def publish(folder):
        folder.mkdir(parents=True)
        (folder / "x_mask.tif").write_bytes(bytes(2000))
        assets = {"mask": {"href": "./x_mask.tif", "file:size": 2000}}
        cover = {"eo:cloud_cover": 30.0, "eo:snow_cover": 0.0, "nndacss:shadow_cover": 10.0}
        item = {"assets": assets, "properties": cover}
        (folder / "item.json").write_text(json.dumps(item))

    def folders(self):
        """`stage/target` of all work folders, and names of products."""
        found = {
            f"{folder.parent.name}/{folder.name}"
            for stage in STAGES
            for folder in (self.work / stage).glob("*")
        }
        return found, {folder.name for folder in self.root.glob("*")}

    def age(self, days, *paths):
        """Have everything, or all below `paths`, look as if it were that old."""
        moment = time.time() - days * 86_400
        for path in paths or (self.work, self.root):
            for file in [path, *path.rglob("*")]:
                os.utime(file, (moment, moment))

    def recipe(self, order):
        return recipe_path(self.work, order.recipe.digest)


@pytest.fixture
def roots(tmp_path):
    return Roots(tmp_path / "work", tmp_path / "products")


def planned(orders, state="todo", reason="", path="/data/scene"):
    """A scene of a batch with these orders."""
    return Planned(
        orders["product"].name,
        state,
        reason,
        path,
        orders["product"].name,
        orders["product"].target,
        {stage: order.recipe.digest for stage, order in orders.items()},
        "2026-11-20T10:00:00+00:00",
        work=100.0,
        product=200.0,
    )
