"""What an object store says no with, in plain words: what is wrong and what to do.

Only the codes of its answers are shown, never its text, which may repeat a key.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from nndacss.errors import OutputError, complain

#: Answers to a conditional write: another writer was faster.
PASSED_BY = frozenset(
    {"PreconditionFailed", "412", "ConditionalRequestConflict", "409", "NoSuchKey"}
)
_KEYS = "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or AWS_PROFILE)"
_MAKE = "create the bucket, or correct --output-root and AWS_ENDPOINT_URL_S3"
_ROOM = "free space or raise the quota, then run again: what has arrived is kept"
#: Code -> found, expected, remedy. Codes: Amazon S3 API reference, "Error responses"; those with
#: XMinio are MinIO's, QuotaExceeded is Ceph's, 507 is HTTP's for storage that is full.
_SAID = {
    "NoSuchBucket": ("no such bucket", "one that is there", _MAKE),
    "InvalidBucketName": ("no name of a bucket", "one that is there", _MAKE),
    "InvalidAccessKeyId": ("that the store does not know the access key", "a known one", _KEYS),
    "SignatureDoesNotMatch": ("that the secret key is not the access key's", "its own", _KEYS),
    "ExpiredToken": ("that the session's token has run out", "a valid one", "log in again"),
    "InvalidToken": ("a session's token that is not valid", "a valid one", "log in again"),
    "AccessDenied": (
        "that these credentials may not do this",
        "leave to list, read, write and remove",
        f"{_KEYS}, and the bucket's policy",
    ),
    "PermanentRedirect": ("a bucket of another region", "its own region", "set AWS_REGION"),
    "AuthorizationHeaderMalformed": (
        "a bucket of another region",
        "its own region",
        "set AWS_REGION",
    ),
    "XMinioStorageFull": ("no space left in the store", "room for the product", _ROOM),
    "QuotaExceeded": ("that the store's quota is used up", "room for the product", _ROOM),
    "507": ("no space left in the store", "room for the product", _ROOM),
}
_SAME = {
    "403": "AccessDenied",
    "404": "NoSuchBucket",
    "301": "PermanentRedirect",
    "InsufficientStorage": "507",
    "XMinioAdminBucketQuotaExceeded": "QuotaExceeded",
}


def refusal(
    subject: str, answer: Mapping[str, Any], error: BaseException | None = None
) -> OutputError:
    """An error that says why `subject` cannot be listed, read or written.

    `answer` is botocore's response to a request that was refused, `error` what was raised where
    there was no answer.
    """
    if error is not None:
        return _unanswered(subject, error)
    meta = answer.get("ResponseMetadata", {})
    code = str(answer.get("Error", {}).get("Code", ""))
    status = str(meta.get("HTTPStatusCode", ""))
    if code in ("RequestTimeTooSkewed", "RequestExpired"):
        found = _clock(meta.get("HTTPHeaders", {}).get("date", ""))
        remedy = "set this machine's clock (NTP), then run again"
        return OutputError(complain(subject, found, "the store's time, within minutes", remedy))
    for key in (code, _SAME.get(code, ""), status, _SAME.get(status, "")):
        if key in _SAID:
            return OutputError(complain(subject, *_SAID[key]))
    found = f"the answer {code or 'none'} (HTTP {status or '?'})"
    remedy = "run again; what has arrived is kept"
    return OutputError(complain(subject, found, "it to be listed, read or written", remedy))


def _clock(theirs: str) -> str:
    """By how much this machine's clock is off, where the answer tells the store's time."""
    try:
        off = (datetime.now(UTC) - parsedate_to_datetime(theirs)).total_seconds() / 60
    except (TypeError, ValueError):  # no date, or one without time zone
        return "a clock that differs from the store's"
    return f"a clock {abs(off):.0f} minutes {'ahead of' if off > 0 else 'behind'} the store's"


def _unanswered(subject: str, error: BaseException) -> OutputError:
    name = type(error).__name__
    if name in ("NoCredentialsError", "PartialCredentialsError", "ProfileNotFound"):
        remedy = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
        return OutputError(complain(subject, "no credentials in the environment", "some", remedy))
    remedy = "check AWS_ENDPOINT_URL_S3 and the network; what has arrived is kept"
    return OutputError(complain(subject, f"no answer ({name})", "an object store", remedy))
