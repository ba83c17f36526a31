"""Errors: the vendor's JSON and our `Failure`, both ways.

Sources: google.rpc.Code and the error details of google.rpc (ErrorInfo, RetryInfo, BadRequest), as the
official client's `errors.py` (google-genai 3.4) reads them, read 2026-11-21.
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
)
from headrace.wire.failing import Complaint, answered_badly, complained, read_answer
from headrace.wire.gemini.finish import BLOCK_REASONS, REASONS
from headrace.wire.gemini.schema import Fields
from headrace.wire.reading import UNREADABLE

# The vendor's word -> (its HTTP status, our class). Source: google/rpc/code.proto.
_WORDS: dict[str, tuple[int, type[ProviderError]]] = {
    "INVALID_ARGUMENT": (400, BadRequest),
    "FAILED_PRECONDITION": (400, BadRequest),
    "OUT_OF_RANGE": (400, BadRequest),
    "UNAUTHENTICATED": (401, AuthError),
    "PERMISSION_DENIED": (403, AuthError),
    "NOT_FOUND": (404, BadRequest),
    "ALREADY_EXISTS": (409, BadRequest),
    "ABORTED": (409, Unavailable),
    "RESOURCE_EXHAUSTED": (429, RateLimited),
    "CANCELLED": (499, Unavailable),
    "INTERNAL": (500, Unavailable),
    "UNKNOWN": (500, Unavailable),
    "DATA_LOSS": (500, Unavailable),
    "UNIMPLEMENTED": (501, BadRequest),
    "UNAVAILABLE": (503, Unavailable),
    "DEADLINE_EXCEEDED": (504, Unavailable),
}
_BY_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    413: "INVALID_ARGUMENT",
    422: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_TOO_LONG = re.compile(r"(?i)token count.{0,40} exceeds the maximum|exceeds the maximum number of tokens")
_TYPE = "type.googleapis.com/google.rpc."
_SECONDS = re.compile(r"(\d+(?:\.\d+)?)s")


def failure_from_response(status: int, headers: Mapping[str, str], body: bytes, provider: str) -> Failure:
    """The typed failure for an HTTP answer that is not a good stream."""
    lower = {name.lower(): value for name, value in headers.items()}
    error = _error_in(read_answer(body, lower))
    complaint = _complaint(error)
    kind = _kind(error, complaint)
    complaint = msgspec.structs.replace(complaint, told=kind is not None)
    failure = answered_badly(complaint, status, lower, body, provider, kind)
    return _with_wait(failure, error)


def failure_from_event(event: Any, raw: bytes) -> Failure:
    """The typed failure for an error that came inside an answer that had begun with 200."""
    error = _error_in(event)
    complaint = _complaint(error)
    return _with_wait(complained(complaint, _kind(error, complaint), raw), error)


def _error_in(data: Any) -> Any:
    """The error itself, out of the shapes in use: in an array, in an object, bare."""
    if isinstance(data, list) and data:
        data = data[0]
    if isinstance(data, dict) and data.get("error"):
        data = data["error"]
    return data


def _complaint(error: Any) -> Complaint:
    if not isinstance(error, dict):
        return Complaint(str(error) if error else "")
    message = error.get("message")
    status = error.get("status")
    violations = _detail(error, "BadRequest").get("fieldViolations")
    first = violations[0] if isinstance(violations, list) and violations else None
    field = first.get("field") if isinstance(first, dict) else None
    return Complaint(
        message if isinstance(message, str) else "",
        status if isinstance(status, str) else "",
        field if isinstance(field, str) else "",
    )


def _kind(error: Any, complaint: Complaint) -> type[ProviderError] | None:
    if not isinstance(error, dict):
        return None
    if _detail(error, "ErrorInfo").get("reason") in ("API_KEY_INVALID", "API_KEY_EXPIRED"):
        return AuthError  # comes as a 400
    if _TOO_LONG.search(complaint.message):
        return ContextOverflow
    word = complaint.code
    if word not in _WORDS and isinstance(error.get("code"), int):
        word = _BY_STATUS.get(error["code"], "")
    return _WORDS[word][1] if word in _WORDS else None


def _detail(error: Fields, kind: str) -> Fields:
    details = error.get("details")
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, dict) and detail.get("@type") == _TYPE + kind:
            return detail
    return {}


def _with_wait(failure: Failure, error: Any) -> Failure:
    """The failure, with the wait that the error's own words ask for where no header does."""
    delay = _detail(error, "RetryInfo").get("retryDelay") if isinstance(error, dict) else None
    found = _SECONDS.fullmatch(delay) if isinstance(delay, str) else None
    if found is None or failure.detail.get("retry_after_s") is not None:
        return failure
    return msgspec.structs.replace(failure, detail={**failure.detail, "retry_after_s": float(found[1])})


def blocked(feedback: Fields, reason: str, said: str) -> Failure:
    """The failure for a prompt that the vendor refused to answer. said: its own words, if any."""
    about = f": {said}" if said else ""
    failure = Failure.of(
        ContentBlocked(f"the provider refused the prompt, blockReason {reason}{about}", code=reason)
    )
    raw = msgspec.json.encode({"promptFeedback": feedback}).decode()
    return msgspec.structs.replace(failure, detail={**failure.detail, "raw": raw})


def error_fields(failure: Failure) -> Fields:
    """The failure as the vendor's error object."""
    word = failure.code if failure.code in _WORDS else _BY_STATUS.get(failure.http_status, "")
    if not word:
        word = "INVALID_ARGUMENT" if 400 <= failure.http_status < 500 else "INTERNAL"
    details: list[Fields] = []
    field, wait_s = failure.detail.get("field"), failure.detail.get("retry_after_s")
    if isinstance(field, str) and field:
        violation = {"field": field, "description": failure.message}
        details.append({"@type": _TYPE + "BadRequest", "fieldViolations": [violation]})
    if isinstance(wait_s, int | float):
        details.append({"@type": _TYPE + "RetryInfo", "retryDelay": f"{wait_s:g}s"})
    if failure.code != word:
        info = {"reason": failure.code or failure.kind, "domain": "headrace"}
        details.append({"@type": _TYPE + "ErrorInfo", **info})
    error: Fields = {"code": failure.http_status, "message": failure.message, "status": word}
    return {"error": {**error, "details": details} if details else error}


def error_body(failure: Failure) -> bytes:
    """The failure as the JSON body of an HTTP error."""
    return msgspec.json.encode(error_fields(failure))


def event_fields(failure: Failure) -> Fields:
    """The failure as the last event of a stream: as this wire said it, where it did, else an error object."""
    if failure.kind == "content_blocked" and failure.code in BLOCK_REASONS:
        return _feedback(failure)
    if failure.kind == "unavailable" and REASONS.get(failure.code) == "error":
        ended = {"index": 0, "finishReason": failure.code, "finishMessage": failure.message}
        return {"candidates": [ended]}
    return error_fields(failure)


def _feedback(failure: Failure) -> Fields:
    try:
        given = msgspec.json.decode(failure.detail.get("raw") or b"")
    except (*UNREADABLE, TypeError):
        given = None
    if isinstance(given, dict) and isinstance(given.get("promptFeedback"), dict):
        return {"promptFeedback": given["promptFeedback"]}
    return {"promptFeedback": {"blockReason": failure.code, "blockReasonMessage": failure.message}}


def error_in_array(failure: Failure, *, begun: bool) -> bytes:
    """The failure as the last bytes of a JSON array. begun: values have gone before it."""
    return (b",\r\n" if begun else b"[") + msgspec.json.encode(event_fields(failure)) + b"]"


def error_event(failure: Failure) -> bytes:
    """The failure as the last event of an event stream."""
    return b"data: %b\r\n\r\n" % msgspec.json.encode(event_fields(failure))
