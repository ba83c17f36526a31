"""The life of managed streams: every status, stops from every state, deadlines, and nothing left behind."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.sessions.managed.making import Making, nothing_left, settle

from headrace import (
    StreamCancelledException,
    StreamChunk,
    StreamGenerationException,
    StreamingGenerator,
    StreamManager,
    StreamMetrics,
    StreamStatus,
    StreamTimeoutException,
    StreamType,
)
from headrace.core.chunk import Chunk, TextDelta
from headrace.errors import RequestError
from headrace.sessions.managed.making import Making as ManagedMaking
from headrace.sessions.managed.produce import EnvelopeProducer
from headrace.sessions.session import Session
from headrace.sessions.table import Sessions
from headrace.simulate.script import ScriptedSource
from headrace.store.log import Keeping
from headrace.store.memory import MemoryLog
from headrace.store.none import NoLog
from headrace.store.sqlite import SqliteLog
from headrace.testing.clock import run_virtual

CHAT = StreamType.CHAT


def texts(chunks: list[StreamChunk]) -> str:
    return "".join(chunk.data["content"] for chunk in chunks)


async def read(stream: Any) -> tuple[list[StreamChunk], BaseException | None]:
    got: list[StreamChunk] = []
    try:
        async for chunk in stream:
            got.append(chunk)  # noqa: PERF401 - kept when the stream raises
    except Exception as error:  # noqa: BLE001 - the test's to judge
        return got, error
    return got, None


def test_a_stream_from_its_beginning_to_its_end() -> None:
    async def main() -> None:
        manager = StreamManager()
        made = Making(3, every_s=1.0)
        stream = manager.create_stream(CHAT, "m", generator=made)
        id = stream.stream_id
        assert await manager.get_stream_status(id) is StreamStatus.INITIALIZING
        assert await manager.get_stream_metrics(id) is None
        reading = asyncio.create_task(read(stream))
        await settle()
        assert await manager.get_stream_status(id) is StreamStatus.INITIALIZING
        await asyncio.sleep(1.5)
        assert await manager.get_stream_status(id) is StreamStatus.RUNNING
        so_far = await manager.get_stream_metrics(id)
        assert so_far is not None
        assert (so_far.total_chunks, so_far.completion_time) == (1, None)
        got, error = await reading
        assert error is None
        assert texts(got) == "0 1 2 "
        assert [(chunk.sequence_number, chunk.is_first) for chunk in got] == [
            (0, True),
            (1, False),
            (2, False),
        ]
        assert await manager.get_stream_status(id) is StreamStatus.COMPLETED
        metrics = await manager.get_stream_metrics(id)
        assert isinstance(metrics, StreamMetrics)
        assert metrics.total_chunks == 3
        assert metrics.time_to_first_chunk_ms() == pytest.approx(1000)
        assert metrics.total_duration_ms() == pytest.approx(3000)
        await nothing_left(made)

    run_virtual(main())


def test_a_stream_that_nobody_knows() -> None:
    async def main() -> None:
        manager = StreamManager()
        assert await manager.get_stream_status("stream-none") is None
        assert await manager.get_stream_metrics("stream-none") is None
        assert await manager.cancel_stream("stream-none") is False
        _, error = await read(manager.read_stream("stream-none"))
        assert isinstance(error, RequestError)
        assert error.code == "unknown_stream"

    asyncio.run(main())


async def _before(manager: StreamManager, stream: Any) -> Any:
    return None


async def _initializing(manager: StreamManager, stream: Any) -> Any:
    reading = asyncio.create_task(read(stream))
    await settle()
    return reading


async def _running(manager: StreamManager, stream: Any) -> Any:
    reading = asyncio.create_task(read(stream))
    await asyncio.sleep(1.5)
    return reading


async def _paused(manager: StreamManager, stream: Any) -> Any:
    await anext(stream)
    await asyncio.sleep(1000)
    return None


@pytest.mark.parametrize(
    ("bring", "status", "came"),
    [
        (_before, StreamStatus.INITIALIZING, 0),
        (_initializing, StreamStatus.INITIALIZING, 0),
        (_running, StreamStatus.RUNNING, 1),
        (_paused, StreamStatus.PAUSED, 256),
    ],
)
def test_a_stop_from_every_state(bring: Any, status: StreamStatus, came: int) -> None:
    async def main() -> None:
        manager = StreamManager(default_timeout_seconds=None)
        made = Making(10_000, every_s=1.0)
        stream = manager.create_stream(CHAT, generator=made)
        reading = await bring(manager, stream)
        assert await manager.get_stream_status(stream.stream_id) is status
        assert await manager.cancel_stream(stream.stream_id) is True
        # At once: no turn of the loop is needed for the status.
        assert await manager.get_stream_status(stream.stream_id) is StreamStatus.CANCELLED
        got, error = await (reading or read(stream))
        assert len(got) >= came
        assert isinstance(error, StreamCancelledException)
        assert error.stream_id == stream.stream_id
        assert made.made <= came + 2
        assert await manager.cancel_stream(stream.stream_id) is False
        metrics = await manager.get_stream_metrics(stream.stream_id)
        assert metrics is not None
        assert metrics.total_chunks == made.made
        await nothing_left(made)

    run_virtual(main())


@pytest.mark.parametrize("made", [Making(1), Making(1, error="broken")])
def test_a_stream_that_has_ended_cannot_be_stopped(made: Making) -> None:
    async def main() -> None:
        manager = StreamManager()
        stream = manager.create_stream(CHAT, generator=made)
        await read(stream)
        assert await manager.cancel_stream(stream.stream_id) is False
        wanted = StreamStatus.FAILED if made.error else StreamStatus.COMPLETED
        assert await manager.get_stream_status(stream.stream_id) is wanted

    asyncio.run(main())


@pytest.mark.parametrize("came", [0, 2])
def test_a_deadline_is_kept_though_the_source_hangs(came: int) -> None:
    async def main() -> None:
        manager = StreamManager()
        made = Making(came, hang=True)
        stream = manager.create_stream(CHAT, generator=made, timeout_seconds=0.5)
        loop = asyncio.get_running_loop()
        got, error = await read(stream)
        assert loop.time() == pytest.approx(0.5, abs=0.06)  # on the virtual clock: half a second and a tick
        assert len(got) == came
        assert isinstance(error, StreamTimeoutException)
        assert isinstance(error, TimeoutError)
        assert error.stream_id == stream.stream_id
        assert await manager.get_stream_status(stream.stream_id) is StreamStatus.TIMEOUT
        await nothing_left(made)

    run_virtual(main())


def test_a_deadline_is_kept_though_the_generator_will_not_be_cancelled() -> None:
    class Stubborn:
        async def generate(self, context: Any, full_response: Any) -> AsyncIterator[StreamChunk]:
            yield StreamChunk("a", 0, {"content": "a"})
            for _ in range(3):
                try:
                    await asyncio.sleep(100)
                except asyncio.CancelledError:
                    continue
            yield StreamChunk("late", 1, {"content": "late"})

    async def main() -> None:
        manager = StreamManager(default_timeout_seconds=1.0)
        stream = manager.create_stream(CHAT, generator=Stubborn())
        got, error = await read(stream)
        assert asyncio.get_running_loop().time() == pytest.approx(1.0, abs=0.06)
        assert texts(got) == "a"
        assert isinstance(error, StreamTimeoutException)

    run_virtual(main())


def test_a_deadline_counts_a_reader_that_stands_still() -> None:
    async def main() -> None:
        manager = StreamManager(default_timeout_seconds=10.0)
        source = ScriptedSource([TextDelta(0, "a")] * 5000)
        stream = manager.create_stream(CHAT, source=source)
        await anext(stream)
        await asyncio.sleep(11)
        assert source.cancelled
        assert await manager.get_stream_status(stream.stream_id) is StreamStatus.TIMEOUT
        got, error = await read(stream)
        assert isinstance(error, StreamTimeoutException)
        assert [chunk.sequence_number for chunk in got] == list(range(1, len(got) + 1))

    run_virtual(main())


def test_a_generator_that_raises() -> None:
    async def main() -> None:
        manager = StreamManager()
        made = Making(2, error="broken")
        stream = manager.create_stream(CHAT, generator=made)
        got, error = await read(stream)
        assert texts(got) == "0 1 "
        assert isinstance(error, StreamGenerationException)
        assert "broken" in error.error.message
        assert isinstance(error.__cause__, KeyError)
        assert await manager.get_stream_status(stream.stream_id) is StreamStatus.FAILED
        again, late = await read(manager.read_stream(stream.stream_id))
        assert texts(again) == "0 1 "
        assert isinstance(late, StreamGenerationException)
        await nothing_left(made)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("data", "told"),
    [({"a": object()}, "object is not plain data"), ({"a": 2**70}, "chunk 1"), ("\ud800", "surrogate")],
)
def test_a_chunk_that_cannot_be_kept_fails_the_stream_after_what_came_before(data: Any, told: str) -> None:
    class Odd:
        async def generate(self, context: Any, full_response: Any) -> AsyncIterator[Any]:
            yield StreamChunk("a", 0, {"content": "a"})
            yield StreamChunk("b", 1, data)

    async def main() -> None:
        got, error = await read(StreamManager().create_stream(CHAT, generator=Odd()))
        assert texts(got) == "a"
        assert isinstance(error, StreamGenerationException)
        assert told in error.message
        assert error.code == "bad_chunk"

    asyncio.run(main())


def test_what_is_no_chunk_fails_the_stream() -> None:
    class Odd:
        async def generate(self, context: Any, full_response: Any) -> AsyncIterator[Any]:
            yield "a"

    async def main() -> None:
        _, error = await read(StreamManager().create_stream(CHAT, generator=Odd()))
        assert isinstance(error, StreamGenerationException)
        assert "it is a str, no StreamChunk" in error.message

    asyncio.run(main())


def test_a_generator_that_generates_nothing_or_is_none() -> None:
    class NoGenerator:
        async def generate(self, context: Any, full_response: Any) -> None:
            return None

    async def main() -> None:
        _, error = await read(StreamManager().create_stream(CHAT, generator=Making(0)))
        assert isinstance(error, StreamGenerationException)
        assert error.code == "empty_response"
        with pytest.raises(RequestError, match="async generator"):
            StreamManager().create_stream(CHAT, generator=NoGenerator())  # type: ignore[arg-type]

    asyncio.run(main())


def test_the_documented_way_to_write_a_generator() -> None:
    class Custom(StreamingGenerator):
        async def generate(self, context: Any, full_response: Any) -> AsyncIterator[StreamChunk]:
            for at, word in enumerate(full_response):
                yield StreamChunk(
                    chunk_id=f"{context.stream_id}-{at}",
                    sequence_number=at,
                    data=word,
                    is_first=at == 0,
                    is_last=at == len(full_response) - 1,
                )

    async def main() -> None:
        manager = StreamManager()
        stream = manager.create_stream(
            stream_type=StreamType.CHAT, full_response=["a", "b"], generator=Custom()
        )
        assert [chunk.data async for chunk in stream] == ["a", "b"]

    asyncio.run(main())


def test_a_pace_is_kept_by_every_kind_of_source() -> None:
    async def main() -> None:
        manager = StreamManager()
        loop = asyncio.get_running_loop()
        for asked in (
            {"full_response": "a b c"},
            {"source": ["a", " b", " c"]},
            {"generator": Making(3)},
            {"generator": Making(3, every_s=2.0)},
        ):
            began_s = loop.time()
            stream = manager.create_stream(CHAT, chunk_delay_seconds=2.0, **asked)  # type: ignore[arg-type]
            whole = {round(loop.time() - began_s) async for _ in stream}
            assert sorted(whole)[:3] in ([0, 2, 4], [2, 4, 6]), asked

    run_virtual(main())


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


def test_an_id_of_ones_own_is_used_once() -> None:
    async def main() -> None:
        manager = StreamManager()
        stream = manager.create_stream(CHAT, full_response="a", stream_id="mine")
        with pytest.raises(RequestError, match="stream_id"):
            manager.create_stream(CHAT, full_response="a", stream_id="mine")
        await read(stream)
        del stream
        gc.collect()
        _, error = await read(manager.create_stream(CHAT, full_response="a", stream_id="mine"))
        assert isinstance(error, RequestError)
        assert error.field == "stream_id"

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


def test_operators_work_on_envelopes() -> None:
    async def main() -> None:
        stream = StreamManager().create_stream(CHAT, generator=Making(4))
        kept = stream.filter(lambda chunk: chunk.sequence_number % 2).map(lambda chunk: chunk.data["content"])
        assert [text async for text in kept] == ["1 ", "3 "]

    asyncio.run(main())


def test_chunks_are_of_the_one_family() -> None:
    async def source() -> AsyncIterator[Chunk | str]:
        yield TextDelta(0, "a ")
        yield "b"

    async def main() -> None:
        stream = StreamManager().create_stream("completion", source=source())
        assert "".join([chunk.data["choices"][0]["text"] async for chunk in stream]) == "a b"

    asyncio.run(main())
