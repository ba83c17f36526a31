"""The places behind the server: one loopback listener that does what the cell's play says."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeAlias

import trustme

from headrace.testing.loopback import Loopback, Peer, loopback

Play: TypeAlias = Callable[["Upstream", Peer], Awaitable[None]]


class Upstream:
    """play: what the next requests get. asked: requests so far. open: connections now.

    reached: set by a play that has come to its phase. go: what such a play waits for.
    taken: body bytes that could be handed on, as far as a play counts them.
    """

    def __init__(self) -> None:
        self.play: Play = nothing
        self.asked = 0
        self.open = 0
        self.taken = 0
        self.reached = asyncio.Event()
        self.go = asyncio.Event()
        self._plain: Loopback
        self._secret: Loopback
        self._confused: Loopback

    def begin(self, play: Play) -> None:
        """The next cell's play."""
        self.play = play
        self.asked = self.taken = 0
        self.reached, self.go = asyncio.Event(), asyncio.Event()

    def url(self, wire: str) -> str:
        """Where the place that speaks `wire` is."""
        return f"{self._plain.url}/{wire}"

    def untrusted_url(self, wire: str) -> str:
        """The same behind a certificate that nobody trusts."""
        return f"{self._secret.url}/{wire}"

    def plaintext_url(self, wire: str) -> str:
        """The same for those who take a port without TLS for one with it."""
        return f"https://localhost:{self._confused.port}/{wire}"

    async def _serve(self, peer: Peer) -> None:
        self.open += 1
        try:
            await peer.request()
            self.asked += 1
            await self.play(self, peer)
        finally:
            self.open -= 1


async def _answer_400(peer: Peer) -> None:
    """What a server of plain HTTP says to the beginning of a handshake."""
    await peer.reader.read(1)
    peer.write(head("text/plain", 400) + LAST)


async def nothing(_upstream: Upstream, peer: Peer) -> None:
    """Answer nothing."""
    await peer.gone()


def head(content_type: str, status: int = 200, fields: Iterable[tuple[str, str]] = ()) -> bytes:
    """A response's head, with a chunked body. The connection is not to be used again: it must be closed."""
    usual = {"content-type": content_type, "transfer-encoding": "chunked", "connection": "close"}
    named = {**usual, **dict(fields)}
    lines = [f"HTTP/1.1 {status} Scripted", *(f"{name}: {value}" for name, value in named.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def chunk(data: bytes) -> bytes:
    """A piece of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


LAST = b"0\r\n\r\n"


def _untrusted() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    return context


@asynccontextmanager
async def scripted_upstream() -> AsyncIterator[Upstream]:
    """The listeners, for as long as the block lasts."""
    upstream = Upstream()
    async with AsyncExitStack() as stack:
        upstream._plain = await stack.enter_async_context(loopback(upstream._serve))
        upstream._secret = await stack.enter_async_context(loopback(upstream._serve, tls=_untrusted()))
        upstream._confused = await stack.enter_async_context(loopback(_answer_400))
        yield upstream
