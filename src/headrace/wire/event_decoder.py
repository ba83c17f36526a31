"""What every decoder of an event stream does alike: frames in, events out, one terminal."""

from __future__ import annotations

from collections.abc import Sequence

from headrace.core.chunk import Chunk, Failure, Terminal
from headrace.framing.frames import Frame, FrameSplitter
from headrace.wire.misfit import Misfit, ReadFailure

MAX_EVENT_BYTES = 16 * 2**20


class EventDecoder:
    """A stage: bytes in any split -> chunks. Eager, linear, never raises; inert after its terminal.

    A wire says what an event means (`_event`) and what the end of input means (`_closed`). failure: its
    reading of an answer that is no event stream, such as a JSON error or an HTML page with a 200.
    """

    __slots__ = ("_done", "_events", "_frames", "_misfit")

    def __init__(self, failure: ReadFailure, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._frames = FrameSplitter(max_event_bytes)
        self._misfit: Misfit | None = Misfit(failure)
        self._events = 0  # that the wire has counted, for messages
        self._done = False

    def feed(self, batch: Sequence[bytes]) -> list[Chunk]:
        """The chunks that `batch` makes complete."""
        out: list[Chunk] = []
        for data in batch:
            if self._done:
                break
            if self._misfit is None or self._fits(data, self._misfit, out):
                self._read(data, out)
        return out

    def close(self) -> list[Chunk]:
        """The end of input: a Finish where the answer was whole, else what is missing as a Failure."""
        out: list[Chunk] = []
        if self._done:
            return out
        if self._misfit is not None and self._misfit.found:
            self._unframed(self._misfit, out)
        else:
            self._closed(out)
        return out

    def _read(self, data: bytes, out: list[Chunk]) -> None:
        bodies = self._frames.bodies(data)
        if bodies is not None:
            for body in bodies:
                if body and not self._done:
                    self._event(body, b"", out)
            return
        named = self._frames.named(data)
        if named is None:
            self._framed(self._frames.feed(data), out)
            return
        for name, body in named:
            if body and not self._done:
                self._event(body, name, out)

    def _framed(self, frames: Sequence[Frame | Failure], out: list[Chunk]) -> None:
        for frame in frames:
            if self._done:
                return
            if isinstance(frame, Failure):
                self._end(frame, out)
            elif frame.data:
                self._event(frame.data, frame.event.encode(), out)

    def _fits(self, data: bytes, misfit: Misfit, out: list[Chunk]) -> bool:
        """Whether this is an event stream at all, looking at how it begins."""
        if misfit.take(data):
            if misfit.full:
                self._end(misfit.failure(), out)
            return False
        if misfit.settled:
            self._misfit = None
        return True

    def _end(self, terminal: Terminal, out: list[Chunk]) -> None:
        """The terminal, once."""
        if not self._done:
            self._done = True
            out.append(terminal)

    def _unframed(self, misfit: Misfit, out: list[Chunk]) -> None:
        """The input has ended and was no event stream: a failure, where a wire does not know better."""
        self._end(misfit.failure(), out)

    def _event(self, data: bytes, name: bytes, out: list[Chunk]) -> None:
        """Read one event. data: never empty. name: the event's own, empty for most wires."""
        raise NotImplementedError

    def _closed(self, out: list[Chunk]) -> None:
        """The input has ended before a terminal."""
        raise NotImplementedError
