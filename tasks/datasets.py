"""FetchDataset: a published archive of labels, downloaded, verified and unpacked."""

from __future__ import annotations

import logging
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import luigi

from nndacss.errors import SettingsError
from tasks._base import FileTarget
from tasks._console import Progress
from tasks._parameters import SetParameter

if TYPE_CHECKING:
    from nndacss.datasets.archives import Archive

log = logging.getLogger("luigi-interface")


class FetchDataset(luigi.Task):
    """Get a dataset from its publishers into a folder that its options then name.

    Run again after a broken connection: it goes on where it stopped. Where a publisher states no
    checksum, the task stops with the one that it found, to be confirmed by --sha256, or let pass
    by --unverified.
    """

    kind: str = luigi.Parameter(description="sparcs, biome, cloud38, cloudsen12")
    folder: str = luigi.Parameter(description="where to put it; made if it is not there")
    part: tuple[str, ...] = SetParameter(
        default=(), description="a file of the archive, as its publisher names it; may be repeated"
    )
    sha256: tuple[str, ...] = SetParameter(
        default=(),
        significant=False,
        description="PART=SUM, or SUM for a single part; may be repeated",
    )
    unverified: bool = luigi.BoolParameter(
        default=False, significant=False, description="take parts for which no sum is known"
    )
    mirror: str = luigi.Parameter(
        default="", significant=False, description="address of a folder that holds the same files"
    )

    @cached_property
    def archives(self) -> tuple[Archive, ...]:
        """The parts to fetch."""
        # numpy comes with the datasets: not at import time
        from nndacss.datasets.fetch import archives

        return archives(self.kind, self.part)

    def output(self) -> list[FileTarget]:
        """One small file a part, which says that it is there and what its sum was."""
        from nndacss.datasets.fetch import done_file

        return [FileTarget(done_file(archive, Path(self.folder))) for archive in self.archives]

    def complete(self) -> bool:
        """Fetched, and still where it was put."""
        return all(target.exists() for target in self.output()) and all(
            (Path(self.folder) / archive.place).exists() for archive in self.archives
        )

    def run(self) -> None:
        """Fetch part by part; those that are there stay."""
        from nndacss.datasets.fetch import fetch

        sums = self._sums()
        for number, archive in enumerate(self.archives, start=1):
            title = f"{archive.name} ({number} of {len(self.archives)})"
            with Progress(title) as bar:

                def report(done: int, total: int | None, bar: Progress = bar) -> None:
                    bar.update(done / total if total else 0.0, f"{done / 1e6:.0f} MB")

                place = fetch(
                    archive,
                    Path(self.folder),
                    address=f"{self.mirror.rstrip('/')}/{archive.name}" if self.mirror else "",
                    confirmed=sums.get(archive.name, ""),
                    unverified=self.unverified,
                    progress=report,
                )
            log.info("%s is %s", archive.name, place)

    def _sums(self) -> dict[str, str]:
        """Part -> the sum that it must have."""
        result = {}
        for text in self.sha256:
            name, _, value = text.rpartition("=")
            if not name and len(self.archives) == 1:
                name = self.archives[0].name
            known = [archive.name for archive in self.archives]
            if name not in known or len(value) != 64:
                expected = f"PART=SUM with 64 hexadecimal digits and a part of {', '.join(known)}"
                raise SettingsError(f"--sha256 {text}: expected {expected}")
            result[name] = value
        return result
