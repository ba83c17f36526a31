"""Errors both ways; the official client raises what it should."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cohere.core.api_error import ApiError
from cohere.errors import TooManyRequestsError
from tests.wire.cohere.events import TEXT, begin, decode, end, event, failure
from tests.wire.cohere.judge import client, client_events

from headrace.core.chunk import Failure, UsageReport
from headrace.errors import RateLimited, StreamTimeoutException, Unavailable
from headrace.wire.cohere import WIRE, error_body, error_event


@pytest.mark.parametrize(
    ("reason", "error", "kind"),
    [
        ("ERROR", "it fell over", "unavailable"),
        ("TIMEOUT", None, "unavailable"),
        ("COMPLETE", "it fell over at the end", "unavailable"),
        ("ERROR", "too many tokens: size limit exceeded by 11326 tokens", "context_overflow"),
    ],
)
@pytest.mark.parametrize("place", [1, 3, 5])
def test_a_message_that_ends_in_an_error_is_a_failure(
    reason: str, error: str | None, kind: str, place: int
) -> None:
    bad = failure(*TEXT[:place], end(reason, **({"error": error} if error else {})), *TEXT[place:])
    assert (bad.kind, bad.code, bad.retryable) == (kind, reason, kind == "unavailable")
    assert (error or f"finish reason {reason}") in bad.message


def test_what_was_paid_for_a_failure_is_told() -> None:
    assert isinstance(decode(*TEXT[:3], end("ERROR"))[-2], UsageReport)


@pytest.mark.parametrize(
    "sent",
    [
        event("error", message="gone"),
        b'data: {"message":"gone"}\n\n',
        b'event: error\ndata: {"message":"gone"}\n\n',
    ],
)
def test_an_error_event_of_its_own_is_a_failure(sent: bytes) -> None:
    bad = failure(begin(), sent)
    assert (bad.kind, bad.retryable) == ("unavailable", True)
    assert "gone" in bad.message


@pytest.mark.parametrize(
    ("status", "said", "kind"),
    [
        (401, "invalid api token", "auth"), (403, "no", "auth"), (498, "invalid token", "auth"),
        (404, "model 'x' not found", "bad_request"), (422, "no", "bad_request"), (400, "no", "bad_request"),
        (400, "too many tokens: total number of tokens in the prompt cannot exceed 4081", "context_overflow"),
        (429, "You are using a Trial key", "rate_limited"), (499, "closed", "unavailable"),
        (500, "no", "unavailable"), (503, "no", "unavailable"), (504, "no", "unavailable"),
        (402, "please add a payment method", "rate_limited"),
    ],
)  # fmt: skip
def test_an_answer_that_is_no_stream_is_classed_by_its_status(status: int, said: str, kind: str) -> None:
    bad = WIRE.failure(status, {"Retry-After": "7"}, json.dumps({"message": said}).encode(), "cohere")
    assert (bad.kind, bad.detail["status"], bad.detail["retry_after_s"]) == (kind, status, 7.0)
    assert said in bad.message
    assert bad.retryable == (kind in ("unavailable", "rate_limited") and status != 402)


@pytest.mark.parametrize(
    "body",
    [
        b"<html><title>Bad gateway</title></html>",
        b'{"id":"x","finish_reason":"COMPLETE","message":{"role":"assistant"}}',
        b"[1]",
    ],
)
def test_what_is_no_event_stream_is_told(body: bytes) -> None:
    bad = failure(body)
    assert (bad.kind, bad.code) == ("wire", "unexpected_answer")


def test_an_error_with_a_200_is_that_error() -> None:
    assert failure(b'{"message":"internal server error"}').kind == "unavailable"


def test_the_official_client_raises_at_our_errors_and_reads_them_in_a_stream() -> None:
    asks: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    asks["request_options"] = {"max_retries": 0}
    with pytest.raises(TooManyRequestsError, match="slow down"):
        client(error_body(Failure.of(RateLimited("slow down"))), 429).chat(**asks)
    with pytest.raises(ApiError, match="busy"):
        list(client(error_body(Failure.of(Unavailable("busy"))), 503).chat_stream(**asks))
    sent = Failure.of(StreamTimeoutException("too slow", code="idle"))
    last: dict[str, Any] = client_events(b"".join([*TEXT[:3], error_event(sent)]))[-1]
    assert last["delta"] == {"finish_reason": "TIMEOUT", "error": "too slow"}
    got = failure(*TEXT[:3], error_event(sent))
    assert (got.kind, got.code, got.retryable) == ("unavailable", "TIMEOUT", True)
