"""What decides a cleaning's result: the archive's files and a person's list, as digests."""

from __future__ import annotations

from pathlib import Path

from nndacss.clean.settings import CleanSettings
from nndacss.datasets.files import sums
from nndacss.datasets.landcovernet_files import scan
from nndacss.errors import SettingsError, complain
from nndacss.identity import digest


def fingerprints(settings: CleanSettings) -> dict[str, str]:
    """`archive`: checksums of labels and sizes of images; `overrule`: checksum of the list.

    DatasetError where there is no archive, SettingsError where the list cannot be read.
    """
    archive = scan(Path(settings.folder))
    labels = {chip: next(iter(sums([path]).values())) for chip, path in archive.labels.items()}
    images = {
        name: {band: path.stat().st_size for band, path in image.files.items()}
        for name, image in archive.images.items()
    }
    found = {"archive": digest({"labels": labels, "images": images})}
    if settings.overrule:
        path = Path(settings.overrule)
        try:
            found["overrule"] = next(iter(sums([path]).values()))
        except OSError as error:
            text, remedy = str(error.strerror), "correct clean.overrule"
            raise SettingsError(complain(path, text, "a CSV file", remedy)) from error
    return found
