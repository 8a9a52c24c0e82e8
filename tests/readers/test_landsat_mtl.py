from __future__ import annotations

import pytest

from nndacss.errors import MetadataError
from nndacss.readers.landsat.mtl import parse
from tests.readers.recipes import Recipe, _text, _xml

TEXT = """GROUP = L1_METADATA_FILE
  GROUP = PRODUCT_METADATA
    DATE_ACQUIRED = 2013-07-07
    DATA_TYPE = "L1TP"\t
    REFLECTIVE_LINES = 300\t
  END_GROUP = PRODUCT_METADATA
END_GROUP = L1_METADATA_FILE
END
"""


def test_text_values_lose_quotes_and_tabs() -> None:
    assert parse("a_MTL.txt", TEXT.encode()) == {
        "PRODUCT_METADATA": {
            "DATE_ACQUIRED": "2013-07-07",
            "DATA_TYPE": "L1TP",
            "REFLECTIVE_LINES": "300",
        }
    }


def test_what_follows_end_does_not_matter() -> None:
    padded = TEXT.replace("\n", "\r\n") + "   \n\nrest\n"
    assert parse("a_MTL.txt", padded.encode()) == parse("a_MTL.txt", TEXT.encode())


def test_three_formats_say_the_same() -> None:
    import json

    groups = Recipe().groups()
    text = parse("a_MTL.txt", _text(groups).encode())
    assert parse("a_MTL.json", json.dumps(groups).encode()) == text
    assert parse("a_MTL.xml", _xml(groups).encode()) == text
    assert text["PRODUCT_CONTENTS"]["COLLECTION_NUMBER"] == "02"


def test_json_numbers_become_text() -> None:
    content = b'{"L1_METADATA_FILE": {"A": {"X": 2e-05, "N": 7, "S": " t "}}}'
    assert parse("a_MTL.json", content) == {"A": {"X": "2e-05", "N": "7", "S": "t"}}


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("a_MTL.txt", b"", "empty"),
        ("a_MTL.txt", b"  \n", "empty"),
        ("a_MTL.txt", bytes(range(256)), "binary"),
        ("a_MTL.txt", b"GROUP = L1_METADATA_FILE\n\0\0", "binary"),
        ("a_MTL.txt", TEXT[:120].encode(), "truncated|without '='|no END"),
        ("a_MTL.txt", TEXT.replace("END\n", "").encode(), "no END line"),
        ("a_MTL.txt", TEXT.replace("END_GROUP = L1_METADATA_FILE\n", "").encode(), "unclosed"),
        ("a_MTL.txt", TEXT.replace("END_GROUP = PRODUCT_METADATA\n", "").encode(), "closing"),
        ("a_MTL.txt", TEXT.replace("  END_GROUP = P", "  END_GROUP = Q").encode(), "not open"),
        ("a_MTL.txt", b"<html>Service Unavailable</html>", "without '='"),
        ("a_MTL.txt", TEXT.replace("L1_METADATA_FILE", "OTHER").encode(), "no group"),
        ("a_MTL.txt", b"A" * (2**22 + 1), "more than"),
        ("a_MTL.json", b'{"L1_METADATA_FILE": {', "broken JSON"),
        ("a_MTL.json", b"[1]", "not an object"),
        ("a_MTL.json", b"[" * 100_000, "broken JSON"),
        ("a_MTL.json", b'{"L1_METADATA_FILE": "x"}', "no group"),
        ("a_MTL.xml", b"<LANDSAT_METADATA_FILE><A>", "broken XML"),
        ("a_MTL.xml", b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', "entities"),
    ],
)
def test_faulty_files_are_told(name: str, content: bytes, found: str) -> None:
    with pytest.raises(MetadataError, match=rf"^{name}: .*({found})") as error:
        parse(name, content)
    assert "\n" not in str(error.value)


def test_every_truncation_of_a_text_file_is_noticed() -> None:
    content = _text(Recipe().groups()).encode()
    for end in range(0, len(content) - 4, 37):
        with pytest.raises(MetadataError):
            parse("a_MTL.txt", content[:end])
