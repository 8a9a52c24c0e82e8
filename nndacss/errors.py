"""The error tree: one root, each class one sentence.

Every message names the file or value, what was found, what was expected and what to do.
`complain` builds such a message, so that all of them read the same.
"""

from __future__ import annotations


class NndacssError(Exception):
    """Root of everything this package raises on purpose."""


class InputError(NndacssError, ValueError):
    """A foreign product (scene, archive, metadata, band) cannot be used as it is."""


class MetadataError(InputError):
    """A metadata file is missing, truncated, of another format, or lacks a value we need."""


class BandError(InputError):
    """A band file is missing, truncated, of the wrong size or type, or of another scene."""


class ArchiveError(InputError):
    """An archive is truncated, or holds members that must not be unpacked."""


class GridError(NndacssError, ValueError):
    """A grid, area or tile name is not valid, or does not touch the scene."""


class SettingsError(NndacssError, ValueError):
    """A setting is unknown, of the wrong type or out of range."""


class OutputError(NndacssError, OSError):
    """A result cannot be written where it was asked for."""


class StageError(NndacssError, RuntimeError):
    """A stage stopped for a reason that is not the input's (killed, out of memory)."""


class WeightsError(NndacssError, ValueError):
    """Weights or their card are missing, damaged, or for other bands or classes."""


class DatasetError(InputError):
    """Labelled data are missing, damaged, of another size or grid, or hold unknown codes."""


class LossWarning(UserWarning):
    """An optional part of a product is missing; the message says what is lost by it."""


def complain(subject: object, found: str, expected: str, remedy: str) -> str:
    """One line that says which thing, what was found, what was expected and what to do.

    >>> complain("B4.TIF", "12x12 pixels", "30x30, the size the MTL states", "order it again")
    'B4.TIF: found 12x12 pixels; expected 30x30, the size the MTL states; order it again'
    """
    line = f"{subject}: found {found}; expected {expected}; {remedy}"
    return " ".join(line.split())
