"""LandCoverNet in a bucket, by S3's own API: listings state sizes and checksums.

Requests go by plain HTTP, so that they are repeated, resumed and throttled like all others here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode
from xml.etree import ElementTree

from nndacss.errors import InputError, complain
from nndacss.landcovernet.names import images_collection, labels_collection
from nndacss.landcovernet.remote import CHIP, PLACES, Remote, Store, content, no_continent
from nndacss.sums import Sum
from nndacss.web import Sign, Signed, Unsigned, shown

#: Seconds that a signed S3 address holds.
_HOLDS = 3600
_MD5 = re.compile(r"[0-9a-f]{32}")
#: What S3's clients and its addresses call the parts of a request for a listing.
_QUERY = {
    "Prefix": "prefix",
    "Delimiter": "delimiter",
    "ContinuationToken": "continuation-token",
    "MaxKeys": "max-keys",
}
#: Entries of a page of a listing; S3 gives no more.
PAGE = 1000


class S3Store(Store):
    """An S3 bucket, or anything that speaks S3's API."""

    def __init__(self, source: str, endpoint: str, signed: bool) -> None:
        self._bucket, _, prefix = source.removeprefix("s3://").partition("/")
        self._root = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._endpoint = endpoint.rstrip("/")
        self._client = _client(self._endpoint) if signed else None
        self._found: dict[str, str] = {}

    def chips(self, continent: str) -> tuple[str, ...]:
        """Chips whose label folder is listed."""
        collection = labels_collection(continent)
        folders = self._list(f"{self._place(continent)}{collection}/", "/")
        names = (str(entry["prefix"]).rstrip("/") for entry in folders if "prefix" in entry)
        return tuple(sorted(match[1] for name in names if (match := CHIP.search(name))))

    def label(self, continent: str, chip: str) -> Mapping[str, Remote]:
        """As listed."""
        collection = labels_collection(continent)
        prefix = f"{self._place(continent)}{collection}/{collection}_{chip}/"
        files = {name: remote for _, name, remote in self._files(prefix)}
        return {name: files[name] for name in ("labels.tif", "stac.json") if name in files}

    def images(
        self, continent: str, chip: str, bands: tuple[str, ...]
    ) -> Mapping[str, Mapping[str, Remote]]:
        """As listed."""
        collection = images_collection(continent)
        prefix = f"{self._place(continent)}{collection}/{collection}_{chip}_"
        dates: dict[str, dict[str, Remote]] = {}
        for folder, name, remote in self._files(prefix):
            band = name.removesuffix(".tif")
            if band != name and band in bands:
                dates.setdefault(folder[-8:], {})[band] = remote
        return dict(sorted(dates.items()))

    def _place(self, continent: str) -> str:
        """The prefix of a continent's collections, found once."""
        if continent not in self._found:
            collection = labels_collection(continent)
            for place in PLACES:
                base = self._root + place.format(continent)
                base = f"{base.rstrip('/')}/" if base else ""
                if next(self._list(f"{base}{collection}/", "/"), None) is not None:
                    self._found[continent] = base
                    return base
            where = f"{self._endpoint}/{self._bucket}/{self._root}"
            raise no_continent(where, continent)
        return self._found[continent]

    def _files(self, prefix: str) -> Iterator[tuple[str, str, Remote]]:
        """Folder, file name and file of all objects whose key begins so."""
        for entry in self._list(prefix, ""):
            key = str(entry["key"])
            _, folder, name = key.rsplit("/", 2)
            tag = str(entry["tag"])
            # of an object that came in pieces the tag is no checksum, and has a dash
            stated = Sum("md5", tag) if _MD5.fullmatch(tag) else None
            url, sign = self._signed("get_object", {"Bucket": self._bucket, "Key": key})
            yield folder, name, Remote(url, sign, int(entry["size"]), stated)

    def _list(self, prefix: str, delimiter: str) -> Iterator[dict[str, Any]]:
        """Entries below a prefix, page by page: `prefix`, or `key`, `size` and `tag`."""
        token = ""
        while True:
            asked: dict[str, Any] = {"Bucket": self._bucket, "Prefix": prefix, "MaxKeys": PAGE}
            asked |= {"Delimiter": delimiter} if delimiter else {}
            asked |= {"ContinuationToken": token} if token else {}
            url, sign = self._signed("list_objects_v2", asked)
            page = _xml(url, sign)
            yield from _entries(page)
            token = _text(page, "NextContinuationToken")
            if not token:
                return

    def _signed(self, operation: str, asked: Mapping[str, Any]) -> tuple[str, Sign]:
        """The address of a request, and how it is signed."""
        url = f"{self._endpoint}/{quote(self._bucket)}"
        if operation == "get_object":
            url += f"/{quote(asked['Key'])}"
        else:
            query = {_QUERY[key]: value for key, value in asked.items() if key in _QUERY}
            url += "?" + urlencode({"list-type": "2", **query}, quote_via=quote)
        if self._client is None:
            return url, Unsigned(url)
        return url, _Presigned(self._client, operation, asked)


class _Presigned:
    """An S3 request signed anew each time with the machine's credentials."""

    remedy = "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or set landcovernet.signed = false"

    def __init__(self, client: Any, operation: str, asked: Mapping[str, Any]) -> None:
        self._client, self._operation, self._asked = client, operation, dict(asked)

    def __call__(self, renew: bool) -> Signed:  # noqa: ARG002 - each signature is new
        return Signed(self._client.generate_presigned_url(self._operation, self._asked, _HOLDS))


def _client(endpoint: str) -> Any:
    """A client that signs; InputError where the machine has no credentials."""
    import botocore.session  # type: ignore[import-untyped]
    from botocore.config import Config  # type: ignore[import-untyped]

    session = botocore.session.get_session()
    if session.get_credentials() is None:
        remedy = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or landcovernet.signed = false"
        raise InputError(complain(endpoint, "no AWS credentials", "some, to sign", remedy))
    config = Config(signature_version="s3v4", s3={"addressing_style": "path"})
    return session.create_client(
        "s3", region_name="us-east-1", endpoint_url=endpoint, config=config
    )


def _xml(url: str, sign: Sign) -> ElementTree.Element:
    text = content(url, sign)
    try:
        return ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        remedy = "check landcovernet.endpoint, or give a web address as landcovernet.source"
        found = f"{text[:40]!r}..."
        raise InputError(complain(shown(url), found, "a listing of S3", remedy)) from error


def _entries(page: ElementTree.Element) -> Iterator[dict[str, Any]]:
    for element in page:
        kind = element.tag.rpartition("}")[2]
        if kind == "CommonPrefixes":
            yield {"prefix": _text(element, "Prefix")}
        elif kind == "Contents":
            tag = _text(element, "ETag").strip('"')
            yield {"key": _text(element, "Key"), "size": _text(element, "Size"), "tag": tag}


def _text(parent: ElementTree.Element, name: str) -> str:
    """The text of a child, whatever its namespace; empty where there is none."""
    for element in parent:
        if element.tag.rpartition("}")[2] == name:
            return element.text or ""
    return ""
