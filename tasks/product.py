"""MakeProduct: the product folder, its STAC item last."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

import luigi

from nndacss.operations import sizes
from nndacss.operations.roots import BucketRoot, FolderRoot, open_root
from nndacss.operations.targets import DELIVERY
from nndacss.product.deliver import ITEM
from tasks._base import ProductTarget, StageTask
from tasks._child import Report
from tasks._log import tell
from tasks.acquire import AcquireScene
from tasks.harmonize import HarmonizeScene
from tasks.mask import MaskScene

#: Share of the progress that is made before a product is uploaded.
_MADE = 0.9


class MakeProduct(StageTask):
    """Write COGs, item and report from the mask and the harmonized image.

    A product that goes to an object store is made in `<work>/delivery` and uploaded from there.
    """

    stage = "product"
    root: str = luigi.Parameter(description="product root: a folder, or s3://bucket/prefix")

    @property
    def destination(self) -> FolderRoot | BucketRoot:
        """Where products go."""
        return open_root(self.root)

    @property
    def product_root(self) -> Path:
        """Where products are made."""
        return self.destination.disk or self.work / DELIVERY

    def requires(self) -> list[StageTask]:
        """Scene, mask and harmonized image."""
        inputs = self.order.recipe.inputs
        return [
            AcquireScene(name=self.name, recipe=inputs["scene"]),
            MaskScene(name=self.name, recipe=inputs["mask"]),
            HarmonizeScene(name=self.name, recipe=inputs["harmonize"]),
        ]

    def output(self) -> ProductTarget:
        """`<root>/<scene>_<digest8>/item.json`."""
        return ProductTarget(self.destination, self.order.target, ITEM)

    def make(self, report: Report) -> None:
        """Make the product, and bring it where it belongs."""
        root = self.destination
        if not isinstance(root, BucketRoot):
            super().make(report)
            return
        folder = self.product_root / self.order.target
        with _alone(folder):
            if not root.holds(folder.name):
                if not (folder / ITEM).exists():
                    super().make(lambda share, message: report(_MADE * share, message))
                self._upload(folder, root, report)
            # the lock goes, too: whoever waits for it finds the product in the store
            sizes.remove(folder)

    def _upload(self, folder: Path, root: BucketRoot, report: Report) -> None:
        started = time.monotonic()
        sent = root.deliver(
            folder, lambda share, message: report(_MADE + (1 - _MADE) * share, message)
        )
        seconds = round(time.monotonic() - started, 3)
        about = {"scene": self.name, "product": folder.name, "bytes": sent, "seconds": seconds}
        tell("uploaded", f"{root.address}/{folder.name}", **about)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other runs on this work root from making and uploading the same product meanwhile."""
    with _opened(folder / ".lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _opened(path: Path) -> TextIO:
    """A file to lock; its folder may go at any moment, when another has uploaded it."""
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            return path.open("w")
