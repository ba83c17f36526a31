"""Servers that stop, back ends that are all down, clocks that jump."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import pytest

from headrace import generate_text
from headrace.errors import Unavailable
from headrace.server.limits import Limits
from tests.faults.asking import request_bytes
from tests.faults.checker import check_failure
from tests.faults.plays import silence, then, waits
from tests.faults.reading import Reading, begun, latest_id, until
from tests.faults.rig import CLOCK_S, LIMITS, Rig
from tests.faults.speech import HEADERS
from tests.faults.table import ASKED, Cell, Seen
from tests.faults.upstream import nothing
from tests.faults.ways import counted, ended, failure_of
from tests.server.raw import connected, request

_AT_ONCE = 8
_YEAR_S = 365 * 86_400.0


async def silence_after_a_keepalive(rig: Rig, cell: Cell) -> None:
    """Nothing comes for so long that the status has been committed by a comment."""
    rig.upstream.begin(nothing if cell.phase == HEADERS else then(cell.speech, cell.phase, silence))
    limits = Limits(drain_s=LIMITS.drain_s, keepalive_after_s=CLOCK_S / 4)
    async with rig.serving(limits=limits) as server:
        before = counted(server.app)
        async with connected(server.url) as client:
            await client.send(request_bytes(cell, rig.model(cell.wire), ASKED))
            reading = Reading(client, cell.client)
            while not reading.pings:
                await reading.step()
            await reading.rest()
        assert reading.pings
        reading.failed("first_token", 504, "", begun=True)
        failure = failure_of(await ended(server.app, before))
        assert failure is not None
        check_failure(Seen("timeout", "first_token", 504, retryable=True), failure)


async def drains(rig: Rig, cell: Cell) -> None:
    """A server that is told to stop: what runs ends well, what is new is refused."""
    async with rig.serving() as server, connected(server.url) as idle:
        await idle.send(request("GET", "/health"))
        assert (await idle.response()).status == 200
        async with begun(rig, cell, server) as reading:
            server.stop()
            await until(lambda: server.app.draining)
            await idle.send(request_bytes(cell, rig.model(cell.wire), ASKED))
            assert (await idle.response()).status == 503
            with pytest.raises(ConnectionRefusedError):
                async with connected(server.url):
                    pass
            rig.upstream.go.set()
            await reading.rest()
            reading.whole(cell.speech.text)
    assert rig.upstream.asked == 1


async def outlasts_the_drain(rig: Rig, cell: Cell) -> None:
    """A server that is told to stop, and an answer that goes on for longer than it waits."""
    async with rig.serving() as server:
        before = counted(server.app)
        async with begun(rig, cell, server) as reading:
            server.stop()
            await reading.rest()
            reading.failed("shutting_down", 503, cell.said, begun=reading.status == 200)
            assert cell.phase != HEADERS or reading.status == 503
            await until(lambda: not rig.upstream.open)
        after = counted(server.app)
        assert after == {**before, "failed": before["failed"] + 1}


async def all_down(rig: Rig, cell: Cell) -> None:
    """Many requests at once to places that are not there: each fails at once, none waits for another."""
    rig.upstream.begin(nothing)
    began_s = asyncio.get_running_loop().time()
    model = rig.model(cell.wire, "refused")

    async def asks() -> int:
        if cell.way == "direct":
            with pytest.raises(Unavailable) as caught:
                await generate_text(model, ASKED.text, runtime=rig.runtime)
            return caught.value.http_status
        async with connected(rig.server.url) as client:
            await client.send(request_bytes(cell, model, ASKED))
            return (await client.response()).status

    assert await asyncio.gather(*(asks() for _ in range(_AT_ONCE))) == [502] * _AT_ONCE
    assert asyncio.get_running_loop().time() - began_s < CLOCK_S  # whatever clock there is has not run out
    assert rig.upstream.asked == 0


async def clock_jumps(rig: Rig, cell: Cell) -> None:
    """The wall clock is set a year on, and for the next answer a year back."""
    for by_s in (_YEAR_S, -_YEAR_S):
        if cell.way == "direct":
            await _direct_jump(rig, cell, by_s)
            continue
        before = counted(rig.server.app)
        async with begun(rig, cell, rig.server) as reading:
            with set_on(by_s):
                rig.upstream.go.set()
                await reading.rest()
                reading.whole(cell.speech.text)
                state = await ended(rig.server.app, before)
                assert state.head.id == await latest_id(rig.server)


@contextmanager
def set_on(by_s: float) -> Iterator[None]:
    """The wall clock, set on by so much."""
    real = time.time
    with patch("time.time", lambda: real() + by_s):
        yield


async def _direct_jump(rig: Rig, cell: Cell, by_s: float) -> None:
    rig.upstream.begin(waits(cell.speech, cell.phase))
    asking = asyncio.create_task(generate_text(rig.model(cell.wire), ASKED.text, runtime=rig.runtime))
    await rig.upstream.reached.wait()
    with set_on(by_s):
        rig.upstream.go.set()
        assert (await asking).text == cell.speech.text
