"""The life of managed streams: every status, stops from every state, deadlines."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.sessions.managed.making import Making, nothing_left, read, settle, texts

from headrace import (
    StreamCancelledException,
    StreamChunk,
    StreamManager,
    StreamMetrics,
    StreamStatus,
    StreamTimeoutException,
    StreamType,
)
from headrace.core.chunk import Chunk, TextDelta
from headrace.errors import RequestError
from headrace.simulate.script import ScriptedSource
from headrace.testing.clock import run_virtual

CHAT = StreamType.CHAT


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
