"""Bytes of a streamed conversation -> chunks: what each event means, and the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from headrace.core.chunk import (
    CandidateEnd,
    Chunk,
    Failure,
    Finish,
    Start,
    Terminal,
    UsageReport,
    VendorPart,
)
from headrace.core.opaque import Opaque
from headrace.errors import Truncated
from headrace.wire.base import NO_QUIRKS
from headrace.wire.bedrock.blocks import Blocks
from headrace.wire.bedrock.failure import failure_from_event
from headrace.wire.bedrock.finish import ended_badly, reason_from
from headrace.wire.bedrock.incoming import Event, Incoming
from headrace.wire.bedrock.schema import KNOWN, WIRE_NAME, BlockPiece, Fields, opaque
from headrace.wire.bedrock.usage import usage_from
from headrace.wire.event_decoder import MAX_EVENT_BYTES
from headrace.wire.failing import Misplaced, broken
from headrace.wire.halves import read_mended
from headrace.wire.kept import left_over
from headrace.wire.reading import UNREADABLE

_read = msgspec.json.Decoder(BlockPiece).decode


class ConverseDecoder:
    """A stage: bytes in any split -> chunks. Eager, linear, never raises; inert after its terminal.

    Bytes are Bedrock's binary event stream, or its events as JSON lines (`incoming.py`). `messageStop` tells
    why the answer ended and `metadata` what it cost: the end is both, in either order. End of input before
    `messageStop` is a Failure `truncated`; without `metadata` it is a Finish that is not `clean`. A stream
    may begin without `messageStart`. Unknown events and blocks are kept as `VendorPart`, unknown fields in
    `vendor`; the letters `p` that hide how long an event is are dropped.
    """

    __slots__ = ("_blocks", "_counted", "_done", "_events", "_incoming", "_reason", "_started")

    def __init__(
        self, _quirks: Mapping[str, Any] = NO_QUIRKS, *, max_event_bytes: int = MAX_EVENT_BYTES
    ) -> None:
        self._incoming = Incoming(max_event_bytes)
        self._blocks = Blocks()
        self._events = 0
        self._reason: str | None = None  # the vendor's, once it is told
        self._started = False
        self._counted = False
        self._done = False

    def feed(self, batch: Sequence[bytes]) -> list[Chunk]:
        """The chunks that `batch` makes complete."""
        out: list[Chunk] = []
        for data in batch:
            if self._done:
                break
            self._take(self._incoming.feed(data), out)
        return out

    def close(self) -> list[Chunk]:
        """The end of input: a Finish where the answer was whole, else what is missing as a Failure."""
        out: list[Chunk] = []
        if self._done:
            return out
        self._take(self._incoming.close(), out)
        if self._reason is not None:
            self._finish(out)
        said = f"the stream ended after {self._events} events without messageStop"
        self._end(Failure.of(Truncated(said)), out)
        return out

    def _take(self, events: Sequence[Event | Failure], out: list[Chunk]) -> None:
        for event in events:
            if self._done:
                return
            if isinstance(event, Event):
                self._event(event, out)
            elif self._reason is None or event.kind != Truncated.kind:
                self._end(event, out)

    def _event(self, event: Event, out: list[Chunk]) -> None:
        self._events += 1
        try:
            piece = _ordinary(event.data) if event.name == "contentBlockDelta" else None
            if piece is not None:
                self._say(piece, out)
            else:
                self._odd_event(event, out)
        except (Misplaced, *UNREADABLE) as error:
            self._end(broken(event.data, self._events, str(error)), out)

    def _say(self, piece: BlockPiece, out: list[Chunk]) -> None:
        self._open(out)
        index, delta, blocks = piece.content_block_index, piece.delta, self._blocks
        if delta.text is not None:
            blocks.text(index, delta.text, out)
        if delta.tool_use is not None:
            blocks.arguments(index, delta.tool_use.input, out)
        if delta.reasoning_content is not None:
            blocks.think(index, delta.reasoning_content, out)

    def _odd_event(self, event: Event, out: list[Chunk]) -> None:
        """An event that is read as plain data."""
        body = read_mended(event.data.decode("utf-8", "replace").encode())
        if event.failed:
            self._end(failure_from_event(event.name, body, event.data), out)
            return
        if not event.name or not isinstance(body, dict):
            raise Misplaced("an event without a type" if not event.name else "not a JSON object")
        vendor = opaque(left_over(body, KNOWN.get(event.name, {})))
        match event.name:
            case "messageStart":
                self._start(vendor, out)
            case "contentBlockStart" | "contentBlockDelta" | "contentBlockStop":
                self._open(out)
                self._of_block(event.name, body, vendor, out)
            case "messageStop":
                self._stop(body, vendor, out)
            case "metadata":
                self._metadata(body, vendor, out)
            case _:
                self._begin(out)
                out.append(VendorPart(Opaque(WIRE_NAME, {event.name: body})))

    def _start(self, vendor: Opaque | None, out: list[Chunk]) -> None:
        """The first event. A second one is passed over, one inside an answer begins another."""
        if self._blocks.any or self._reason is not None:
            raise Misplaced("another message began inside a message")
        self._begin(out, vendor)

    def _begin(self, out: list[Chunk], vendor: Opaque | None = None) -> None:
        if not self._started:
            self._started = True
            out.append(Start(vendor=vendor))

    def _open(self, out: list[Chunk]) -> None:
        """An event of a block comes."""
        if self._reason is not None:
            raise Misplaced("a block goes on after messageStop")
        self._begin(out)

    def _of_block(self, name: str, body: Fields, vendor: Opaque | None, out: list[Chunk]) -> None:
        index = body.get("contentBlockIndex")
        if not isinstance(index, int) or index < 0:
            raise Misplaced(f"a {name} without a place")
        if name == "contentBlockStop":
            self._blocks.stop(index, out, vendor)
        elif name == "contentBlockStart":
            self._blocks.start(index, _object(body, "start"), vendor, out)
        else:
            self._blocks.odd_piece(index, _object(body, "delta"), vendor, out)

    def _stop(self, body: Fields, vendor: Opaque | None, out: list[Chunk]) -> None:
        raw = body.get("stopReason")
        if not isinstance(raw, str) or self._reason is not None:
            raise Misplaced(
                "a messageStop without a reason" if self._reason is None else "a second messageStop"
            )
        self._begin(out)
        self._blocks.stop_all(out)
        self._reason = raw
        out.append(CandidateEnd(reason_from(raw), raw, _stop_sequence(body), vendor=vendor))
        if self._counted:
            self._finish(out)

    def _metadata(self, body: Fields, vendor: Opaque | None, out: list[Chunk]) -> None:
        """What the answer cost. Where the reason is known it is the last event."""
        self._begin(out)
        usage = body.get("usage")
        if isinstance(usage, dict):
            out.append(UsageReport(usage_from(usage), vendor))
        elif vendor is not None:
            out.append(VendorPart(Opaque(WIRE_NAME, {"metadata": vendor.data})))
        self._counted = True
        if self._reason is not None:
            self._finish(out)

    def _finish(self, out: list[Chunk]) -> None:
        raw = self._reason or ""
        reason = reason_from(raw)
        self._end(ended_badly(raw) if reason == "error" else Finish(reason, raw, clean=self._counted), out)

    def _end(self, terminal: Terminal, out: list[Chunk]) -> None:
        """The terminal, once."""
        if not self._done:
            self._done = True
            out.append(terminal)


def _ordinary(data: bytes) -> BlockPiece | None:
    """A piece of a kind that is modelled and nothing else; None for what must be read as plain data."""
    try:
        piece = _read(data)
    except UNREADABLE:
        return None
    return piece if piece.content_block_index >= 0 else None


def _object(body: Fields, name: str) -> Fields:
    value = body.get(name)
    if not isinstance(value, dict):
        raise Misplaced(f"an event whose {name} is no object")
    return value


def _stop_sequence(body: Fields) -> str:
    """The text that ended the answer, where the caller asked for the model's own fields: some nest them."""
    fields = body.get("additionalModelResponseFields")
    for holder in (fields, fields.get("delta") if isinstance(fields, dict) else None):
        said = holder.get("stop_sequence") if isinstance(holder, dict) else None
        if isinstance(said, str):
            return said
    return ""
