"""Streams from iterables of every kind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from headrace.core.chunk import Cancelled, Failure, Finish, Start, TextDelta, Token
from headrace.errors import RateLimited, StreamGenerationException
from headrace.simulate.script import ScriptedSource
from headrace.stream.build import as_source
from headrace.stream.fluent import empty, from_iterable, from_source, of
from headrace.stream.generation import GenerationChunk, GenerationStream
from headrace.testing.clock import run_virtual


def collected(stream: Any) -> list[Any]:
    async def main() -> list[Any]:
        return [item async for item in stream]

    return run_virtual(main())


@pytest.mark.parametrize(
    "items", [[1, 2, 3], (1, 2, 3), range(1, 4), {1: 0, 2: 0, 3: 0}, iter([1, 2, 3]), (n for n in (1, 2, 3))]
)
def test_any_iterable(items: Any) -> None:
    assert collected(from_iterable(items)) == [1, 2, 3]


def test_the_small_makers() -> None:
    assert collected(of(1, 2)) == [1, 2]
    assert collected(empty()) == []
    assert collected(from_source(ScriptedSource([TextDelta(0, "a")]))) == [TextDelta(0, "a")]
    assert collected(from_iterable(range(1000))) == list(range(1000))


def test_what_is_no_stream_is_refused() -> None:
    with pytest.raises(TypeError, match="int"):
        as_source(3)  # type: ignore[arg-type]


def test_a_generator_is_closed_and_its_error_is_the_streams() -> None:
    log: list[str] = []

    def numbers() -> Iterator[int]:
        try:
            yield from range(1000)
        finally:
            log.append("closed")

    async def main() -> None:
        stream = from_iterable(numbers(), max_buffer=4)
        assert await anext(stream) == 0
        await stream.aclose()
        assert log == ["closed"]

    run_virtual(main())
    with pytest.raises(ZeroDivisionError):
        collected(from_iterable(1 // n for n in (1, 1, 0)))


def test_an_iterable_that_swallows_its_cancellation_is_still_stopped() -> None:
    async def stubborn() -> AsyncIterator[int]:
        while True:
            try:
                await asyncio.sleep(10)
            except asyncio.CancelledError:
                yield -1
            yield 0

    async def main() -> None:
        stream = from_iterable(stubborn())
        assert await anext(stream) == 0
        await stream.aclose()
        assert len(asyncio.all_tasks()) == 1

    run_virtual(main())


def test_an_outside_cancellation_of_the_task_ends_the_stream() -> None:
    async def main() -> None:
        stream = GenerationStream.from_iterable(hanging())
        reading = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(1)
        for task in asyncio.all_tasks() - {asyncio.current_task(), reading}:
            task.cancel()
        assert isinstance(await reading, Cancelled)

    run_virtual(main())


async def hanging() -> AsyncIterator[str]:
    await asyncio.Event().wait()
    yield ""


def test_a_source_is_started_once() -> None:
    async def main() -> None:
        source = as_source([1])
        one, two = from_source(source), from_source(source)
        assert [item async for item in one] == [1]
        with pytest.raises(RuntimeError, match="once"):
            await anext(two)

    run_virtual(main())


def test_text_and_plain_chunks_become_chunks() -> None:
    items = [
        Start(id="x"),
        "a",
        "",
        GenerationChunk("b", token_id=7, logprob=-0.5, tokens_per_second=9.0),
        GenerationChunk("c", token_count=3),
        GenerationChunk("d", is_complete=True, finish_reason="length"),
        "never",
    ]
    for given in (items, iter(items)):
        chunks = collected(GenerationStream.from_iterable(given))
        assert chunks[:2] == [Start(id="x"), TextDelta(0, "a")]
        assert chunks[2] == TextDelta(0, "b", (Token("b", 7, -0.5),), tokens_per_second=9.0)
        assert (chunks[2].token_id, chunks[2].logprob, chunks[2].token_count) == (7, -0.5, 1)
        assert isinstance(chunks[3], TextDelta)
        assert chunks[3].token_count == 3
        assert [chunk.text for chunk in chunks[4:]] == ["d", ""]
        assert chunks[-1] == Finish("length")


def test_the_documented_reading_of_a_plain_chunk() -> None:
    chunk = GenerationChunk("a")
    assert (chunk.text, chunk.token_count, chunk.token_id, chunk.logprob) == ("a", 1, None, None)
    assert (chunk.tokens_per_second, chunk.is_complete, chunk.finish_reason) == (None, False, None)


def test_ends_among_the_items() -> None:
    assert collected(GenerationStream.from_iterable([GenerationChunk("", finish_reason="stop"), "x"])) == [
        Finish("stop")
    ]
    with pytest.raises(StreamGenerationException):
        collected(GenerationStream.from_iterable([GenerationChunk("", finish_reason="error")]))
    with pytest.raises(RateLimited):
        collected(GenerationStream.from_iterable(["a", Failure.of(RateLimited("slow down"))]))
    with pytest.raises(TypeError, match="not int"):
        collected(GenerationStream.from_iterable(iter([1])))


def test_a_stream_of_text_becomes_a_stream_of_chunks() -> None:
    async def main() -> None:
        words = GenerationStream.from_iterable(["one", "two", "three"]).map(lambda chunk: chunk.text)
        again = GenerationStream.from_iterable(words)
        assert await again.collect() == "onetwothree"
        text = GenerationStream.from_iterable(["x", "y"]).text
        assert await GenerationStream.from_iterable(text).collect() == "xy"

    run_virtual(main())
