"""The encoder: the events' order, and what other wires' chunks become; the official client reads it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.wire.cohere.events import CITED, DONE, RICH, TEXT, TOOLS, decode
from tests.wire.cohere.judge import client_answer, client_events, fold_events
from tests.wire.scripted import EVERYTHING, text_reply

from headrace.core.chunk import (
    AudioDelta,
    BlockEnd,
    BlockStart,
    Cancelled,
    CandidateEnd,
    Citation,
    Failure,
    Finish,
    RefusalDelta,
    Start,
    TextDelta,
    Token,
    ToolCallDelta,
    UsageReport,
    VendorPart,
)
from headrace.core.fold import fold
from headrace.core.opaque import Opaque
from headrace.core.usage import Usage
from headrace.testing import stages, work
from headrace.wire.base import Says
from headrace.wire.cohere import ChatEncoder, chat_body


def encode(*chunks: Any) -> bytes:
    return b"".join(stages.run(ChatEncoder(), [list(chunks)]))


def events(body: bytes) -> list[dict[str, Any]]:
    """The events, each under the name that it has."""
    out = []
    for one in body.removesuffix(DONE).split(b"\n\n")[:-1]:
        name, data = one.split(b"\n")
        out.append(json.loads(data.removeprefix(b"data: ")))
        assert name == b"event: " + out[-1]["type"].encode()
    return out


def test_reasoning_text_two_parallel_calls_and_usage_of_another_wire() -> None:
    body = encode(*EVERYTHING)
    added = fold_events(client_events(body))
    assert added == {
        "id": "c-1",
        "content": [
            {"type": "thinking", "thinking": "Let me think."},
            {"type": "text", "text": "Hello é🙂"},
        ],
        "calls": [["call_a", "weather", '{"city":"Oslo"}'], ["call_b", "time", "{}"]],
        "plan": "",
        "citations": [],
        "end": {
            "finish_reason": "TOOL_CALL",
            "usage": {"tokens": {"input_tokens": 11, "output_tokens": 7}, "cached_tokens": 4},
        },
    }
    order = [(one["type"], one.get("index")) for one in events(body) if not one["type"].endswith("delta")]
    assert order == [
        ("message-start", None), ("content-start", 0), ("content-end", 0), ("content-start", 1),
        ("content-end", 1), ("tool-call-start", 0), ("tool-call-end", 0), ("tool-call-start", 1),
        ("tool-call-end", 1), ("message-end", None),
    ]  # fmt: skip


def test_the_whole_answer_says_the_same() -> None:
    answer = client_answer(chat_body(fold(EVERYTHING), Says("c-2", "mine", 0)))
    assert answer["id"] == "c-2"
    assert answer["message"]["content"] == fold_events(client_events(encode(*EVERYTHING)))["content"]
    assert [one["function"] for one in answer["message"]["tool_calls"]] == [
        {"name": "weather", "arguments": '{"city":"Oslo"}'}, {"name": "time", "arguments": "{}"},
    ]  # fmt: skip
    assert (answer["finish_reason"], answer["usage"]["cached_tokens"]) == ("TOOL_CALL", 4)


@pytest.mark.parametrize("sent", [TEXT, TOOLS, RICH], ids=["text", "tools", "rich"])
def test_what_came_goes_back_event_for_event(sent: tuple[bytes, ...]) -> None:
    body = encode(*decode(*sent))
    assert events(body) == events(b"".join(sent))
    assert body.endswith(DONE)


def test_a_whole_answer_has_what_is_kept_with_its_parts() -> None:
    answer = json.loads(chat_body(fold(decode(*RICH)), Says("", "", 0)))
    assert answer["message"] == {
        "role": "assistant",
        "content": [
            {"type": "text", "text": 'Hé "\nllo'}, {"type": "hologram", "depth": 3, "text": "ab"},
        ],
        "citations": [CITED],
    }  # fmt: skip
    assert answer["logprobs"] == [{"text": "H", "token_ids": [7], "logprobs": [-0.5]}]
    assert client_answer(chat_body(fold(decode(*TOOLS)), Says("", "", 0)))["message"]["tool_plan"] == (
        "I will call."
    )


@pytest.mark.parametrize(
    "chunks",
    [list(EVERYTHING), decode(*TEXT), decode(*TOOLS), decode(*RICH)],
    ids=["other", "text", "tools", "rich"],
)
def test_any_cut_and_any_truncation_give_the_same_bytes(chunks: list[Any]) -> None:
    stages.every_split(ChatEncoder, chunks, normal=stages.joined)
    stages.every_truncation(ChatEncoder, chunks, normal=stages.joined)
    stages.inert_after_close(ChatEncoder, chunks)
    for place in range(len(chunks)):
        last = events(encode(*chunks[:place]))[-1]
        assert last["delta"]["finish_reason"] == "ERROR"
        assert "without a terminal" in last["delta"]["error"]


def test_nothing_leaves_before_the_answer_begins_and_text_leaves_at_once() -> None:
    encoder = ChatEncoder(id="mine")
    assert encoder.feed([Start("a", "m"), UsageReport(Usage(5, 1))]) == []
    start, opened = events(b"".join(encoder.feed([BlockStart(0, "text")])))
    assert (start["id"], opened["delta"]["message"]["content"]) == ("mine", {"type": "text", "text": ""})
    (said,) = events(b"".join(encoder.feed([TextDelta(0, 'q"\u00e9')])))
    assert said == {
        "type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": 'q"\u00e9'}}},
    }  # fmt: skip


def test_work_is_linear() -> None:
    work.linear(ChatEncoder, [TextDelta(0, "x"), ToolCallDelta(1, "")])


def test_a_call_that_goes_on_after_its_end_is_an_error_and_not_lost() -> None:
    chunks = [BlockStart(0, "tool-call", "a", "f"), ToolCallDelta(0, "{}"), BlockStart(1, "text"),
              ToolCallDelta(0, "{}"), Finish()]  # fmt: skip
    assert "went on" in events(encode(*chunks))[-1]["delta"]["error"]


def test_sources_of_another_wire_and_what_has_no_place() -> None:
    chunks = [
        Start("a", "m"), BlockStart(0, "audio"), AudioDelta(0, b"x"), BlockEnd(0), BlockStart(1, "text"),
        TextDelta(1, "s"), Citation(1, "http://a", "A", "q", 0, 1), Citation(1), BlockEnd(1),
        Citation(1, "http://b"), TextDelta(1, "other", candidate=1),
        VendorPart(Opaque("openai_chat", {"type": "odd"})), CandidateEnd("stop"), Finish(),
    ]  # fmt: skip
    first = {
        "start": 0, "end": 1, "content_index": 0, "type": "TEXT_CONTENT",
        "sources": [{"type": "document", "id": "http://a",
                     "document": {"title": "A", "url": "http://a", "snippet": "q"}}],
    }  # fmt: skip
    second = {
        "content_index": 0, "type": "TEXT_CONTENT",
        "sources": [{"type": "document", "id": "http://b", "document": {"url": "http://b"}}],
    }  # fmt: skip
    added = fold_events(client_events(encode(*chunks)))
    assert (added["content"], added["citations"]) == ([{"type": "text", "text": "s"}], [first, second])
    indices = [one["index"] for one in events(encode(*chunks)) if one["type"].startswith("citation")]
    assert indices == [0, 0, 1, 1]
    assert client_answer(chat_body(fold(chunks), Says("x", "", 0)))["message"]["citations"] == [first, second]


def test_tokens_of_another_wire_are_told_where_they_have_ids() -> None:
    known, unknown = Token("a", 7, -0.5), Token("b", None, -0.5)
    chunks = [BlockStart(0, "text"), TextDelta(0, "a", (known,)), TextDelta(0, "b", (unknown,)),
              TextDelta(0, "c", (Token("c", 8),)), BlockEnd(0), CandidateEnd("stop"), Finish()]  # fmt: skip
    told = [one.get("logprobs") for one in events(encode(*chunks)) if one["type"] == "content-delta"]
    assert told == [
        {"text": "a", "token_ids": [7], "logprobs": [-0.5]}, None, {"text": "c", "token_ids": [8]},
    ]  # fmt: skip
    assert fold_events(client_events(encode(*chunks)))["content"][0]["text"] == "abc"


def test_a_refusal_in_words_is_text() -> None:
    chunks = [BlockStart(0, "refusal"), RefusalDelta(0, "no"), BlockEnd(0), CandidateEnd("stop"), Finish()]
    assert fold_events(client_events(encode(*chunks)))["content"] == [{"type": "text", "text": "no"}]


@pytest.mark.parametrize(
    ("ours", "raw", "word"),
    [
        ("stop", "stop", "COMPLETE"), ("length", "length", "MAX_TOKENS"), ("tool_calls", "", "TOOL_CALL"),
        ("content_filter", "SAFETY", "ERROR_TOXIC"), ("stop_sequence", "", "STOP_SEQUENCE"),
    ],
)  # fmt: skip
def test_finish_reasons_of_others(ours: Any, raw: str, word: str) -> None:
    chunks = [Start("a"), BlockStart(0, "text"), BlockEnd(0), CandidateEnd(ours, raw), Finish(ours)]
    assert client_events(encode(*chunks))[-1]["delta"]["finish_reason"] == word
    assert client_answer(chat_body(fold(chunks), Says("x", "", 0)))["finish_reason"] == word
    assert fold(decode(encode(*chunks))).finish_reason == ours


def test_counts_that_nobody_told_are_not_made_up() -> None:
    assert events(encode(*text_reply("hi")))[-1]["delta"] == {"finish_reason": "COMPLETE"}
    assert "usage" not in json.loads(chat_body(fold(text_reply("hi")), Says("x", "", 0)))


@pytest.mark.parametrize("end", [Failure("unavailable", "busy"), Cancelled("enough")])
def test_what_ends_badly_ends_in_a_message_end_that_says_so(end: Any) -> None:
    last = client_events(encode(*decode(*TEXT)[:4], end, *decode(*TEXT)))[-1]
    assert last["delta"]["finish_reason"] == "ERROR"
    assert last["delta"]["error"] in ("busy", "enough")
