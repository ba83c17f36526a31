"""A client that writes exact bytes and reads HTTP/1.1 responses just far enough for tests."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msgspec

PATIENCE_S = 30.0  # a test that waits longer has failed


@dataclass
class Response:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> dict[str, Any]:
        """The OpenAI-shaped error in the body."""
        error: dict[str, Any] = msgspec.json.decode(self.body)["error"]
        return error


class RawClient:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def head(self) -> tuple[int, dict[str, str]]:
        """The next response's status and headers."""
        async with asyncio.timeout(PATIENCE_S):
            lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers: dict[str, str] = {}
        for line in lines[1:-2]:
            name, _, value = line.partition(":")
            assert name.lower() not in headers, f"{name} twice"
            headers[name.lower()] = value.strip()
        return int(lines[0].split(" ")[1]), headers

    async def chunk(self) -> bytes:
        """The next chunk of a chunked body, b"" at its end."""
        async with asyncio.timeout(PATIENCE_S):
            size = int((await self.reader.readuntil(b"\r\n")).strip(), 16)
            data = await self.reader.readexactly(size + 2)
        assert data[-2:] == b"\r\n"
        return data[:-2]

    async def response_body(self) -> bytes:
        """The rest of a chunked body."""
        parts = []
        while part := await self.chunk():
            parts.append(part)
        return b"".join(parts)

    async def response_body_as_response(self) -> Response:
        """The rest of a response whose head has been read."""
        return Response(200, {}, await self.response_body())

    async def chunk_after_head(self) -> bytes:
        """The first chunk of the next response, which is a good one."""
        assert (await self.head())[0] == 200
        return await self.chunk()

    async def response(self, *, head_only: bool = False) -> Response:
        """The next response, whole."""
        status, headers = await self.head()
        if head_only or status in (204, 304) or 100 <= status < 200:
            return Response(status, headers, b"")
        if headers.get("transfer-encoding") == "chunked":
            return Response(status, headers, await self.response_body())
        if "content-length" in headers:
            async with asyncio.timeout(PATIENCE_S):
                return Response(
                    status, headers, await self.reader.readexactly(int(headers["content-length"]))
                )
        return Response(status, headers, await self.rest())

    async def rest(self) -> bytes:
        """Everything up to the end of the connection."""
        async with asyncio.timeout(PATIENCE_S):
            return await self.reader.read()

    def reset(self) -> None:
        """End the connection with an RST."""
        sock: socket.socket = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


@asynccontextmanager
async def connected(url: str, *, limit: int = 2**16, receive_bytes: int = 0) -> AsyncIterator[RawClient]:
    """A connection to the server at `url`. receive_bytes: the socket's receive buffer, to read slowly."""
    parts = urlsplit(url)
    sock = socket.socket()
    sock.setblocking(False)
    if receive_bytes:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    try:
        await asyncio.get_running_loop().sock_connect(sock, (parts.hostname, parts.port))
    except OSError:
        sock.close()
        raise
    reader, writer = await asyncio.open_connection(sock=sock, limit=limit)
    try:
        yield RawClient(reader, writer)
    finally:
        if writer.transport.get_write_buffer_size():
            writer.transport.abort()  # nobody may ever read the rest
        writer.close()
        with contextlib.suppress(ConnectionError):  # the test or the server may have cut it
            await writer.wait_closed()


def request(
    method: str, path: str, body: bytes = b"", *, version: str = "1.1", headers: tuple[str, ...] = ()
) -> bytes:
    """The bytes of one request."""
    lines = [f"{method} {path} HTTP/{version}", "Host: test", *headers]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def chat(*, stream: bool = True, model: str = "m", text: str = "hello", **more: Any) -> bytes:
    """The bytes of a chat request."""
    body = {"model": model, "messages": [{"role": "user", "content": text}], "stream": stream, **more}
    return request("POST", "/v1/chat/completions", msgspec.json.encode(body))


def unnumbered(body: bytes, first: int = 1) -> bytes:
    """An event stream without its events' ids, after checking that they count up from `first`.

    How a stream failed may stand at its end without a number: where its server died, or before its first
    event, it is no record of the stream.
    """
    blocks = [block for block in body.split(b"\n\n") if b"data:" in block]
    ids = [re.search(rb"(?m)^id: (\d+)$", block) for block in blocks]
    numbers = [int(found[1]) for found in ids if found]
    assert numbers == list(range(first, first + len(numbers)))
    assert not any(ids[len(numbers) :])
    assert len(numbers) in (len(ids), len(ids) - 2, len(ids) - 1) or not numbers
    return re.sub(rb"(?m)^id: \d+\n", b"", body)


def events(body: bytes) -> list[Any]:
    """The JSON of each event, comments left out, after checking that [DONE] is last."""
    blocks = [block for block in unnumbered(body).decode().split("\n\n") if block]
    lines = [line for block in blocks for line in block.split("\n") if not line.startswith(":")]
    assert all(line.startswith("data: ") for line in lines)
    assert lines[-1] == "data: [DONE]"
    return [msgspec.json.decode(line[6:]) for line in lines[:-1]]


def text_of(body: bytes) -> str:
    choices = [choice for event in events(body) for choice in event.get("choices", ())]
    return "".join(choice["delta"].get("content") or "" for choice in choices)
