"""Bytes of an answer -> its events: binary messages as Bedrock sends them, or JSON lines as they are kept."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from headrace.core.chunk import Failure
from headrace.framing.eventstream import MAX_MESSAGE_BYTES, EventStreamDecoder, Message
from headrace.framing.ndjson import NdjsonDecoder
from headrace.wire.bedrock.failure import failure_from_response
from headrace.wire.bedrock.schema import KNOWN
from headrace.wire.failing import broken
from headrace.wire.halves import read_mended
from headrace.wire.misfit import Misfit, begun, is_odd
from headrace.wire.reading import UNREADABLE

_line = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class Event(msgspec.Struct, gc=False):
    """One event. name: what kind it is. data: its JSON. failed: it is an exception."""

    name: str
    data: bytes
    failed: bool = False


class Incoming:
    """A stage: bytes in any split -> events, and at most one `Failure`, the last.

    The first byte that is not blank tells the framing: `{` begins a line, each an object of one event by its
    name, and any other byte a binary message. An answer that is no stream (an error or a whole answer as
    JSON, a page) is the failure it is.
    """

    __slots__ = ("_events", "_inert", "_lines", "_max", "_messages", "_misfit")

    def __init__(self, max_event_bytes: int = MAX_MESSAGE_BYTES) -> None:
        self._max = max_event_bytes
        self._messages: EventStreamDecoder | None = None
        self._lines: NdjsonDecoder | None = None
        self._misfit = Misfit(failure_from_response)
        self._events = 0  # that came as lines
        self._inert = False

    def feed(self, data: bytes) -> Sequence[Event | Failure]:
        """The events that `data` makes complete."""
        if self._inert:
            return []
        if self._messages is not None:
            return [_event(one) if isinstance(one, Message) else one for one in self._messages.feed(data)]
        if self._lines is not None:
            return self._of_lines(self._lines.feed(data))
        return self._held(data) if self._misfit.found else self._begin(begun(data))

    def close(self) -> Sequence[Event | Failure]:
        """What the end of input makes complete or shows to be cut."""
        out: list[Event | Failure] = []
        if self._inert:
            return out
        if self._messages is not None:
            out += [one for one in self._messages.close() if isinstance(one, Failure)]
        if self._lines is not None:
            rest = self._lines.close()  # a last line without an end: whole, or cut and not to be read
            out += self._of_lines([one for one in rest if self._misfit.found or _is_json(one)])
        if self._misfit.found and not self._inert:
            out.append(self._misfit.failure())
        self._inert = True
        return out

    def _begin(self, data: bytes) -> Sequence[Event | Failure]:
        """Look at what the answer begins with, its blanks left out."""
        if not data:
            return []
        if data[:1] == b"{":
            self._lines = NdjsonDecoder(self._max)
        elif is_odd(data):
            return self._held(data)
        else:
            self._messages = EventStreamDecoder(self._max)
        return self.feed(data)

    def _of_lines(self, lines: Sequence[bytes | Failure]) -> Sequence[Event | Failure]:
        out: list[Event | Failure] = []
        for line in lines:
            if self._inert:
                break
            if isinstance(line, Failure):
                self._end(line, out)
            elif self._misfit.found:
                out += self._held(line)
            else:
                self._of_line(line, out)
        return out

    def _of_line(self, line: bytes, out: list[Event | Failure]) -> None:
        event = _event_of_line(line)
        if event is not None:
            self._events += 1
            out.append(event)
        elif self._events:
            self._end(broken(line, self._events + 1, "not one event by its name"), out)
        else:  # the first line is no event, so this is no stream
            out += self._held(line)

    def _held(self, data: bytes) -> Sequence[Failure]:
        self._misfit.take(data)
        if not self._misfit.full:
            return []
        self._inert = True
        return [self._misfit.failure()]

    def _end(self, failure: Failure, out: list[Event | Failure]) -> None:
        self._inert = True
        out.append(failure)


def _event(message: Message) -> Event:
    """A message's event. Its type is told by a header; one that is an error may have no body."""
    kind = message.text(":message-type")
    if kind == "exception":
        return Event(message.text(":exception-type"), message.payload, failed=True)
    if kind == "error":
        said = {"message": message.text(":error-message")}
        return Event(message.text(":error-code"), msgspec.json.encode(said), failed=True)
    return Event(message.text(":event-type"), message.payload)


def _is_json(line: bytes | Failure) -> bool:
    try:
        msgspec.json.decode(line if isinstance(line, bytes) else b"{}", type=msgspec.Raw)
    except UNREADABLE:
        return False
    return True


def _event_of_line(line: bytes) -> Event | None:
    """A line's event; None where it is no object that holds one event, or one other object."""
    try:
        read = _line(line)
    except UNREADABLE:
        try:  # half a character, or a byte that is none, spoils no event
            read = _line(msgspec.json.encode(read_mended(line.decode("utf-8", "replace").encode())))
        except UNREADABLE:
            return None
    names = [name for name in read if name in KNOWN] or list(read)
    data = bytes(read[names[0]]) if len(names) == 1 else b""
    if data[:1] != b"{":
        return None
    return Event(names[0], data, failed=names[0] == "error" or names[0].endswith("Exception"))
