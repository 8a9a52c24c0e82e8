"""The report: one file, no outside address, pictures that show something, numbers that agree."""

from __future__ import annotations

import base64
import io
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from nndacss.product import report
from nndacss.product.compare import TIMES


class Page(HTMLParser):
    """Collects what the tests ask about."""

    def __init__(self):
        super().__init__()
        self.numbers, self.images, self.addresses, self.tags = [], [], [], []
        self._open = None

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.tags.append((tag, found))
        for name in ("src", "href", "action", "poster", "data", "srcset"):
            if name in found:
                self.addresses.append(found[name])
        if tag == "img":
            self.images.append(found)
        if tag == "data":
            self._open = [found["data-key"], found["value"], ""]

    def handle_data(self, data):
        if self._open:
            self._open[2] += data

    def handle_endtag(self, tag):
        if tag == "data":
            self.numbers.append(tuple(self._open))
            self._open = None


@pytest.fixture(scope="module")
def text(product):
    return (product / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(text):
    page = Page()
    page.feed(text)
    return page


@pytest.fixture(scope="module")
def numbers(product):
    return json.loads((product / "report.json").read_text())


def value_of(numbers, key):
    for part in key.split("."):
        numbers = numbers[int(part)] if isinstance(numbers, list) else numbers[part]
    return numbers


def test_no_outside_address(page, text):
    assert page.addresses
    assert all(address.startswith("data:image/") for address in page.addresses)
    without = re.sub(r"data:image/[^\"]*", "", text)
    assert not re.search(r"(https?:)?//[a-z]|url\(|@import|<link|<iframe|src=\"/", without)


def test_every_picture_decodes_and_shows_something(page):
    assert len(page.images) >= 8
    for image in page.images:
        assert image["alt"]
        kind, _, data = image["src"].partition(";base64,")
        with Image.open(io.BytesIO(base64.b64decode(data))) as file:
            assert kind == f"data:image/{file.format.lower()}"
            pixels = np.asarray(file.convert("RGBA"))
        assert pixels.reshape(-1, 4).std(axis=0).max() > 4
        assert min(pixels.shape[:2]) > 100


def test_numbers_are_those_of_the_json(page, numbers):
    assert len(page.numbers) > 60
    keys = {key for key, _, _ in page.numbers}
    assert {"cover.classes.cloud.share", "agreement.equal_share", "seams.windows"} <= keys
    assert {f"consistency.bands.{role}.rmse" for role in ("blue", "swir22")} <= keys
    for key, exact, shown in page.numbers:
        value = value_of(numbers, key)
        assert exact == repr(value), key
        figure = re.sub(r"[^0-9.+-]", "", shown.replace("\N{MINUS SIGN}", "-"))
        if isinstance(value, (int, float)):
            decimals = len(figure.partition(".")[2])
            factor = 100 if "%" in shown else 1
            assert float(figure) == pytest.approx(value * factor, abs=0.51 * 10**-decimals), key


def test_every_section_is_there(text):
    plain = re.sub(r"<[^>]+>", " ", text)
    for words in (
        "Before and after",
        "Mask and cover",
        "no BRDF adjustment",
        "No red-edge bands",
        "What was missing, and what that costs",
        "No sun angle bands: the centre's sun is used.",
        "agree by construction",
        "Time per stage",
        "Seams",
    ):
        assert words in plain.replace("&#39;", "'"), words


def test_the_page_has_a_language_a_title_and_labelled_controls(page):
    found = dict(page.tags)
    assert found["html"]["lang"] == "en"
    assert "title" in found
    for tag, attributes in page.tags:
        if tag == "input" and attributes["type"] == "range":
            assert attributes["aria-label"]
        if tag == "svg":
            assert attributes["aria-label"]


def test_times_stand_between_volatile_comments_only(numbers):
    pictures = {"before": "data:,", "after": "data:,", "false": "data:,"}
    later = {**numbers, "seconds": {name: value + 17 for name, value in numbers["seconds"].items()}}
    first, second = (report.render(n, pictures) for n in (numbers, later))
    assert first != second
    pattern = re.escape(report.VOLATILE[0]) + ".*?" + re.escape(report.VOLATILE[1])
    stable = [re.sub(pattern, "", page, flags=re.DOTALL) for page in (first, second)]
    assert stable[0] == stable[1]
    assert "seconds" in TIMES


def test_a_scene_without_quality_bits_borders_or_losses_renders(numbers):
    seams = {**numbers["seams"], "windows": None, "parts": None}
    mask = {"method": "spectral", "provisional": True, "note": "plain thresholds"}
    bare = {**numbers, "agreement": None, "seams": seams, "losses": [], "mask": mask}
    page = report.render(bare, {"before": "data:,", "after": "data:,", "false": "data:,"})
    assert "The mask is provisional." in page
    assert "nothing to compare the mask with" in page
    assert "No part of the input was missing." in page
    assert "No cloud, shadow or snow to show." in page


def test_text_from_outside_is_escaped(numbers):
    hostile = {**numbers, "losses": ["<script>alert(1)</script>"]}
    page = report.render(hostile, {"before": "data:,", "after": "data:,", "false": "data:,"})
    assert "<script>" not in page.lower()


def test_a_class_that_is_everywhere_or_nowhere_has_no_layer():
    from nndacss.product.sheets import mask

    cloud = mask().labels[3]
    assert report.sheet_of(np.full((4, 4), 3, dtype=np.uint8), cloud) is None
    assert report.sheet_of(np.zeros((4, 4), dtype=np.uint8), cloud) is None
    assert report.sheet_of(np.eye(4, dtype=np.uint8) * 3, cloud).startswith("data:image/png")
