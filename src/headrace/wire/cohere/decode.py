"""Bytes of a streamed chat -> chunks: what each event means, and the end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from headrace.core.chunk import CandidateEnd, Chunk, Failure, Finish, Start, UsageReport, VendorPart
from headrace.core.opaque import Opaque
from headrace.errors import Truncated
from headrace.wire.base import NO_QUIRKS
from headrace.wire.cohere.blocks import Blocks
from headrace.wire.cohere.failure import ended_badly, failure_from_event, failure_from_response
from headrace.wire.cohere.finish import reason_from
from headrace.wire.cohere.odd_piece import read_piece, said
from headrace.wire.cohere.schema import (
    KNOWN,
    WIRE_NAME,
    CallPiece,
    Content,
    ContentPiece,
    End,
    Fields,
    Piece,
    opaque,
)
from headrace.wire.cohere.usage import usage_from
from headrace.wire.event_decoder import MAX_EVENT_BYTES, EventDecoder
from headrace.wire.failing import Misplaced, broken
from headrace.wire.halves import read_mended
from headrace.wire.kept import left_over
from headrace.wire.reading import UNREADABLE
from headrace.wire.terminator import BRACKET, is_done

_read = msgspec.json.Decoder(Piece).decode


class ChatDecoder(EventDecoder):
    """A stage: bytes in any split -> chunks. Eager, linear, never raises; inert after its terminal.

    An answer is whole with its `message-end`; what ends the stream is `[DONE]`, or the end of input. Without
    `message-end` that is a Failure `truncated`. A second `message-start` of the same message is passed over,
    one of another message is a Failure `wire`. Unknown events and content are kept as `VendorPart`, unknown
    fields in `vendor`.
    """

    __slots__ = ("_blocks", "_finish", "_id", "_started")

    def __init__(
        self, _quirks: Mapping[str, Any] = NO_QUIRKS, *, max_event_bytes: int = MAX_EVENT_BYTES
    ) -> None:
        super().__init__(failure_from_response, max_event_bytes)
        self._blocks = Blocks()
        self._id = ""
        self._started = False
        self._finish: Finish | None = None  # of a message that has ended

    def _closed(self, out: list[Chunk]) -> None:
        if self._finish is not None:
            self._end(self._finish, out)
            return
        missing = "message-end" if self._started else "message-start"
        said = f"the stream ended after {self._events} events without {missing}"
        self._end(Failure.of(Truncated(said)), out)

    def _event(self, data: bytes, name: bytes, out: list[Chunk]) -> None:
        if data[0] == BRACKET and is_done(data):
            self._closed(out)
            return
        self._events += 1
        try:
            piece = _ordinary(data)
            if piece is not None:
                self._piece(piece, out)
            else:
                self._odd_event(data, name.decode("utf-8", "replace"), out)
        except (Misplaced, *UNREADABLE) as error:
            self._end(broken(data, self._events, str(error)), out)

    def _piece(self, piece: Piece, out: list[Chunk]) -> None:
        self._open(out)
        if isinstance(piece, ContentPiece):
            self._content(piece.index, piece.delta.message.content, out)
        elif isinstance(piece, CallPiece):
            self._blocks.arguments(piece.index, piece.delta.message.tool_calls.function.arguments, out)
        else:
            self._blocks.plan(piece.delta.message.tool_plan, out)

    def _content(self, index: int, content: Content, out: list[Chunk]) -> None:
        if self._blocks.is_opaque(index):
            said = {name: one for name, one in msgspec.structs.asdict(content).items() if one is not None}
            vendor = Opaque(WIRE_NAME, {"delta": {"message": {"content": said}}})
            self._blocks.odd_content(index, said, vendor, out)
        else:
            self._blocks.content(index, content, out)

    def _odd_event(self, data: bytes, name: str, out: list[Chunk]) -> None:
        """An event that is read as plain data."""
        body = read_mended(data.decode("utf-8", "replace").encode())
        if not isinstance(body, dict):
            raise Misplaced("not a JSON object")
        kind = body.get("type") or name
        if kind == "error" or (not kind and "message" in body):
            self._end(failure_from_event(body, data), out)
            return
        if not isinstance(kind, str) or not kind:
            raise Misplaced("an event without a type")
        vendor = opaque(left_over(body, KNOWN.get(kind, {})))
        if kind not in KNOWN:
            self._begin(out)
            out.append(VendorPart(Opaque(WIRE_NAME, {"type": kind, **body})))
        elif kind == "message-start":
            self._start(body, vendor, out)
        else:
            self._open(out)
            if kind == "message-end":
                self._stop(body, vendor, data, out)
            else:
                self._of_block(kind, body, vendor, out)

    def _start(self, body: Fields, vendor: Opaque | None, out: list[Chunk]) -> None:
        id = body.get("id") or ""
        if not isinstance(id, str):
            raise Misplaced("the message's id is no text")
        if self._started:
            if self._finish is not None or (self._blocks.any and id != self._id):
                raise Misplaced(f"another message began inside message {self._id}")
            return
        self._id = id
        self._begin(out, vendor)

    def _begin(self, out: list[Chunk], vendor: Opaque | None = None) -> None:
        if not self._started:
            self._started = True
            out.append(Start(self._id, vendor=vendor))

    def _open(self, out: list[Chunk]) -> None:
        """An event of the message comes."""
        if self._finish is not None:
            raise Misplaced("the message goes on after its message-end")
        self._begin(out)

    def _of_block(self, kind: str, body: Fields, vendor: Opaque | None, out: list[Chunk]) -> None:
        index = body.get("index") or 0
        if not isinstance(index, int):
            raise Misplaced(f"a {kind} whose index is no number")
        blocks = self._blocks
        match kind:
            case "content-end":
                blocks.stop(("content", index), out, vendor)
            case "tool-call-end":
                blocks.stop(("call", index), out, vendor)
            case "citation-end":
                if vendor is not None:
                    out.append(VendorPart(Opaque(WIRE_NAME, body)))
            case "citation-start":
                if not blocks.cite(said(body, "citations", dict), vendor, out):
                    out.append(VendorPart(Opaque(WIRE_NAME, body)))
            case "tool-plan-delta":
                blocks.plan(said(body, "tool_plan", str), out, vendor)
            case _:
                read_piece(kind, index, body, vendor, blocks, out)

    def _stop(self, body: Fields, vendor: Opaque | None, data: bytes, out: list[Chunk]) -> None:
        """The message is whole, or has failed."""
        end = msgspec.convert(body.get("delta") or {}, End)
        cost = [UsageReport(usage_from(end.usage))] if end.usage is not None else []
        raw = end.finish_reason or ""
        reason = reason_from(raw)
        if reason == "error" or end.error:
            out += cost
            self._end(ended_badly(raw, end.error, data), out)
            return
        if not self._blocks.any and not raw:
            told = "the provider ended the message without an answer: message-end came first"
            self._end(Failure.of(Truncated(told, code="empty_response")), out)
            return
        self._blocks.stop_all(out)
        out += cost
        out.append(CandidateEnd(reason, raw, vendor=vendor))
        self._finish = Finish(reason, raw, clean=bool(raw))


def _ordinary(data: bytes) -> Piece | None:
    """A piece of a kind that is modelled and nothing else; None for what must be read as plain data."""
    try:
        piece: Piece = _read(data)
    except UNREADABLE:
        return None
    return piece
