"""The clean stage: measure every image, judge them together, write table, list and page."""

from __future__ import annotations

import csv
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

from nndacss.clean.content import fingerprints
from nndacss.clean.measure import Measure, load_measure, measure
from nndacss.clean.plan import EDIT, LIST, PAGE, TABLE, settings_of
from nndacss.clean.settings import CleanSettings
from nndacss.clean.sheet import write_sheet
from nndacss.clean.verdict import KEPT, REASONS, REJECTED, Row, judge, overruled, read_overrules
from nndacss.datasets.landcovernet_files import Archive, Image, scan
from nndacss.errors import DatasetError, complain
from nndacss.identity import drafted
from nndacss.process import finished
from nndacss.stage import Context

#: Folder of the measures in the stage's; gone when all is written.
_PARTS = "parts"


@dataclass(frozen=True)
class Job:
    """One image to measure; goes to a worker process."""

    image: Image
    label: Path
    settings: CleanSettings
    part: Path

    def run(self) -> None:
        """Measure it, whole or not at all."""
        measure(self.image, self.label, self.settings).save(self.part)


def clean_archive(context: Context) -> Mapping[str, Any]:
    """Body of the stage; returns the summary for `stage.json`.

    DatasetError where the archive is not the one that was planned.
    """
    settings = settings_of(context.order)
    if fingerprints(settings) != context.order.recipe.inputs:
        found = "other files than when the task was planned"
        raise DatasetError(complain(settings.folder, found, "the same", "run the task again"))
    archive = scan(Path(settings.folder))
    rows = judge(archive, _measures(context, archive, settings), settings)
    if settings.overrule:
        path = Path(settings.overrule)
        rows = overruled(rows, read_overrules(path), path)
    write_table(context.folder / TABLE, rows)
    kept = [row.name for row in rows if row.verdict == KEPT]
    write_list(context.folder / LIST, kept, f"{len(kept)} of {len(rows)}; see {TABLE}")
    write_edit(context.folder / EDIT, rows)
    write_sheet(context.folder / PAGE, rows, archive, settings.pictures)
    shutil.rmtree(context.folder / _PARTS, ignore_errors=True)
    return summary(rows)


def summary(rows: Sequence[Row]) -> dict[str, Any]:
    """Counts of images, chips and reasons."""
    reasons = Counter(
        kind(reason)
        for row in rows
        if row.verdict == REJECTED
        for reason in row.reasons.split("; ")
    )
    chips = {row.name[:8] for row in rows}
    left = {row.name[:8] for row in rows if row.verdict == KEPT}
    return {
        "images": len(rows),
        "kept": sum(row.verdict == KEPT for row in rows),
        "chips": len(chips),
        "chips_kept": len(left),
        "overruled": sum(bool(row.overruled) for row in rows),
        "reasons": dict(reasons.most_common()),
    }


def kind(reason: str) -> str:
    """A reason without its figures and names.

    >>> kind("labelled on 72% (< 90%)"), kind("same picture as 35PNL_00_20180119")
    ('labelled', 'same picture')
    """
    return next((word for word in REASONS if reason.startswith(word)), reason)


def write_table(path: Path, rows: Sequence[Row]) -> None:
    """All rows as CSV, whole or not at all."""
    columns = [field.name for field in fields(Row)]
    with drafted(path) as draft, draft.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(astuple(row) for row in rows)


def write_list(path: Path, names: Sequence[str], about: str) -> None:
    """Names, one a line, as the dataset's `selection` reads them."""
    with drafted(path) as draft:
        draft.write_text("".join(f"{line}\n" for line in (f"# kept: {about}", *names)))


def write_edit(path: Path, rows: Sequence[Row]) -> None:
    """A list to edit: each rejection as a comment that, without its #, keeps the image."""
    head = [
        "# Copy this file, take the # off a line to keep its image, write why, and give the copy",
        "# as clean.overrule. `reject` rejects; 35PNL_00 instead of 35PNL_00_20180119 is a chip.",
        "name,verdict,why",
    ]
    doubtful = [row for row in rows if row.verdict == REJECTED and not row.unusable]
    lines = [f"# {row.name},keep,{row.reasons.replace(',', ' ')}" for row in doubtful]
    with drafted(path) as draft:
        draft.write_text("\n".join([*head, *lines, ""]))


def _measures(context: Context, archive: Archive, settings: CleanSettings) -> dict[str, Measure]:
    """Numbers of all images that have a label; what is measured already is kept."""
    jobs = [
        Job(image, archive.labels[image.chip], settings, context.folder / _PARTS / f"{name}.npz")
        for name, image in archive.images.items()
        if image.has_bands and image.chip in archive.labels
    ]
    todo = [job for job in jobs if not job.part.exists()]
    done = len(jobs) - len(todo)
    for job in finished(Job.run, todo, context.threads, "measured images"):
        done += 1
        context.progress(0.9 * done / len(jobs), f"{job.image.name}, {done} of {len(jobs)}")
    return {job.image.name: load_measure(job.part) for job in jobs}
