"""The decoder on what a message is made of, by hand from the package's schema."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.wire.ui_messages.events import (
    DONE,
    END_STEP,
    FINISH,
    RICH,
    START,
    STEP,
    TEXT,
    TOOLS,
    arguments,
    decode,
    event,
    failure,
    piece,
    reply,
)

from headrace.core.chunk import (
    AudioDelta,
    BlockEnd,
    BlockStart,
    Cancelled,
    CandidateEnd,
    Citation,
    Failure,
    Finish,
    ImageDelta,
    Start,
    TextDelta,
    ToolCallDelta,
    UsageReport,
    VendorPart,
)
from headrace.core.message import ReasoningPart
from headrace.core.opaque import Opaque
from headrace.core.usage import Usage
from headrace.testing import stages, work
from headrace.wire.ui_messages import UiDecoder
from headrace.wire.ui_messages.blocks import MAX_OPEN_PARTS
from headrace.wire.ui_messages.calls import MAX_INPUT_CHARS

READS = stages.reads(UiDecoder)


def kept(*events: bytes) -> list[Any]:
    return [one.part.data for one in decode(*events) if isinstance(one, VendorPart)]


def own(**data: Any) -> Opaque:
    return Opaque("ui_messages", data)


def test_an_ordinary_answer_is_start_block_finish() -> None:
    start, step, *block, ended, end, finish = decode(*TEXT)
    assert start == Start("msg_1")
    assert (step.part.data, ended.part.data) == ({"type": "start-step"}, {"type": "finish-step"})
    assert block == [BlockStart(0, "text", "0"), TextDelta(0, "Hel"), TextDelta(0, "lo é🙂"), BlockEnd(0)]
    assert [end, finish] == [CandidateEnd("stop", "stop"), Finish("stop", "stop")]


def test_a_piece_comes_out_as_soon_as_its_event_is_whole() -> None:
    decoder = UiDecoder()
    decoder.feed([*TEXT[:3], TEXT[3][:-1]])
    assert decoder.feed([TEXT[3][-1:]]) == [TextDelta(0, "Hel")]


def test_calls_whose_input_interleaves_are_told_apart_and_signatures_kept() -> None:
    said = reply(*TOOLS)
    assert [(one.id, one.name, one.arguments) for one in said.tool_calls] == [
        ("a", "weather", '{"city": "Oslo"}'), ("b", "time", "{}"),
    ]  # fmt: skip
    assert said.candidates[0].parts[0] == ReasoningPart("Hm.", Opaque("anthropic", {"signature": "sig"}))
    assert (said.model, said.created_s, said.finish_reason) == ("m", 1700000000, "tool_calls")
    assert said.usage == Usage(11, 7, cached_input_tokens=4, reasoning_tokens=2)


def test_what_the_package_says_beyond_our_chunks_is_kept_with_them() -> None:
    chunks = decode(*RICH)
    said = reply(*RICH)
    assert said.text == "abagain"
    assert [(one.id, one.arguments) for one in said.tool_calls] == [
        ("d", '{"x":1}'), ("e", "[1.5,null]"), ("f", "{cut"), ("g", '{"a":1}'), ("h", '{"a":1'),
    ]  # fmt: skip
    ends = {one.block: one.vendor for one in chunks if isinstance(one, BlockEnd)}
    calls = [one.block for one in chunks if isinstance(one, BlockStart) and one.kind == "tool-call"]
    assert [ends[block] for block in calls] == [
        None,  # as it began
        None,
        own(errorText="no JSON"),
        own(errorText="wrong type"),
        own(input={"a": 1}, errorText=None),
    ]
    assert [one for one in chunks if isinstance(one, Citation)][:3] == [
        Citation(0, "https://c", "C", "a", 0, 1, vendor=own(derived=True)),
        Citation(6, "https://x", "X", vendor=own(sourceId="s9")),
        Citation(6, "https://y"),
    ]
    assert [one.data for one in chunks if isinstance(one, ImageDelta | AudioDelta)] == [b"x"] * 3
    assert [one.part.data["type"] for one in chunks if isinstance(one, VendorPart)] == [
        "start-step", "tool-output-available", "tool-approval-request", "tool-output-denied",
        "tool-output-error", "finish-step", "start-step", "file", "file", "data-mood", "data-step", "custom",
        "novel", "message-metadata", "finish-step",
    ]  # fmt: skip
    assert [one.usage.input_tokens for one in chunks if isinstance(one, UsageReport)] == [3, 3]


@pytest.mark.parametrize(
    ("metadata", "vendor"),
    [
        ({"anthropic": {"signature": "s"}}, Opaque("anthropic", {"signature": "s"})),
        ({"gemini": {}}, Opaque("gemini", {})),
        ({"openai": {"itemId": "x"}}, own(providerMetadata={"openai": {"itemId": "x"}})),
        ({"anthropic": {}, "gemini": {}}, own(providerMetadata={"anthropic": {}, "gemini": {}})),
        ({"anthropic": 5}, own(providerMetadata={"anthropic": 5})),
        ({"headrace": {"refusal": False}}, None),
        ({}, None),
        ("x", None),
    ],
)
def test_metadata_of_one_of_our_wires_is_that_wires_own(metadata: Any, vendor: Opaque | None) -> None:
    begun = decode(START, event("text-start", id="0", providerMetadata=metadata))[1]
    assert begun == BlockStart(0, "text", "0", vendor=vendor)


def test_what_was_said_last_of_a_part_stands_as_it_does_in_a_page() -> None:
    first, last = {"anthropic": {"a": 1}}, {"anthropic": {"b": 2}}

    def end(*events: bytes) -> Any:
        begun = event("text-start", id="0", providerMetadata=first)
        return [one.vendor for one in decode(START, begun, *events) if isinstance(one, BlockEnd)]

    said = piece("0", "x", providerMetadata=last)
    assert end(event("text-end", id="0")) == [None]
    assert end(event("text-end", id="0", providerMetadata=first)) == [None]
    assert end(said, event("text-end", id="0")) == [Opaque("anthropic", {"b": 2})]
    assert end(said, event("text-end", id="0", providerMetadata=first)) == [None]
    assert end(said, event("text-end", id="0", providerMetadata={})) == [None]


@pytest.mark.parametrize(
    ("word", "ours"),
    [
        ("stop", "stop"), ("length", "length"), ("tool-calls", "tool_calls"), ("error", "error"),
        ("content-filter", "content_filter"), ("interrupted", "cancelled"), ("other", "stop"),
        ("new", "stop"),
    ],
)  # fmt: skip
def test_reasons(word: str, ours: str) -> None:
    chunks = decode(*TEXT[:-2], event("finish", finishReason=word), DONE)
    assert chunks[-1] == Finish(ours, word)  # type: ignore[arg-type]
    assert (chunks[-2].finish_reason, chunks[-2].raw_reason) == (ours, word)


def test_the_finer_reason_and_the_stop_text_are_read() -> None:
    metadata = {"rawFinishReason": "stop_sequence", "stopSequence": "END"}
    end = decode(*TEXT[:-2], event("finish", finishReason="stop", messageMetadata=metadata), DONE)[-2]
    assert end == CandidateEnd("stop_sequence", "stop_sequence", "END")


@pytest.mark.parametrize(
    ("told", "usage"),
    [
        ({"inputTokens": 3, "outputTokens": 4, "cachedInputTokens": 2, "reasoningTokens": 1},
         Usage(3, 4, cached_input_tokens=2, reasoning_tokens=1)),
        ({"outputTokens": 4}, Usage(0, 4)),
        ({"inputTokens": -3, "outputTokens": True}, None),
        ({"totalTokens": 7}, None),
        ("many", None),
    ],
)  # fmt: skip
def test_spellings_of_usage(told: Any, usage: Usage | None) -> None:
    found = reply(*TEXT[:-2], event("finish", messageMetadata={"usage": told}), DONE).usage
    if usage is None or found is None:
        assert found is usage
        return
    counts = [name for name in Usage.__struct_fields__ if name != "vendor"]
    assert [getattr(found, name) for name in counts] == [getattr(usage, name) for name in counts]
    assert found.vendor == Opaque("ui_messages", told)


def test_an_abort_is_cancelled() -> None:
    assert decode(*TEXT[:4], event("abort", reason="enough"), DONE)[-1] == Cancelled("enough")
    assert decode(*TEXT[:4], event("abort"), DONE, *TEXT)[-1] == Cancelled("")


@pytest.mark.parametrize(
    ("text", "kind"),
    [("An error occurred.", "unavailable"), ("maximum context length is 5", "context_overflow")],
)
def test_an_error_is_a_providers_failure(text: str, kind: str) -> None:
    bad = failure(*TEXT[:4], event("error", errorText=text), *TEXT[4:])
    assert bad.kind == kind
    assert text in bad.message


def test_an_error_of_ours_is_what_it_was() -> None:
    told = {
        "kind": "rate_limited",
        "code": "slow",
        "retryable": True,
        "http_status": 429,
        "retry_after_s": 2.0,
    }
    bad = failure(event("data-failure", data=told, transient=True), event("error", errorText="wait"), DONE)
    assert (bad.kind, bad.code, bad.message, bad.detail["retry_after_s"]) == (
        "rate_limited",
        "slow",
        "wait",
        2.0,
    )
    for odd in ({"kind": "novel"}, {"kind": 5}, "x"):
        assert failure(event("data-failure", data=odd), event("error", errorText="x")).kind == "unavailable"


def test_the_terminator_without_a_finish_is_a_flagged_success_and_alone_it_is_none() -> None:
    chunks = decode(*TEXT[:5], DONE)
    assert chunks[-3] == BlockEnd(0)
    assert chunks[-1] == Finish("stop", clean=False)
    empty = failure(START, STEP, END_STEP, DONE)
    assert (empty.kind, empty.code) == ("truncated", "empty_response")
    assert isinstance(decode(START, FINISH, DONE)[-1], Finish)


def test_parts_left_open_are_closed() -> None:
    chunks = decode(START, STEP, event("text-start", id="0"), event("tool-input-start", toolCallId="a",
                    toolName="f"), END_STEP, FINISH, DONE)  # fmt: skip
    assert [one.block for one in chunks if isinstance(one, BlockEnd)] == [0, 1]
    again = decode(START, event("text-start", id="0"), event("text-start", id="0"), piece("0", "x"))
    assert again[1:5] == [
        BlockStart(0, "text", "0"), BlockEnd(0), BlockStart(1, "text", "0"), TextDelta(1, "x"),
    ]  # fmt: skip


def test_a_call_may_come_whole() -> None:
    told = event("tool-input-available", toolCallId="a", toolName="f", input={"a": [1, "é"]})
    said = reply(START, STEP, told, END_STEP, FINISH, DONE)
    assert said.tool_calls[0].arguments == '{"a":[1,"é"]}'
    began = event("tool-input-start", toolCallId="a", toolName="f")
    assert reply(START, began, told, FINISH, DONE).tool_calls[0].arguments == '{"a":[1,"é"]}'
    nothing = event("tool-input-available", toolCallId="a", toolName="f", input={})
    assert reply(START, began, nothing, FINISH, DONE).tool_calls[0].arguments == ""


@pytest.mark.parametrize(
    ("kind", "begun", "said", "field"),
    [
        ("text", {"id": "0"}, {"id": "0"}, "delta"),
        ("reasoning", {"id": "0"}, {"id": "0"}, "delta"),
        ("tool-input", {"toolCallId": "0", "toolName": "f"}, {"toolCallId": "0"}, "inputTextDelta"),
    ],
)
def test_characters_cut_in_two_meet_again(kind: str, begun: Any, said: Any, field: str) -> None:
    def texts(*pieces: str) -> str:
        events = [event(f"{kind}-delta", **said, **{field: one}) for one in pieces]
        chunks = decode(START, event(f"{kind}-start", **begun), *events, FINISH, DONE)
        return "".join(
            getattr(one, "arguments", "") or getattr(one, "reasoning", "") or one.text for one in chunks
        )

    assert texts("a\ud83d", "\ude00b") == "a😀b"
    assert texts("a\ud83d", "b") == "a\ufffdb"
    assert texts("\ude00") == "\ufffd"
    assert texts("a\ud83d") == "a\ufffd"


@pytest.mark.parametrize(
    "odd",
    [
        event("novel", delta="\ud800"),
        event("novel", inputTextDelta="\ud800"),
        event("tool-output-available", toolCallId="0", output=1, delta="\ud800"),
        piece("0", "x", inputTextDelta="\ud800"),
    ],
)
def test_a_half_that_is_no_piece_of_a_text_is_mended(odd: bytes) -> None:
    chunks = decode(START, TEXT[2], odd, FINISH, DONE)
    assert isinstance(chunks[-1], Finish)
    assert "\ufffd" in msgspec.json.encode(chunks).decode()


@pytest.mark.parametrize(
    "bad",
    [
        piece("9", "x"),
        event("text-end", id="9"),
        event("reasoning-delta", id="0", delta="x"),
        arguments("9", "x"),
        event("text-delta", id="0"),
        event("text-delta", id=0, delta="x"),
        event("text-start"),
        event("tool-input-start", toolCallId="a"),
        event("tool-input-available", toolName="f", input={}),
        event("source-url", sourceId="1"),
        event("source-url", sourceId="1", url="u", title=5),
        event("file", url="data:image/png;base64,!", mediaType="image/png"),
        event("file", url="data:image/png,x", mediaType="image/png"),
        event("start", messageId=5),
        b"data: 5\n\n",
        b"data: {}\n\n",
        b'data: {"type":5}\n\n',
        b'data: {"type":"x","a":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n\n",
    ],
)
def test_an_event_without_its_place_or_its_fields_breaks_the_wire(bad: bytes) -> None:
    events = (STEP, *TEXT[2:4]) if b'"start"' in bad else (START, STEP, *TEXT[2:4])
    assert failure(*events, bad, *TEXT[4:]).kind == "wire"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html><title>502 Bad</title></html>", "wire"),
        (b'{"error":{"message":"slow down","code":"rate_limited"}}', "unavailable"),
        (b'{"id":"m","role":"assistant","parts":[]}', "wire"),
        (b"", "truncated"),
    ],
)
def test_a_body_that_is_no_stream_is_named(body: bytes, kind: str) -> None:
    assert failure(body).kind == kind


def test_a_further_start_and_a_further_finish_are_kept() -> None:
    assert kept(*TEXT[:3], START, *TEXT[3:-1], FINISH, DONE)[1:] == [
        {"type": "start", "messageId": "msg_1"}, {"type": "finish-step"},
        {"type": "finish", "finishReason": "stop"},
    ]  # fmt: skip


def test_work_is_linear_and_what_is_held_is_bounded() -> None:
    for unit in (piece("0", "some text "), event("data-x", data=[1]), b"".join(TEXT[2:6]), b"x"):
        work.linear(lambda: stages.reads(lambda: begun(TEXT[2]))(), unit, times=16)
    call = event("tool-input-start", toolCallId="c", toolName="f")
    work.linear(lambda: stages.reads(lambda: begun(call))(), arguments("c", "123 "), times=16)
    work.bounded(lambda: begun(TEXT[2]), [piece("0", "x" * 100)], limit_bytes=20_000)


def begun(*events: bytes) -> UiDecoder:
    decoder = UiDecoder()
    decoder.feed([START, *events])
    return decoder


def test_input_and_parts_without_an_end_are_bounded() -> None:
    decoder = begun(event("tool-input-start", toolCallId="c", toolName="f"))
    big = arguments("c", "x" * 2**20)
    out: list[Any] = []
    for _ in range(MAX_INPUT_CHARS // 2**20 + 1):
        out += decoder.feed([big])
    assert [type(one) for one in out[-2:]] == [ToolCallDelta, Failure]
    opened = [event("text-start", id=str(number)) for number in range(MAX_OPEN_PARTS + 1)]
    assert "parts are open" in failure(START, *opened).message
