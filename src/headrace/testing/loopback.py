"""A real server on loopback that answers each connection by a script: for tests of what speaks HTTP.

```python
async def script(peer: Peer) -> None:
    await peer.request()
    peer.write(b"HTTP/1.1 200 OK\\r\\ncontent-length: 2\\r\\n\\r\\nhi")

async with loopback(script) as server:
    ...  # server.url, server.peers, server.requests
```
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeAlias

Script: TypeAlias = Callable[["Peer"], Awaitable[None]]


class Peer:
    """One accepted connection, as the script sees it. It closes when the script returns."""

    def __init__(self, server: Loopback, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server = server
        self.reader = reader
        self.writer = writer
        self.closed = asyncio.Event()  # the far end is gone
        self.served = 0

    async def request(self) -> tuple[bytes, bytes]:
        """The next request's head and body. Raises IncompleteReadError where the far end hung up."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        body = await self.reader.readexactly(length)
        self.served += 1
        self.server.requests.append((head, body))
        return head, body

    def write(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.writer.write(data)

    async def drip(self, data: bytes, size_bytes: int = 1) -> None:
        """Send bytes in slices, giving the far end a chance to read between them."""
        for start in range(0, len(data), size_bytes):
            self.writer.write(data[start : start + size_bytes])
            await self.writer.drain()
            await asyncio.sleep(0)

    async def gone(self) -> None:
        """Wait until the far end has closed the connection. What it still sends is dropped."""
        try:
            while await self.reader.read(65536):
                pass
        except ConnectionError:
            pass  # a reset is an end too
        self.closed.set()

    def reset(self) -> None:
        """Close with an RST, as a crashed machine or a firewall does."""
        sock: socket.socket = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


class Loopback:
    """The running server. requests: heads and bodies in order of arrival. peers: connections so far."""

    def __init__(self, script: Script, *, tls: bool) -> None:
        self._script = script
        self._scheme = "https" if tls else "http"
        self._tasks: set[asyncio.Task[None]] = set()
        self.requests: list[tuple[bytes, bytes]] = []
        self.peers: list[Peer] = []
        self.errors: list[BaseException] = []
        self.port = 0

    @property
    def url(self) -> str:
        """Its address without a trailing slash; by name for TLS, whose certificates hold names."""
        host = "localhost" if self._scheme == "https" else "127.0.0.1"
        return f"{self._scheme}://{host}:{self.port}"

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        peer = Peer(self, reader, writer)
        self.peers.append(peer)
        try:
            await self._script(peer)
        except (ConnectionError, asyncio.IncompleteReadError):
            peer.closed.set()  # the far end hung up: scripts need not care
        except asyncio.CancelledError:
            pass  # the server is being stopped
        except Exception as error:  # noqa: BLE001 - shown by `loopback` to the test
            self.errors.append(error)
        finally:
            if not writer.transport.is_closing():
                writer.close()

    async def _stop(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for peer in self.peers:
            sock = peer.writer.get_extra_info("socket")
            if sock is not None and sock.fileno() >= 0:  # else closed already, which asyncio would trip over
                peer.writer.transport.abort()


@asynccontextmanager
async def loopback(
    script: Script, *, tls: ssl.SSLContext | None = None, limit_bytes: int = 1 << 20
) -> AsyncIterator[Loopback]:
    """Serve `script` on a free port of 127.0.0.1; the block's end raises the script's own error."""
    server = Loopback(script, tls=tls is not None)
    listener = await asyncio.start_server(server._accepted, "127.0.0.1", 0, ssl=tls, limit=limit_bytes)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        await server._stop()
        await listener.wait_closed()
        await asyncio.sleep(0)
    if server.errors:
        raise server.errors[0]
