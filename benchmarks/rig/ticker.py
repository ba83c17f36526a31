"""A model server for thousands of slow streams: a piece a second each, with the time it was written in it.

Run as a process: `python -m benchmarks.rig.ticker`; it prints its port and serves until its stdin closes. The
model `tick` says a piece a beat until `GET /end` is asked, `mute` never answers. `GET /told` answers with
`Told`, `GET /latest` with the tag of the latest request.
"""

from __future__ import annotations

import gc
import time
from functools import lru_cache

import msgspec
import uvloop

from benchmarks.rig.process import allow_open_files
from benchmarks.rig.protocols import CHAT, WORDS, chunk
from benchmarks.rig.script import HEAD, LAST, framed
from benchmarks.rig.upstream import BAD, Ask, Player, Wheel, serve

BEAT_MS = 1000
TICK_MS = 4  # uvloop's timers have whole milliseconds: with a finer one the far end would never sleep
STAMP = b'"system_fingerprint":"fp_'  # what stands before the time of a piece, in ns of the monotonic clock
STAMP_DIGITS = 19
_UNSTAMPED = b"fp_50cad350e4"


class Told(msgspec.Struct):
    """What the far end knows.

    pieces: written to streams; lost_pieces: of these, to those whose socket closed before they were whole.
    lost_ns: when that was seen, by the request's tag, on the monotonic clock.
    """

    pieces: int = 0
    lost_pieces: int = 0
    lost_ns: dict[str, int] = {}


class Tagged(Ask):
    """A request may say whose it is."""

    user: str = ""


ASK = msgspec.json.Decoder(Tagged)


def stamped(event: bytes) -> tuple[bytes, bytes]:
    """An event as an HTTP chunk in two parts: the stamp, of `STAMP_DIGITS`, goes between them."""
    before, mark, after = event.partition(_UNSTAMPED)
    assert mark
    before += b"fp_"
    return b"%x\r\n%b" % (len(before) + STAMP_DIGITS + len(after), before), after + b"\r\n"


PIECES = [
    stamped(chunk([{"index": 0, "delta": {"content": word}, "logprobs": None, "finish_reason": None}]))
    for word in WORDS
]
OPENING = HEAD + framed(*CHAT.played(0, True).opening)


@lru_cache(maxsize=256)
def ending(pieces: int) -> bytes:
    """How an answer of so many pieces ends; it says their number as its usage."""
    return framed(*CHAT.played(pieces, True).ending) + LAST


class Far:
    """What all connections share."""

    def __init__(self) -> None:
        self.told = Told()
        self.ends = False
        self.latest = ""


class Ticker(Player):
    """One connection."""

    def __init__(self, wheel: Wheel, far: Far) -> None:
        super().__init__(wheel)
        self._far = far
        self._tag = ""
        self._ticks = False
        self._pieces = 0

    def connection_lost(self, error: Exception | None) -> None:
        self._ticks = False
        self._far.told.lost_pieces += self._pieces
        if self._tag:
            self._far.told.lost_ns[self._tag] = time.monotonic_ns()

    def _answer(self, head: bytes, body: bytes) -> None:
        if head.startswith(b"get /told"):
            self._say(msgspec.json.encode(self._far.told))
        elif head.startswith(b"get /latest"):
            self._say(self._far.latest.encode())
        elif head.startswith(b"get /end"):
            self._far.ends = True
            self._say(b"{}")
        elif head.startswith(b"post "):
            self._begin(body)
        else:
            super()._answer(head, body)

    def _begin(self, body: bytes) -> None:
        try:
            ask = ASK.decode(body)
        except msgspec.DecodeError:
            self._transport.write(BAD)
            self._transport.close()
            return
        self._tag = self._far.latest = ask.user
        if ask.model == "mute":
            return
        self._ticks = True
        self._pieces = 1
        self._transport.write(OPENING + self._piece(0))
        self._wheel.add(self)

    def _piece(self, number: int) -> bytes:
        before, after = PIECES[number % len(PIECES)]
        self._far.told.pieces += 1
        return b"%b%019d%b" % (before, time.monotonic_ns(), after)

    def step(self) -> bool:
        """The next piece, or the end; False once there is none."""
        if not self._ticks:
            return False
        if self._far.ends:
            self._ticks = False
            self._tag = ""
            self._transport.write(ending(self._pieces))
            self._pieces = 0
            return False
        self._transport.write(self._piece(self._pieces))
        self._pieces += 1
        return True

    def _say(self, body: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        self._transport.write(head % len(body) + body)


def main() -> None:
    """Serve until stdin closes."""
    allow_open_files()
    far = Far()
    gc.freeze()
    gc.disable()  # a pause here would be counted as the server's
    wheel = Wheel(BEAT_MS, TICK_MS)
    uvloop.run(serve(lambda: Ticker(wheel, far)))


if __name__ == "__main__":
    main()
