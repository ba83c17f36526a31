"""The decoder on what a stream is made of, by hand from the vendor's types."""

from __future__ import annotations

from typing import Any

import pytest
from tests.wire.cohere.events import (
    CITED,
    DONE,
    RICH,
    SOURCE,
    TEXT,
    TOOL,
    TOOLS,
    USAGE,
    arguments,
    begin,
    block,
    call,
    called,
    cite,
    decode,
    end,
    event,
    failure,
    plan,
    reply,
    said,
    stop,
    text,
    thinking,
)
from tests.wire.cohere.judge import client_events

from headrace.core.chunk import (
    BlockEnd,
    BlockStart,
    CandidateEnd,
    Citation,
    Finish,
    ReasoningDelta,
    Start,
    TextDelta,
    Token,
    ToolCallDelta,
    UsageReport,
    VendorPart,
)
from headrace.core.fold import fold
from headrace.core.message import OpaquePart, ReasoningPart, TextPart
from headrace.core.opaque import Opaque
from headrace.core.usage import Usage
from headrace.testing import stages, work
from headrace.wire import allowance
from headrace.wire.cohere import ChatDecoder

READS = stages.reads(ChatDecoder)


def own(**data: Any) -> Opaque:
    return Opaque("cohere", data)


def test_an_ordinary_answer_is_start_block_usage_end_finish() -> None:
    assert decode(*TEXT) == [
        Start("c_1"),
        BlockStart(0, "text"),
        TextDelta(0, "Hel"),
        TextDelta(0, "lo"),
        BlockEnd(0),
        UsageReport(Usage(9, 4, 5, vendor=own(**USAGE))),
        CandidateEnd("stop", "COMPLETE"),
        Finish("stop", "COMPLETE"),
    ]


def test_a_piece_comes_out_as_soon_as_its_event_is_whole() -> None:
    decoder = ChatDecoder()
    decoder.feed([*TEXT[:2], TEXT[2][:-1]])
    assert decoder.feed([TEXT[2][-1:]]) == [TextDelta(0, "Hel")]


@pytest.mark.parametrize("events", [TEXT, TOOLS, RICH], ids=["text", "tools", "rich"])
def test_any_cut_any_truncation_any_garbage(events: tuple[bytes, ...]) -> None:
    data = b"".join(events)
    stages.every_split(READS, data)
    stages.every_truncation(READS, data, chunks=True)
    stages.garbage_everywhere(READS, data[:300], chunks=True)
    stages.inert_after_close(READS, data)


@pytest.mark.parametrize("place", range(len(TOOLS) - 2))
@pytest.mark.parametrize("more", [b"", DONE])
def test_cut_after_any_event_it_is_truncated_whatever_says_done(place: int, more: bytes) -> None:
    assert failure(*TOOLS[:place], more).kind == "truncated"


def test_the_mark_of_the_end_may_be_missing_and_nothing_but_the_unknown_stands_before_it() -> None:
    assert decode(*TEXT[:-1]) == decode(*TEXT)
    late = VendorPart(own(type="weather"))
    assert decode(*TEXT[:-1], event("weather"), DONE) == [*decode(*TEXT)[:-1], late, decode(*TEXT)[-1]]
    for more in (text(0, "late"), begin("c_2"), end()):
        assert failure(*TEXT[:-1], more, DONE).kind == "wire"


@pytest.mark.parametrize("place", range(len(TOOLS) - 1))
def test_garbage_at_any_event_is_a_wire_failure_and_an_unknown_event_is_kept(place: int) -> None:
    bad = failure(*TOOLS[:place], b"data: {]\n\n", *TOOLS[place:])
    assert bad.kind == "wire"
    new = {"type": "weather", "sky": "blue"}
    chunks = decode(*TOOLS[:place], event(**new), *TOOLS[place:])
    assert VendorPart(Opaque("cohere", new)) in chunks
    assert len(chunks) == len(decode(*TOOLS)) + 1


def test_thinking_plan_and_calls() -> None:
    said = reply(*TOOLS)
    assert said.message.parts[:2] == (ReasoningPart("hm"), ReasoningPart("I will call.", own(plan=True)))
    assert [(one.id, one.name, one.arguments) for one in said.tool_calls] == [
        ("t1", "f", '{"a": 1}'), ("t2", "g", "{}"),
    ]  # fmt: skip
    assert said.finish_reason == "tool_calls"
    deltas = [one.arguments for one in decode(*TOOLS) if isinstance(one, ToolCallDelta)]
    assert deltas == ['{"a', '": 1}', "{}"]


def test_what_stands_in_a_beginning_is_its_first_piece() -> None:
    chunks = decode(begin(), block(0, "text", text="a"), call(0, "t", "f", "{}"), end())
    assert TextDelta(0, "a") in chunks
    assert ToolCallDelta(1, "{}") in chunks


def test_content_needs_no_beginning_and_no_end_and_an_index_may_be_missing() -> None:
    first = said("content-delta", content={"thinking": "hm"})
    assert decode(begin(), first, text(0, "a"), end())[1:-3] == [
        BlockStart(0, "reasoning"),
        ReasoningDelta(0, "hm"),
        BlockEnd(0),
        BlockStart(1, "text"),
        TextDelta(1, "a"),
        BlockEnd(1),
    ]


def test_each_source_of_a_citation_is_told_and_the_first_has_it_whole() -> None:
    chunks = decode(*TEXT[:4], cite(0, **CITED), stop(0), end())
    assert [one for one in chunks if isinstance(one, Citation)] == [
        Citation(0, "http://a", "A", "q", 0, 5, vendor=Opaque("cohere", CITED)),
        Citation(0, start=0, end=5, vendor=own(beside=True)),
    ]
    assert fold(chunks).message.parts == (TextPart("Hello", own(citations=[CITED])),)


def test_citations_find_their_block() -> None:
    bare = {"text": "x"}
    in_plan = {**bare, "type": "PLAN"}
    chunks = decode(
        begin(), plan("p"), cite(0, **in_plan), block(0, "thinking"), thinking(0, "hm"), stop(0),
        block(1, "text"), text(1, "a"), cite(1, **bare, content_index=1), stop(1), cite(2, **bare), end(),
    )  # fmt: skip
    assert [one.block for one in chunks if isinstance(one, Citation)] == [0, 2, 2]
    assert [one.quote for one in chunks if isinstance(one, Citation)] == ["", "", ""]
    early = said("citation-start", 0, citations=bare)
    kept = {"type": "citation-start", "index": 0, "delta": {"message": {"citations": bare}}}
    assert decode(begin(), early)[1] == VendorPart(Opaque("cohere", kept))


def test_tokens_are_read_where_there_is_one_and_kept_where_there_are_more() -> None:
    one = {"text": "Hé", "token_ids": [7], "logprobs": [-0.5]}
    two = {"text": "🙂", "token_ids": [7, 8], "logprobs": [-0.5, -1.0]}
    pieces = [
        event("content-delta", index=0, delta={"message": {"content": {"text": item["text"]}}}, logprobs=item)
        for item in (one, two)
    ]
    chunks = decode(begin(), block(0, "text"), *pieces, stop(0), end())
    assert chunks[2:4] == [
        TextDelta(0, "Hé", (Token("Hé", 7, -0.5),)),
        TextDelta(0, "🙂", vendor=own(logprobs=two)),
    ]


def test_content_that_is_not_modelled_is_opaque_and_whole_at_its_end() -> None:
    start = {"type": "hologram", "depth": 3, "text": "a"}
    chunks = decode(begin(), block(0, **start), text(0, "b"), said("content-delta", 0, content={"depth": 4}),
                    stop(0), end())  # fmt: skip
    whole = {"type": "hologram", "depth": 4, "text": "ab"}
    assert chunks[1:5] == [
        BlockStart(0, "opaque", vendor=own(delta={"message": {"content": start}})),
        VendorPart(own(delta={"message": {"content": {"text": "b"}}}), 0),
        VendorPart(own(delta={"message": {"content": {"depth": 4}}}), 0),
        BlockEnd(0, vendor=own(content=whole)),
    ]
    assert fold(chunks).message.parts == (OpaquePart(own(content=whole)),)


@pytest.mark.parametrize(
    ("type", "piece"),
    [
        ("hologram", lambda at: text(at, "x" * 50)),
        ("text", lambda at: cite(0, **{**CITED, "content_index": at})),
    ],
)
def test_what_open_blocks_hold_is_bounded(type: str, piece: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allowance, "MAX_KEPT_BYTES", 10_000)
    ended = [begin(), *(block(at, type) + piece(at) + stop(at) for at in range(300))]
    assert failure(*ended).kind == "truncated"  # what has ended is held no more
    left_open = failure(begin(), *(block(at, type) + piece(at) for at in range(300)))
    assert (left_open.kind, "open blocks hold more" in left_open.message) == ("wire", True)


def test_unknown_fields_are_kept_where_they_stood() -> None:
    chunks = decode(
        begin(mood="glad"),
        event("content-start", index=0, delta={"message": {"content": {"type": "text", "x": 1}}}, y=2),
        said("content-delta", 0, content={"text": "a", "bold": True}),
        said("content-delta", 0, content={"emphasis": 1}),
        event("content-end", index=0, why="done"),
        said("tool-call-start", 0, tool_calls={"id": "t", "function": {"name": "f", "z": 3}}),
        said("tool-call-delta", 0, tool_calls={"function": {"arguments": "{}"}, "w": 4}),
        called(0),
        event("message-end", id="c_1", delta={"finish_reason": "COMPLETE", "v": 5}),
    )
    assert chunks == [
        Start("c_1", vendor=own(mood="glad")),
        BlockStart(0, "text", vendor=own(delta={"message": {"content": {"x": 1}}}, y=2)),
        TextDelta(0, "a", vendor=own(delta={"message": {"content": {"bold": True}}})),
        TextDelta(0, "", vendor=own(delta={"message": {"content": {"emphasis": 1}}})),
        BlockEnd(0, vendor=Opaque("cohere", {"$stop": {"why": "done"}})),
        BlockStart(1, "tool-call", "t", "f",
                   vendor=own(delta={"message": {"tool_calls": {"function": {"z": 3}}}})),
        ToolCallDelta(1, "{}", vendor=own(delta={"message": {"tool_calls": {"w": 4}}})),
        BlockEnd(1),
        CandidateEnd("stop", "COMPLETE", vendor=own(id="c_1", delta={"v": 5})),
        Finish("stop", "COMPLETE"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        (USAGE, (9, 4, 5)),
        ({"tokens": {"input_tokens": 9.0, "output_tokens": None}}, (9, 0, 0)),
        ({"billed_units": {"input_tokens": 3, "output_tokens": 2, "search_units": 1}}, (3, 2, 0)),
        ({"cached_tokens": 0}, (0, 0, 0)),
    ],
)
def test_tokens_count_and_what_is_billed_only_where_they_are_not_told(usage: Any, counts: Any) -> None:
    got = reply(*TEXT[:5], end(usage=usage)).usage
    assert got is not None
    assert (got.input_tokens, got.output_tokens, got.cached_input_tokens) == counts
    assert got.vendor == Opaque("cohere", usage)


@pytest.mark.parametrize(
    ("word", "ours"),
    [
        ("COMPLETE", "stop"), ("MAX_TOKENS", "length"), ("STOP_SEQUENCE", "stop_sequence"),
        ("TOOL_CALL", "tool_calls"), ("ERROR_TOXIC", "content_filter"), ("BRAND_NEW", "stop"),
    ],
)  # fmt: skip
def test_finish_reasons(word: str, ours: str) -> None:
    chunks = decode(*TEXT[:5], end(word))
    assert chunks[-1] == Finish(ours, word)  # type: ignore[arg-type]
    assert chunks[-2].raw_reason == word


def test_the_same_message_may_begin_twice_and_another_may_not() -> None:
    assert decode(TEXT[0], *TEXT) == decode(*TEXT)
    spliced = failure(*TEXT[:3], begin("c_2"), *TEXT[1:])
    assert "another message" in spliced.message


@pytest.mark.parametrize(
    "events",
    [
        (begin(), arguments(0, "{}")),
        (begin(), stop(3)),
        (begin(), called(0)),
        (begin(5),),  # type: ignore[arg-type]
        (begin(), event("content-start", index=0)),
        (begin(), event("content-start", index="a", delta={"message": {"content": {"type": "text"}}})),
        (begin(), block(0, "text", text=5)),
        (begin(), said("content-delta", 0, content={"text": 5})),
        (begin(), said("tool-call-start", 0, tool_calls={"id": 5, "function": {"name": "f"}})),
        (begin(), said("tool-call-start", 0, tool_calls={"id": "t", "function": {"name": []}})),
        (begin(), said("tool-plan-delta", tool_plan=5)),
        (begin(), block(0, "text"), said("citation-start", 0, citations=[])),
        (*TEXT[:5], end(usage={"tokens": {"input_tokens": "many"}})),
        (*TEXT[:5], event("message-end", delta=[1])),
        (begin(), b"data: [1]\n\n"),
        (begin(), b"data: {}\n\n"),
    ],
)
def test_events_without_their_place_or_of_wrong_types_break_the_wire(events: tuple[bytes, ...]) -> None:
    assert failure(*events).kind == "wire"


def test_an_end_without_an_answer_is_no_success_and_one_without_a_reason_is_flagged() -> None:
    assert failure(begin(), event("message-end")).code == "empty_response"
    assert decode(*TEXT[:5], event("message-end"))[-1] == Finish("stop", clean=False)
    assert decode(begin(), end("COMPLETE"))[-1] == Finish("stop", "COMPLETE")


def test_nothing_follows_the_end() -> None:
    assert decode(*TEXT, *TEXT) == decode(*TEXT)


def test_an_event_may_tell_its_type_in_its_name_only() -> None:
    bare = [one.replace(b'"type": "%b", ' % name, b"") for one in TEXT[:-1]
            for name in [one.partition(b"\n")[0].removeprefix(b"event: ")]]  # fmt: skip
    assert b'content-delta\ndata: {"index"' in bare[2]
    assert decode(*bare) == decode(*TEXT)


@pytest.mark.parametrize("bad", [rb"\ud83d", b"\xff"])
def test_what_is_malformed_inside_texts_is_mended(bad: bytes) -> None:
    assert reply(*TEXT[:2], text(0, "@").replace(b"@", bad), stop(0), end()).text == "\ufffd"


def test_deep_nesting_is_a_failure_and_no_crash() -> None:
    deep = b"[" * 100_000 + b"]" * 100_000
    assert failure(begin(), b'data: {"type":"x","a":' + deep + b"}\n\n").kind == "wire"


def test_linear_and_bounded() -> None:
    unit = text(0, "Hi ") + thinking(1, "hm") + plan("p")
    work.linear(READS, unit, times=16)
    assert work.bounded(READS, unit, limit_bytes=20_000, times=200) > 0


def test_the_official_client_reads_these_streams_too() -> None:
    """So what is written by hand here is what Cohere could send."""
    assert [one["type"] for one in client_events(b"".join(TOOLS))][-1] == "message-end"
    assert len(client_events(b"".join(TOOLS))) == len(TOOLS) - 1
    cited = [one for one in client_events(b"".join(RICH)) if one["type"] == "citation-start"]
    assert cited[0]["delta"]["message"]["citations"]["sources"] == [SOURCE, TOOL]
