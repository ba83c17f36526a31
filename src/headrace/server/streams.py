"""Streams by their id: GET /v1/streams, GET and DELETE /v1/streams/{id}, GET /v1/streams/{id}/status.

A stream that is read again has the records of the protocol it was begun in, from behind the one that the
client names, in `Last-Event-ID` or as `?after=`; from its beginning where it names none.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple
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
from headrace.sessions.ending import ending_of
from headrace.sessions.session import Session
from headrace.store.log import StreamState
from headrace.wire import FRONTS, front_named

LAST_EVENT_ID = "last-event-id"
_TREE = "/v1/streams/"
_STATUS = "/status"
_MOST_LISTED = 1000
_MOST_DIGITS = 15


def install(app: App) -> None:
    """Add the endpoints."""
    app.routes["GET", "/v1/streams"] = partial(_list, app)
    app.trees["GET", _TREE] = partial(_get, app)
    app.trees["DELETE", _TREE] = partial(_stop, app)


class Seen(NamedTuple):
    """What a client has of a stream. records: their number. field, first: where it said so, and the number of
    the first record in that count."""

    records: int = 0
    field: str = "after"
    first: int = 1

    @classmethod
    def read(cls, asked: str, field: str, first: int) -> Seen:
        """asked: the number of the last record that the client has; empty for none. Raises RequestError."""
        if not asked:
            return cls(0, field, first)
        if not (asked.isascii() and asked.isdigit() and len(asked) <= _MOST_DIGITS):
            said = f"{field}: must be the number of the last event you have, not {excerpt(asked)!r}"
            raise RequestError(said, field=field, value=excerpt(asked))
        return cls(int(asked) + 1 - first, field, first)

    def has_all(self, last: int) -> bool:
        """Whether it is an EventSource that has all `last` records: only a 204 ends its asking."""
        return self.field == LAST_EVENT_ID and self.records == last

    def beyond(self, last: int) -> RequestError:
        """A stream whose last record is number `last`, counted from 1, has less."""
        own, asked = last - 1 + self.first, self.records - 1 + self.first
        said = f"{self.field}: the last event is {own}, there is nothing behind {asked}"
        return RequestError(said, field=self.field, value=asked)


def read_again(app: App, exchange: Exchange, id: str, seen: Seen) -> None:
    """Answer with a stream's records behind those that were seen, and with what is still to come of it."""
    exchange.release()
    session = app.sessions.live.get(id)
    if session is not None and session.head.owner == exchange.owner:
        _read(app, exchange, session.head.facts, id, seen, session, seen.records == session.sent)
    else:
        Waiting(exchange).run(_read_from_log(app, exchange, id, seen))


def seen_by(exchange: Exchange) -> Seen:
    """What the client says that it has. Raises RequestError.

    A browser's EventSource comes back to the URL that it began with, so what its header says is newer.
    """
    told = exchange.headers.get(LAST_EVENT_ID, "").strip()
    if told:
        return Seen.read(told, LAST_EVENT_ID, 1)
    return Seen.read(parse_qs(exchange.query).get("after", [""])[-1], "after", 1)


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
    failure = ending_of(end).failure if end is not None else None
    if failure is not None:
        data["error"] = {"kind": failure.kind, "message": failure.message, "code": failure.code}
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
        read_again(app, exchange, id, seen_by(exchange))


async def _read_from_log(app: App, exchange: Exchange, id: str, seen: Seen) -> None:
    state = await app.sessions.state(id, exchange.owner)
    if exchange.closed:
        return
    if state is None:
        raise unknown(id)
    if seen.records > state.last:
        raise seen.beyond(state.last)
    if state.end is not None and seen.has_all(state.last) and ending_of(state.end).said:
        exchange.respond(204, (), b"")
        return
    facts = {**state.head.facts, **(state.end.facts if state.end is not None else {})}
    waits = state.end is None and seen.records == state.last
    _read(app, exchange, facts, id, seen, app.sessions.live.get(id), waits)


def _read(
    app: App,
    exchange: Exchange,
    facts: dict[str, Any],
    id: str,
    seen: Seen,
    session: Session | None,
    waits: bool,
) -> None:
    """waits: there is nothing yet behind what the client has."""
    after = seen.records
    if session is not None and after > session.sent:
        raise seen.beyond(session.sent)
    app.counters.resumed += 1
    front = front_named(facts["front"]) if facts.get("front") in FRONTS else None
    told: str = facts.get("content_type") or (front.content_type if front else "application/octet-stream")
    fields = (*stream_fields(told, front.headers if front else {}), (STREAM_ID, id.encode("ascii")))
    reader = ExchangeReader(
        exchange,
        fields=fields,
        ping=front.ping if front else b"",
        keepalive_after_s=app.limits.keepalive_after_s,
        words=partial(last_words, front),
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
