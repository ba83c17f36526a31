"""Errors: the vendor's JSON and our `Failure`, both ways.

Source: the error objects and exceptions of Anthropic's official Python client (anthropic 2.11,
`types/shared/`, `_exceptions.py`), read 2026-11-21. An error that comes inside a stream has no status of its
own: its class follows from `error.type` alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from headrace.core.chunk import Failure
from headrace.errors import AuthError, BadRequest, ProviderError, RateLimited, Unavailable
from headrace.wire.failing import Complaint, answered_badly, class_of, complained, read_answer, safe

_BY_TYPE: dict[str, type[ProviderError] | None] = {
    "invalid_request_error": BadRequest,
    "authentication_error": AuthError,
    "billing_error": None,  # by its words: waiting brings no money
    "permission_error": AuthError,
    "not_found_error": BadRequest,
    "request_too_large": BadRequest,
    "rate_limit_error": RateLimited,
    "api_error": Unavailable,
    "timeout_error": Unavailable,
    "overloaded_error": Unavailable,
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
_BY_STATUS = {403: "permission_error", 404: "not_found_error", 413: "request_too_large"}


def failure_from_response(status: int, headers: Mapping[str, str], body: bytes, provider: str) -> Failure:
    """The typed failure for an HTTP answer that is not a good stream."""
    lower = {name.lower(): value for name, value in headers.items()}
    error = read_answer(body, lower)
    complaint = complaint_of(error)
    kind = _kind(complaint) if status < 300 else None
    return _identified(answered_badly(complaint, status, lower, body, provider, kind), error)


def failure_from_event(error: Any, raw: bytes) -> Failure:
    """The typed failure for an error that came inside a stream that had begun with 200."""
    complaint = complaint_of(error)
    return _identified(complained(complaint, _kind(complaint), raw), error)


def complaint_of(error: Any) -> Complaint:
    """Read an error: `{"type": "error", "error": {...}}`, the inner object alone, or a text."""
    outer = error if isinstance(error, dict) else {}
    if outer.get("type") == "message":
        return Complaint("a whole message came where a stream was asked for")
    inner = outer.get("error", error)
    if not isinstance(inner, dict):
        said = inner if isinstance(inner, str) else outer.get("message")
        return Complaint(said if isinstance(said, str) else "", told="error" in outer)
    message, code = inner.get("message"), inner.get("type")
    return Complaint(
        message=message if isinstance(message, str) else "",
        code=code if isinstance(code, str) else "",
        told="error" in outer or code in _BY_TYPE,
    )


def _kind(complaint: Complaint) -> type[ProviderError] | None:
    kind = _BY_TYPE.get(complaint.code)
    return class_of(complaint, 400)[0] if kind is BadRequest else kind


def _identified(failure: Failure, error: Any) -> Failure:
    """With what an operator can ask the vendor about: the request's id and the finer word."""
    if not isinstance(error, dict):
        return failure
    known: dict[str, Any] = {}
    if isinstance(error.get("request_id"), str):
        known["request_id"] = safe(error["request_id"])
    inner = error.get("error")
    details = inner.get("details") if isinstance(inner, dict) else None
    if isinstance(details, dict) and isinstance(details.get("error_code"), str):
        known["error_code"] = safe(details["error_code"])
    return msgspec.structs.replace(failure, detail={**failure.detail, **known}) if known else failure


def error_type(failure: Failure) -> str:
    """The vendor's word for a failure: its own where it was one, else the nearest."""
    if failure.code in _BY_TYPE:
        return failure.code
    if failure.kind in ("bad_request", "auth", "request"):
        return _BY_STATUS.get(failure.http_status, _TYPES[failure.kind])
    if failure.kind == "unavailable" and failure.http_status == 503:
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
