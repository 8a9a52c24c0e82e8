"""Status, Invalidate and Clean: what lies in the work and product roots, and what can go."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence

import luigi
from rich.markup import escape
from rich.table import Table

from nndacss.errors import SettingsError, complain
from nndacss.operations.clean import Leftover, clean, leftovers
from nndacss.operations.invalidate import Choice, choose, invalidate
from nndacss.operations.roots import open_root
from nndacss.operations.sizes import Size
from nndacss.operations.sizes import text as size_text
from nndacss.operations.status import status
from tasks._board import console
from tasks._errand import Errand
from tasks._log import tell

#: Lines of a list on the terminal.
_LINES = 40


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in columns:
        right = name in ("number", "size", "files")
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    return table


class Status(Errand):
    """What there is: products, work by stage, failures, the latest batch, free disk space."""

    output_root: str = luigi.Parameter(
        default="products", description="product root: a folder, or s3://bucket/prefix"
    )
    json: bool = luigi.BoolParameter(default=False, description="as JSON")

    def carry_out(self) -> None:
        """Count and print."""
        told = status(self.work, open_root(self.output_root))
        if self.json:
            sys.stdout.write(json.dumps(told, indent=1, sort_keys=True) + "\n")
            return
        screen = console(error=False)
        products = told["products"]
        screen.print(f"[bold]Products[/] in {self.output_root}: {products['whole']} whole,")
        screen.print(
            f"  {products['unfinished']} unfinished, {products['damaged']} damaged, "
            f"{size_text(products['bytes'])}"
        )
        table = _table("stage", "number", "finished", "files", "size")
        for stage, found in told["work"].items():
            numbers = (found["targets"], found["finished"], found["files"])
            table.add_row(stage, *(str(number) for number in numbers), size_text(found["bytes"]))
        screen.print(f"\n[bold]Work[/] in {self.work}")
        screen.print(table)
        self._batches(told["batches"])
        screen.print(f"\n[bold]Failures[/]: {told['failures']['scenes']}")
        for reason in told["failures"]["reasons"]:
            screen.print(f"  {reason['scenes']} x {escape(reason['reason'])}", soft_wrap=True)
        free = ", ".join(f"{size_text(value)} for {name}" for name, value in told["free"].items())
        screen.print(f"\n[bold]Free[/]: {free}")

    def _batches(self, told: Sequence[dict[str, object]]) -> None:
        screen = console(error=False)
        screen.print("\n[bold]Batches[/], the latest last")
        for batch in told:
            screen.print(f"  {batch['id']}: {batch['state']}", soft_wrap=True)
        if not told:
            screen.print("  none")


class Invalidate(Errand):
    """Remove chosen targets and everything that was made from them, so that they are made again.

    What is given must all hold. Foreign scenes are never touched.
    """

    scene: str = luigi.Parameter(
        default="", description="name of the scene or model; * and ? stand for others"
    )
    target: str = luigi.Parameter(default="", description="name with digest, as its folder")
    stage: str = luigi.Parameter(default="", description="acquire, mask, harmonize, product, ...")
    digest: str = luigi.Parameter(default="", description="how the digest of the recipe begins")
    output_root: str = luigi.Parameter(
        default="products", description="product root: a folder, or s3://bucket/prefix"
    )
    dry_run: bool = luigi.BoolParameter(default=False, description="only say what would go")

    def carry_out(self) -> None:
        """List, and remove."""
        choice = Choice(self.scene, self.target, self.stage, self.digest)
        doomed = choose(self.work, open_root(self.output_root), choice)
        screen = console(error=False)
        table = _table("stage", "target", "size", "why")
        for one in doomed[:_LINES]:
            target = one.target
            why = "chosen" if one.chosen else "made from it"
            table.add_row(target.stage, target.order.target, size_text(one.size.bytes), why)
        screen.print(table)
        if len(doomed) > _LINES:
            screen.print(f"... and {len(doomed) - _LINES} more")
        total = sum((one.size for one in doomed), Size())
        if not self.dry_run:
            invalidate(doomed, self.work)
        verb = "would be removed" if self.dry_run else "removed"
        screen.print(f"{len(doomed)} targets {verb}, {size_text(total.bytes)}")
        tell("invalidated", verb, targets=len(doomed), bytes=total.bytes, dry_run=self.dry_run)


class Clean(Errand):
    """Remove the work of finished products, and what nobody refers to and is older than an age.

    Scenes that were fetched for finished products go, too. Only the product chain is cleaned: what
    training made is left alone, and so is what a running batch needs.
    """

    days: float = luigi.FloatParameter(
        default=7.0, description="age from which unfinished and unreferenced work, records go"
    )
    output_root: str = luigi.Parameter(
        default="products", description="product root: a folder, or s3://bucket/prefix"
    )
    keep_fetched: bool = luigi.BoolParameter(
        default=False, description="leave the scenes that were fetched from an archive"
    )
    dry_run: bool = luigi.BoolParameter(default=False, description="only say what would go")

    def carry_out(self) -> None:
        """Measure, and remove."""
        if self.days < 0:
            raise SettingsError(complain("--days", str(self.days), "0 or more", "correct it"))
        root = open_root(self.output_root)
        found = leftovers(self.work, root, self.days, keep_fetched=self.keep_fetched)
        _show_leftovers(found)
        total = sum((one.size for one in found), Size())
        if not self.dry_run:
            clean(found)
        verb = "would be freed" if self.dry_run else "freed"
        console(error=False).print(f"{size_text(total.bytes)} {verb}, {total.files} files")
        tell("cleaned", verb, bytes=total.bytes, files=total.files, dry_run=self.dry_run)


#: Why something goes, in words.
_WHY = {
    "finished": "work of finished products",
    "fetched": "scenes fetched for finished products",
    "unreferenced": "old work without a finished product",
    "record": "old records of batches, failures and searches",
    "remains": "remains of removals and of uploads",
}


def _show_leftovers(found: Sequence[Leftover]) -> None:
    table = _table("what", "number", "files", "size")
    numbers = Counter(one.kind for one in found)
    for kind, why in _WHY.items():
        if numbers[kind]:
            size = sum((one.size for one in found if one.kind == kind), Size())
            table.add_row(why, str(numbers[kind]), str(size.files), size_text(size.bytes))
    if found:
        console(error=False).print(table)
