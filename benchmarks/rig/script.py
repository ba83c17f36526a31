"""The streams that the upstream can play, as ready bytes: a row a behaviour, chosen by the model's name.

`burst-300` is the behaviour `burst` with 300 pieces of text.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from benchmarks.rig.protocols import BY_PATH, CHAT, Played

HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
    b"Cache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n"
)
LAST = b"0\r\n\r\n"
BURST = 32
FLOOD = 160
End = Literal["keep", "close", "reset", "silent"]


@dataclass(frozen=True, slots=True)
class Script:
    """What to write, one item a beat (the first at once), and what to do after the last."""

    writes: tuple[bytes, ...]
    end: End = "keep"


def framed(*parts: bytes) -> bytes:
    """One write: each part as an HTTP chunk of its own, as a server that flushes each event sends it."""
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)


def _spread(played: Played) -> Script:
    first = HEAD + framed(*played.opening, *played.pieces[:1])
    beats = [framed(event) for event in played.pieces[1:]]
    return Script((first, *beats, framed(*played.ending) + LAST))


def _burst(played: Played, size: int = BURST) -> Script:
    first = HEAD + framed(*played.opening, *played.pieces[:1])
    rest = played.pieces[1:]
    beats = [framed(*rest[i : i + size]) for i in range(0, len(rest), size)]
    return Script((first, *beats, framed(*played.ending) + LAST))


def _flood(played: Played) -> Script:
    return _burst(played, FLOOD)


def _begun(played: Played) -> tuple[bytes, ...]:
    first = HEAD + framed(*played.opening, *played.pieces[:1])
    return (first, *(framed(event) for event in played.pieces[1:]))


def _wait(played: Played) -> Script:
    return Script(_begun(played), "silent")


def _cut(played: Played) -> Script:
    return Script(_begun(played), "close")


def _reset(played: Played) -> Script:
    return Script(_begun(played), "reset")


def _unfinished(played: Played) -> Script:
    return Script((*_begun(played), LAST))


def _garbled(played: Played) -> Script:
    return Script((*_begun(played), framed(b'data: {"id":"chatcmpl-1","choices":[{"ind\n\n') + LAST))


def _refused(_: Played) -> Script:
    body = json.dumps({"error": {"message": "overloaded", "type": "server_error", "code": None}}).encode()
    head = b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return Script((head % len(body) + body,))


ROWS: dict[str, Callable[[Played], Script]] = {
    "spread": _spread,  # an event a beat
    "burst": _burst,  # 32 events a beat
    "flood": _flood,  # 160 events a beat
    "wait": _wait,  # `count` pieces, then silence
    "cut": _cut,  # the connection closes after `count` pieces, inside the HTTP body
    "reset": _reset,  # the same by RST
    "unfinished": _unfinished,  # the HTTP body ends well, without finish and [DONE]
    "garbled": _garbled,  # an event that is not JSON
    "refused": _refused,  # 503 with an error body
}


@lru_cache(maxsize=256)
def script(model: str, asked: bool, path: str = CHAT.path) -> Script:
    """The script for a model's name such as `spread-300`; `asked` is whether usage was asked for.

    path: where it was asked, which tells the protocol.
    Raises: KeyError for an unknown behaviour or path, ValueError for a bad count.
    """
    behaviour, _, count = model.rpartition("/")[2].partition("-")
    return ROWS[behaviour](BY_PATH[path].played(int(count), asked))
