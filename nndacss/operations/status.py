"""The work and product roots in numbers."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from nndacss.estimate import free_mb
from nndacss.operations import failures, products
from nndacss.operations.batch import Batch, batches
from nndacss.operations.roots import Root
from nndacss.operations.sizes import measure
from nndacss.stage import DONE

#: Folders of a work root that hold no stage's work.
_NOTES = ("recipes", "runs", "failures", "batches", "search")
#: Batches and reasons that are listed.
_LISTED = 5


def status(work: Path, root: Root) -> dict[str, Any]:
    """Products, work by stage, failures, batches and free space, as plain JSON; sizes in bytes."""
    disks = {"work": work, **({"products": root.disk} if root.disk else {})}
    return {
        "products": _products(root),
        "work": _work(work),
        "failures": _failures(work),
        "batches": [{"id": batch.id, **_state(batch)} for batch in batches(work)[-_LISTED:]],
        "free": {name: free_mb(disk) * 1e6 for name, disk in disks.items()},
    }


def _products(root: Root) -> dict[str, Any]:
    names = root.folders()
    found = products.find_all(root, names)
    damaged = sum(bool(product.fault) for product in found.values())
    # other folders of the user's may lie here: one of ours begins with drafts or rasters
    begun = [name for name in names if name not in found]
    unfinished = sum(any(file.endswith(".tif") for file in root.files(name)) for name in begun)
    total = sum(root.measure(name).bytes for name in found)
    counts = {"whole": len(found) - damaged, "unfinished": unfinished, "damaged": damaged}
    return {**counts, "bytes": float(total)}


def _work(work: Path) -> dict[str, Any]:
    result = {}
    for stage in sorted(work.glob("[!.]*")) if work.is_dir() else ():
        if not stage.is_dir() or stage.name in _NOTES:
            continue
        folders = [folder for folder in stage.glob("[!.]*") if folder.is_dir()]
        size = measure(stage)
        result[stage.name] = {
            "targets": len(folders),
            "finished": sum((folder / DONE).is_file() for folder in folders),
            "files": size.files,
            "bytes": size.bytes,
        }
    return result


def _failures(work: Path) -> dict[str, Any]:
    records = list(failures.load_all(work))
    reasons = Counter(f"{record.stage}: {_common(record)}" for record in records)
    listed = [{"reason": reason, "scenes": count} for reason, count in reasons.most_common(_LISTED)]
    return {"scenes": len(records), "reasons": listed}


def _common(record: failures.Failure) -> str:
    """The reason without what names the scene, so that equal ones are counted together."""
    text = record.reason
    for name in (record.place, record.target, record.scene):
        text = text.replace(name, "...") if name else text
    return text


def _state(batch: Batch) -> dict[str, Any]:
    """In words, and the counts where it came so far."""
    ended = batch.read("ended.json")
    if ended is None:
        return {"state": "running" if batch.running() else "cut off"}
    if "error" in ended:
        return {"state": f"did not get going: {ended['error']}"}
    counts = {key: ended[key] for key in ("done", "skipped", "failed", "unfinished")}
    said = ", ".join(f"{count} {key}" for key, count in counts.items() if count)
    return {"state": said or "nothing to do", **counts}
