"""GET /health: whether the server lives, and what it holds."""

from __future__ import annotations

import asyncio
from importlib.metadata import version

import msgspec

from headrace.server.app import App
from headrace.server.exchange import Exchange
from headrace.server.keys import NOBODY
from headrace.server.metrics import live_of
from headrace.server.problem import JSON_TYPE


def install(app: App) -> None:
    """Add the endpoint."""
    headrace_version = version("headrace")

    def health(exchange: Exchange) -> None:
        if app.door.keys is not None and exchange.key is NOBODY:
            status = "degraded" if app.runtime.troubles() else "ok"  # a stranger is told no names
            exchange.respond(200, (JSON_TYPE,), msgspec.json.encode({"status": status}))
            return
        ready = [card.id for card in app.runtime.models() if card.state == "ready"]
        live = live_of(app)
        troubles = app.runtime.troubles()
        data = {
            # The server itself answers either way: a model's trouble is not its own.
            "status": "degraded" if troubles else "ok",
            "troubles": troubles,
            "version": headrace_version,
            "models": ready,
            "live": live.requests,
            "streams": live.streams,
            "readers": live.readers,
            "log_bytes": live.log_bytes,
            "tasks": len(asyncio.all_tasks()),
            "running": app.admission.running,
            "waiting": live.queued,
            "counters": app.counters.as_data(),
        }
        exchange.respond(200, (JSON_TYPE,), msgspec.json.encode(data))

    app.routes["GET", "/health"] = health
