"""A client that drops, resumes and stops: exact bytes, read by its wire's own decoder."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from headrace.core.chunk import TERMINALS, Failure, TextDelta
from headrace.server.serve import RunningServer
from headrace.wire import wire_named
from tests.faults.asking import request_bytes
from tests.faults.plays import waits
from tests.faults.rig import Rig
from tests.faults.speech import END, MID
from tests.faults.table import ASKED, Cell
from tests.faults.upstream import Play
from tests.faults.ways import read
from tests.server.raw import PATIENCE_S, RawClient, Response, connected, request

DETACH = "x-headrace-on-disconnect: detach"
_ID = re.compile(rb"(?m)^id: (\d+)$")
_PINGS = re.compile(rb"\A(?:: ping\n|\r?\n)+")


class Reading:
    """One response, as it comes. pings: keep-alives so far. ended: its last chunk."""

    def __init__(self, client: RawClient, wire: str) -> None:
        self.client = client
        self.wire = wire
        self.status = 0
        self.headers: dict[str, str] = {}
        self._parts: list[bytes] = []
        self.pings = 0
        self._texts: list[str] = []
        self._decoder: Any = wire_named(wire).decoder()
        self.ended: Any = None

    async def head(self) -> None:
        """Read the status and the headers."""
        self.status, self.headers = await self.client.head()

    async def until(self, text: str) -> None:
        """Read on until the text has come."""
        if not self.status:
            await self.head()
        while self.text != text:
            assert text.startswith(self.text), self.text
            data = await self.client.chunk()
            assert data, f"it ended behind {self.text!r}"
            self._take(data)

    async def step(self) -> None:
        """Read what comes next, a keep-alive or events."""
        if not self.status:
            await self.head()
        self._take(await self.client.chunk())

    async def rest(self) -> None:
        """Read to the end: of a chunked body, or of an error with its status."""
        if not self.status:
            await self.head()
        if self.headers.get("transfer-encoding") != "chunked":
            length = int(self.headers.get("content-length", "0"))
            self._parts.append(await self.client.reader.readexactly(length))
            return
        while data := await self.client.chunk():
            self._take(data)
        self._look(self._decoder.close())

    def _take(self, data: bytes) -> None:
        pinged = _PINGS.match(data)
        if pinged:
            self.pings += 1
            data = data[pinged.end() :]
        self._parts.append(data)
        self._look(self._decoder.feed((data,)))

    def _look(self, chunks: list[Any]) -> None:
        for chunk in chunks:
            assert self.ended is None, "something came behind the end"
            if isinstance(chunk, TextDelta):
                self._texts.append(chunk.text)
            if isinstance(chunk, TERMINALS):
                self.ended = chunk

    @property
    def got(self) -> bytes:
        """The body so far, less keep-alives."""
        return b"".join(self._parts)

    @property
    def text(self) -> str:
        """What has been said so far."""
        return "".join(self._texts)

    @property
    def last(self) -> int:
        """The number of the last event; counted where the protocol's events carry none."""
        ids = _ID.findall(self.got)
        return int(ids[-1]) if ids else len(re.findall(rb"(?m)^data: ", self.got))

    def whole(self, text: str) -> None:
        """Check that it is the whole answer."""
        assert self.status == 200, self.got
        assert not isinstance(self.ended, Failure), self.ended
        assert self.text == text

    def failed(self, code: str, status: int, text: str, *, begun: bool) -> None:
        """Check that it says how it failed, before its first byte by a status, behind it by an event."""
        if begun:
            assert self.status == 200
            assert isinstance(self.ended, Failure), self.ended
            assert self.text == text
        else:
            assert self.status == status, (self.status, self.got)
        # Anthropic's errors have types of their own, and no further word
        assert code.encode() in self.got or self.wire == "anthropic", self.got


@asynccontextmanager
async def begun(
    rig: Rig, cell: Cell, server: RunningServer, *headers: str, play: Play | None = None, **more: Any
) -> AsyncIterator[Reading]:
    """A request whose answer stands at the cell's phase, and has been read so far."""
    rig.upstream.begin(play or waits(cell.speech, cell.phase))
    async with connected(server.url, **more) as client:
        await client.send(request_bytes(cell, rig.model(cell.wire), ASKED, *headers))
        async with asyncio.timeout(PATIENCE_S):
            await rig.upstream.reached.wait()
        reading = Reading(client, cell.client)
        if cell.phase in (MID, END):
            await reading.until(cell.said)
        yield reading


@asynccontextmanager
async def again(server: RunningServer, cell: Cell, id: str, after: int = 0) -> AsyncIterator[Reading]:
    """The stream read again from behind an event."""
    async with connected(server.url) as client:
        await client.send(request("GET", f"/v1/streams/{id}", headers=(f"Last-Event-ID: {after}",)))
        yield Reading(client, cell.client)


async def asked(server: RunningServer, method: str, path: str) -> Response:
    """One request on a connection of its own."""
    async with connected(server.url) as client:
        await client.send(request(method, path))
        return await client.response()


async def latest_id(server: RunningServer) -> str:
    """The id of the newest stream, as a client finds it that has had no headers yet."""
    listed = msgspec.json.decode((await asked(server, "GET", "/v1/streams")).body)
    id: str = listed["data"][0]["id"]
    return id


async def status(server: RunningServer, id: str) -> dict[str, Any]:
    """What is told of a stream."""
    found: dict[str, Any] = msgspec.json.decode((await asked(server, "GET", f"/v1/streams/{id}/status")).body)
    return found


async def until(true: Callable[[], bool]) -> None:
    """Wait for it."""
    async with asyncio.timeout(PATIENCE_S):
        while not true():
            await asyncio.sleep(0.001)


async def log_of(server: RunningServer, cell: Cell, id: str) -> tuple[bytes, str, Any]:
    """A stream's bytes in the log, their text, and how they end."""
    data = b"".join(await server.app.sessions.log.read(id, 0, 2**31))
    if not data:
        return b"", "", None
    reply, last = read(cell.client, data)
    return data, reply.text, last
