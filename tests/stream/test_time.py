"""Operators with a clock, on the virtual one: times are exact and nothing waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any

import pytest

from headrace.core.chunk import BlockEnd, Chunk, Failure, Finish, Start, TextDelta, Token
from headrace.errors import RequestError, StreamTimeoutException, Unavailable
from headrace.simulate.script import ScriptedSource
from headrace.stream.fluent import BufferedStream, from_iterable, from_source
from headrace.stream.generation import GenerationStream
from headrace.testing.clock import run_virtual


async def at(*pairs: tuple[float, Any]) -> AsyncIterator[Any]:
    """Each item at its time; an exception is raised, None hangs."""
    loop = asyncio.get_running_loop()
    for when, item in pairs:
        await asyncio.sleep(max(0.0, when - loop.time()))
        if isinstance(item, Exception):
            raise item
        if item is None:
            await asyncio.Event().wait()
        yield item


async def timed(stream: Any) -> list[tuple[float, Any]]:
    """Items with the times they were read at, and last the type of the exception, or "end"."""
    loop = asyncio.get_running_loop()
    got: list[tuple[float, Any]] = []
    try:
        async for item in stream:
            got.append((round(loop.time(), 6), item))  # noqa: PERF401 - kept when the stream raises
    except Exception as error:  # noqa: BLE001 - the result is the test's to judge
        return [*got, (round(loop.time(), 6), type(error).__name__)]
    return [*got, (round(loop.time(), 6), "end")]


def read(make: Any) -> list[tuple[float, Any]]:
    async def main() -> list[tuple[float, Any]]:
        return await timed(make())

    return run_virtual(main())


def test_throttle_spaces_items_and_does_not_sleep_past_the_end() -> None:
    assert read(lambda: from_iterable("abc").throttle(0.5)) == [
        (0, "a"),
        (0.5, "b"),
        (1.0, "c"),
        (1.0, "end"),
    ]


def test_throttle_leaves_a_slow_stream_alone() -> None:
    got = read(lambda: from_iterable(at((1, "a"), (3, "b"), (3.1, "c"))).throttle(0.5))
    assert got == [(1, "a"), (3, "b"), (3.5, "c"), (3.5, "end")]


def test_throttle_holds_the_source_back_and_lags_without_limit() -> None:
    async def main() -> None:
        source = ScriptedSource([TextDelta(0, str(n)) for n in range(1000)], batch=1)
        stream = from_source(source).throttle(1, max_backlog=5)
        await anext(stream)
        await asyncio.sleep(20.5)
        assert source.pushed <= 21 + 5 + 1
        assert source.paused
        await stream.aclose()

    run_virtual(main())


def test_what_waits_goes_at_once_before_a_failure() -> None:
    got = read(lambda: from_iterable(at((0, "a"), (0, "b"), (0, "c"), (0.1, ValueError()))).throttle(5))
    assert got == [(0, "a"), (0.1, "b"), (0.1, "c"), (0.1, "ValueError")]


def test_a_paced_stream_can_be_closed_while_its_last_items_wait() -> None:
    async def main() -> None:
        stream = from_iterable("abc").throttle(100)
        await anext(stream)
        await asyncio.sleep(1)
        await stream.aclose()
        assert asyncio.get_running_loop().time() == 1

    run_virtual(main())


def test_a_reader_that_pauses_stops_the_pace() -> None:
    async def main() -> None:
        stream = from_iterable(str(n) for n in range(400))
        paced = stream.throttle(0.01, max_backlog=1000)
        await anext(paced)
        await asyncio.sleep(100)
        assert len(paced._inbox.items) <= 257
        assert len([item async for item in paced]) == 399

    run_virtual(main())


@pytest.mark.parametrize(
    ("granularity", "texts", "times"),
    [
        ("word", ["one two", " three"], [(0, "one"), (0.05, " two"), (0.1, " three"), (0.1, "")]),
        ("sentence", ["It is. So", " be it."], [(0, "It is. "), (0.1, "So be it."), (0.1, "")]),
        ("chunk", ["one two", " three"], [(0, "one two"), (0.2, " three"), (0.2, "")]),
    ],
)
def test_smooth_has_the_documented_feel(granularity: Any, texts: list[str], times: Any) -> None:
    got = read(lambda: GenerationStream.from_iterable(texts).smooth(granularity))
    assert [(when, item.text) for when, item in got[:-1]] == times
    assert got[-2][1] == Finish()


def test_smooth_catches_up_when_far_behind() -> None:
    words = " ".join(["word"] * 200)
    got = read(lambda: GenerationStream.from_iterable([words]).smooth(max_lag_s=1.0))
    assert "".join(item.text for _, item in got[:-1]) == words
    assert 1.0 < got[-1][0] < 4.0  # 10 seconds at the plain pace
    plain = read(lambda: GenerationStream.from_iterable([words]).smooth(max_lag_s=100))
    assert plain[-1][0] == pytest.approx(199 * 0.05)


def test_smooth_keeps_every_chunk_and_token_in_its_order() -> None:
    token = Token("a", 1, -0.1)
    chunks: list[Chunk] = [
        Start(id="1"),
        TextDelta(0, "a b", (token, Token(" b"))),
        TextDelta(0, "c d"),
        BlockEnd(0),
        TextDelta(1, "e", (token,)),
        TextDelta(2, "f"),
    ]
    got = [item for _, item in read(lambda: GenerationStream.from_iterable(chunks).smooth())[:-1]]
    assert [(chunk.text, getattr(chunk, "block", None)) for chunk in got] == [
        ("", None),
        ("a", 0),
        (" bc", 0),
        (" d", 0),
        ("", 0),
        ("e", 1),
        ("f", 2),
        ("", None),
    ]
    tokens = [token for chunk in got if isinstance(chunk, TextDelta) for token in chunk.tokens]
    assert tokens == [token, Token(" b"), token]


def test_smooth_refuses_a_size_that_is_none() -> None:
    with pytest.raises(RequestError, match="letter"):
        GenerationStream.from_iterable([]).smooth("letter")  # type: ignore[arg-type]


LIMITS: list[tuple[dict[str, float], list[tuple[float, Any]], list[tuple[float, Any]]]] = [
    ({"idle_s": 5}, [(1, "a"), (3, None)], [(1, "a"), (6, "StreamTimeoutException")]),
    ({"idle_s": 5}, [(0, None)], [(5, "StreamTimeoutException")]),
    ({"idle_s": 5}, [(4, "a"), (8, "b"), (12, "c")], [(4, "a"), (8, "b"), (12, "c"), (12, "end")]),
    ({"idle_s": 5, "first_s": 60}, [(50, "a"), (52, None)], [(50, "a"), (55, "StreamTimeoutException")]),
    ({"first_s": 3}, [(0, None)], [(3, "StreamTimeoutException")]),
    ({"first_s": 3}, [(1, "a"), (100, "b")], [(1, "a"), (100, "b"), (100, "end")]),
    ({"total_s": 9}, [(4, "a"), (8, "b"), (12, "c")], [(4, "a"), (8, "b"), (9, "StreamTimeoutException")]),
    ({"total_s": 9}, [(4, "a"), (9.5, ValueError())], [(4, "a"), (9, "StreamTimeoutException")]),
    ({"idle_s": 9}, [(4, "a"), (9.5, ValueError())], [(4, "a"), (9.5, "ValueError")]),
    ({}, [(1000, "a")], [(1000, "a"), (1000, "end")]),
]


@pytest.mark.parametrize(("limits", "items", "expected"), LIMITS)
def test_timeouts(limits: dict[str, float], items: Iterable[Any], expected: list[Any]) -> None:
    assert read(lambda: from_iterable(at(*items)).timeout(**limits)) == expected


def test_a_timeout_is_a_timeout_error_and_says_which() -> None:
    async def main() -> None:
        for limits, code in (
            ({"idle_s": 1}, "idle"),
            ({"total_s": 1}, "total"),
            ({"first_s": 1}, "first_token"),
        ):
            stream = GenerationStream(ScriptedSource([Start()], None)).timeout(**limits)
            assert await anext(stream) == Start()
            with pytest.raises(asyncio.TimeoutError) as caught:
                await anext(stream)
            assert isinstance(caught.value, StreamTimeoutException)
            assert caught.value.code == code

    run_virtual(main())


def test_a_slow_reader_is_not_a_slow_model() -> None:
    async def main() -> None:
        source = ScriptedSource([TextDelta(0, str(n)) for n in range(40)], interval_s=1)
        stream = GenerationStream(source, max_buffer=4).timeout(5, total_s=60)
        got = 0
        async for _ in stream:
            await asyncio.sleep(20)  # the model may not go on, and is not blamed for it
            got += 1
        assert got == 41
        assert asyncio.get_running_loop().time() > 800

    run_virtual(main())


def test_a_model_that_hangs_is_timed_out_after_the_reader_came_back() -> None:
    async def main() -> None:
        source = ScriptedSource([TextDelta(0, str(n)) for n in range(10)], None)
        stream = GenerationStream(source, max_buffer=2).timeout(5)
        await anext(stream)
        await asyncio.sleep(100)
        began = asyncio.get_running_loop().time()
        with pytest.raises(StreamTimeoutException):
            await stream.collect()
        assert asyncio.get_running_loop().time() - began == pytest.approx(5)
        assert source.cancelled

    run_virtual(main())


def test_a_source_that_hangs_in_its_clean_up_is_timed_out_on_time() -> None:
    async def stuck() -> AsyncIterator[str]:
        try:
            await asyncio.Event().wait()
            yield ""
        finally:
            await asyncio.sleep(1000)

    async def main() -> None:
        with pytest.raises(StreamTimeoutException):
            await GenerationStream.from_iterable(stuck()).timeout(2).collect()
        assert asyncio.get_running_loop().time() == 2

    run_virtual(main())


def test_buffered_by_count_and_by_time() -> None:
    got = read(
        lambda: from_iterable(at((0, 1), (0.01, 2), (0.02, 3), (0.03, 4), (5, 5), (5.05, 6))).buffered(3, 0.1)
    )
    assert got == [(0.02, [1, 2, 3]), (0.13, [4]), (5.05, [5, 6]), (5.05, "end")]


def test_buffered_cuts_a_burst_and_starts_the_clock_of_the_rest() -> None:
    class Burst(ScriptedSource):
        pass

    async def main() -> None:
        source = Burst([TextDelta(0, str(n)) for n in range(7)], None, batch=7)
        stream: BufferedStream[Any] = BufferedStream(source, max_count=3, timeout=0.1)
        reading = asyncio.ensure_future(timed(stream))
        await asyncio.sleep(10)
        await stream.aclose()
        assert [(when, len(item)) for when, item in (await reading)[:3]] == [(0, 3), (0, 3), (0.1, 1)]

    run_virtual(main())


def test_buffered_defaults_are_ten_and_a_tenth_of_a_second() -> None:
    got = read(lambda: from_iterable(range(25)).buffered())
    assert [len(item) for _, item in got[:-1]] == [10, 10, 5]
    assert read(lambda: from_iterable(at((0, 1), (1, 2))).buffered())[0] == (0.1, [1])


def test_buffered_a_quiet_source_does_not_end_the_stream() -> None:
    got = read(lambda: from_iterable(at((100, 1), (200, 2))).buffered(2, 0.1))
    assert got == [(100.1, [1]), (200, [2]), (200, "end")]


def test_buffered_the_error_comes_after_the_partial_batch() -> None:
    got = read(lambda: from_iterable(at((0, 1), (0, 2), (0.05, ValueError()))).buffered(10, 1))
    assert got == [(0.05, [1, 2]), (0.05, "ValueError")]
    failing = ScriptedSource([TextDelta(0, "a")], Failure.of(Unavailable("down")))
    got = read(lambda: GenerationStream(failing).buffered(10, 1))
    assert got == [(0, [TextDelta(0, "a")]), (0, "Unavailable")]


def test_buffered_without_a_clock() -> None:
    got = read(lambda: from_iterable(at((0, 1), (50, 2), (70, 3))).buffered(2, None))
    assert got == [(50, [1, 2]), (70, [3]), (70, "end")]


def test_buffered_chunks_keep_the_finish() -> None:
    got = read(lambda: GenerationStream.from_iterable(["a", "b"]).buffered(2, 1))
    assert [item for _, item in got[:-1]] == [[TextDelta(0, "a"), TextDelta(0, "b")], [Finish()]]


def test_operators_follow_on_lists() -> None:
    got = read(lambda: from_iterable(range(4)).buffered(2).filter(lambda pair: 0 in pair).map(sum))
    assert got == [(0, 1), (0, "end")]


def test_an_interval_of_nothing_only_cuts_the_text() -> None:
    got = read(lambda: GenerationStream.from_iterable(["one two three"]).smooth("word", 0))
    assert [(when, item.text) for when, item in got[:-1]] == [(0, "one"), (0, " two"), (0, " three"), (0, "")]
