"""The decoder on what a message is made of, by hand from the schema."""

from __future__ import annotations

from typing import Any

import pytest
from tests.wire.anthropic.events import (
    END,
    PING,
    TEXT,
    TOOLS,
    begin,
    block,
    decode,
    event,
    failure,
    piece,
    reason,
    reply,
    stop,
    text,
)

from headrace.core.chunk import (
    BlockEnd,
    BlockStart,
    CandidateEnd,
    Citation,
    Finish,
    Start,
    TextDelta,
    ToolCallDelta,
    UsageReport,
    VendorPart,
)
from headrace.core.fold import fold
from headrace.core.message import OpaquePart, ReasoningPart
from headrace.core.opaque import Opaque
from headrace.wire import allowance
from headrace.wire.anthropic import MessagesDecoder


def test_an_ordinary_answer_is_start_block_usage_finish() -> None:
    start, first, *body, second, end, finish = decode(*TEXT)
    assert isinstance(start, Start)
    assert (start.id, start.model) == ("msg_1", "claude")
    assert isinstance(first, UsageReport)
    assert (first.usage.input_tokens, first.usage.output_tokens) == (3, 1)
    assert body == [BlockStart(0, "text"), TextDelta(0, "Hel"), TextDelta(0, "lo"), BlockEnd(0)]
    assert (second.usage.input_tokens, second.usage.output_tokens) == (3, 2)
    assert [end, finish] == [CandidateEnd("stop", "end_turn"), Finish("stop", "end_turn")]


def test_a_piece_comes_out_as_soon_as_its_event_is_whole() -> None:
    decoder = MessagesDecoder()
    decoder.feed([*TEXT[:3], TEXT[3][:-1]])
    assert decoder.feed([TEXT[3][-1:]]) == [TextDelta(0, "Hel")]


def test_thinking_keeps_its_signature_for_the_next_turn_and_calls_are_whole() -> None:
    said = reply(*TOOLS)
    assert said.candidates[0].parts[0] == ReasoningPart("hm", Opaque("anthropic", {"signature": "sig"}))
    assert [(one.id, one.name, one.arguments) for one in said.tool_calls] == [
        ("t1", "f", '{"a": 1}'), ("t2", "g", "{}"),
    ]  # fmt: skip
    assert said.finish_reason == "tool_calls"


def test_redacted_thinking_is_kept_whole() -> None:
    events = (begin(), block(0, "redacted_thinking", data="xyz"), stop(0), *TEXT[1:2])
    parts = reply(*events).candidates[0].parts
    whole = {"type": "redacted_thinking", "data": "xyz"}
    assert parts[0] == ReasoningPart("", Opaque("anthropic", whole))


def test_a_calls_input_may_come_whole_with_its_beginning() -> None:
    events = (
        begin(),
        block(0, "tool_use", id="t", name="f", input={"a": 1}),
        stop(0),
        reason("tool_use"),
        END,
    )
    assert reply(*events).tool_calls[0].arguments == '{"a":1}'


def test_a_message_may_come_whole_with_its_beginning() -> None:
    content = [{"type": "text", "text": "hi"}, {"type": "tool_use", "id": "t", "name": "f", "input": {}}]
    said = reply(begin(content=content, stop_reason="tool_use"), END)
    assert (said.text, said.finish_reason, said.tool_calls[0].name) == ("hi", "tool_calls", "f")


def test_citations_stand_under_their_block() -> None:
    source = {
        "type": "web_search_result_location",
        "url": "u",
        "title": "t",
        "cited_text": "q",
        "encrypted_index": "e",
    }
    chunks = decode(
        begin(), block(0, "text", text="", citations=[]), piece(0, "citations_delta", citation=source)
    )
    assert chunks[-2] == Citation(0, "u", "t", "q", vendor=Opaque("anthropic", source))
    (part,) = fold(decode(begin(), block(0, "text", text="", citations=[], mood="glad"),
                          piece(0, "citations_delta", citation=source), stop(0))).message.parts  # fmt: skip
    assert part.vendor == Opaque("anthropic", {"citations": [source], "mood": "glad"})


def test_blocks_that_are_not_modelled_are_opaque_and_whole_at_their_end() -> None:
    search = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}
    pieces = [{"type": "input_json_delta", "partial_json": said} for said in ('{"query":', ' "q"}')]
    odd = {"type": "mood_delta", "mood": "glad"}
    events = [event("content_block_delta", index=0, delta=one) for one in (*pieces, odd)]
    chunks = decode(
        begin(),
        event("content_block_start", index=0, content_block=search),
        *events,
        stop(0),
        block(1, "text", text=""),
    )
    whole = {**search, "input": {"query": "q"}, "mood": "glad"}
    assert chunks[2:-1] == [
        BlockStart(0, "opaque", "s", "web_search", vendor=Opaque("anthropic", search)),
        *(VendorPart(Opaque("anthropic", one), 0) for one in (*pieces, odd)),
        BlockEnd(0, vendor=Opaque("anthropic", whole)),
        BlockStart(1, "text"),
    ]
    reply = fold(chunks)
    assert reply.message.parts[0] == OpaquePart(Opaque("anthropic", whole))
    assert len(reply.vendor) == 1  # what the message began with
    assert reply.candidates[0].vendor == ()


@pytest.mark.parametrize(
    ("begins", "piece"),
    [
        ({"type": "new"}, {"mood": "m" * 50}),
        ({"type": "new"}, {"type": "input_json_delta", "partial_json": "1"}),
        ({"type": "new", "big": "b" * 100}, {}),
        ({"type": "text", "text": ""}, {"type": "citations_delta", "citation": {"url": "u" * 50}}),
        ({"type": "thinking", "thinking": ""}, {"type": "signature_delta", "signature": "s" * 50}),
        ({"type": "tool_use", "id": "t", "name": "f", "input": {"a": "b" * 100}}, {}),
    ],
)
def test_what_open_blocks_hold_is_bounded(
    begins: dict[str, Any], piece: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(allowance, "MAX_KEPT_BYTES", 10_000)

    def one(index: int) -> bytes:
        start = event("content_block_start", index=index, content_block=begins)
        return start + event("content_block_delta", index=index, delta=piece)

    ended = [begin(), *(one(0) + stop(0) for _ in range(300))]
    assert failure(*ended).kind == "truncated"  # what has ended is held no more
    left_open = failure(begin(), *map(one, range(300)))
    assert (left_open.kind, "open blocks hold more" in left_open.message) == ("wire", True)


def test_unknown_fields_and_pieces_are_kept_with_their_block() -> None:
    chunks = decode(
        begin(), block(0, "text", text="", mood="glad"), piece(0, "text_delta", text="a", weight=1),
        piece(0, "emphasis_delta", on=True), piece(0, "text_delta", text="b"),
    )  # fmt: skip
    assert chunks[2:6] == [
        BlockStart(0, "text", vendor=Opaque("anthropic", {"mood": "glad"})),
        TextDelta(0, "a", vendor=Opaque("anthropic", {"weight": 1})),
        TextDelta(0, "", vendor=Opaque("anthropic", {"type": "emphasis_delta", "on": True})),
        TextDelta(0, "b"),
    ]


def test_counts_replace_earlier_ones_and_include_what_the_cache_gave() -> None:
    first = {
        "input_tokens": 3,
        "cache_read_input_tokens": 10,
        "cache_creation_input_tokens": 5,
        "output_tokens": 1,
    }
    last = {
        "output_tokens": 20,
        "output_tokens_details": {"thinking_tokens": 7},
        "cache_read_input_tokens": None,
    }
    usage = reply(begin(usage=first), *TEXT[1:6], reason(usage=last), END).usage
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens) == (18, 20)
    assert (usage.cached_input_tokens, usage.cache_write_tokens, usage.reasoning_tokens) == (10, 5, 7)


@pytest.mark.parametrize(
    ("word", "ours"),
    [
        ("end_turn", "stop"), ("max_tokens", "length"), ("stop_sequence", "stop_sequence"),
        ("tool_use", "tool_calls"), ("pause_turn", "stop"), ("refusal", "content_filter"),
        ("model_context_window_exceeded", "length"), ("brand_new", "stop"),
    ],
)  # fmt: skip
def test_stop_reasons(word: str, ours: str) -> None:
    chunks = decode(*TEXT[:6], reason(word), END)
    assert chunks[-1] == Finish(ours, word)  # type: ignore[arg-type]
    assert chunks[-2].raw_reason == word


def test_the_same_message_may_begin_twice_and_another_may_not() -> None:
    assert decode(TEXT[0], *TEXT) == decode(*TEXT)
    spliced = failure(*TEXT[:4], begin("msg_2"), *TEXT[1:])
    assert spliced.kind == "wire"
    assert "another message" in spliced.message


@pytest.mark.parametrize(
    "events",
    [
        (begin(), text(0, "x")),
        (begin(), stop(3)),
        (block(0, "text", text=""),),
        (reason(),),
        (begin(), event("content_block_delta", index="a", delta={})),
        (begin(usage={"input_tokens": "many"}),),
    ],
    ids=["delta", "stop", "block", "end", "index", "usage"],
)
def test_events_without_their_place_break_the_wire(events: tuple[bytes, ...]) -> None:
    assert failure(*events).kind == "wire"


def test_message_stop_without_an_answer_is_no_success() -> None:
    assert failure(begin(), END).code == "empty_response"
    assert failure(END).kind == "truncated"


def test_a_block_left_open_is_closed_and_a_missing_reason_is_flagged() -> None:
    chunks = decode(*TEXT[:5], END)
    assert chunks[-3:] == [BlockEnd(0), CandidateEnd("stop"), Finish("stop", clean=False)]


def test_nothing_follows_the_end() -> None:
    assert decode(*TEXT, *TEXT) == decode(*TEXT)
    assert decode(PING, *TEXT) == decode(*TEXT)


@pytest.mark.parametrize(
    "odd",
    [
        {"content_block": {"type": ["text"]}},
        {"content_block": {"type": "text", "text": 5}},
        {"content_block": {}},
    ],
)
def test_a_block_of_wrong_types_is_kept_as_it_is(odd: dict[str, Any]) -> None:
    chunks = decode(begin(), event("content_block_start", index=0, **odd), stop(0), reason(), END)
    assert chunks[2] == BlockStart(0, "opaque", vendor=Opaque("anthropic", odd["content_block"]))
    assert isinstance(chunks[-1], Finish)


def test_a_broken_letter_in_an_unknown_field_breaks_no_event() -> None:
    last = event("message_delta", delta={"stop_reason": "end_turn"}, usage={}, mood="x").replace(
        b'"mood"', b'"m\xff"'
    )
    chunks = decode(*TEXT[:-2], last, END)
    assert isinstance(chunks[-1], Finish)
    assert chunks[-2] == CandidateEnd("stop", "end_turn", vendor=Opaque("anthropic", {"m\ufffd": "x"}))


def test_deep_nesting_is_a_failure_and_no_crash() -> None:
    deep = b"[" * 100_000 + b"]" * 100_000
    bad = failure(begin(), b'data: {"type":"x","a":' + deep + b"}\n\n")
    assert bad.kind == "wire"


def test_the_arguments_of_a_call_are_passed_on_as_they_come() -> None:
    deltas = [one.arguments for one in decode(*TOOLS) if isinstance(one, ToolCallDelta)]
    assert deltas == ['{"a', '": 1}', "{}"]
