"""A web page that comes back to its chat: GET /api/ui/chat/{id}/stream, what the npm package `ai` asks.

The answer is the chat's stream from its beginning while it is being made, and 204 where there is none.
"""

from __future__ import annotations

from functools import partial

from headrace.server.app import App
from headrace.server.exchange import Exchange
from headrace.server.problem import unknown_path
from headrace.server.streams import Seen, read_again
from headrace.server.waiting import Waiting

_TREE = "/api/ui/chat/"
_STREAM = "/stream"


def install(app: App) -> None:
    """Add the endpoint."""
    app.trees["GET", _TREE] = partial(_get, app)


def _get(app: App, exchange: Exchange) -> None:
    chat = exchange.path.removeprefix(_TREE)
    if not chat.endswith(_STREAM) or chat == _STREAM:
        app.refuse(exchange, unknown_path(exchange.path))
        return
    exchange.release()
    Waiting(exchange).run(_resume(app, exchange, chat.removesuffix(_STREAM)))


async def _resume(app: App, exchange: Exchange, chat: str) -> None:
    id = await app.sessions.log.aliased(exchange.owner, chat)
    state = await app.sessions.state(id, exchange.owner) if id else None
    if exchange.closed:
        return
    if state is None or state.end is not None:
        exchange.respond(204, (), b"")
    else:
        read_again(app, exchange, id, Seen())
