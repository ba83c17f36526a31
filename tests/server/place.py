"""A provider on the loopback that speaks OpenAI's chat, a piece at a time, and counts who leaves."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_LENGTH = re.compile(rb"(?i)content-length: (\d+)")


def piece(number: int) -> str:
    return f"{number}é "


class Place:
    """url: for `base_url`. asked: requests so far. left: those that were cut before their end."""

    def __init__(self, pieces: int, beat_s: float) -> None:
        self.pieces, self.beat_s = pieces, beat_s
        self.url = ""
        self.asked = self.left = self.ended = 0

    @property
    def text(self) -> str:
        """What every answer says."""
        return "".join(piece(number) for number in range(self.pieces))

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                found = _LENGTH.search(head)
                await reader.readexactly(int(found[1]) if found else 0)
                self.asked += 1
                self.left += 1
                await self._stream(writer)
                self.left -= 1
                self.ended += 1
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _stream(self, writer: asyncio.StreamWriter) -> None:
        writer.write(_HEAD)
        for number in range(self.pieces):
            delta = {"role": "assistant", "content": piece(number)}
            self._event(writer, json.dumps(_chunk(delta)).encode())
            await writer.drain()
            await asyncio.sleep(self.beat_s)
        self._event(writer, json.dumps(_chunk({}, "stop")).encode())
        self._event(writer, b"[DONE]")
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    def _event(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        event = b"data: %b\n\n" % data
        writer.write(b"%x\r\n%b\r\n" % (len(event), event))


def _chunk(delta: dict[str, str], finish: str | None = None) -> dict[str, object]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


@asynccontextmanager
async def place(pieces: int, beat_s: float) -> AsyncIterator[Place]:
    """A place that is open for the block."""
    found = Place(pieces, beat_s)
    tasks: set[asyncio.Task[None]] = set()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(found.answer(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(begin, "127.0.0.1", 0)
    found.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield found
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
