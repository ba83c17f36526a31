"""Every operator x every way out: no source, task or timer is left."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from headrace.stream.fluent import Stream, from_iterable, merge, tee, through
from headrace.stream.generation import GenerationStream
from headrace.stream.pull import PullStream
from headrace.stream.text import Words
from headrace.testing.clock import run_virtual


async def upper(text: Any) -> Any:
    await asyncio.sleep(0.001)
    return text


async def yes(_: Any) -> bool:
    await asyncio.sleep(0.001)
    return True


def chunks(source: Any) -> GenerationStream:
    return GenerationStream.from_iterable(source)


def ignore(_: Any) -> None:
    return None


Make = Callable[[Callable[[], Any]], list[PullStream[Any]]]
# Each takes a maker of sources and gives the streams to read.
OPERATORS: dict[str, Make] = {
    "no operator": lambda make: [from_iterable(make())],
    "chunks": lambda make: [chunks(make())],
    "map": lambda make: [from_iterable(make()).map(str.upper)],
    "map async": lambda make: [from_iterable(make()).map(upper)],
    "filter": lambda make: [from_iterable(make()).filter(bool)],
    "filter async": lambda make: [from_iterable(make()).filter(yes)],
    "take_while": lambda make: [from_iterable(make()).take_while(bool)],
    "take_while async": lambda make: [from_iterable(make()).take_while(yes)],
    "prefixed": lambda make: [from_iterable(make()).prefixed(["first"])],
    "merge": lambda make: [merge(make(), make(), make())],
    "tee": lambda make: list(tee(make(), 3)),
    "tee of one": lambda make: list(tee(make(), 1)),
    "throttle": lambda make: [from_iterable(make()).throttle(0.02)],
    "timeout": lambda make: [from_iterable(make()).timeout(60, total_s=600, first_s=60)],
    "tap": lambda make: [from_iterable(make()).tap(ignore)],
    "buffered": lambda make: [from_iterable(make()).buffered(2, 0.05)],
    "through": lambda make: [through(make(), Words())],
    "map_chunks": lambda make: [chunks(make()).map_chunks(lambda c: c.text.upper())],
    "map_chunks async": lambda make: [chunks(make()).map_chunks(upper)],
    "filter_chunks": lambda make: [chunks(make()).filter_chunks(lambda c: c.text)],
    "chunks take_while": lambda make: [chunks(make()).take_while(lambda c: c.text)],
    "chunks prefixed": lambda make: [chunks(make()).prefixed("first")],
    "chunks merge": lambda make: [chunks(make()).merge(make(), chunks(make()))],
    "chunks tee": lambda make: list(chunks(make()).tee(2, max_buffer=2)),
    "chunks throttle": lambda make: [chunks(make()).throttle(0.02)],
    "smooth": lambda make: [chunks(make()).smooth()],
    "smooth sentences": lambda make: [chunks(make()).smooth("sentence")],
    "chunks timeout": lambda make: [chunks(make()).timeout(60, total_s=600)],
    "chunks tap": lambda make: [chunks(make()).tap(ignore)],
    "on_progress": lambda make: [chunks(make()).on_progress(ignore)],
    "words": lambda make: [chunks(make()).words()],
    "sentences": lambda make: [chunks(make()).sentences()],
    "chunks buffered": lambda make: [chunks(make()).buffered(2, 0.05)],
    "all together": lambda make: [
        chunks(make()).timeout(60).map_chunks(upper).merge(make()).smooth().tap(ignore).words().buffered()
    ],
}


async def read(stream: PullStream[Any]) -> list[Any]:
    return [item async for item in stream]


async def first(stream: PullStream[Any]) -> None:
    async for _ in stream:
        return


async def raising(stream: PullStream[Any]) -> None:
    async with stream:
        async for _ in stream:
            raise KeyError


async def normal_end(streams: list[PullStream[Any]]) -> None:
    got = await asyncio.gather(*map(read, streams))
    assert all(got)


async def aclose_before_the_first_item(streams: list[PullStream[Any]]) -> None:
    for stream in streams:
        await stream.aclose()
        assert await read(stream) == []


async def aclose_midway(streams: list[PullStream[Any]]) -> None:
    await asyncio.gather(*map(first, streams))
    for stream in streams:
        await stream.aclose()
        await stream.aclose()  # any number of times
        assert await read(stream) == []


async def aclose_before_it_was_read_but_started(streams: list[PullStream[Any]]) -> None:
    starting = [asyncio.ensure_future(stream.start()) for stream in streams]
    await asyncio.sleep(0)
    for stream in streams:
        await stream.aclose()
    await asyncio.wait(starting)


async def async_with_and_an_exception(streams: list[PullStream[Any]]) -> None:
    async def reading(stream: PullStream[Any]) -> None:
        with pytest.raises(KeyError):
            await raising(stream)

    await asyncio.gather(*map(reading, streams))


async def aclose_by_another_task(streams: list[PullStream[Any]]) -> None:
    readers = [asyncio.ensure_future(read(stream)) for stream in streams]
    await asyncio.sleep(0.025)
    for stream in streams:
        await stream.aclose()
    done, _ = await asyncio.wait(readers, timeout=1)
    assert len(done) == len(streams), "a reader was left waiting"


async def reader_cancelled(streams: list[PullStream[Any]]) -> None:
    readers = [asyncio.ensure_future(read(stream)) for stream in streams]
    await asyncio.sleep(0.025)
    for reader in readers:
        reader.cancel()
    ended = await asyncio.gather(*readers, return_exceptions=True)
    assert all(isinstance(one, asyncio.CancelledError) for one in ended)


async def reader_cancelled_at_once(streams: list[PullStream[Any]]) -> None:
    readers = [asyncio.ensure_future(read(stream)) for stream in streams]
    await asyncio.sleep(0)
    for reader in readers:
        reader.cancel()
    await asyncio.gather(*readers, return_exceptions=True)


async def garbage_collected(streams: list[PullStream[Any]]) -> None:
    await asyncio.gather(*map(first, streams))
    streams.clear()
    gc.collect()


async def never_read(streams: list[PullStream[Any]]) -> None:
    streams.clear()
    gc.collect()


Way = Callable[[list[PullStream[Any]]], Awaitable[None]]
WAYS_OUT: list[Way] = [
    normal_end,
    aclose_before_the_first_item,
    aclose_midway,
    aclose_before_it_was_read_but_started,
    async_with_and_an_exception,
    aclose_by_another_task,
    reader_cancelled,
    reader_cancelled_at_once,
    garbage_collected,
    never_read,
]


@pytest.mark.parametrize("way", WAYS_OUT, ids=lambda way: way.__name__)
@pytest.mark.parametrize("operator", OPERATORS)
def test_nothing_is_left(operator: str, way: Way, probe: Any, nothing_left: Any) -> None:
    async def main() -> None:
        await way(OPERATORS[operator](lambda: probe.texts(8)))
        await nothing_left()

    run_virtual(main())
    assert probe.open == 0


@pytest.mark.parametrize("operator", OPERATORS)
def test_an_error_is_raised_after_what_came_before(operator: str, probe: Any, nothing_left: Any) -> None:
    """The very exception that the source raised, to every reader, and everything is closed."""
    boom = LookupError("boom")

    async def reading(stream: PullStream[Any]) -> list[Any]:
        got: list[Any] = []
        with pytest.raises(LookupError) as caught:
            await read(stream.tap(got.append) if isinstance(stream, Stream) else stream)
        assert caught.value is boom
        return got

    async def main() -> None:
        streams = OPERATORS[operator](lambda: probe.texts(4, error=boom))
        everything = await asyncio.gather(*map(reading, streams))
        assert all("w3" in str(got).lower() for got in everything)
        await nothing_left()

    run_virtual(main())


@pytest.mark.parametrize("operator", OPERATORS)
def test_closing_waits_for_the_source(operator: str, probe: Any, nothing_left: Any) -> None:
    """After `await aclose()` even a slow clean-up is over; a hanging source is stopped where it hangs."""

    async def main() -> None:
        streams = OPERATORS[operator](lambda: probe.texts(2, hang=True, closing_s=3.0))
        readers = [asyncio.ensure_future(read(stream)) for stream in streams]
        await asyncio.sleep(10)
        assert probe.open > 0
        for stream in streams:
            await stream.aclose()
        assert probe.open == 0
        assert asyncio.get_running_loop().time() < 14
        await asyncio.wait(readers)
        for reader in readers:
            reader.exception()
        await nothing_left()

    run_virtual(main())


@pytest.mark.parametrize("operator", OPERATORS)
def test_cancelled_while_it_closes(operator: str, probe: Any, nothing_left: Any) -> None:
    """The closing task goes at once; the source still finishes its clean-up."""

    async def main() -> None:
        streams = OPERATORS[operator](lambda: probe.texts(2, hang=True, closing_s=3.0))
        readers = [asyncio.ensure_future(read(stream)) for stream in streams]
        await asyncio.sleep(10)
        closers = [asyncio.ensure_future(stream.aclose()) for stream in streams]
        await asyncio.sleep(1)
        for closer in closers:
            closer.cancel()
        await asyncio.wait([*closers, *readers])
        for reader in readers:
            reader.exception()
        await asyncio.sleep(3)
        await nothing_left()

    run_virtual(main())


@pytest.mark.parametrize("operator", OPERATORS)
def test_a_slow_reader_slows_the_source(operator: str, probe: Any, nothing_left: Any) -> None:
    """However long the stream, what is made ahead of the reader is bounded."""

    async def main() -> None:
        streams = OPERATORS[operator](lambda: probe.texts(100_000, every_s=0, form=" W{}."))
        for stream in streams:
            await anext(stream)
        await asyncio.sleep(20)  # nobody reads
        assert probe.made < 2000
        for stream in streams:
            await stream.aclose()
        await nothing_left()

    run_virtual(main())


def test_closing_the_first_stream_closes_what_was_built_on_it(probe: Any, nothing_left: Any) -> None:
    async def main() -> None:
        async with GenerationStream.from_iterable(probe.texts(100)) as stream:
            words = stream.words()
            async for word in words:
                assert word == " w0"
                break
        assert probe.open == 0
        await nothing_left()
        assert isinstance(words, Stream)

    run_virtual(main())


def test_closing_inside_an_awaited_function_stops_it_and_waits_for_the_source(
    probe: Any, nothing_left: Any
) -> None:
    async def forever(_: Any) -> Any:
        await asyncio.Event().wait()

    async def main() -> None:
        stream = from_iterable(probe.texts(5, every_s=1, closing_s=3.0)).map(forever)
        reading = asyncio.ensure_future(read(stream))
        await asyncio.sleep(2)
        await stream.aclose()
        assert probe.opened == probe.closed == 1
        assert asyncio.get_running_loop().time() == 5
        assert await reading == []
        await nothing_left()

    run_virtual(main())
