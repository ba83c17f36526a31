"""The pull face: order, bounds, failures, eager start, closing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from headrace.core.chunk import Cancelled, Chunk, Failure, Finish, Start, TextDelta
from headrace.errors import AuthError, RateLimited, StreamCancelledException
from headrace.simulate.script import ScriptedSource
from headrace.stream.generation import GenerationStream
from headrace.stream.pull import PullStream
from headrace.testing.clock import run_virtual


def texts(count: int) -> list[Chunk]:
    return [TextDelta(0, str(number)) for number in range(count)]


def test_nothing_begins_before_the_first_read() -> None:
    async def main() -> None:
        source = ScriptedSource(texts(3))
        stream = GenerationStream(source)
        await asyncio.sleep(1)
        assert source.pushed == 0
        assert (await anext(stream)).text == "0"
        await stream.aclose()
        assert source.ended

    run_virtual(main())


def test_the_terminal_is_the_last_item_of_a_stream_of_chunks_only() -> None:
    async def main() -> None:
        end = Finish("length")
        assert [chunk async for chunk in GenerationStream(ScriptedSource(texts(2), end))] == [*texts(2), end]
        assert [chunk async for chunk in PullStream(ScriptedSource(texts(2), end))] == texts(2)

    run_virtual(main())


def test_a_failure_comes_after_what_came_before_and_once() -> None:
    async def main() -> None:
        failure = Failure.of(RateLimited("wait", provider="up", retry_after_s=3.0))
        stream = GenerationStream(ScriptedSource(texts(2), failure))
        assert [(await anext(stream)).text, (await anext(stream)).text] == ["0", "1"]
        with pytest.raises(RateLimited) as caught:
            await anext(stream)
        assert caught.value.retry_after_s == 3.0
        assert [chunk async for chunk in stream] == []
        await stream.aclose()

    run_virtual(main())


def test_a_stream_that_somebody_else_cancelled_is_not_taken_for_a_whole_one() -> None:
    async def main() -> None:
        cancelled = Cancelled("the server shuts down")
        chunks = [chunk async for chunk in GenerationStream(ScriptedSource(texts(1), cancelled))]
        assert chunks == [*texts(1), cancelled]
        plain = PullStream(ScriptedSource(texts(1), cancelled))
        await anext(plain)
        with pytest.raises(StreamCancelledException, match="shuts down"):
            await anext(plain)
        with pytest.raises(StreamCancelledException, match="shuts down"):
            await GenerationStream(ScriptedSource(texts(1), cancelled)).collect()

    run_virtual(main())


def test_start_meets_a_failure_before_anything_is_read() -> None:
    async def main() -> None:
        refused = GenerationStream(ScriptedSource([], Failure.of(AuthError("no key")), first_delay_s=2))
        with pytest.raises(AuthError):
            await refused.start()
        assert asyncio.get_running_loop().time() == pytest.approx(2)
        source = ScriptedSource([Start(id="1"), *texts(1)], first_delay_s=1)
        stream = await GenerationStream(source).start()
        assert source.pushed == 2
        assert await stream.start() is stream  # again, with no effect
        assert (await stream.collect()) == "0"
        assert await stream.start() is stream  # at the end too

    run_virtual(main())


def test_the_buffer_is_bounded_and_resumes_at_half() -> None:
    async def main() -> None:
        source = ScriptedSource(texts(1000), batch=4)
        stream = GenerationStream(source, max_buffer=10)
        await anext(stream)
        await asyncio.sleep(1)
        assert source.paused
        assert source.pushed == 12
        while source.paused:
            await anext(stream)
        assert source.pushed - 12 == 0
        assert len(stream._inbox.items) == 5
        assert len([chunk async for chunk in stream]) == 1000 - 7 + 1

    run_virtual(main())


def test_what_came_together_is_read_together() -> None:
    async def main() -> None:
        stream = GenerationStream(ScriptedSource(texts(10), batch=4))
        sizes = [len(batch) async for batch in stream.batches()]
        assert sizes == [4, 4, 2, 1]
        batches = GenerationStream(ScriptedSource(texts(10), batch=4)).batches()
        await anext(batches)
        await batches.aclose()
        assert [batch async for batch in batches] == []

    run_virtual(main())


def test_two_readers_at_once_are_refused_and_the_first_goes_on() -> None:
    async def main() -> None:
        stream = GenerationStream(ScriptedSource(texts(1), first_delay_s=1))
        reading = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="tee"):
            await anext(stream)
        assert (await reading).text == "0"
        await stream.aclose()

    run_virtual(main())


def test_a_stream_handed_on_cannot_be_read_but_can_be_closed() -> None:
    async def main() -> None:
        source = ScriptedSource(texts(5), interval_s=1)
        stream = GenerationStream(source)
        words = stream.words()
        with pytest.raises(RuntimeError, match="handed on"):
            await anext(stream)
        with pytest.raises(RuntimeError, match="handed on"):
            stream.sentences()
        reading = asyncio.ensure_future(anext(words))
        await asyncio.sleep(1)
        await stream.aclose()
        with pytest.raises(StreamCancelledException):
            await reading
        assert source.ended

    run_virtual(main())


def test_what_was_read_already_is_not_given_to_the_operator_and_nothing_is_lost() -> None:
    async def main() -> None:
        stream = GenerationStream(ScriptedSource(texts(300), batch=64), max_buffer=8)
        assert (await anext(stream)).text == "0"
        await asyncio.sleep(1)
        rest = stream.map(lambda chunk: chunk.text)
        assert [text async for text in rest] == [str(number) for number in range(1, 300)]

    run_virtual(main())


def test_an_ended_stream_cannot_be_handed_on() -> None:
    async def main() -> None:
        stream = GenerationStream(ScriptedSource(texts(1)))
        await stream.collect()
        with pytest.raises(RuntimeError, match="ended"):
            stream.words()

    run_virtual(main())


def test_an_operator_that_refuses_its_arguments_leaves_the_stream_as_it_was() -> None:
    async def main() -> None:
        stream = GenerationStream(ScriptedSource(texts(1)))
        for wrong in (
            lambda: stream.throttle(-1),
            lambda: stream.timeout(0),
            lambda: stream.buffered(0),
            lambda: stream.tee(0),
            lambda: stream.tee(2, slow="never"),  # type: ignore[arg-type]
            lambda: stream.smooth("word", -1),
        ):
            with pytest.raises(ValueError, match=r"least|more than|slow must"):
                wrong()
        assert await stream.collect() == "0"

    run_virtual(main())


def test_a_source_that_cannot_start_fails_the_stream() -> None:
    class Broken(ScriptedSource):
        def start(self, sink: Any, /) -> None:
            raise OSError("no route")

    async def main() -> None:
        for stream in (GenerationStream(Broken([])), GenerationStream(Broken([])).smooth()):
            with pytest.raises(OSError, match="no route"):
                await anext(stream)
            await stream.aclose()

    run_virtual(main())


def test_what_the_clean_up_raises_is_raised_by_aclose() -> None:
    async def careless() -> AsyncIterator[str]:
        try:
            yield "a"
            yield "b"
        finally:
            raise LookupError("left the tap on")

    async def main() -> None:
        stream = GenerationStream.from_iterable(careless(), max_buffer=1)
        await anext(stream)
        with pytest.raises(LookupError, match="tap"):
            await stream.aclose()
        await stream.aclose()

    run_virtual(main())


def test_a_bound_is_at_least_one() -> None:
    with pytest.raises(ValueError, match="max_buffer"):
        GenerationStream(ScriptedSource([]), max_buffer=0)


def test_cancelling_the_reader_stops_the_source_though_the_stream_is_kept() -> None:
    async def main() -> None:
        source = ScriptedSource(texts(1), None)
        stream = GenerationStream(source)
        await anext(stream)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(stream), 1)
        assert source.ended
        assert [chunk async for chunk in stream] == []

    run_virtual(main())
