"""A source's pushes -> an exchange: the end of the pipe, plain calls, one write a push.

The 200 is committed by the first bytes there are, or by the first keep-alive comment after a silence. Before
that a failure is a real HTTP status; after it, an error event in the client's protocol and a proper end.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from headrace.core.chunk import (
    Cancelled,
    Chunk,
    Failure,
    Finish,
    Terminal,
    UsageReport,
)
from headrace.core.content import holds_content
from headrace.core.model import Source
from headrace.core.stage import Stage
from headrace.core.usage import Usage
from headrace.errors import StreamCancelledException, Truncated
from headrace.server.counters import Tally
from headrace.server.exchange import Exchange, Fields
from headrace.server.problem import INTERNAL, respond_problem
from headrace.transport.wheel import Deadline
from headrace.wire.base import Relay

# One line and no blank one: behind an `id`, a blank line would make some clients see an empty event.
PING = b": ping\n"
EVENT_STREAM: Fields = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
)
Report: TypeAlias = Callable[[Tally], None]
_GONE = Cancelled("the client went away")
logger = logging.getLogger("headrace.server")


class StreamSink:
    """What relaying and encoding have in common; ends exactly once, whoever ends it.

    model: its id, for the tally. fields: response headers. ping: the client's protocol's keep-alive, empty
    where it has none. report: takes the tally when the answer has ended.
    """

    __slots__ = (
        "_deadline",
        "_exchange",
        "_fields",
        "_first_s",
        "_keepalive_s",
        "_model",
        "_ping",
        "_quiet_halves",
        "_report",
        "_source",
        "_spoke",
    )
    relayed = False

    def __init__(
        self,
        exchange: Exchange,
        model: str,
        report: Report,
        *,
        ping: bytes = PING,
        keepalive_after_s: float,
        fields: Fields = EVENT_STREAM,
    ) -> None:
        self._exchange: Exchange | None = exchange
        self._model = model
        self._ping = ping
        self._report = report
        self._keepalive_s = keepalive_after_s
        self._fields = fields
        self._first_s: float | None = None
        self._spoke = False  # since the last beat
        self._quiet_halves = 0
        self._source: Source[Any] | None = None
        self._deadline: Deadline | None = None

    def begin(self, source: Source[Any]) -> None:
        """Start the source and answer the exchange with what it pushes."""
        exchange = self._exchange
        assert exchange is not None
        self._source = source
        exchange.listener = self
        self._deadline = exchange.wheel.after(self._keepalive_s / 2, self._beat)
        source.start(self)

    # What the exchange calls.

    def on_pause(self) -> None:
        if self._source is not None:
            self._source.pause()

    def on_resume(self) -> None:
        if self._source is not None:
            self._source.resume()

    def on_lost(self) -> None:
        self._settle(_GONE, lost=True)

    def on_shutdown(self, failure: Failure) -> None:
        self._finish(failure, b"")

    # What subclasses say.

    def push(self, batch: Sequence[Any], /) -> None:
        raise NotImplementedError

    def end(self, terminal: Terminal, /) -> None:
        raise NotImplementedError

    def _usage(self) -> Usage | None:
        raise NotImplementedError

    def _failed(self, failure: Failure) -> bytes:
        """The failure as the last bytes of a stream that has begun, in the client's protocol."""
        raise NotImplementedError

    def _head(self) -> Fields:
        """The response's header fields, asked when its first bytes are there."""
        return self._fields

    # Shared steps.

    def _write(self, exchange: Exchange, data: bytes) -> None:
        if not exchange.status:
            exchange.start(200, self._head())
        self._spoke = True
        exchange.write(data)

    def _finish(self, terminal: Terminal, data: bytes) -> None:
        """End the answer: `data` is the last of it."""
        exchange = self._exchange
        if exchange is None:
            return
        if isinstance(terminal, Cancelled):
            why = terminal.why or "the answer was cancelled"
            terminal = Failure.of(StreamCancelledException(why, http_status=503))
        self._settle(terminal)
        if isinstance(terminal, Failure):
            if not exchange.status and not data:
                respond_problem(exchange, terminal)
                return
            said = self._failed(terminal)
            if not said:  # the protocol has no word for it: only a cut tells that the answer is not whole
                exchange.abort()
                return
            data += said
        if not exchange.status:
            exchange.start(200, self._head())
        exchange.finish(data)

    def _settle(self, terminal: Terminal, *, lost: bool = False) -> None:
        """Nothing more is written from here on. A source that has not said it all is stopped."""
        exchange, self._exchange = self._exchange, None
        source, self._source = self._source, None
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if exchange is None:
            return
        exchange.listener = None
        first_s, began_s = self._first_s, exchange.began_s
        self._report(
            Tally(
                self._model,
                terminal,
                exchange.wheel.now_s() - began_s,
                None if first_s is None else first_s - began_s,
                self._usage(),
                lost,
                self.relayed,
            )
        )
        # After a finish the source is left alone: it may still have to read its connection's proper end.
        if source is not None and not isinstance(terminal, Finish):
            source.cancel()

    def _beat(self) -> None:
        """Bridge a silence, as load balancers cut what is silent for a minute.

        Looked at twice an interval, so that a chunk costs no look at the clock: after the first, a silence is
        bridged when it has lasted between one interval and one and a half.
        """
        exchange = self._exchange
        if exchange is None:
            return
        self._quiet_halves = 0 if self._spoke else self._quiet_halves + 1
        self._spoke = False
        if self._quiet_halves >= 2 and not exchange.paused and self._ping:
            self._write(exchange, self._ping)
            self._spoke = False  # a comment is no sign of life
            self._quiet_halves = 0
        self._deadline = exchange.wheel.after(self._keepalive_s / 2, self._beat)


class RelaySink(StreamSink):
    """Raw frames of the client's own wire, passed on unchanged. The source has run them through `relay`."""

    __slots__ = ("_relay",)
    relayed = True

    def __init__(self, exchange: Exchange, model: str, relay: Relay, *rest: Any, **more: Any) -> None:
        super().__init__(exchange, model, *rest, **more)
        self._relay = relay

    def push(self, batch: Sequence[bytes], /) -> None:
        exchange = self._exchange
        if exchange is None:
            return
        data = batch[0] if len(batch) == 1 else b"".join(batch)
        if exchange.status:
            self._spoke = True
            exchange.write(data)
        else:
            self._write(exchange, data)
        if self._first_s is None and self._relay.content_events:
            self._first_s = exchange.wheel.now_s()

    def end(self, terminal: Terminal, /) -> None:
        self._finish(terminal, b"")

    def _usage(self) -> Usage | None:
        return self._relay.usage

    def _failed(self, failure: Failure) -> bytes:
        return self._relay.failed(failure)


class EncodeSink(StreamSink):
    """Chunks, put into the client's wire by `encoder`, which is given the terminal too.

    A Failure that the encoder gives ends the answer. type_of: see `Front.type_of`.
    """

    __slots__ = ("_encoder", "_said", "_told_usage", "_type_of")

    def __init__(
        self,
        exchange: Exchange,
        model: str,
        encoder: Stage[Chunk, bytes | Failure],
        *rest: Any,
        type_of: Callable[[Any], str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(exchange, model, *rest, **more)
        self._encoder = encoder
        self._type_of = type_of
        self._said = False
        self._told_usage: Usage | None = None

    def push(self, batch: Sequence[Chunk], /) -> None:
        exchange = self._exchange
        if exchange is None:
            return
        out = self._encoded(batch)
        self._look(exchange, batch)
        if not out:
            return
        last = out[-1]
        if type(last) is Failure:
            self._finish(last, _joined(out))
            return
        data = b"".join(out)  # type: ignore[arg-type]
        if data:
            self._said = True
            self._write(exchange, data)

    def end(self, terminal: Terminal, /) -> None:
        if self._exchange is None:
            return
        if not isinstance(terminal, Finish):
            self._finish(terminal, b"")
            return
        out = self._encoded((terminal,), last=True)
        if out and isinstance(out[-1], Failure):
            self._finish(out[-1], _joined(out))
        elif self._said:
            self._finish(terminal, _joined(out))
        else:
            empty = Failure.of(Truncated("the model ended without an answer", code="empty_response"))
            self._finish(empty, b"")

    def _encoded(self, batch: Sequence[Chunk], *, last: bool = False) -> Sequence[bytes | Failure]:
        """What the encoder says. One with a bug must not leave its client waiting."""
        try:
            out = self._encoder.feed(batch)
            return [*out, *self._encoder.close()] if last else out
        except Exception:
            logger.exception("encoding for a client of %s failed", self._model)
            return [INTERNAL]

    def _look(self, exchange: Exchange, batch: Sequence[Chunk]) -> None:
        if self._first_s is None and holds_content(batch):
            self._first_s = exchange.wheel.now_s()
        for chunk in batch:
            if type(chunk) is UsageReport:
                self._told_usage = chunk.usage

    def _usage(self) -> Usage | None:
        return self._told_usage

    def _failed(self, failure: Failure) -> bytes:
        return _joined(self._encoded((failure,)))

    def _head(self) -> Fields:
        if self._type_of is None:
            return self._fields
        told = (b"content-type", self._type_of(self._encoder).encode("latin-1"))
        return (told, *(field for field in self._fields if field[0] != told[0]))


def _joined(out: Sequence[bytes | Failure]) -> bytes:
    """The bytes of an encoder's output."""
    return b"".join([one for one in out if isinstance(one, bytes)])
