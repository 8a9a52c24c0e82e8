"""A Sentinel-2 metadata file: elements found by name, at any depth, whatever the namespace.

The same value lies in other groups under other namespaces in each generation of products, but
under one name (or two), so groups are not looked at.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from xml.etree import ElementTree

from nndacss.errors import MetadataError, complain

REMEDY = "order the product again, or put the delivered metadata file back"


class Xml:
    """One metadata file; every fault names file and element."""

    def __init__(self, source: str, content: bytes) -> None:
        """`source` is the file's name in messages. MetadataError where it is no whole XML."""
        self.source = source
        if not content.strip():
            raise self.fault("an empty file", "a Sentinel-2 metadata file")
        # entities could make a small file huge, or read other files
        if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
            raise self.fault("a document type or entities", "plain XML, as ESA writes it")
        try:
            self.root = ElementTree.fromstring(content)
        except (ElementTree.ParseError, ValueError, LookupError) as error:
            raise self.fault(f"broken or truncated XML ({error})", "a whole file") from error

    def all(
        self, tag: str, parent: ElementTree.Element | None = None
    ) -> Iterator[ElementTree.Element]:
        """Every element of a name, in the file's order, below `parent` or anywhere."""
        for element in (self.root if parent is None else parent).iter():
            if element.tag.rsplit("}", 1)[-1] == tag:
                yield element

    def first(
        self, tag: str, parent: ElementTree.Element | None = None
    ) -> ElementTree.Element | None:
        """The first element of a name, None where there is none."""
        return next(self.all(tag, parent), None)

    def get(self, *tags: str, parent: ElementTree.Element | None = None) -> str | None:
        """The text of the first of `tags` that is there and not empty."""
        for tag in tags:
            element = self.first(tag, parent)
            if element is not None and element.text and element.text.strip():
                return element.text.strip()
        return None

    def text(self, *tags: str, parent: ElementTree.Element | None = None) -> str:
        """The text of the first of `tags`, one of which must be there."""
        value = self.get(*tags, parent=parent)
        if value is None:
            raise self.fault(f"no {' or '.join(tags)}", "it")
        return value

    def number(self, *tags: str, parent: ElementTree.Element | None = None) -> float:
        """The finite number in the first of `tags`, one of which must be there."""
        return self.as_number(tags[0], self.text(*tags, parent=parent))

    def as_number(self, tag: str, text: str) -> float:
        """A text as a finite number; `tag` says where it stands."""
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise self.fault(f"{tag} = {text}", "a number")
        return value

    def moment(self, tag: str) -> datetime:
        """A time, UTC."""
        text = self.text(tag)
        try:
            found = datetime.fromisoformat(text)
        except ValueError as error:
            raise self.fault(f"{tag} = {text}", "a date and time") from error
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)

    def fault(self, found: str, expected: str) -> MetadataError:
        """The error for a value; `found` names the element."""
        return MetadataError(complain(self.source, found, expected, REMEDY))
