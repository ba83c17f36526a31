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
from headrace.core.excerpt import excerpt
from headrace.errors import (
    AuthError,
    BadRequest,
    ContentBlocked,
    ContextOverflow,
    ProviderError,
    RateLimited,
    Truncated,
    Unavailable,
    WireError,
)
from headrace.wire.halves import read_mended
from headrace.wire.reading import UNREADABLE

MAX_READ_CHARS = 65536  # of a text that is searched for keys
MAX_RAW_CHARS = 4096
MAX_MESSAGE_CHARS = 1000
MAX_WORD_CHARS = 200
QUOTED_CHARS = 120
CUT_WORD = Truncated.kind  # the code that a Headrace in front of this one writes for a stream that was cut
MAX_WAIT_S = 1e9  # a longer one (31 years) is no wait but a mistake

_KEYS = re.compile(
    r"(?i)\bbearer\s+[^\s\"',]+|\b(?:sk|pk|gsk|csk|xai|pplx|hf|nvapi|fw|key)[-_][\w*.\-]{6,}|\bAIza[\w*\-]{10,}"
)
CONTEXT = re.compile(
    r"(?i)context_length|maximum context|context (?:length|window|size)|(?:prompt|input) is too long"
    r"|too many (?:input )?tokens|must have less than \d+ tokens|exceeds? (?:the )?(?:available )?context"
    r"|`inputs` tokens \+ `max_new_tokens` must be"
)
BLOCKED = re.compile(
    r"(?i)content_?filter|content_policy|content_blocked|responsibleai|moderation|content exists risk|flagged"
)
QUOTA = re.compile(r"(?i)insufficient[_ ](?:quota|balance|credits)|billing|exceeded your current quota")
_TITLE = re.compile(r"(?is)<title[^>]*>(.*?)</title>")


class Misplaced(Exception):
    """An event that has no place where it stands, or is not what it must be: the text says why."""


class Complaint(msgspec.Struct, frozen=True):
    """What an error says, read from a wire's own shape.

    message: for people. code: the vendor's word for the class of error. field: what it blames.
    told: whether it is an error in the wire's own shape, and not just anything that came.
    """

    message: str = ""
    code: str = ""
    field: str = ""
    told: bool = False


def read_answer(body: bytes, headers: Mapping[str, str]) -> Any:
    """An error's body as JSON; else as text, a page of HTML by its title. headers: names in lower case."""
    try:
        return read_mended(body)
    except UNREADABLE:
        text = body.decode("utf-8", "replace").strip()
    if "html" in headers.get("content-type", "").lower() or text[:1] == "<":
        title = _TITLE.search(excerpt(text, MAX_RAW_CHARS))
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
    said = answer_said(provider, status, safe(complaint.message), headers)
    if status < 300 and not complaint.told:
        failure = Failure.of(WireError(said, code="unexpected_answer"))
        return msgspec.structs.replace(failure, detail={**failure.detail, "raw": raw_text(body)})
    retryable: bool | None = None
    if kind is None:
        kind, retryable = class_of(complaint, status if status >= 300 else None)
    error = kind(
        said,
        code=excerpt(complaint.code, MAX_WORD_CHARS),
        retryable=retryable,
        http_status=client_status(kind, status),
        provider=provider,
        status=status,
        retry_after_s=retry_after_s(headers),
    )
    return _with_raw(Failure.of(error), complaint, body)


def answer_said(provider: str, status: int, message: str, headers: Mapping[str, str]) -> str:
    """What an answer that is not a good stream said, for people. headers: names in lower case."""
    said = f"{provider or 'the provider'} answered {status}: {message or 'no message'}"
    if not 300 <= status < 400:
        return said
    # Another address, or a copy that nobody has: what was asked is not where the requests go.
    to = headers.get("location", "")
    points = f" (it points to {excerpt(to, MAX_WORD_CHARS)})" if to else ""
    return f"{said}{points}; redirects are not followed: check its base_url"


def complained(complaint: Complaint, kind: type[ProviderError] | None, raw: bytes) -> Failure:
    """The failure for an error inside a stream that had begun with 200; kind: by the wire's own word."""
    said = f"the provider sent an error inside the stream: {safe(complaint.message) or 'no message'}"
    if complaint.code == CUT_WORD:
        return _with_raw(Failure.of(Truncated(said, code=complaint.code)), complaint, raw)
    retryable: bool | None = None
    if kind is None:
        kind, retryable = class_of(complaint, None)
    code = excerpt(complaint.code, MAX_WORD_CHARS)
    return _with_raw(Failure.of(kind(said, code=code, retryable=retryable)), complaint, raw)


def class_of(complaint: Complaint, status: int | None) -> tuple[type[ProviderError], bool | None]:
    """The class of an error, and whether a retry makes sense where that differs from the class's default."""
    words = f"{complaint.code} {complaint.message}"
    if status == 402 or (status in (None, 403, 429) and QUOTA.search(words)):
        return RateLimited, False  # waiting brings no money
    # Ollama and llama.cpp answer 500 to a prompt that is too long
    if status not in (401, 403, 404, 429) and CONTEXT.search(words):
        return ContextOverflow, None
    if status in (None, 400, 403, 413, 422) and BLOCKED.search(words):
        return ContentBlocked, None
    return by_status(status), None


def by_status(status: int | None) -> type[ProviderError]:
    """The class that an HTTP status alone tells; no status is an error of the server's."""
    if status in (401, 403, 407):
        return AuthError
    if status == 429:
        return RateLimited
    if status is not None and 300 <= status < 400:
        return ProviderError  # our configuration is wrong, not the client's request
    if status is None or status in (408, 409, 425) or status >= 500:
        return Unavailable
    return BadRequest


def client_status(kind: type[ProviderError], status: int | None) -> int | None:
    """What our own client should see: the provider's word where it concerns the request, a gateway's else."""
    if kind is BadRequest and status is not None and 400 <= status < 500:
        return status
    if kind is AuthError and status == 403:
        return status  # what may not be done is not a key that is wrong
    if kind is Unavailable and status in (503, 504, 529):
        return 503 if status == 529 else status  # 529 is Anthropic's own number for "overloaded"
    return None


def broken(data: bytes, number: int, why: str) -> Failure:
    """The failure for the `number`-th event, which breaks the wire, with the beginning of it."""
    return broken_text(data.decode("utf-8", "replace"), number, why)


def bad_index(index: int, count: int) -> str:
    """What is wrong with a candidate's index that is not below `count`, or is negative."""
    return f"a candidate's index must be from 0 to {count - 1} (it is {excerpt(str(index))})"


def broken_text(text: str, number: int, why: str) -> Failure:
    """The same for an event that was read as text."""
    return Failure.of(WireError(f"event {number} of the stream: {why}: {safe(text, QUOTED_CHARS)}"))


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait as `retry-after-ms` or `retry-after` says (a number, or a date against `date`).

    headers: names in lower case. Returns None where they say nothing readable.
    """
    for name, unit_s in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            wait_s = float(headers.get(name, "")) * unit_s
        except ValueError:
            continue
        if 0 <= wait_s < MAX_WAIT_S:
            return wait_s
    until, now = headers.get("retry-after"), headers.get("date")
    if until is None or now is None:
        return None
    from email.utils import parsedate_to_datetime  # slow to import, rarely needed

    try:
        wait_s = (parsedate_to_datetime(until) - parsedate_to_datetime(now)).total_seconds()
    except (ValueError, TypeError):
        return None
    return max(0.0, wait_s) if wait_s < MAX_WAIT_S else None


def safe(text: str, limit_chars: int = MAX_MESSAGE_CHARS) -> str:
    """The text without anything that looks like a key, cut to a readable length."""
    return excerpt(_KEYS.sub("***", excerpt(text, MAX_READ_CHARS)), limit_chars)


def raw_text(body: bytes) -> str:
    """What came, safe to keep. JSON is written anew: an escape in it would hide a key from those who look."""
    try:
        text = msgspec.json.encode(read_mended(body)).decode()
    except UNREADABLE:
        text = body.decode("utf-8", "replace").strip()
    return safe(text, MAX_RAW_CHARS)


def _with_raw(failure: Failure, complaint: Complaint, body: bytes) -> Failure:
    detail = {**failure.detail, "raw": raw_text(body)}
    if complaint.field:
        detail["field"] = excerpt(complaint.field, MAX_WORD_CHARS)
    return msgspec.structs.replace(failure, detail=detail)
