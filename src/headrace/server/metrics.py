"""GET /metrics: the server's figures for Prometheus, as OpenMetrics text."""

from __future__ import annotations

import asyncio

from headrace.core.chunk import Failure
from headrace.errors import Unavailable
from headrace.metrics.names import Live
from headrace.server.app import App
from headrace.server.exchange import Exchange
from headrace.server.problem import respond_problem
from headrace.server.waiting import Waiting
from headrace.store.log import Weighed

_MISSING = Failure.of(
    Unavailable(
        "metrics need prometheus-client: pip install 'headrace[server]'",
        code="not_installed",
        http_status=501,
    )
)


def install(app: App) -> None:
    """Add the endpoint."""
    app.routes["GET", "/metrics"] = _Scrapes(app).answer


class _Scrapes:
    """Answers scrapes. The text is written in a thread, as a full table takes longer than streams can wait;
    scrapes that come meanwhile are given the same one. What it is written with is loaded at the first."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._writing: asyncio.Future[bytes] | None = None

    def answer(self, exchange: Exchange) -> None:
        try:
            from headrace.metrics.prometheus import CONTENT_TYPE, snapshot, text_of
        except ModuleNotFoundError:
            respond_problem(exchange, _MISSING)
            return
        if self._writing is None or self._writing.done():
            app = self._app
            figures = snapshot(app.counters, app.measures.totals, live_of(app))
            loop = asyncio.get_running_loop()
            self._writing = loop.run_in_executor(None, text_of, figures)
        exchange.release()
        Waiting(exchange).run(_respond(exchange, self._writing, CONTENT_TYPE.encode("ascii")))


async def _respond(exchange: Exchange, writing: asyncio.Future[bytes], content_type: bytes) -> None:
    text = await asyncio.shield(writing)  # others may wait for it too
    exchange.respond(200, ((b"content-type", content_type), (b"cache-control", b"no-store")), text)


def live_of(app: App) -> Live:
    """What is so just now, less the request that asks."""
    log = app.sessions.log
    return Live(
        requests=max(0, len(app.live) - 1),
        streams=len(app.sessions.live),
        readers=sum(len(session.readers) for session in app.sessions.live.values()),
        log_bytes=log.held_bytes if isinstance(log, Weighed) else None,
    )
