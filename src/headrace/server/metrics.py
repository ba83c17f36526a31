"""GET /metrics: the server's figures for Prometheus, as OpenMetrics text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headrace.core.chunk import Failure
from headrace.errors import Unavailable
from headrace.metrics.names import Live
from headrace.server.app import App
from headrace.server.exchange import Exchange
from headrace.server.problem import respond_problem
from headrace.store.log import Weighed

if TYPE_CHECKING:
    from headrace.metrics.prometheus import Exposition

_MISSING = Failure.of(
    Unavailable(
        "metrics need prometheus-client: pip install 'headrace[server]'",
        code="not_installed",
        http_status=501,
    )
)


def install(app: App) -> None:
    """Add the endpoint. What it writes with is loaded at the first scrape."""
    made: Exposition | None = None

    def metrics(exchange: Exchange) -> None:
        nonlocal made
        try:
            from headrace.metrics.prometheus import CONTENT_TYPE, Exposition
        except ModuleNotFoundError:
            respond_problem(exchange, _MISSING)
            return
        if made is None:
            made = Exposition(app.counters, app.measures.totals, lambda: live_of(app))
        fields = ((b"content-type", CONTENT_TYPE.encode("ascii")), (b"cache-control", b"no-store"))
        exchange.respond(200, fields, made.text())

    app.routes["GET", "/metrics"] = metrics


def live_of(app: App) -> Live:
    """What is so just now, less the request that asks."""
    log = app.sessions.log
    return Live(
        requests=max(0, len(app.live) - 1),
        streams=len(app.sessions.live),
        readers=sum(len(session.readers) for session in app.sessions.live.values()),
        log_bytes=log.held_bytes if isinstance(log, Weighed) else None,
    )
