"""Errors: the vendor's JSON and our `Failure`, both ways.

Source: OpenAI's error codes guide and the official client's exceptions (openai 3.52), read 2026-11-21.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from headrace.core.chunk import Failure
from headrace.errors import AuthError, BadRequest, ContentBlocked, ContextOverflow, ProviderError, RateLimited
from headrace.wire.failing import Complaint, answered_badly, complained, read_answer

# Words in an error's `type` or `code`, for errors that come without an HTTP status.
_WORDS: tuple[tuple[str, type[ProviderError]], ...] = (
    ("context_length", ContextOverflow),
    ("content_blocked", ContentBlocked),
    ("content_filter", ContentBlocked),
    ("rate_limit", RateLimited),
    ("authentication", AuthError),
    ("api_key", AuthError),
    ("permission", AuthError),
    ("invalid_request", BadRequest),
    ("not_found", BadRequest),
)
_TYPES = {
    "auth": "authentication_error",
    "rate_limited": "rate_limit_error",
    "bad_request": "invalid_request_error",
    "context_overflow": "invalid_request_error",
    "content_blocked": "invalid_request_error",
    "request": "invalid_request_error",
    "unknown_model": "invalid_request_error",
    "timeout": "timeout_error",
}


def failure_from_response(status: int, headers: Mapping[str, str], body: bytes, provider: str) -> Failure:
    """The typed failure for an HTTP answer that is not a good stream."""
    lower = {name.lower(): value for name, value in headers.items()}
    complaint, words = _complaint(read_answer(body, lower))
    kind = _by_word(words) if status < 300 else None
    return answered_badly(complaint, status, lower, body, provider, kind)


def failure_from_event(error: Any, raw: bytes) -> Failure:
    """The typed failure for an error that came inside a stream that had begun with 200."""
    complaint, words = _complaint(error)
    return complained(complaint, _by_word(words), raw)


def _by_word(words: str) -> type[ProviderError] | None:
    return next((kind for word, kind in _WORDS if word in words.lower()), None)


def _complaint(error: Any) -> tuple[Complaint, str]:
    """What an error says, and all its words that tell its class."""
    told = isinstance(error, dict) and bool(error.get("error"))
    if told:
        error = error["error"]
    if not isinstance(error, dict):
        return Complaint(message=str(error), told=told), ""
    message = error.get("message") or error.get("detail") or ""
    code, kind = str(error.get("code") or ""), str(error.get("type") or "")
    complaint = Complaint(
        message=message if isinstance(message, str) else msgspec.json.encode(message).decode(),
        code=code or kind,
        field=str(error.get("param") or ""),
        told=told,
    )
    return complaint, f"{code} {kind}"


def error_body(failure: Failure) -> bytes:
    """The failure as the JSON body of an HTTP error."""
    field = failure.detail.get("field")
    return msgspec.json.encode(
        {
            "error": {
                "message": failure.message,
                "type": _TYPES.get(failure.kind, "server_error"),
                "param": field if isinstance(field, str) and field else None,
                "code": failure.code or failure.kind,
            }
        }
    )


def error_event(failure: Failure) -> bytes:
    """The failure as the last events of a stream: the error, at which clients raise, then the terminator."""
    return b"data: " + error_body(failure) + b"\n\ndata: [DONE]\n\n"
