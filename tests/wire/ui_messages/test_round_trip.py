"""What goes in comes out: events of this wire as they were, and other wires' answers through this one."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.wire import scripted
from tests.wire.ui_messages.events import DONE, FINISH, STREAMS, decode, event, parts, piece
from tests.wire.ui_messages.events import SIGNED as SIGNED_PART

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
    ToolCallDelta,
    TranscriptDelta,
    UsageReport,
    VendorPart,
    Verdict,
    Word,
)
from headrace.core.fold import fold
from headrace.core.opaque import Opaque
from headrace.errors import ContextOverflow, Truncated
from headrace.testing import stages
from headrace.wire.base import Says
from headrace.wire.ui_messages import UiEncoder

NOBODY = Says("", "", 0)


def encode(chunks: Any) -> bytes:
    return b"".join(stages.run(UiEncoder(NOBODY), [list(chunks)]))


def through(*chunks: Chunk) -> list[Any]:
    """The chunks behind this wire, without its own marks of steps."""
    back = decode(encode(chunks))
    steps = ({"type": "start-step"}, {"type": "finish-step"})
    return [one for one in back if not (isinstance(one, VendorPart) and one.part.data in steps)]


@pytest.mark.parametrize("name", STREAMS)
def test_events_come_out_as_they_came(name: str) -> None:
    chunks = decode(*STREAMS[name])
    assert parts(encode(chunks)) == parts(*STREAMS[name])
    assert decode(encode(chunks)) == chunks


@pytest.mark.parametrize("name", STREAMS)
def test_any_grouping_of_chunks_gives_the_same_bytes(name: str) -> None:
    stages.every_split(lambda: UiEncoder(NOBODY), decode(*STREAMS[name]), normal=stages.joined)


OPEN, CLOSE = (event("start"), event("start-step")), (event("finish-step"), FINISH)
ODD = {
    "data before the message": (event("data-x", data=1), *OPEN, *CLOSE),
    "two steps at once": (*OPEN, event("start-step"), *CLOSE),
    "no reason": (*OPEN, event("finish-step"), event("finish")),
    "an odd reason": (*OPEN, event("finish-step"), event("finish", finishReason=5)),
    "odd metadata": (
        event("start", messageMetadata="x"), event("start-step"), event("finish-step"),
        event("finish", finishReason="stop", messageMetadata=["x"]),
    ),
    "odd times": (event("start", messageMetadata={"createdAt": 1001, "model": 5}), *OPEN[1:], *CLOSE),
    "an image of a family": (
        *OPEN, event("file", url="data:image/png;base64,eA==", mediaType="image"),
        event("file", url="data:image/png;base64,eB==", mediaType="image/png"), *CLOSE,
    ),
    "a call under another name": (
        *OPEN, event("tool-input-start", toolCallId="a", toolName="f", **SIGNED_PART),
        event("tool-input-available", toolCallId="a", toolName="g", input=None, **SIGNED_PART), *CLOSE,
    ),
    "a call that says less at its end": (
        *OPEN, event("tool-input-start", toolCallId="a", toolName="f", dynamic=True),
        event("tool-input-available", toolCallId="a", toolName="f", input={}), *CLOSE,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_odd_events_come_out_as_they_came_too(name: str) -> None:
    assert parts(encode(decode(*ODD[name], DONE))) == parts(*ODD[name])


def test_text_outside_a_step_gets_one() -> None:
    bare = (event("text-start", id="t"), piece("t", "x"), event("text-end", id="t"))
    kinds = [one["type"] for one in parts(encode(decode(*bare, DONE)))]
    assert kinds == [
        "start", "start-step", "text-start", "text-delta", "text-end", "finish-step", "finish",
    ]  # fmt: skip


def test_an_answer_of_another_wire_is_the_same_behind_this_one() -> None:
    assert through(*scripted.EVERYTHING) == [*scripted.EVERYTHING[:-3], *reversed(scripted.EVERYTHING[-3:-1]),
                                             scripted.EVERYTHING[-1]]  # fmt: skip
    assert fold(through(*scripted.EVERYTHING)) == fold(scripted.EVERYTHING)


SIGNED = Opaque("anthropic", {"signature": "s"})
ITEM = Opaque("openai_responses", {"item_id": "fc_1"})
BEGUN = Opaque("anthropic", {"type": "server_tool_use", "id": "s"})
WHOLE = Opaque("anthropic", {"type": "server_tool_use", "id": "s", "input": {"q": "x"}})
CARRIED: dict[str, tuple[Chunk, ...]] = {
    "a signature": (BlockStart(0, "reasoning"), ReasoningDelta(0, "Hm."), BlockEnd(0, vendor=SIGNED)),
    "redacted thinking": (BlockStart(0, "reasoning", vendor=SIGNED), BlockEnd(0)),
    "a mark that says nothing": (BlockStart(0, "text"), BlockEnd(0, vendor=Opaque("gemini", {}))),
    "a piece's own": (
        BlockStart(0, "text"), TextDelta(0, "x", vendor=SIGNED), TextDelta(0, "y"), BlockEnd(0),
    ),
    "a start's own behind a piece's": (
        BlockStart(0, "text", vendor=ITEM), TextDelta(0, "x", vendor=SIGNED), BlockEnd(0),
    ),
    "a piece of nothing": (BlockStart(0, "text"), TextDelta(0, "", vendor=SIGNED), BlockEnd(0)),
    "a text's name": (BlockStart(0, "text", "msg_9"), TextDelta(0, "x"), BlockEnd(0)),
    "a refusal": (BlockStart(0, "refusal"), RefusalDelta(0, "No."), BlockEnd(0)),
    "a refusal's own": (
        BlockStart(0, "refusal", vendor=ITEM), RefusalDelta(0, "No."), BlockEnd(0, vendor=SIGNED),
    ),
    "a call's own": (
        BlockStart(0, "tool-call", "c", "f", vendor=ITEM), ToolCallDelta(0, '{"a": 1}'), BlockEnd(0),
    ),
    "a call's end": (
        BlockStart(0, "tool-call", "c", "f"), ToolCallDelta(0, "{}"), BlockEnd(0, vendor=ITEM),
    ),
    "a call's start and end": (
        BlockStart(0, "tool-call", "c", "f", vendor=SIGNED), ToolCallDelta(0, "{}"), BlockEnd(0, vendor=ITEM),
    ),
    "a call that is no JSON": (BlockStart(0, "tool-call", "c", "f"), ToolCallDelta(0, "{cut"), BlockEnd(0)),
    "a call of nothing": (BlockStart(0, "tool-call", "c", "f"), BlockEnd(0)),
    "sources": (
        BlockStart(0, "text"), TextDelta(0, "x"),
        Citation(0, "https://x", "X", "quoted", 3, 9, vendor=SIGNED), Citation(0, "https://y"),
        Citation(0, title="a book", quote="q"), BlockEnd(0),
    ),
    "an opaque block": (
        BlockStart(0, "opaque", "s", "search", vendor=BEGUN),
        VendorPart(Opaque("anthropic", {"partial_json": "{"}), 0),
        BlockStart(1, "text"), TextDelta(1, "x"), BlockEnd(0, vendor=WHOLE), BlockEnd(1),
    ),
    "an image": (
        BlockStart(0, "image", vendor=ITEM), ImageDelta(0, b"old", "image/png", partial=True),
        ImageDelta(0, b"png", "image/webp", vendor=SIGNED), BlockEnd(0, vendor=ITEM),
    ),
    "sound and what it says": (
        BlockStart(0, "audio"), BlockStart(1, "transcript"), AudioDelta(0, b"\0\1", "pcm16", 24000, 1),
        TranscriptDelta(1, "hi", True, (Word("hi", 0.5),), "en"), AudioDelta(0, b"\2\3", "pcm16", 24000, 1),
        BlockEnd(0), BlockEnd(1, vendor=ITEM),
    ),
    "steps, verdicts and events": (
        Step("look", 1, 2, {"seen": ["x"]}), Verdict("warning", "pii", 0.5, ("mail",)),
        VendorPart(Opaque("gemini", {"candidates": []})),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CARRIED)
def test_what_other_wires_keep_is_carried(name: str) -> None:
    chunks = (
        Start("i", "m", 5),
        *CARRIED[name],
        CandidateEnd("stop", "end_turn"),
        Finish("stop", "end_turn"),
    )
    assert through(*chunks) == list(chunks)


def test_what_other_wires_keep_is_carried_in_one_answer_too() -> None:
    """Blocks keep their numbers, whatever stands between them."""
    chunks: list[Chunk] = [Start("i")]
    for name in (
        "a signature",
        "a refusal",
        "an opaque block",
        "an image",
        "a call's start and end",
        "sources",
    ):
        first = sum(isinstance(one, BlockStart) for one in chunks)
        chunks += [replaced(one, first) for one in CARRIED[name]]
    assert through(*chunks, CandidateEnd("stop", "x"), Finish("stop", "x"))[:-2] == chunks


def replaced(chunk: Any, first: int) -> Any:
    return msgspec.structs.replace(chunk, block=chunk.block + first)


@pytest.mark.parametrize(
    "terminal",
    [
        Failure.of(ContextOverflow("too long", provider="p")),
        Failure.of(Truncated("cut")),
        Cancelled("enough"),
    ],
)
def test_a_bad_end_is_the_same_behind_this_wire(terminal: Any) -> None:
    begun = (*scripted.text_reply("Hel")[:3], UsageReport(scripted.USAGE))
    back = fold(through(*begun, terminal))
    assert back.usage == scripted.USAGE
    got = back.terminal
    assert got == terminal or (
        isinstance(got, Failure) and (got.kind, got.message) == (terminal.kind, "too long")
    )


def test_counts_told_before_the_end_go_out_where_they_stood_and_once() -> None:
    told = event("message-metadata", messageMetadata={"usage": {"inputTokens": 3, "outputTokens": 1}})
    stream = (event("start"), event("start-step"), told, event("finish-step"), FINISH)
    assert parts(encode(decode(*stream, DONE))) == parts(*stream)
    assert fold(decode(*stream, DONE)).usage is not None
