"""Errors: the vendor's `{"error": "..."}` and our `Failure`, both ways.

Source: `server/routes.go` at fb3076099, read 2026-11-21. An error before the answer has a status; one after
it has begun is a line of its own, without one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from headrace.core.chunk import Failure
from headrace.errors import AuthError, BadRequest, ProviderError, RateLimited
from headrace.wire.failing import Complaint, answered_badly, by_status, complained, read_answer

# Phrases of the vendor's messages, for errors that come without a status.
_PHRASES: tuple[tuple[str, type[ProviderError]], ...] = (
    ("unauthorized", AuthError),
    ("too many requests", RateLimited),
    ("rate limit", RateLimited),
    ("usage limit", RateLimited),
    ("not found", BadRequest),
    ("does not support", BadRequest),
    ("invalid", BadRequest),
)


def failure_from_response(status: int, headers: Mapping[str, str], body: bytes, provider: str) -> Failure:
    """The typed failure for an HTTP answer that is not a good stream."""
    lower = {name.lower(): value for name, value in headers.items()}
    complaint = _complaint(read_answer(body, lower))
    kind = _by_phrase(complaint) if status < 300 and complaint.told else None
    return answered_badly(complaint, status, lower, body, provider, kind)


def failure_from_line(error: Any, status: Any, raw: bytes) -> Failure:
    """The typed failure for an error line. status: the line's own, where it has one."""
    complaint = _complaint({"error": error})
    if isinstance(status, int) and 400 <= status <= 599:
        return complained(complaint, by_status(status), raw)
    return complained(complaint, _by_phrase(complaint), raw)


def _by_phrase(complaint: Complaint) -> type[ProviderError] | None:
    said = complaint.message.lower()
    return next((kind for phrase, kind in _PHRASES if phrase in said), None)


def _complaint(answer: Any) -> Complaint:
    error = answer.get("error") if isinstance(answer, dict) else None
    if isinstance(error, dict):
        return Complaint(str(error.get("message") or error), str(error.get("code") or ""), told=True)
    if error:
        return Complaint(str(error), told=True)
    return Complaint(answer if isinstance(answer, str) else msgspec.json.encode(answer).decode())


def error_body(failure: Failure) -> bytes:
    """The failure as the JSON body of an HTTP error."""
    return msgspec.json.encode({"error": failure.message or failure.kind})


def error_event(failure: Failure) -> bytes:
    """The failure as the last line of a stream."""
    return error_body(failure) + b"\n"
