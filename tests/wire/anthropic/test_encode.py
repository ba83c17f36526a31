"""The encoder: the events' order, and what other wires' chunks become; judged by the official accumulator."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.wire.anthropic.events import PING, TEXT, begin, block, decode, event, stop
from tests.wire.anthropic.judge import sdk_message

from headrace.core.chunk import (
    AudioDelta,
    BlockEnd,
    BlockStart,
    Cancelled,
    CandidateEnd,
    Citation,
    Failure,
    Finish,
    ReasoningDelta,
    RefusalDelta,
    Start,
    TextDelta,
    ToolCallDelta,
    UsageReport,
    VendorPart,
)
from headrace.core.fold import fold
from headrace.core.opaque import Opaque
from headrace.core.request import Request
from headrace.core.usage import Usage
from headrace.errors import Unavailable
from headrace.testing import stages
from headrace.wire.anthropic import MessagesEncoder, message_body
from headrace.wire.base import ParsedRequest, Says

CALLS = [
    BlockStart(2, "tool-call", "call_a", "f"),
    ToolCallDelta(2, '{"x":'),
    ToolCallDelta(2, "1}"),
    BlockStart(3, "tool-call", "call_b", "g"),
    ToolCallDelta(3, "{}"),
    BlockEnd(2),
    BlockEnd(3),
]
USAGE = Usage(100, 50, cached_input_tokens=60, cache_write_tokens=10, reasoning_tokens=20)
LIKE_OPENAI = [
    Start("c-1", "gpt", 7, Opaque("openai_chat", {"system_fingerprint": "fp"})),
    BlockStart(0, "reasoning"),
    ReasoningDelta(0, "hm"),
    BlockEnd(0),
    BlockStart(1, "text"),
    TextDelta(1, "Hel"),
    TextDelta(1, "lo"),
    BlockEnd(1),
    *CALLS,
    CandidateEnd("tool_calls", "tool_calls"),
    UsageReport(USAGE),
    Finish("tool_calls", "tool_calls"),
]


def encode(chunks: list[Any]) -> bytes:
    return b"".join(stages.run(MessagesEncoder(), [chunks]))


def events(body: bytes) -> list[dict[str, Any]]:
    out = []
    for one in body.split(b"\n\n")[:-1]:
        name, data = one.split(b"\n")
        out.append(json.loads(data.removeprefix(b"data: ")))
        assert name == b"event: " + out[-1]["type"].encode()
    return out


def order(body: bytes) -> list[str]:
    """Each event's short name with its index; deltas in a row as one."""
    names: list[str] = []
    for one in events(body):
        name = one["type"].replace("content_block_", "") + str(one.get("index", ""))
        if not names or names[-1] != name:
            names.append(name)
    return names


def test_reasoning_text_two_parallel_calls_and_usage_of_another_wire() -> None:
    body = encode(LIKE_OPENAI)
    assert order(body) == [
        "message_start",
        *("start0", "delta0", "stop0", "start1", "delta1", "stop1"),
        *("start2", "delta2", "stop2", "start3", "delta3", "stop3"),
        *("message_delta", "message_stop"),
    ]
    message = sdk_message(body)
    assert [block["type"] for block in message["content"]] == ["thinking", "text", "tool_use", "tool_use"]
    assert message["content"][1]["text"] == "Hello"
    assert [(one["id"], one["name"], one["input"]) for one in message["content"][2:]] == [
        ("call_a", "f", {"x": 1}), ("call_b", "g", {}),
    ]  # fmt: skip
    assert (message["id"], message["model"], message["stop_reason"]) == ("c-1", "gpt", "tool_use")
    usage = message["usage"]
    assert (usage["input_tokens"], usage["output_tokens"]) == (30, 50)
    assert (usage["cache_read_input_tokens"], usage["cache_creation_input_tokens"]) == (60, 10)
    assert usage["output_tokens_details"]["thinking_tokens"] == 20


def test_the_whole_body_says_the_same() -> None:
    body = json.loads(message_body(fold(LIKE_OPENAI), Says("m-1", "mine", 0), ParsedRequest(Request("m"))))
    streamed = sdk_message(encode(LIKE_OPENAI))
    assert (body["id"], body["model"]) == ("m-1", "mine")
    assert [block["type"] for block in body["content"]] == [one["type"] for one in streamed["content"]]
    assert [one.get("input") for one in body["content"]] == [one.get("input") for one in streamed["content"]]
    assert body["stop_reason"] == "tool_use"
    assert body["usage"]["input_tokens"] == 30


def test_a_block_without_a_type_stays_one() -> None:
    chunks = decode(TEXT[0], event("content_block_start", index=0, content_block={"text": "a"}), *TEXT[-3:])
    body = json.loads(message_body(fold(chunks), Says("m-1", "mine", 0), ParsedRequest(Request("m"))))
    assert body["content"] == [{"text": "a"}]


def test_any_cut_and_any_truncation_give_the_same_bytes() -> None:
    stages.every_split(MessagesEncoder, LIKE_OPENAI, normal=stages.joined)
    stages.every_truncation(MessagesEncoder, LIKE_OPENAI, normal=stages.joined)
    for place in range(len(LIKE_OPENAI)):
        assert events(encode(LIKE_OPENAI[:place]))[-1]["error"]["type"] == "api_error"


def test_nothing_leaves_before_the_answer_begins_and_text_leaves_at_once() -> None:
    encoder = MessagesEncoder()
    assert encoder.feed([Start("a", "m"), UsageReport(Usage(5, 1))]) == []
    start, opened = events(b"".join(encoder.feed([BlockStart(0, "text")])))
    assert start["message"]["usage"]["input_tokens"] == 5
    assert opened["content_block"] == {"type": "text", "text": ""}
    (said,) = events(b"".join(encoder.feed([TextDelta(0, 'q"\u00e9')])))
    assert said["delta"] == {"type": "text_delta", "text": 'q"\u00e9'}


def test_calls_that_really_interleave_go_out_one_behind_the_other() -> None:
    chunks = [
        Start("a", "m"),
        BlockStart(0, "tool-call", "a", "f"),
        ToolCallDelta(0, '{"x"'),
        BlockStart(1, "tool-call", "b", "g"),
        ToolCallDelta(1, '{"y":'),
        BlockStart(2, "tool-call", "c", "h"),
        ToolCallDelta(0, ":1}"),
        ToolCallDelta(1, "2}"),
        BlockEnd(1),
        ToolCallDelta(2, "{}"),
        BlockEnd(0),
        BlockEnd(2),
        CandidateEnd("tool_calls"),
        Finish("tool_calls"),
    ]
    body = encode(chunks)
    assert [one for one in order(body) if "delta" not in one] == [
        "message_start", "start0", "stop0", "start1", "stop1", "start2", "stop2", "message_stop",
    ]  # fmt: skip
    assert [one["input"] for one in sdk_message(body)["content"]] == [{"x": 1}, {"y": 2}, {}]


def test_a_call_that_goes_on_after_its_end_is_an_error_and_not_lost() -> None:
    chunks = [*CALLS[:5], ToolCallDelta(2, " "), ToolCallDelta(2, "2}"), Finish()]
    assert "went on" in events(encode(chunks))[-1]["error"]["message"]


def test_text_beside_text_and_a_delta_without_its_block() -> None:
    chunks = [
        Start("a", "m"), BlockStart(0, "text"), BlockStart(1, "reasoning"), ReasoningDelta(1, "r"),
        TextDelta(0, "late"), TextDelta(7, "own"), Finish(),
    ]  # fmt: skip
    body = encode(chunks)
    assert [one.get("text", one.get("thinking")) for one in sdk_message(body)["content"]] == [
        "",
        "r",
        "late",
        "own",
    ]


def test_a_refusal_in_words_is_text_with_the_stop_reason_refusal() -> None:
    chunks = [Start("a", "m"), BlockStart(0, "refusal"), RefusalDelta(0, "no"), BlockEnd(0),
              CandidateEnd("stop", "stop"), Finish()]  # fmt: skip
    message = sdk_message(encode(chunks))
    assert (message["content"][0]["text"], message["stop_reason"]) == ("no", "refusal")


def test_sources_of_another_wire_and_what_has_no_place() -> None:
    chunks = [
        Start("a", "m"), BlockStart(0, "audio"), AudioDelta(0, b"x"), BlockEnd(0), BlockStart(1, "text"),
        TextDelta(1, "s"), Citation(1, "http://a", "A", "q"), BlockEnd(1), Citation(1, "http://b"),
        Citation(1, "", "no address"), TextDelta(1, "other", candidate=1),
        VendorPart(Opaque("openai_chat", {"type": "odd"})), Finish(),
    ]  # fmt: skip
    first, second = sdk_message(encode(chunks))["content"]
    assert (first["text"], first["citations"][0]["url"], first["citations"][0]["cited_text"]) == (
        "s",
        "http://a",
        "q",
    )
    assert (second["text"], second["citations"][0]["url"]) == ("", "http://b")


def test_opaque_blocks_and_unknown_events_go_back_with_an_index_of_their_place() -> None:
    opaque = [event("content_block_start", index=0, content_block={"type": "new", "a": 1}), stop(0)]
    body = b"".join([begin(), *opaque, block(1, "text", text=""), event("odd", x=1), *TEXT[3:5], *TEXT[-2:]])
    body = body.replace(b'"index": 0, "delta"', b'"index": 1, "delta"')
    assert events(encode(decode(body)))[1:5] == [*events(b"".join(opaque)), *events(body)[3:5]]


@pytest.mark.parametrize(
    ("reason", "raw", "word"),
    [
        ("stop", "stop", "end_turn"), ("length", "length", "max_tokens"), ("stop", "pause_turn", None),
        ("content_filter", "SAFETY", "refusal"), ("length", "model_context_window_exceeded", None),
        ("stop_sequence", "", "stop_sequence"), ("content_filter", "end_turn", "refusal"),
    ],
)  # fmt: skip
def test_stop_reasons_of_others(reason: Any, raw: str, word: str | None) -> None:
    chunks = [
        Start("a", "m"),
        CandidateEnd(reason, raw, "END" if reason == "stop_sequence" else ""),
        Finish(),
    ]
    message = sdk_message(encode(chunks))
    assert message["stop_reason"] == (word or raw)
    assert message["stop_sequence"] == ("END" if reason == "stop_sequence" else None)


@pytest.mark.parametrize(
    "end", [Failure.of(Unavailable("busy", code="overloaded_error")), Cancelled("enough")]
)
def test_what_ends_badly_ends_in_an_error_event(end: Any) -> None:
    last = events(encode([*decode(*TEXT)[:4], end, *decode(*TEXT)]))[-1]
    assert last["type"] == "error"
    assert last["error"]["message"] in ("busy", "enough")


def test_an_unknown_event_with_an_odd_index_goes_back_as_it_came() -> None:
    odd = event("odd", index=[1])
    assert events(encode(decode(TEXT[0], odd, *TEXT[1:])))[1] == events(odd)[0]


def test_pings_are_not_passed_on() -> None:
    assert PING in TEXT
    assert "ping" not in order(encode(decode(*TEXT)))
