"""What the encoders of protocols made of blocks do alike: one block behind the other, one terminal."""

from __future__ import annotations

from collections.abc import Container, Sequence

from headrace.core.chunk import (
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
    TextDelta,
    ToolCallDelta,
    TranscriptDelta,
    UsageReport,
    VendorPart,
)
from headrace.errors import StreamCancelledException, Truncated, WireError
from headrace.wire.kept import Fields, own_of
from headrace.wire.one_block import BlockChunk, Delta, OneBlock, Overrun

_BLOCK_CHUNKS = (
    BlockStart, TextDelta, ReasoningDelta, RefusalDelta, ToolCallDelta, TranscriptDelta, ImageDelta, BlockEnd,
)  # fmt: skip


class BlockEncoder:
    """A stage: chunks -> bytes. It gives no more after the terminal.

    A wire says how its blocks are written (`_start_block`, `_piece`, `_stop_block`, each for the block that
    is open; `_text` for the ordinary piece of an open text), its own opaque blocks (`_start_opaque`,
    `_opaque_piece`, `_stop_opaque`) and events (`_vendor`), a source (`_cite`), the end (`_finish`) and an
    end that is none (`_fail`). Nothing leaves before the answer begins: `_begin` is called before each event,
    and writes what begins it once. wire: its name. kinds: those of blocks that have a place, of which `texts`
    are text. says_tokens: whether a text with tokens is more than its ordinary piece. Every candidate but the
    first is left out.
    """

    __slots__ = (
        "_begun", "_done", "_end", "_opaque", "_order", "_out", "_start", "_text_block", "_usage", "_wire",
    )  # fmt: skip
    says_tokens = True

    def __init__(self, wire: str, kinds: Container[BlockKind], texts: Container[BlockKind]) -> None:
        self._wire = wire
        self._out: list[bytes] = []
        self._order = OneBlock(kinds, texts)
        self._opaque: dict[int, int] = {}  # opaque blocks -> the vendor's indices
        self._text_block = -1  # the open text, whose ordinary piece is `_text`'s
        self._start = Start()
        self._usage: UsageReport | None = None
        self._end: CandidateEnd | None = None
        self._begun = False
        self._done = False

    def feed(self, batch: Sequence[Chunk]) -> list[bytes]:
        """The events for `batch`."""
        out = self._out = []
        for chunk in batch:
            if self._done:
                break
            if (
                type(chunk) is TextDelta
                and chunk.block == self._text_block
                and chunk.vendor is None
                and not (chunk.tokens and self.says_tokens)
            ):
                if chunk.text and not chunk.candidate:
                    out.append(self._text(chunk.text))
            else:
                self._other(chunk)
        return out

    def close(self) -> list[bytes]:
        """An input without a terminal is reported to the client as truncated."""
        if self._done:
            return []
        return self.feed([Failure.of(Truncated("the source ended without a terminal"))])

    def _other(self, chunk: Chunk) -> None:
        if getattr(chunk, "candidate", 0):
            return
        if isinstance(chunk, BlockStart | BlockEnd | VendorPart) and self._own_block(chunk):
            return
        if isinstance(chunk, _BLOCK_CHUNKS):
            self._take(chunk)
        else:
            self._mark(chunk)

    def _mark(self, chunk: Chunk) -> None:
        match chunk:
            case Start():
                if not self._begun:
                    self._start = chunk
            case Citation():
                self._cite(chunk)
            case UsageReport():
                self._usage = chunk
            case CandidateEnd():
                self._end = chunk
            case VendorPart():
                self._vendor(own_of(chunk.part, self._wire))
            case Finish() | Failure() | Cancelled():
                self._terminal(chunk)

    def _take(self, chunk: BlockChunk) -> None:
        """A chunk of a block, or a source that stands in one: written when its turn comes."""
        ordered: list[BlockChunk] = []
        try:
            self._order.take(chunk, ordered)
        except Overrun as error:
            self._put(ordered)
            self._terminal(Failure.of(WireError(str(error))))
        else:
            self._put(ordered)

    def _put(self, chunks: Sequence[BlockChunk]) -> None:
        for chunk in chunks:
            if isinstance(chunk, BlockStart):
                self._begin()
                self._start_block(chunk)
            elif isinstance(chunk, BlockEnd):
                self._stop_block(chunk)
            else:
                self._piece(chunk)
        self._text_block = self._order.number if self._order.in_text else -1

    def _own_block(self, chunk: BlockStart | BlockEnd | VendorPart) -> bool:
        """Whether a chunk belongs to an opaque block; one of this wire's is written as it came."""
        if isinstance(chunk, BlockStart):
            if chunk.kind != "opaque":
                return False
            if chunk.vendor is not None and chunk.vendor.wire == self._wire:
                self._finish_blocks()
                self._begin()
                self._opaque[chunk.block] = self._start_opaque(own_of(chunk.vendor, self._wire))
            return True
        index = self._opaque.get(chunk.block, -1)
        if index < 0:
            return False
        if isinstance(chunk, VendorPart):
            piece = own_of(chunk.part, self._wire)
            if piece:
                self._opaque_piece(index, piece)
        else:
            del self._opaque[chunk.block]
            self._stop_opaque(index, own_of(chunk.vendor, self._wire))
        return True

    def _finish_blocks(self) -> None:
        """End what is open and write what is held."""
        ordered: list[BlockChunk] = []
        self._order.finish(ordered)
        self._put(ordered)

    def _terminal(self, chunk: Finish | Failure | Cancelled) -> None:
        self._done = True
        if isinstance(chunk, Finish):
            self._finish_blocks()
            self._finish(self._end or CandidateEnd(chunk.finish_reason, chunk.raw_reason))
            return
        if isinstance(chunk, Cancelled):
            chunk = Failure.of(StreamCancelledException(chunk.why or "the stream was cancelled"))
        self._fail(chunk)

    def _begin(self) -> None:
        """Write what begins an answer, where nothing is written yet."""
        raise NotImplementedError

    def _text(self, text: str) -> bytes:
        """The ordinary piece of the open text, which is not empty."""
        raise NotImplementedError

    def _start_block(self, start: BlockStart) -> None:
        """A block begins; the one before it has ended."""
        raise NotImplementedError

    def _piece(self, chunk: Delta | Citation) -> None:
        """A piece of the open block."""
        raise NotImplementedError

    def _stop_block(self, end: BlockEnd) -> None:
        """The open block ends."""
        raise NotImplementedError

    def _start_opaque(self, own: Fields) -> int:
        """An opaque block of this wire's begins. Returns its index."""
        raise NotImplementedError

    def _opaque_piece(self, index: int, own: Fields) -> None:
        """A piece of it."""
        raise NotImplementedError

    def _stop_opaque(self, index: int, own: Fields) -> None:
        """It ends."""
        raise NotImplementedError

    def _cite(self, source: Citation) -> None:
        """A source."""
        raise NotImplementedError

    def _vendor(self, event: Fields) -> None:
        """An event of this wire's that is not modelled; nothing for another's."""
        raise NotImplementedError

    def _finish(self, end: CandidateEnd) -> None:
        """The answer is whole; every block has ended."""
        raise NotImplementedError

    def _fail(self, failure: Failure) -> None:
        """The answer has failed."""
        raise NotImplementedError
