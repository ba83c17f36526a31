"""One reader of a stream: at its tail while it keeps up, else catching up from the log."""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

from headrace.core.chunk import Failure
from headrace.errors import SlowReader, StreamingError
from headrace.sessions.ending import INTERNAL, Ending, ending_of
from headrace.sessions.session import Session
from headrace.store.log import StreamLog

logger = logging.getLogger("headrace.sessions")
READ_BYTES = 64 * 1024  # at once, from the log
_WAIT_S = 15.0  # for more of a stream that another node makes, before its state is looked at again


class Outlet(Protocol):
    """Where a reader's bytes go. Called on the loop's thread; must neither block nor raise."""

    @property
    def paused(self) -> bool:
        """Whether the client is behind when its reader begins; from then on the reader is told."""

    def give(self, data: bytes, /) -> None:
        """A piece of the body."""

    def finish(self, data: bytes, ending: Ending, /) -> None:
        """The last piece and how the stream ended."""


class Reader:
    """Brings the records behind number `after` to an outlet, each once and in order, and the end.

    paused: its outlet takes nothing now, or there is none any more. A client that is behind by more than
    `slow_bytes` is told so and left.
    """

    __slots__ = (
        "__weakref__",
        "_behind_bytes",
        "_id",
        "_log",
        "_outlet",
        "_session",
        "_slow_bytes",
        "_tasks",
        "_working",
        "at_tail",
        "paused",
        "sent",
    )

    def __init__(
        self,
        id: str,
        after: int,
        outlet: Outlet,
        log: StreamLog,
        tasks: set[asyncio.Task[None]],
        slow_bytes: int,
    ) -> None:
        self._id = id
        self._outlet: Outlet | None = outlet
        self._log = log
        self._tasks = tasks  # of all readers: whoever owns them ends them
        self._slow_bytes = slow_bytes  # 0: it may be as far behind as the log reaches
        self._behind_bytes = 0
        self._session: Session | None = None
        self._working: asyncio.Task[None] | None = None
        self.sent = after
        self.at_tail = False
        self.paused = True

    # What the outlet calls.

    def begin(self, session: Session | None) -> None:
        """Bring what there is. session: the stream's, where it is made here and now."""
        self._session = session
        self.paused = self._outlet is None or self._outlet.paused
        if session is not None:
            session.join(self)
        if not self.at_tail:
            self._catch_up()

    def on_pause(self) -> None:
        """The client is behind."""
        self.paused = True
        if self._session is not None:
            self._session.weigh()

    def on_resume(self) -> None:
        """The client has caught up with what was written."""
        self.paused = self._outlet is None
        if self._session is not None:
            self._session.weigh()
        if not self.at_tail:
            self._catch_up()

    def leave(self) -> None:
        """The client is gone, or has all."""
        self._outlet = None
        self.paused = True
        session, self._session = self._session, None
        if self._working is not None:
            self._working.cancel()
        if session is not None:
            session.leave(self)

    def stop(self, failure: Failure) -> bool:
        """End the stream itself, if it is made here; its end follows."""
        session = self._session
        if session is None:
            return False
        if session.producer is not None:
            session.producer.stop(failure, lost=False)
        return True

    def give_up(self, failure: Failure) -> None:
        """End for the client, who may not have had all that came; nothing where it has ended."""
        session, self._session = self._session, None
        self._end(b"", Ending(failure, said=False))
        if session is not None:
            session.leave(self)

    # What the session calls.

    def give(self, data: bytes, last: int, /) -> None:
        self.sent = last
        if self._outlet is not None:
            self._outlet.give(data)

    def missed(self, data_bytes: int, /) -> None:
        self.at_tail = False
        self._behind_bytes += data_bytes
        if self._slow_bytes and self._behind_bytes > self._slow_bytes:
            message = f"the client was more than {self._slow_bytes} bytes behind; come back for the rest"
            self.give_up(Failure.of(SlowReader(message, retryable=True)))

    def finish(self, data: bytes, ending: Ending, /) -> None:
        self._session = None
        self._end(data, ending)

    def go_behind(self) -> None:
        self._session = None
        self.at_tail = False
        if not self.paused:
            self._catch_up()

    # From the log.

    def _catch_up(self) -> None:
        if self._working is None and self._outlet is not None:
            self._working = task = asyncio.get_running_loop().create_task(self._work())
            self._tasks.add(task)
            task.add_done_callback(self._worked)

    def _worked(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._working = None
        if not task.cancelled() and not self.at_tail and not self.paused and self._outlet is not None:
            self._catch_up()

    async def _work(self) -> None:
        try:
            while not self.paused:
                if await self._step():
                    return
        except StreamingError as error:
            self.give_up(Failure.of(error))
        except Exception:
            # A log with a bug must not leave a client waiting, nor this reader asking it again and again.
            logger.exception("reading stream %s from its log failed", self._id)
            self.give_up(INTERNAL)

    async def _step(self) -> bool:
        """Bring the next records; whether there is nothing more to do here."""
        records = await self._log.read(self._id, self.sent, READ_BYTES)
        outlet = self._outlet
        if outlet is None:
            return True
        if records:
            self.sent += len(records)
            self._behind_bytes = 0
            outlet.give(b"".join(records))
            return False
        if self._session is not None:
            if self._session.sent == self.sent:
                self.at_tail = True
                return True
            return False
        state = await self._log.state(self._id)
        if state is None:
            raise StreamingError("the stream is not kept any more", code="stream_gone", http_status=410)
        if state.end is None:
            await self._log.wait(self._id, self.sent, _WAIT_S)
        elif self.sent >= state.last:
            self._end(b"", ending_of(state.end))
            return True
        return False

    def _end(self, data: bytes, ending: Ending) -> None:
        outlet, self._outlet = self._outlet, None
        self.paused = True
        if outlet is not None:
            outlet.finish(data, ending)
