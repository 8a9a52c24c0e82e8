"""Which product this is, from names, sizes and metadata; no raster is opened."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from nndacss.errors import InputError, complain
from nndacss.readers.landsat.files import Store, list_files, metadata_file
from nndacss.readers.landsat.metadata import Metadata, normalise
from nndacss.readers.landsat.mtl import parse
from nndacss.readers.landsat.names import product_in
from nndacss.readers.scene import SceneIdentity

SENSOR_NAME = "landsat8_oli"


def load(path: Path) -> tuple[Store, Metadata, SceneIdentity]:
    """Files, metadata and identity of the product at `path`."""
    if not path.exists():
        raise InputError(
            complain(path, "nothing there", "a Landsat folder or archive", "check the path")
        )
    store = list_files(path)
    source = metadata_file(store)
    metadata = normalise(source, parse(source, store.metadata[source]))
    return store, metadata, _identity(store, metadata)


def stored_name(store: Store, metadata: Metadata, name: str) -> str | None:
    """The file in `store` that the metadata call `name`; None where there is none.

    Whoever edits a product by hand may rename it and leave the old id in the announced names: a
    file that is named after the product's own id is then the one that is meant.
    """
    found = store.find(name)
    prefix = product_in(name)
    if found is None and prefix is not None:
        found = store.find(metadata.product + name.removeprefix(prefix))
    return found


def _identity(store: Store, metadata: Metadata) -> SceneIdentity:
    """The product's own files are those that its metadata names, and the metadata file used."""
    stored = {stored_name(store, metadata, name) for name in metadata.announced}
    stored.add(metadata.source)
    files = tuple(sorted((name, store.sizes[name]) for name in stored if name is not None))
    content = hashlib.sha256(store.metadata[metadata.source]).hexdigest()
    facts = {"product": metadata.product, "metadata": content, "files": files}
    canonical = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    return SceneIdentity(
        name=metadata.product,
        digest=hashlib.sha256(canonical.encode()).hexdigest(),
        level=metadata.level,
        acquired=metadata.acquired,
        sensor=SENSOR_NAME,
        key=metadata.key,
        files=files,
        square_km=_square_km(metadata),
        outline=metadata.outline,
    )


def _square_km(metadata: Metadata) -> float:
    plane = metadata.planes.get("REFLECTIVE")
    return plane.lines * plane.samples * plane.cell**2 / 1e6 if plane else 0.0
