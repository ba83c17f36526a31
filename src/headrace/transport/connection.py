"""One HTTP/1.1 connection: an asyncio protocol that carries one exchange after the other."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from headrace.transport.failures import BadResponse, cut, not_http, unanswered, unavailable
from headrace.transport.inflate import Inflater
from headrace.transport.reading import Reading

if TYPE_CHECKING:
    from headrace.transport.exchange import Exchange
    from headrace.transport.lane import Lane


class Connection(asyncio.Protocol):
    """A socket of a lane. While it carries no exchange, any byte or end drops it from the lane."""

    __slots__ = (
        "_exchange",
        "_lane",
        "_paused",
        "_reading",
        "_transport",
        "_unwanted",
        "idle_since_s",
        "used",
    )

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._transport: asyncio.Transport | None = None
        self._exchange: Exchange | None = None
        self._reading: Reading | None = None
        self._paused = False
        self._unwanted = False
        self.idle_since_s = 0.0
        self.used = False  # has carried an exchange before: it may be stale

    @property
    def alive(self) -> bool:
        """Whether a request could be written now."""
        return self._transport is not None and not self._transport.is_closing()

    @property
    def closed(self) -> bool:
        """Whether it has no socket: not yet, or not any more."""
        return self._transport is None

    def carry(self, exchange: Exchange, request: bytes, *, head_only: bool) -> None:
        """Write a request; what comes back is the exchange's until it ends."""
        transport = cast("asyncio.Transport", self._transport)
        self._exchange = exchange
        self._reading = Reading(head_only=head_only, max_head_bytes=self._lane.limits.max_head_bytes)
        transport.write(request)

    def pause(self) -> None:
        """Stop reading."""
        if not self._paused and self.alive:
            self._paused = True
            cast("asyncio.Transport", self._transport).pause_reading()

    def resume(self) -> None:
        """Read again."""
        if self._paused and self.alive:
            self._paused = False
            cast("asyncio.Transport", self._transport).resume_reading()

    def abort(self) -> None:
        """Close the socket now and call nobody back. Before `connection_made`: as soon as it comes."""
        self._unwanted = True
        self._let_go()
        if self._transport is not None:
            self._transport.abort()

    def hang_up(self) -> None:
        """Close the socket now; the exchange is told that it was lost."""
        exchange = self._exchange
        self.abort()
        if exchange is not None:
            exchange.end(unavailable("closed", "the connection pool was closed"))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        if self._unwanted:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        exchange, reading = self._exchange, self._reading
        if exchange is None or reading is None:
            self.abort()  # bytes that nobody asked for
            return
        bad = reading.feed(data)
        if not exchange.answered:
            exchange.touched()
            if reading.status:
                exchange.answered = True
                exchange.receiver.head(reading.status, reading.take_headers())
                if self._exchange is not exchange:
                    return
        pieces = reading.pieces
        if pieces:
            body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
            pieces.clear()
            if reading.inflater is None:
                exchange.receiver.data(body)
            else:
                bad = self._inflated(exchange, reading.inflater, body) or bad
            if self._exchange is not exchange:
                return
        if bad is not None:
            self.abort()
            exchange.end(not_http(str(self._lane.origin), bad))
        elif reading.complete:
            self._complete(exchange, reading)

    def eof_received(self) -> None:
        """Close our half too: `connection_lost` follows and tells what the end means."""

    def connection_lost(self, exc: Exception | None) -> None:
        exchange, reading = self._exchange, self._reading
        whole = reading is not None and reading.until_eof and exc is None and _whole(reading)
        self._let_go()
        self._transport = None
        if exchange is not None:
            self._lost(exchange, exc, whole=whole)
        # Last, so that a request that goes out again has its place before those that queue.
        self._lane.gone(self)

    def _lost(self, exchange: Exchange, exc: Exception | None, *, whole: bool) -> None:
        where = str(self._lane.origin)
        if not exchange.answered:
            if not (self.used and exchange.again()):
                exchange.end(unanswered(where, exc))
        else:
            exchange.end(None if whole else cut(where, exc))

    def _inflated(self, exchange: Exchange, inflater: Inflater, body: bytes) -> BadResponse | None:
        try:
            body = inflater.feed(body)
        except BadResponse as bad:
            return bad
        if body:
            exchange.receiver.data(body)
        return None

    def _complete(self, exchange: Exchange, reading: Reading) -> None:
        transport = cast("asyncio.Transport", self._transport)
        # A server may answer before it has read the request: what is left of that cannot be taken back.
        reusable = reading.reusable and transport.get_write_buffer_size() == 0 and not transport.is_closing()
        self._let_go()
        self.used = True
        if reusable:
            self.resume()
            self._lane.free(self)
        else:
            self._unwanted = True
            transport.abort()
        exchange.end(None if _whole(reading) else cut(str(self._lane.origin), None))

    def _let_go(self) -> None:
        self._exchange = None
        if self._reading is not None:
            self._reading.close()
            self._reading = None


def _whole(reading: Reading) -> bool:
    return reading.inflater is None or reading.inflater.ended
