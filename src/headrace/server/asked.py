"""What the head of a request says of the stream's life, and of the trace that it belongs to."""

from __future__ import annotations

from typing import NamedTuple

from headrace.errors import RequestError
from headrace.server.exchange import Exchange
from headrace.wire.base import Front

EVENT_IDS = "x-headrace-event-ids"
ON_DISCONNECT = "x-headrace-on-disconnect"


class Asked(NamedTuple):
    """owner: whose stream it will be. detaches, tells_ids: see `Session`. traceparent: as it was sent, empty
    where it was not."""

    owner: str
    detaches: bool
    tells_ids: bool
    traceparent: str = ""


def asked_of(exchange: Exchange, front: Front) -> Asked:
    """Whose stream it is, and what of its life the client says. Raises RequestError."""
    return Asked(
        exchange.owner,
        detaches_on_disconnect(exchange),
        tells_ids(exchange, front.event_ids),
        exchange.headers.get("traceparent", ""),
    )


def tells_ids(exchange: Exchange, default: bool) -> bool:
    """Whether the stream's events shall say their numbers. Raises RequestError."""
    asked = exchange.headers.get(EVENT_IDS, "on" if default else "off").strip().lower()
    if asked not in ("on", "off"):
        raise RequestError(f"{EVENT_IDS}: must be on or off", field=EVENT_IDS, value=asked)
    return asked == "on"


def detaches_on_disconnect(exchange: Exchange) -> bool:
    """Whether the client asks that its stream goes on without it. Raises RequestError."""
    asked = exchange.headers.get(ON_DISCONNECT, "abort").strip().lower()
    if asked not in ("abort", "detach"):
        said = f"{ON_DISCONNECT}: must be abort (the answer stops with its client) or detach (it goes on)"
        raise RequestError(said, field=ON_DISCONNECT, value=asked)
    return asked == "detach"
