"""UpdateCatalog: the STAC collection and the table of a product root."""

from __future__ import annotations

import json
import logging

import luigi

from nndacss.operations.roots import open_root
from tasks._child import ask_child
from tasks._errand import Errand
from tasks._log import tell

log = logging.getLogger("luigi-interface")

#: Products with an unreadable item that are named.
_LINES = 20


class UpdateCatalog(Errand):
    """Bring `collection.json` and `items.parquet` of a product root up to its products.

    Products that came are added, those that are gone are taken out, and what others add at the
    same moment is kept. Run twice, it changes nothing.
    """

    output_root: str = luigi.Parameter(
        default="products", description="product root: a folder, or s3://bucket/prefix"
    )
    base: str = luigi.Parameter(
        default="",
        description="what links and assets in the table begin with, e.g. https://host/products; "
        "default: the root's s3:// address, or relative to the table",
    )
    collection: str = luigi.Parameter(default="", description="id of the collection")
    title: str = luigi.Parameter(default="", description="its title")
    description: str = luigi.Parameter(default="", description="what it is, in Markdown")
    license: str = luigi.Parameter(default="", description="SPDX identifier, or other")

    def carry_out(self) -> None:
        """Update in a child process, and say what changed."""
        given = {
            "base": self.base,
            "id": self.collection,
            "title": self.title,
            "description": self.description,
            "license": self.license,
        }
        options = [f"--{name}={value}" for name, value in given.items() if value]
        told = json.loads(ask_child("nndacss.catalog", [self.output_root, *options]))
        for name, why in sorted(told["left_out"].items())[:_LINES]:
            log.warning("left out: %s, whose item cannot be read (%s)", name, why)
        counts = {key: len(told[key]) for key in ("added", "removed", "left_out")}
        place = f"{open_root(self.output_root).address}/collection.json"
        log.info(
            "%s: %d items, %d added, %d removed%s",
            place,
            told["items"],
            counts["added"],
            counts["removed"],
            "" if told["changed"] or told["added"] or told["removed"] else "; nothing had changed",
        )
        tell("catalogued", place, items=told["items"], tries=told["tries"], **counts)
