"""Chunks -> the messages of a streamed conversation."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

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
from headrace.framing.eventstream import encode_headers, framed
from headrace.wire.bedrock.event_bodies import (
    DELTA,
    END,
    KINDS,
    START,
    TEXTS,
    Named,
    begun,
    cited,
    ended,
    image_begun,
    piece,
)
from headrace.wire.bedrock.failure import exception
from headrace.wire.bedrock.finish import REASONS, reason_word
from headrace.wire.bedrock.schema import STOP, WIRE_NAME, Fields, own
from headrace.wire.bedrock.usage import usage_body
from headrace.wire.kept import put_back
from headrace.wire.one_block import BlockChunk, OneBlock, Overrun

_json = msgspec.json.encode
_BLOCK_CHUNKS = (
    BlockStart, TextDelta, ReasoningDelta, RefusalDelta, ToolCallDelta, TranscriptDelta, ImageDelta, Citation,
    BlockEnd,
)  # fmt: skip
_TEXT = b'{"contentBlockIndex":%d,"delta":{"text":'


@lru_cache(maxsize=64)
def _headers(name: str) -> bytes:
    return encode_headers(
        {":event-type": name, ":content-type": "application/json", ":message-type": "event"}
    )


class ConverseEncoder:
    """A stage: chunks -> binary messages of a streamed conversation, ending in `messageStop` and `metadata`.

    Nothing leaves before the answer begins. Blocks go out one behind the other (`one_block.py`). The protocol
    names neither the answer nor its model. `metadata` comes where usage is known, or came over this wire; how
    long an answer took is not known here, so it tells no metrics but those that came. A Failure becomes an
    exception, the last message. What came over this wire and is not modelled goes back where it was. What
    this protocol has no place for is left out: sound, previews of images, steps, verdicts, every candidate
    but the first.
    """

    __slots__ = (
        "_begun", "_done", "_end", "_index", "_kept", "_opaque", "_order", "_out", "_start", "_started",
        "_text", "_text_block", "_usage",
    )  # fmt: skip

    def __init__(self) -> None:
        self._out: list[bytes] = []
        self._order = OneBlock(KINDS, TEXTS)
        self._index = -1
        self._start = Start()
        self._usage: UsageReport | None = None
        self._kept: Fields = {}  # of a metadata without usage
        self._end: CandidateEnd | None = None
        self._opaque: dict[int, int] = {}  # opaque blocks -> the vendor's indices
        self._started = False  # whether what begins the open block is written
        self._text_block = -1  # the open text block; its ordinary event begins with `_text`
        self._text = b""
        self._begun = False
        self._done = False

    def feed(self, batch: Sequence[Chunk]) -> list[bytes]:
        """The messages for `batch`."""
        out = self._out = []
        for chunk in batch:
            if self._done:
                break
            if type(chunk) is TextDelta and chunk.block == self._text_block and chunk.vendor is None:
                if chunk.text and not chunk.candidate:
                    out.append(framed(_headers(DELTA), b"%b%b}}" % (self._text, _json(chunk.text))))
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
            return
        match chunk:
            case Start():
                if not self._begun:
                    self._start = chunk
            case UsageReport():
                self._usage = chunk
            case CandidateEnd():
                self._end = chunk
            case VendorPart():
                self._vendor(own(chunk.part))
            case Finish() | Failure() | Cancelled():
                self._terminal(chunk)

    def _block(self, chunk: BlockChunk) -> None:
        if isinstance(chunk, ImageDelta) and chunk.partial:
            return
        if isinstance(chunk, Citation) and cited(chunk, 0) is None:
            return
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
                self._index += 1
                self._begin()
                event = begun(chunk, self._index)
                self._started = event is not None or chunk.kind != "image"
                self._write(event)
            elif isinstance(chunk, BlockEnd):
                self._stop(chunk)
            elif isinstance(chunk, Citation):
                self._write(cited(chunk, self._index))
            else:
                if not self._started and isinstance(chunk, ImageDelta):
                    self._started = True
                    self._write(image_begun(chunk, self._index))
                self._write(piece(chunk, self._index))
        self._text_block = self._order.number if self._order.in_text else -1
        self._text = _TEXT % self._index

    def _stop(self, end: BlockEnd) -> None:
        if not self._started:  # an image that never came
            self._index -= 1
            return
        for event in ended(end, self._index):
            self._write(event)

    def _write(self, event: Named | None) -> None:
        if event is not None:
            self._begin()
            name, body = event
            self._out.append(framed(_headers(name), _json(body)))

    def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            self._write(("messageStart", put_back({"role": "assistant"}, own(self._start.vendor))))

    def _own_block(self, chunk: BlockStart | BlockEnd | VendorPart) -> bool:
        """Whether a chunk belongs to an opaque block; one of this wire's is written as it came."""
        if isinstance(chunk, BlockStart):
            if chunk.kind != "opaque":
                return False
            if chunk.vendor is not None and chunk.vendor.wire == WIRE_NAME:
                self._finish_blocks()
                self._index += 1
                self._opaque[chunk.block] = self._index
                self._write((START, put_back({"contentBlockIndex": self._index}, own(chunk.vendor))))
            return True
        index = self._opaque.get(chunk.block, -1)
        if isinstance(chunk, VendorPart):
            if index < 0 and 0 <= chunk.block == self._order.number:
                index = self._index
            if index >= 0:
                self._write((DELTA, put_back({"contentBlockIndex": index}, own(chunk.part))))
        elif index >= 0:
            del self._opaque[chunk.block]
            self._write((END, put_back({"contentBlockIndex": index}, own(chunk.vendor).get(STOP, {}))))
        return index >= 0

    def _finish_blocks(self) -> None:
        ordered: list[BlockChunk] = []
        self._order.finish(ordered)
        self._put(ordered)

    def _vendor(self, event: Fields) -> None:
        """An event of this wire's that is not modelled."""
        for name, body in event.items():
            if name == "metadata":
                self._kept = body
            else:
                self._write((name, body))

    def _terminal(self, chunk: Finish | Failure | Cancelled) -> None:
        self._done = True
        if isinstance(chunk, Failure) and REASONS.get(chunk.code) == "error":
            chunk = Finish("error", chunk.code)  # a stop reason of this wire's that says there is no answer
        if isinstance(chunk, Finish):
            self._finish_blocks()
            self._last(self._end or CandidateEnd(chunk.finish_reason, chunk.raw_reason))
            return
        if isinstance(chunk, Cancelled):
            chunk = Failure.of(StreamCancelledException(chunk.why or "the stream was cancelled"))
        self._out.append(exception(chunk))

    def _last(self, end: CandidateEnd) -> None:
        """Why it ended, and the counts."""
        body: Fields = {"stopReason": reason_word(end.finish_reason, end.raw_reason)}
        kept = own(end.vendor)
        if end.stop_sequence and not kept:
            body["additionalModelResponseFields"] = {"stop_sequence": end.stop_sequence}
        self._write(("messageStop", put_back(body, kept)))
        told = self._usage
        if told is not None:
            self._write(("metadata", put_back({"usage": usage_body(told.usage)}, own(told.vendor))))
        elif self._kept:
            self._write(("metadata", self._kept))
