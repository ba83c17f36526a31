"""What a far end says when it fails, in any protocol: read safely, classed by status and words.

A wire reads its own error's shape and gives the words here; what is the same for all of them (statuses,
`retry-after`, keys that must not be shown, pages of HTML) is told once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from headrace.core.chunk import Failure
from headrace.errors import (
    AuthError,
    BadRequest,
    ContentBlocked,
    ContextOverflow,
    ProviderError,
    RateLimited,
    Unavailable,
    WireError,
)
from headrace.wire.reading import UNREADABLE

MAX_RAW_BYTES = 4096
MAX_MESSAGE_CHARS = 1000
QUOTED_CHARS = 120

_KEYS = re.compile(
    r"(?i)\bbearer\s+[^\s\"',]+|\b(?:sk|pk|gsk|csk|xai|pplx|hf|nvapi|fw|key)[-_][\w*.\-]{6,}|\bAIza[\w*\-]{10,}"
)
_CONTEXT = re.compile(
    r"(?i)context_length|maximum context|context (?:length|window|size)|prompt is too long"
    r"|too many (?:input )?tokens|must have less than \d+ tokens|exceeds? (?:the )?(?:available )?context"
    r"|`inputs` tokens \+ `max_new_tokens` must be"
)
_BLOCKED = re.compile(r"(?i)content_?filter|content_policy|moderation|flagged")
_QUOTA = re.compile(r"(?i)insufficient[_ ](?:quota|balance|credits)|billing|exceeded your current quota")
_TITLE = re.compile(r"(?is)<title[^>]*>(.*?)</title>")


class Complaint(msgspec.Struct, frozen=True):
    """What an error says, read from a wire's own shape.

    message: for people. code: the vendor's word for the class of error. field: what it blames.
    """

    message: str = ""
    code: str = ""
    field: str = ""


def read_answer(body: bytes, headers: Mapping[str, str]) -> Any:
    """An error's body as JSON; else as text, a page of HTML by its title. headers: names in lower case."""
    try:
        return msgspec.json.decode(body)
    except UNREADABLE:
        text = body[:MAX_RAW_BYTES].decode("utf-8", "replace").strip()
    if "html" in headers.get("content-type", "").lower() or text[:1] == "<":
        title = _TITLE.search(text)
        return f"an HTML page ({' '.join(title[1].split())})" if title else "an HTML page"
    return text


def answered_badly(
    complaint: Complaint,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    provider: str,
    kind: type[ProviderError] | None = None,
) -> Failure:
    """The failure for an HTTP answer that is not a good stream. headers: names in lower case.

    kind: the class, where the wire's own word tells it better than the status.
    """
    who = provider or "the provider"
    said = f"{who} answered {status}: {safe(complaint.message) or 'no message'}"
    if status < 300:
        failure = Failure.of(WireError(said, code="unexpected_answer"))
        return msgspec.structs.replace(failure, detail={**failure.detail, "raw": _raw(body)})
    retryable: bool | None = None
    if kind is None:
        kind, retryable = class_of(complaint, status)
    error = kind(
        said,
        code=complaint.code,
        retryable=retryable,
        http_status=_http_status(kind, status),
        provider=provider,
        status=status,
        retry_after_s=retry_after_s(headers),
    )
    return _with_raw(Failure.of(error), complaint, body)


def complained(complaint: Complaint, kind: type[ProviderError] | None, raw: bytes) -> Failure:
    """The failure for an error inside a stream that had begun with 200; kind: by the wire's own word."""
    said = f"the provider sent an error inside the stream: {safe(complaint.message) or 'no message'}"
    retryable: bool | None = None
    if kind is None:
        kind, retryable = class_of(complaint, None)
    return _with_raw(Failure.of(kind(said, code=complaint.code, retryable=retryable)), complaint, raw)


def class_of(complaint: Complaint, status: int | None) -> tuple[type[ProviderError], bool | None]:
    """The class of an error, and whether a retry makes sense where that differs from the class's default."""
    words = f"{complaint.code} {complaint.message}"
    if status == 402 or (status in (None, 403, 429) and _QUOTA.search(words)):
        return RateLimited, False  # waiting brings no money
    # Ollama and llama.cpp answer 500 to a prompt that is too long
    if status not in (401, 403, 404, 429) and _CONTEXT.search(words):
        return ContextOverflow, None
    if status in (None, 400, 403, 413, 422) and _BLOCKED.search(words):
        return ContentBlocked, None
    return by_status(status), None


def by_status(status: int | None) -> type[ProviderError]:
    """The class that an HTTP status alone tells; no status is an error of the server's."""
    if status in (401, 403, 407):
        return AuthError
    if status == 429:
        return RateLimited
    if status is None or status in (408, 409, 425) or status >= 500:
        return Unavailable
    return BadRequest


def _http_status(kind: type[ProviderError], status: int) -> int | None:
    """What our own client should see: the provider's word where it concerns the request, a gateway's else."""
    if kind is BadRequest and 400 <= status < 500:
        return status
    if kind is Unavailable and status in (503, 504):
        return status
    return None


def broken(data: bytes, number: int, why: str) -> Failure:
    """The failure for the `number`-th event, which breaks the wire, with the beginning of it."""
    text = safe(data[: 4 * QUOTED_CHARS].decode("utf-8", "replace"), QUOTED_CHARS)
    return Failure.of(WireError(f"event {number} of the stream: {why}: {text}"))


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait as `retry-after-ms` or `retry-after` says (a number, or a date against `date`).

    headers: names in lower case. Returns None where they say nothing readable.
    """
    for name, unit_s in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            wait_s = float(headers.get(name, "")) * unit_s
        except ValueError:
            continue
        if 0 <= wait_s < 1e9:
            return wait_s
    until, now = headers.get("retry-after"), headers.get("date")
    if until is None or now is None:
        return None
    from email.utils import parsedate_to_datetime  # slow to import, rarely needed

    try:
        return max(0.0, (parsedate_to_datetime(until) - parsedate_to_datetime(now)).total_seconds())
    except (ValueError, TypeError):
        return None


def safe(text: str, limit_chars: int = MAX_MESSAGE_CHARS) -> str:
    """The text without anything that looks like a key, cut to a readable length."""
    clean = _KEYS.sub("***", text)
    return clean if len(clean) <= limit_chars else clean[:limit_chars] + "..."


def _raw(body: bytes) -> str:
    return safe(body[:MAX_RAW_BYTES].decode("utf-8", "replace"), MAX_RAW_BYTES)


def _with_raw(failure: Failure, complaint: Complaint, body: bytes) -> Failure:
    detail = {**failure.detail, "raw": _raw(body)}
    if complaint.field:
        detail["field"] = complaint.field
    return msgspec.structs.replace(failure, detail=detail)
