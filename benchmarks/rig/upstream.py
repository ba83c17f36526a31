"""A model server that costs next to nothing: it plays ready bytes, all streams on one wheel of timers.

Run as a process: `python -m benchmarks.rig.upstream`; it prints its port and serves until its stdin closes.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from collections.abc import Callable
from typing import cast

import msgspec
import uvloop

from benchmarks.rig.process import allow_open_files
from benchmarks.rig.script import Script, script

BEAT_MS = 10
PONG = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"
BAD = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class StreamOptions(msgspec.Struct):
    include_usage: bool = False


class Ask(msgspec.Struct):
    """What the upstream reads of a request."""

    model: str
    stream_options: StreamOptions | None = None


ASK = msgspec.json.Decoder(Ask)


class Wheel:
    """A slot a tick of a beat: a stream sits in the slot of the moment it began and moves once a turn.

    One timer serves all streams. A late tick is followed at once by the ones that were missed.
    """

    def __init__(self, beat_ms: int = BEAT_MS, tick_ms: int = 1) -> None:
        self._slots: list[list[Player]] = [[] for _ in range(beat_ms // tick_ms)]
        self._tick_s = tick_ms / 1000
        self._riders = 0
        self._turn = 0
        self._next_s = 0.0

    def add(self, player: Player) -> None:
        """The player's next step comes one turn from now."""
        loop = asyncio.get_running_loop()
        if not self._riders:
            self._next_s = loop.time() + self._tick_s
            loop.call_at(self._next_s, self._tick)
        self._riders += 1
        self._slots[(self._turn - 1) % len(self._slots)].append(player)

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        while self._next_s <= loop.time():
            slot = self._slots[self._turn % len(self._slots)]
            staying = [player for player in slot if player.step()]
            self._riders -= len(slot) - len(staying)
            slot[:] = staying
            self._turn += 1
            self._next_s += self._tick_s
        if self._riders:
            loop.call_at(self._next_s, self._tick)


class Player(asyncio.Protocol):
    """One connection: reads requests, plays their scripts."""

    def __init__(self, wheel: Wheel) -> None:
        self._wheel = wheel
        self._data = b""
        self._script: Script | None = None
        self._place = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._script = None

    def data_received(self, data: bytes) -> None:
        self._data += data
        head_end = self._data.find(b"\r\n\r\n")
        if head_end < 0:
            return
        head = self._data[:head_end].lower()
        body_start = head_end + 4
        length_at = head.find(b"\r\ncontent-length:")
        length = int(head[length_at + 17 :].split(b"\r\n", 1)[0]) if length_at >= 0 else 0
        if len(self._data) < body_start + length:
            return
        body = self._data[body_start : body_start + length]
        self._data = self._data[body_start + length :]
        self._answer(head, body)

    def _answer(self, head: bytes, body: bytes) -> None:
        if not head.startswith(b"post "):
            self._transport.write(PONG)
            return
        try:
            ask = ASK.decode(body)
            asked = ask.stream_options is not None and ask.stream_options.include_usage
            self._script = script(ask.model, asked, head.split(b" ", 2)[1].decode())
        except (msgspec.DecodeError, KeyError, ValueError):
            self._transport.write(BAD)
            self._transport.close()
            return
        self._place = 0
        if self.step():
            self._wheel.add(self)

    def step(self) -> bool:
        """Write the next item; False once there is none."""
        playing = self._script
        if playing is None:
            return False
        if self._place < len(playing.writes):
            self._transport.write(playing.writes[self._place])
            self._place += 1
        if self._place < len(playing.writes):
            return True
        self._script = None
        if playing.end == "close":
            self._transport.close()
        elif playing.end == "reset":
            connection = self._transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()
        return False


async def serve(play: Callable[[], Player]) -> None:
    """Serve on a free loopback port until stdin closes. play: makes what serves a connection."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(play, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    allow_open_files()
    wheel = Wheel()
    uvloop.run(serve(lambda: Player(wheel)))
