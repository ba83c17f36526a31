"""OpenAI's error object, both ways, as its protocols share it.

Source: OpenAI's error codes guide and the official client's exceptions (openai 3.52), read 2026-11-21. Wires
whose servers say more (chat, Responses) read it by themselves.
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
    ("rate_limit", RateLimited),
    ("content_blocked", ContentBlocked),
    ("content_filter", ContentBlocked),
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
    complaint, word = _read(read_answer(body, lower))
    kind = _by_word(complaint, word) if status < 300 else None
    return answered_badly(complaint, status, lower, body, provider, kind)


def failure_from_event(error: Any, raw: bytes) -> Failure:
    """The typed failure for an error that came inside a stream that had begun with 200."""
    complaint, word = _read(error)
    return complained(complaint, _by_word(complaint, word), raw)


def _by_word(complaint: Complaint, word: str) -> type[ProviderError] | None:
    words = f"{complaint.code} {word}".lower()
    return next((kind for part, kind in _WORDS if part in words), None)


def _read(error: Any) -> tuple[Complaint, str]:
    """What an error says, and the vendor's word for its type."""
    told = isinstance(error, dict) and bool(error.get("error"))
    if told:
        error = error["error"]
    if not isinstance(error, dict):
        return Complaint(message=str(error), told=told), ""
    message = error.get("message") or error.get("detail") or ""
    word = str(error.get("type") or "")
    complaint = Complaint(
        message=message if isinstance(message, str) else msgspec.json.encode(message).decode(),
        code=str(error.get("code") or word),
        field=str(error.get("param") or ""),
        told=told,
    )
    return complaint, word


def error_fields(failure: Failure) -> dict[str, Any]:
    """The failure as the vendor's error object."""
    field = failure.detail.get("field")
    return {
        "message": failure.message,
        "type": _TYPES.get(failure.kind, "server_error"),
        "param": field if isinstance(field, str) and field else None,
        "code": failure.code or failure.kind,
    }


def error_body(failure: Failure) -> bytes:
    """The failure as the JSON body of an HTTP error."""
    return msgspec.json.encode({"error": error_fields(failure)})
