"""Checksums of files, in the kinds that archives state."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

#: Multihash codes (https://github.com/multiformats/multicodec, table.csv) that hashlib knows.
_MULTIHASH = {
    "11": "sha1",
    "12": "sha256",
    "13": "sha512",
    "14": "sha3_512",
    "15": "sha3_384",
    "16": "sha3_256",
    "17": "sha3_224",
    "d501": "md5",
}


@dataclass(frozen=True)
class Sum:
    """A checksum: the algorithm's name in hashlib, and lower-case hexadecimal digits."""

    algorithm: str
    value: str

    def of(self, path: Path) -> str:
        """The same kind of sum of a file, hexadecimal."""
        with path.open("rb") as file:
            return hashlib.file_digest(file, self.algorithm).hexdigest()


def multihash(text: str) -> Sum | None:
    """A checksum as STAC items state it (`file:checksum`); None where it is of an unknown kind.

    >>> multihash("d501105d41402abc4b2a76b9719d911017c592")
    Sum(algorithm='md5', value='5d41402abc4b2a76b9719d911017c592')
    """
    lower = text.lower()
    for code, algorithm in _MULTIHASH.items():
        size = hashlib.new(algorithm, usedforsecurity=False).digest_size
        value = lower.removeprefix(f"{code}{size:02x}")
        if value != lower and len(value) == 2 * size and re.fullmatch("[0-9a-f]+", value):
            return Sum(algorithm, value)
    return None
