"""Errors: the vendor's `{"error": ..., "error_type": ...}` and our `Failure`, both ways.

Source: `router/src/infer/mod.rs` and `server.rs` at db931fcf, read 2026-11-21. An error has the same shape as
the body of an error status and as an event of a stream that had begun.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from headrace.core.chunk import Failure
from headrace.errors import BadRequest, ProviderError, Truncated, Unavailable
from headrace.wire.failing import Complaint, answered_badly, class_of, complained, read_answer, safe

_KINDS: dict[str, type[ProviderError]] = {
    "validation": BadRequest,
    "template_error": BadRequest,
    "missing_template_variable": BadRequest,
    "tool_error": BadRequest,
    "overloaded": Unavailable,
    "generation": Unavailable,
    "stream_serialization_error": Unavailable,
    "healthcheck": Unavailable,
}
_INCOMPLETE = frozenset({"incomplete_generation", "incomplete_generation_stream"})
_WORDS = {
    "truncated": "incomplete_generation",
    "rate_limited": "overloaded",
    "unavailable": "overloaded",
    "request": "validation",
    "unknown_model": "validation",
    "bad_request": "validation",
    "context_overflow": "validation",
    "content_blocked": "validation",
}


def failure_from_response(status: int, headers: Mapping[str, str], body: bytes, provider: str) -> Failure:
    """The typed failure for an HTTP answer that is not a good stream."""
    lower = {name.lower(): value for name, value in headers.items()}
    complaint = _complaint(read_answer(body, lower))
    # 424 is the vendor's status for a model that failed while it generated: no fault of the request
    own_word = status in (200, 424)
    return answered_badly(complaint, status, lower, body, provider, _kind(complaint) if own_word else None)


def failure_from_event(error: Any, raw: bytes) -> Failure:
    """The typed failure for an error event."""
    complaint = _complaint(error)
    if complaint.code in _INCOMPLETE:
        said = f"the provider sent an error inside the stream: {safe(complaint.message)}"
        return Failure.of(Truncated(said, code=complaint.code))
    return complained(complaint, _kind(complaint), raw)


def _kind(complaint: Complaint) -> type[ProviderError] | None:
    kind = _KINDS.get(complaint.code)
    return None if kind is BadRequest and class_of(complaint, 422)[0] is not BadRequest else kind


def _complaint(answer: Any) -> Complaint:
    if not isinstance(answer, dict):
        return Complaint(str(answer))
    error = answer.get("error")
    if isinstance(error, dict):  # the shape of its chat endpoint
        error = error.get("message") or msgspec.json.encode(error).decode()
    code = str(answer.get("error_type") or "")
    if error or code:
        return Complaint(str(error or code), code, told=True)
    return Complaint(msgspec.json.encode(answer).decode())


def error_body(failure: Failure) -> bytes:
    """The failure as the JSON body of an HTTP error."""
    own_word = failure.code in _KINDS or failure.code in _INCOMPLETE
    word = failure.code if own_word else _WORDS.get(failure.kind, "generation")
    return msgspec.json.encode({"error": failure.message or failure.kind, "error_type": word})


def error_event(failure: Failure) -> bytes:
    """The failure as the last event of a stream."""
    return b"data: " + error_body(failure) + b"\n\n"
