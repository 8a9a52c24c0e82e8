"""How a source of the bank is read: a folder of masks, or a labelled data set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from nndacss import entries
from nndacss.datasets import Dataset
from nndacss.datasets.files import sums
from nndacss.entries import Origin
from nndacss.errors import DatasetError, SettingsError, complain
from nndacss.mask_bank.settings import Entry
from nndacss.plugins import load

if TYPE_CHECKING:
    from nndacss.inpaint.harvest import Found, Sizes

#: The kind of a folder of masks; all others are data sets.
MASKS = "masks"
_SUFFIXES = frozenset({".png", ".tif", ".tiff"})


class MaskFolder(Origin):
    """Options: a folder of masks, see `nndacss.inpaint.harvest` for their codes."""

    folder: Path
    """Searched for .png and .tif files, in any sub-folder."""
    metres: float = Field(default=20.0, gt=0)
    """Pixel size of files without a georeference."""

    def names(self) -> tuple[str, ...]:
        """Paths below the folder, sorted."""
        files = sorted(file for file in self.folder.rglob("*") if file.suffix.lower() in _SUFFIXES)
        if not files:
            found = "none" if self.folder.is_dir() else f"no such folder (from {Path.cwd()})"
            expected = "a folder of .png or .tif masks"
            raise DatasetError(complain(self.folder, found, expected, "check the path"))
        return tuple(str(file.relative_to(self.folder)) for file in files)

    def fingerprint(self) -> Mapping[str, Any]:
        """Paths and sums of the files: they are labels, which people edit."""
        masks = {name: sums([self.folder / name]) for name in self.names()}
        return {"masks": masks, "metres": self.metres}


def build(entry: Entry, location: Mapping[str, str] | None = None) -> Origin:
    """The source of an entry; `location` is the order's, where its paths are not in the entry.

    SettingsError for a wrong option, or data with labels of other classes.
    """
    kind: type[Origin] = MaskFolder if entry.kind == MASKS else load("datasets", entry.kind)
    origin = entries.build(entry, kind, "mask_bank.sources", location)
    if isinstance(origin, Dataset) and origin.scheme != "climate":
        found = f"labels of scheme {origin.scheme}"
        remedy = "remove the source"
        raise SettingsError(
            complain(f"[[mask_bank.sources]] {entry.title}", found, "climate", remedy)
        )
    return origin


def found_in(origin: Origin, name: str, sizes: Sizes, *, pairs: bool) -> Iterator[Found]:
    """The masks of one unit of a source that `sizes` keep; DatasetError where it is damaged."""
    from nndacss.inpaint.harvest import of_labels, of_raster, pairs_of

    if isinstance(origin, MaskFolder):
        yield from filter(sizes.suit, of_raster(origin.folder / name, origin.metres))
    elif isinstance(origin, Dataset):
        sample = origin.load(name)
        title = f"{sample.scene}/{name}"
        yield from filter(sizes.suit, of_labels(sample.sets, title, sample.metres))
        if pairs:
            azimuth = None if sample.sun is None else sample.sun[1]
            yield from pairs_of(sample.sets, title, sample.metres, azimuth, sizes)
