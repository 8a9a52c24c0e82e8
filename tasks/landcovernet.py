"""AcquireLandCoverNet: the archive, as far as it is needed; CleanLandCoverNet: what to trust."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import luigi

from nndacss.identity import Order, drafted
from nndacss.settings import Settings
from nndacss.stage import stage_folder
from tasks._base import StageTask
from tasks._store import StoreTask

log = logging.getLogger("luigi-interface")


class AcquireLandCoverNet(StoreTask):
    """Fetch LandCoverNet into `[landcovernet] folder`: of each chip and quarter the clear dates.

    Run again after a broken connection or a full disk: it goes on where it stopped. The manifest
    and a table of all dates that were looked at are in `<work>/landcovernet/<name>_<digest8>/`.
    """

    name: str = luigi.Parameter(default="landcovernet", description="what to call the manifest")
    config: str = luigi.Parameter(default="", description="TOML file with a [landcovernet] section")
    dry_run: bool = luigi.BoolParameter(
        default=False, significant=False, description="only say how many GB it would be"
    )
    stage = "landcovernet"
    _told = False

    def plan(self, settings: Mapping[str, Settings]) -> Order:
        """What to fetch; SettingsError where that is not sound."""
        from nndacss.landcovernet.plan import landcovernet_order

        return landcovernet_order(settings, self.name)

    @property
    def store(self) -> Path:
        """The manifest."""
        from nndacss.landcovernet.plan import MANIFEST

        return stage_folder(self.work, self.order) / MANIFEST

    def complete(self) -> bool:
        """Fetched, and still where it was put; a dry run: told."""
        if self.dry_run:
            return self._told
        from nndacss.landcovernet.plan import is_here

        return self.output().exists() and is_here(self.order, self.store)

    def run(self) -> None:
        """Fetch, or say how much it would be."""
        if self.dry_run:
            self._tell()
            return
        StageTask.run(self)
        log.info("every file with its checksum is in %s", self.store)

    def _tell(self) -> None:
        """How many GB, from listings alone."""
        from nndacss.landcovernet.estimate import estimate
        from nndacss.landcovernet.plan import chosen_chips, settings_of
        from nndacss.landcovernet.remote import store

        settings = settings_of(self.order)
        server = store(settings)
        log.info("%s", estimate(server, settings, chosen_chips(server, settings)))
        self._told = True


class CleanLandCoverNet(StoreTask):
    """Decide which images of `[clean] folder` to trust, into `<work>/clean/<name>_<digest8>/`.

    `cleaning.csv` says of every image what was found and why it is rejected, `cleaning.html` shows
    it, `overrule.csv` is a list to edit, and `kept.txt`, the names that are kept, is also written
    to `--kept`, which a config names as `selection`.
    """

    name: str = luigi.Parameter(default="landcovernet", description="what to call the list")
    config: str = luigi.Parameter(default="", description="TOML file with a [clean] section")
    kept: str = luigi.Parameter(
        default="", description="where the names that are kept go too; default: <folder>/kept.txt"
    )
    stage = "clean"

    def plan(self, settings: Mapping[str, Settings]) -> Order:
        """What to clean; SettingsError or DatasetError where it cannot be."""
        # numpy comes with the archive's checksums: not at import time
        from nndacss.clean.plan import clean_order

        return clean_order(settings, self.name)

    @property
    def store(self) -> Path:
        """The table."""
        from nndacss.clean.plan import TABLE

        return stage_folder(self.work, self.order) / TABLE

    def complete(self) -> bool:
        """Cleaned, and the list is where it was asked for."""
        return self.output().exists() and self._is_copied()

    def run(self) -> None:
        """Clean, unless that is done, and put the list where it was asked for."""
        if not self.output().exists():
            StageTask.run(self)
        with drafted(self._copy) as draft:
            draft.write_text(self._list.read_text())
        log.info("the table is %s, the page beside it; the kept list is %s", self.store, self._copy)

    @property
    def _list(self) -> Path:
        from nndacss.clean.plan import LIST

        return self.store.with_name(LIST)

    @property
    def _copy(self) -> Path:
        from nndacss.clean.plan import settings_of

        return Path(self.kept) if self.kept else Path(settings_of(self.order).folder) / "kept.txt"

    def _is_copied(self) -> bool:
        try:
            return self._copy.read_text() == self._list.read_text()
        except OSError:
            return False
