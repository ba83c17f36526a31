"""The vendor's events of blocks, one block behind the other: the order that its clients rely on."""

from __future__ import annotations

from collections.abc import Callable

from headrace.core.chunk import (
    BlockEnd,
    BlockStart,
    Citation,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
    TranscriptDelta,
)
from headrace.wire.anthropic.block_bodies import (
    KINDS,
    Fields,
    begun,
    citation,
    noted,
    piece,
    signed,
)
from headrace.wire.anthropic.schema import DELTA, WIRE_NAME
from headrace.wire.carried import carry, carry_call
from headrace.wire.one_block import BlockChunk, Delta, OneBlock

BLOCK_CHUNKS = (
    BlockStart, TextDelta, ReasoningDelta, RefusalDelta, ToolCallDelta, TranscriptDelta, Citation, BlockEnd,
)  # fmt: skip
_TEXTS = frozenset(kind for kind, word in KINDS.items() if word == "text")


class BlockSequence:
    """Takes the chunks of blocks in any order; writes their events, one block behind the other.

    write: takes the fields of an event. number: ours of the open block, -1 while none is. index: the
    vendor's. `take` raises Overrun where a tool call goes on after its arguments were complete and it was
    stopped.
    """

    __slots__ = ("_begun_with", "_order", "_write", "index", "refused")

    def __init__(self, write: Callable[[Fields], None]) -> None:
        self._write = write
        self._order = OneBlock(KINDS, _TEXTS)
        self._begun_with: BlockStart | None = None  # the open block's beginning
        self.index = -1
        self.refused = False  # whether another wire's refusal was written, as text

    @property
    def number(self) -> int:
        """Ours of the open block, -1 while none is."""
        return self._order.number

    @property
    def in_text(self) -> bool:
        """Whether the open block is text."""
        return self._order.in_text

    def take(self, chunk: BlockChunk) -> None:
        """Write what can be written of the next chunk, and hold the rest."""
        if isinstance(chunk, Citation) and citation(chunk) is None:
            return
        out: list[BlockChunk] = []
        try:
            self._order.take(chunk, out)
        finally:
            self._put(out)

    def opaque(self) -> int:
        """The index for a block that is written by its owner; the open one stops."""
        self.finish()
        self.index += 1
        return self.index

    def finish(self) -> None:
        """Stop what is open and write what is held: no more of it will come."""
        out: list[BlockChunk] = []
        self._order.finish(out)
        self._put(out)

    def _put(self, chunks: list[BlockChunk]) -> None:
        for chunk in chunks:
            if isinstance(chunk, BlockStart):
                self._start(chunk)
            elif isinstance(chunk, BlockEnd):
                self._stop(chunk)
            else:
                self._piece(chunk)

    def _start(self, start: BlockStart) -> None:
        self.index += 1
        if start.kind == "tool-call":
            self._carry(carry_call(start.vendor, WIRE_NAME))
        self._begun_with = start
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

    def _piece(self, chunk: Delta | Citation) -> None:
        body: Fields | None
        if isinstance(chunk, Citation):
            more = noted(chunk.vendor, DELTA)
            body = {**more, "type": "citations_delta", "citation": citation(chunk)}
        else:
            body = piece(chunk)
        if body is not None:
            beside = noted(chunk.vendor)
            self._write({"type": "content_block_delta", "index": self.index, "delta": body, **beside})

    def _stop(self, end: BlockEnd) -> None:
        begun_with, self._begun_with = self._begun_with, None
        last = signed(end)
        if last is None and begun_with is not None and begun_with.kind == "reasoning":
            # What another vendor needs back with it.
            needed = carry(end.vendor, WIRE_NAME) or carry(begun_with.vendor, WIRE_NAME)
            last = {"delta": {"type": "signature_delta", "signature": needed}} if needed else None
        if last is not None:
            self._write({"type": "content_block_delta", "index": self.index, **last})
        self._write({"type": "content_block_stop", "index": self.index, **noted(end.vendor)})
