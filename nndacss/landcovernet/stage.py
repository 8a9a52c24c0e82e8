"""The stage: all chips, several at once; what was fetched is kept, so that a new run goes on."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nndacss.errors import DatasetError, complain
from nndacss.identity import drafted
from nndacss.landcovernet.chip import CHOSEN, Chip, Looked, Record, Stored, load_record
from nndacss.landcovernet.estimate import in_words
from nndacss.landcovernet.names import quarter
from nndacss.landcovernet.plan import DATES, MANIFEST, chosen_chips, settings_of
from nndacss.landcovernet.remote import store
from nndacss.stage import Context

#: Folder of the chips' records in the stage's.
_RECORDS = "chips"


def acquire_archive(context: Context) -> Mapping[str, Any]:
    """Body of the stage; returns the summary for `stage.json`.

    StageError where the server does not answer, OutputError where the disk refuses: what has come
    is kept, and a new run fetches the rest. DatasetError where no chip could be had at all.
    """
    settings = settings_of(context.order)
    server = store(settings)
    chips = chosen_chips(server, settings)
    folder = Path(settings.folder)
    places = {
        (continent, chip): context.folder / _RECORDS / f"{continent}_{chip}.json"
        for continent, names in chips.items()
        for chip in names
    }
    records: dict[tuple[str, str], Record] = {}
    for key, place in places.items():
        done = load_record(place)
        if done is not None and not done.skipped and done.is_here(folder):
            records[key] = done
    with ThreadPoolExecutor(settings.parallel) as pool:
        running: dict[Future[Record], tuple[str, str]] = {
            pool.submit(Chip(server, settings, *key).fetch): key
            for key in places
            if key not in records
        }
        try:
            for future in as_completed(running):
                key = running[future]
                records[key] = future.result()
                records[key].save(places[key])
                _tell(context, records, len(places))
        finally:
            pool.shutdown(cancel_futures=True)
    ordered = [records[key] for key in sorted(places)]
    write_tables(context.folder, ordered)
    return summary(ordered, settings.source)


def write_tables(folder: Path, records: Sequence[Record]) -> None:
    """The manifest and the table of dates, as CSV."""
    files = [{"chip": one.chip, **asdict(file)} for one in records for file in one.files]
    columns = ["chip", *Stored.__dataclass_fields__]
    _write_csv(folder / MANIFEST, columns, files)
    looked = [{"chip": one.chip, **asdict(date)} for one in records for date in one.dates]
    skipped = [
        {"chip": one.chip, "date": "", "verdict": one.skipped} for one in records if one.skipped
    ]
    _write_csv(folder / DATES, ["chip", *Looked.__dataclass_fields__], [*looked, *skipped])


def summary(records: Sequence[Record], source: str) -> dict[str, Any]:
    """Counts; DatasetError where nothing could be had."""
    chosen = [date for one in records for date in one.dates if date.verdict == CHOSEN]
    skipped = [one for one in records if one.skipped]
    if not chosen:
        why = Counter(date.verdict for one in records for date in one.dates).most_common(1)
        said = skipped[0].skipped if skipped else why[0][0] if why else "no dates"
        found = f"no usable date in {len(records)} chips ({said})"
        remedy = "correct the source, or allow more cloud and missing pixels"
        raise DatasetError(complain(source, found, "at least one", remedy))
    empty = Counter(number for one in records for number in one.empty_quarters())
    return {
        "chips": len(records) - len(skipped),
        "skipped_chips": {one.chip: one.skipped for one in skipped},
        "dates": len(chosen),
        "dates_by_quarter": dict(sorted(Counter(str(quarter(one.date)) for one in chosen).items())),
        "empty_quarters": {str(number): count for number, count in sorted(empty.items())},
        "looked_at": sum(len(one.dates) for one in records),
        "files": sum(len(one.files) for one in records),
        "bytes": sum(file.size for one in records for file in one.files),
    }


def _tell(context: Context, records: Mapping[Any, Record], total: int) -> None:
    size = sum(file.size for one in records.values() for file in one.files)
    message = f"{len(records)} of {total} chips, {in_words(size)}"
    context.progress(len(records) / total, message)


def _write_csv(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    with drafted(path) as draft, draft.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
