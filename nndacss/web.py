"""Requests by HTTP that outlive bad moments: signed, repeated with back-off, told in plain words.

    answer = persist(url, lambda: attempt(url), progressed=lambda: False)

Secrets (signed addresses, tokens) are sent, and never shown: messages, logs and files hold
addresses as `shown` gives them. Proxies come from the environment, as urllib has it.
"""

from __future__ import annotations

import http.client
import logging
import random
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import Protocol, TypeVar
from urllib.parse import urlsplit, urlunsplit

from nndacss.errors import InputError, StageError, complain

log = logging.getLogger("nndacss")

T = TypeVar("T")

#: Tries in a row that may fail without a byte arriving.
TRIES = 5
#: Seconds before the second try; doubled for each further one, times 0.5 to 1.5 at random, so that
#: many machines do not come back at once.
FIRST_WAIT = 1.0
#: Longest wait between two tries, also where the server asks for more.
LONGEST_WAIT = 60.0
#: Seconds without a byte after which a connection counts as broken.
SILENCE = 30.0
#: Some servers refuse urllib's own name.
AGENT = "nndacss"
#: A clock that is off by more makes signatures invalid: S3 allows 15 minutes, tokens often 5.
CLOCK_SLACK = 300.0
_CONNECTION = (ssl.SSLError, TimeoutError, ConnectionError)
#: Answers that may change by themselves: timeout, too many requests, server trouble.
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_DENIED = frozenset({401, 403})


@dataclass(frozen=True)
class Signed:
    """What is really sent for an address."""

    url: str
    """With signature, where it takes one."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """With token, where it takes one; not sent on to another host."""


class Sign(Protocol):
    """How requests for one file are signed."""

    remedy: str
    """What to do where the server refuses all the same, e.g. which variable to set."""

    def __call__(self, renew: bool) -> Signed:
        """What to send; `renew`: the server has refused the last signature, make another."""
        ...


class Unsigned:
    """An address that needs no signature."""

    remedy = "look for the file on its page; where that wants a login, fetch it with a browser"

    def __init__(self, url: str) -> None:
        self._url = url

    def __call__(self, renew: bool) -> Signed:  # noqa: ARG002 - there is nothing to renew
        """The address as it is."""
        return Signed(self._url)


class BrokenError(Exception):
    """Something that another try may mend."""

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.reason, self.wait = reason, wait


class DeniedError(Exception):
    """The server refused the signature, or the lack of one."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def shown(url: str) -> str:
    """An address without what may be secret: query, user and password.

    >>> shown("https://me:word@host/band.tif?X-Amz-Signature=abc")
    'https://host/band.tif'
    """
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def persist(
    url: str,
    sign: Sign,
    attempt: Callable[[Signed], T],
    have: Callable[[], int] = lambda: 0,
) -> T:
    """What `attempt` gives, tried until it does, or until `TRIES` in a row brought no byte.

    `have` counts bytes that have arrived. A refused signature is renewed once for each time that
    bytes came. StageError where the network or the server does not answer, InputError where it
    refuses.
    """
    failed, renew = 0, False
    while True:
        before = have()
        try:
            return attempt(sign(renew))
        except DeniedError as error:
            if renew and have() == before:
                message = complain(shown(url), error.reason, "leave to read it", sign.remedy)
                raise InputError(message) from error
            renew = True
        except BrokenError as error:
            failed, renew = (1 if have() > before else failed + 1), False
            if failed >= TRIES:
                found = f"no answer after {TRIES} tries ({error.reason})"
                remedy = "check the network (and HTTPS_PROXY); what has arrived is kept"
                raise StageError(complain(shown(url), found, "the file", remedy)) from error
            wait = min(max(FIRST_WAIT * 2 ** (failed - 1), error.wait), LONGEST_WAIT)
            log.info("%s: %s; trying again", shown(url), error.reason)
            time.sleep(wait * random.uniform(0.5, 1.5) if error.wait < wait else wait)


@contextmanager
def opened(
    signed: Signed, headers: Mapping[str, str], body: bytes | None = None
) -> Iterator[http.client.HTTPResponse]:
    """The answer to one request; HTTPError 416 as it is, other trouble as one of ours.

    With a `body` it is a POST.
    """
    every = {"User-Agent": AGENT, "Accept-Encoding": "identity", **headers, **signed.headers}
    request = urllib.request.Request(signed.url, body, every)
    opener = urllib.request.build_opener(_Redirects(frozenset(signed.headers)))
    try:
        with opener.open(request, timeout=SILENCE) as answer:
            yield answer
    except urllib.error.HTTPError as error:
        if error.code == 416:
            raise
        raise _refused(signed.url, error) from error
    except (urllib.error.URLError, http.client.HTTPException, *_CONNECTION) as error:
        reason = getattr(error, "reason", "") or error or type(error).__name__
        raise BrokenError(str(reason)) from error


def remote_size(url: str, sign: Sign | None = None) -> int:
    """Bytes of a remote file, by asking for its first one; errors as `persist` has them."""

    def attempt(signed: Signed) -> int:
        try:
            with opened(signed, {"Range": "bytes=0-0"}) as answer:
                if answer.headers.get_content_type() == "text/html":
                    raise DeniedError("a web page, perhaps one that asks to log in")
                size = (
                    stated_length(answer.headers)
                    if answer.status == 206
                    else int(answer.headers.get("Content-Length") or -1)
                )
        except urllib.error.HTTPError as error:  # 416: the file is empty
            size = stated_length(error.headers)
        if size is None or size < 0:
            remedy = "fetch the file by hand, and give its folder as the scene"
            raise InputError(complain(shown(url), "an answer without a size", "one", remedy))
        return size

    return persist(url, sign or Unsigned(url), attempt)


def stated_length(headers: Message) -> int | None:
    """Of the whole file, as answers 206 and 416 state it: `bytes 0-0/1234`, `bytes */1234`."""
    stated = (headers.get("Content-Range") or "").rpartition("/")[2]
    return int(stated) if stated.isdigit() else None


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects; what was meant for one host is not told to another."""

    def __init__(self, private: frozenset[str]) -> None:
        self._private = private

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: object,
        code: int,
        msg: str,
        headers: object,
        newurl: str,
    ) -> urllib.request.Request | None:
        """The request that follows, without what the new host must not know."""
        new = super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]
        if new is not None and _origin(newurl) != _origin(req.full_url):
            for name in self._private:
                new.remove_header(name.capitalize())
        return new


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _refused(url: str, error: urllib.error.HTTPError) -> Exception:
    if error.code in _PASSING:
        return BrokenError(f"HTTP {error.code}", _asked_wait(error.headers))
    said = f"HTTP {error.code} {error.reason}"
    if error.code in _DENIED:
        return DeniedError(said + _clock(error.headers))
    return InputError(complain(shown(url), said, "a file", Unsigned.remedy))


def _asked_wait(headers: Message) -> float:
    """Seconds that `Retry-After` asks for, as a number or a date; 0 without."""
    asked = headers.get("Retry-After") or ""
    if asked.isdigit():
        return float(asked)
    moment = _moment(asked)
    return max((moment - datetime.now(UTC)).total_seconds(), 0.0) if moment else 0.0


def _clock(headers: Message) -> str:
    """A hint where this machine's clock and the server's differ by more than signatures bear."""
    theirs = _moment(headers.get("Date") or "")
    off = (datetime.now(UTC) - theirs).total_seconds() if theirs else 0.0
    if abs(off) <= CLOCK_SLACK:
        return ""
    side = "ahead of" if off > 0 else "behind"
    return f" (this machine's clock is {abs(off) / 60:.0f} minutes {side} the server's)"


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
