"""The pool of connections of one event loop."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import TYPE_CHECKING

from headrace.errors import RequestError
from headrace.transport.environment import ProxyRules
from headrace.transport.exchange import Exchange
from headrace.transport.http import CONNECT_S, Call, HttpRequest, Receiver
from headrace.transport.lane import Lane, PoolLimits
from headrace.transport.per_loop import PerLoop
from headrace.transport.request_head import request_bytes
from headrace.transport.url import Origin, Url, parse_url
from headrace.transport.wheel import Wheel

if TYPE_CHECKING:
    from headrace.transport.proxy import ProxySender

__all__ = ["HttpPool", "PoolLimits", "pool_here"]

_MANY_LANES = 256


class HttpPool:
    """Sends requests over connections that it keeps, and closes them all at the end of `async with`.

    Belongs to the loop that runs when it is made.
    """

    def __init__(self, limits: PoolLimits | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._limits = limits or PoolLimits()
        self._lanes: dict[Origin, Lane] = {}
        self._rules = ProxyRules()
        self._proxied: ProxySender | None = None
        self._closed = False
        self.wheel = Wheel(self._loop)

    async def __aenter__(self) -> HttpPool:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    @property
    def connections(self) -> int:
        """Sockets open or being opened, and requests queued for one."""
        proxied = len(self._proxied) if self._proxied is not None else 0
        return proxied + sum(map(len, self._lanes.values()))

    @property
    def idle(self) -> int:
        """Connections that wait to be used again."""
        return sum(lane.idle for lane in self._lanes.values())

    def send(self, request: HttpRequest, receiver: Receiver, *, connect_s: float = CONNECT_S) -> Call:
        """See `Sender.send`."""
        if self._closed:
            raise RequestError("the connection pool is closed", code="closed")
        url = parse_url(request.url)
        raw = request_bytes(request, url)
        proxy = self._rules.proxy_for(url)
        if proxy:
            return self._proxies().send(request, url, proxy, receiver, connect_s)
        lane = self._lane(url, request.ca_file)
        exchange = Exchange(lane, receiver, raw, connect_s, head_only=request.method == "HEAD")
        lane.take(exchange)
        return exchange

    async def aclose(self) -> None:
        """Abort every connection; exchanges under way are lost. Returns when the sockets are closed."""
        self._closed = True
        lanes = list(self._lanes.values())
        self._lanes.clear()
        self.wheel.close()
        for lane in lanes:
            await lane.aclose()
        if self._proxied is not None:
            await self._proxied.aclose()

    def _proxies(self) -> ProxySender:
        if self._proxied is None:
            from headrace.transport.proxy import ProxySender  # an extra: only who needs it has it

            self._proxied = ProxySender(max_head_bytes=self._limits.max_head_bytes)
        return self._proxied

    def _lane(self, url: Url, ca_file: str) -> Lane:
        origin = Origin(url.tls, url.host, url.port, ca_file if url.tls else "")
        lane = self._lanes.get(origin)
        if lane is None:
            if len(self._lanes) >= _MANY_LANES:
                self._lanes = {known: lane for known, lane in self._lanes.items() if len(lane)}
            lane = self._lanes[origin] = Lane(self._loop, origin, self._limits, self.wheel)
        return lane


_pools = PerLoop(HttpPool)


def pool_here() -> HttpPool:
    """The running loop's own pool, made on first use and closed when the loop shuts down."""
    return _pools.here()
