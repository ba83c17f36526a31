"""Every stream of this process: those being made, and what their log keeps of the others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakSet

from headrace.core.chunk import Failure
from headrace.errors import StreamCancelledException
from headrace.sessions.reader import Outlet, Reader
from headrace.sessions.session import Session, SlowReaders
from headrace.store.log import StreamHead, StreamLog, StreamState
from headrace.store.memory import MemoryLog

CLOSED = Failure.of(
    StreamCancelledException(
        "the streams were closed before the end of this one", code="closed", http_status=503
    )
)
_STOP_S = 5.0  # for the end of a stream that somebody else makes to arrive


class Sessions:
    """Makes sessions, finds streams and brings readers to them. Belongs to one event loop.

    live: the streams that are being made here, by id. slow_readers: what a client that does not keep up
    does to its stream (see `docs/topics/streams.md`). slow_bytes: how far behind it may be under "drop".
    on_quiet: called when no stream is being made any more.
    """

    def __init__(
        self, log: StreamLog | None = None, *, slow_readers: SlowReaders = "pause", slow_bytes: int = 2**20
    ) -> None:
        self.log: StreamLog = log if log is not None else MemoryLog()
        self.live: dict[str, Session] = {}
        self._slow_readers: SlowReaders = slow_readers
        self._slow_bytes = slow_bytes if slow_readers == "drop" else 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._readers: WeakSet[Reader] = WeakSet()  # one that is behind may be known to nobody else
        self.on_quiet: Callable[[], None] | None = None
        self._on_end = self._ended  # one bound method for all sessions
        self._opened: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Make the log ready; once, whoever asks first. Raises ConfigError."""
        if self._opened is None:
            self._opened = asyncio.ensure_future(self.log.open())
        await asyncio.shield(self._opened)

    async def aclose(self, failure: Failure = CLOSED) -> None:
        """End every stream, every reader and the log. failure: what is told those who did not have all."""
        self.stop_all(failure)
        await self._end_reading()
        opened, self._opened = self._opened, None
        if opened is not None:
            await self.log.aclose()
            await self._end_reading()  # what the last commits began
        for reader in list(self._readers):
            reader.give_up(failure)

    async def _end_reading(self) -> None:
        """Nobody reads the log."""
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def begin(
        self,
        id: str,
        facts: dict[str, Any],
        *,
        owner: str = "",
        alias: str = "",
        events: bool,
        tells_ids: bool,
        detaches: bool,
    ) -> Session:
        """A new stream.

        facts: what its readers must know of it. alias: another name of the owner's for his latest stream.
        events, tells_ids, detaches: see `Session`.
        """
        head = StreamHead(id, owner, time.time(), facts, alias)
        session = Session(
            head,
            self.log,
            self._on_end,
            events=events,
            tells_ids=tells_ids and self.log.keeps,
            detaches=detaches,
            slow_readers=self._slow_readers,
        )
        self.live[id] = session
        return session

    def reader(self, id: str, after: int, outlet: Outlet) -> Reader:
        """A reader of the records behind number `after`; `begin` it with the session, if it is here."""
        reader = Reader(id, after, outlet, self.log, self._tasks, self._slow_bytes)
        self._readers.add(reader)
        return reader

    async def state(self, id: str, owner: str = "") -> StreamState | None:
        """What is known of a stream; None where it is unknown, or somebody else's."""
        found = await self.log.state(id)
        return found if found is not None and found.head.owner == owner else None

    async def states(self, owner: str = "", limit: int = 1000) -> Sequence[StreamState]:
        """The latest streams of one owner, newest first."""
        return await self.log.states(owner, limit)

    async def stop(self, state: StreamState) -> StreamState:
        """Have a stream stopped, wherever it is made; its state, with the end where that came in time."""
        id, until_s = state.head.id, time.monotonic() + _STOP_S
        if state.end is None:
            await self.log.ask_to_stop(id)
        while state.end is None and (left_s := until_s - time.monotonic()) > 0:
            await self.log.wait(id, state.last, left_s)
            found = await self.log.state(id)
            if found is None:
                break
            state = found
        return state

    def stop_all(self, failure: Failure) -> None:
        """End every stream that is being made."""
        for session in list(self.live.values()):
            if session.producer is not None:
                session.producer.stop(failure, lost=False)

    def _ended(self, session: Session) -> None:
        self.live.pop(session.id, None)
        if not self.live and self.on_quiet is not None:
            self.on_quiet()
