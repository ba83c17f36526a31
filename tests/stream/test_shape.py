"""map, filter, take_while, prefix, tap: as stages and as operators, with plain and async functions."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

from headrace.core.chunk import (
    Failure,
    Finish,
    ReasoningDelta,
    Start,
    TextDelta,
    Token,
    UsageReport,
    VendorPart,
)
from headrace.core.opaque import Opaque
from headrace.core.usage import Usage
from headrace.errors import RateLimited, RunnerError
from headrace.simulate.script import ScriptedSource
from headrace.stream.fluent import from_iterable, through
from headrace.stream.generation import GenerationChunk, GenerationStream
from headrace.stream.grain import Regrain, Texts
from headrace.stream.push import Raised, Staged
from headrace.stream.renumber import Joined, Renumber
from headrace.stream.shape import Filter, Map, Prefix, TakeWhile, Tap
from headrace.testing import stages
from headrace.testing.clock import run_virtual

CONTROL = [Start(id="1"), ReasoningDelta(0, "hm"), UsageReport(Usage(1, 2))]


def read(make: Callable[[], Any]) -> list[Any]:
    async def main() -> list[Any]:
        return [item async for item in make()]

    return run_virtual(main())


def is_even(number: int) -> bool:
    return number % 2 == 0


STAGES: dict[str, Callable[[], Any]] = {
    "map": lambda: Map(lambda n: n + 1),
    "filter": lambda: Filter(is_even),
    "take_while": lambda: TakeWhile(lambda n: n < 4),
    "prefix": lambda: Prefix([7, 8]),
    "tap": lambda: Tap(is_even),
    "a map that raises": lambda: Map(lambda n: 1 // (n - 2)),
}


@pytest.mark.parametrize("name", STAGES)
def test_the_stage_kit(name: str) -> None:
    plain: Callable[[list[Any]], Any] = lambda out: [str(one) for one in out]  # noqa: E731
    stages.check(STAGES[name], [0, 1, 2, 3, 4, 5, 6], normal=plain)
    stages.check(STAGES[name], [0, 1, Failure.of(RateLimited("wait"))], normal=plain)


def test_the_kit_on_the_chunk_stages() -> None:
    data = [Start(), TextDelta(0, "a b"), TextDelta(0, " c. D"), *CONTROL, TextDelta(1, "e"), Finish()]
    stages.check(Texts, data)
    for grain in ("word", "sentence"):
        stages.check(lambda grain=grain: Regrain(grain), data)
    stages.check(lambda: Renumber(Joined(), 1), data)


def test_an_event_of_no_block_stays_without_one() -> None:
    apart = VendorPart(Opaque("w", 1))
    joined = Joined()
    assert Renumber(joined, 1).feed([apart, TextDelta(3, "x")]) == [apart, TextDelta(0, "x")]


def test_what_stages_give() -> None:
    numbers = [list(range(7))]
    assert stages.run(STAGES["map"](), numbers) == [1, 2, 3, 4, 5, 6, 7]
    assert stages.run(STAGES["filter"](), numbers) == [0, 2, 4, 6]
    assert stages.run(STAGES["take_while"](), numbers) == [0, 1, 2, 3]
    assert stages.run(STAGES["prefix"](), numbers) == [7, 8, 0, 1, 2, 3, 4, 5, 6]
    assert stages.run(STAGES["prefix"](), []) == [7, 8]
    *before, failure = stages.run(STAGES["a map that raises"](), numbers)
    assert before == [-1, -1]
    assert isinstance(failure, Raised)
    assert isinstance(failure.exception, ZeroDivisionError)
    assert failure.kind == "generation"


async def later(number: int) -> int:
    await asyncio.sleep(1)
    return number + 1


async def small_later(number: int) -> bool:
    await asyncio.sleep(1)
    return number < 3


async def failing(number: int) -> int:
    await asyncio.sleep(1)
    return 1 // (2 - number)


class Callable2:
    async def __call__(self, number: int) -> int:
        return number * 2


def test_operators_with_plain_and_async_functions() -> None:
    assert read(lambda: from_iterable(range(40)).map(later)) == list(range(1, 41))
    assert read(lambda: from_iterable(range(4)).map(Callable2())) == [0, 2, 4, 6]
    assert read(lambda: from_iterable([1, 5, 2, 6]).filter(small_later)) == [1, 2]
    assert read(lambda: from_iterable([1, 5, 2, 6]).take_while(small_later)) == [1]
    assert read(lambda: through([1, 5], Prefix([0])).filter(is_even)) == [0]
    with pytest.raises(ZeroDivisionError):
        read(lambda: from_iterable(range(4)).map(failing))


def test_take_while_closes_the_source() -> None:
    async def main() -> None:
        for keep in (lambda chunk: chunk.text != "3", later_not_three):
            source = ScriptedSource([TextDelta(0, str(n)) for n in range(1000)], interval_s=0.1)
            got = [chunk async for chunk in GenerationStream(source).take_while(keep)]
            assert [chunk.text for chunk in got] == ["0", "1", "2", ""]
            assert got[-1] == Finish("stop", raw_reason="TakeWhile")
            assert source.ended
            assert source.pushed < 15

    run_virtual(main())


async def later_not_three(chunk: Any) -> bool:
    await asyncio.sleep(0.01)
    return bool(chunk.text != "3")


def test_chunk_operators_leave_control_chunks_and_the_terminal_alone() -> None:
    chunks = [*CONTROL, TextDelta(2, "a", candidate=1), TextDelta(2, "b")]
    end = Finish("length")

    def source() -> GenerationStream:
        return GenerationStream(ScriptedSource(chunks, end))

    upper = read(lambda: source().map_chunks(lambda chunk: chunk.text.upper()))
    assert upper == [*CONTROL, TextDelta(2, "A", candidate=1), TextDelta(2, "B"), end]
    assert read(lambda: source().map_chunks(upper_later)) == upper
    only = read(lambda: source().filter_chunks(lambda chunk: chunk.text == "b"))
    assert only == [CONTROL[0], CONTROL[2], TextDelta(2, "b"), end]
    assert read(lambda: source().filter_chunks(lambda chunk: False, every=True)) == [end]
    assert read(lambda: source().filter(lambda chunk: isinstance(chunk, Start))) == [CONTROL[0], end]
    renamed = read(lambda: source().map_chunks(lambda chunk: Start(id="x"), every=True))
    assert renamed == [Start(id="x")] * 5 + [end]


async def upper_later(chunk: Any) -> str:
    await asyncio.sleep(0.1)
    return str(chunk.text.upper())


def test_what_map_chunks_may_return() -> None:
    tokens = (Token("a", 1), Token("b", 2))

    def chunks(turn: Callable[[Any], Any]) -> list[Any]:
        return read(lambda: GenerationStream.from_iterable([TextDelta(0, "ab", tokens)]).map_chunks(turn))

    assert chunks(lambda chunk: GenerationChunk("x", token_id=5))[0] == TextDelta(0, "x", (Token("x", 5),))
    retold = chunks(lambda chunk: "new text")[0]
    assert (retold.text, retold.token_count) == ("new text", 2)
    assert chunks(lambda chunk: "") == [Finish()]
    assert chunks(lambda chunk: GenerationChunk("x", is_complete=True, finish_reason="length"))[-1] == Finish(
        "length"
    )
    with pytest.raises(TypeError, match="not int"):
        chunks(lambda chunk: 3)


def test_a_typed_error_of_user_code_keeps_its_class() -> None:
    def refuse(chunk: Any) -> Any:
        raise RunnerError("not here", code="E405")

    with pytest.raises(RunnerError) as caught:
        read(lambda: GenerationStream.from_iterable("ab").map_chunks(refuse))
    assert caught.value.code == "E405"


def test_a_tap_that_raises_is_counted_logged_once_and_harmless(caplog: pytest.LogCaptureFixture) -> None:
    def bad(_: Any) -> None:
        raise LookupError("observer")

    tap: Tap[int] = Tap(bad)
    with caplog.at_level(logging.ERROR, "headrace.stream"):
        assert read(lambda: from_iterable(range(5)).through(tap)) == [0, 1, 2, 3, 4]
        assert tap.errors == 5
        assert len(caplog.records) == 1
        assert len(read(lambda: GenerationStream.from_iterable("ab").tap(bad).on_progress(bad))) == 3
    assert len(caplog.records) == 3


def test_a_tap_sees_everything_and_the_terminal() -> None:
    seen: list[Any] = []
    got = read(lambda: GenerationStream.from_iterable("ab").tap(seen.append))
    assert seen == got == [TextDelta(0, "a"), TextDelta(0, "b"), Finish()]
    with pytest.raises(TypeError, match="plain function"):
        Tap(later)


def test_a_stage_that_breaks_its_promise_is_the_streams_failure() -> None:
    class Bad:
        def __init__(self, at_close: bool) -> None:
            self.at_close = at_close

        def feed(self, batch: Any) -> list[Any]:
            if not self.at_close:
                raise LookupError("feed")
            return []

        def close(self) -> list[Any]:
            raise LookupError("close")

    for at_close in (False, True):
        with pytest.raises(LookupError, match="close" if at_close else "feed"):
            read(lambda at_close=at_close: through([1, 2], Bad(at_close)))


def test_a_stages_terminal_ends_the_stream() -> None:
    async def main() -> None:
        source = ScriptedSource([TextDelta(0, str(n)) for n in range(100)], interval_s=1)
        cut = Map(lambda chunk: Finish("length") if chunk.text == "2" else chunk)
        got = [chunk async for chunk in GenerationStream(Staged(source, cut))]
        assert [chunk.text for chunk in got] == ["0", "1", ""]
        assert got[-1] == Finish("length")
        assert source.ended

    run_virtual(main())
