"""Bytes of a streamed message -> chunks: framing, JSON, the end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from headrace.core.chunk import (
    CandidateEnd,
    Chunk,
    Failure,
    Finish,
    Start,
    UsageReport,
    VendorPart,
)
from headrace.core.opaque import Opaque
from headrace.errors import Truncated
from headrace.wire.anthropic.blocks import Blocks
from headrace.wire.anthropic.event import beside, known_piece, read_oddly, with_beside
from headrace.wire.anthropic.failure import failure_from_response
from headrace.wire.anthropic.finish import reason_from
from headrace.wire.anthropic.schema import (
    BESIDE,
    WIRE_NAME,
    BlockPiece,
    BlockStarted,
    BlockStopped,
    ErrorEvent,
    Event,
    MessageDelta,
    MessageStart,
    MessageStop,
    SignaturePiece,
)
from headrace.wire.anthropic.usage import usage_from
from headrace.wire.base import NO_QUIRKS
from headrace.wire.event_decoder import MAX_EVENT_BYTES, EventDecoder
from headrace.wire.failing import Misplaced, broken
from headrace.wire.plain import may_be_deep, read_plain
from headrace.wire.reading import UNREADABLE

_read = msgspec.json.Decoder(Event).decode
# Of `message_start`: what the chunk says itself, or what is always the same.
_CARRIED = frozenset({"id", "model", "type", "role", "content"})
_STOPPED = frozenset({"stop_reason", "stop_sequence"})
_DELTA = frozenset({"type", "delta", "usage"})
_KNOWN = frozenset(
    {
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    }
)


class _Stopped(msgspec.Struct, gc=False):
    """Why a message ended."""

    stop_reason: str | None = None
    stop_sequence: str | None = None


class MessagesDecoder(EventDecoder):
    """A stage: bytes in any split -> chunks. Eager, linear, never raises; inert after its terminal.

    The end is `message_stop`; end of input before it is a Failure `truncated`. A second `message_start` of
    the same message is passed over, one of another message is a Failure `wire`: two answers were spliced,
    and the first cannot be taken back. Pings give nothing. Unknown events and blocks are kept as
    `VendorPart`, unknown fields in `vendor`.
    """

    __slots__ = ("_blocks", "_ended", "_id", "_raw_reason", "_started", "_usage")

    def __init__(
        self, quirks: Mapping[str, Any] = NO_QUIRKS, *, max_event_bytes: int = MAX_EVENT_BYTES
    ) -> None:
        super().__init__(failure_from_response, max_event_bytes)
        self._blocks = Blocks()
        self._usage: dict[str, Any] = {}
        self._id = ""
        self._raw_reason: str | None = None
        self._started = False
        self._ended = False  # whether the CandidateEnd is out

    def _closed(self, out: list[Chunk]) -> None:
        missing = "message_stop" if self._started else "message_start"
        said = f"the stream ended after {self._events} events without {missing}"
        self._end(Failure.of(Truncated(said)), out)

    def _event(self, data: bytes, name: bytes, out: list[Chunk]) -> None:
        self._events += 1
        try:
            if name == b"error" or may_be_deep(data):
                raise msgspec.ValidationError
            event = _read(data)
        except UNREADABLE:
            self._odd_event(data, name.decode("utf-8", "replace"), out)
            return
        try:
            if type(event) is BlockPiece:
                self._blocks.piece(event.index, event.delta, out)
            else:
                self._known(event, data, out)
        except (Misplaced, *UNREADABLE) as error:
            self._end(broken(data, self._events, str(error)), out)

    def _odd_event(self, data: bytes, name: str, out: list[Chunk]) -> None:
        """An event that the Structs do not take."""
        read = read_oddly(data, name, self._events)
        if isinstance(read, Failure):
            self._end(read, out)
            return
        try:
            self._odd(read, out)
        except (Misplaced, *UNREADABLE) as error:
            self._end(broken(data, self._events, str(error)), out)

    def _odd(self, read: dict[str, Any], out: list[Chunk]) -> None:
        """An event of a known type with fields of its own, or of an unknown type."""
        kind, begun = read["type"], len(out)
        if kind not in _KNOWN:
            out.append(VendorPart(Opaque(WIRE_NAME, read)))
            return
        more = beside(read)
        self._with_more(kind, read, more, out)
        if more:
            with_beside(out, begun, kind, more)

    def _with_more(self, kind: str, read: dict[str, Any], more: dict[str, Any], out: list[Chunk]) -> None:
        """A known event. more: its unknown fields, which only a signature's delta must be told of."""
        index = read.get("index")
        message, body, delta = read.get("message"), read.get("content_block"), read.get("delta")
        if kind == "message_start" and isinstance(message, dict):
            self._start(message, out)
        elif kind == "message_stop":
            self._stop(out)
        elif not isinstance(index, int):
            raise Misplaced(f"a {kind} with fields missing or of a wrong type")
        elif kind == "content_block_start" and isinstance(body, dict):
            self._block(index, body, out)
        elif kind == "content_block_stop":
            self._blocks.stop(index, out)
        elif kind == "content_block_delta" and isinstance(delta, dict):
            self._odd_delta(index, delta, more, out)
        else:
            raise Misplaced(f"a {kind} with fields missing or of a wrong type")

    def _odd_delta(self, index: int, delta: dict[str, Any], more: dict[str, Any], out: list[Chunk]) -> None:
        known = known_piece(delta)
        if known is None:
            self._blocks.odd_piece(index, delta, out)
            return
        piece, extra = known
        if more and type(piece) is SignaturePiece:  # its chunk comes with the block's end
            extra = Opaque(WIRE_NAME, {**(extra.data if extra is not None else {}), BESIDE: more})
        self._blocks.piece(index, piece, out, extra)

    def _known(self, event: Event, data: bytes, out: list[Chunk]) -> None:
        match event:
            case BlockStarted():
                self._block(event.index, event.content_block, out)
            case BlockStopped():
                self._blocks.stop(event.index, out)
            case MessageStart():
                self._start(event.message, out)
            case MessageDelta():
                self._delta(event, data, out)
            case MessageStop():
                self._stop(out)
            case ErrorEvent():
                self._odd_event(data, "error", out)

    def _block(self, index: int, body: dict[str, Any], out: list[Chunk]) -> None:
        if not self._started:
            raise Misplaced("a block before message_start")
        self._blocks.start(index, body, out)

    def _start(self, message: dict[str, Any], out: list[Chunk]) -> None:
        """Start the reply. The vendor's own fields ride along whole, the first counts among them."""
        id, model = message.get("id") or "", message.get("model") or ""
        if self._started:
            if id != self._id:
                raise Misplaced(f"another message began inside message {self._id}")
            return
        if not isinstance(id, str) or not isinstance(model, str):
            raise Misplaced("the message's id or model is no text")
        self._started, self._id = True, id
        extra = {name: value for name, value in message.items() if name not in _CARRIED}
        out.append(Start(id, model, vendor=Opaque(WIRE_NAME, extra) if extra else None))
        usage = message.get("usage")
        if isinstance(usage, dict):
            self._count(usage, out)
        self._whole(message, out)

    def _whole(self, message: dict[str, Any], out: list[Chunk]) -> None:
        """What a message holds from the start: seen where code that the vendor runs calls our tools."""
        content, reason = message.get("content"), message.get("stop_reason")
        if isinstance(content, list):
            for index, body in enumerate(content):
                if isinstance(body, dict):
                    self._blocks.start(index, body, out)
                    self._blocks.stop(index, out)
        if isinstance(reason, str):
            self._raw_reason = reason

    def _count(self, usage: dict[str, Any], out: list[Chunk]) -> None:
        """Counts replace earlier ones, and what is not told again stands."""
        self._usage = {**self._usage, **{name: usage[name] for name in usage if usage[name] is not None}}
        out.append(UsageReport(usage_from(self._usage), Opaque(WIRE_NAME, usage)))

    def _delta(self, event: MessageDelta, data: bytes, out: list[Chunk]) -> None:
        if not self._started:
            raise Misplaced("a message_delta before message_start")
        if event.usage:
            self._count(event.usage, out)
        self._candidate_end(event.delta, data, out)

    def _candidate_end(self, delta: dict[str, Any], data: bytes, out: list[Chunk]) -> None:
        told = msgspec.convert(delta, _Stopped)
        extra = {name: value for name, value in delta.items() if name not in _STOPPED}
        said = read_plain(data.decode("utf-8", "replace"))  # a broken letter in it breaks no event
        beside = {name: value for name, value in said.items() if name not in _DELTA}
        vendor = {**({"delta": extra} if extra else {}), **beside}
        if told.stop_reason is None:
            if vendor:
                out.append(VendorPart(Opaque(WIRE_NAME, {"type": "message_delta", "delta": extra, **beside})))
            return
        self._blocks.stop_all(out)
        self._raw_reason = told.stop_reason
        self._ended = True
        out.append(
            CandidateEnd(
                reason_from(told.stop_reason),
                told.stop_reason,
                told.stop_sequence or "",
                vendor=Opaque(WIRE_NAME, vendor) if vendor else None,
            )
        )

    def _stop(self, out: list[Chunk]) -> None:
        if not self._blocks.spoke and self._raw_reason is None:
            said = "the provider ended the message without an answer: message_stop came first"
            self._end(Failure.of(Truncated(said, code="empty_response")), out)
            return
        self._blocks.stop_all(out)
        raw = self._raw_reason or ""
        reason = reason_from(raw)
        if not self._ended:
            out.append(CandidateEnd(reason, raw))
        self._end(Finish(reason, raw, clean=bool(raw)), out)
