"""Bytes of a streamed answer -> chunks: framing, JSON, the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from headrace.core.chunk import (
    Chunk,
    Failure,
    Finish,
    ReasoningDelta,
    Start,
    TextDelta,
    UsageReport,
    VendorPart,
)
from headrace.core.opaque import Opaque
from headrace.core.usage import Usage
from headrace.errors import Truncated
from headrace.framing.frames import FrameSplitter
from headrace.framing.json_array import JsonArrayDecoder
from headrace.wire.base import NO_QUIRKS
from headrace.wire.failing import broken
from headrace.wire.gemini.event import Answer, created_s, top_level
from headrace.wire.gemini.failure import blocked, failure_from_event, failure_from_response
from headrace.wire.gemini.schema import MORE, WIRE_NAME, Event, Fields, PlainEvent, kept
from headrace.wire.gemini.usage import usage_from
from headrace.wire.plain import read_plain
from headrace.wire.reading import UNREADABLE
from headrace.wire.sticky import Sticky
from headrace.wire.terminator import is_done

_BLANK = b" \t\r\n\xef\xbb\xbf"
_MAX_PAGE_BYTES = 65536
_LENIENT_AFTER = 3  # events in a row that are no `PlainEvent`: then that reading is tried less often
_TRY_AGAIN = 16
_MAX_EARLY = 64
_SAID_BY_START = ("responseId", "modelVersion", "createTime")
_SSE, _JSON, _PAGE = "event stream", "JSON", "page"

_plain = msgspec.json.Decoder(PlainEvent).decode


class GeminiDecoder:
    """A stage: bytes in any split -> chunks. Eager, linear, never raises; inert after its terminal.

    The framing shows in how the answer begins: an event stream (`alt=sse`), a JSON array, or one object. The
    vendor has no terminator of its own: the end is the end of input (or of the array) after every candidate's
    finishReason; before it is a Failure `truncated`. A prompt that was blocked is `content_blocked`. Unknown
    fields and parts are kept in `vendor` or as `VendorPart`.
    """

    __slots__ = (
        "_answer",
        "_counted",
        "_done",
        "_early",
        "_events",
        "_frames",
        "_framing",
        "_head",
        "_misses",
        "_page",
        "_started",
        "_top",
        "_usage",
        "_values",
    )

    def __init__(self, quirks: Mapping[str, Any] = NO_QUIRKS, *, max_event_bytes: int = 16 * 2**20) -> None:
        self._framing: str | None = None
        self._frames = FrameSplitter(max_event_bytes)
        self._values = JsonArrayDecoder(max_event_bytes)
        self._page = bytearray()
        self._answer = Answer()
        self._events = 0
        self._misses = 0
        self._started = False
        self._done = False
        self._head = ("", "", "")  # what the ordinary event says of itself, as last seen
        self._top = Sticky()
        self._early: list[VendorPart] = []  # what came before the answer
        self._usage = b""
        self._counted: Usage | None = None

    def feed(self, batch: Sequence[bytes]) -> list[Chunk]:
        """The chunks that `batch` makes complete."""
        out: list[Chunk] = []
        for data in batch:
            if self._done:
                break
            self._read(data, out)
        return out

    def close(self) -> list[Chunk]:
        """The end of input: a Finish where the answer was whole, else what is missing as a Failure."""
        out: list[Chunk] = []
        if self._done:
            return out
        if self._framing == _PAGE:
            self._fail(failure_from_response(200, {}, bytes(self._page), ""), out)
        else:
            self._end(self._framing == _SSE, out)
        return out

    def _read(self, data: bytes, out: list[Chunk]) -> None:
        if self._framing is None:
            data = self._begin(data)
        if self._framing == _JSON:
            for value in self._values.feed(data):
                self._event(value, "", out)
            if self._values.ended and not self._done:
                self._end(True, out)
        elif self._framing == _PAGE:
            self._page += data[: _MAX_PAGE_BYTES - len(self._page)]
        else:
            for frame in self._frames.feed(data):
                if isinstance(frame, Failure):
                    self._event(frame, "", out)
                elif frame.data:
                    self._event(frame.data, frame.event, out)

    def _begin(self, data: bytes) -> bytes:
        """Tell the framing by the first byte that is not blank; what of `data` is to be read."""
        begun = data.lstrip(_BLANK)
        if not begun:
            return data  # the event stream's framer skips it too
        first = begun[:1]
        self._framing = _JSON if first in (b"[", b"{") else _PAGE if first == b"<" else _SSE
        return data if self._framing == _SSE else begun

    def _event(self, data: bytes | Failure, name: str, out: list[Chunk]) -> None:
        """Read one event. name: the event's own name, empty for most."""
        if self._done:
            return
        if isinstance(data, Failure):
            self._fail(data, out)
            return
        self._events += 1
        if self._misses < _LENIENT_AFTER or not self._events % _TRY_AGAIN:
            try:
                event = _plain(data)
            except UNREADABLE:
                self._misses += 1
            else:
                self._misses = 0
                if self._piece(event, out):
                    return
        self._whole_event(data, name, out)

    def _piece(self, event: PlainEvent, out: list[Chunk]) -> bool:
        """Whether the event was a piece of an open block's text and nothing else: the ordinary case."""
        candidate = event.candidates[0]
        to = self._answer.candidates.get(candidate.index)
        part = candidate.content.parts[0]
        text = part.text
        kind = "reasoning" if part.thought else "text"
        if (
            to is None
            or to.kind != kind
            or not text
            or ((event.model_version, event.response_id, event.create_time) != self._head)
        ):
            return False
        usage = bytes(event.usage_metadata)
        if usage != self._usage and usage:
            try:
                self._count(read_plain(usage), usage, out)
            except (*UNREADABLE, ValueError):
                return False
        if part.thought:
            out.append(ReasoningDelta(to.block, text, (), to.index))
        else:
            to.answer.add(text)
            out.append(TextDelta(to.block, text, (), to.index))
        return True

    def _count(self, data: Any, raw: bytes, out: list[Chunk]) -> None:
        usage = usage_from(data) if data is not None else None
        self._usage = raw
        if usage is not None and usage != self._counted:
            self._counted = usage
            out.append(UsageReport(usage))

    def _whole_event(self, data: bytes, name: str, out: list[Chunk]) -> None:
        if is_done(data):  # not the vendor's, but some proxies add it
            return
        try:
            fields = read_plain(data)
            if name == "error" or _is_error(fields):
                self._fail(failure_from_event(fields, data), out)
                return
            event = msgspec.convert(fields, Event, strict=False)
            self._said(event, fields, out)
        except (*UNREADABLE, ValueError) as error:
            self._fail(broken(data, self._events, str(error)), out)

    def _said(self, event: Event, data: Fields, out: list[Chunk]) -> None:
        self._about(event, data, out)
        usage = data.get("usageMetadata")
        raw = msgspec.json.encode(usage) if usage else b""
        if raw and raw != self._usage:
            self._count(usage, raw, out)
        feedback = event.prompt_feedback
        if feedback is not None and feedback.block_reason and not event.candidates:
            said = feedback.block_reason_message or ""
            self._fail(blocked(data["promptFeedback"], feedback.block_reason, said), out)
            return
        failure = self._answer.read(event, data, out)
        if failure is not None:
            self._fail(failure, out)

    def _about(self, event: Event, data: Fields, out: list[Chunk]) -> None:
        """Start the reply, or pass on the event's own fields that are new."""
        self._head = (event.model_version or "", event.response_id or "", event.create_time or "")
        new = top_level(data, self._top)
        if not self._started:
            named = event.response_id or event.model_version or event.candidates or data.get("usageMetadata")
            if not named and len(self._early) < _MAX_EARLY:
                self._early += [VendorPart(Opaque(WIRE_NAME, new))] if new else []
                return  # a word before the answer: the reply has its id from the answer's first event
            self._start(event, out)
            new = {name: value for name, value in new.items() if name not in _SAID_BY_START}
        if new:
            new = {**new, MORE: True} if event.candidates else new
            out.append(VendorPart(Opaque(WIRE_NAME, new)))

    def _start(self, event: Event, out: list[Chunk]) -> None:
        self._started = True
        id, model = event.response_id or "", event.model_version or ""
        self._answer.reader.reply_id = id
        when = {"createTime": event.create_time} if event.create_time else {}
        out.append(Start(id, model, created_s(event.create_time), kept(when)))
        out += self._early
        self._early.clear()

    def _end(self, clean: bool, out: list[Chunk]) -> None:
        answer = self._answer
        if answer.whole:
            first = answer.candidates[min(answer.candidates)]
            self._done = True
            out.append(Finish(first.reason or "stop", first.raw_reason, clean))
            return
        missing = [str(one.index) for one in answer.candidates.values() if one.reason is None]
        of = f"candidate {', '.join(missing)}" if missing else "any candidate"
        said = f"the stream ended after {self._events} events without a finishReason for {of}"
        self._fail(Failure.of(Truncated(said)), out)

    def _fail(self, failure: Failure, out: list[Chunk]) -> None:
        if not self._done:
            self._done = True
            out.append(failure)


def _is_error(data: Any) -> bool:
    """Whether a JSON event is an error, alone or in an array of its own."""
    if isinstance(data, list):
        return len(data) == 1 and _is_error(data[0])
    return isinstance(data, dict) and bool(data.get("error"))
