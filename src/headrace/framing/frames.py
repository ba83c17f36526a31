"""SSE as whole frames with their original bytes: what a relay forwards and a decoder reads.

`SseDecoder` gives what an event stream means; a relay also needs the very bytes it came in, and a decoder
of JSON wants bytes, not text. The ordinary frame (`data: ...` and a blank line, LF only) takes a path of its
own that costs a few slices; every other framing the standard allows goes by the general path.
"""

from __future__ import annotations

import re

import msgspec

from headrace.core.chunk import Failure
from headrace.errors import WireError
from headrace.framing.ordinary import one_line_events

# Atomic groups: a CRLF is one line end, never a CR and then an LF.
_BLANK_LINE = re.compile(rb"(?>\r\n|\n|\r)(?>\r\n|\n|\r)")
_LINE_END = re.compile(rb"\r\n|\n|\r(?!\Z)")
_LINES = re.compile(rb"\r\n|\n|\r")
_BOM = b"\xef\xbb\xbf"


class Frame(msgspec.Struct, frozen=True, gc=False):
    """One event or comment. data: its data lines joined by LF; None where it dispatches nothing."""

    raw: bytes
    data: bytes | None
    event: str = ""


class FrameSplitter:
    """Bytes in any split -> whole frames, eager and linear. Source: WHATWG HTML 9.2.6.

    The frames' bytes joined are the bytes fed, less what is held. A frame ends as soon as it can: where a
    read ends between the CR and the LF of a blank line, that LF begins the next frame and changes no event.
    What it holds back never exceeds `max_event_bytes`; a longer event is a Failure and then nothing.
    """

    __slots__ = ("_cr", "_dead", "_first", "_max", "_pending", "_seen")

    def __init__(self, max_event_bytes: int = 16 * 2**20) -> None:
        self._max = max_event_bytes
        self._pending = bytearray()
        self._seen = 0  # how much of `_pending` was searched for a blank line before
        self._first = True
        self._cr = False  # whether `_pending` holds a CR: without one a blank line is simply two LFs
        self._dead = False

    @property
    def held_bytes(self) -> int:
        """Bytes of an unfinished frame."""
        return len(self._pending)

    def bodies(self, data: bytes) -> list[bytes] | None:
        """The short cut: each event's data, where `data` is whole events of one `data: ` line each.

        None where it is anything else or a frame is held: give it to `feed`.
        """
        if self._pending or self._dead:
            return None
        whole = one_line_events(data, self._max)
        if whole is not None:
            self._first = False
        return whole

    def named(self, data: bytes) -> list[tuple[bytes, bytes]] | None:
        """The short cut for wires that name their events: (name, data) of each event, where `data` is whole
        events of an `event: ` line and a `data: ` line.

        None where it is anything else or a frame is held: give it to `feed`.
        """
        if self._pending or self._dead or data[:7] != b"event: " or data[-2:] != b"\n\n":
            return None
        if len(data) > self._max or b"\r" in data:
            return None
        whole = data[7:-2].split(b"\n\nevent: ")
        # Each event ends in two of them and has one inside, so with this count there is no further one.
        if data.count(b"\n") != 3 * len(whole):
            return None
        pairs: list[tuple[bytes, bytes]] = []
        for one in whole:
            name, line_end, body = one.partition(b"\ndata: ")
            if not line_end:
                return None
            pairs.append((name, body))
        self._first = False
        return pairs

    def feed(self, data: bytes) -> list[Frame | Failure]:
        """The frames that `data` makes complete."""
        if self._dead or not data:
            return []
        self._pending += data
        self._cr = self._cr or b"\r" in data
        if self._end_of_frame(self._pending, 0) < 0:
            self._seen = len(self._pending)
            return [self._too_long()] if self._seen > self._max else []
        return self._cut(bytes(self._pending))

    def _cut(self, held: bytes) -> list[Frame | Failure]:
        frames: list[Frame | Failure] = []
        at = 0
        while (end := self._end_of_frame(held, at)) >= 0:
            if end - at > self._max:
                return [*frames, self._too_long()]
            frames.append(self._frame(held[at:end]))
            self._seen = at = end
        del self._pending[:at]
        self._seen = len(self._pending)
        self._cr = self._cr and b"\r" in self._pending
        if self._seen > self._max:
            frames.append(self._too_long())
        return frames

    def _end_of_frame(self, held: bytes | bytearray, at: int) -> int:
        """Where the frame that begins at `at` ends, -1 while it has not."""
        start = at + 3 if self._first and held[at : at + 3] == _BOM else at
        if held[start : start + 1] == b":":
            # A keep-alive is one comment line without a blank line: it must not wait for the next event.
            line = _LINE_END.search(held, max(start, self._seen - 1))
            return line.end() if line else -1
        unread = max(at, self._seen - 3)
        if not self._cr:
            blank = held.find(b"\n\n", unread)
            return blank + 2 if blank >= 0 else -1
        found = _BLANK_LINE.search(held, unread)
        return found.end() if found else -1

    def _frame(self, raw: bytes) -> Frame:
        body = raw[3:] if self._first and raw[:3] == _BOM else raw
        self._first = False
        if body[:6] == b"data: " and body[-2:] == b"\n\n" and b"\n" not in body[:-2] and b"\r" not in body:
            return Frame(raw, body[6:-2])
        data: list[bytes] = []
        event = ""
        for line in _LINES.split(body):
            name, _, value = line.partition(b":")
            value = value[1:] if value[:1] == b" " else value
            if name == b"data":
                data.append(value)
            elif name == b"event":
                event = value.decode("utf-8", "replace")
        return Frame(raw, b"\n".join(data) if data else None, event)

    def _too_long(self) -> Failure:
        self._dead = True
        self._pending.clear()
        return Failure.of(WireError(f"an event is longer than {self._max} bytes", code="event_too_long"))
