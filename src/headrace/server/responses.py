"""Answers of the Responses protocol by their id: read, read on, cancelled, forgotten.

A response is the stream of that id: its latest event holds it whole. Only answers that were asked for as a
stream or in the background are kept.
"""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import parse_qs

import msgspec

from headrace.core.chunk import Failure
from headrace.core.excerpt import excerpt
from headrace.errors import RequestError
from headrace.framing.sse import SseDecoder
from headrace.server.app import App
from headrace.server.exchange import Exchange
from headrace.server.problem import JSON_TYPE, unknown_path
from headrace.server.streams import Seen, read_again, unknown
from headrace.server.waiting import Waiting
from headrace.sessions.ending import ending_of
from headrace.store.log import StreamState
from headrace.wire.openai_responses.failure import error_object

_TREE = "/v1/responses/"
_CANCEL = "/cancel"
_FRONT = "openai_responses"
_FIRST_NUMBER = 0  # the `sequence_number` of the first event
_ONE_RECORD = 1  # byte: a read gives at least one record


def install(app: App) -> None:
    """Add the endpoints."""
    app.trees["GET", _TREE] = partial(_get, app)
    app.trees["POST", _TREE] = partial(_cancel, app)
    app.trees["DELETE", _TREE] = partial(_forget, app)


def _get(app: App, exchange: Exchange) -> None:
    id = exchange.path.removeprefix(_TREE)
    if "/" in id:
        app.refuse(exchange, unknown_path(exchange.path))
        return
    query = parse_qs(exchange.query)
    if query.get("stream", ["false"])[-1].lower() == "true":
        asked = query.get("starting_after", [""])[-1]
        read_again(app, exchange, id, Seen.read(asked, "starting_after", _FIRST_NUMBER))
        return
    exchange.release()
    Waiting(exchange).run(_tell(app, exchange, id))


def _cancel(app: App, exchange: Exchange) -> None:
    path = exchange.path.removeprefix(_TREE)
    if not path.endswith(_CANCEL):
        app.refuse(exchange, unknown_path(exchange.path))
        return
    exchange.release()
    Waiting(exchange).run(_stop(app, exchange, path.removesuffix(_CANCEL)))


async def _stop(app: App, exchange: Exchange, id: str) -> None:
    state = await _known(app, exchange, id)
    if "pending" not in state.head.facts:
        raise RequestError(
            "only a response that is made in the background can be cancelled", field="id", value=excerpt(id)
        )
    _respond(exchange, await _response(app, await app.sessions.stop(state)))


def _forget(app: App, exchange: Exchange) -> None:
    exchange.release()
    Waiting(exchange).run(_forget_it(app, exchange, exchange.path.removeprefix(_TREE)))


async def _forget_it(app: App, exchange: Exchange, id: str) -> None:
    state = await _known(app, exchange, id)
    await app.sessions.stop(state)
    await app.sessions.log.forget(id)
    _respond(exchange, {"id": id, "object": "response.deleted", "deleted": True})


async def _tell(app: App, exchange: Exchange, id: str) -> None:
    _respond(exchange, await _response(app, await _known(app, exchange, id)))


async def _known(app: App, exchange: Exchange, id: str) -> StreamState:
    state = await app.sessions.state(id, exchange.owner)
    if state is None or state.head.facts.get("front") != _FRONT:
        raise unknown(id)
    return state


async def _response(app: App, state: StreamState) -> dict[str, Any]:
    """The response as it is now."""
    response = await _held(app, state)
    if state.end is None:
        response["status"] = "in_progress" if state.last else "queued"
        return response
    failure = ending_of(state.end).failure
    if failure is not None:
        response.update(_failed(failure, cancelled=state.end.outcome == "cancelled"))
    return response


async def _held(app: App, state: StreamState) -> dict[str, Any]:
    """The latest response object there is: of the last event or of the first, else what was promised."""
    numbers = [state.last - 1] if state.end is not None else []
    for after in (*numbers, state.first - 1):
        for record in await app.sessions.log.read(state.head.id, max(after, 0), _ONE_RECORD):
            response = _response_in(record)
            if response is not None:
                return response
            break
    if "pending" in state.head.facts:
        return dict(msgspec.json.decode(state.head.facts["pending"]))
    raise unknown(state.head.id)


def _response_in(record: bytes) -> dict[str, Any] | None:
    """The response that an event holds. A provider's own events pass as they come, in any framing."""
    for event in SseDecoder().feed(record):
        if isinstance(event, Failure):
            return None
        try:
            return dict(msgspec.json.decode(event.data, type=_Held).response)
        except msgspec.DecodeError:
            return None
    return None


class _Held(msgspec.Struct, frozen=True):
    response: dict[str, Any]


def _failed(failure: Failure, *, cancelled: bool) -> dict[str, Any]:
    if cancelled:
        return {"status": "cancelled", "error": None}
    error = error_object(failure)
    return {"status": "failed", "error": {"code": error["code"], "message": error["message"]}}


def _respond(exchange: Exchange, data: Any) -> None:
    exchange.respond(200, (JSON_TYPE,), msgspec.json.encode(data))
