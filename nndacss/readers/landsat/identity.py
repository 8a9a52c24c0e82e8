"""Which product this is, from names, sizes and metadata; no raster is opened."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from nndacss.errors import InputError, complain
from nndacss.readers.landsat.files import Store, list_files, metadata_file
from nndacss.readers.landsat.metadata import Metadata, normalise
from nndacss.readers.landsat.mtl import parse
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


def _identity(store: Store, metadata: Metadata) -> SceneIdentity:
    """The product's own files are those that its metadata names, and the metadata file used."""
    stored = {store.find(name) for name in metadata.announced} | {metadata.source}
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
    )
