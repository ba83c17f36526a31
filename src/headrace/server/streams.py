"""Streams by their id: GET /v1/streams, GET and DELETE /v1/streams/{id}, GET /v1/streams/{id}/status.

A stream that is read again has the records of the protocol it was begun in, from behind the one that the
client names, in `Last-Event-ID` or as `?after=`; from its beginning where it names none.
"""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import parse_qs

import msgspec

from headrace.core.excerpt import excerpt
from headrace.errors import RequestError
from headrace.metrics.figures import figures_of
from headrace.metrics.stream_log import plain
from headrace.server.answers import STREAM_ID
from headrace.server.app import App
from headrace.server.exchange import Exchange
from headrace.server.last_words import last_words
from headrace.server.problem import JSON_TYPE
from headrace.server.readers import ExchangeReader, stream_fields
from headrace.server.waiting import Waiting
from headrace.sessions.session import Session
from headrace.store.log import StreamState
from headrace.wire import FRONTS, front_named

_TREE = "/v1/streams/"
_STATUS = "/status"
_MOST_LISTED = 1000


def install(app: App) -> None:
    """Add the endpoints."""
    app.routes["GET", "/v1/streams"] = partial(_list, app)
    app.trees["GET", _TREE] = partial(_get, app)
    app.trees["DELETE", _TREE] = partial(_stop, app)


def read_again(app: App, exchange: Exchange, id: str, after: int) -> None:
    """Answer with a stream's records behind number `after`, and with what is still to come of it."""
    exchange.release()
    session = app.sessions.live.get(id)
    if session is not None and session.head.owner == exchange.owner:
        _read(app, exchange, session.head.facts, id, after, session, after == session.sent)
    else:
        Waiting(exchange).run(_read_from_log(app, exchange, id, after))


def after_of(exchange: Exchange) -> int:
    """The number that the client has seen last. Raises RequestError."""
    asked = parse_qs(exchange.query).get("after", [exchange.headers.get("last-event-id", "").strip()])[-1]
    if not asked:
        return 0
    if not asked.isdecimal() or len(asked) > 15:
        raise RequestError(
            "after: must be the number of the last record you have", field="after", value=excerpt(asked)
        )
    return int(asked)


def described(state: StreamState, live: Session | None) -> dict[str, Any]:
    """A stream's status as plain data, its error with it, and what it is like while it is being made."""
    end = state.end
    status: str = (
        end.outcome if end is not None else ("paused" if live is not None and live.paused else "running")
    )
    if end is None and state.last == 0:
        status = "initializing"
    data = {
        "id": state.head.id,
        "status": {"finished": "completed"}.get(status, status),
        "model": state.head.facts.get("model", ""),
        "protocol": state.head.facts.get("front", ""),
        "created": state.head.began_s,
        "ended": end.ended_s if end is not None else None,
        "first": state.first,
        "last": state.last,
        "readers": len(live.readers) if live is not None else 0,
    }
    if live is not None and live.producer is not None:
        clock = live.producer.clock
        data["figures"] = plain(figures_of(clock, clock.now_s(), None))
    if end is not None and "failure" in end.facts:
        data["error"] = {name: end.facts["failure"].get(name, "") for name in ("kind", "message", "code")}
    return data


def unknown(id: str) -> RequestError:
    """No stream of that id is kept, or it is somebody else's: which of them is not told."""
    return RequestError(
        f"there is no stream {excerpt(id)!r} (any more)",
        field="id",
        value=excerpt(id),
        code="unknown_stream",
        http_status=404,
    )


def _get(app: App, exchange: Exchange) -> None:
    id = exchange.path.removeprefix(_TREE)
    if id.endswith(_STATUS):
        id = id.removesuffix(_STATUS)
        exchange.release()
        Waiting(exchange).run(_tell(app, exchange, id))
    else:
        read_again(app, exchange, id, after_of(exchange))


async def _read_from_log(app: App, exchange: Exchange, id: str, after: int) -> None:
    state = await app.sessions.state(id, exchange.owner)
    if exchange.closed:
        return
    if state is None:
        raise unknown(id)
    if after > state.last:
        said = f"after: the stream has {state.last} records, there is nothing behind {after}"
        raise RequestError(said, field="after", value=after)
    facts = {**state.head.facts, **(state.end.facts if state.end is not None else {})}
    waits = state.end is None and after == state.last
    _read(app, exchange, facts, id, after, app.sessions.live.get(id), waits)


def _read(
    app: App,
    exchange: Exchange,
    facts: dict[str, Any],
    id: str,
    after: int,
    session: Session | None,
    waits: bool,
) -> None:
    """waits: there is nothing yet behind what the client has."""
    if session is not None and after > session.sent:
        said = f"after: the stream has {session.sent} records, there is nothing behind {after}"
        raise RequestError(said, field="after", value=after)
    app.counters.resumed += 1
    front = front_named(facts["front"]) if facts.get("front") in FRONTS else None
    told: str = facts.get("content_type") or (front.content_type if front else "application/octet-stream")
    fields = (*stream_fields(told, front.headers if front else {}), (STREAM_ID, id.encode("ascii")))
    reader = ExchangeReader(
        exchange,
        fields=fields,
        ping=front.ping if front else b"",
        keepalive_after_s=app.limits.keepalive_after_s,
        words=partial(last_words, front, after),
    )
    reader.begin(app.sessions, id, after, session)
    if after and waits:  # it has read of this stream before: there is no status to wait for
        reader.show_life()


def _stop(app: App, exchange: Exchange) -> None:
    exchange.release()
    Waiting(exchange).run(_stop_it(app, exchange, exchange.path.removeprefix(_TREE)))


async def _stop_it(app: App, exchange: Exchange, id: str) -> None:
    state = await app.sessions.state(id, exchange.owner)
    if state is None:
        raise unknown(id)
    state = await app.sessions.stop(state)
    _respond(exchange, described(state, app.sessions.live.get(id)))


async def _tell(app: App, exchange: Exchange, id: str) -> None:
    state = await app.sessions.state(id, exchange.owner)
    if state is None:
        raise unknown(id)
    _respond(exchange, described(state, app.sessions.live.get(id)))


def _list(app: App, exchange: Exchange) -> None:
    exchange.release()
    Waiting(exchange).run(_list_them(app, exchange))


async def _list_them(app: App, exchange: Exchange) -> None:
    states = await app.sessions.states(exchange.owner, _MOST_LISTED)
    live = app.sessions.live
    found = [described(state, live.get(state.head.id)) for state in states]
    _respond(exchange, {"object": "list", "data": found})


def _respond(exchange: Exchange, data: Any) -> None:
    exchange.respond(200, (JSON_TYPE,), msgspec.json.encode(data))
