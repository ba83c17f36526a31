"""Errors: the vendor's JSON and our `Failure`, both ways.

Source: the errors of the official Python client (cohere 7.3, `errors/`, `v2/raw_client.py`) and the page
"Errors" of its API reference, read 2026-11-25. An error inside a stream is the `message-end` of an answer,
with the finish reason ERROR or TIMEOUT and words of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from headrace.core.chunk import Failure
from headrace.errors import AuthError, ProviderError, Unavailable
from headrace.wire.failing import Complaint, answered_badly, complained, read_answer

# Statuses that mean something of their own here: an invalid token, a request that its client closed.
_BY_STATUS: dict[int, type[ProviderError]] = {498: AuthError, 499: Unavailable}


def failure_from_response(status: int, headers: Mapping[str, str], body: bytes, provider: str) -> Failure:
    """The typed failure for an HTTP answer that is not a good stream."""
    lower = {name.lower(): value for name, value in headers.items()}
    complaint = _complaint(read_answer(body, lower))
    return answered_badly(complaint, status, lower, body, provider, _BY_STATUS.get(status))


def failure_from_event(error: Any, raw: bytes) -> Failure:
    """The typed failure for an error that came inside a stream as an event of its own."""
    return complained(_complaint(error), None, raw)


def ended_badly(reason: str, error: Any, raw: bytes) -> Failure:
    """The typed failure for an answer whose last event says that it failed. error: its words."""
    said = error if isinstance(error, str) else ""
    return complained(Complaint(said or f"finish reason {reason}", reason, told=True), None, raw)


def _complaint(error: Any) -> Complaint:
    """Read an error: `{"message": "..."}`, or a text."""
    told = error if isinstance(error, dict) else {}
    if isinstance(told.get("message"), dict) and "finish_reason" in told:
        return Complaint("a whole answer came where a stream was asked for")
    message = told.get("message", error)
    return Complaint(message if isinstance(message, str) else "", told=isinstance(told.get("message"), str))


def error_body(failure: Failure) -> bytes:
    """The failure as the JSON body of an HTTP error."""
    return msgspec.json.encode({"message": failure.message})


def error_event(failure: Failure) -> bytes:
    """The failure as the last event of a stream, which is the end of the message."""
    reason = "TIMEOUT" if failure.kind == "timeout" else "ERROR"
    end = {"type": "message-end", "delta": {"finish_reason": reason, "error": failure.message}}
    return b"event: message-end\ndata: " + msgspec.json.encode(end) + b"\n\n"
