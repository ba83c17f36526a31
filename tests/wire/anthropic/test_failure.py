"""Errors both ways; the official client raises what it should."""

from __future__ import annotations

import json
from typing import Any

import anthropic
import httpx2
import pytest
from tests.wire.anthropic.events import TEXT, event, failure

from headrace.core.chunk import Failure
from headrace.errors import BadRequest, HeadraceError, RequestError, Truncated, Unavailable
from headrace.testing.stages import run
from headrace.wire.anthropic import WIRE, MessagesEncoder, error_body, error_event


def error(type: str, message: str = "no") -> dict[str, Any]:
    return {"type": "error", "error": {"type": type, "message": message}, "request_id": "req_1"}


@pytest.mark.parametrize(
    ("type", "kind", "retryable"),
    [
        ("overloaded_error", "unavailable", True),
        ("api_error", "unavailable", True),
        ("timeout_error", "unavailable", True),
        ("rate_limit_error", "rate_limited", True),
        ("billing_error", "rate_limited", False),
        ("authentication_error", "auth", False),
        ("permission_error", "auth", False),
        ("invalid_request_error", "bad_request", False),
        ("not_found_error", "bad_request", False),
        ("never_seen_error", "unavailable", True),
    ],
)
@pytest.mark.parametrize("place", [0, 1, 4])
def test_an_error_inside_a_stream_is_classed_by_its_type(
    type: str, kind: str, retryable: bool, place: int
) -> None:
    bad = failure(*TEXT[:place], event(**error(type)), *TEXT[place:])
    assert (bad.kind, bad.retryable, bad.code) == (kind, retryable, type)
    assert bad.detail["request_id"] == "req_1"


def test_a_prompt_that_is_too_long_is_a_context_overflow_anywhere() -> None:
    body = error("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum")
    assert failure(event(**body)).kind == "context_overflow"
    assert WIRE.failure(400, {}, json.dumps(body).encode(), "anthropic").kind == "context_overflow"


@pytest.mark.parametrize(
    ("status", "type", "kind"),
    [
        (401, "authentication_error", "auth"), (403, "permission_error", "auth"),
        (404, "not_found_error", "bad_request"), (413, "request_too_large", "bad_request"),
        (429, "rate_limit_error", "rate_limited"), (500, "api_error", "unavailable"),
        (529, "overloaded_error", "unavailable"), (402, "billing_error", "rate_limited"),
        (200, "overloaded_error", "unavailable"),
    ],
)  # fmt: skip
def test_an_answer_that_is_no_stream_is_classed_by_its_status(status: int, type: str, kind: str) -> None:
    body = json.dumps(error(type)).encode()
    bad = WIRE.failure(status, {"Retry-After": "7"}, body, "anthropic")
    assert (bad.kind, bad.detail["status"], bad.detail["retry_after_s"]) == (kind, status, 7.0)


@pytest.mark.parametrize(
    "body", [b"<html><title>Bad gateway</title></html>", b'{"type":"message","content":[]}', b"[1]"]
)
def test_what_is_no_event_stream_is_told(body: bytes) -> None:
    bad = failure(body)
    assert bad.kind == "wire"
    assert bad.code == "unexpected_answer"


def test_a_named_error_event_needs_no_json() -> None:
    bad = failure(*TEXT[:3], b"event: error\ndata: upstream fell over\n\n")
    assert bad.kind == "unavailable"
    assert "upstream fell over" in bad.message


@pytest.mark.parametrize(
    ("failed", "type"),
    [
        (Unavailable("x", code="overloaded_error"), "overloaded_error"),
        (Unavailable("x"), "api_error"),
        (Unavailable("x", http_status=503), "overloaded_error"),
        (BadRequest("x", http_status=404), "not_found_error"),
        (RequestError("x", field="messages"), "invalid_request_error"),
        (Truncated("x"), "api_error"),
    ],
)
def test_our_failures_in_the_vendors_words(failed: HeadraceError, type: str) -> None:
    body = json.loads(error_body(Failure.of(failed)))
    assert body["type"] == "error"
    assert body["error"] == {"type": type, "message": "x"}


def client(body: bytes, status: int = 200) -> anthropic.Anthropic:
    headers = {"content-type": "text/event-stream" if status == 200 else "application/json"}

    def answer(_request: Any) -> httpx2.Response:
        return httpx2.Response(status, headers=headers, content=body)

    http = httpx2.Client(transport=httpx2.MockTransport(answer))
    return anthropic.Anthropic(api_key="k", base_url="http://local", http_client=http, max_retries=0)


def ask(one: anthropic.Anthropic) -> Any:
    with one, one.messages.stream(
        model="m", max_tokens=5, messages=[{"role": "user", "content": "hi"}]
    ) as stream:  # fmt: skip
        return stream.get_final_message()


def test_the_official_client_raises_at_an_error_event() -> None:
    bad = Failure.of(Unavailable("too busy", code="overloaded_error"))
    with pytest.raises(anthropic.APIStatusError, match="too busy"):
        ask(client(b"".join([*TEXT[:4], error_event(bad)])))
    with pytest.raises(anthropic.NotFoundError, match="no such model"):
        ask(client(error_body(Failure.of(BadRequest("no such model", http_status=404))), 404))


def test_the_official_client_reads_what_we_encode_over_http() -> None:
    from tests.wire.anthropic.events import decode

    encoded = b"".join(run(MessagesEncoder(id="msg_9", model="mine"), [decode(*TEXT)]))
    message = ask(client(encoded))
    assert (message.id, message.model, message.content[0].text) == ("msg_9", "mine", "Hello")
    assert (message.stop_reason, message.usage.output_tokens) == ("end_turn", 2)
