"""What the head of a request says of the stream's life, of its turn, and of the trace that it belongs to."""

from __future__ import annotations

from typing import NamedTuple

from headrace.core.excerpt import excerpt
from headrace.errors import RequestError
from headrace.server.exchange import Exchange
from headrace.server.keys import NOBODY
from headrace.sessions.admission import Claim
from headrace.wire.base import Front

EVENT_IDS = "x-headrace-event-ids"
ON_DISCONNECT = "x-headrace-on-disconnect"
PRIORITY = "x-headrace-priority"
DEADLINE = "x-headrace-deadline-s"


class Asked(NamedTuple):
    """owner: whose stream it will be. detaches, tells_ids: see `Session`. claim: of a turn. traceparent: as
    it was sent, empty where it was not."""

    owner: str
    detaches: bool
    tells_ids: bool
    claim: Claim
    traceparent: str = ""


def asked_of(exchange: Exchange, front: Front, max_wait_s: float, max_streams: int | None = None) -> Asked:
    """Whose stream it is, and what of its life the client says.

    max_wait_s: for a turn, as the server lets anybody. max_streams: of the key's at once.
    Raises RequestError.
    """
    return Asked(
        exchange.owner,
        detaches_on_disconnect(exchange),
        tells_ids(exchange, front.event_ids),
        Claim(
            exchange.key.id,
            priority(exchange),
            wait_s(exchange, max_wait_s),
            max_streams,
            len(exchange.body),
        ),
        exchange.headers.get("traceparent", ""),
    )


def priority(exchange: Exchange) -> int:
    """How urgent it is: 0 goes first, 9 last; a client may ask for less than its key's.

    Raises RequestError.
    """
    own = exchange.key.settings.priority
    asked = exchange.headers.get(PRIORITY, "").strip()
    if not asked:
        return own
    best = own if exchange.key is not NOBODY else 0
    if not (asked.isascii() and asked.isdigit() and len(asked) == 1 and int(asked) >= best):
        said = f"{PRIORITY}: must be a whole number from {best} (as urgent as your key lets you) to 9"
        raise RequestError(said, field=PRIORITY, value=excerpt(asked))
    return int(asked)


def wait_s(exchange: Exchange, max_wait_s: float) -> float | None:
    """How long it may wait for its turn; None where the client does not say. Raises RequestError.

    More than anybody may wait is refused: capped, the client would count on time that it does not have.
    """
    asked = exchange.headers.get(DEADLINE, "").strip()
    if not asked:
        return None
    try:
        seconds = float(asked)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= max_wait_s:  # not a number is neither
        said = (
            f"{DEADLINE} is {excerpt(asked)!r}: must be seconds, more than 0 and at most {max_wait_s:g}, "
            "which is as long as a request may wait here"
        )
        raise RequestError(said, field=DEADLINE, value=excerpt(asked))
    return seconds


def tells_ids(exchange: Exchange, default: bool) -> bool:
    """Whether the stream's events shall say their numbers. Raises RequestError."""
    asked = exchange.headers.get(EVENT_IDS, "on" if default else "off").strip().lower()
    if asked not in ("on", "off"):
        raise RequestError(f"{EVENT_IDS}: must be on or off", field=EVENT_IDS, value=excerpt(asked))
    return asked == "on"


def detaches_on_disconnect(exchange: Exchange) -> bool:
    """Whether the client asks that its stream goes on without it. Raises RequestError."""
    asked = exchange.headers.get(ON_DISCONNECT, "abort").strip().lower()
    if asked not in ("abort", "detach"):
        said = f"{ON_DISCONNECT}: must be abort (the answer stops with its client) or detach (it goes on)"
        raise RequestError(said, field=ON_DISCONNECT, value=excerpt(asked))
    return asked == "detach"
