"""A stream's bytes -> an exchange: its head, keep-alive over silences, and its end as HTTP tells it.

The 200 is committed by the first bytes there are, or by the first keep-alive comment after a silence. Before
that a failure is a real HTTP status; after it, an error event in the client's protocol and a proper end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from headrace.core.chunk import Failure
from headrace.server.exchange import Exchange, Fields
from headrace.server.problem import respond_problem
from headrace.sessions.ending import Ending
from headrace.sessions.reader import Reader
from headrace.sessions.session import Session
from headrace.sessions.table import Sessions
from headrace.transport.wheel import Deadline

# One line and no blank one: behind an `id`, a blank line would make some clients see an empty event.
PING = b": ping\n"
EVENT_STREAM: Fields = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
)


def stream_fields(content_type: str, headers: Mapping[str, str]) -> Fields:
    """The response headers of a stream: a protocol's own, and what every stream has where it says nothing."""
    own = {"content-type": content_type, **headers}
    usual = [field for field in EVENT_STREAM if field[0].decode("ascii") not in own]
    return (*((name.encode("ascii"), value.encode("latin-1")) for name, value in own.items()), *usual)


class ExchangeReader:
    """One client that reads a stream.

    fields: response headers. ping: the client's protocol's keep-alive, empty where it has none. words: (how
    many events the client has had, the failure) -> the last bytes of a response that has begun, where nobody
    who knew the stream wrote them. type_of: the content type where it shows only with the first bytes.
    on_start: called before those leave.
    """

    __slots__ = (
        "_deadline",
        "_exchange",
        "_fields",
        "_keepalive_s",
        "_on_start",
        "_ping",
        "_quiet_halves",
        "_reader",
        "_spoke",
        "_type_of",
        "_words",
    )

    def __init__(
        self,
        exchange: Exchange,
        *,
        fields: Fields,
        ping: bytes,
        keepalive_after_s: float,
        words: Callable[[int, Failure], bytes],
        type_of: Callable[[], str] | None = None,
        on_start: Callable[[], None] | None = None,
    ) -> None:
        self._exchange: Exchange | None = exchange
        self._reader: Reader | None = None
        self._fields = fields
        self._ping = ping
        self._keepalive_s = keepalive_after_s
        self._words = words
        self._type_of = type_of
        self._on_start = on_start
        self._spoke = False  # since the last beat
        self._quiet_halves = 0
        self._deadline: Deadline | None = None

    def begin(self, sessions: Sessions, id: str, after: int, session: Session | None) -> None:
        """Bring what stands behind record `after`. session: where the stream is made here and now."""
        exchange = self._exchange
        assert exchange is not None
        exchange.listener = self
        self._deadline = exchange.wheel.after(self._keepalive_s / 2, self._beat)
        self._reader = sessions.reader(id, after, self)
        self._reader.begin(session)

    def show_life(self) -> None:
        """Commit the status now: the stream is there, though nothing may come of it for a while."""
        exchange = self._exchange
        if exchange is not None and not exchange.status and self._ping:
            exchange.start(200, self._head())
            exchange.write(self._ping)

    # What the exchange calls.

    def on_pause(self) -> None:
        if self._reader is not None:
            self._reader.on_pause()

    def on_resume(self) -> None:
        if self._reader is not None:
            self._reader.on_resume()

    def on_lost(self) -> None:
        self._settle()

    def on_shutdown(self, failure: Failure) -> None:
        reader = self._reader
        if reader is not None and not reader.stop(failure):
            self.finish(b"", Ending(failure, said=False))

    # What the reader calls.

    @property
    def paused(self) -> bool:
        return self._exchange is None or self._exchange.paused

    def give(self, data: bytes, /) -> None:
        exchange = self._exchange
        if exchange is None:
            return
        if not exchange.status:
            exchange.start(200, self._head())
        self._spoke = True
        exchange.write(data)

    def finish(self, data: bytes, ending: Ending, /) -> None:
        events = self._reader.sent if self._reader is not None else 0
        exchange = self._settle()
        if exchange is None:
            return
        failure = ending.failure
        if failure is not None and not ending.said and not ending.cut:
            if not exchange.status and not data:
                respond_problem(exchange, failure)
                return
            words = ending.words or self._words(events, failure)
            data, cut = data + words, not words
        else:
            cut = ending.cut
        if not exchange.status:
            exchange.start(200, self._head())
        if cut:  # the protocol has no word for it: only a cut tells that the answer is not whole
            if data:
                exchange.write(data)
            exchange.abort()
        else:
            exchange.finish(data)

    def _head(self) -> Fields:
        if self._on_start is not None:
            self._on_start()
        if self._type_of is None:
            return self._fields
        told = (b"content-type", self._type_of().encode("latin-1"))
        return (told, *(field for field in self._fields if field[0] != told[0]))

    def _settle(self) -> Exchange | None:
        """The exchange, once: nothing more is written from here on."""
        exchange, self._exchange = self._exchange, None
        reader, self._reader = self._reader, None
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if exchange is not None:
            exchange.listener = None
        if reader is not None:
            reader.leave()
        return exchange

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
            if not exchange.status:
                exchange.start(200, self._head())
            exchange.write(self._ping)
            self._quiet_halves = 0
        self._deadline = exchange.wheel.after(self._keepalive_s / 2, self._beat)
