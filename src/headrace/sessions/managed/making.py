"""A managed stream from its being asked for to its end, and where its readers find it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from headrace.core.chunk import Cancelled, Terminal
from headrace.core.excerpt import excerpt
from headrace.core.model import Source
from headrace.errors import RequestError
from headrace.sessions.managed.produce import EnvelopeProducer
from headrace.sessions.managed.types import StreamChunk, StreamContext
from headrace.sessions.session import Session
from headrace.sessions.table import Sessions

CANCELLED = Cancelled("the stream was cancelled")
ENVELOPES = "envelopes"  # what a head's facts say of a stream whose records are those of `records`


class Opened(NamedTuple):
    """What a reader joins. session: None where the stream is not made here, or not any more. last: its latest
    record."""

    session: Session | None
    last: int


class Making:
    """A stream that was asked for. It begins with its first reader, or with whoever stops it before.

    make: begins its session with its producer. producer: None before it has begun.
    """

    def __init__(
        self,
        context: StreamContext,
        source: Source[StreamChunk],
        sessions: Sessions,
        make: Callable[[Session, StreamContext], EnvelopeProducer],
    ) -> None:
        self.context = context
        self.session: Session | None = None
        self.producer: EnvelopeProducer | None = None
        self._source: Source[StreamChunk] | None = source
        self._sessions = sessions
        self._make = make
        self._readers = 0  # that have not opened it yet
        self._dropped = False  # before it began: there is nothing to read any more

    @property
    def terminal(self) -> Terminal | None:
        """How it ended; None before."""
        if self.producer is not None:
            return self.producer.terminal
        return CANCELLED if self._dropped else None

    # What readers call.

    def expect(self) -> None:
        """There is one more reader, who will `open` or `drop` it."""
        self._readers += 1

    def drop(self) -> None:
        """A reader has gone before it opened it: with the last one, what was to be streamed is freed."""
        self._readers -= 1
        if not self._readers and self.producer is None:
            self._dropped = True
            self._cancel_source()

    async def open(self) -> Opened:
        """Begin, unless that was done. Raises ConfigError, and RequestError for an id that is in use."""
        await self._sessions.open()
        session = self.session or self._begin()
        if self._dropped:
            self.stop(CANCELLED)
        live = self._sessions.live.get(session.id)
        return Opened(live, session.last if live is None else session.sent)

    def go(self) -> None:
        """Start the source, unless that was done: somebody reads."""
        source, self._source = self._source, None
        if source is not None and self.producer is not None:
            self.producer.begin(source)

    def when_idle(self, tell: Callable[[], None]) -> None:
        """Call `tell` when the source holds nothing any more: at once, unless the stream has just ended."""
        producer = self.producer
        if producer is None or producer.terminal is None:
            tell()
        else:
            producer.when_idle(tell)

    # What the manager calls.

    def stop(self, terminal: Terminal) -> bool:
        """End the stream, which has begun; whether it was still being made."""
        producer = self.producer
        if producer is None or producer.terminal is not None:
            return False
        producer.stop(terminal, lost=False)
        self._cancel_source()
        return True

    def _begin(self) -> Session:
        context = self.context
        facts = {
            ENVELOPES: True,
            "model": context.model,
            "stream_type": str(context.stream_type),
            "endpoint": context.endpoint,
        }
        id = context.stream_id
        try:
            session = self._sessions.begin(id, facts, events=False, tells_ids=False, detaches=False)
        except ValueError as error:
            raise RequestError(f"stream_id: {error}", field="stream_id", value=id) from error
        self.session = session
        self.producer = self._make(session, context)
        return session

    def _cancel_source(self) -> None:
        """For a source that was not started."""
        source, self._source = self._source, None
        if source is not None:
            source.cancel()


class Kept:
    """A stream of which there is only what the log has, or what another process makes."""

    def __init__(self, id: str, sessions: Sessions) -> None:
        self._id = id
        self._sessions = sessions

    def expect(self) -> None:
        """Nothing is prepared."""

    def drop(self) -> None:
        """Nothing is held."""

    async def open(self) -> Opened:
        """Find it. Raises RequestError where there is none, or none of envelopes."""
        await self._sessions.open()
        state = await self._sessions.state(self._id)
        if state is None or not state.head.facts.get(ENVELOPES):
            said = f"there is no stream {excerpt(self._id)!r} of a StreamManager's (any more)"
            raise RequestError(
                said, field="stream_id", value=excerpt(self._id), code="unknown_stream", http_status=404
            )
        return Opened(self._sessions.live.get(self._id), state.last)

    def go(self) -> None:
        """It goes already."""

    def when_idle(self, tell: Callable[[], None]) -> None:
        tell()
