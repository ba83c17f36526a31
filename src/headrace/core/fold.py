"""Chunks -> Reply, linear in their number: deltas are collected and joined once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

import msgspec

from headrace.core.chunk import (
    AudioDelta,
    BlockEnd,
    BlockKind,
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
    Terminal,
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
from headrace.core.content import DELTAS, Delta
from headrace.core.message import Message, Part, ToolResultPart
from headrace.core.opaque import Opaque
from headrace.core.reply import Candidate, Media, Reply, ToolCall, part_of
from headrace.core.usage import Usage

_MANY_CANDIDATES = 128  # what `n` may ask for


class _Block:
    """One block being gathered."""

    __slots__ = (
        "audio",
        "data",
        "end",
        "id",
        "image",
        "kind",
        "language",
        "name",
        "segments",
        "text",
        "tokens",
        "vendor",
        "words",
    )

    def __init__(self, kind: BlockKind, id: str = "", name: str = "", vendor: Opaque | None = None) -> None:
        self.kind: BlockKind = kind
        self.id = id
        self.name = name
        self.vendor = vendor
        self.end: Opaque | None = None  # what the vendor said when it closed the block
        self.text: list[str] = []
        self.data: list[bytes] = []
        self.tokens: list[Token] = []
        self.words: list[Word] = []
        self.segments: list[Word] = []
        self.language = ""
        self.audio: AudioDelta | None = None
        self.image: ImageDelta | None = None


class _Gathered:
    """One candidate being gathered."""

    __slots__ = ("blocks", "citations", "end", "vendor")

    def __init__(self) -> None:
        self.blocks: dict[int, _Block] = {}
        self.citations: list[Citation] = []
        self.end: CandidateEnd | None = None
        self.vendor: list[Opaque] = []


class ReplyFold:
    """Feed it chunks in any batches; `reply()` is what they add up to so far."""

    def __init__(self) -> None:
        self._start = Start()
        self._candidates: dict[int, _Gathered] = {}
        self._usage: Usage | None = None
        self._terminal: Terminal | None = None
        self._steps: list[Step] = []
        self._verdicts: list[Verdict] = []
        self._vendor: list[Opaque] = []
        self._earlier: list[Message] = []
        self._results: list[ToolResultPart] = []

    def feed(self, batch: Iterable[Chunk]) -> None:
        """Take the next chunks."""
        for chunk in batch:
            if isinstance(chunk, DELTAS):
                self._delta(chunk)
            else:
                self._mark(chunk)

    def reply(self) -> Reply:
        """The reply so far; costs one join of what was fed."""
        # A place for every index, but a wild one costs no more than a place of its own.
        count = min(max(self._candidates, default=-1) + 1, _MANY_CANDIDATES)
        places = [*range(count), *sorted(i for i in self._candidates if i >= _MANY_CANDIDATES)]
        return Reply(
            id=self._start.id,
            model=self._start.model,
            created_s=self._start.created_s,
            candidates=tuple(_candidate(self._candidates.get(i) or _Gathered()) for i in places),
            usage=self._usage,
            terminal=self._terminal,
            steps=tuple(self._steps),
            verdicts=tuple(self._verdicts),
            vendor=tuple(self._vendor),
            earlier=tuple(self._earlier),
            tool_results=tuple(self._results),
        )

    def _next_turn(self) -> None:
        """What comes now is the model's next turn: the one before, and its results, are complete."""
        if self._results:
            said = _candidate(self._candidates.get(0) or _Gathered())
            self._earlier += [Message("assistant", said.parts), Message("tool", tuple(self._results))]
            self._results.clear()
            self._candidates.clear()

    def _of(self, candidate: int) -> _Gathered:
        found = self._candidates.get(candidate)
        if found is None:
            found = self._candidates[candidate] = _Gathered()
        return found

    def _block(self, delta: Delta, kind: BlockKind) -> _Block:
        found = self._of(delta.candidate).blocks.get(delta.block)
        if found is None:  # a source that forgot to open its block still loses nothing
            self._next_turn()
            blocks = self._of(delta.candidate).blocks
            found = blocks[delta.block] = _Block(kind)
        return found

    def _delta(self, chunk: Delta) -> None:
        match chunk:
            case TextDelta():
                block = self._block(chunk, "text")
                block.text.append(chunk.text)
                block.tokens += chunk.tokens
            case ReasoningDelta():
                self._block(chunk, "reasoning").text.append(chunk.reasoning)
            case RefusalDelta():
                block = self._block(chunk, "refusal")
                block.text.append(chunk.refusal)
                block.tokens += chunk.tokens
            case ToolCallDelta():
                self._block(chunk, "tool-call").text.append(chunk.arguments)
            case AudioDelta():
                block = self._block(chunk, "audio")
                block.data.append(chunk.data)
                block.audio = block.audio or chunk
            case ImageDelta():
                self._block(chunk, "image").image = chunk
            case TranscriptDelta():
                if chunk.committed:
                    block = self._block(chunk, "transcript")
                    block.text.append(chunk.text)
                    block.words += chunk.words
                    block.segments += chunk.segments
                    block.tokens += chunk.tokens
                    block.language = chunk.language or block.language
            case _:
                assert_never(chunk)

    def _mark(
        self,
        chunk: Start
        | BlockStart
        | BlockEnd
        | Step
        | Verdict
        | Citation
        | UsageReport
        | VendorPart
        | ToolResult
        | CandidateEnd
        | Terminal,
    ) -> None:
        match chunk:
            case Finish() | Failure() | Cancelled():
                self._terminal = self._terminal or chunk
            case Start():
                self._next_turn()
                self._start = chunk
                if chunk.vendor is not None:
                    self._vendor.append(chunk.vendor)
            case BlockStart():
                self._next_turn()
                block = _Block(chunk.kind, chunk.id, chunk.name, chunk.vendor)
                self._of(chunk.candidate).blocks[chunk.block] = block
            case CandidateEnd():
                gathered = self._of(chunk.candidate)
                gathered.end = chunk
                if chunk.vendor is not None:
                    gathered.vendor.append(chunk.vendor)
            case UsageReport():
                self._usage = chunk.usage
            case Step() | Verdict() | Citation() | VendorPart() | ToolResult() | BlockEnd():
                self._note(chunk)
            case _:
                assert_never(chunk)

    def _note(self, chunk: Step | Verdict | Citation | VendorPart | ToolResult | BlockEnd) -> None:
        match chunk:
            case Step():
                self._steps.append(chunk)
            case Verdict():
                self._verdicts.append(chunk)
            case Citation():
                self._of(chunk.candidate).citations.append(chunk)
            case VendorPart():
                if chunk.block < 0:  # else it is a piece of an opaque block, which has it whole
                    self._vendor.append(chunk.part)
            case ToolResult():
                self._results.append(ToolResultPart(chunk.id, chunk.parts, chunk.is_error, chunk.vendor))
            case BlockEnd():
                self._ended(chunk)
            case _:
                assert_never(chunk)

    def _ended(self, chunk: BlockEnd) -> None:
        block = self._of(chunk.candidate).blocks.get(chunk.block)
        if block is not None and chunk.vendor is not None:
            block.end = chunk.vendor


def _candidate(gathered: _Gathered) -> Candidate:
    text: dict[BlockKind, list[str]] = {}
    calls: list[ToolCall] = []
    tokens: dict[BlockKind, list[Token]] = {}
    words: list[Word] = []
    segments: list[Word] = []
    language = ""
    images: list[Media] = []
    audio: Media | None = None
    parts: list[Part] = []
    places: dict[int, int] = {}  # block -> the number of its part
    for number, block in gathered.blocks.items():
        joined = "".join(block.text)
        call = None
        if block.kind == "tool-call":
            call = ToolCall(block.id, block.name, joined, block.vendor)
            calls.append(call)
        text.setdefault(block.kind, []).append(joined)
        tokens.setdefault(block.kind, []).extend(block.tokens)
        words += block.words
        segments += block.segments
        language = block.language or language
        if block.image is not None:
            images.append(Media(block.image.data, block.image.media_type))
        if block.audio is not None:
            audio = _sound(block.audio, block.data)
        part = part_of(block.kind, joined, call, block.end or block.vendor)
        if part is not None:
            places[number] = len(parts)
            parts.append(part)
    end = gathered.end
    return Candidate(
        text="".join(text.get("text", ())),
        reasoning="".join(text.get("reasoning", ())),
        refusal="".join(text.get("refusal", ())),
        transcript="".join(text.get("transcript", ())),
        transcript_tokens=tuple(tokens.get("transcript", ())),
        words=tuple(words),
        segments=tuple(segments),
        language=language,
        tool_calls=tuple(calls),
        tokens=tuple(tokens.get("text", ())),
        refusal_tokens=tuple(tokens.get("refusal", ())),
        audio=audio,
        images=tuple(images),
        citations=tuple(_cited(one, places) for one in gathered.citations),
        finish_reason=end.finish_reason if end else None,
        raw_reason=end.raw_reason if end else "",
        stop_sequence=end.stop_sequence if end else "",
        parts=tuple(parts),
        vendor=tuple(gathered.vendor),
    )


def _cited(citation: Citation, places: dict[int, int]) -> Citation:
    """The citation with the number of its part in the place of its block's."""
    place = places.get(citation.block, citation.block)
    return citation if place == citation.block else msgspec.structs.replace(citation, block=place)


def _sound(first: AudioDelta, pieces: list[bytes]) -> Media:
    return Media(b"".join(pieces), first.format, first.sample_rate_hz, first.channels)


def fold(chunks: Iterable[Chunk]) -> Reply:
    """What `chunks` add up to."""
    folding = ReplyFold()
    folding.feed(chunks)
    return folding.reply()
