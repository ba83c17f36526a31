"""Errors of the vendor, typed; ours, in its shape."""

from __future__ import annotations

import json
from typing import Any

import pytest
from google.genai import errors

from headrace.core.chunk import Failure
from headrace.errors import RequestError, Truncated, UnknownModel
from headrace.wire.gemini.failure import error_body, failure_from_response

RPC = "type.googleapis.com/google.rpc."


def answered(status: int, word: str, message: str = "m", *details: Any, array: bool = False) -> Failure:
    error = {"error": {"code": status, "message": message, "status": word, "details": list(details)}}
    body = json.dumps([error] if array else error).encode()
    return failure_from_response(status, {"Content-Type": "application/json"}, body, "google")


@pytest.mark.parametrize("array", [False, True])
@pytest.mark.parametrize(
    ("status", "word", "kind", "retryable", "http_status"),
    [
        (400, "INVALID_ARGUMENT", "bad_request", False, 400),
        (400, "FAILED_PRECONDITION", "bad_request", False, 400),
        (401, "UNAUTHENTICATED", "auth", False, 401),
        (403, "PERMISSION_DENIED", "auth", False, 403),
        (404, "NOT_FOUND", "bad_request", False, 404),
        (429, "RESOURCE_EXHAUSTED", "rate_limited", True, 429),
        (500, "INTERNAL", "unavailable", True, 502),
        (503, "UNAVAILABLE", "unavailable", True, 503),
        (504, "DEADLINE_EXCEEDED", "unavailable", True, 504),
    ],
)
def test_words(status: int, word: str, kind: str, retryable: bool, http_status: int, array: bool) -> None:
    failure = answered(status, word, array=array)
    assert (failure.kind, failure.code, failure.retryable) == (kind, word, retryable)
    assert (failure.http_status, failure.detail["status"]) == (http_status, status)
    assert "google answered" in failure.message
    inside = failure_from_response(200, {}, json.dumps({"error": {"status": word}}).encode(), "google")
    assert (inside.kind, inside.retryable) == (kind, retryable)


def test_details() -> None:
    key = answered(
        400,
        "INVALID_ARGUMENT",
        "API key not valid.",
        {"@type": RPC + "ErrorInfo", "reason": "API_KEY_INVALID"},
    )
    assert key.kind == "auth"
    long = answered(
        400, "INVALID_ARGUMENT", "The input token count (9) exceeds the maximum number of tokens allowed (5)."
    )
    assert long.kind == "context_overflow"
    wait = answered(429, "RESOURCE_EXHAUSTED", "m", {"@type": RPC + "RetryInfo", "retryDelay": "34.5s"})
    assert wait.detail["retry_after_s"] == 34.5
    violation = {"@type": RPC + "BadRequest", "fieldViolations": [{"field": "contents[0].role"}]}
    assert answered(400, "INVALID_ARGUMENT", "m", violation).detail["field"] == "contents[0].role"


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b'"x"', b'{"error":"x"}', b'{"error":{"details":[1]}}', b"<html>", b"\xff"]
)
def test_any_body_is_a_failure_of_its_status(body: bytes) -> None:
    assert failure_from_response(503, {}, body, "google").kind == "unavailable"
    assert failure_from_response(200, {}, body, "google").kind == "wire"


@pytest.mark.parametrize(
    ("failure", "status", "word"),
    [
        (Failure.of(RequestError("bad", field="contents")), 400, "INVALID_ARGUMENT"),
        (Failure.of(UnknownModel("no")), 404, "NOT_FOUND"),
        (Failure.of(Truncated("cut")), 502, "INTERNAL"),
        (answered(429, "RESOURCE_EXHAUSTED"), 429, "RESOURCE_EXHAUSTED"),
    ],
)
def test_our_errors_in_the_vendors_shape(failure: Failure, status: int, word: str, official: Any) -> None:
    with pytest.raises(errors.APIError) as caught:
        official(error_body(failure), failure.http_status, "application/json").whole()
    assert (caught.value.code, caught.value.status, caught.value.message) == (status, word, failure.message)
    back = failure_from_response(failure.http_status, {}, error_body(failure), "")
    assert back.retryable == failure.retryable
    assert back.detail.get("field") == (failure.detail.get("field") or None)
