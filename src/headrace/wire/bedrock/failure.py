"""Errors: the vendor's exceptions and our `Failure`, both ways.

Source: the exceptions of `ConverseStream` in botocore 1.44's model of Bedrock's runtime and how its parsers
find their names (`parsers.py`), read 2026-11-25. An exception inside a stream has no status of its own: its
class follows from its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from headrace.core.chunk import Failure
from headrace.errors import AuthError, BadRequest, ProviderError, RateLimited, Unavailable
from headrace.framing.eventstream import encode_message
from headrace.wire.failing import Complaint, answered_badly, class_of, complained, read_answer

_TYPE_HEADER = "x-amzn-errortype"
# By name, its first letter small: it is so inside a stream, and large in an HTTP answer.
_KINDS: dict[str, type[ProviderError]] = {
    "accessDeniedException": AuthError,
    "expiredTokenException": AuthError,
    "unrecognizedClientException": AuthError,
    "internalServerException": Unavailable,
    "modelErrorException": Unavailable,
    "modelNotReadyException": Unavailable,
    "modelStreamErrorException": Unavailable,
    "modelTimeoutException": Unavailable,
    "resourceNotFoundException": BadRequest,
    "serviceQuotaExceededException": RateLimited,
    "serviceUnavailableException": Unavailable,
    "throttlingException": RateLimited,
    "validationException": BadRequest,
}
# Our kinds -> the exceptions that a stream can end in.
_NAMES = {
    "rate_limited": "throttlingException",
    "bad_request": "validationException",
    "context_overflow": "validationException",
    "content_blocked": "validationException",
    "request": "validationException",
    "unknown_model": "validationException",
    "unavailable": "internalServerException",
}
# And those that only an HTTP answer has.
_NAMES_BEFORE = {"auth": "accessDeniedException", "unknown_model": "resourceNotFoundException"}


def failure_from_response(status: int, headers: Mapping[str, str], body: bytes, provider: str) -> Failure:
    """The typed failure for an HTTP answer that is not a good stream."""
    lower = {name.lower(): value for name, value in headers.items()}
    error = read_answer(body, lower)
    complaint = _complaint(error, _name(lower.get(_TYPE_HEADER, "")))
    return answered_badly(complaint, status, lower, body, provider, _kind(complaint))


def failure_from_event(name: str, error: Any, raw: bytes) -> Failure:
    """The typed failure for an exception that came inside a stream that had begun with 200."""
    complaint = _complaint(error, _name(name))
    return complained(complaint, _kind(complaint), raw)


def error_body(failure: Failure) -> bytes:
    """The failure as the JSON body of an HTTP error; clients find its name in the body too."""
    name = _NAMES_BEFORE.get(failure.kind) or exception_name(failure)
    return msgspec.json.encode({"__type": name[0].upper() + name[1:], "message": failure.message})


def exception(failure: Failure) -> bytes:
    """The failure as the last message of a stream."""
    headers = {
        ":exception-type": exception_name(failure),
        ":content-type": "application/json",
        ":message-type": "exception",
    }
    return encode_message(headers, msgspec.json.encode({"message": failure.message}))


def exception_name(failure: Failure) -> str:
    """The vendor's word for a failure inside a stream: its own where it was one, else the nearest."""
    if failure.code in _KINDS:
        return failure.code
    if failure.kind == "unavailable" and failure.http_status == 503:
        return "serviceUnavailableException"
    return _NAMES.get(failure.kind, "modelStreamErrorException")


def _name(told: str) -> str:
    """An exception's name from a header or a body: `ns#Name:more` without what stands around it."""
    name = told.partition(":")[0].rpartition("#")[2].strip()
    return name[:1].lower() + name[1:]


def _kind(complaint: Complaint) -> type[ProviderError] | None:
    kind = _KINDS.get(complaint.code)
    return class_of(complaint, 400)[0] if kind is BadRequest else kind


def _complaint(error: Any, name: str) -> Complaint:
    """Read an error. name: the exception's, where something beside the body tells it."""
    told = error if isinstance(error, dict) else {}
    if isinstance(told.get("output"), dict):
        return Complaint("a whole message came where a stream was asked for")
    for said in (told.get("__type"), told.get("code")):
        if not name and isinstance(said, str):
            name = _name(said)
    message = told.get("message", told.get("Message", error))
    return Complaint(message if isinstance(message, str) else "", name, told=bool(name))
