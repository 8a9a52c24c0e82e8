"""Landsat-8/9: pre-collection, Collection 1 and 2, Level 1 (TOA) and Level 2 (SR).

A product is a folder, a `.tar` or a `.tar.gz`, as the USGS delivers it. `names` reads product
names, `files` lists and unpacks, `mtl` and `metadata` read the MTL file, `georeference` makes
grids, `layers` reads windows, `quality` decodes bits, `scene` puts it together. Importing this
package, `identify` and `find_l1` load neither numpy nor rasterio.
"""

from __future__ import annotations

from pathlib import Path

from nndacss.errors import NndacssError
from nndacss.readers.landsat import files
from nndacss.readers.landsat.identity import load
from nndacss.readers.landsat.names import find_l1, is_archive, is_product_file, product_in
from nndacss.readers.scene import Reader, Scene, SceneIdentity


class LandsatReader:
    """How a Landsat-8/9 folder or archive becomes a Scene."""

    expects = "a Landsat-8/9 folder, .tar or .tar.gz with its *_MTL.txt, .json or .xml"

    def recognises(self, path: Path) -> bool:
        """Whether names alone say that this is a Landsat-8/9 product; never raises."""
        try:
            if path.is_file() and is_archive(path) and product_in(path.name):
                return True
            if path.is_dir() or (path.is_file() and is_archive(path)):
                return any(is_product_file(name) for name in files.list_files(path).sizes)
        except (NndacssError, OSError):
            return False
        return False

    def identify(self, path: Path) -> SceneIdentity:
        """Identity from names, sizes and metadata."""
        return load(path)[2]

    def open(self, path: Path, l1: Path | None = None) -> Scene:
        """The scene; `l1` is the Level-1 product of the same acquisition as a Level-2 `path`."""
        from nndacss.readers.landsat.scene import open_landsat

        return open_landsat(path, l1)

    def find_l1(self, path: Path) -> Path | None:
        """The Level-1 product beside a Level-2 one, by name."""
        return find_l1(path)

    def unpack(self, path: Path, folder: Path) -> Path:
        """The product's files of an archive as the new folder `folder`: all of them, or none."""
        return files.unpack(path, folder)


READER: Reader = LandsatReader()
