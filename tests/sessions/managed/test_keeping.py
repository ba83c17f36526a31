"""What a manager knows of ended streams: for how long, in which log, and after it was closed."""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path

import pytest
from tests.sessions.managed.making import Making, nothing_left, read, settle

from headrace import (
    StreamCancelledException,
    StreamChunk,
    StreamManager,
    StreamStatus,
    StreamType,
)
from headrace.core.chunk import TextDelta
from headrace.errors import RequestError
from headrace.sessions.table import Sessions
from headrace.simulate.script import ScriptedSource
from headrace.store.none import NoLog
from headrace.store.sqlite import SqliteLog

CHAT = StreamType.CHAT


def test_ended_streams_are_known_for_as_long_as_was_asked() -> None:
    with pytest.raises(RequestError, match="ended_ttl_seconds"):
        StreamManager(sessions=Sessions(), ended_ttl_seconds=5)

    async def main() -> None:
        manager = StreamManager(ended_ttl_seconds=0.0)
        stream = manager.create_stream(CHAT, full_response="a")
        await read(stream)
        id = stream.stream_id
        assert (
            await manager.get_stream_status(id) is StreamStatus.COMPLETED
        )  # its holder knows it all the same
        del stream
        gc.collect()
        assert await manager.get_stream_status(id) is None

    asyncio.run(main())


def test_closing_the_manager_stops_its_streams() -> None:
    async def main() -> None:
        made = Making(100, hang=True)
        async with StreamManager() as manager:
            stream = manager.create_stream(CHAT, generator=made)
            await anext(stream)
        _, error = await read(stream)
        assert isinstance(error, StreamCancelledException)
        await nothing_left(made)

    asyncio.run(main())


def test_closing_the_manager_ends_readers_that_are_behind() -> None:
    async def main() -> None:
        manager = StreamManager()
        fast = manager.create_stream(CHAT, source=ScriptedSource([TextDelta(0, "x")] * 3000))
        slow = manager.read_stream(fast.stream_id)
        await asyncio.gather(fast.start(), slow.start())
        async for _ in fast:
            pass
        await manager.aclose()
        got, error = await read(slow)
        assert 0 < len(got) < 3000
        assert isinstance(error, StreamCancelledException)
        await nothing_left()

    asyncio.run(main())


def test_closing_the_manager_begins_nothing_more() -> None:
    async def main() -> None:
        made = Making()
        manager = StreamManager()
        stream = manager.create_stream(CHAT, generator=made)
        reading = asyncio.create_task(read(stream))
        await asyncio.sleep(0)  # it is about to open its stream
        await manager.aclose()
        got, error = await reading
        assert got == []
        assert isinstance(error, StreamCancelledException)
        await nothing_left(made)
        assert made.opened == 0

    asyncio.run(main())


def test_one_manager_serves_several_runs_of_a_loop() -> None:
    manager = StreamManager()

    async def main() -> int:
        return len([chunk async for chunk in manager.create_stream(CHAT, full_response="a b")])

    assert [asyncio.run(main()), asyncio.run(main())] == [4, 4]


def test_streams_outlive_the_process_in_a_file(tmp_path: Path) -> None:
    async def first() -> tuple[list[StreamChunk], str, str]:
        sessions = Sessions(SqliteLog(tmp_path / "streams.db"))
        manager = StreamManager(sessions=sessions)
        stream = manager.create_stream(CHAT, full_response="a b c")
        got, _ = await read(stream)
        stopped = manager.create_stream(CHAT, generator=Making(5, hang=True))
        await anext(stopped)
        assert await manager.cancel_stream(stopped.stream_id)
        ids = stream.stream_id, stopped.stream_id
        del stream, stopped
        gc.collect()
        assert await manager.get_stream_status(ids[1]) is StreamStatus.CANCELLED  # committed or not
        await manager.aclose()
        await sessions.aclose()
        return got, *ids

    async def second(got: list[StreamChunk], id: str, stopped: str) -> None:
        sessions = Sessions(SqliteLog(tmp_path / "streams.db"))
        manager = StreamManager(sessions=sessions)
        assert await manager.get_stream_status(id) is StreamStatus.COMPLETED
        assert await manager.get_stream_status(stopped) is StreamStatus.CANCELLED
        metrics = await manager.get_stream_metrics(id)
        assert metrics is not None
        assert metrics.total_chunks == len(got)
        assert [chunk async for chunk in manager.read_stream(id)] == got
        await sessions.aclose()

    asyncio.run(second(*asyncio.run(first())))


def test_an_end_that_is_not_committed_yet_is_told_all_the_same(tmp_path: Path) -> None:
    async def main() -> None:
        sessions = Sessions(SqliteLog(tmp_path / "streams.db", flush_s=0.2))
        manager = StreamManager(sessions=sessions)
        made = Making(2, hang=True)
        stream = manager.create_stream(CHAT, generator=made)
        await anext(stream)  # the first record waits for nobody, the second for the others
        while made.made < 2:
            await asyncio.sleep(0)
        await settle()
        id = stream.stream_id
        await manager.cancel_stream(id)
        await stream.aclose()
        del stream
        gc.collect()
        assert id not in manager._asked
        state = await sessions.state(id)
        assert state is not None
        assert state.end is None
        assert await manager.get_stream_status(id) is StreamStatus.CANCELLED
        await sessions.aclose()

    asyncio.run(main())


def test_without_a_log_a_stream_can_be_read_as_it_comes() -> None:
    async def main() -> None:
        manager = StreamManager(sessions=Sessions(NoLog()))
        stream = manager.create_stream(CHAT, full_response="a b")
        assert len([chunk async for chunk in stream]) == 4
        assert await manager.get_stream_status(stream.stream_id) is StreamStatus.COMPLETED

    asyncio.run(main())


def test_a_stream_of_the_servers_is_none_of_the_managers() -> None:
    async def main() -> None:
        sessions = Sessions()
        sessions.begin("resp-1", {"front": "openai_chat"}, events=True, tells_ids=True, detaches=True)
        manager = StreamManager(sessions=sessions)
        assert await manager.get_stream_status("resp-1") is None
        assert await manager.cancel_stream("resp-1") is False
        _, error = await read(manager.read_stream("resp-1"))
        assert isinstance(error, RequestError)

    asyncio.run(main())
