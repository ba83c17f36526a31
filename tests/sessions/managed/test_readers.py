"""Readers of managed streams: late, early, slow, several, and gone; nothing is left behind."""

from __future__ import annotations

import asyncio
import gc

import pytest
from tests.sessions.managed.making import Making, nothing_left, read, settle

from headrace import (
    StreamCancelledException,
    StreamManager,
    StreamStatus,
    StreamType,
)
from headrace.core.chunk import TextDelta
from headrace.errors import RequestError
from headrace.sessions.managed.making import Making as ManagedMaking
from headrace.sessions.managed.produce import EnvelopeProducer
from headrace.sessions.session import Session
from headrace.sessions.table import Sessions
from headrace.simulate.script import ScriptedSource
from headrace.store.log import Keeping
from headrace.store.memory import MemoryLog
from headrace.testing.clock import run_virtual

CHAT = StreamType.CHAT


def test_readers_come_late_and_leave_early() -> None:
    async def main() -> None:
        manager = StreamManager()
        made = Making(100, every_s=1.0)
        first = manager.create_stream(CHAT, generator=made)
        reading = asyncio.create_task(read(first))
        await asyncio.sleep(10.5)
        second = manager.read_stream(first.stream_id)
        third = manager.read_stream(first.stream_id, after_sequence=4)
        assert [(await anext(second)).sequence_number for _ in range(10)] == list(range(10))
        assert (await anext(third)).sequence_number == 5
        await second.aclose()
        await third.aclose()
        got, error = await reading
        assert error is None
        assert len(got) == 100
        assert [chunk async for chunk in manager.read_stream(first.stream_id)] == got
        await nothing_left(made)

    run_virtual(main())


def test_the_last_reader_that_leaves_stops_the_stream() -> None:
    async def main() -> None:
        manager = StreamManager()
        made = Making(100, every_s=1.0)
        first = manager.create_stream(CHAT, generator=made)
        await anext(first)
        second = manager.read_stream(first.stream_id)
        await anext(second)
        await first.aclose()
        assert await manager.get_stream_status(first.stream_id) is StreamStatus.RUNNING
        await second.aclose()
        assert made.closed == 1  # `aclose` has waited for it
        assert await manager.get_stream_status(first.stream_id) is StreamStatus.CANCELLED
        await nothing_left(made)

    run_virtual(main())


def test_a_stream_that_is_closed_or_forgotten_before_it_began_frees_its_source() -> None:
    async def main() -> None:
        manager = StreamManager()
        sources = [ScriptedSource([TextDelta(0, "a")]) for _ in range(3)]
        closed, forgotten, twice = (manager.create_stream(CHAT, source=one) for one in sources)
        await closed.aclose()
        del forgotten
        gc.collect()
        other = manager.read_stream(twice.stream_id)
        await twice.aclose()
        assert [source.cancelled for source in sources] == [True, True, False]
        assert len([chunk async for chunk in other]) == 3
        assert await manager.get_stream_status(closed.stream_id) is StreamStatus.CANCELLED
        assert await manager.cancel_stream(closed.stream_id) is False
        _, error = await read(manager.read_stream(closed.stream_id))
        assert isinstance(error, StreamCancelledException)
        await nothing_left()

    asyncio.run(main())


def test_a_slow_reader_holds_its_source_and_no_more_than_its_buffer() -> None:
    async def main() -> None:
        manager = StreamManager()
        source = ScriptedSource((TextDelta(0, "x") for _ in range(100_000)), batch=16)
        stream = manager.create_stream(CHAT, source=source)
        await anext(stream)
        await settle()
        assert source.paused
        assert source.pushed < 400
        assert await manager.get_stream_status(stream.stream_id) is StreamStatus.PAUSED
        for _ in range(1000):
            await anext(stream)
        assert source.pushed < 1400
        metrics = await manager.get_stream_metrics(stream.stream_id)
        assert metrics is not None
        assert metrics.backpressure_events > 0
        await stream.aclose()
        assert source.cancelled

    asyncio.run(main())


def test_a_reader_that_stands_still_does_not_hold_the_other_and_catches_up() -> None:
    async def main() -> None:
        manager = StreamManager()
        source = ScriptedSource([TextDelta(0, "x")] * 3000)
        fast = manager.create_stream(CHAT, source=source)
        slow = manager.read_stream(fast.stream_id)
        await asyncio.gather(fast.start(), slow.start())
        got = [chunk async for chunk in fast]
        assert len(got) == 3002
        assert len(slow._inbox.items) < 400
        assert [chunk async for chunk in slow] == got
        await nothing_left()

    asyncio.run(main())


def test_a_place_behind_the_end_is_refused() -> None:
    async def main() -> None:
        manager = StreamManager()
        stream = manager.create_stream(CHAT, full_response="a")
        got, _ = await read(stream)
        rest, error = await read(manager.read_stream(stream.stream_id, after_sequence=len(got) - 1))
        assert (rest, error) == ([], None)
        _, error = await read(manager.read_stream(stream.stream_id, after_sequence=len(got)))
        assert isinstance(error, RequestError)
        with pytest.raises(RequestError, match="after_sequence"):
            manager.read_stream(stream.stream_id, after_sequence=-2)

    asyncio.run(main())


def test_reading_from_a_task_that_is_cancelled_stops_the_stream() -> None:
    async def main() -> None:
        manager = StreamManager()
        made = Making(100, every_s=1.0)
        stream = manager.create_stream(CHAT, generator=made)
        reading = asyncio.create_task(read(stream))
        await asyncio.sleep(1.5)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await settle()
        assert await manager.get_stream_status(stream.stream_id) is StreamStatus.CANCELLED
        await nothing_left(made)

    run_virtual(main())


def test_a_thousand_streams_leave_nothing() -> None:
    now_s = [0.0]

    async def main() -> None:
        log = MemoryLog(Keeping(ended_s=60.0), now_s=lambda: now_s[0])
        manager = StreamManager(sessions=Sessions(log))

        async def one(number: int) -> None:
            hangs = number % 3 == 0
            made = Making(3, hang=hangs)
            stream = manager.create_stream(CHAT, generator=made, stream_id=f"s-{number}")
            if hangs:
                await anext(stream)
                await manager.cancel_stream(stream.stream_id)
            else:
                await read(stream)

        for begin in range(0, 1000, 50):
            await asyncio.gather(*(one(begin + at) for at in range(50)))
        await settle()
        assert await manager.get_stream_status("s-999") is StreamStatus.CANCELLED
        now_s[0] = 61.0
        assert await manager.get_stream_status("s-999") is None
        gc.collect()
        kinds = (Session, EnvelopeProducer, ManagedMaking)
        assert [one for one in gc.get_objects() if isinstance(one, kinds)] == []
        assert (log.held_bytes, len(log._streams), len(manager._asked)) == (0, 0, 0)
        assert manager._wheel is None or len(manager._wheel) == 0
        await nothing_left()

    asyncio.run(main())
