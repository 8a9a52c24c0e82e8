"""FetchHarmonizer: published harmonizer weights, fetched or given, in our own form."""

from __future__ import annotations

import logging
from pathlib import Path

import luigi

from nndacss.download import download
from nndacss.errors import InputError, complain
from nndacss.models.deep_variants import VARIANTS, Variant
from tasks._base import FileTarget
from tasks._child import ask_child
from tasks._console import Progress

log = logging.getLogger("luigi-interface")


class FetchHarmonizer(luigi.Task):
    """One of the published Deep-Harmonization networks, for `harmonize.weights`.

    From a local file, or from its hub, pinned by checksum. No foreign code is run.
    """

    variant: str = luigi.ChoiceParameter(choices=list(VARIANTS), description="which network")
    file: str = luigi.Parameter(
        default="", description="local .pth, .pt, .bin or .safetensors, instead of fetching"
    )
    url: str = luigi.Parameter(
        default="", description="address of the weights file; default: the hub's safetensors"
    )
    sha256: str = luigi.Parameter(default="", description="of the weights file; needed to fetch it")
    folder: str = luigi.Parameter(default="weights", description="where to write")

    @property
    def chosen(self) -> Variant:
        """The variant by its name."""
        return VARIANTS[self.variant]

    def output(self) -> FileTarget:
        """The card, written last."""
        return FileTarget(Path(self.folder) / f"{self.chosen.title}.json")

    def run(self) -> None:
        """Fetch where no file is given, then check and write in a child process."""
        file = Path(self.file) if self.file else self._fetched()
        options = ["--variant", self.variant]
        if not self.file:
            options += ["--url", self._address]
        if self._sum:
            options += ["--sha256", self._sum]
        ask_child("nndacss.models.fetch", [str(file), self.folder, *options])
        if not self.file:
            file.unlink(missing_ok=True)
        log.info("to use them: --set 'harmonize.weights=[\"%s\"]'", self.output().path)

    @property
    def _address(self) -> str:
        return self.url or self.chosen.url()

    @property
    def _sum(self) -> str:
        return self.sha256 or self.chosen.sha256 or ""

    def _fetched(self) -> Path:
        if not self._sum:
            expected = "--sha256 of the weights file, since whoever controls the hub may change it"
            remedy = (
                f"open {self.chosen.page}/tree/main, click the weights file and copy its SHA256 "
                "(and its address as --url where it differs), or give a file as --file"
            )
            found = "no checksum"
            raise InputError(complain(self._address, found, expected, remedy))
        path = Path(self.folder) / f".fetched-{self.variant}{Path(self._address).suffix}"
        with Progress(f"fetching {self.variant}") as bar:

            def report(done: int, total: int | None) -> None:
                bar.update(done / total if total else 0.0, f"{done / 1e6:.0f} MB")

            return download(self._address, path, sha256=self._sum, progress=report)
