"""The places behind the server: one loopback listener that plays every vendor's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from headrace.testing.loopback import Loopback, Peer, loopback
from tests.matrix.providers.base import Answer


class Upstream:
    """`answer` is what the next request gets; `asked` holds (path, body) of those that came, by wire.

    A request's wire is the first part of its path: `url` of a wire ends in it.
    """

    def __init__(self) -> None:
        self.answer = Answer(b"", status=500)
        self.asked: list[tuple[str, str, bytes]] = []
        self._server: Loopback | None = None

    def url(self, wire: str) -> str:
        """Where the place that speaks `wire` is."""
        assert self._server is not None
        return f"{self._server.url}/{wire}"

    def last(self, wire: str) -> tuple[str, bytes]:
        """(path, body) of the one request since the last look. Raises AssertionError where it is not one."""
        asked, self.asked = self.asked, []
        assert [one[0] for one in asked] == [wire], f"asked: {[one[:2] for one in asked]}"
        return asked[0][1], asked[0][2]

    async def _serve(self, peer: Peer) -> None:
        while True:
            head, body = await peer.request()
            target = head.split(b" ", 2)[1].decode()
            wire, _, path = target.removeprefix("/").partition("/")
            self.asked.append((wire, f"/{path}", body))
            peer.write(_head(self.answer) + _chunk(self.answer.body))
            if self.answer.cut:
                return
            peer.write(b"0\r\n\r\n")


def _head(answer: Answer) -> bytes:
    fields = {"content-type": answer.content_type, "transfer-encoding": "chunked", **answer.headers}
    lines = [f"HTTP/1.1 {answer.status} Scripted", *(f"{k}: {v}" for k, v in fields.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


@asynccontextmanager
async def scripted_upstream() -> AsyncIterator[Upstream]:
    """The listener, for as long as the block lasts."""
    upstream = Upstream()
    async with loopback(upstream._serve) as server:
        upstream._server = server
        yield upstream
