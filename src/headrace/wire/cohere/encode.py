"""Chunks -> the events of a streamed chat."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from headrace.core.chunk import (
    BlockEnd,
    BlockStart,
    Cancelled,
    CandidateEnd,
    Chunk,
    Citation,
    Failure,
    Finish,
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
from headrace.wire.cohere.event_bodies import KINDS, TEXTS, begun, cited, ended, is_plan, message_start, piece
from headrace.wire.cohere.failure import error_event
from headrace.wire.cohere.finish import reason_word
from headrace.wire.cohere.schema import STOP, WIRE_NAME, Fields, own
from headrace.wire.cohere.usage import usage_body
from headrace.wire.kept import put_back
from headrace.wire.one_block import BlockChunk, OneBlock, Overrun
from headrace.wire.terminator import DONE

_json = msgspec.json.encode
_BLOCK_CHUNKS = (
    BlockStart, TextDelta, ReasoningDelta, RefusalDelta, ToolCallDelta, TranscriptDelta, BlockEnd,
)  # fmt: skip
_TEXT = (
    b'event: content-delta\ndata: {"type":"content-delta","index":%d,"delta":{"message":{"content":{"text":'
)
_TEXT_END = b"}}}}\n\n"


class ChatEncoder:
    """A stage: chunks -> SSE bytes of a streamed chat, ending in `message-end` and `[DONE]`.

    id: what `message-start` says; empty: the source's own. Nothing leaves before the answer begins. Blocks go
    out one behind the other (`one_block.py`), content and calls each with their own count. A Failure becomes
    a `message-end` that says so. What came over this wire and is not modelled goes back where it was. What
    this protocol has no place for is left out: the model, sound, images, steps, verdicts, tokens without ids,
    every candidate but the first. What is billed is told only where it came over this wire.
    """

    __slots__ = (
        "_begun",
        "_calls",
        "_cited",
        "_contents",
        "_done",
        "_end",
        "_id",
        "_index",
        "_opaque",
        "_open",
        "_order",
        "_out",
        "_start",
        "_text",
        "_text_block",
        "_text_index",
        "_usage",
    )  # fmt: skip

    def __init__(self, *, id: str = "") -> None:
        self._id = id
        self._out: list[bytes] = []
        self._order = OneBlock(KINDS, ())
        self._contents = self._calls = self._cited = 0  # how many have begun
        self._open = BlockStart(-1, "text")  # the block that was begun last
        self._index = 0  # the vendor's for it, of content or of calls
        self._text_index = 0  # the vendor's for the last text
        self._start = Start()
        self._usage: UsageReport | None = None
        self._end: CandidateEnd | None = None
        self._opaque: dict[int, int] = {}  # opaque blocks -> the vendor's indices
        self._text_block = -1  # the open text block; its ordinary event begins with `_text`
        self._text = b""
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
                and not chunk.tokens
            ):
                if chunk.text and not chunk.candidate:
                    out.append(b"%b%b%b" % (self._text, _json(chunk.text), _TEXT_END))
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
            self._block(chunk)
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
                self._vendor(own(chunk.part))
            case Finish() | Failure() | Cancelled():
                self._terminal(chunk)

    def _block(self, chunk: BlockChunk) -> None:
        ordered: list[BlockChunk] = []
        try:
            self._order.take(chunk, ordered)
        except Overrun as error:
            self._put(ordered)
            self._terminal(Failure.of(WireError(str(error))))
        else:
            self._put(ordered)

    def _put(self, chunks: Sequence[BlockChunk]) -> None:
        """Write blocks that are in order."""
        for chunk in chunks:
            if isinstance(chunk, BlockStart):
                self._start_block(chunk)
            elif isinstance(chunk, BlockEnd):
                self._text_block = -1
                self._write(ended(self._open, chunk, self._index))
            elif not isinstance(chunk, Citation):
                self._write(piece(chunk, self._open, self._index))

    def _start_block(self, start: BlockStart) -> None:
        self._open = start
        if start.kind == "tool-call":
            self._index, self._calls = self._calls, self._calls + 1
        elif not is_plan(start):
            self._index, self._contents = self._contents, self._contents + 1
        if start.kind in TEXTS:
            self._text_block, self._text_index = start.block, self._index
            self._text = _TEXT % self._index
        self._begin()
        self._write(begun(start, self._index))

    def _cite(self, source: Citation) -> None:
        events = cited(source, self._cited, self._text_index)
        self._cited += bool(events)
        for event in events:
            self._write(event)

    def _write(self, event: Fields | None) -> None:
        if event is not None:
            self._begin()
            self._out.append(b"event: %b\ndata: %b\n\n" % (str(event["type"]).encode(), _json(event)))

    def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            self._write(message_start(self._id or self._start.id, own(self._start.vendor)))

    def _own_block(self, chunk: BlockStart | BlockEnd | VendorPart) -> bool:
        """Whether a chunk belongs to an opaque block; one of this wire's is written as it came."""
        if isinstance(chunk, BlockStart):
            if chunk.kind != "opaque":
                return False
            if chunk.vendor is not None and chunk.vendor.wire == WIRE_NAME:
                self._finish_blocks()
                self._opaque[chunk.block], self._contents = self._contents, self._contents + 1
                self._opaque_event("content-start", chunk.block, own(chunk.vendor))
            return True
        if chunk.block not in self._opaque:
            return False
        if isinstance(chunk, VendorPart):
            self._opaque_event("content-delta", chunk.block, own(chunk.part))
        else:
            self._opaque_event("content-end", chunk.block, own(chunk.vendor).get(STOP, {}))
            del self._opaque[chunk.block]
        return True

    def _opaque_event(self, kind: str, block: int, body: Fields) -> None:
        self._write({**body, "type": kind, "index": self._opaque[block]})

    def _finish_blocks(self) -> None:
        ordered: list[BlockChunk] = []
        self._order.finish(ordered)
        self._put(ordered)

    def _vendor(self, event: Fields) -> None:
        """An event of this wire's that is not modelled."""
        if isinstance(event.get("type"), str):
            self._write(event)

    def _terminal(self, chunk: Finish | Failure | Cancelled) -> None:
        self._done = True
        if isinstance(chunk, Finish):
            self._finish_blocks()
            self._last(self._end or CandidateEnd(chunk.finish_reason, chunk.raw_reason))
            self._out.append(DONE)
            return
        if isinstance(chunk, Cancelled):
            chunk = Failure.of(StreamCancelledException(chunk.why or "the stream was cancelled"))
        self._out += [error_event(chunk), DONE]

    def _last(self, end: CandidateEnd) -> None:
        """Why it ended, and the counts."""
        delta: Fields = {"finish_reason": reason_word(end.finish_reason, end.raw_reason)}
        if self._usage is not None:
            delta["usage"] = usage_body(self._usage.usage)
        self._write(put_back({"type": "message-end", "delta": delta}, own(end.vendor)))
