"""Errors of servers of the package, and ours."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headrace.core.chunk import Failure
from headrace.errors import AuthError, StreamCancelledException, UnknownModel
from headrace.wire.ui_messages import WIRE, error_body, error_event


@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        (500, b"An error occurred.", "unavailable", "An error occurred."),
        (401, b'{"error":"Unauthorized"}', "auth", "Unauthorized"),
        (429, b'{"error":{"message":"slow down","code":"rate_limited"}}', "rate_limited", "slow down"),
        (400, b'{"message":"no messages"}', "bad_request", "no messages"),
        (404, b'{"odd":1}', "bad_request", '{"odd":1}'),
        (400, b"[1]", "bad_request", "[1]"),
        (502, b"<html><title>Bad gateway</title>", "unavailable", "an HTML page (Bad gateway)"),
        (200, b'{"parts":[]}', "wire", "a whole message"),
        (200, b'{"error":{"code":5}}', "unavailable", '{"error":{"code":5}}'),
    ],
)
def test_an_answer_that_is_not_good(status: int, body: bytes, kind: str, said: str) -> None:
    found = WIRE.failure(status, {"Content-Type": "text/plain"}, body, "app")
    assert found.kind == kind
    assert said in found.message
    assert found.message.startswith(f"app answered {status}: ")


@pytest.mark.parametrize("error", [UnknownModel("no model is called 'x'"), AuthError("no key", status=403)])
def test_an_error_of_ours_says_what_and_its_code(error: Any) -> None:
    failure = Failure.of(error)
    told = json.loads(error_body(failure))
    assert told == {"error": {"message": failure.message, "code": failure.code}}
    back = WIRE.failure(failure.http_status, {}, error_body(failure), "app")
    assert (back.code, back.http_status) == (failure.code, failure.http_status)


def test_a_stop_is_no_error_of_the_page() -> None:
    stopped = Failure.of(StreamCancelledException("it was stopped on request"))
    assert error_event(stopped) == (
        b'data: {"type":"abort","reason":"it was stopped on request"}\n\ndata: [DONE]\n\n'
    )
