"""Which product an archive holds, remembered: a `.tar.gz` must be read to its end to be told.

A note is found again by the archive's path, size, and times of change of content and of status
(which nobody can set). So whatever is done to the file, it is read anew; and the acquire stage
reads it in any case before it unpacks it.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from nndacss.acquire.settings import VERSION
from nndacss.identity import digest, drafted
from nndacss.readers import SceneIdentity, identify

_COMPRESSED = (".gz", ".tgz")
#: Seconds for which a file must have rested: times have coarse steps on some file systems, and a
#: file that was written within one step would look the same before and after.
_REST = 10.0


def identify_once(path: Path, notes: Path | None) -> SceneIdentity:
    """`identify`, from a note in the folder `notes` where one was made of this very file."""
    if notes is None or path.suffix.lower() not in _COMPRESSED or not path.is_file():
        return identify(path)
    before = _state(path)
    known = [field.name for field in fields(SceneIdentity)]
    key = digest([VERSION, known, str(path.resolve()), before])
    note = notes / f"{key[:32]}.json"
    try:
        return _restored(json.loads(note.read_text()))
    except (OSError, ValueError, KeyError, TypeError):
        pass  # there is none, or not a whole one
    found = identify(path)
    rested = time.time() - max(before[1:]) / 1e9
    if _state(path) == before and rested > _REST and os.access(_above(notes), os.W_OK):
        with drafted(note) as draft:
            draft.write_text(json.dumps({**asdict(found), "acquired": found.acquired.isoformat()}))
    return found


def _state(path: Path) -> tuple[int, int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _above(folder: Path) -> Path:
    """The next folder above, or itself, that is there."""
    return next(one for one in (folder, *folder.absolute().parents) if one.is_dir())


def _restored(facts: dict[str, Any]) -> SceneIdentity:
    return SceneIdentity(
        **{
            **facts,
            "acquired": datetime.fromisoformat(facts["acquired"]),
            "files": tuple((str(name), int(size)) for name, size in facts["files"]),
            "outline": tuple((float(east), float(north)) for east, north in facts["outline"]),
        }
    )
