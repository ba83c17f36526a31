"""The decoder on what a stream is made of, by hand from the vendor's model of it."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from tests.wire.bedrock.events import (
    BEGIN,
    END,
    LINES,
    TEXT,
    TOOLS,
    USAGE,
    arguments,
    call,
    cost,
    decode,
    event,
    failure,
    line,
    piece,
    reason,
    reply,
    start,
    stop,
    text,
    thought,
)
from tests.wire.bedrock.judge import client_events

from headrace.core.chunk import (
    BlockEnd,
    BlockStart,
    CandidateEnd,
    Citation,
    Finish,
    ImageDelta,
    ReasoningDelta,
    Start,
    TextDelta,
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
from headrace.wire.bedrock import ConverseDecoder

READS = stages.reads(ConverseDecoder)
PNG = b"\x89PNG\r\n\x1a\n"


def own(**data: Any) -> Opaque:
    return Opaque("bedrock", data)


def test_an_ordinary_answer_is_start_block_end_usage_finish() -> None:
    assert decode(*TEXT) == [
        Start(),
        BlockStart(0, "text"),
        TextDelta(0, "Hel"),
        TextDelta(0, "lo"),
        BlockEnd(0),
        CandidateEnd("stop", "end_turn"),
        UsageReport(Usage(3, 2, vendor=own(**USAGE)), own(metrics={"latencyMs": 7})),
        Finish("stop", "end_turn"),
    ]


def test_a_piece_comes_out_as_soon_as_its_message_is_whole() -> None:
    decoder = ConverseDecoder()
    decoder.feed([*TEXT[:1], TEXT[1][:-1]])
    assert decoder.feed([TEXT[1][-1:]]) == [BlockStart(0, "text"), TextDelta(0, "Hel")]


@pytest.mark.parametrize("events", [TEXT, TOOLS, LINES], ids=["text", "tools", "lines"])
def test_any_cut_any_truncation_any_garbage(events: tuple[bytes, ...]) -> None:
    data = b"".join(events)
    stages.every_split(READS, data)
    stages.every_truncation(READS, data, chunks=True)
    stages.garbage_everywhere(READS, data[:300], chunks=True)
    stages.inert_after_close(READS, data)


@pytest.mark.parametrize("place", range(len(TOOLS) - 1))
def test_cut_after_any_event_before_the_reason_it_is_truncated(place: int) -> None:
    assert failure(*TOOLS[:place]).kind == "truncated"


@pytest.mark.parametrize("more", [b"", END[:5], END[:-1]])
def test_without_its_last_event_the_answer_is_whole_and_flagged(more: bytes) -> None:
    assert decode(*TEXT[:-1], more)[-1] == Finish("stop", "end_turn", clean=False)


def test_a_last_event_that_is_broken_is_no_success() -> None:
    assert failure(*TEXT[:-1], END[:-1] + b"\x00").code == "bad_checksum"


@pytest.mark.parametrize("place", range(len(TOOLS)))
def test_garbage_at_any_event_is_a_wire_failure_and_an_unknown_event_is_kept(place: int) -> None:
    assert failure(*TOOLS[:place], b"\x00\x01garbage garbage", *TOOLS[place:]).kind == "wire"
    chunks = decode(*TOOLS[:place], event("weather", sky="blue"), *TOOLS[place:])
    assert VendorPart(own(weather={"sky": "blue"})) in chunks
    assert [one for one in chunks if not isinstance(one, VendorPart)] == decode(*TOOLS)


def test_reasoning_keeps_its_signature_for_the_next_turn_and_calls_are_whole() -> None:
    said = reply(*TOOLS)
    assert said.candidates[0].parts[0] == ReasoningPart("hm", own(signature="sig"))
    assert [(one.id, one.name, one.arguments) for one in said.tool_calls] == [
        ("t1", "f", '{"a": 1}'), ("t2", "g", "{}"),
    ]  # fmt: skip
    assert said.finish_reason == "tool_calls"
    deltas = [one.arguments for one in decode(*TOOLS) if isinstance(one, ToolCallDelta)]
    assert deltas == ['{"a', '": 1}', "{}"]


def test_reasoning_that_is_encrypted_is_kept_and_a_second_piece_is_a_block_of_its_own() -> None:
    parts = reply(BEGIN, thought(0, redactedContent="eA=="), thought(0, redactedContent="eQ=="), stop(0),
                  reason(), END).candidates[0].parts  # fmt: skip
    assert parts == (
        ReasoningPart("", own(redactedContent="eA==")),
        ReasoningPart("", own(redactedContent="eQ==")),
    )


def test_blocks_need_no_beginning_that_says_something_and_no_end() -> None:
    chunks = decode(
        start(0), text(0, "a"), call(1, "t", "f"), arguments(1, "{}"), text(2, "b"), reason(), END
    )
    assert chunks[1:-3] == [
        BlockStart(0, "text"),
        TextDelta(0, "a"),
        BlockStart(1, "tool-call", "t", "f"),
        ToolCallDelta(1, "{}"),
        BlockStart(2, "text"),
        TextDelta(2, "b"),
        *(BlockEnd(block) for block in range(3)),
    ]


def test_a_block_that_says_nothing_is_an_empty_text() -> None:
    assert decode(BEGIN, stop(0), start(1), stop(1), start(2), reason(), END)[1:-3] == [
        BlockStart(0, "text"), BlockEnd(0), BlockStart(1, "text"), BlockEnd(1),
    ]  # fmt: skip


def test_reasoning_and_text_at_one_index_are_two_blocks() -> None:
    said = reply(BEGIN, thought(0, text="hm"), text(0, "a"), stop(0), reason(), END)
    assert (said.reasoning, said.text) == ("hm", "a")


def test_citations_stand_under_their_text_and_go_back_with_it() -> None:
    web = {"title": "t", "sourceContent": [{"text": "q1"}, {"text": "q2"}], "location": {"web": {"url": "u"}}}
    page = {"source": "s", "location": {"documentPage": {"documentIndex": 0, "start": 1, "end": 2}}}
    chunks = decode(
        BEGIN, text(0, "x"), piece(0, citation=web), piece(0, citation=page), stop(0), reason(), END
    )
    assert [one for one in chunks if isinstance(one, Citation)] == [
        Citation(0, "u", "t", "q1q2", vendor=own(**web)),
        Citation(0, "", "s", vendor=own(**page)),
    ]
    assert fold(chunks).message.parts == (TextPart("x", own(citations=[web, page])),)


def test_an_image_is_given_whole_when_it_is() -> None:
    data = [b64encode(one).decode() for one in (PNG, b"more")]
    pieces = [piece(0, image={"source": {"bytes": one}}) for one in data]
    chunks = decode(BEGIN, start(0, image={"format": "png"}), *pieces, stop(0), reason(), END)
    assert chunks[1:4] == [
        BlockStart(0, "image", vendor=own(start={"image": {"format": "png"}})),
        ImageDelta(0, PNG + b"more", "image/png"),
        BlockEnd(0),
    ]


def test_an_image_that_failed_or_lies_elsewhere_is_kept() -> None:
    failed = {"image": {"error": {"message": "no"}}}
    chunks = decode(BEGIN, start(0, image={"format": "png"}), piece(0, **failed), stop(0), reason(), END)
    assert chunks[2:4] == [VendorPart(own(delta=failed), 0), BlockEnd(0)]


def test_blocks_that_are_not_modelled_are_opaque_and_whole_at_their_end() -> None:
    tool = {"toolUseId": "s", "name": "nova_grounding", "type": "server_tool_use"}
    result = {"toolUseId": "s", "type": "nova_grounding_result", "status": "success"}
    found = [[{"text": "a"}], [{"text": "b"}, {"json": {"x": 1}}]]
    chunks = decode(
        BEGIN,
        start(0, toolUse=tool), arguments(0, '{"q":'), arguments(0, "1}"), stop(0),
        start(1, toolResult=result), *(piece(1, toolResult=one) for one in found), stop(1),
        start(2, hologram={"depth": 3}), piece(2, hologram={"more": 1}), stop(2),
        reason(), END,
    )  # fmt: skip
    wholes = [
        {"toolUse": {**tool, "input": {"q": 1}}},
        {"toolResult": {**result, "content": [{"text": "ab"}, {"json": {"x": 1}}]}},
        {"hologram": {"depth": 3, "more": 1}},
    ]
    assert fold(chunks).message.parts == tuple(OpaquePart(own(**one)) for one in wholes)
    assert chunks[1] == BlockStart(0, "opaque", "s", "nova_grounding", vendor=own(start={"toolUse": tool}))
    assert chunks[2] == VendorPart(own(delta={"toolUse": {"input": '{"q":'}}), 0)
    assert fold(chunks).vendor == ()


@pytest.mark.parametrize(
    ("kind", "delta"),
    [
        ({"image": {"format": "png"}}, {"image": {"source": {"bytes": b64encode(bytes(50)).decode()}}}),
        ({"hologram": {"depth": "d" * 50}}, {}),
        ({"hologram": {"a": 1}}, {"hologram": {"x": "y" * 50}}),
        ({}, {"citation": {"title": "t" * 50}}),
        ({}, {"reasoningContent": {"signature": "s" * 50}}),
        ({}, {"reasoningContent": {"redactedContent": "r" * 50}}),
    ],
)
def test_what_open_blocks_hold_is_bounded(
    kind: dict[str, Any], delta: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(allowance, "MAX_KEPT_BYTES", 10_000)

    def one(index: int) -> bytes:
        return start(index, **kind) + piece(index, **delta)

    ended = [BEGIN, *(one(at) + stop(at) for at in range(300))]
    assert failure(*ended).kind == "truncated"  # what has ended is held no more
    left_open = failure(BEGIN, *map(one, range(300)))
    assert (left_open.kind, "open blocks hold more" in left_open.message) == ("wire", True)


def test_unknown_fields_are_kept_where_they_stood() -> None:
    chunks = decode(
        event("messageStart", role="assistant", mood="glad"),
        event("contentBlockDelta", contentBlockIndex=0, delta={"text": "a"}, weight=1, p="x"),
        piece(0, text="b", bold=True),
        piece(0, emphasis={"on": True}),
        event("contentBlockStop", contentBlockIndex=0, why="done"),
        event(
            "contentBlockStart",
            contentBlockIndex=1,
            start={"toolUse": {"toolUseId": "t", "name": "f", "x": 1}},
        ),
        piece(1, toolUse={"input": "{}", "y": 2}),
        reason(beside=1, additionalModelResponseFields={"x": None}),
        cost(trace={"guardrail": {}}),
    )
    assert chunks == [
        Start(vendor=own(mood="glad")),
        BlockStart(0, "text"),
        TextDelta(0, "a", vendor=own(weight=1)),
        TextDelta(0, "b", vendor=own(delta={"bold": True})),
        TextDelta(0, "", vendor=own(delta={"emphasis": {"on": True}})),
        BlockEnd(0, vendor=Opaque("bedrock", {"$stop": {"why": "done"}})),
        BlockStart(1, "tool-call", "t", "f", vendor=own(start={"toolUse": {"x": 1}})),
        ToolCallDelta(1, "{}", vendor=own(delta={"toolUse": {"y": 2}})),
        BlockEnd(1),
        CandidateEnd("stop", "end_turn", vendor=own(beside=1, additionalModelResponseFields={"x": None})),
        UsageReport(Usage(3, 2, vendor=own(**USAGE)), own(metrics={"latencyMs": 7}, trace={"guardrail": {}})),
        Finish("stop", "end_turn"),
    ]  # fmt: skip


def test_input_includes_what_the_cache_gave_and_took() -> None:
    counts = {
        "inputTokens": 3,
        "outputTokens": 20,
        "totalTokens": 38,
        "cacheReadInputTokens": 10,
        "cacheWriteInputTokens": 5,
    }
    usage = reply(*TEXT[:-1], cost(counts)).usage
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (18, 20, 38)
    assert (usage.cached_input_tokens, usage.cache_write_tokens) == (10, 5)


def test_the_counts_may_come_before_the_reason_and_metadata_without_counts_is_kept() -> None:
    assert decode(*TEXT[:-2], END, reason())[-2:] == [
        CandidateEnd("stop", "end_turn"),
        Finish("stop", "end_turn"),
    ]
    chunks = decode(*TEXT[:-1], event("metadata", metrics={"latencyMs": 7}))
    assert chunks[-2:] == [
        VendorPart(own(metadata={"metrics": {"latencyMs": 7}})),
        Finish("stop", "end_turn"),
    ]


@pytest.mark.parametrize(
    ("word", "ours"),
    [
        ("end_turn", "stop"), ("max_tokens", "length"), ("stop_sequence", "stop_sequence"),
        ("tool_use", "tool_calls"), ("guardrail_intervened", "content_filter"),
        ("content_filtered", "content_filter"), ("model_context_window_exceeded", "length"),
        ("brand_new", "stop"),
    ],
)  # fmt: skip
def test_stop_reasons(word: str, ours: str) -> None:
    chunks = decode(*TEXT[:4], reason(word), END)
    assert chunks[-1] == Finish(ours, word)  # type: ignore[arg-type]
    assert chunks[-3].raw_reason == word


@pytest.mark.parametrize("word", ["malformed_model_output", "malformed_tool_use"])
def test_an_answer_that_its_model_spoilt_is_a_failure_and_is_paid_for(word: str) -> None:
    chunks = decode(*TEXT[:4], reason(word), END)
    assert isinstance(chunks[-2], UsageReport)
    assert (chunks[-1].kind, chunks[-1].code, chunks[-1].retryable) == ("unavailable", word, True)
    assert decode(*TEXT[:4], reason(word))[-1].code == word


@pytest.mark.parametrize("fields", [{"stop_sequence": "END"}, {"delta": {"stop_sequence": "END"}}])
def test_the_text_that_ended_an_answer(fields: Any) -> None:
    chunks = decode(*TEXT[:4], reason("stop_sequence", additionalModelResponseFields=fields), END)
    assert chunks[-3].stop_sequence == "END"


@pytest.mark.parametrize(
    "events",
    [
        (BEGIN, arguments(0, "{}")),
        (BEGIN, text(0, "a"), arguments(0, "{}")),
        (BEGIN, call(0, "t", "f"), text(0, "a")),
        (BEGIN, text(0, "a"), stop(0), stop(0)),
        (BEGIN, text(0, "a"), BEGIN),
        (BEGIN, piece(-1, text="a")),
        (BEGIN, event("contentBlockDelta", contentBlockIndex="a", delta={})),
        (BEGIN, event("contentBlockDelta", contentBlockIndex=0)),
        (BEGIN, piece(0, text=5)),
        (BEGIN, piece(0, toolUse={"input": 5})),
        (BEGIN, start(0, toolUse={"toolUseId": 5, "name": "f"})),
        (BEGIN, start(0, image={"format": "png"}), piece(0, image={"source": {"bytes": "???"}})),
        (BEGIN, piece(0, image={"source": {"bytes": ""}})),
        (*TEXT[:5], text(1, "late")),
        (*TEXT[:5], reason()),
        (*TEXT[:4], event("messageStop")),
        (*TEXT[:-1], cost({"inputTokens": "many"})),
        (BEGIN, event("")),
        (*LINES[:2], b'{"weather":{},"more":1}\n'),
        (*LINES[:2], b'{"messageStop":{},"metadata":{}}\n'),
        (*LINES[:2], b'{"messageStop":"end_turn"}\n'),
        (*LINES[:2], b"{]\n"),
    ],
)  # fmt: skip
def test_events_without_their_place_or_of_wrong_types_break_the_wire(events: tuple[bytes, ...]) -> None:
    assert failure(*events).kind == "wire"


def test_a_second_beginning_before_anything_was_said_is_passed_over() -> None:
    assert decode(BEGIN, *TEXT) == decode(*TEXT)


def test_nothing_follows_the_end() -> None:
    assert decode(*TEXT, *TEXT) == decode(*TEXT)


def test_lines_say_what_messages_say() -> None:
    assert decode(*LINES) == decode(BEGIN, text(0, 'Hé "\n'), stop(0), reason(), END)
    assert decode(b"\xef\xbb\xbf\r\n \n", *(one.replace(b"\n", b"\r\n") for one in LINES)) == decode(*LINES)
    assert decode(*LINES[:-1], LINES[-1].rstrip()) == decode(*LINES)
    assert decode(*LINES[:-1], LINES[-1][:-2])[-1] == Finish("stop", "end_turn", clean=False)
    assert failure(LINES[0][:9]).kind == failure(*LINES[:2], LINES[2][:9]).kind == "truncated"
    beside = LINES[3].replace(b"}}", b'},"more":1}')
    assert decode(*LINES[:3], beside, LINES[4]) == decode(*LINES)


def test_what_is_malformed_inside_texts_is_mended() -> None:
    for bad in (rb"\ud83d", b"\xff"):
        half = line("contentBlockDelta", contentBlockIndex=0, delta={"text": "@"}).replace(b"@", bad)
        assert reply(LINES[0], half, *LINES[2:]).text == "\ufffd"


def test_deep_nesting_is_a_failure_and_no_crash() -> None:
    deep = b"[" * 100_000 + b"]" * 100_000
    assert failure(LINES[0], b'{"weather":{"a":' + deep + b"}}\n").kind == "wire"


def test_linear_and_bounded() -> None:
    unit = text(0, "Hi ") + thought(0, text="hm") + thought(0, signature="s")
    work.linear(READS, unit, times=16)
    assert work.bounded(READS, unit, limit_bytes=20_000, times=200) > 0


def test_the_official_client_reads_these_streams_too() -> None:
    """So what is written by hand here is what Bedrock could send."""
    for events in (TEXT, TOOLS):
        read = client_events(b"".join(events))
        assert len(read) == len(events)
        assert [next(iter(one)) for one in read][-2:] == ["messageStop", "metadata"]


def test_reasoning_deltas_are_no_text() -> None:
    assert ReasoningDelta(0, "hm") in decode(*TOOLS)
