"""Bytes of a UI message stream -> chunks: framing, JSON, steps, the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import msgspec

from headrace.core.chunk import (
    Cancelled,
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
from headrace.wire.base import NO_QUIRKS
from headrace.wire.event_decoder import MAX_EVENT_BYTES, EventDecoder
from headrace.wire.failing import broken
from headrace.wire.halves import mended, with_halves
from headrace.wire.plain import read_plain
from headrace.wire.reading import UNREADABLE
from headrace.wire.terminator import BRACKET, is_done
from headrace.wire.ui_messages.blocks import OpenParts, text_of
from headrace.wire.ui_messages.calls import call_delta, call_ready, call_start
from headrace.wire.ui_messages.data import FAILURE
from headrace.wire.ui_messages.failure import failure_from_event, failure_from_response
from headrace.wire.ui_messages.finish import end_from
from headrace.wire.ui_messages.metadata import WIRE_NAME, Part
from headrace.wire.ui_messages.parts import about
from headrace.wire.ui_messages.shown import read_data
from headrace.wire.ui_messages.sources import document, file, source, text_end
from headrace.wire.ui_messages.usage import usage_from

# Texts that may be cut inside a character, whose halves their readers join.
_PIECES = {"text-delta": "delta", "reasoning-delta": "delta", "tool-input-delta": "inputTextDelta"}
_STARTED = frozenset({"type", "messageId"})

Reader: TypeAlias = Callable[[Part, OpenParts, list[Chunk]], bool | None]
# False: the event is nothing that we model, and is kept whole.
_READERS: dict[str, Reader] = {
    "text-start": lambda event, parts, out: parts.text_start("text", event, out),
    "text-delta": lambda event, parts, out: parts.text_delta("text", event, out),
    "text-end": text_end,
    "reasoning-start": lambda event, parts, out: parts.text_start("reasoning", event, out),
    "reasoning-delta": lambda event, parts, out: parts.text_delta("reasoning", event, out),
    "reasoning-end": lambda event, parts, out: parts.text_end("reasoning", event, out),
    "tool-input-start": call_start,
    "tool-input-delta": call_delta,
    "tool-input-available": call_ready,
    "tool-input-error": call_ready,
    "source-url": source,
    "source-document": document,
    "file": file,
}


class UiDecoder(EventDecoder):
    """A stage: bytes in any split -> chunks. Eager, linear, never raises; inert after its terminal.

    `finish` gives the reason and the usage in the message's metadata; `[DONE]` behind it is the end, and one
    without it is a Finish that is not clean. End of input before both is a Failure `truncated`, `abort` a
    Cancelled, `error` a Failure. What the protocol has no part for comes back from the `data-*` parts that
    our encoder writes; steps, outputs of tools, other data and all that is not modelled are kept as
    `VendorPart`.
    """

    __slots__ = ("_begun", "_ended", "_failed", "_named", "_parts")

    def __init__(
        self, _quirks: Mapping[str, Any] = NO_QUIRKS, *, max_event_bytes: int = MAX_EVENT_BYTES
    ) -> None:
        super().__init__(failure_from_response, max_event_bytes)
        self._parts = OpenParts()
        self._begun = False  # whether a Start is out
        self._named = False  # whether the message's own `start` has come
        self._ended: Finish | None = None
        self._failed: Any = None  # what was said of the class of an error that is to come

    def _closed(self, out: list[Chunk]) -> None:
        if self._ended is not None:
            self._end(msgspec.structs.replace(self._ended, clean=False), out)
            return
        said = f"the stream ended after {self._events} events without finish"
        self._end(Failure.of(Truncated(said)), out)

    def _event(self, data: bytes, name: bytes, out: list[Chunk]) -> None:
        if data[0] == BRACKET and is_done(data):
            self._complete(out)
            return
        self._events += 1
        try:
            event = read_plain(data)
        except UNREADABLE as error:
            event = _cut(data)
            if event is None:
                self._end(broken(data, self._events, f"not valid JSON ({error})"), out)
                return
        kind = event.get("type") if isinstance(event, dict) else None
        if not isinstance(kind, str):
            why = "no type" if isinstance(event, dict) else "not a JSON object"
            self._end(broken(data, self._events, why), out)
            return
        try:
            self._take(kind, event, data, out)
        except ValueError as error:
            self._end(broken(data, self._events, str(error)), out)

    def _take(self, kind: str, event: Part, data: bytes, out: list[Chunk]) -> None:
        reader = _READERS.get(kind)
        if reader is not None:
            self._begin(out)
            if reader(event, self._parts, out) is False:
                _keep(event, out)
        elif kind == "start" and not self._named:
            self._start(event, out)
        elif kind == "error":
            self._end(failure_from_event(event, self._failed, data), out)
        elif kind == FAILURE:
            self._failed = event.get("data")
        elif kind == "abort":
            reason = event.get("reason")
            self._end(Cancelled(reason if isinstance(reason, str) else ""), out)
        else:
            self._begin(out)
            self._mark(kind, event, out)

    def _mark(self, kind: str, event: Part, out: list[Chunk]) -> None:
        if kind == "finish" and self._ended is None:
            self._finish(event, out)
        elif kind == "finish-step":
            self._parts.end_texts(out)
            _keep(event, out)
        elif kind == "message-metadata":
            metadata = event.get("messageMetadata")
            usage = usage_from(metadata.get("usage")) if isinstance(metadata, dict) else None
            _keep(event, out) if usage is None else out.append(UsageReport(usage, Opaque(WIRE_NAME, event)))
        elif not kind.startswith("data-") or not read_data(event, self._parts, out):
            # Also what tools answered: tool-output-available, -error, -denied, and approvals.
            _keep(event, out)

    def _begin(self, out: list[Chunk]) -> None:
        """Every answer starts, also one whose `start` is missing."""
        if not self._begun:
            self._begun = True
            out.append(Start())

    def _start(self, event: Part, out: list[Chunk]) -> None:
        self._begun = self._named = True
        id = text_of(event, "messageId") if event.get("messageId") is not None else ""
        metadata = event.get("messageMetadata")
        told: Part = metadata if isinstance(metadata, dict) else {}
        model, created_ms = told.get("model"), told.get("createdAt")
        model = model if isinstance(model, str) else ""
        created_s = created_ms // 1000 if isinstance(created_ms, int) else 0
        kept = {name: value for name, value in event.items() if name not in _STARTED}
        if kept == {"messageMetadata": about(model, created_s)}:
            kept = {}
        out.append(Start(id, model, created_s, Opaque(WIRE_NAME, kept) if kept else None))

    def _finish(self, event: Part, out: list[Chunk]) -> None:
        self._parts.end_all(out)
        end, usage = end_from(event)
        if usage is not None:
            out.append(UsageReport(usage))
        out.append(end)
        self._ended = Finish(end.finish_reason, end.raw_reason)

    def _complete(self, out: list[Chunk]) -> None:
        """`[DONE]`: all that was said is here."""
        if self._ended is not None:
            self._end(self._ended, out)
        elif not self._parts.number:
            said = "the provider ended the stream without an answer"
            self._end(Failure.of(Truncated(said, code="empty_response")), out)
        else:
            self._parts.end_all(out)
            out.append(CandidateEnd("stop", vendor=Opaque(WIRE_NAME, {"finishReason": None})))
            self._end(Finish("stop", clean=False), out)


def _keep(event: Part, out: list[Chunk]) -> None:
    out.append(VendorPart(Opaque(WIRE_NAME, event)))


def _cut(data: bytes) -> Any:
    """An event whose piece of text was cut inside a character: it keeps the half, all else is mended."""
    event = with_halves(data.decode("utf-8", "replace"))
    if not isinstance(event, dict):
        return None
    whole: Part = mended(event)
    piece = _PIECES.get(str(whole.get("type")))
    return {**whole, piece: event[piece]} if piece in event else whole
