"""A stream with an id and a log: what is said goes into the log, and from there to whoever reads.

A record reaches a reader only when the log has committed it: a number that a client has seen is one that it
can come back for. A reader that keeps up is given records as they are committed; one that does not reads
them from the log later (`reader.Reader`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, Protocol, TypeAlias

from headrace.core.chunk import Cancelled, Failure, Terminal
from headrace.errors import StreamingError
from headrace.metrics.clock import StreamClock
from headrace.sessions.ending import Ending
from headrace.sessions.numbering import number_events
from headrace.store.log import StreamEnd, StreamHead, StreamLog

SlowReaders: TypeAlias = Literal["pause", "spill", "drop"]


class Producer(Protocol):
    """Who makes a stream, as its session calls it. clock: what the stream is like so far."""

    @property
    def clock(self) -> StreamClock: ...

    def hold(self) -> None:
        """Bring less."""

    def go_on(self) -> None:
        """Bring more again."""

    def stop(self, terminal: Terminal, /, *, lost: bool) -> None:
        """End now; the session's `end` follows at once. lost: because its reader went away."""


class Taker(Protocol):
    """One who reads; see `reader.Reader`."""

    sent: int
    at_tail: bool
    paused: bool

    def give(self, data: bytes, last: int, /) -> None:
        """Records up to number `last`."""

    def missed(self, data_bytes: int, /) -> None:
        """Records have come while it was paused: it reads them from the log when it goes on."""

    def finish(self, data: bytes, ending: Ending, /) -> None:
        """The last of them, and how the stream ended."""

    def go_behind(self) -> None:
        """The session has ended, and the log has what is still missing."""


class Session:
    """One stream that is being made. Belongs to one event loop.

    events: records are server-sent events; tells_ids: which carry their numbers. detaches: the stream goes
    on without readers; else it is stopped when the last one leaves. slow_readers: where nothing is kept
    nobody can read later: then "pause" is all there is, and one who is behind holds all. last: its latest
    record. sent: the latest that is committed. on_end: called once, when the end is committed.
    """

    __slots__ = (
        "_detaches",
        "_ended",
        "_ending",
        "_events",
        "_full",
        "_held",
        "_keeps",
        "_log",
        "_on_end",
        "_pending",
        "_slow_readers",
        "_tells_ids",
        "head",
        "last",
        "producer",
        "readers",
        "sent",
    )

    def __init__(
        self,
        head: StreamHead,
        log: StreamLog,
        on_end: Callable[[Session], None],
        *,
        events: bool,
        tells_ids: bool,
        detaches: bool,
        slow_readers: SlowReaders,
    ) -> None:
        self.head = head
        self.last = 0
        self.sent = 0
        self.readers: list[Taker] = []
        self.producer: Producer | None = None
        self._log = log
        self._on_end = on_end
        self._events = events and log.keeps  # where nobody reads again, nobody asks for numbers
        self._tells_ids = tells_ids
        self._detaches = detaches
        self._keeps = log.keeps
        self._slow_readers = slow_readers if log.keeps else "pause"
        self._pending: list[bytes] = []
        self._full = False
        self._held = False
        self._ending: Ending | None = None
        self._ended = False
        log.begin(head, self)

    @property
    def id(self) -> str:
        return self.head.id

    @property
    def paused(self) -> bool:
        """Whether the source is held, by the log or by its readers."""
        return self._held

    # What the producer calls.

    def write(self, pieces: Sequence[bytes]) -> None:
        """Take what follows. Pieces of an event stream end where events end."""
        frames = number_events(pieces, self.last, told=self._tells_ids) if self._events else pieces
        if not frames or self._ending is not None:
            return
        self.last += len(frames)
        self._pending += frames
        if not self._log.append(self.head.id, frames):
            self._full = True
            self.weigh()

    def end(self, end: StreamEnd, pieces: Sequence[bytes], ending: Ending) -> None:
        """Take the last pieces and how it ended; what comes after is not taken."""
        if self._ending is not None:
            return
        frames = number_events(pieces, self.last, told=self._tells_ids) if self._events else list(pieces)
        self._ending = ending
        self.producer = None
        self.last += len(frames)
        self._pending += frames
        self._log.end(self.head.id, end, frames)

    # What the log calls.

    def committed(self, last: int, ended: bool = False, /) -> None:
        count = last - self.sent
        pending = self._pending
        if count == len(pending):
            self._pending = []
        else:
            pending, self._pending = pending[:count], pending[count:]
        self.sent = last
        data = pending[0] if count == 1 else b"".join(pending)
        if ended and self._ending is not None:
            self._finish(data, self._ending)
        elif data:
            readers = self.readers
            for reader in readers if len(readers) == 1 else tuple(readers):
                if reader.paused and self._keeps:
                    reader.missed(len(data))
                elif reader.at_tail:
                    reader.give(data, last)

    def room(self) -> None:
        self._full = False
        self.weigh()

    def stop(self) -> None:
        if self.producer is not None:
            self.producer.stop(Cancelled("it was stopped on request"), lost=False)

    def broke(self, error: StreamingError, /) -> None:
        failure = Failure.of(error)
        if self.producer is not None:
            self.producer.stop(failure, lost=False)
        # Nothing more will be committed; the readers are told all the same, without numbers.
        self._pending = []
        self.last = self.sent
        self._finish(b"", Ending(failure, said=False, words=self._ending.words if self._ending else b""))

    # What readers call.

    def join(self, reader: Taker) -> None:
        """A reader that has all up to `sent` is given what follows."""
        reader.at_tail = reader.sent == self.sent
        self.readers.append(reader)
        self.weigh()

    def leave(self, reader: Taker) -> None:
        """A reader has gone."""
        if reader in self.readers:
            self.readers.remove(reader)
        if not self.readers and not self._detaches and self.producer is not None:
            self.producer.stop(Cancelled("the client went away"), lost=True)
        else:
            self.weigh()

    def weigh(self) -> None:
        """Hold the source, or let it go on, as the log and the readers are."""
        holds = self._full or (
            self._slow_readers == "pause"
            and bool(self.readers)
            and (all if self._keeps else any)(reader.paused for reader in self.readers)
        )
        if holds != self._held and self.producer is not None:
            self._held = holds
            if holds:
                self.producer.hold()
            else:
                self.producer.go_on()

    def _finish(self, data: bytes, ending: Ending) -> None:
        if self._ended:
            return
        self._ended = True
        readers, self.readers = self.readers, []
        self._on_end(self)
        for reader in readers:
            if reader.at_tail and not (reader.paused and self._keeps):
                reader.finish(data, ending)
            else:
                reader.go_behind()
