"""One block at a time: the order that the clients of several vendors rely on.

Our chunks may have several blocks open at once (parallel tool calls of an OpenAI-like source stay open to the
end). Here a block begins when the one before it has ended. An open block ends where another begins. An open
tool call does so too once its arguments are complete JSON; until then the other block's chunks are held: no
more than what the source sends in between.
"""

from __future__ import annotations

from collections.abc import Container
from typing import TypeAlias

from headrace.core.chunk import (
    BlockEnd,
    BlockKind,
    BlockStart,
    Citation,
    ImageDelta,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
    TranscriptDelta,
)
from headrace.wire.arguments import is_whole

Delta: TypeAlias = TextDelta | ReasoningDelta | RefusalDelta | ToolCallDelta | TranscriptDelta | ImageDelta
BlockChunk: TypeAlias = BlockStart | Delta | Citation | BlockEnd

# What a delta opens where its block is not open: a source may forget to.
_OPENS: dict[type[Delta], BlockKind] = {
    TextDelta: "text",
    RefusalDelta: "refusal",
    TranscriptDelta: "transcript",
    ReasoningDelta: "reasoning",
    ToolCallDelta: "tool-call",
    ImageDelta: "image",
}


_NONE = -1


class Overrun(Exception):
    """A tool call goes on after its arguments were complete JSON and another block had begun."""


class OneBlock:
    """Takes the chunks of blocks in any order; gives them one block behind the other, each with its end.

    kinds: those that have a place; other blocks are left out. texts: those of them that a source can be cited
    in; one cited elsewhere is given an empty text block of its own. number: ours of the open block, -1 while
    none is. kind: its kind. `take` raises Overrun where a tool call goes on after its arguments were complete
    and it was ended; what was in order before stands in `out`.
    """

    __slots__ = ("_arguments", "_calls", "_held", "_kinds", "_texts", "_unfinished", "kind", "number")

    def __init__(self, kinds: Container[BlockKind], texts: Container[BlockKind]) -> None:
        self._kinds = kinds
        self._texts = texts
        self._arguments: list[str] = []  # of the open tool call
        self._unfinished = False  # found so when another block began: asked once, each time costs a parse
        self._calls: set[int] = set()
        self._held: dict[int, list[BlockChunk]] = {}  # by block, in the order of their beginning
        self.kind: BlockKind = "text"
        self.number = _NONE

    @property
    def in_text(self) -> bool:
        """Whether a source can be cited in the open block."""
        return self.number != _NONE and self.kind in self._texts

    def take(self, chunk: BlockChunk, out: list[BlockChunk]) -> None:
        """Give what can be given of the next chunk, and hold the rest."""
        if chunk.block in self._held:
            self._held[chunk.block].append(chunk)
        elif isinstance(chunk, BlockStart):
            self._start(chunk, out)
        elif isinstance(chunk, BlockEnd):
            if chunk.block == self.number:
                self._end(chunk, out)
                self._release(out)
        elif isinstance(chunk, Citation):
            self._cite(chunk, out)
        elif chunk.block == self.number:
            self._piece(chunk, out)
        else:
            self._late(chunk, out)

    def finish(self, out: list[BlockChunk]) -> None:
        """End what is open and give what is held: no more of it will come."""
        self._end(None, out)
        while self._held:
            self._replay(out)
            self._end(None, out)

    def _start(self, start: BlockStart, out: list[BlockChunk]) -> None:
        if start.kind not in self._kinds:
            return
        if not self._may_end():
            self._held[start.block] = [start]
            return
        self._end(None, out)
        self.number, self.kind = start.block, start.kind
        if start.kind == "tool-call":
            self._calls.add(start.block)
        out.append(start)

    def _piece(self, delta: Delta, out: list[BlockChunk]) -> None:
        if isinstance(delta, ToolCallDelta):
            self._arguments.append(delta.arguments)
        out.append(delta)

    def _late(self, delta: Delta, out: list[BlockChunk]) -> None:
        """A piece of a block that is not open: one that the source did not open, or that had to end."""
        if isinstance(delta, ToolCallDelta) and delta.block in self._calls:
            if not delta.arguments.strip():
                return
            raise Overrun(f"the arguments of tool call {delta.block} went on after their end")
        kind = _OPENS[type(delta)]
        if kind not in self._kinds:
            return
        self._start(BlockStart(delta.block, kind), out)
        self.take(delta, out)

    def _cite(self, source: Citation, out: list[BlockChunk]) -> None:
        if not self.in_text:
            own = BlockStart(-3 - source.block, "text")  # a number that no block of the source's has
            if not self._may_end():
                self._held.setdefault(own.block, [own]).append(source)
                return
            self._start(own, out)
        out.append(source)

    def _may_end(self) -> bool:
        if self.number == _NONE or self.kind != "tool-call":
            return True
        if not self._unfinished:
            self._unfinished = not is_whole(self._arguments)
        return not self._unfinished

    def _end(self, end: BlockEnd | None, out: list[BlockChunk]) -> None:
        """End the open block, where one is. end: the source's own word for it."""
        if self.number == _NONE:
            return
        out.append(end or BlockEnd(self.number))
        self.number = _NONE
        self._arguments = []
        self._unfinished = False

    def _release(self, out: list[BlockChunk]) -> None:
        while self._held and self._may_end():
            self._replay(out)

    def _replay(self, out: list[BlockChunk]) -> None:
        """Give the first held block as far as it has come; the others wait for its end."""
        for chunk in self._held.pop(next(iter(self._held))):
            if isinstance(chunk, BlockEnd):
                if chunk.block == self.number:
                    self._end(chunk, out)
            else:
                self.take(chunk, out)
