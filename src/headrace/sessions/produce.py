"""A source's pushes -> a session: the end of the pipe, plain calls, one record an event."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from headrace.core.chunk import (
    Cancelled,
    Chunk,
    Failure,
    Finish,
    ReasoningDelta,
    Terminal,
    UsageReport,
)
from headrace.core.content import CONTENT
from headrace.core.model import Source
from headrace.core.stage import Stage
from headrace.core.usage import Usage
from headrace.errors import StreamCancelledException, Truncated
from headrace.metrics.clock import TARGETS, StreamClock, Targets
from headrace.metrics.counters import Tally
from headrace.sessions.ending import INTERNAL, WHOLE, Ending, end_of
from headrace.sessions.session import Session
from headrace.wire.base import Relay

logger = logging.getLogger("headrace.server")
Report: TypeAlias = Callable[[Tally], None]


class StreamProducer:
    """What relaying and encoding have in common; ends exactly once, whoever ends it.

    model: its id, for the tally. report: takes the tally when the stream has ended. now_s:
    monotonic time, of which began_s, when the request was complete, is one. clock: what the stream is like.
    """

    __slots__ = ("_model", "_report", "_session", "_source", "clock")
    relayed = False

    def __init__(
        self,
        session: Session,
        model: str,
        report: Report,
        began_s: float,
        now_s: Callable[[], float],
        targets: Targets = TARGETS,
    ) -> None:
        self._session: Session | None = session
        self._model = model
        self._report = report
        self.clock = StreamClock(began_s, now_s, targets)
        self._source: Source[Any] | None = None
        session.producer = self

    def begin(self, source: Source[Any]) -> None:
        """Start the source and say what it pushes."""
        self._source = source
        source.start(self)

    # What the session calls.

    def hold(self) -> None:
        self.clock.hold()
        if self._source is not None:
            self._source.pause()

    def go_on(self) -> None:
        self.clock.go_on()
        if self._source is not None:
            self._source.resume()

    def stop(self, terminal: Terminal, /, *, lost: bool) -> None:
        self._finish(terminal, (), lost=lost)

    # What subclasses say.

    def push(self, batch: Sequence[Any], /) -> None:
        raise NotImplementedError

    def end(self, terminal: Terminal, /) -> None:
        raise NotImplementedError

    def _usage(self) -> Usage | None:
        raise NotImplementedError

    def _words(self, failure: Failure) -> bytes:
        """The failure as the last bytes of a stream that has begun, in the client's protocol."""
        raise NotImplementedError

    def _facts(self) -> dict[str, Any]:
        """What readers must know of the stream that its head could not say."""
        return {}

    # Shared steps.

    def _finish(self, terminal: Terminal, pieces: Sequence[bytes], *, lost: bool = False) -> None:
        """End the stream: `pieces` are the last of it."""
        session, self._session = self._session, None
        if session is None:
            return
        told = terminal
        if isinstance(terminal, Cancelled) and not lost:
            why = terminal.why or "the answer was cancelled"
            terminal = told = Failure.of(StreamCancelledException(why, http_status=503))
        elif isinstance(terminal, Cancelled):
            told = Failure.of(StreamCancelledException(terminal.why or "the client went away"))
        ending = WHOLE
        if isinstance(told, Failure):
            words = self._words(told)
            begun = bool(session.last or pieces)
            if begun and words:
                pieces = (*pieces, words)
            ending = Ending(told, said=begun and bool(words), cut=not words and begun, words=words)
        self.clock.sent_bytes += sum(map(len, pieces))
        self._settle(terminal, lost=lost)
        session.end(end_of(terminal, ending, time.time(), self._facts()), pieces, ending)

    def _settle(self, terminal: Terminal, *, lost: bool) -> None:
        """Tell what it was; a source that has not said it all is stopped."""
        source, self._source = self._source, None
        clock = self.clock
        first_s, began_s = clock.first_content_s, clock.began_s
        self._report(
            Tally(
                self._model,
                terminal,
                clock.end() - began_s,
                None if first_s is None else first_s - began_s,
                self._usage(),
                lost,
                self.relayed,
                clock,
            )
        )
        # After a finish the source is left alone: it may still have to read its connection's proper end.
        if source is not None and not isinstance(terminal, Finish):
            source.cancel()


class RelayProducer(StreamProducer):
    """Raw frames of the client's own wire, passed on unchanged. The source has run them through `relay`."""

    __slots__ = ("_content", "_relay", "_thoughts")
    relayed = True

    def __init__(self, session: Session, relay: Relay, *rest: Any) -> None:
        super().__init__(session, *rest)
        self._relay = relay
        self._content = 0
        self._thoughts = 0

    def push(self, batch: Sequence[bytes], /) -> None:
        session = self._session
        if session is None:
            return
        relay, clock = self._relay, self.clock
        content, thoughts = relay.content_events, relay.reasoning_events
        came = content - self._content
        clock.sent_bytes += len(batch[0]) if len(batch) == 1 else sum(map(len, batch))
        clock.push(came, thoughts - self._thoughts < came)
        self._content, self._thoughts = content, thoughts
        session.write(batch)

    def end(self, terminal: Terminal, /) -> None:
        self._finish(terminal, ())

    def _usage(self) -> Usage | None:
        return self._relay.usage

    def _words(self, failure: Failure) -> bytes:
        return self._relay.failed(failure)


class EncodeProducer(StreamProducer):
    """Chunks, put into the client's wire by `encoder`, which is given the terminal too.

    A Failure that the encoder gives ends the stream. type_of: see `Front.type_of`.
    """

    __slots__ = ("_encoder", "_said", "_told_usage", "_type_of")

    def __init__(
        self,
        session: Session,
        encoder: Stage[Chunk, bytes | Failure],
        type_of: Callable[[Any], str] | None,
        *rest: Any,
    ) -> None:
        super().__init__(session, *rest)
        self._encoder = encoder
        self._type_of = type_of
        self._said = False
        self._told_usage: Usage | None = None

    def push(self, batch: Sequence[Chunk], /) -> None:
        session = self._session
        if session is None:
            return
        self._look(batch)
        out = self._encoded(batch)
        if not out:
            return
        last = out[-1]
        if type(last) is Failure:
            self._finish(last, _pieces(out))
            return
        self._said = True
        self.clock.sent_bytes += sum(map(len, out))  # type: ignore[arg-type]
        session.write(out)  # type: ignore[arg-type]

    def end(self, terminal: Terminal, /) -> None:
        if self._session is None:
            return
        if not isinstance(terminal, Finish):
            self._finish(terminal, ())
            return
        out = self._encoded((terminal,), last=True)
        if out and isinstance(out[-1], Failure):
            self._finish(out[-1], _pieces(out))
        elif self._said:
            self._finish(terminal, _pieces(out))
        else:
            self._finish(
                Failure.of(Truncated("the model ended without an answer", code="empty_response")), ()
            )

    def content_type(self) -> str:
        """Of the stream, where it shows only with its first bytes; empty where the front says it."""
        return self._type_of(self._encoder) if self._type_of is not None else ""

    def _encoded(self, batch: Sequence[Chunk], *, last: bool = False) -> Sequence[bytes | Failure]:
        """What the encoder says. One with a bug must not leave its client waiting."""
        try:
            out = self._encoder.feed(batch)
            return [*out, *self._encoder.close()] if last else out
        except Exception:
            logger.exception("encoding for a client of %s failed", self._model)
            return [INTERNAL]

    def _look(self, batch: Sequence[Chunk]) -> None:
        content = thoughts = 0
        for chunk in batch:
            kind = type(chunk)
            if kind in CONTENT:
                content += 1
                if kind is ReasoningDelta:
                    thoughts += 1
            elif kind is UsageReport:
                self._told_usage = chunk.usage  # type: ignore[union-attr]
        self.clock.push(content, thoughts < content)

    def _usage(self) -> Usage | None:
        return self._told_usage

    def _words(self, failure: Failure) -> bytes:
        return b"".join(_pieces(self._encoded((failure,))))

    def _facts(self) -> dict[str, Any]:
        return {"content_type": self.content_type()} if self._type_of is not None else {}


def _pieces(out: Sequence[bytes | Failure]) -> list[bytes]:
    """The bytes of an encoder's output."""
    return [one for one in out if isinstance(one, bytes)]
