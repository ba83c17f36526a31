"""Answers of an event stream's server, in the order they are given, and what reading them brings."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from headrace.errors import HeadraceError
from headrace.framing.sse import Event
from headrace.testing.loopback import Loopback, Peer, loopback
from headrace.transport.pool import HttpPool
from headrace.transport.sse import stream_sse

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
OVER = b"HTTP/1.1 204 No Content\r\n\r\n"
Run = Callable[[Any], Any]


def whole(body: bytes, head: bytes = HEAD) -> bytes:
    """A complete answer."""
    return head + b"content-length: %d\r\n\r\n" % len(body) + body


def cut(body: bytes) -> bytes:
    """An answer that promises more than it brings."""
    return HEAD + b"content-length: %d\r\n\r\n" % (len(body) + 100) + body


def answers(*raws: bytes):
    """A script: the answers in order, over as many connections as come; a short one ends its connection."""
    left = list(raws)

    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            raw = left.pop(0) if len(left) > 1 else left[0]
            peer.write(raw)
            if raw.startswith(HEAD + b"connection: close") or _is_cut(raw):
                return

    return script


def _is_cut(raw: bytes) -> bool:
    head, _, body = raw.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head)
    return length is not None and int(length[1]) != len(body)


def ids(server: Loopback) -> list[str | None]:
    """The Last-Event-ID of each request."""
    found = [re.search(rb"\r\nlast-event-id: (.*)\r\n", head) for head, _ in server.requests]
    return [one[1].decode() if one else None for one in found]


async def read(server: Loopback, pool: HttpPool | None = None, **options: Any) -> list[Event]:
    options.setdefault("retry_interval", 0.0)
    async with stream_sse(f"{server.url}/events", sender=pool, **options) as events:
        return [event async for event in events]


async def fails(script: Any, **options: Any) -> tuple[HeadraceError, list[Event], Loopback]:
    """The error that reading ends with, what was read before, the server."""
    got: list[Event] = []

    async def reading(url: str, pool: HttpPool) -> None:
        async with stream_sse(url, sender=pool, **{"retry_interval": 0.0, **options}) as events:
            async for event in events:
                got.append(event)  # noqa: PERF401 - what was read before the error is wanted

    async with loopback(script) as server, HttpPool() as pool:
        with pytest.raises(HeadraceError) as caught:
            await reading(f"{server.url}/events", pool)
        return caught.value, got, server
