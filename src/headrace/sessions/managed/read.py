"""A session's records -> envelopes, for one reader."""

from __future__ import annotations

import asyncio

from headrace.core.chunk import Cancelled, Failure, Finish, Terminal
from headrace.core.model import Sink
from headrace.errors import RequestError, StreamingError
from headrace.sessions.ending import Ending
from headrace.sessions.managed.failing import exception_of
from headrace.sessions.managed.making import Kept, Making
from headrace.sessions.managed.records import unpack
from headrace.sessions.managed.types import StreamChunk
from headrace.sessions.reader import Reader
from headrace.sessions.table import Sessions
from headrace.stream.push import failed, raised


class EnvelopeReader:
    """A source of the envelopes behind record `after`; it is its reader's outlet, too.

    When the last reader of a stream is closed the stream is stopped, and the end is told when the stream's
    own source has freed what it held.
    """

    def __init__(self, id: str, after: int, stream: Making | Kept, sessions: Sessions) -> None:
        self.id = id
        self.paused = False
        self._after = after
        self._stream = stream
        self._sessions = sessions
        self._sink: Sink[StreamChunk] | None = None
        self._opening: asyncio.Task[None] | None = None
        self._reader: Reader | None = None
        self._cancelled = False
        stream.expect()

    # A source.

    def start(self, sink: Sink[StreamChunk], /) -> None:
        self._sink = sink
        self._opening = asyncio.get_running_loop().create_task(self._open())

    def pause(self) -> None:
        self.paused = True
        if self._reader is not None:
            self._reader.on_pause()

    def resume(self) -> None:
        self.paused = False
        if self._reader is not None:
            self._reader.on_resume()

    def cancel(self) -> None:
        if self._cancelled:
            return
        self._cancelled = True
        if self._reader is None:
            if self._opening is not None:
                self._opening.cancel()
            self._stream.drop()
            self._end(_CLOSED)
        elif self._sink is not None:
            self._reader.leave()
            self._stream.when_idle(lambda: self._end(_CLOSED))

    def give_up(self, failure: Failure) -> None:
        """End for the reader, who may not have had all that came; nothing where it has ended."""
        self._end(raised(exception_of(failure, self.id)))
        self.cancel()  # what it was about to open is not begun

    async def _open(self) -> None:
        try:
            session, last = await self._stream.open()
            if self._after > last:
                said = (
                    f"after_sequence: the stream has {last} chunks, there is nothing behind {self._after - 1}"
                )
                raise RequestError(said, field="after_sequence", value=self._after - 1)
        except Exception as error:  # noqa: BLE001 - the reader gets it
            self._stream.drop()
            self._cancelled = True
            self._end(failed(error))
            return
        finally:
            self._opening = None
        self._reader = self._sessions.reader(self.id, self._after, self)
        self._reader.begin(session)
        self._stream.go()

    # An outlet.

    def give(self, data: bytes, /) -> None:
        sink = self._sink
        if sink is None or self._cancelled:
            return
        try:
            chunks = unpack(data)
        except StreamingError as error:
            self._end(raised(exception_of(Failure.of(error), self.id)))
            if self._reader is not None:
                self._reader.leave()
            return
        sink.push(chunks)

    def finish(self, data: bytes, ending: Ending, /) -> None:
        if data:
            self.give(data)
        failure = ending.failure
        if not self._cancelled:
            self._end(Finish() if failure is None else raised(exception_of(failure, self.id)))

    def _end(self, terminal: Terminal) -> None:
        sink, self._sink = self._sink, None
        if sink is not None:
            sink.end(terminal)


_CLOSED = Cancelled("closed by its reader")
