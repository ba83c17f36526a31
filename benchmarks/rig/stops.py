"""Ways in which a client ends a stream, each with the moment that it did: one at a time, beside a load.

The clock is the monotonic one, which all processes of one Linux machine share.
"""

from __future__ import annotations

import json
import random
import re
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.rig.health import fetched
from benchmarks.rig.load import request_of
from benchmarks.rig.protocols import CHAT, MESSAGES

_ID = re.compile(rb"\r\nx-headrace-stream-id: (\S+)\r\n", re.IGNORECASE)
_TIMEOUT_S = 15.0
_SEEN_S = 5.0
_PAUSES_S = 0.05, 0.25  # between the stream's begin and its end


@dataclass(frozen=True, slots=True)
class Place:
    """Where a client asks, and the far end's port. prefix: of the model's name. key: empty: none."""

    port: int
    path: str
    far_port: int
    prefix: str = ""
    key: str = ""


Stop = Callable[[Place, str, random.Random], int]


@contextmanager
def asked(place: Place, model: str, tag: str, *more: str) -> Iterator[socket.socket]:
    """A connection on which a stream has been asked for; the far end finds `tag` as its user."""
    body = json.dumps({"model": place.prefix + model, "messages": MESSAGES, "stream": True, "user": tag})
    with socket.create_connection(("127.0.0.1", place.port), timeout=_TIMEOUT_S) as connection:
        connection.sendall(request_of(place.port, place.path, body, place.key, *more))
        yield connection


def first_text(connection: socket.socket) -> bytes:
    """All up to the first text of an answer. Raises RuntimeError where there is none."""
    data = b""
    while CHAT.first not in data.replace(b'"content":""', b""):
        more = connection.recv(65536)
        if not more:
            raise RuntimeError(f"no stream: {data[:300]!r}")
        data += more
    return data


def leaves(place: Place, tag: str, chance: random.Random) -> int:
    """The client closes its socket in the middle of a stream."""
    with asked(place, "tick", tag) as connection:
        first_text(connection)
        time.sleep(chance.uniform(*_PAUSES_S))
        return _closed_ns(connection)


def gives_up(place: Place, tag: str, chance: random.Random) -> int:
    """The client closes its socket before the first token, while the far end has its request."""
    with asked(place, "mute", tag) as connection:
        deadline_s = time.monotonic() + _SEEN_S
        while fetched(place.far_port, "GET", "/latest")[1] != tag.encode():
            if time.monotonic() > deadline_s:
                raise RuntimeError(f"the far end never had the request {tag!r}")
            time.sleep(0.01)
        time.sleep(chance.uniform(*_PAUSES_S))
        return _closed_ns(connection)


def deletes(place: Place, tag: str, chance: random.Random) -> int:
    """A stream that has no reader any more is stopped by its id."""
    with asked(place, "tick", tag, "x-headrace-on-disconnect: detach") as connection:
        found = _ID.search(first_text(connection))
    if found is None:
        raise RuntimeError("the stream has no id")
    time.sleep(chance.uniform(*_PAUSES_S))
    at_ns = time.monotonic_ns()
    status, body = fetched(place.port, "DELETE", f"/v1/streams/{found[1].decode()}", key=place.key)
    if status != 200 or json.loads(body)["status"] != "cancelled":
        raise RuntimeError(f"DELETE answered {status}: {body[:300]!r}")
    return at_ns


def _closed_ns(connection: socket.socket) -> int:
    at_ns = time.monotonic_ns()
    connection.close()
    return at_ns


STOPS: dict[str, Stop] = {
    "a client leaves": leaves,
    "DELETE of a detached stream": deletes,
    "a client leaves before the first token": gives_up,
}


def stopped(
    place: Place, kinds: Sequence[str], times: int, lost_ns: Callable[[], Mapping[str, int]]
) -> dict[str, list[float]]:
    """Kind -> milliseconds from the client's act to the far end's closed socket, of so many acts each.

    lost_ns: tag -> when the far end saw its socket close.
    Raises: RuntimeError where a stream could not be had, or its socket was not closed within 5 s.
    """
    chance = random.Random(5000)
    acts = [(kind, f"{kind}-{number}") for number in range(times) for kind in kinds]
    began_ns = {tag: STOPS[kind](place, tag, chance) for kind, tag in acts}
    deadline_s = time.monotonic() + _SEEN_S
    while not began_ns.keys() <= (ended_ns := lost_ns()).keys():
        if time.monotonic() > deadline_s:
            missing = sorted(began_ns.keys() - ended_ns.keys())
            raise RuntimeError(f"{len(missing)} sockets of the far end stayed open: {missing[:3]}")
        time.sleep(0.1)
    found: dict[str, list[float]] = {kind: [] for kind in kinds}
    for kind, tag in acts:
        found[kind].append((ended_ns[tag] - began_ns[tag]) / 1e6)
    return found
