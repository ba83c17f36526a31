"""Same wire in and out: whole events pass as they came; the wire's own decoder judges them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

import msgspec

from headrace.core.chunk import (
    TERMINALS,
    Chunk,
    Failure,
    Finish,
    ReasoningDelta,
    Terminal,
    UsageReport,
)
from headrace.core.content import CONTENT
from headrace.core.stage import Stage
from headrace.core.usage import Usage
from headrace.errors import RequestError
from headrace.framing.frames import Frame, FrameSplitter
from headrace.wire.base import MakeDecoder
from headrace.wire.misfit import begun, is_odd
from headrace.wire.reading import UNREADABLE

T = TypeVar("T")
# (the failure, how many events have passed) -> the last bytes of the stream.
WriteFailure: TypeAlias = Callable[[Failure, int], bytes]


class EventRelay:
    """A stage: bytes in any split -> the bytes to forward and, last, one terminal. See `base.Relay`.

    An event leaves when it is whole and the decoder takes it, so a client never sees half of one. One that
    breaks the wire or is an error does not leave: it is the `Failure`. What is held back is one event.
    ending: the wire's own terminator, written where an answer was whole and its provider forgot it.
    data_only: of an event that has more than one line of data (comments, a name, a line end that is cut in
    two), only its data leaves: for wires whose clients take every other line for an answer.
    """

    __slots__ = (
        "_data_only",
        "_decoder",
        "_done",
        "_ending",
        "_events",
        "_frames",
        "_odd",
        "_settled",
        "_write_failure",
        "content_events",
        "reasoning_events",
        "usage",
    )

    def __init__(
        self,
        decoder: Stage[bytes, Chunk],
        write_failure: WriteFailure,
        ending: bytes = b"",
        *,
        data_only: bool = False,
    ) -> None:
        self._decoder = decoder
        self._write_failure = write_failure
        self._ending = ending
        self._data_only = data_only
        self._frames = FrameSplitter()
        self._events = 0
        self._done = False
        self._settled = False  # whether it is known what the answer is
        self._odd = False
        self.content_events = 0
        self.reasoning_events = 0
        self.usage: Usage | None = None

    def feed(self, batch: Sequence[bytes]) -> list[bytes | Terminal]:
        """What `batch` makes ready to forward."""
        out: list[bytes | Terminal] = []
        for data in batch:
            if self._done:
                break
            if not self._settled:
                beginning = begun(data)
                self._settled, self._odd = bool(beginning), is_odd(beginning)
            if self._odd:  # no event stream: the decoder says what it is, and none of it leaves
                self._take(self._decoder.feed((data,)), out)
            elif self._is_one_event(data):
                self._pass(data, data, 1, out)
            else:
                self._framed(self._frames.feed(data), out)
        return out

    def close(self) -> list[bytes | Terminal]:
        """The end of input, as the decoder judges it."""
        out: list[bytes | Terminal] = []
        if not self._done:
            chunks = self._decoder.close()
            if self._ending and chunks and isinstance(chunks[-1], Finish):
                out.append(self._ending)
            self._take(chunks, out)
        return out

    def failed(self, failure: Failure) -> bytes:
        """The failure as the last bytes of a stream that has begun."""
        return self._write_failure(failure, self._events)

    def _is_one_event(self, data: bytes) -> bool:
        """Whether it is plainly one whole event, which nearly every read of a slow stream is."""
        return (
            data[-2:] == b"\n\n"
            and data.find(b"\n\n") == len(data) - 2
            and b"\r" not in data
            and not self._frames.held_bytes
            and not self._data_only
        )

    def _framed(self, frames: Sequence[Frame | Failure], out: list[bytes | Terminal]) -> None:
        for frame in frames:
            if self._done:
                return
            if isinstance(frame, Failure):
                self._end(frame, out)
            elif not self._data_only:
                self._pass(frame.raw, frame.raw, frame.data is not None, out)
            elif frame.data is not None:
                self._pass(frame.raw, _bare(frame.raw, frame.data), 1, out)

    def _pass(self, raw: bytes, leaves: bytes, events: int, out: list[bytes | Terminal]) -> None:
        chunks = self._decoder.feed((raw,))
        if not chunks or not isinstance(chunks[-1], Failure):
            out.append(leaves)
            self._events += events
        self._take(chunks, out)

    def _take(self, chunks: Sequence[Chunk], out: list[bytes | Terminal]) -> None:
        for chunk in chunks:
            kind = type(chunk)
            if kind in CONTENT:
                self.content_events += 1
                if kind is ReasoningDelta:
                    self.reasoning_events += 1
            elif kind is UsageReport:
                self.usage = chunk.usage  # type: ignore[union-attr]
            elif isinstance(chunk, TERMINALS):
                self._end(chunk, out)

    def _end(self, terminal: Terminal, out: list[bytes | Terminal]) -> None:
        if not self._done:
            self._done = True
            out.append(terminal)


def _bare(raw: bytes, data: bytes) -> bytes:
    """An event without anything but its data; as it came, where that is all it has."""
    if raw[:6] == b"data: " and raw.endswith((b"\r\n\r\n", b"\n\n")) and raw.count(b"\n") == 2:
        return raw
    return b"data: %b\r\n\r\n" % data.replace(b"\n", b"\r\ndata: ")


def event_relay(
    decoder: MakeDecoder, write_failure: WriteFailure, ending: bytes = b"", *, data_only: bool = False
) -> Callable[[bool, Mapping[str, Any]], EventRelay]:
    """The `relay` of a wire: a fresh one for each stream. Usage passes whether it was asked for or not."""
    return lambda _include_usage, quirks: EventRelay(
        decoder(quirks), write_failure, ending, data_only=data_only
    )


def renamed(fields: Mapping[str, Any], model: str, refused: Iterable[str]) -> bytes | None:
    """A client's body for another model: streamed, every other field as it is given (see `raw_fields`).

    None where it has one that the provider refuses: `build` leaves that out, with a warning.
    """
    if not fields.keys().isdisjoint(refused):
        return None
    return msgspec.json.encode({**fields, "model": model, "stream": True})


def raw_fields(body: bytes) -> dict[str, Any]:
    """A JSON object's fields, each as its very bytes. Raises RequestError where it is none."""
    return read_as(body, dict[str, msgspec.Raw])


def read_as(body: bytes, kind: type[T]) -> T:
    """What of a checked body `kind` knows; the rest is skipped. Raises RequestError where it is none."""
    try:
        return msgspec.json.decode(body, type=kind)
    except UNREADABLE as error:
        raise RequestError(f"the body cannot be read: {error}", code="invalid_json") from None
