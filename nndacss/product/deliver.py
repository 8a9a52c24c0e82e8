"""A finished product brought to an object store: its files, and `item.json` when they are there.

What says that a product is whole comes last, as on a disk. An upload that was killed goes on: a
file that is there with the same size and content is not sent again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from nndacss.errors import OutputError, complain
from nndacss.product.bucket import PART, Bucket, Entry

ITEM = "item.json"
#: By the file's ending; browsers and STAC clients go by it.
MEDIA = {
    ".tif": "image/tiff; application=geotiff; profile=cloud-optimized",
    ".png": "image/png",
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".parquet": "application/vnd.apache.parquet",
}
_ITEM_MEDIA = "application/geo+json"


def deliver(folder: Path, bucket: Bucket, report: Callable[[float, str], None]) -> int:
    """Upload the product in `folder` as `<folder's name>/...`; bytes that were sent.

    `report` is told the share, 0..1, and a sentence. OutputError where the store refuses, or holds
    a file of another size at the end.
    """
    paths = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    files = [path for path in paths if path.is_file() and path.name != ITEM]
    there = bucket.list(f"{folder.name}/")
    todo = [path for path in files if not _same(path, there.get(f"{folder.name}/{path.name}"))]
    total, sent = sum(path.stat().st_size for path in todo), 0

    def count(size: int) -> None:
        nonlocal sent
        sent += size

    for path in todo:
        report(sent / total if total else 0.0, f"uploading {path.name}")
        kind = MEDIA.get(path.suffix, "application/octet-stream")
        bucket.upload(path, f"{folder.name}/{path.name}", kind, count)
    report(1.0, f"uploading {ITEM}")
    _check(files, bucket, folder.name)
    bucket.upload(folder / ITEM, f"{folder.name}/{ITEM}", _ITEM_MEDIA, count)
    return sent


def _check(files: list[Path], bucket: Bucket, name: str) -> None:
    """Before the item says that the product is whole: each file is there with its size."""
    there = bucket.list(f"{name}/")
    for path in files:
        entry = there.get(f"{name}/{path.name}")
        size = path.stat().st_size
        if entry is None or entry.size != size:
            found = f"{entry.size} bytes" if entry else "nothing"
            subject, remedy = f"{bucket.address}/{name}/{path.name}", "run again"
            raise OutputError(complain(subject, found, f"the {size} bytes uploaded", remedy))


def _same(path: Path, entry: Entry | None) -> bool:
    """Whether an object holds the file: by size, and by what S3 makes its ETag of.

    Stores that encrypt with keys of their own have other ETags: the file is sent again then.
    """
    if entry is None or entry.size != path.stat().st_size:
        return False
    return entry.tag == etag(path, PART if "-" in entry.tag else entry.size + 1)


def etag(path: Path, part: int) -> str:
    """MD5 of a file; of one uploaded in parts of so many bytes the MD5 of their MD5s, and a count.

    (Amazon S3 user guide, "Checking object integrity".)
    """
    sums = []
    with path.open("rb") as file:
        while block := file.read(part):
            sums.append(hashlib.md5(block, usedforsecurity=False))
    if path.stat().st_size < part:
        return sums[0].hexdigest() if sums else hashlib.md5(usedforsecurity=False).hexdigest()
    joined = b"".join(one.digest() for one in sums)
    return f"{hashlib.md5(joined, usedforsecurity=False).hexdigest()}-{len(sums)}"
