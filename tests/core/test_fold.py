"""Chunks add up to a Reply whatever their batches, and in linear work."""

from __future__ import annotations

import sys
from itertools import pairwise
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.core.chunk import (
    TERMINALS,
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
    ToolResult,
    TranscriptDelta,
    UsageReport,
    VendorPart,
    Verdict,
    Word,
)
from headrace.core.fold import ReplyFold, fold
from headrace.core.message import Message, ReasoningPart, TextPart, ToolCallPart, ToolResultPart
from headrace.core.opaque import Opaque
from headrace.core.usage import Usage
from headrace.errors import KINDS, HeadraceError, RateLimited

CONVERSATION: list[Chunk] = [
    Start(id="r1", model="m", created_s=7),
    BlockStart(0, "reasoning"),
    ReasoningDelta(0, "thi"),
    ReasoningDelta(0, "nk"),
    BlockEnd(0),
    BlockStart(1, "text"),
    TextDelta(1, "Hé", tokens=(Token("Hé", id=5, logprob=-0.5),)),
    TextDelta(1, "llo"),
    BlockStart(2, "tool-call", id="a", name="one"),
    BlockStart(3, "tool-call", id="b", name="two"),
    ToolCallDelta(3, '{"y"'),
    ToolCallDelta(2, '{"x"'),
    ToolCallDelta(3, ":2}"),
    ToolCallDelta(2, ":1}"),
    BlockEnd(1),
    BlockEnd(2),
    BlockEnd(3),
    Citation(1, url="https://example.org", start=0, end=2),
    UsageReport(Usage(1, 2)),
    UsageReport(Usage(10, 20)),
    VendorPart(Opaque("w", {"k": 1})),
    CandidateEnd("tool_calls", "tool_use"),
    Finish("tool_calls", "tool_use"),
]


def test_a_conversation_folds_into_its_reply() -> None:
    reply = fold(CONVERSATION)
    assert (reply.id, reply.model, reply.created_s) == ("r1", "m", 7)
    assert (reply.text, reply.reasoning) == ("Héllo", "think")
    assert [(c.id, c.name, c.arguments) for c in reply.tool_calls] == [
        ("a", "one", '{"x":1}'),
        ("b", "two", '{"y":2}'),
    ]
    assert reply.usage == Usage(10, 20)  # cumulative: the later report replaces
    assert reply.finish_reason == "tool_calls"
    assert reply.candidates[0].raw_reason == "tool_use"
    assert reply.candidates[0].citations[0].url == "https://example.org"
    assert reply.tokens[0].id == 5
    assert reply.message.parts == (
        ReasoningPart("think"),
        TextPart("Héllo"),
        ToolCallPart("a", "one", '{"x":1}'),
        ToolCallPart("b", "two", '{"y":2}'),
    )


@given(st.lists(st.integers(0, len(CONVERSATION)), max_size=8))
def test_batches_do_not_matter(cuts: list[int]) -> None:
    folding = ReplyFold()
    edges = [0, *sorted(cuts), len(CONVERSATION)]
    for start, end in pairwise(edges):
        folding.feed(CONVERSATION[start:end])
    assert folding.reply() == fold(CONVERSATION)


@given(st.lists(st.tuples(st.integers(0, 2), st.text()), max_size=40))
def test_text_is_joined_per_candidate_byte_for_byte(deltas: list[tuple[int, str]]) -> None:
    reply = fold(TextDelta(c, text, candidate=c) for c, text in deltas)
    for index, candidate in enumerate(reply.candidates):
        assert candidate.text == "".join(text for c, text in deltas if c == index)


def test_a_wild_candidate_index_costs_one_place() -> None:
    reply = fold([TextDelta(0, "a"), TextDelta(0, "b", candidate=10**9)])
    assert len(reply.candidates) == 129
    assert reply.candidates[-1].text == "b"


def test_media_transcripts_and_reports_are_kept() -> None:
    reply = fold(
        [
            BlockStart(0, "audio"),
            AudioDelta(0, b"ab", "pcm16", 24000, 1),
            AudioDelta(0, b"cd", "pcm16", 24000, 1),
            BlockStart(1, "image"),
            ImageDelta(1, b"p", "image/png", partial=True),
            ImageDelta(1, b"whole", "image/png"),
            BlockStart(2, "transcript"),
            TranscriptDelta(2, "hel", committed=False),
            TranscriptDelta(
                2, "hello", words=(Word("hello", 0.0, 0.4),), tokens=(Token("hello", logprob=-1.0),)
            ),
            TranscriptDelta(2, "", language="en", segments=(Word("hello", 0.0, 0.5, speaker="A"),)),
            TranscriptDelta(2, " you", committed=False, segments=(Word("you"),), language="fr"),
            BlockStart(3, "refusal"),
            RefusalDelta(3, "no"),
            Step("ocr", 1, 2),
            Verdict("warning", "pii", 0.5, ("email",)),
            CandidateEnd("stop"),
            Finish(),
        ]
    )
    candidate = reply.candidates[0]
    assert candidate.audio is not None
    assert (candidate.audio.data, candidate.audio.sample_rate_hz) == (b"abcd", 24000)
    assert [image.data for image in candidate.images] == [b"whole"]
    assert candidate.transcript == "hello"
    assert candidate.words[0].end_s == 0.4
    assert candidate.segments == (Word("hello", 0.0, 0.5, speaker="A"),)
    assert candidate.language == "en"
    assert [token.text for token in candidate.transcript_tokens] == ["hello"]
    assert candidate.tokens == ()
    assert reply.refusal == "no"
    assert reply.steps[0].name == "ocr"
    assert reply.verdicts[0].issues == ("email",)


@pytest.mark.parametrize(
    ("terminal", "reason"),
    [(Finish("stop"), "length"), (Failure("truncated", "cut"), "error"), (Cancelled("bye"), "cancelled")],
)
def test_the_terminal_decides_how_it_ended(terminal: Chunk, reason: str) -> None:
    reply = fold([TextDelta(0, "x"), CandidateEnd("length"), terminal])
    assert reply.finish_reason == reason
    assert (reply.failure is not None) == isinstance(terminal, Failure)


def test_an_unfinished_reply_has_no_finish_reason() -> None:
    assert fold([TextDelta(0, "x")]).finish_reason is None


def test_only_the_first_terminal_counts() -> None:
    assert fold([Failure("wire", "bad"), Finish()]).failure == Failure("wire", "bad")


def test_the_turns_of_a_reply_with_tools_are_a_conversation() -> None:
    call = [BlockStart(1, "tool-call", "c1", "add"), ToolCallDelta(1, "{}"), BlockEnd(1)]
    chunks: list[Chunk] = [
        Start("a", "m"),
        BlockStart(0, "text"),
        TextDelta(0, "Let me see. "),
        BlockEnd(0),
        *call,
        CandidateEnd("tool_calls"),
        ToolResult("c1", "add", (TextPart("3"),)),
        ToolResult("c2", "sub", (TextPart("no"),), is_error=True),
    ]
    asked = Message("assistant", (TextPart("Let me see. "), ToolCallPart("c1", "add", "{}")))
    told = Message(
        "tool", (ToolResultPart("c1", (TextPart("3"),)), ToolResultPart("c2", (TextPart("no"),), True))
    )
    waiting = fold(chunks)
    assert waiting.messages == (asked, told)
    assert (waiting.text, len(waiting.tool_calls), len(waiting.tool_results)) == ("Let me see. ", 1, 2)
    chunks += [
        Start("b", "m"),
        BlockStart(2, "text"),
        TextDelta(2, "It is 3."),
        CandidateEnd("stop"),
        Finish(),
    ]
    for begun in (chunks, [one for one in chunks if not isinstance(one, (Start, BlockStart))]):
        whole = fold(begun)
        assert whole.text == "It is 3."
        assert whole.messages[-1] == Message("assistant", (TextPart("It is 3."),))
        assert whole.finish_reason == "stop"
    whole = fold(chunks)
    assert whole.messages == (asked, told, whole.message)
    assert (whole.id, whole.tool_calls, whole.tool_results) == ("b", (), ())


def _calls(count: int) -> int:
    """Python calls made while folding `count` deltas: work counted, not timed."""
    chunks = [TextDelta(0, "x") for _ in range(count)]
    calls = 0

    def count_calls(_frame: object, event: str, _arg: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count_calls)
    try:
        fold(chunks)
    finally:
        sys.setprofile(None)
    return calls


def test_the_fold_is_linear() -> None:
    small, large = _calls(1_000), _calls(10_000)
    assert large < small * 10.5


def test_every_chunk_has_the_documented_readings_and_survives_json() -> None:
    for kind in get_args(Chunk):
        fields = {"block": 0, "text": "t", "reasoning": "r", "refusal": "n", "arguments": "{}", "data": b"d"}
        fields |= {"kind": "text", "name": "n", "status": "safe", "usage": Usage(), "part": Opaque("w", 1)}
        fields |= {"finish_reason": "stop", "message": "m", "id": "i"}
        required = [f.name for f in msgspec.structs.fields(kind) if f.required]
        chunk = kind(**{name: fields[name] for name in required})
        assert isinstance(chunk.text, str)
        assert isinstance(chunk.token_count, int)
        assert chunk.is_complete == isinstance(chunk, TERMINALS)
        assert (chunk.token_id, chunk.logprob, chunk.tokens_per_second) == (None, None, None)
        assert chunk.finish_reason is None or isinstance(chunk.finish_reason, str)
        assert msgspec.json.decode(msgspec.json.encode(chunk), type=Chunk) == chunk


def test_the_token_readings_of_a_delta() -> None:
    delta = TextDelta(0, "ab", tokens=(Token("a", 3, -0.25), Token("b", 4, -1.0)))
    assert (delta.token_count, delta.token_id, delta.logprob) == (2, 3, -0.25)
    assert TextDelta(0, "ab").token_count == 1


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_error_survives_as_a_value(kind: str) -> None:
    error = KINDS[kind]("it broke", code="c1", retryable=True, http_status=418)
    back = Failure.of(error).error()
    assert type(back) is KINDS[kind]
    assert (back.message, back.code, back.retryable, back.http_status) == ("it broke", "c1", True, 418)
    assert back.error_code == "c1"


def test_a_failure_keeps_its_class_fields() -> None:
    failure = Failure.of(RateLimited("slow down", provider="up", status=429, retry_after_s=2.5))
    error = failure.error()
    assert isinstance(error, RateLimited)
    assert (error.provider, error.status, error.retry_after_s) == ("up", 429, 2.5)
    assert isinstance(Failure("nobody-knows", "m").error(), HeadraceError)


def test_reasoning_keeps_what_its_vendor_said_when_it_closed_the_block() -> None:
    opened, closed = Opaque("w", {"field": "x"}), Opaque("w", {"signature": "s"})
    chunks = [
        BlockStart(0, "reasoning", vendor=opened),
        ReasoningDelta(0, "hm"),
        BlockEnd(0, vendor=closed),
        BlockStart(1, "reasoning", vendor=opened),
        BlockEnd(1),
    ]
    assert fold(chunks).message.parts == (ReasoningPart("hm", closed), ReasoningPart("", opened))


def test_a_citation_of_a_reply_names_its_part_where_blocks_that_are_no_parts_come_before() -> None:
    image = (BlockStart(0, "image"), ImageDelta(0, b"."), BlockEnd(0))
    text = (BlockStart(1, "text"), TextDelta(1, "so"), Citation(1, "u"), BlockEnd(1))
    candidate = fold([Start("r"), *image, *text, CandidateEnd("stop"), Finish()]).candidates[0]
    assert [one.block for one in candidate.citations] == [0]
    assert candidate.parts[0] == TextPart("so")


def test_a_piece_of_a_transcript_counts_as_other_text_does() -> None:
    said = TranscriptDelta(0, "hi")
    assert (said.token_count, said.logprob) == (1, None)
    assert TranscriptDelta(0, "hi", tokens=(Token("h", logprob=-2.0), Token("i"))).token_count == 2
    assert TranscriptDelta(0, "hi", tokens=(Token("h", logprob=-2.0),)).logprob == -2.0
    assert TranscriptDelta(0, "h", committed=False).token_count == 0  # it will be said again
    assert TranscriptDelta(0, "", segments=(Word("hi"),)).token_count == 0
