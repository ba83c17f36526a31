"""How a decoded stream ends: whole, cut, empty, with an error inside, or as no stream at all."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.wire.openai_chat.events import DONE, TEXT, decode, delta, event, failure, reply

from headrace.core.chunk import (
    CandidateEnd,
    Failure,
    Finish,
    VendorPart,
)
from headrace.testing import stages
from headrace.wire.openai_chat import ChatDecoder, ChatRelay


def test_the_end_of_input_without_a_finish_reason_is_truncated_not_a_stop() -> None:
    cut = failure(*TEXT[:3])
    assert (cut.kind, cut.retryable) == ("truncated", True)
    assert "3 events" in cut.message
    assert "candidate 0" in cut.message


def test_nothing_at_all_is_truncated() -> None:
    assert failure().kind == "truncated"
    assert "0 events" in failure().message


def test_only_the_terminator_is_an_empty_response() -> None:
    assert failure(DONE).code == "empty_response"
    assert failure(delta(role="assistant", content=""), DONE).code == "empty_response"


def test_an_empty_answer_that_says_why_it_ended_is_an_answer() -> None:
    assert reply(delta(role="assistant", content=""), delta(reason="length"), DONE).finish_reason == "length"


def test_the_terminator_without_a_finish_reason_is_flagged() -> None:
    assert decode(*TEXT[:3], DONE)[-2:] == [CandidateEnd("stop", ""), Finish("stop", "", clean=False)]


@pytest.mark.parametrize("end", [b"[DONE]", b"[DONE] ", b"[DONE]\t "])
def test_blanks_behind_the_terminator_do_not_matter(end: bytes) -> None:
    stream = b"".join(TEXT) + b"data: " + end + b"\n\n"
    assert decode(stream)[-1] == Finish("stop", "stop")
    assert stages.run(ChatRelay(True), [[stream]]) == [stream, Finish("stop", "stop")]


@pytest.mark.parametrize("end", [b"[DONE]x", b"[DONE][DONE]", b"[DONE] 1", b"[DONE", b"[done]", b"[]"])
@pytest.mark.parametrize("stage", [ChatDecoder, lambda: ChatRelay(True)], ids=["decoder", "relay"])
def test_what_only_begins_like_the_terminator_breaks_the_wire(stage: Any, end: bytes) -> None:
    last = stages.run(stage(), [[TEXT[1] + b"data: " + end + b"\n\n" + TEXT[3] + DONE]])[-1]
    assert isinstance(last, Failure)
    assert (last.kind, "event 2" in last.message) == ("wire", True)


@pytest.mark.parametrize(
    ("raw", "ours"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("tool_calls", "tool_calls"),
        ("function_call", "tool_calls"),
        ("content_filter", "content_filter"),
        ("model_length", "length"),
        ("end_turn", "stop"),
        ("SAFETY", "content_filter"),
        ("a word of tomorrow", "stop"),
    ],
)
def test_reasons_are_mapped_and_the_vendors_word_is_kept(raw: str, ours: str) -> None:
    assert decode(delta(content="x"), delta(reason=raw), DONE)[-1] == Finish(ours, raw)  # type: ignore[arg-type]


def test_a_finish_reason_that_means_failure_is_one() -> None:
    assert (
        failure(delta(content="x"), delta(reason="insufficient_system_resource"), DONE).kind == "unavailable"
    )


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        ({"error": {"message": "slow down", "code": 429}}, "rate_limited", "rate_limited"),
        ({"error": {"message": "oops", "code": "502"}, "choices": []}, "unavailable", "unavailable"),
        ({"error": {"message": "no", "type": "invalid_request_error", "code": None}}, "bad_request", None),
        ({"error": "overloaded"}, "unavailable", "unavailable"),
        ({"object": "error", "message": "bad key", "type": "authentication_error"}, "auth", None),
        ({"detail": "the model left"}, "unavailable", "unavailable"),
        ({"error": {"message": "too long", "code": "context_length_exceeded"}}, "context_overflow", None),
    ],
)
def test_an_error_in_the_stream_is_the_failure_it_says(body: Any, kind: str, code: str | None) -> None:
    failed = failure(TEXT[0], TEXT[1], b"data: " + json.dumps(body).encode() + b"\n\n", DONE)
    assert failed.kind == kind
    assert code is None or failed.code == code
    assert failed.detail["raw"]


def test_an_error_event_by_name() -> None:
    failed = failure(TEXT[0], b'event: error\ndata: {"code": 503, "msg": "gone"}\n\n')
    assert (failed.kind, failed.detail["status"]) == ("unavailable", 503)
    assert failure(TEXT[0], b"event: error\ndata: just words\n\n").message.endswith("just words")


def test_an_error_next_to_choices_wins() -> None:
    broken = event(
        choices=[{"index": 0, "delta": {"content": ""}, "finish_reason": "error"}], error={"message": "x"}
    )
    assert failure(*TEXT[:2], broken).message.endswith("x")


def test_malformed_json_names_the_event_and_quotes_its_beginning() -> None:
    failed = failure(*TEXT[:2], b'data: {"choices": [' + b"x" * 500 + b"\n\n")
    assert failed.kind == "wire"
    assert "event 3" in failed.message
    assert '{"choices": [xxx' in failed.message
    assert len(failed.message) < 300


@pytest.mark.parametrize(
    "body", [b"5", b"null", b'"text"', b"[1]", b'{"choices": {"a": 1}}', b'{"choices": [3]}']
)
def test_json_of_another_shape_is_a_wire_failure(body: bytes) -> None:
    assert failure(TEXT[0], b"data: " + body + b"\n\n").kind == "wire"


def test_an_event_of_an_unknown_shape_is_kept() -> None:
    chunks = decode(*TEXT[:2], event(choices=None, plan={"steps": 3}), *TEXT[2:], DONE)
    assert [one.part.data for one in chunks if isinstance(one, VendorPart)] == [{"plan": {"steps": 3}}]
    assert chunks[-1] == Finish("stop", "stop")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (json.dumps({"object": "chat.completion", "choices": []}).encode(), "whole chat.completion"),
        (b"<html><head><title>502 Bad\n Gateway</title></head></html>", "502 Bad Gateway"),
        (b'{"error": {"message": "no key", "type": "authentication_error"}}', "no key"),
        (b'{"cut', "cut"),
    ],
)
def test_an_answer_that_is_no_stream_is_reported_as_what_it_is(body: bytes, said: str) -> None:
    out = stages.every_split(stages.reads(ChatDecoder), body)
    assert [type(one) for one in out] == [Failure]
    assert said in out[0].message


def test_an_endless_page_is_not_held_for_ever() -> None:
    decoder = ChatDecoder()
    out: list[Any] = []
    fed = 0
    while not out and fed < 10_000_000:
        out = decoder.feed([b"<p>" + b"x" * 1000])
        fed += 1003
    assert isinstance(out[0], Failure)
    assert fed < 100_000


def test_an_event_over_the_bound_is_a_failure() -> None:
    out = stages.run(ChatDecoder(max_event_bytes=1000), [[delta(content="x" * 2000)]])
    assert [one.code for one in out] == ["event_too_long"]


@pytest.mark.parametrize("field", ["choices", "usage", "error", "plan"])
def test_nesting_beyond_the_stack_is_a_wire_failure(field: str) -> None:
    deep = b'{"' + field.encode() + b'": ' + b"[" * 200_000 + b"]" * 200_000 + b"}"
    for stage in (ChatDecoder(), ChatRelay(True)):
        last = stages.run(stage, [[TEXT[0] + b"data: " + deep + b"\n\n"]])[-1]
        assert isinstance(last, Failure)
        assert last.kind == "wire"
    whole = stages.run(ChatDecoder(), [[deep[:60_000]]])
    assert [type(one) for one in whole] == [Failure]
