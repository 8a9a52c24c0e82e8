"""What a search gives: items, without secrets, and with the Level-1 twin where there is one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from nndacss.errors import InputError, complain
from nndacss.identity import drafted

Item = Mapping[str, Any]

#: Says in an asset that its address had a signature, which is not kept.
SIGNED = "nndacss:signed"
#: Parts of an address that let its holder in: AWS, Azure, Google and CloudFront signatures, tokens.
_SECRET = frozenset(
    {
        *("x-amz-signature", "x-amz-credential", "x-amz-security-token", "x-amz-date"),
        *("x-amz-expires", "x-amz-algorithm", "x-amz-signedheaders", "awsaccesskeyid"),
        *("x-goog-signature", "x-goog-credential", "googleaccessid", "requestsignature"),
        *("sig", "se", "sp", "sr", "st", "sv", "skoid", "sktid", "skt", "ske", "sks", "skv"),
        *("signature", "policy", "key-pair-id", "expires", "token", "access_token", "apikey"),
        *("api_key", "key", "subscription-key", "password", "auth", "authorization"),
    }
)


@dataclass(frozen=True)
class Found:
    """One scene of an archive."""

    id: str
    """The agency's product id, or the item's where that is not known."""
    item: Item
    """The STAC item as JSON, its addresses without signatures."""
    collection: str
    datetime: str
    """Of the acquisition, ISO 8601, UTC."""
    cloud_cover: float | None
    """Percent."""
    assets: Mapping[str, str] = field(default_factory=dict)
    """Name in the item -> address."""
    l1: Found | None = None
    """The Level-1 product of the same acquisition, which brings the pan band."""

    def record(self) -> dict[str, Any]:
        """As it stands in a `scenes.json`."""
        l1 = self.l1.record() if self.l1 else None
        return {"id": self.id, "source": "stac", "item": self.item, "l1": l1}


def unsigned(url: str) -> str:
    """An address without the parts that let its holder in.

    >>> unsigned("https://host/B02.tif?sig=abc&version=2")
    'https://host/B02.tif?version=2'
    """
    parts = urlsplit(url)
    if not (parts.query or "@" in parts.netloc):
        return url
    kept = [(key, value) for key, value in parse_qsl(parts.query) if key.lower() not in _SECRET]
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, urlencode(kept), parts.fragment))


def without_secrets(value: Any) -> Any:
    """JSON in which every address has gone through `unsigned`.

    Where that took something away from an asset's, the asset says so as `SIGNED`.
    """
    if isinstance(value, Mapping):
        clean = {key: without_secrets(inner) for key, inner in value.items()}
        changed = "href" in value and "rel" not in value and clean["href"] != value["href"]
        return {**clean, SIGNED: True} if changed else clean
    if isinstance(value, list | tuple):
        return [without_secrets(inner) for inner in value]
    if isinstance(value, str) and value.startswith(("http://", "https://", "s3://")):
        return unsigned(value)
    return value


def own_address(item: Item) -> str:
    """Where the archive has the item (its `self` link); empty where it does not say."""
    links = item.get("links") or ()
    return next((str(link["href"]) for link in links if link.get("rel") == "self"), "")


def save_scenes(found: Sequence[Found], path: Path) -> Path:
    """Write a list of scenes for a batch, whole or not at all."""
    with drafted(path) as draft:
        draft.write_text(json.dumps([scene.record() for scene in found], indent=1))
    return path


def is_item(value: Any) -> bool:
    """Whether JSON is a STAC item."""
    return (
        isinstance(value, dict)
        and value.get("type") == "Feature"
        and isinstance(value.get("assets"), dict)
        and isinstance(value.get("id"), str)
    )


def checked_item(source: object, text: str | bytes) -> dict[str, Any]:
    """The STAC item in a text; InputError where it is none."""
    remedy = "give the address or file of one item, with its assets"
    try:
        value = json.loads(text)
    except ValueError as error:
        raise InputError(complain(source, f"no JSON ({error})", "a STAC item", remedy)) from error
    if not is_item(value):
        kind = value.get("type", "an object") if isinstance(value, dict) else type(value).__name__
        raise InputError(complain(source, f"{kind}", "a STAC item (a Feature)", remedy))
    item: dict[str, Any] = value
    return item
