"""How an archive's files are signed for, with secrets from the environment only.

    sign = Door(provider("cdse"), item).sign("https://download.dataspace.copernicus.eu/...")

What is signed here is sent and forgotten: it enters no file, log or recipe. A signature that
the server refuses (it may have run out) is made anew once.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from nndacss.errors import InputError, complain
from nndacss.search.found import checked_item
from nndacss.search.providers import TOKEN, TOKEN_HOSTS, Provider
from nndacss.web import Sign, Signed, Unsigned, opened, persist, shown

#: Buckets outside the default region (registry.opendata.aws).
REGIONS = {
    "usgs-landsat": "us-west-2",
    "sentinel-cogs": "us-west-2",
    "e84-earth-search-sentinel-data": "us-west-2",
    "sentinel-s2-l1c": "eu-central-1",
    "sentinel-s2-l2a": "eu-central-1",
}
#: Buckets that bill whoever reads.
REQUESTER_PAYS = frozenset({"usgs-landsat", "sentinel-s2-l1c", "sentinel-s2-l2a"})
#: Seconds that a signed S3 address holds: a file of 400 MB over a slow line.
_HOLDS = 3600
_PC_TOKEN = "https://planetarycomputer.microsoft.com/api/sas/v1/token/"
_CDSE_TOKEN = (
    "https://identity.dataspace.copernicus.eu/auth/realms/CDSE/protocol/openid-connect/token"
)


def bearer(url: str) -> dict[str, str]:
    """The user's token for an API given by address, for its own hosts only; empty without."""
    token = os.environ.get(TOKEN, "")
    hosts = {host.strip() for host in os.environ.get(TOKEN_HOSTS, "").split(",")}
    parts = urlsplit(url)
    ours = {parts.netloc, parts.hostname} & hosts if hosts - {""} else {parts.netloc}
    return {"Authorization": f"Bearer {token}"} if token and ours else {}


@dataclass
class _ByRule:
    """A signature made by a function of `renew`."""

    remedy: str
    rule: Callable[[bool], Signed]

    def __call__(self, renew: bool) -> Signed:
        return self.rule(renew)


class Door:
    """The signatures for one item's files."""

    def __init__(self, archive: Provider, item: Mapping[str, Any], source: str = "") -> None:
        """`source` is where the item can be read again: an address or a file."""
        self._archive, self._item, self._source = archive, item, source
        self._tokens: dict[str, tuple[str, float]] = {}
        self._fresh: dict[str, Any] | None = None
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()  # files are fetched by several threads

    def sign(self, href: str, signed_asset: str = "") -> tuple[str, Sign]:
        """The web address of a file, and how requests for it are signed.

        `signed_asset`: its name in the item, where the item as given has a signature for it
        (which is not kept, so it is read there again). InputError where it cannot be had by web.
        """
        if href.startswith("s3://"):
            return self._s3(href)
        if urlsplit(href).scheme not in ("http", "https"):
            expected = "http(s):// or s3://"
            raise InputError(complain(shown(href), "an address", expected, "download it by hand"))
        access, host = self._archive.access, urlsplit(href).hostname or ""
        remedy = self._archive.credentials
        if access == "planetary-computer" and host.endswith(".blob.core.windows.net"):
            return href, _ByRule(remedy, lambda renew: Signed(f"{href}?{self._pc_token(renew)}"))
        if access == "copernicus" and host.endswith(".dataspace.copernicus.eu"):
            return href, _ByRule(remedy, lambda renew: Signed(href, self._cdse_token(renew)))
        if signed_asset:
            return href, _ByRule(_RUN_OUT, lambda renew: self._from_item(signed_asset, renew))
        if access == "token":
            return href, _ByRule(remedy, lambda _: Signed(href, self._token_for(href)))
        return href, Unsigned(href)

    def _token_for(self, href: str) -> dict[str, str]:
        """The user's token, for the API's own host and those that the user names."""
        own = urlsplit(href).netloc == urlsplit(self._archive.api).netloc
        return bearer(href) if own or os.environ.get(TOKEN_HOSTS) else {}

    def _s3(self, href: str) -> tuple[str, Sign]:
        """An object as an https address, signed where credentials are there."""
        bucket, _, key = href.removeprefix("s3://").partition("/")
        region = os.environ.get("AWS_REGION") or REGIONS.get(bucket, "us-east-1")
        with self._lock:
            if region not in self._clients:
                self._clients[region] = _s3_client(region)
        client = self._clients[region]
        if client is None and bucket in REQUESTER_PAYS:
            remedy = self._archive.credentials
            found = "no AWS credentials in the environment"
            raise InputError(complain(href, found, "some: its reader pays", remedy))
        signer = _S3Signer(client, bucket, key, region)
        return signer.address, signer

    def _pc_token(self, renew: bool) -> str:
        """The Planetary Computer's token for the item's collection; open to all."""
        key = os.environ.get("PC_SDK_SUBSCRIPTION_KEY", "")
        headers = {"Ocp-Apim-Subscription-Key": key} if key else {}
        url = _PC_TOKEN + str(self._item.get("collection"))
        return self._kept("pc", renew, lambda: (_json(url, Signed(url, headers)), "token"))

    def _cdse_token(self, renew: bool) -> dict[str, str]:
        """The Copernicus Data Space's token: the user's own, or one for name and password."""
        own = os.environ.get("CDSE_ACCESS_TOKEN", "")
        if own:
            return {"Authorization": f"Bearer {own}"}
        name, word = (os.environ.get(f"CDSE_{part}", "") for part in ("USERNAME", "PASSWORD"))
        if not (name and word):
            found = "no credentials in the environment"
            expected, remedy = "an account", self._archive.credentials
            raise InputError(complain(self._archive.name, found, expected, remedy))
        form = {"client_id": "cdse-public", "grant_type": "password"}
        body = urlencode({**form, "username": name, "password": word}).encode()
        token = self._kept("cdse", renew, lambda: (_post(_CDSE_TOKEN, body), "access_token"))
        return {"Authorization": f"Bearer {token}"}

    def _kept(self, name: str, renew: bool, fetch: Callable[[], tuple[Any, str]]) -> str:
        """A token, asked for once, and again when it is refused or nine minutes old."""
        with self._lock:
            token, until = self._tokens.get(name, ("", 0.0))
            if renew or time.monotonic() > until:
                answer, key = fetch()
                token = str(answer[key])
                self._tokens[name] = (token, time.monotonic() + 540)  # CDSE's hold ten minutes
            return token

    def _from_item(self, asset: str, renew: bool) -> Signed:
        """A file's address as the item has it today."""
        with self._lock:
            if renew or self._fresh is None:
                self._fresh = read_item(self._source, self._archive)
        return Signed(str((self._fresh["assets"].get(asset) or {}).get("href", "")))


_RUN_OUT = "its signature may have run out: get the item again"


class _S3Signer:
    """Signs one object's address with the machine's AWS credentials, where it has any."""

    remedy = (
        "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and that the account may read the "
        "bucket"
    )

    def __init__(self, client: Any, bucket: str, key: str, region: str) -> None:
        self._client, self._bucket, self._key, self._region = client, bucket, key, region

    @property
    def address(self) -> str:
        """Without signature, for people, and for buckets that are open to all."""
        own = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
        key = quote(self._key)
        if own:
            return f"{own.rstrip('/')}/{self._bucket}/{key}"
        return f"https://{self._bucket}.s3.{self._region}.amazonaws.com/{key}"

    def __call__(self, renew: bool) -> Signed:  # noqa: ARG002 - each signature is new
        if self._client is None:
            return Signed(self.address)
        place = {"Bucket": self._bucket, "Key": self._key}
        pays = {"RequestPayer": "requester"} if self._bucket in REQUESTER_PAYS else {}
        url = self._client.generate_presigned_url("get_object", {**place, **pays}, _HOLDS)
        return Signed(url, {"x-amz-request-payer": "requester"} if pays else {})


def _s3_client(region: str) -> Any:
    """A client that signs; None where the machine has no credentials."""
    import botocore.session  # type: ignore[import-untyped]
    from botocore.config import Config  # type: ignore[import-untyped]

    logging.getLogger("botocore").setLevel(logging.INFO)  # it would log what it signs
    session = botocore.session.get_session()
    if session.get_credentials() is None:
        return None
    path_style = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    s3 = {"addressing_style": "path" if path_style else "virtual"}
    config = Config(signature_version="s3v4", s3=s3)
    return session.create_client("s3", region_name=region, config=config)


def read_item(source: str, archive: Provider) -> dict[str, Any]:
    """A STAC item from an address or a file, as it is; InputError where it is none."""
    if not source.startswith(("http://", "https://")):
        try:
            return checked_item(source, Path(source).read_bytes())
        except OSError as error:
            found = str(error.strerror)
            raise InputError(complain(source, found, "a STAC item", "check the path")) from error
    headers = bearer(source) if archive.access == "token" else {}
    return checked_item(shown(source), json.dumps(_json(source, Signed(source, headers))))


def _json(url: str, signed: Signed) -> Any:
    """The JSON at an address."""

    def attempt(now: Signed) -> Any:
        with opened(now, {"Accept": "application/json, application/geo+json"}) as answer:
            text = answer.read()
        try:
            return json.loads(text)
        except ValueError as error:
            remedy = "check the address"
            raise InputError(complain(shown(url), "no JSON", "JSON", remedy)) from error

    rule = _ByRule("check the token or the address", lambda _: signed)
    return persist(url, rule, attempt)


def _post(url: str, body: bytes) -> Any:
    """The JSON that answers a form."""

    def attempt(signed: Signed) -> Any:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        with opened(signed, kind, body) as answer:
            return json.loads(answer.read())

    return persist(url, Unsigned(url), attempt)
