"""From numbers to verdicts: why an image is rejected, and who said otherwise."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nndacss.clean.duplicates import overlaps, twins
from nndacss.clean.measure import Measure
from nndacss.clean.outliers import contradictions, limit_of
from nndacss.clean.settings import CleanSettings
from nndacss.datasets.landcovernet_files import Archive
from nndacss.errors import SettingsError, complain
from nndacss.landcovernet.names import quarter

KEPT, REJECTED = "kept", "rejected"
#: How each reason begins, in the order in which people read them.
REASONS = (
    "files",
    "no label",
    "no image",
    "labelled",
    "consensus",
    "cloud",
    "missing",
    "hidden",
    "contradicts its label",
    "same picture",
    "same ground",
)
_WORDS = ("keep", "reject")
_COLUMNS = ["name", "verdict", "why"]


@dataclass(frozen=True)
class Row:
    """One image in the table, or a chip that has none."""

    name: str
    verdict: str
    reasons: str
    """Why rejected, separated by semicolons; also where a person kept it all the same."""
    overruled: str = ""
    """What a person said, where a person did."""
    quarter: int = 0
    labelled: float = 0.0
    consensus: float = 0.0
    cloud: float = 1.0
    missing: float = 1.0
    hidden: float = 1.0
    contradiction: float = 0.0
    unusable: bool = False
    """Whether its files cannot be read: nobody can keep it then."""


@dataclass(frozen=True)
class Said:
    """What a person says of a sample or chip."""

    keep: bool
    why: str


def judge(archive: Archive, measures: Mapping[str, Measure], settings: CleanSettings) -> list[Row]:
    """A row for each image, and for each label without images, sorted by name."""
    usable = {name: one for name, one in measures.items() if not one.problem}
    plain = {name: plain_reasons(one, settings) for name, one in usable.items()}
    trusted = [name for name in sorted(usable) if not plain[name]]
    shares = contradictions(usable, trusted)
    limit = limit_of(
        [shares[name] for name in trusted], settings.most_contradiction, settings.spread
    )
    wrong = wrong_chips(trusted, shares, limit)
    better = {name: usable[name] for name in trusted}
    pictures = twins(better, settings.most_alike)
    grounds = overlaps(better, settings.most_overlap)
    rows = []
    for name, one in usable.items():
        reasons = list(plain[name])
        if shares[name] > limit:
            reasons.append(f"contradicts its label on {shares[name]:.0%} of it (> {limit:.0%})")
        elif name.rpartition("_")[0] in wrong:
            reasons.append(f"contradicts its label on {wrong[name.rpartition('_')[0]]}")
        if name in pictures:
            reasons.append(f"same picture as {pictures[name]}")
        if (chip := name.rpartition("_")[0]) in grounds:
            reasons.append(f"same ground as {grounds[chip]}")
        rows.append(_row(one, reasons, shares[name]))
    for name, one in measures.items():
        if one.problem:
            reason = "files: " + one.problem.replace("; ", ", ")
            rows.append(Row(name, REJECTED, reason, quarter=quarter(name[-8:]), unusable=True))
    rows += absent(archive)
    return sorted(rows, key=lambda row: row.name)


def wrong_chips(
    trusted: Sequence[str], shares: Mapping[str, float], limit: float
) -> dict[str, str]:
    """Chips whose label is wrong, with how often it was contradicted.

    The label is that of all dates: where a third of the clear ones contradict it, two at least, the
    others do not save it (in a season in which classes look alike nothing contradicts).
    """
    dates: dict[str, list[float]] = {}
    for name in trusted:
        dates.setdefault(name.rpartition("_")[0], []).append(shares[name])
    counts = {chip: sum(share > limit for share in own) for chip, own in dates.items()}
    return {
        chip: f"{count} of {len(dates[chip])} clear dates"
        for chip, count in counts.items()
        if count >= 2 and 3 * count >= len(dates[chip])
    }


def plain_reasons(one: Measure, settings: CleanSettings) -> list[str]:
    """What is wrong with an image by itself."""
    reasons = []
    if one.labelled < settings.least_labelled:
        reasons.append(f"labelled on {one.labelled:.0%} (< {settings.least_labelled:.0%})")
    if one.consensus < settings.least_consensus:
        reasons.append(f"consensus {one.consensus:.0f} (< {settings.least_consensus:.0f})")
    if one.cloud > settings.most_cloud:
        reasons.append(f"cloud {one.cloud:.0%} (> {settings.most_cloud:.0%})")
    if one.missing > settings.most_missing:
        reasons.append(f"missing {one.missing:.0%} (> {settings.most_missing:.0%})")
    if one.hidden > settings.most_hidden:
        reasons.append(f"hidden {one.hidden:.0%} (> {settings.most_hidden:.0%})")
    return reasons


def absent(archive: Archive) -> list[Row]:
    """Images without a label, labels without an image."""
    pictured = {image.chip for image in archive.images.values() if image.has_bands}
    rows = [
        Row(name, REJECTED, "no label", quarter=quarter(image.date), unusable=True)
        for name, image in archive.images.items()
        if image.has_bands and image.chip not in archive.labels
    ]
    alone = [chip for chip in archive.labels if chip not in pictured]
    return rows + [Row(chip, REJECTED, "no image", unusable=True) for chip in alone]


def read_overrules(path: Path) -> dict[str, Said]:
    """A person's list; SettingsError names the line that is not understood."""
    try:
        with path.open(newline="") as file:
            lines = [line for line in file if line.strip() and not line.lstrip().startswith("#")]
    except (OSError, UnicodeDecodeError) as error:
        remedy = "correct clean.overrule"
        raise SettingsError(complain(path, str(error), "a CSV file", remedy)) from error
    rows = list(csv.reader(lines))
    if rows and [cell.strip() for cell in rows[0]] == _COLUMNS:
        rows = rows[1:]
    said = {}
    for row in rows:
        cells = [cell.strip() for cell in row] + ["", ""]
        if cells[1] not in _WORDS:
            found = f"the line {','.join(row)!r}"
            expected = "name,verdict,why with verdict keep or reject"
            raise SettingsError(complain(path, found, expected, "correct the line"))
        said[cells[0]] = Said(cells[1] == "keep", cells[2])
    return said


def overruled(rows: Sequence[Row], said: Mapping[str, Said], source: object) -> list[Row]:
    """Rows as a person has them: what is said of a sample counts more than of its chip.

    SettingsError where a name is not in the table, or what cannot be read should be kept.
    """
    names = {row.name for row in rows} | {row.name[:8] for row in rows}
    unknown = sorted(set(said) - names)
    if unknown:
        found = f"{unknown[0]}, which is no sample and no chip of the archive"
        expected = "names as in the table, e.g. 35PNL_00 or 35PNL_00_20180119"
        raise SettingsError(complain(source, found, expected, "correct the name"))
    result = []
    for row in rows:
        word = said.get(row.name) or said.get(row.name[:8])
        if word is None:
            result.append(row)
            continue
        if word.keep and row.unusable and row.name in said:
            remedy = "mend its files, or take the line out"
            raise SettingsError(complain(f"{source}: {row.name}", row.reasons, "files", remedy))
        verdict = KEPT if word.keep and not row.unusable else REJECTED
        text = f"{'keep' if word.keep else 'reject'}: {word.why}".rstrip(": ")
        result.append(replace(row, verdict=verdict, overruled=text))
    return result


def _row(one: Measure, reasons: Sequence[str], share: float) -> Row:
    return Row(
        name=one.name,
        verdict=REJECTED if reasons else KEPT,
        reasons="; ".join(reasons),
        quarter=quarter(one.name[-8:]),
        labelled=round(one.labelled, 4),
        consensus=round(one.consensus, 2),
        cloud=round(one.cloud, 4),
        missing=round(one.missing, 4),
        hidden=round(one.hidden, 4),
        contradiction=round(share, 4),
    )
