"""The grammar of chunks: what any decoder's output keeps to, whatever came in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

from headrace.core.chunk import (
    TERMINALS,
    AudioDelta,
    BlockEnd,
    BlockStart,
    CandidateEnd,
    Chunk,
    Citation,
    Finish,
    ImageDelta,
    ReasoningDelta,
    RefusalDelta,
    Start,
    TextDelta,
    ToolCallDelta,
    ToolResult,
    TranscriptDelta,
    VendorPart,
)

_KIND_OF: dict[type, str] = {
    TextDelta: "text",
    ReasoningDelta: "reasoning",
    RefusalDelta: "refusal",
    ToolCallDelta: "tool-call",
    AudioDelta: "audio",
    ImageDelta: "image",
    TranscriptDelta: "transcript",
}


def well_formed(chunks: Sequence[Chunk]) -> None:
    """Prove that `chunks` are a reply as `headrace.core.chunk` says; AssertionError names the odd one.

    One terminal, and that last. `Start` first, and again only behind the results of tools. Blocks are
    numbered from 0 in the order they open; each delta stands in an open block of its own kind and candidate;
    none is left open by a `Finish`. Each candidate that said something ends; one that goes on after its end
    (some providers send two answers) ends again.
    """
    order = _Order()
    for place, chunk in enumerate(chunks):
        why = order.take(chunk)
        if why:
            raise AssertionError(f"chunk {place} of {len(chunks)}, {chunk!r}: {why}")
    if not order.over:
        raise AssertionError(f"{len(chunks)} chunks without a terminal")


class _Order:
    """What has come so far; `take` says what is wrong with the next chunk, empty where nothing is."""

    def __init__(self) -> None:
        self.started = False
        self.answered = False  # whether a tool has, since the last Start
        self.over = False
        self.open: dict[int, BlockStart] = {}
        self.opened = 0
        self.speaking: set[int] = set()
        self.ended: set[int] = set()

    def take(self, chunk: Any) -> str:
        if self.over:
            return "it follows the terminal"
        if not isinstance(chunk, get_args(Chunk)):
            return "it is no chunk"
        if isinstance(chunk, TERMINALS):
            return self._terminal(chunk)
        if isinstance(chunk, Start):
            why = "a second Start" if self.started and not self.answered else ""
            self.started, self.answered = True, False
            return why
        if not self.started:
            return "it comes before the Start"
        return self._in_reply(chunk)

    def _terminal(self, chunk: Any) -> str:
        self.over = True
        if isinstance(chunk, Finish) and self.open:
            return f"blocks {sorted(self.open)} are still open"
        if isinstance(chunk, Finish) and self.speaking:
            return f"candidates {sorted(self.speaking)} have not ended"
        return ""

    def _in_reply(self, chunk: Any) -> str:
        if isinstance(chunk, CandidateEnd):
            why = f"candidate {chunk.candidate} ended before" if chunk.candidate in self.ended else ""
            self.ended.add(chunk.candidate)
            self.speaking.discard(chunk.candidate)
            return why
        if isinstance(chunk, BlockStart):
            return self._start(chunk)
        if isinstance(chunk, ToolResult):
            self.answered = True
            return ""
        if isinstance(chunk, BlockEnd):
            return "" if self.open.pop(chunk.block, None) else f"block {chunk.block} is not open"
        if isinstance(chunk, Citation):  # a source may be named when its text is long done
            return "" if 0 <= chunk.block < self.opened else f"there is no block {chunk.block}"
        if isinstance(chunk, VendorPart):
            return "" if chunk.block in self.open or chunk.block < 0 else f"block {chunk.block} is not open"
        return self._delta(chunk) if type(chunk) in _KIND_OF else ""

    def _start(self, chunk: BlockStart) -> str:
        if chunk.block != self.opened:
            return f"the next block is number {self.opened}"
        self.opened += 1
        self.open[chunk.block] = chunk
        self.speaking.add(chunk.candidate)
        self.ended.discard(chunk.candidate)
        return ""

    def _delta(self, chunk: Any) -> str:
        block = self.open.get(chunk.block)
        if block is None:
            return f"block {chunk.block} is not open"
        if block.kind != _KIND_OF[type(chunk)]:
            return f"block {chunk.block} is of kind {block.kind}"
        if block.candidate != chunk.candidate:
            return f"block {chunk.block} is candidate {block.candidate}'s"
        return ""
