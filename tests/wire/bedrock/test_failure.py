"""Errors both ways; the official client reads their names and words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import EventStreamError
from tests.wire.bedrock.events import LINES, TEXT, event, exception, failure, line
from tests.wire.bedrock.judge import client_answer, client_events

from headrace.core.chunk import Failure
from headrace.errors import (
    AuthError,
    BadRequest,
    ContextOverflow,
    HeadraceError,
    RateLimited,
    RequestError,
    Truncated,
    Unavailable,
    UnknownModel,
)
from headrace.framing.eventstream import encode_message
from headrace.wire.bedrock import WIRE, error_body
from headrace.wire.bedrock.failure import exception as exception_message

EXCEPTIONS = [
    ("throttlingException", "rate_limited", True),
    ("serviceUnavailableException", "unavailable", True),
    ("internalServerException", "unavailable", True),
    ("modelStreamErrorException", "unavailable", True),
    ("modelTimeoutException", "unavailable", True),
    ("modelNotReadyException", "unavailable", True),
    ("validationException", "bad_request", False),
    ("accessDeniedException", "auth", False),
    ("neverSeenException", "unavailable", True),
]


@pytest.mark.parametrize(("name", "kind", "retryable"), EXCEPTIONS)
@pytest.mark.parametrize("place", [0, 1, 3, 5])
def test_an_exception_inside_a_stream_is_classed_by_its_name(
    name: str, kind: str, retryable: bool, place: int
) -> None:
    bad = failure(*TEXT[:place], exception(name, "too much"), *TEXT[place:])
    assert (bad.kind, bad.retryable, bad.code) == (kind, retryable, name)
    assert "too much" in bad.message
    as_line = failure(*LINES[: min(place, 3)], line(name, message="too much"))
    assert (as_line.kind, as_line.code, as_line.message) == (bad.kind, bad.code, bad.message)


def test_an_error_message_has_no_body() -> None:
    headers = {
        ":message-type": "error",
        ":error-code": "InternalServerException",
        ":error-message": "it fell",
    }
    bad = failure(*TEXT[:2], encode_message(headers, b""))
    assert (bad.kind, bad.code) == ("unavailable", "internalServerException")
    assert "it fell" in bad.message


@pytest.mark.parametrize(
    "said", ["Input is too long for requested model.", "prompt is too long: 9 tokens > 8"]
)
def test_a_prompt_that_is_too_long_is_a_context_overflow_anywhere(said: str) -> None:
    assert failure(exception("validationException", said)).kind == "context_overflow"
    headers = {"x-amzn-ErrorType": "ValidationException:http://internal.amazon.com/coral/"}
    assert WIRE.failure(400, headers, json.dumps({"message": said}).encode(), "").kind == "context_overflow"


def test_being_slowed_for_tokens_is_no_overflow() -> None:
    said = "Too many tokens, please wait before trying again."
    assert failure(exception("throttlingException", said)).kind == "rate_limited"


@pytest.mark.parametrize(
    ("status", "name", "kind"),
    [
        (403, "AccessDeniedException", "auth"), (403, "UnrecognizedClientException", "auth"),
        (404, "ResourceNotFoundException", "bad_request"), (429, "ThrottlingException", "rate_limited"),
        (429, "ModelNotReadyException", "unavailable"), (408, "ModelTimeoutException", "unavailable"),
        (424, "ModelErrorException", "unavailable"), (500, "InternalServerException", "unavailable"),
        (503, "ServiceUnavailableException", "unavailable"), (400, "ValidationException", "bad_request"),
        (400, "ServiceQuotaExceededException", "rate_limited"), (502, "", "unavailable"),
        (413, "", "bad_request"), (200, "ThrottlingException", "rate_limited"),
    ],
)  # fmt: skip
def test_an_answer_that_is_no_stream_is_classed_by_its_exception(status: int, name: str, kind: str) -> None:
    body = json.dumps({"message": "no"}).encode()
    headers = {"Retry-After": "7", **({"X-Amzn-Errortype": name} if name else {})}
    bad = WIRE.failure(status, headers, body, "bedrock")
    assert (bad.kind, bad.detail["status"], bad.detail["retry_after_s"]) == (kind, status, 7.0)
    assert "bedrock answered" in bad.message
    if name:
        named = json.dumps({"__type": f"com.amazon.coral#{name}", "Message": "no"}).encode()
        assert WIRE.failure(status, {}, named, "bedrock").kind == kind


@pytest.mark.parametrize(
    "body",
    [
        b"<html><title>Bad gateway</title></html>",
        b'{"output":{"message":{"role":"assistant","content":[]}},"stopReason":"end_turn"}',
        b'{\n  "Output": {\n    "x": 1\n  },\n  "Version": "1.0"\n}',
        b"[1]",
        b"{\n" + b" 12345\n" * 10_000,
        b"upstream connect error",
    ],
)
def test_what_is_no_stream_is_told(body: bytes) -> None:
    bad = failure(body)
    assert bad.kind == "wire"


def test_an_error_with_a_200_is_that_error() -> None:
    bad = failure(b'{\n"__type":"ThrottlingException",\n"message":"slow down"}')
    assert (bad.kind, bad.code) == ("rate_limited", "throttlingException")
    assert (
        failure(b"").kind == failure(b"\r\n \n").kind == failure(b'{"cut').kind.replace("wire", "truncated")
    )


@pytest.mark.parametrize(
    ("failed", "inside", "before"),
    [
        (RateLimited("x"), "throttlingException", "ThrottlingException"),
        (Unavailable("x"), "internalServerException", "InternalServerException"),
        (Unavailable("x", http_status=503), "serviceUnavailableException", "ServiceUnavailableException"),
        (Unavailable("x", code="modelTimeoutException"), "modelTimeoutException", "ModelTimeoutException"),
        (BadRequest("x"), "validationException", "ValidationException"),
        (ContextOverflow("x"), "validationException", "ValidationException"),
        (RequestError("x", field="messages"), "validationException", "ValidationException"),
        (UnknownModel("x"), "validationException", "ResourceNotFoundException"),
        (AuthError("x"), "modelStreamErrorException", "AccessDeniedException"),
        (Truncated("x"), "modelStreamErrorException", "ModelStreamErrorException"),
    ],
)
def test_our_failures_in_the_vendors_words(failed: HeadraceError, inside: str, before: str) -> None:
    sent = Failure.of(failed)
    answer = client_answer(error_body(sent), status=400)
    assert answer["Error"] == {"Message": "x", "Code": before}
    if inside != "modelTimeoutException":  # the official client knows the five that its model names
        with pytest.raises(EventStreamError) as caught:
            client_events(b"".join(TEXT[:3]) + exception_message(sent))
        assert caught.value.response["Error"] == {"Code": inside, "Message": "x"}
    got = failure(*TEXT[:3], exception_message(sent))
    assert got.code == inside


def test_an_exception_keeps_no_key(capsys: Any) -> None:
    bad = failure(event("throttlingException", "exception", message="key sk-abcdefgh was used"))
    assert "sk-abcdefgh" not in bad.message + str(bad.detail)
