"""SearchScenes: what a STAC API holds for an area and dates, as a written list."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import cast

import luigi

from nndacss.errors import SettingsError, complain
from nndacss.identity import Order, Recipe
from nndacss.resources import config_file
from nndacss.search.found import save_scenes
from nndacss.search.providers import provider
from nndacss.search.query import search
from nndacss.search.settings import SearchSettings
from nndacss.settings import load_settings, version
from nndacss.stage import stage_folder
from nndacss.tile.area import area_bbox
from tasks._base import FileTarget, machine
from tasks._parameters import SetParameter

log = logging.getLogger("luigi-interface")


class SearchScenes(luigi.Task):
    """Write `<work>/search/<name>_<digest8>/scenes.json`, for batches.

    A search with `--as-of` is done once, and leaves out what was published later; one without
    counts for the present hour.
    """

    name: str = luigi.Parameter(default="search", description="what to call the list")
    as_of: str = luigi.Parameter(
        default="", description="a time like 2026-11-16T06:00, in UTC; default: this hour"
    )
    area: str = luigi.Parameter(default="", description="GeoJSON file; over search.area")
    bbox: str = luigi.Parameter(
        default="", description="west,south,east,north in degrees (write --bbox=-5,...)"
    )
    dates: str = luigi.Parameter(
        default="", description="a day, month, ISO week (2026-W46), or a/b, ends included"
    )
    config: str = luigi.Parameter(default="", description="TOML file with a [search] section")
    set: tuple[str, ...] = SetParameter(
        default=(), description="section.key=value, over the file; may be repeated"
    )

    @cached_property
    def settings(self) -> SearchSettings:
        """What is looked for; SettingsError where it is not sound."""
        overrides = [*self.set, *([f"search.dates={self.dates}"] if self.dates else [])]
        if self.area and not self.bbox:
            area_bbox(self.area, "")  # whether it is an area, before anything is asked
            overrides.append(f"search.area={self.area}")
        elif self.bbox:
            west, south, east, north = area_bbox(self.area, self.bbox)
            overrides.append(f"search.bbox=[{west!r}, {south!r}, {east!r}, {north!r}]")
        config = config_file(self.config) if self.config else None
        return cast(SearchSettings, load_settings(config, overrides)["search"])

    @cached_property
    def moment(self) -> datetime:
        """The time as of which is searched."""
        if not self.as_of:
            return datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        try:
            moment = datetime.fromisoformat(self.as_of)
        except ValueError as error:
            expected = "a time like 2026-11-16T06:00"
            message = complain("--as-of", repr(self.as_of), expected, "correct it")
            raise SettingsError(message) from error
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)

    @cached_property
    def order(self) -> Order:
        """The search with its time, as a recipe."""
        changed = {**self.settings.changed(), "as_of": self.moment.isoformat()}
        return Order(Recipe("search", version("search"), {"search": changed}, {}), self.name)

    @property
    def scenes(self) -> Path:
        """The list."""
        return stage_folder(Path(machine().work), self.order) / "scenes.json"

    def output(self) -> FileTarget:
        """The list."""
        return FileTarget(self.scenes)

    def run(self) -> None:
        """Search, write the list, and say what there is."""
        archive = provider(self.settings.provider)
        for note in archive.notes:
            log.info("%s: %s", archive.name, note)
        # without --as-of everything that is known now counts
        found = search(self.settings, self.moment if self.as_of else None)
        self.order.save(Path(machine().work))
        save_scenes(found, self.scenes)
        with_l1 = sum(scene.l1 is not None for scene in found)
        log.info("%d scenes, %d of them with Level 1: %s", len(found), with_l1, self.scenes)
