"""One block at a time: the order that the vendor's clients rely on.

Our chunks may have several blocks open at once (parallel tool calls of an OpenAI-like source stay open to the
end). Here a block begins when the one before it has stopped. An open text or thinking block stops where
another begins. An open tool call stops there too once its arguments are complete JSON; until then the other
block's chunks are held: no more than what the source sends in between.
"""

from __future__ import annotations

from collections.abc import Callable

from headrace.core.chunk import (
    BlockEnd,
    BlockKind,
    BlockStart,
    Citation,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
    TranscriptDelta,
)
from headrace.core.opaque import Opaque
from headrace.wire.anthropic.arguments import is_whole
from headrace.wire.anthropic.block_bodies import (
    KINDS,
    Delta,
    Fields,
    begun,
    citation,
    noted,
    piece,
    signed,
)
from headrace.wire.anthropic.schema import DELTA, WIRE_NAME
from headrace.wire.carried import carry, carry_call

BlockChunk = BlockStart | Delta | Citation | BlockEnd
BLOCK_CHUNKS = (
    BlockStart, TextDelta, ReasoningDelta, RefusalDelta, ToolCallDelta, TranscriptDelta, Citation, BlockEnd,
)  # fmt: skip

# What a delta opens where its block is not open: a source may forget to.
_OPENS: dict[type[Delta], BlockKind] = {
    TextDelta: "text",
    RefusalDelta: "refusal",
    TranscriptDelta: "transcript",
    ReasoningDelta: "reasoning",
    ToolCallDelta: "tool-call",
}


class Overrun(Exception):
    """A tool call goes on after its arguments were complete JSON and another block had begun."""


class BlockSequence:
    """Takes the chunks of blocks in any order; writes their events, one block behind the other.

    write: takes the fields of an event. number: ours of the open block, -1 while none is. index: the
    vendor's. `take` raises Overrun where a tool call goes on after its arguments were complete and it was
    stopped.
    """

    __slots__ = (
        "_arguments",
        "_begun_with",
        "_calls",
        "_held",
        "_kind",
        "_unfinished",
        "_write",
        "index",
        "number",
        "refused",
    )

    def __init__(self, write: Callable[[Fields], None]) -> None:
        self._write = write
        self._kind: BlockKind = "text"
        self._arguments: list[str] = []  # of the open tool call
        self._begun_with: Opaque | None = None  # what came with the open block's beginning
        self._unfinished = False  # found so when another block began: asked once, each time costs a parse
        self._calls: set[int] = set()
        self._held: dict[int, list[BlockChunk]] = {}  # by block, in the order of their beginning
        self.number = -1
        self.index = -1
        self.refused = False  # whether another wire's refusal was written, as text

    @property
    def in_text(self) -> bool:
        """Whether the open block is text."""
        return self.number >= 0 and KINDS[self._kind] == "text"

    def take(self, chunk: BlockChunk) -> None:
        """Write what can be written of the next chunk, and hold the rest."""
        if chunk.block in self._held:
            self._held[chunk.block].append(chunk)
        elif isinstance(chunk, BlockStart):
            self._start(chunk)
        elif isinstance(chunk, BlockEnd):
            if chunk.block == self.number:
                self._stop(chunk)
                self._release()
        elif isinstance(chunk, Citation):
            self._cite(chunk)
        elif chunk.block == self.number:
            self._piece(chunk)
        else:
            self._late(chunk)

    def opaque(self) -> int:
        """The index for a block that is written by its owner; the open one stops."""
        self.finish()
        self.index += 1
        return self.index

    def finish(self) -> None:
        """Stop what is open and write what is held: no more of it will come."""
        self._stop(None)
        while self._held:
            self._replay()
            self._stop(None)

    def _start(self, start: BlockStart) -> None:
        if start.kind not in KINDS:
            return
        if not self._may_stop():
            self._held[start.block] = [start]
            return
        self._stop(None)
        self.index += 1
        self.number, self._kind = start.block, start.kind
        if start.kind == "tool-call":
            self._calls.add(start.block)
            self._carry(carry_call(start.vendor, WIRE_NAME))
        self._begun_with = start.vendor
        self.refused = self.refused or start.kind == "refusal"
        body = begun(start, self.index)
        self._write(
            {"type": "content_block_start", "index": self.index, "content_block": body, **noted(start.vendor)}
        )

    def _carry(self, needed: str | None) -> None:
        """What another vendor needs back with a call: a block before it that clients send back unread."""
        if needed is not None:
            body = {"type": "redacted_thinking", "data": needed}
            self._write({"type": "content_block_start", "index": self.index, "content_block": body})
            self._write({"type": "content_block_stop", "index": self.index})
            self.index += 1

    def _piece(self, delta: Delta) -> None:
        if isinstance(delta, ToolCallDelta):
            self._arguments.append(delta.arguments)
        body = piece(delta)
        if body is not None:
            self._delta(body, noted(delta.vendor))

    def _late(self, delta: Delta) -> None:
        """A piece of a block that is not open: one that the source did not open, or that had to stop."""
        if isinstance(delta, ToolCallDelta) and delta.block in self._calls:
            if not delta.arguments.strip():
                return
            raise Overrun(f"the arguments of tool call {delta.block} went on after their end")
        self._start(BlockStart(delta.block, _OPENS[type(delta)]))
        self.take(delta)

    def _cite(self, source: Citation) -> None:
        body = citation(source)
        if body is None:
            return
        if not self.in_text:  # the vendor cites inside text only: an empty block carries it
            if not self._may_stop():
                self._held.setdefault(source.block, [BlockStart(source.block, "text")]).append(source)
                return
            self._start(BlockStart(source.block, "text"))
        delta = {**noted(source.vendor, DELTA), "type": "citations_delta", "citation": body}
        self._delta(delta, noted(source.vendor))

    def _delta(self, delta: Fields, beside: Fields) -> None:
        self._write({"type": "content_block_delta", "index": self.index, "delta": delta, **beside})

    def _may_stop(self) -> bool:
        if self.number < 0 or self._kind != "tool-call":
            return True
        if not self._unfinished:
            self._unfinished = not is_whole(self._arguments)
        return not self._unfinished

    def _stop(self, end: BlockEnd | None) -> None:
        if self.number < 0:
            return
        last = signed(end) if end is not None else None
        if last is None and self._kind == "reasoning":  # what another vendor needs back with it
            ended_with = end.vendor if end is not None else None
            needed = carry(ended_with, WIRE_NAME) or carry(self._begun_with, WIRE_NAME)
            last = {"delta": {"type": "signature_delta", "signature": needed}} if needed else None
        if last is not None:
            self._write({"type": "content_block_delta", "index": self.index, **last})
        beside = noted(end.vendor) if end is not None else {}
        self._write({"type": "content_block_stop", "index": self.index, **beside})
        self.number = -1
        self._arguments = []
        self._unfinished = False

    def _release(self) -> None:
        while self._held and self._may_stop():
            self._replay()

    def _replay(self) -> None:
        """Write the first held block as far as it has come; the others wait for its end."""
        chunks = self._held.pop(next(iter(self._held)))
        for chunk in chunks:
            if isinstance(chunk, BlockEnd):
                if chunk.block == self.number:
                    self._stop(chunk)
            else:
                self.take(chunk)
