"""Chunks -> the events of a streamed message."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from headrace.core.chunk import (
    BlockEnd,
    BlockStart,
    Cancelled,
    CandidateEnd,
    Chunk,
    Failure,
    Finish,
    Start,
    TextDelta,
    TranscriptDelta,
    UsageReport,
    VendorPart,
)
from headrace.core.opaque import Opaque
from headrace.errors import StreamCancelledException, Truncated, WireError
from headrace.wire.anthropic.block_bodies import Fields, noted, own
from headrace.wire.anthropic.failure import error_event
from headrace.wire.anthropic.finish import reason_word
from headrace.wire.anthropic.schema import WIRE_NAME
from headrace.wire.anthropic.sequence import BLOCK_CHUNKS, BlockSequence
from headrace.wire.anthropic.usage import usage_body
from headrace.wire.one_block import BlockChunk, Overrun

_json = msgspec.json.encode
_TEXT = (
    b"event: content_block_delta\n"
    b'data: {"type":"content_block_delta","index":%d,"delta":{"type":"text_delta","text":'
)
_TEXT_END = b"}}\n\n"
_STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'


class MessagesEncoder:
    """A stage: chunks -> SSE bytes of a streamed message, ending in `message_stop`.

    id, model: what `message_start` says; what is empty is the source's own. Nothing leaves before the answer
    begins. Counts known by then stand in `message_start`, the last ones in `message_delta`, which clients
    take for the truth. Blocks go out one behind the other (`sequence.py`). A Failure becomes an `error`
    event, the last one. What came over this wire and is not modelled goes back where it was. What this
    protocol has no place for is left out: sound, images, steps, verdicts, every candidate but the first. A
    refusal in words of its own goes out as text, with the stop reason `refusal`.
    """

    __slots__ = (
        "_begun", "_blocks", "_done", "_end", "_id", "_model", "_more", "_opaque", "_out", "_start", "_text",
        "_text_block", "_usage",
    )  # fmt: skip

    def __init__(self, *, id: str = "", model: str = "") -> None:
        self._id = id
        self._model = model
        self._out: list[bytes] = []
        self._blocks = BlockSequence(self._write)
        self._start = Start()
        self._usage: UsageReport | None = None
        self._end: CandidateEnd | None = None
        self._more: Fields = {}  # of a message_delta that came before the last
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
            if type(chunk) is TextDelta and chunk.block == self._text_block and chunk.vendor is None:
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
        if getattr(chunk, "candidate", 0) or (isinstance(chunk, TranscriptDelta) and not chunk.committed):
            return
        if isinstance(chunk, BlockStart | BlockEnd | VendorPart) and self._own_block(chunk):
            return
        if isinstance(chunk, BLOCK_CHUNKS):
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
        try:
            self._blocks.take(chunk)
        except Overrun as error:
            self._terminal(Failure.of(WireError(str(error))))
        self._text_block = self._blocks.number if self._blocks.in_text else -1
        self._text = _TEXT % self._blocks.index

    def _write(self, event: Fields) -> None:
        if not self._begun:
            self._begun = True
            beside = noted(self._start.vendor)
            self._write({"type": "message_start", "message": self._message(), **beside})
        self._out.append(b"event: %b\ndata: %b\n\n" % (event["type"].encode(), _json(event)))

    def _message(self) -> Fields:
        known = own(self._start.vendor)
        usage = usage_body(self._usage.usage if self._usage is not None else None)
        return {
            "id": self._id or self._start.id,
            "type": "message",
            "role": "assistant",
            "model": self._model or self._start.model,
            "content": [],
            "usage": usage,
            **known,
            "stop_reason": None,
            "stop_sequence": None,
        }

    def _own_block(self, chunk: BlockStart | BlockEnd | VendorPart) -> bool:
        """Whether a chunk belongs to an opaque block; one of this wire's is written as it came."""
        if isinstance(chunk, BlockStart):
            if chunk.kind != "opaque":
                return False
            if chunk.vendor is not None and chunk.vendor.wire == WIRE_NAME:
                index = self._opaque[chunk.block] = self._blocks.opaque()
                self._text_block = -1
                self._own_event("start", index, chunk.vendor, "content_block")
            return True
        index = self._opaque.get(chunk.block, -1)
        if index < 0:
            return False
        if isinstance(chunk, VendorPart):
            self._own_event("delta", index, chunk.part, "delta")
        else:
            del self._opaque[chunk.block]
            self._own_event("stop", index, chunk.vendor)
        return True

    def _own_event(self, what: str, index: int, vendor: Opaque | None, field: str = "") -> None:
        body = {field: own(vendor)} if field else {}
        self._write({"type": f"content_block_{what}", "index": index, **body, **noted(vendor)})

    def _vendor(self, event: Fields) -> None:
        """An event of this wire's that is not modelled."""
        kind = event.get("type")
        if kind == "message_delta":
            self._more = event
        elif isinstance(kind, str):
            self._write(event)

    def _terminal(self, chunk: Finish | Failure | Cancelled) -> None:
        self._done = True
        if isinstance(chunk, Finish):
            self._blocks.finish()
            self._write(self._delta(chunk))
            beside = noted(chunk.vendor)
            if beside:
                self._write({"type": "message_stop", **beside})
            else:
                self._out.append(_STOP)
            return
        if isinstance(chunk, Cancelled):
            chunk = Failure.of(StreamCancelledException(chunk.why or "the stream was cancelled"))
        self._out.append(error_event(chunk))

    def _delta(self, finish: Finish) -> Fields:
        """The `message_delta`: why it ended, and the last counts."""
        end = self._end or CandidateEnd(finish.finish_reason, finish.raw_reason)
        beside = {**self._more, **own(end.vendor)}
        word = reason_word(end.finish_reason, end.raw_reason)
        if self._blocks.refused and word == "end_turn":
            word = "refusal"
        delta = {
            **beside.pop("delta", {}),
            "stop_reason": word,
            "stop_sequence": end.stop_sequence or None,
        }
        told = self._usage
        usage = own(told.vendor) if told is not None else {}
        return {
            **beside,
            "type": "message_delta",
            "delta": delta,
            "usage": usage or usage_body(told.usage if told is not None else None),
        }
