"""Errors: the vendor's JSON and our `Failure`, both ways.

Source: the error objects and exceptions of Anthropic's official Python client (anthropic 2.11,
`types/shared/`, `_exceptions.py`), read 2026-11-21. An error that comes inside a stream has no status of its
own: its class follows from `error.type` alone.
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
from headrace.wire.anthropic.schema import UNREADABLE

MAX_RAW_BYTES = 4096
MAX_MESSAGE_CHARS = 1000

_KEYS = re.compile(r"(?i)\bbearer\s+[^\s\"',]+|\b(?:sk|pk|key)[-_][\w*.\-]{6,}|\bAIza[\w*\-]{10,}")
_CONTEXT = re.compile(
    r"(?i)prompt is too long|context (?:window|length|limit|size)|input (?:length|is too long)"
    r"|exceeds? the (?:maximum|context)"
)
_BLOCKED = re.compile(r"(?i)content filtering policy|content[_ ]policy|usage polic(?:y|ies)")
_TITLE = re.compile(r"(?is)<title[^>]*>(.*?)</title>")

# error.type -> (class, the status its HTTP form has)
_BY_TYPE: dict[str, tuple[type[ProviderError], int]] = {
    "invalid_request_error": (BadRequest, 400),
    "authentication_error": (AuthError, 401),
    "billing_error": (RateLimited, 402),
    "permission_error": (AuthError, 403),
    "not_found_error": (BadRequest, 404),
    "request_too_large": (BadRequest, 413),
    "rate_limit_error": (RateLimited, 429),
    "api_error": (Unavailable, 500),
    "timeout_error": (Unavailable, 504),
    "overloaded_error": (Unavailable, 529),
}
# Our kinds -> error.type, for our own clients.
_TYPES = {
    "auth": "authentication_error",
    "rate_limited": "rate_limit_error",
    "bad_request": "invalid_request_error",
    "context_overflow": "invalid_request_error",
    "content_blocked": "invalid_request_error",
    "request": "invalid_request_error",
    "unknown_model": "not_found_error",
    "timeout": "timeout_error",
}
_OWN_TYPES = frozenset(_BY_TYPE)


class ErrorFacts(msgspec.Struct, frozen=True):
    """What an error body says. code: the finer word in `error.details`, where there is one."""

    message: str = ""
    type: str = ""
    code: str = ""
    request_id: str = ""


def failure_from_response(status: int, headers: Mapping[str, str], body: bytes, provider: str) -> Failure:
    """The typed failure for an HTTP answer that is not a good stream."""
    lower = {name.lower(): value for name, value in headers.items()}
    facts = facts_of(_parsed(body, lower.get("content-type", "")))
    said = f"{provider or 'the provider'} answered {status}: {facts.message or 'no message'}"
    return _failure(facts, status, said, provider, retry_after_s(lower), body)


def failure_from_event(error: Any, provider: str = "") -> Failure:
    """The typed failure for an error that came inside a stream that had begun with 200."""
    facts = facts_of(error)
    said = f"{provider or 'the provider'} sent an error inside the stream: {facts.message or 'no message'}"
    return _failure(facts, None, said, provider, None, _json(error).encode("utf-8", "replace"))


def facts_of(error: Any) -> ErrorFacts:
    """Read an error body: `{"type": "error", "error": {...}}`, the inner object alone, or a text."""
    outer = error if isinstance(error, dict) else {}
    inner = outer.get("error", error)
    if isinstance(inner, str) or not inner:
        return ErrorFacts(message=_safe(inner or str(outer.get("message") or "")))
    if not isinstance(inner, dict):
        return ErrorFacts(message=_safe(_json(inner)))
    details = inner.get("details")
    message = inner.get("message") or ""
    return ErrorFacts(
        message=_safe(message if isinstance(message, str) else _json(message)),
        type=str(inner.get("type") or ""),
        code=str(details.get("error_code") or "") if isinstance(details, dict) else "",
        request_id=str(outer.get("request_id") or ""),
    )


def _failure(
    facts: ErrorFacts, status: int | None, said: str, provider: str, wait_s: float | None, raw: bytes
) -> Failure:
    kind, usual = _classify(facts, status)
    if kind is None:
        failure = Failure.of(WireError(said, code="unexpected_answer"))
    else:
        failure = Failure.of(
            kind(
                said,
                code=facts.code or facts.type,
                retryable=False if facts.type == "billing_error" or status == 402 else None,
                http_status=_http_status(kind, status or usual),
                provider=provider,
                status=status,
                retry_after_s=wait_s,
            )
        )
    detail = {**failure.detail, "raw": _safe(raw[:MAX_RAW_BYTES].decode("utf-8", "replace"), MAX_RAW_BYTES)}
    if facts.request_id:
        detail["request_id"] = facts.request_id
    return msgspec.structs.replace(failure, detail=detail)


def _classify(facts: ErrorFacts, status: int | None) -> tuple[type[ProviderError] | None, int | None]:
    """The class of the error, and the status that such an error usually has."""
    known = _BY_TYPE.get(facts.type)
    refusable = (known is None and status in (None, 400, 413, 422)) or (
        known is not None and known[0] is BadRequest and status in (None, 200, 400, 413)
    )
    if refusable and _CONTEXT.search(facts.message):
        return ContextOverflow, None
    if refusable and _BLOCKED.search(facts.message):
        return ContentBlocked, None
    if known is not None and (status is None or status < 300 or status == known[1]):
        return known
    if status is not None and status >= 300:
        return _by_status(status), status
    return (None, None) if status is not None else (Unavailable, None)


def _by_status(status: int) -> type[ProviderError]:
    if status in (401, 403, 407):
        return AuthError
    if status in (402, 429):
        return RateLimited
    if status in (408, 409, 425) or status >= 500:
        return Unavailable
    return BadRequest


def _http_status(kind: type[ProviderError], status: int | None) -> int | None:
    """What our own client should see: the provider's word where it concerns the request, a gateway's else."""
    if kind is BadRequest and status is not None and 400 <= status < 500:
        return status
    if kind is Unavailable and status in (503, 504, 529):
        return status
    return None


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


def _parsed(body: bytes, content_type: str) -> Any:
    try:
        return msgspec.json.decode(body)
    except UNREADABLE:
        text = body[:MAX_RAW_BYTES].decode("utf-8", "replace").strip()
    if "html" in content_type.lower() or text[:1] == "<":
        title = _TITLE.search(text)
        return f"an HTML page ({' '.join(title[1].split())})" if title else "an HTML page"
    return text


def _json(value: Any) -> str:
    try:
        return value if isinstance(value, str) else msgspec.json.encode(value).decode()
    except RecursionError:
        return "something nested too deeply to be shown"


def _safe(text: str, limit_chars: int = MAX_MESSAGE_CHARS) -> str:
    """The text without anything that looks like a key, cut to a readable length."""
    clean = _KEYS.sub("***", text)
    return clean if len(clean) <= limit_chars else clean[:limit_chars] + "..."


def error_type(failure: Failure) -> str:
    """The vendor's word for a failure: its own where it was one, else the nearest."""
    if failure.code in _OWN_TYPES:
        return failure.code
    if failure.kind == "bad_request" and failure.http_status == 404:
        return "not_found_error"
    if failure.kind == "auth" and failure.http_status == 403:
        return "permission_error"
    if failure.kind == "unavailable" and failure.http_status in (503, 529):
        return "overloaded_error"
    return _TYPES.get(failure.kind, "api_error")


def error_body(failure: Failure) -> bytes:
    """The failure as the JSON body of an HTTP error in Anthropic's shape."""
    error: dict[str, Any] = {"type": error_type(failure), "message": failure.message}
    body: dict[str, Any] = {"type": "error", "error": error}
    request_id = failure.detail.get("request_id")
    if isinstance(request_id, str) and request_id:
        body["request_id"] = request_id
    return msgspec.json.encode(body)


def error_event(failure: Failure) -> bytes:
    """The failure as the last event of a stream: clients raise at it."""
    return b"event: error\ndata: " + error_body(failure) + b"\n\n"
