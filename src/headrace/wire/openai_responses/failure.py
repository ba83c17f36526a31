"""Errors: the vendor's JSON and our `Failure`, both ways.

Sources: OpenAI's error codes guide and the official client (openai 3.52: `types/responses/response_error.py`,
`response_error_event.py`, `_streaming.py`), read 2026-11-21. Inside a stream errors come flat (as the schema
says), nested in `error` (as the recordings show) and in the response object of `response.failed`.
"""

from __future__ import annotations

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
from headrace.wire.failing import Complaint, answered_badly, complained, read_answer, safe
from headrace.wire.openai_error import error_fields

Fields = dict[str, Any]

# Words in an error's `code` or `type`, in order of trust: the first that is found tells the class.
_WORDS: tuple[tuple[str, type[ProviderError]], ...] = (
    ("context_length", ContextOverflow),
    ("rate_limit", RateLimited),
    ("too_many_requests", RateLimited),
    ("content_filter", ContentBlocked),
    ("content_policy", ContentBlocked),
    ("content_blocked", ContentBlocked),
    ("invalid_prompt", ContentBlocked),
    ("bio_policy", ContentBlocked),
    ("misalignment_policy", ContentBlocked),
    ("authentication", AuthError),
    ("api_key", AuthError),
    ("permission", AuthError),
    ("unauthorized", AuthError),
    ("overloaded", Unavailable),
    ("timeout", Unavailable),
    ("server_error", Unavailable),
    ("image", BadRequest),
    ("invalid_request", BadRequest),
    ("not_found", BadRequest),
    ("bad_request", BadRequest),
    ("data_residency", BadRequest),
    ("unsupported", BadRequest),
)
_QUOTA = ("insufficient_quota", "billing")  # classed with its words: never worth a retry


def failure_from_response(status: int, headers: Mapping[str, str], body: bytes, provider: str) -> Failure:
    """The typed failure for an HTTP answer that is not a good stream."""
    lower = {name.lower(): value for name, value in headers.items()}
    answer = read_answer(body, lower)
    if status < 300 and isinstance(answer, dict):
        if answer.get("error") or not answer.get("object"):
            return failure_from_event(answer)
        said = f"a whole {answer['object']} came where a stream was asked for"
        return Failure.of(WireError(said, code="not_a_stream"))
    complaint, word = _read(answer)
    # with these statuses the code tells more than the number does
    kind = _kind(complaint.code, word) if status in (400, 403, 422) else None
    telling = kind if kind in (ContentBlocked, ContextOverflow) else None
    return answered_badly(complaint, status, lower, body, provider, telling)


def failure_from_event(error: Any) -> Failure:
    """The typed failure for an error inside a stream: the event, or the `error` of a failed response."""
    complaint, word = _read(error)
    return complained(complaint, _kind(complaint.code, word), msgspec.json.encode(error))


def _read(error: Any) -> tuple[Complaint, str]:
    """What an error says, nested or flat, an object or a string; and the vendor's word for its type."""
    if isinstance(error, list) and error:
        error = error[0]
    if isinstance(error, dict) and isinstance(error.get("error"), dict | str):
        inner = error["error"]
        outer = {name: value for name, value in error.items() if name not in ("type", "error")}
        error = {**outer, **inner} if isinstance(inner, dict) else {**outer, "message": inner}
    if not isinstance(error, dict):
        return Complaint(str(error) if error else ""), ""
    message = error.get("message") or error.get("detail") or ""
    said = message if isinstance(message, str) else msgspec.json.encode(message).decode()
    kind, code = error.get("type"), error.get("code")
    word = kind if isinstance(kind, str) and kind != "error" else ""
    named = code if isinstance(code, str) and not code.isdigit() else ""
    param = error.get("param")
    return Complaint(said, named or word, param if isinstance(param, str) else ""), word


def _kind(code: str, word: str) -> type[ProviderError] | None:
    words = f"{code} {word}".lower()
    if any(quota in words for quota in _QUOTA):
        return None
    return next((kind for part, kind in _WORDS if part in words), None)


def error_object(failure: Failure) -> Fields:
    """The failure as the vendor's error object, its message without keys and cut to a readable length."""
    return {**error_fields(failure), "message": safe(failure.message)}


def error_body(failure: Failure) -> bytes:
    """The failure as the JSON body of an HTTP error."""
    return msgspec.json.encode({"error": error_object(failure)})


def error_event(failure: Failure, sequence_number: int = 0) -> bytes:
    """The failure as an event of a stream that has begun.

    It says the error twice: flat, as the schema has it, and under `error`, as the vendor's servers send it
    and as clients need it that raise only there.
    """
    error = error_object(failure)
    flat = {name: error[name] for name in ("code", "message", "param")}
    event = {"type": "error", **flat, "error": error, "sequence_number": sequence_number}
    return b"event: error\ndata: %b\n\n" % msgspec.json.encode(event)
