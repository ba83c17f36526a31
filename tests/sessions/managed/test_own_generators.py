"""Generators of a user's own: the documented way, and what becomes of those that fail or are none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.sessions.managed.making import Making, nothing_left, read, texts

from headrace import (
    StreamChunk,
    StreamGenerationException,
    StreamingGenerator,
    StreamManager,
    StreamStatus,
    StreamType,
)
from headrace.errors import RequestError
from headrace.testing.clock import run_virtual

CHAT = StreamType.CHAT


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
