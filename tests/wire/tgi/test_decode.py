from __future__ import annotations

from typing import Any

import pytest
from tests.wire.tgi.events import CUT_OFF, DETAILS, TEXT, decode, event, failure, reply, token

from headrace.core.chunk import Finish, Token
from headrace.wire.tgi import WIRE


@pytest.mark.parametrize("events", [TEXT, CUT_OFF], ids=["text", "cut off"])
def test_it_adds_up_to_what_the_official_client_makes_of_it(
    answering: Any, events: tuple[bytes, ...]
) -> None:
    told = list(answering(b"".join(events)).text_generation("p", stream=True, details=True))
    whole = reply(*events)
    assert whole.usage is not None
    assert whole.text == told[-1].generated_text
    assert whole.candidates[0].raw_reason == told[-1].details.finish_reason
    assert whole.usage.output_tokens == told[-1].details.generated_tokens
    assert whole.usage.input_tokens == told[-1].details.input_length
    assert [(one.id, one.text, one.logprob) for one in whole.tokens] == [
        (one.token.id, one.token.text, one.token.logprob) for one in told
    ]


@pytest.mark.parametrize(
    ("reason", "ours"), [("eos_token", "stop"), ("length", "length"), ("stop_sequence", "stop_sequence")]
)
def test_reasons(reason: str, ours: str) -> None:
    last = event(2, token(9, "!"), generated_text="Hel!", details={**DETAILS, "finish_reason": reason})
    assert reply(TEXT[0], last).finish_reason == ours


def test_without_details_the_answer_ends_all_the_same() -> None:
    whole = reply(TEXT[0], event(2, token(9, "!"), generated_text="Hel!"))
    assert (whole.text, whole.finish_reason, whole.usage) == ("Hel!", "stop", None)


def test_alternatives_become_tokens() -> None:
    assert reply(*CUT_OFF).tokens[0].top == (Token("One", 5, -0.25), Token("</s>", 2, -3.0, special=True))


def test_the_vendors_own_spelling_of_events_is_read() -> None:
    assert reply(*[one.replace(b"data: ", b"data:") for one in TEXT]).text == "Hello é"
    assert isinstance(decode(*TEXT, b"data: [DONE]\n\n")[-1], Finish)
    assert isinstance(decode(b": \n\n", b"data: [DONE]\n\n", *TEXT)[-1], Finish)


@pytest.mark.parametrize(
    ("bad", "kind", "retryable"),
    [
        (b'data: {"error":"Model is overloaded","error_type":"overloaded"}\n\n', "unavailable", True),
        (b'data: {"error":"CUDA","error_type":"generation"}\n\n', "unavailable", True),
        (b'data: {"error":"bad","error_type":"validation"}\n\n', "bad_request", False),
        (b'data: {"error":"`inputs` must have less than 10 tokens","error_type":"validation"}\n\n',
         "context_overflow", False),
        (b'data: {"error":"x","error_type":"incomplete_generation"}\n\n', "truncated", True),
        (b'data: {"error":{"message":"x","http_status_code":422}}\n\n', "unavailable", True),
        (b"event: error\ndata: gone\n\n", "unavailable", True),
        (b"data: {oops\n\n", "wire", False),
        (b"data: 5\n\n", "wire", False),
        (b'data: {"token":{"id":"x"}}\n\n', "wire", False),
    ],
)  # fmt: skip
def test_a_bad_event_ends_the_reply_with_a_typed_failure(bad: bytes, kind: str, retryable: bool) -> None:
    found = failure(TEXT[0], bad, *TEXT[1:])
    assert (found.kind, found.retryable) == (kind, retryable)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html><title>502 Bad</title></html>", "wire"),
        (b'{"error":"Model is overloaded","error_type":"overloaded"}', "unavailable"),
        (b'[{"generated_text":"whole"}]', "wire"),
    ],
)
def test_a_body_that_is_no_stream_is_named(body: bytes, kind: str) -> None:
    assert failure(body).kind == kind


@pytest.mark.parametrize(
    ("answer", "kind", "said_so"),
    [
        (b'{"error":"oops"}', "unavailable", "oops"),
        (b'{"error_type":"overloaded"}', "unavailable", "overloaded"),
        (b'{"x":1}', "wire", '{"x":1}'),
    ],
)
def test_half_an_error_with_a_good_status_is_one(answer: bytes, kind: str, said_so: str) -> None:
    failure = WIRE.failure(200, {}, answer, "p")
    assert (failure.kind, failure.message) == (kind, f"p answered 200: {said_so}")
