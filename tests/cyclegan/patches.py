"""Small files of pairs and of patches, without the simulation."""

from __future__ import annotations

import h5py
import numpy as np

from nndacss.domains.source import Patch, PatchRecord
from nndacss.domains.store import Header, write_store


def images(rng, count, side=16, level=0.3):
    return (level + 0.1 * rng.standard_normal((count, side, side, 4))).astype(np.float32)


def pairs_file(path, count=10, side=16, seed=0, **changed):
    """A file as the published one, with `PV` and `LU` alone."""
    rng = np.random.default_rng(seed)
    arrays = {"PV": images(rng, count, side), "LU": images(rng, count, side, 0.4)} | changed
    with h5py.File(path, "w") as file:
        for key, value in arrays.items():
            if value is not None:
                file[key] = value
    return path


def patches(count=12, side=16, seed=0, scenes=4, kind="twin"):
    """Patches where cloud is what is bright."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        cloud = (rng.random((3, side, side)) < 0.4).astype(np.float32)
        pv, lu, l8 = (0.2 + 0.5 * part[..., None] + images(rng, 1, side, 0)[0] for part in cloud)
        scene = f"{kind}-{number % scenes}"
        record = PatchRecord("made", kind, str(number % scenes), scene, 0, number)
        yield Patch(pv, lu, l8, *cloud, record)


def domains_file(path, **options):
    """A file as MakeCycleGANDataset writes it."""
    write_store(path, Header(options.get("side", 16), {"digest": "0"}), patches(**options))
    return path
