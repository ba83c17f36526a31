"""Server-sent events, sans-io: bytes in any split -> events, and back. Source: WHATWG HTML 9.2.6.

There is one way through the decoder: line ends become LF, lines are cut, an empty line dispatches. Beside it
runs the short cut of `ordinary.py`.
"""

from __future__ import annotations

import msgspec

from headrace.core.chunk import Failure
from headrace.errors import WireError
from headrace.framing.ordinary import one_line_events

MAX_LINE_BYTES = 16 * 2**20
MAX_EVENT_BYTES = 32 * 2**20
MAX_RETRY_MS = 2**53  # a longer wait (285,000 years) is cut to this, so that no number is too big to parse
_BOM = b"\xef\xbb\xbf"


class Event(msgspec.Struct, frozen=True, gc=False):
    """One dispatched event.

    event: its name. data: the data lines joined by LF. id: the last event id, which persists until it is
    changed or reset by an empty `id`. retry: the reconnection time in ms, where the event's own block set it.
    """

    event: str
    data: str
    id: str = ""
    retry: int | None = None


class SseDecoder:
    """Bytes in any split -> events, eager and linear.

    Over a limit it appends one `Failure` (kind `wire`; code `line_too_long` or `event_too_long`) to what it
    already has and goes inert. It holds at most one line and one event. An event that has not ended when the
    stream does is discarded, as the standard says: whether the stream was complete is for the wire to tell.

    max_line_bytes: of one line, without its end. max_event_bytes: of one event's data, joined.
    last_event_id: where a client that reconnects goes on; then, as of the last block that ended.
    retry: the last reconnection time that was set, in ms.
    """

    __slots__ = (
        "_after_cr",
        "_at_start",
        "_clean",
        "_data",
        "_event",
        "_id",
        "_inert",
        "_max_event",
        "_max_line",
        "_part",
        "_retry",
        "_short_cut_max",
        "last_event_id",
        "retry",
    )

    def __init__(
        self,
        max_line_bytes: int = MAX_LINE_BYTES,
        max_event_bytes: int = MAX_EVENT_BYTES,
        *,
        last_event_id: str = "",
    ) -> None:
        if max_line_bytes < 1 or max_event_bytes < 1:
            raise ValueError("max_line_bytes and max_event_bytes must be at least 1")
        self.retry: int | None = None
        self.last_event_id = last_event_id
        self._max_line = max_line_bytes
        self._max_event = max_event_bytes
        self._short_cut_max = min(max_line_bytes, max_event_bytes)
        self._at_start = True  # a byte order mark may still come
        self._after_cr = False  # an LF next belongs to the line end before it
        self._inert = False
        self._clean = True  # nothing is pending: no part of a line, no field of a block, no CR
        self._part = bytearray()
        self._data: bytes | bytearray | None = None
        self._event = ""
        self._id = last_event_id
        self._retry: int | None = None

    def feed(self, data: bytes) -> list[Event | Failure]:
        """The events that `data` makes complete."""
        whole = one_line_events(data, self._short_cut_max) if self._clean else None
        if whole is None:
            return self._read(data)
        self._at_start = False
        last_id = self.last_event_id
        return [Event("message", str(one, "utf-8", "replace"), last_id) for one in whole]

    def close(self) -> list[Event | Failure]:
        """Nothing: an unfinished event is discarded. The decoder is inert from here on."""
        self._stop()
        return []

    def _read(self, data: bytes) -> list[Event | Failure]:
        """Any read at all."""
        if self._inert or not data:
            return []
        if self._at_start:
            data = self._past_mark(data)
        *lines, rest = self._line_feeds(data).split(b"\n")
        if lines and self._part:
            lines[0] = bytes(self._part) + lines[0]
            self._part.clear()
        out: list[Event | Failure] = []
        for line in lines:
            if not line:
                self._end_block(out)
            elif len(line) > self._max_line:
                return self._fail(out, "line_too_long", f"a line is longer than {self._max_line} bytes")
            elif not self._take(line):
                return self._fail(out, "event_too_large", f"an event is larger than {self._max_event} bytes")
        if len(self._part) + len(rest) > self._max_line and not self._at_start:
            return self._fail(out, "line_too_long", f"a line is longer than {self._max_line} bytes")
        self._part += rest
        self._clean = not (
            self._part
            or self._after_cr
            or self._data is not None
            or self._event
            or self._retry is not None
            or self._id != self.last_event_id
        )
        return out

    def _past_mark(self, data: bytes) -> bytes:
        """`data` without the one byte order mark that a stream may begin with, itself cut anywhere."""
        data = bytes(self._part) + data
        self._part.clear()
        if len(data) < len(_BOM) and _BOM.startswith(data):
            self._part += data
            return b""
        self._at_start = False
        return data.removeprefix(_BOM)

    def _line_feeds(self, data: bytes) -> bytes:
        """`data` with each CRLF and each lone CR as one LF, also where a CRLF is cut in two."""
        if self._after_cr and data:
            self._after_cr = False
            data = data.removeprefix(b"\n")
        if b"\r" not in data:
            return data
        self._after_cr = data[-1:] == b"\r"
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _take(self, line: bytes) -> bool:
        """Take one line that is not empty. False where it makes the event too large."""
        if line[:6] == b"data: ":
            return self._add_data(line[6:])
        name, _, value = line.partition(b":")
        if value[:1] == b" ":
            value = value[1:]
        if name == b"data":
            return self._add_data(value)
        if name == b"event":
            self._event = str(value, "utf-8", "replace")
        elif name == b"id":
            if b"\0" not in value:
                self._id = str(value, "utf-8", "replace")
        elif name == b"retry" and value.isdigit():  # of bytes: ASCII digits only
            digits = value.lstrip(b"0")
            self._retry = min(int(digits or b"0"), MAX_RETRY_MS) if len(digits) < 20 else MAX_RETRY_MS
            self.retry = self._retry
        return True

    def _add_data(self, value: bytes) -> bool:
        held = self._data
        if held is None:
            self._data = value
            return len(value) <= self._max_event
        if not isinstance(held, bytearray):
            # Not a list of lines: a hostile event of a million empty ones would cost 50 bytes for each.
            self._data = held = bytearray(held)
        held += b"\n"
        held += value
        return len(held) <= self._max_event

    def _end_block(self, out: list[Event | Failure]) -> None:
        self.last_event_id = self._id
        data = self._data
        if data is not None:
            self._data = None
            text = str(data, "utf-8", "replace")
            out.append(Event(self._event or "message", text, self._id, self._retry))
        self._event = ""
        self._retry = None

    def _fail(self, out: list[Event | Failure], code: str, message: str) -> list[Event | Failure]:
        self._stop()
        out.append(Failure.of(WireError(message, code=code)))
        return out

    def _stop(self) -> None:
        self._inert = True
        self._clean = False
        self._part = bytearray()
        self._data = None


def encode_event(data: str | bytes, event: str = "", id: str = "", retry: int | None = None) -> bytes:
    """One event as bytes, its blank line included. What decodes from it is what went in.

    data: any text; CR, LF and CRLF in it all arrive as LF. event: empty for an ordinary message. id: empty
    for none. retry: ms.
    Raises: ValueError for an event name or id with a line end, an id with NUL, a negative retry: none of them
    can be written so that it arrives.
    """
    raw = data.encode() if isinstance(data, str) else data
    head = _head(event, id, retry) if event or id or retry is not None else b""
    if b"\n" not in raw and b"\r" not in raw:
        return b"%sdata: %s\n\n" % (head, raw)
    lines = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    return b"%sdata: %s\n\n" % (head, b"\ndata: ".join(lines))


def _head(event: str, id: str, retry: int | None) -> bytes:
    for name, value in (("event", event), ("id", id)):
        if "\n" in value or "\r" in value or (name == "id" and "\0" in value):
            raise ValueError(f"{name} {value!r} cannot be written into an event stream")
    if retry is not None and retry < 0:
        raise ValueError(f"retry must not be negative, not {retry}")
    head = f"event: {event}\n" if event else ""
    head += f"id: {id}\n" if id else ""
    head += f"retry: {retry}\n" if retry is not None else ""
    return head.encode()


def comment(text: str = "ping") -> bytes:
    """One comment line: the keep-alive.

    No blank line follows it: behind an `id`, that makes well-known clients see an empty event.
    Raises: ValueError for text with a line end.
    """
    if "\n" in text or "\r" in text:
        raise ValueError(f"a comment is one line, not {text!r}")
    return f": {text}\n".encode()
