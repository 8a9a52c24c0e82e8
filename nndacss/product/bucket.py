"""A place in an S3-compatible object store: objects listed, read, written whole, and removed.

Credentials, region and endpoint come from the environment or the profile, as everywhere with AWS:
`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_PROFILE`, `AWS_REGION`,
`AWS_ENDPOINT_URL_S3` (for stores other than Amazon's). They are never part of an address, a
message or a file. Requests are repeated with back-off by botocore (`AWS_MAX_ATTEMPTS`, 6).
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nndacss.errors import SettingsError, complain
from nndacss.product.refusals import PASSED_BY, refusal

#: Bytes from which a file goes in parts, and of a part: S3 allows 10,000 parts of 5 MiB or more.
PART = 16 * 2**20
#: Parts of one file that are on their way at a time, each held in memory.
_AT_ONCE = 4
#: Objects that one request may remove.
_MOST = 1000
_ADDRESS = re.compile(
    r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?P<prefix>(/[\w.=+!~,-]+)*)/?"
)


@dataclass(frozen=True)
class Entry:
    """One object, as a listing has it."""

    size: int
    """Bytes."""
    modified: float
    """Seconds since 1970."""
    tag: str
    """ETag without quotes; changes with the content."""


@dataclass(frozen=True)
class Upload:
    """A file that somebody began to upload in parts; unseen by listings, yet paid for."""

    key: str
    id: str
    begun: float
    """Seconds since 1970."""


def is_bucket(place: str) -> bool:
    """Whether a product root is meant to lie in an object store."""
    return "://" in place


def split_address(address: str) -> tuple[str, str]:
    """Bucket and prefix of `s3://bucket/some/prefix`; SettingsError where it is no such address.

    >>> split_address("s3://products/l8/2026/"), split_address("s3://products")
    (('products', 'l8/2026'), ('products', ''))
    """
    match = _ADDRESS.fullmatch(address)
    if match is None:
        # what stands there may hold a key or a signature: it is not repeated
        found = f"an address that begins with {address.partition('://')[0]}://"
        remedy = "give keys by AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, never in the address"
        expected = "a folder, or s3://bucket/prefix"
        raise SettingsError(complain("product root", found, expected, remedy))
    return match["bucket"], match["prefix"].strip("/")


class Bucket:
    """All objects whose key begins with a prefix; keys are told and taken without it."""

    def __init__(self, address: str) -> None:
        self.name, prefix = split_address(address)
        self._prefix = f"{prefix}/" if prefix else ""
        self.address = f"s3://{self.name}/{prefix}".rstrip("/")
        self._client = _client()

    def web(self, key: str) -> str:
        """Address of an object for browsers, without signature."""
        endpoint = self._client.meta.endpoint_url.rstrip("/")
        return f"{endpoint}/{self.name}/{self._prefix}{key}"

    def list(self, below: str = "") -> dict[str, Entry]:
        """Key -> object, of all that begin with `below`; a thousand to a request."""
        pages = self._client.get_paginator("list_objects_v2")
        found = {}
        with self._telling(below):
            for page in pages.paginate(Bucket=self.name, Prefix=self._prefix + below):
                for one in page.get("Contents", ()):
                    key = one["Key"].removeprefix(self._prefix)
                    moment = one["LastModified"].timestamp()
                    found[key] = Entry(one["Size"], moment, one["ETag"].strip('"'))
        return found

    def entry(self, key: str) -> Entry | None:
        """One object, asked for by itself; None where it is not there."""
        with self._telling(key), _absent_is_none() as result:
            one = self._client.head_object(**self._at(key))
            moment = one["LastModified"].timestamp()
            result.append(Entry(one["ContentLength"], moment, one["ETag"].strip('"')))
        return result[0] if result else None

    def read(self, key: str) -> tuple[bytes, str] | None:
        """Content and tag of an object; None where it is not there."""
        with self._telling(key), _absent_is_none() as result:
            answer = self._client.get_object(**self._at(key))
            result.append((answer["Body"].read(), answer["ETag"].strip('"')))
        return result[0] if result else None

    def upload(
        self, path: Path, key: str, kind: str, sent: Callable[[int], None] | None = None
    ) -> None:
        """A file as an object, large ones in parts; there as a whole or not at all.

        `kind` is its media type; `sent` is told bytes as they go. The server checks every part
        against a checksum (CRC-32).
        """
        from boto3.s3.transfer import TransferConfig  # type: ignore[import-untyped]

        how = TransferConfig(PART, _AT_ONCE, PART)
        more = {"ContentType": kind}
        with self._telling(key), path.open("rb") as file:
            self._client.upload_fileobj(
                file, self.name, self._prefix + key, more, Callback=sent, Config=how
            )

    def swap(self, key: str, content: bytes, kind: str, tag: str | None) -> bool:
        """Write an object if it still is the one with `tag` (None: if there is none).

        False where another was faster. A server that knows no conditions writes in any case.
        """
        condition = {"IfMatch": f'"{tag}"'} if tag else {"IfNoneMatch": "*"}
        what = {**self._at(key), "Body": content, "ContentType": kind}
        with self._telling(key):
            try:
                self._client.put_object(**what, **condition)
            except self._client.exceptions.ClientError as error:
                code = _code(error)
                if code in PASSED_BY:
                    return False
                if code not in ("NotImplemented", "501"):
                    raise
                self._client.put_object(**what)
        return True

    def remove(self, keys: Iterable[str]) -> None:
        """Remove objects; those that are gone already are passed over."""
        listed = [{"Key": self._prefix + key} for key in keys]
        for begin in range(0, len(listed), _MOST):
            some = {"Objects": listed[begin : begin + _MOST], "Quiet": True}
            with self._telling(listed[begin]["Key"].removeprefix(self._prefix)):
                answer = self._client.delete_objects(Bucket=self.name, Delete=some)
                for wrong in answer.get("Errors", ()):
                    key = str(wrong["Key"]).removeprefix(self._prefix)
                    raise refusal(f"{self.address}/{key}", {"Error": wrong})

    def uploads(self) -> Iterator[Upload]:
        """Files whose upload in parts was begun and not ended."""
        pages = self._client.get_paginator("list_multipart_uploads")
        with self._telling(""):
            for page in pages.paginate(Bucket=self.name, Prefix=self._prefix):
                for one in page.get("Uploads", ()):
                    key = one["Key"].removeprefix(self._prefix)
                    yield Upload(key, one["UploadId"], one["Initiated"].timestamp())

    def forget(self, upload: Upload) -> None:
        """Drop the parts of an upload that nobody will end."""
        with self._telling(upload.key), _absent_is_none():
            self._client.abort_multipart_upload(**self._at(upload.key), UploadId=upload.id)

    def _at(self, key: str) -> Mapping[str, Any]:
        return {"Bucket": self.name, "Key": self._prefix + key}

    @contextmanager
    def _telling(self, key: str) -> Iterator[None]:
        """The store's refusals as errors of ours."""
        from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

        try:
            yield
        except ClientError as error:
            raise refusal(f"{self.address}/{key}".rstrip("/"), error.response) from error
        except BotoCoreError as error:
            raise refusal(self.address, {}, error) from error


def _code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def _absent_is_none() -> Iterator[list[Any]]:
    """A list for the one result; it stays empty where the object is not there."""
    from botocore.exceptions import ClientError

    try:
        yield []
    except ClientError as error:
        if _code(error) not in ("404", "NoSuchKey", "NoSuchUpload"):
            raise


def _client() -> Any:
    """A client of this process: connections must not be shared with forked ones."""
    import boto3  # type: ignore[import-untyped]
    from botocore.config import Config  # type: ignore[import-untyped]

    for name in ("boto3", "botocore", "s3transfer", "urllib3"):
        # they would log what they sign
        logging.getLogger(name).setLevel(logging.WARNING)
    own = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    attempts = int(os.environ.get("AWS_MAX_ATTEMPTS", "6"))
    config = Config(
        signature_version="s3v4",
        connect_timeout=10,
        read_timeout=60,
        retries={"mode": "standard", "total_max_attempts": attempts},
        s3={"addressing_style": "path" if own else "auto"},
    )
    region = os.environ.get("AWS_REGION")  # boto3 itself reads AWS_DEFAULT_REGION and profiles
    session = boto3.session.Session(region_name=region)
    return session.client("s3", region_name=session.region_name or "us-east-1", config=config)
