"""MTL metadata files (ODL text, JSON, XML) to one nested dictionary of strings.

The three formats carry the same groups and keys. The text format is ODL as far as the USGS uses
it: `GROUP = name`, `END_GROUP = name`, `KEY = value` on one line each, and a last line `END`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

from nndacss.errors import MetadataError, complain
from nndacss.readers.landsat.files import MAX_METADATA

#: Collection 2; Collection 1 and before.
ROOTS = ("LANDSAT_METADATA_FILE", "L1_METADATA_FILE")
_REMEDY = "order the product again, or put a whole metadata file beside the bands"

Groups = dict[str, Any]
"""Name -> text or, for a group, the same again."""


def parse(name: str, content: bytes) -> Groups:
    """The groups of the metadata file `name` (its ending says the format)."""
    if not content.strip():
        raise _fault(name, "an empty file")
    if len(content) > MAX_METADATA:
        raise _fault(name, f"more than {MAX_METADATA} bytes")
    kind = name.lower().rsplit(".", 1)[-1]
    root = {"txt": _parse_text, "json": _parse_json, "xml": _parse_xml}[kind](name, content)
    for key in ROOTS:
        if isinstance(root.get(key), dict):
            groups: Groups = root[key]
            return groups
    raise _fault(name, f"no group {' or '.join(ROOTS)}")


def _fault(name: str, found: str) -> MetadataError:
    return MetadataError(complain(name, found, "a Landsat metadata file (MTL)", _REMEDY))


def _decode(name: str, content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _fault(name, "binary data") from error
    if "\0" in text:
        raise _fault(name, "binary data")
    return text


def _parse_text(name: str, content: bytes) -> Groups:
    root: Groups = {}
    open_groups: list[tuple[str, Groups]] = [("", root)]
    for number, line in enumerate(_decode(name, content).splitlines(), start=1):
        key, equals, value = (part.strip() for part in line.partition("="))
        value = value.strip('"')
        if key == "END":
            if len(open_groups) > 1:
                raise _fault(name, f"an unclosed group {open_groups[-1][0]} at END")
            return root
        if not key:
            continue
        if not equals:
            raise _fault(name, f"a line {number} without '='; truncated or not a metadata file")
        _take(name, number, open_groups, key, value)
    raise _fault(name, "no END line; it is truncated")


def _take(
    name: str, number: int, open_groups: list[tuple[str, Groups]], key: str, value: str
) -> None:
    """One line of the text format, into the innermost open group."""
    if key == "GROUP":
        group: Groups = {}
        open_groups[-1][1][value] = group
        open_groups.append((value, group))
    elif key == "END_GROUP":
        if len(open_groups) == 1 or open_groups.pop()[0] != value:
            raise _fault(name, f"line {number} closing group {value}, which is not open")
    else:
        open_groups[-1][1][key] = value


def _parse_json(name: str, content: bytes) -> Groups:
    try:
        root = json.loads(_decode(name, content))
    except (json.JSONDecodeError, RecursionError) as error:
        raise _fault(name, f"broken JSON ({error})") from error
    if not isinstance(root, dict):
        raise _fault(name, "JSON that is not an object")
    return _as_text(root)


def _as_text(group: Mapping[str, Any]) -> Groups:
    """JSON numbers as text again, so that all three formats read alike."""
    return {
        key: _as_text(value) if isinstance(value, dict) else str(value).strip()
        for key, value in group.items()
    }


def _parse_xml(name: str, content: bytes) -> Groups:
    text = _decode(name, content)
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise _fault(name, "XML with a document type or entities")
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError) as error:
        raise _fault(name, f"broken XML ({error})") from error
    return {root.tag: _elements(root)}


def _elements(parent: ElementTree.Element) -> Groups:
    return {
        child.tag: _elements(child) if len(child) else (child.text or "").strip().strip('"')
        for child in parent
    }
