"""All connections to one origin: those that carry, those that wait to be used again, those being made."""

from __future__ import annotations

import asyncio
from collections import deque
from functools import partial

import msgspec

from headrace.transport.connection import Connection
from headrace.transport.dial import dial
from headrace.transport.exchange import Exchange
from headrace.transport.failures import dial_failure, unanswered, unavailable
from headrace.transport.url import Origin
from headrace.transport.wheel import Deadline, Wheel


class PoolLimits(msgspec.Struct, frozen=True):
    """What a pool may hold.

    connections, idle, waiting: per origin; open sockets, unused ones among them, requests queued for one
    (each for at most its connect_s). keepalive_s: how long an unused connection is kept. max_head_bytes: of
    a response's status line and fields.
    """

    connections: int = 10_000
    idle: int = 100
    waiting: int = 10_000
    keepalive_s: float = 30.0
    max_head_bytes: int = 65_536


class Lane:
    """Gives each exchange a connection, newest unused first, and at the bound lets it queue."""

    __slots__ = (
        "_dials",
        "_emptied",
        "_idle",
        "_loop",
        "_open",
        "_queue",
        "_sweep",
        "limits",
        "origin",
        "wheel",
    )

    def __init__(
        self, loop: asyncio.AbstractEventLoop, origin: Origin, limits: PoolLimits, wheel: Wheel
    ) -> None:
        self._loop = loop
        self.origin = origin
        self.limits = limits
        self.wheel = wheel
        self._open: set[Connection] = set()
        self._idle: deque[Connection] = deque()  # oldest first
        self._queue: dict[Exchange, None] = {}  # in order of arrival
        self._dials: set[asyncio.Task[None]] = set()
        self._sweep: Deadline | None = None
        self._emptied: asyncio.Event | None = None  # made by aclose

    def __len__(self) -> int:
        return len(self._open) + len(self._queue)

    @property
    def idle(self) -> int:
        """Connections that could be used at once."""
        return len(self._idle)

    def take(self, exchange: Exchange) -> None:
        """Send `exchange` out as soon as may be."""
        while self._idle:
            connection = self._idle.pop()
            if connection.alive:
                exchange.carry_on(connection)
                return
        if len(self._open) < self.limits.connections:
            self.dial_for(exchange)
        elif len(self._queue) < self.limits.waiting:
            self._queue[exchange] = None
            exchange.waiting = self.wheel.at(exchange.deadline_s, lambda: self._full(exchange))
        else:
            self._loop.call_soon(self._full, exchange)

    def dial_for(self, exchange: Exchange) -> None:
        """A new connection for `exchange`, whatever stands unused."""
        connection = Connection(self)
        self._open.add(connection)
        task = self._loop.create_task(self._dial(connection, exchange.deadline_s))
        exchange.waiting = task
        self._dials.add(task)
        task.add_done_callback(partial(self._dialled, connection, exchange))

    def free(self, connection: Connection) -> None:
        """A connection's exchange ended well: the next one in the queue has it, or it waits."""
        if self._queue:
            exchange = next(iter(self._queue))
            self.left(exchange)
            if isinstance(exchange.waiting, Deadline):
                exchange.waiting.cancel()
            exchange.carry_on(connection)
            return
        connection.idle_since_s = self.wheel.now_s()
        self._idle.append(connection)
        if len(self._idle) > self.limits.idle:
            self._idle.popleft().abort()
        if self._sweep is None:
            self._sweep = self.wheel.after(self.limits.keepalive_s, self._expire)

    def gone(self, connection: Connection) -> None:
        """A connection is no more: who waits in the queue may have a new one."""
        self._open.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        if self._emptied is not None and not self._open:
            self._emptied.set()
        while self._queue and len(self._open) < self.limits.connections:
            exchange = next(iter(self._queue))
            self.left(exchange)
            if isinstance(exchange.waiting, Deadline):
                exchange.waiting.cancel()
            self.dial_for(exchange)

    def left(self, exchange: Exchange) -> None:
        """An exchange does not queue any longer."""
        self._queue.pop(exchange, None)

    async def aclose(self) -> None:
        """Abort everything; exchanges under way are told so. Returns when the sockets are closed."""
        queue, self._queue = self._queue, {}
        for task in self._dials:
            task.cancel()
        for exchange in queue:
            exchange.end(unavailable("closed", "the connection pool was closed"))
        for connection in list(self._open):
            connection.hang_up()
        self._idle.clear()
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None
        self._emptied = asyncio.Event()
        if self._open:
            await self._emptied.wait()

    async def _dial(self, connection: Connection, deadline_s: float) -> None:
        async with asyncio.timeout_at(deadline_s):
            await dial(self.origin, connection)

    def _dialled(self, connection: Connection, exchange: Exchange, task: asyncio.Task[None]) -> None:
        """Here and not at the task's end, since one that is cancelled early never runs at all."""
        self._dials.discard(task)
        if task.cancelled():
            self._undo(connection)
            exchange.end(unavailable("closed", "the connection pool was closed"))
            return
        where, error = str(self.origin), task.exception()
        if error is not None:
            self._undo(connection)
            exchange.end(dial_failure(where, error, exchange.connect_s))
            if not isinstance(error, OSError | UnicodeError):  # TimeoutError and ssl.SSLError are OSErrors
                self._loop.call_exception_handler({"message": f"connecting to {where}", "exception": error})
        elif exchange.ended:
            connection.abort()
        elif connection.alive:
            exchange.carry_on(connection)
        else:
            exchange.end(unanswered(where, None))

    def _undo(self, connection: Connection) -> None:
        """Nothing of a connection that came half-way may come to life."""
        connection.abort()
        if connection.closed:
            self.gone(connection)

    def _full(self, exchange: Exchange) -> None:
        self.left(exchange)
        limit = self.limits.connections
        exchange.end(unavailable("pool_full", f"all {limit} connections to {self.origin} are in use"))

    def _expire(self) -> None:
        """Close what has been unused for too long, and look again when the next one is due."""
        self._sweep = None
        oldest_s = self.wheel.now_s() - self.limits.keepalive_s
        while self._idle and self._idle[0].idle_since_s <= oldest_s:
            self._idle.popleft().abort()
        if self._idle:
            next_s = self._idle[0].idle_since_s + self.limits.keepalive_s
            self._sweep = self.wheel.at(next_s, self._expire)
