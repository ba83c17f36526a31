"""Bytes of a streamed answer -> chunks: framing, JSON, the end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from headrace.core.chunk import (
    BlockEnd,
    BlockStart,
    CandidateEnd,
    Chunk,
    Failure,
    Finish,
    Start,
    TextDelta,
    UsageReport,
    VendorPart,
)
from headrace.core.opaque import Opaque
from headrace.errors import Truncated
from headrace.wire.base import NO_QUIRKS
from headrace.wire.event_decoder import MAX_EVENT_BYTES, EventDecoder
from headrace.wire.failing import broken
from headrace.wire.plain import read_plain
from headrace.wire.reading import UNREADABLE, sift
from headrace.wire.terminator import is_done
from headrace.wire.tgi.failure import failure_from_event, failure_from_response
from headrace.wire.tgi.finish import reason_from
from headrace.wire.tgi.schema import WIRE_NAME, Event, StreamDetails, TokenBody
from headrace.wire.tgi.token import token_from
from headrace.wire.tgi.usage import usage_from

Fields = dict[str, Any]

_read = msgspec.json.Decoder(Event).decode
_INSIDE: dict[str, type[msgspec.Struct]] = {"token": TokenBody, "details": StreamDetails}


class TgiDecoder(EventDecoder):
    """A stage: bytes in any split -> chunks. Eager, linear, never raises; inert after its terminal.

    The end is the event with `generated_text`; end of input before it is a Failure `truncated`. Each event is
    one token; a special one has no text of its own here, as it has none in `generated_text`. The answer is
    what the tokens say: `generated_text`, which repeats it (after the prompt, where the request asked for
    that), is not kept. Unknown fields are kept in `vendor`.
    """

    __slots__ = ("_started",)

    def __init__(
        self, _quirks: Mapping[str, Any] = NO_QUIRKS, *, max_event_bytes: int = MAX_EVENT_BYTES
    ) -> None:
        super().__init__(failure_from_response, max_event_bytes)
        self._started = False

    def _closed(self, out: list[Chunk]) -> None:
        said = f"the stream ended after {self._events} events without generated_text"
        self._end(Failure.of(Truncated(said)), out)

    def _event(self, data: bytes, name: bytes, out: list[Chunk]) -> None:
        self._events += 1
        try:
            event = _read(data)
        except UNREADABLE:
            self._odd_event(data, name, out)
            return
        self._said(event, {}, data, out)

    def _odd_event(self, data: bytes, name: bytes, out: list[Chunk]) -> None:
        """An event that does not fit: unknown fields are set aside, anything else breaks the wire."""
        if is_done(data):
            return  # some gateways add it; it says nothing here
        try:
            parsed = read_plain(data)
            if not isinstance(parsed, dict):
                raise msgspec.ValidationError("not a JSON object")
            if parsed.get("error") or parsed.get("error_type"):
                self._end(failure_from_event(parsed, data), out)
                return
            event, own = _sifted(parsed)
        except UNREADABLE as error:
            if name == b"error":
                self._end(failure_from_event(data.decode("utf-8", "replace"), data), out)
            else:
                self._end(broken(data, self._events, str(error)), out)
            return
        self._said(event, own, data, out)

    def _said(self, event: Event, own: Fields, data: bytes, out: list[Chunk]) -> None:
        if event.error or event.error_type:
            error = {"error": event.error, "error_type": event.error_type}
            self._end(failure_from_event(error, data), out)
            return
        if not self._started:
            self._started = True
            out.append(Start())
            out.append(BlockStart(0, "text"))
        last = event.generated_text is not None
        if event.token is not None:
            self._token(event, event.token, own, last, out)
        elif own:
            out.append(VendorPart(Opaque(WIRE_NAME, own)))
        if last:
            self._finish(event, out)

    def _token(self, event: Event, token: TokenBody, own: Fields, last: bool, out: list[Chunk]) -> None:
        if event.index is not None and event.index != self._events:
            own["index"] = event.index
        if last:
            own["last"] = True
        read = token_from(token, event.top_tokens)
        vendor = Opaque(WIRE_NAME, own) if own else None
        out.append(TextDelta(0, "" if token.special else token.text, (read,), 0, vendor))

    def _finish(self, event: Event, out: list[Chunk]) -> None:
        out.append(BlockEnd(0))
        raw = ""
        if event.details is not None:
            raw = event.details.finish_reason
            out.append(UsageReport(usage_from(event.details)))
        reason = reason_from(raw)
        out.append(CandidateEnd(reason, raw))
        self._end(Finish(reason, raw), out)


def _sifted(data: Fields) -> tuple[Event, Fields]:
    """The event, and what we do not know of it, of its details, of its token and of the alternatives."""
    known, own = sift(data, Event)
    for name, kind in _INSIDE.items():
        if isinstance(known.get(name), dict):
            known[name], extra = sift(known[name], kind)
            if extra:
                own[name] = extra
    top = known.get("top_tokens")
    if isinstance(top, list) and all(isinstance(one, dict) for one in top):
        pairs = [sift(one, TokenBody) for one in top]
        known["top_tokens"] = [fields for fields, _ in pairs]
        if any(extra for _, extra in pairs):
            own["top_tokens"] = [extra for _, extra in pairs]
    return msgspec.convert(known, Event), own
