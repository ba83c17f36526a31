"""Clients that go, and clients that read slowly."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Coroutine
from typing import Any

from headrace import stream_text
from headrace.testing.loopback import Peer
from tests.faults.asking import request_bytes
from tests.faults.plays import waits
from tests.faults.reading import Reading, begun, latest_id, log_of, status, until
from tests.faults.rig import CLOCK_S, Rig
from tests.faults.speech import edited
from tests.faults.table import ASKED, Cell
from tests.faults.upstream import LAST, Upstream, chunk, head
from tests.faults.ways import counted, ended
from tests.server.raw import connected

_LONG = "0123456789abcde " * 512
_COUNT = 1000
_SEND_BYTES = 65_536  # the kernel would hold megabytes


async def disconnects(rig: Rig, cell: Cell) -> None:
    """The client resets its connection; a direct caller is cancelled."""
    if cell.way == "direct":
        await _direct_leaves(rig, cell)
        return
    server = rig.server
    before = counted(server.app)
    async with begun(rig, cell, server) as reading:
        id = await latest_id(server)
        reading.client.reset()
        await until(lambda: not rig.upstream.open)
    await until(lambda: not server.app.sessions.live)
    state = await ended(server.app, before)
    assert (state.head.id, state.end and state.end.outcome) == (id, "cancelled")
    _, text, _ = await log_of(server, cell, id)
    assert text == cell.said
    assert rig.upstream.asked == 1


async def _direct_leaves(rig: Rig, cell: Cell) -> None:
    rig.upstream.begin(waits(cell.speech, cell.phase))
    heard = ""

    async def listens() -> None:
        nonlocal heard
        async with stream_text(rig.model(cell.wire), ASKED.text, runtime=rig.runtime).stream as texts:
            async for text in texts:
                heard += text

    listening = asyncio.create_task(listens())
    await rig.upstream.reached.wait()
    await until(lambda: heard == cell.said)
    listening.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await listening
    await until(lambda: not rig.upstream.open)
    assert heard == cell.said


async def reads_slowly(rig: Rig, cell: Cell) -> None:
    """A client that reads nothing for longer than any clock of the model, and then all."""
    rig.upstream.begin(_long_answer(cell))
    body_bytes = _COUNT * len(_long_text(cell))
    if cell.way == "direct":
        stream = stream_text(rig.model(cell.wire), ASKED.text, runtime=rig.runtime).stream
        heard = await anext(aiter(stream))
        await _stands_still(rig, body_bytes)
        async with stream as texts:
            heard += "".join([text async for text in texts])
        assert heard == _all(cell)
        return
    async with connected(rig.server.url, limit=4096, receive_bytes=4096) as client:
        await client.send(request_bytes(cell, rig.model(cell.wire), ASKED))
        reading = Reading(client, cell.client)
        await reading.head()
        await _stands_still(rig, body_bytes)
        assert (await status(rig.server, await latest_id(rig.server)))["status"] == "paused"
        await reading.rest()
        reading.whole(_all(cell))


async def _stands_still(rig: Rig, body_bytes: int) -> None:
    await asyncio.sleep(3 * CLOCK_S)  # of a clock that moves when nothing else does
    assert rig.upstream.taken < body_bytes, "everything was taken for a client that reads nothing"


def _all(cell: Cell) -> str:
    return _LONG * _COUNT + cell.speech.last


def _long_text(cell: Cell) -> bytes:
    """The wire's event of a text, with a long one."""
    first = cell.speech.texts[0]
    return edited(first, lambda body: _with_text(body, cell.speech.text[:6]))


def _with_text(body: Any, short: str) -> Any:
    if isinstance(body, dict):
        return {name: _with_text(value, short) for name, value in body.items()}
    if isinstance(body, list):
        return [_with_text(one, short) for one in body]
    return _LONG if body == short else body


def _long_answer(cell: Cell) -> Callable[[Upstream, Peer], Coroutine[Any, Any, None]]:
    speech = cell.speech
    ending = b"".join(one for one in speech.ending if not _says_all(one))

    async def play(upstream: Upstream, peer: Peer) -> None:
        event = chunk(_long_text(cell))
        end: socket.socket = peer.writer.get_extra_info("socket")
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BYTES)
        peer.write(head(speech.provider.content_type) + chunk(b"".join(speech.opening)))
        for _ in range(_COUNT):
            peer.write(event)
            await peer.writer.drain()
            upstream.taken += len(event)
        peer.write(chunk(ending) + LAST)
        await peer.gone()

    return play


def _says_all(event: bytes) -> bool:
    """Whether an event of the Responses API says the text once more: it would not be the long one."""
    return any(name in event for name in (b"_text.done", b"_part.done", b"_item.done"))
