"""The encoder, read back by the official client's accumulator and its own models."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter
from tests.wire.openai_responses.judge import Said, sdk_final

from headrace.core.chunk import (
    AudioDelta,
    BlockEnd,
    BlockStart,
    Cancelled,
    CandidateEnd,
    Chunk,
    Citation,
    Failure,
    Finish,
    ImageDelta,
    ReasoningDelta,
    RefusalDelta,
    Start,
    Step,
    TextDelta,
    Token,
    ToolCallDelta,
    TranscriptDelta,
    UsageReport,
    VendorPart,
    Verdict,
)
from headrace.core.fold import fold
from headrace.core.opaque import Opaque
from headrace.core.usage import Usage
from headrace.errors import RateLimited
from headrace.testing import stages
from headrace.wire.openai_responses.decode import ResponsesDecoder
from headrace.wire.openai_responses.encode import ResponsesEncoder

_EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)

START = Start("resp_1", "m", 7)
# What a chat wire's decoder gives: reasoning, text, two calls whose pieces interleave, usage.
CHAT: list[Chunk] = [
    START,
    BlockStart(0, "reasoning"),
    ReasoningDelta(0, "Let me "),
    ReasoningDelta(0, "see."),
    BlockEnd(0),
    BlockStart(1, "text"),
    TextDelta(1, "Hel"),
    TextDelta(1, 'lo "\n\u2028é\U0001f600'),
    BlockEnd(1),
    BlockStart(2, "tool-call", "call_a", "f"),
    ToolCallDelta(2, '{"x"'),
    BlockStart(3, "tool-call", "call_b", "g"),
    ToolCallDelta(3, '{"y":2}'),
    ToolCallDelta(2, ":1}"),
    BlockEnd(2),
    BlockEnd(3),
    CandidateEnd("tool_calls", "tool_calls"),
    UsageReport(Usage(30, 12, cached_input_tokens=5, reasoning_tokens=4)),
    Finish("tool_calls", "tool_calls"),
]


def encode(*chunks: Chunk, **about: Any) -> bytes:
    return b"".join(stages.run(ResponsesEncoder(**about), [list(chunks)]))


def bodies(stream: bytes) -> list[Any]:
    """The events; asserts that each is named by its type and numbered without a gap."""
    events: list[Any] = []
    for frame in stream.split(b"\n\n")[:-1]:
        head, data = frame.split(b"\n")
        body = json.loads(data.removeprefix(b"data: "))
        assert head == b"event: " + body["type"].encode()
        assert body["sequence_number"] == len(events)
        events.append(body)
    return events


def kinds(*chunks: Chunk) -> list[str]:
    """The types of the events between the first two and the last."""
    return [one["type"].removeprefix("response.") for one in bodies(encode(START, *chunks, Finish()))[2:-1]]


def test_every_event_validates_strictly_against_the_official_models() -> None:
    for body in bodies(encode(*CHAT)):
        _EVENT.validate_python(body, strict=True)
        if "response" in body:
            Response.model_validate(body["response"], strict=True)
            assert (body["response"]["id"], body["response"]["model"]) == ("resp_1", "m")


def test_reasoning_text_and_two_calls_reach_the_official_client(sdk_said: Callable[[bytes], Said]) -> None:
    assert sdk_said(encode(*CHAT)) == Said(
        text='Hello "\n\u2028é\U0001f600',
        refusal="",
        reasoning="Let me see.",
        tool_calls=[("call_a", "f", '{"x":1}'), ("call_b", "g", '{"y":2}')],
        status="completed",
        input_tokens=30,
        output_tokens=12,
        reasoning_tokens=4,
    )


def test_the_answer_comes_back_through_our_own_decoder() -> None:
    first, again = fold(CHAT), fold(stages.run(ResponsesDecoder(), [[encode(*CHAT)]]))
    assert (again.text, again.reasoning) == (first.text, first.reasoning)
    assert [(one.id, one.name, one.arguments) for one in again.tool_calls] == [
        (one.id, one.name, one.arguments) for one in first.tool_calls
    ]
    assert again.finish_reason == first.finish_reason == "tool_calls"
    assert again.usage is not None
    assert first.usage is not None
    assert again.usage.total_tokens == first.usage.total_tokens
    assert again.usage.cached_input_tokens == 5


def test_events_come_in_the_protocols_order() -> None:
    assert kinds(BlockStart(0, "text"), TextDelta(0, "a"), BlockEnd(0)) == [
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
    ]
    assert kinds(BlockStart(0, "reasoning"), ReasoningDelta(0, "a"), BlockEnd(0))[2:4] == [
        "reasoning_text.delta",
        "reasoning_text.done",
    ]
    assert kinds(BlockStart(0, "refusal"), RefusalDelta(0, "a"), BlockEnd(0))[2:4] == [
        "refusal.delta",
        "refusal.done",
    ]
    assert kinds(BlockStart(0, "tool-call", "c", "f"), ToolCallDelta(0, "{}"), BlockEnd(0)) == [
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
    ]


def test_the_stream_does_not_depend_on_how_chunks_are_batched() -> None:
    stages.every_split(ResponsesEncoder, CHAT, normal=stages.joined)
    stages.every_truncation(ResponsesEncoder, CHAT, normal=stages.joined)


def test_given_names_stand_before_the_sources() -> None:
    body = bodies(encode(*CHAT, id="resp_mine", model="alias", created_s=9))[-1]["response"]
    assert (body["id"], body["model"], body["created_at"]) == ("resp_mine", "alias", 9)


def test_the_request_is_echoed() -> None:
    echo = {"instructions": "be short", "temperature": 0.5}
    for body in bodies(encode(*CHAT, echo=echo)):
        if "response" in body:
            assert body["response"]["instructions"] == "be short"
            assert body["response"]["temperature"] == 0.5


@pytest.mark.parametrize(
    ("reason", "raw", "status", "word"),
    [
        ("stop", "end_turn", "completed", None),
        ("stop_sequence", "", "completed", None),
        ("tool_calls", "tool_use", "completed", None),
        ("length", "max_tokens", "incomplete", "max_output_tokens"),
        ("length", "MAX_TOKENS", "incomplete", "max_output_tokens"),
        ("content_filter", "SAFETY", "incomplete", "content_filter"),
    ],
)
def test_reasons_are_a_status_and_its_details(reason: Any, raw: str, status: str, word: str | None) -> None:
    last = bodies(encode(START, TextDelta(0, "a"), CandidateEnd(reason, raw), Finish(reason)))[-1]
    assert last["type"] == f"response.{status}"
    assert last["response"]["status"] == status
    assert last["response"]["incomplete_details"] == (word and {"reason": word})


def test_a_failure_is_an_error_and_a_failed_response() -> None:
    broken = Failure.of(RateLimited("slow down", code="too_many"))
    events = bodies(encode(START, BlockStart(0, "text"), TextDelta(0, "a"), broken, TextDelta(0, "b")))
    error, failed = events[-2:]
    assert (error["type"], error["code"], error["message"]) == ("error", "too_many", "slow down")
    assert error["error"]["type"] == "rate_limit_error"
    assert failed["type"] == "response.failed"
    assert failed["response"]["error"] == {"code": "too_many", "message": "slow down"}
    assert failed["response"]["output"][0]["content"][0]["text"] == "a"
    back = stages.run(ResponsesDecoder(), [[encode(START, broken)]])[-1]
    assert isinstance(back, Failure)
    assert (back.kind, back.code) == ("rate_limited", "too_many")


@pytest.mark.parametrize(("end", "word"), [((), "truncated"), ((Cancelled("enough"),), "cancelled")])
def test_an_answer_without_its_end_fails(end: tuple[Chunk, ...], word: str) -> None:
    error, failed = bodies(encode(START, TextDelta(0, "a"), *end))[-2:]
    assert (error["code"], failed["type"]) == (word, "response.failed")


def test_what_a_source_left_open_is_closed() -> None:
    stream = encode(START, BlockStart(0, "text"), TextDelta(0, "a"), ToolCallDelta(5, "{}"), Finish())
    response = sdk_final(stream)
    assert [item.type for item in response.output] == ["message", "function_call"]


def test_sources_sound_and_images_have_their_events() -> None:
    events = bodies(
        encode(
            START,
            BlockStart(0, "text"),
            TextDelta(0, "abc"),
            Citation(0, "http://a", "A", start=1, end=3),
            Citation(0, "http://b"),
            BlockEnd(0),
            BlockStart(1, "image"),
            ImageDelta(1, b"\1", "image/png", partial=True),
            ImageDelta(1, b"\0\1", "image/png"),
            BlockEnd(1),
            BlockStart(2, "audio"),
            AudioDelta(2, b"\0\1"),
            BlockStart(3, "transcript"),
            TranscriptDelta(3, "hi"),
            TranscriptDelta(3, "?", committed=False),
            BlockEnd(2),
            BlockEnd(3),
            Finish(),
        )
    )
    for body in events:
        _EVENT.validate_python(body)
    by_type = {one["type"].removeprefix("response."): one for one in events}
    response = by_type["completed"]["response"]
    assert [one["url"] for one in response["output"][0]["content"][0]["annotations"]] == [
        "http://a",
        "http://b",
    ]
    assert by_type["output_text.annotation.added"]["annotation"]["end_index"] == 3
    assert by_type["image_generation_call.partial_image"]["partial_image_b64"] == "AQ=="
    assert response["output"][1]["result"] == "AAE="
    assert by_type["audio.delta"]["delta"] == "AAE="
    assert by_type["audio.transcript.delta"]["delta"] == "hi"
    assert {"audio.done", "audio.transcript.done"} <= set(by_type)
    back = fold(stages.run(ResponsesDecoder(), [[b"".join([encode(*CHAT)])]]))
    assert back.failure is None


def test_what_the_protocol_has_no_place_for_is_left_out() -> None:
    other = Opaque("another_wire", {"x": 1})
    assert kinds(Step("look"), Verdict("safe"), VendorPart(other)) == []
    assert kinds(BlockStart(0, "text", candidate=1), TextDelta(0, "a", candidate=1)) == []


def test_log_probabilities_are_those_of_the_tokens() -> None:
    top = (Token("a", logprob=-0.1), Token("b", logprob=float("-inf")))
    tokens = (Token("a", 5, -0.1, None, top), Token("\\xe6", None, -0.2, b"\xe6"))
    stream = encode(START, TextDelta(0, "a\ufffd", tokens), CandidateEnd("stop"), Finish())
    delta = next(one for one in bodies(stream) if one["type"] == "response.output_text.delta")
    assert [(one["token"], one["logprob"], one["bytes"]) for one in delta["logprobs"]] == [
        ("a", -0.1, [97]),
        ("\\xe6", -0.2, [230]),
    ]
    assert delta["logprobs"][0]["top_logprobs"][1]["logprob"] == -9999.0
    back = fold(stages.run(ResponsesDecoder(), [[stream]]))
    assert [(one.text, one.raw) for one in back.tokens] == [("a", None), ("\\xe6", b"\xe6")]


def test_deltas_that_do_not_fit_their_block_are_still_said(sdk_said: Callable[[bytes], Said]) -> None:
    stream = encode(START, BlockStart(0, "audio"), TextDelta(0, "a"), ReasoningDelta(0, "b"), Finish())
    assert (sdk_said(stream).text, sdk_said(stream).reasoning) == ("a", "b")
