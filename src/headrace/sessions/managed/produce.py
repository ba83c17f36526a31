"""Envelopes -> a session: numbered, recorded, measured, and ended on time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import msgspec

from headrace.core.chunk import Failure, Finish, Terminal
from headrace.core.model import Source
from headrace.core.usage import Usage
from headrace.errors import StreamGenerationException, StreamTimeoutException, Truncated
from headrace.metrics.counters import Tally
from headrace.sessions.managed.envelopes import Enveloped
from headrace.sessions.managed.records import pack
from headrace.sessions.managed.tracking import Tracking
from headrace.sessions.managed.types import StreamChunk, StreamContext, StreamMetrics
from headrace.sessions.produce import StreamProducer
from headrace.sessions.session import Session
from headrace.transport.wheel import Wheel

_UNPACKABLE = (TypeError, ValueError, OverflowError, RecursionError)


class EnvelopeProducer(StreamProducer):
    """Takes the envelopes of one stream. tracking: None where nothing is to be measured.

    terminal: how it ended, None before. idle: its source holds nothing: it has ended, or never began.
    """

    __slots__ = (
        "_began_unix_s",
        "_chunks",
        "_content",
        "_context",
        "_deadline",
        "_enveloped",
        "_on_idle",
        "_reasoning",
        "_tokens",
        "_took_s",
        "_tracking",
        "idle",
        "terminal",
    )

    def __init__(
        self, session: Session, context: StreamContext, wheel: Wheel, tracking: Tracking | None
    ) -> None:
        super().__init__(session, context.model, self._ended, wheel.now_s(), wheel.now_s)
        self._context = context
        self._tracking = tracking
        self._began_unix_s = session.head.began_s
        self._took_s: float | None = None
        self._enveloped: Enveloped | None = None
        self._chunks = self._tokens = self._content = self._reasoning = 0
        self._on_idle: list[Callable[[], None]] = []
        self.idle = True
        self.terminal: Terminal | None = None
        limit_s = context.timeout_seconds
        self._deadline = None if limit_s is None else wheel.after(limit_s, partial(self._expired, limit_s))
        if tracking is not None:
            tracking.began(context)

    def begin(self, source: Source[StreamChunk]) -> None:
        """Start the source, unless the stream has ended by now."""
        if self.terminal is not None:
            return
        self._enveloped = source if isinstance(source, Enveloped) else None
        self.idle = False
        super().begin(source)

    def push(self, batch: Sequence[StreamChunk], /) -> None:
        session = self._session
        if session is None:
            return
        chunks: list[StreamChunk] = []
        records: list[bytes] = []
        failure: Failure | None = None
        for given in batch:
            try:
                chunk = self._numbered(given)
                records.append(pack(chunk))
            except _UNPACKABLE as error:
                said = f"the generator's chunk {self._chunks} cannot be taken: {error}"
                failure = Failure.of(StreamGenerationException(said, code="bad_chunk"))
                break
            chunks.append(chunk)
            self._chunks += 1
            self._tokens += chunk.token_count
        self._measure(len(chunks), records)
        if self._tracking is not None:
            self._tracking.came(self._context.stream_id, chunks)
        if records:
            session.write(records)
        if failure is not None:
            self._finish(failure, ())

    def end(self, terminal: Terminal, /) -> None:
        if isinstance(terminal, Finish) and not self._chunks:
            terminal = Failure.of(Truncated("the source ended without an answer", code="empty_response"))
        self._finish(terminal, ())
        self.idle = True
        waiting, self._on_idle = self._on_idle, []
        for tell in waiting:
            tell()

    def when_idle(self, tell: Callable[[], None]) -> None:
        """Call `tell` when the source has freed what it held; now, where it has."""
        if self.idle:
            tell()
        else:
            self._on_idle.append(tell)

    def metrics(self) -> StreamMetrics:
        """What was measured so far."""
        clock, usage = self.clock, self._usage()
        reported = usage is not None and not usage.estimated
        return StreamMetrics(
            stream_id=self._context.stream_id,
            start_time=self._began_unix_s,
            first_chunk_time=self._unix(clock.first_chunk_s),
            last_chunk_time=self._unix(clock.last_content_s),
            completion_time=None if self._took_s is None else self._began_unix_s + self._took_s,
            total_chunks=self._chunks,
            total_tokens=usage.output_tokens if usage is not None and reported else self._tokens,
            total_bytes=clock.sent_bytes,
            backpressure_events=clock.holds,
            usage=usage,
        )

    def _numbered(self, chunk: StreamChunk) -> StreamChunk:
        number = self._chunks
        if not isinstance(chunk, StreamChunk):
            raise TypeError(f"it is a {type(chunk).__name__}, no StreamChunk")
        if chunk.sequence_number == number and chunk.is_first is (number == 0):
            return chunk
        return msgspec.structs.replace(chunk, sequence_number=number, is_first=number == 0)

    def _measure(self, count: int, records: Sequence[bytes]) -> None:
        source = self._enveloped
        if source is None:
            content, reasoning = self._content + count, 0  # a generator of the user's: each counts
        else:
            content, reasoning = source.content, source.reasoning
        came = content - self._content
        self.clock.push(came, reasoning - self._reasoning < came)
        self.clock.sent_bytes += sum(map(len, records))
        self._content, self._reasoning = content, reasoning

    def _unix(self, at_s: float | None) -> float | None:
        return None if at_s is None else self._began_unix_s + at_s - self.clock.began_s

    def _expired(self, limit_s: float) -> None:
        error = StreamTimeoutException(f"the stream was not done in {limit_s:g} s", code="total")
        self.stop(Failure.of(error), lost=False)

    def _ended(self, tally: Tally) -> None:
        """It has ended, and its source is about to be cancelled."""
        self.terminal = tally.terminal
        self._took_s = tally.duration_s
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if self._tracking is not None:
            told = self._enveloped.finish_reason if self._enveloped is not None else ""
            reason = told or tally.terminal.finish_reason
            self._tracking.ended(self._context, tally.terminal, self.metrics(), reason)

    def _usage(self) -> Usage | None:
        return self._enveloped.usage if self._enveloped is not None else None

    def _words(self, failure: Failure) -> bytes:
        """Records are envelopes: how the stream ended stands beside them."""
        return b""

    def _facts(self) -> dict[str, Any]:
        return {"metrics": msgspec.to_builtins(self.metrics())} if self._tracking is not None else {}
