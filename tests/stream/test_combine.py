"""merge, prefixed, tee."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from headrace.core.chunk import BlockStart, Chunk, Failure, Finish, Start, TextDelta, UsageReport
from headrace.core.usage import Usage
from headrace.errors import SlowReader, Unavailable
from headrace.simulate.script import ScriptedSource
from headrace.stream.fluent import from_iterable, merge, tee
from headrace.stream.generation import GenerationChunk, GenerationStream
from headrace.testing.clock import run_virtual


def texts(count: int, name: str = "") -> list[Chunk]:
    return [TextDelta(0, f"{name}{number}") for number in range(count)]


async def read(stream: Any) -> list[Any]:
    return [item async for item in stream]


def test_merge_gives_items_as_they_come() -> None:
    async def main() -> None:
        one = GenerationStream(ScriptedSource(texts(3, "a"), first_delay_s=1, interval_s=2))
        two = GenerationStream(ScriptedSource(texts(3, "b"), first_delay_s=2, interval_s=2))
        assert await one.merge(two).collect() == "a0b0a1b1a2b2"
        assert await read(merge()) == []
        assert sorted(await read(merge([1, 2], [3], []))) == [1, 2, 3]

    run_virtual(main())


def test_merge_is_fair_to_fast_sources_when_the_reader_is_slow() -> None:
    async def main() -> None:
        # Each fills the reader's whole buffer in one turn, so only one gets through at a time.
        sources = [ScriptedSource(texts(100_000, name), batch=300) for name in "abc"]
        merged = merge(*sources)
        first = [(await anext(merged)).text[0] for _ in range(9000)]
        await merged.aclose()
        assert all(first.count(name) > 2000 for name in "abc")

    run_virtual(main())


def test_merge_a_failure_ends_all_and_closes_the_others() -> None:
    async def main() -> None:
        slow = ScriptedSource(texts(100), interval_s=1)
        failing = ScriptedSource(texts(1, "x"), Failure.of(Unavailable("down")), first_delay_s=2)
        with pytest.raises(Unavailable):
            await read(merge(slow, failing).map(lambda chunk: chunk.text))
        assert slow.ended

    run_virtual(main())


def test_merge_a_source_that_cannot_start_closes_the_others() -> None:
    async def main() -> None:
        good = ScriptedSource(texts(5), interval_s=1)
        used = ScriptedSource(texts(1))
        assert await read(GenerationStream(used)) == [*texts(1), Finish()]
        with pytest.raises(RuntimeError, match="once"):
            await anext(merge(good, used))
        assert good.cancelled

    run_virtual(main())


def test_merge_one_input_closed_leaves_the_rest() -> None:
    async def main() -> None:
        one = GenerationStream(ScriptedSource(texts(100, "a"), interval_s=1))
        merged = one.merge(["b", "c"])
        assert (await anext(merged)).text in ("a0", "b")
        await one.aclose()
        assert "c" in [chunk.text async for chunk in merged]

    run_virtual(main())


def test_merged_replies_are_one_reply() -> None:
    def reply(name: str, tokens: int) -> list[Chunk]:
        start = [Start(id=name), BlockStart(0, "text")]
        return [*start, *texts(2, name), UsageReport(Usage(1, tokens)), UsageReport(Usage(1, tokens + 1))]

    async def main() -> None:
        streams = [
            GenerationStream(ScriptedSource(reply(name, 5), interval_s=1)) for name in ("left", "right")
        ]
        folded = await streams[0].merge(streams[1]).reply()
        assert folded.text == "left0left1right0right1"
        assert folded.usage == Usage(2, 12)

    run_virtual(main())


def test_prefixed_does_not_wait_for_the_source() -> None:
    async def main() -> None:
        stream = GenerationStream(ScriptedSource(texts(1), None)).prefixed(["a", GenerationChunk("b", 2)])
        assert [(await anext(stream)).text, (await anext(stream)).text] == ["a", "b"]
        assert asyncio.get_running_loop().time() == 0
        await stream.aclose()
        assert await GenerationStream.from_iterable(["!"]).prefixed("whole").collect() == "whole!"
        assert await read(from_iterable([]).prefixed([1, 2])) == [1, 2]

    run_virtual(main())


def test_tee_gives_all_to_each() -> None:
    async def main() -> None:
        left, right = GenerationStream(ScriptedSource(texts(500))).tee()
        whole = [*texts(500), Finish()]
        assert await asyncio.gather(read(left), read(right)) == [whole, whole]
        branches = tee(range(10), 4)
        assert await asyncio.gather(*map(read, branches)) == [list(range(10))] * 4

    run_virtual(main())


def test_tee_the_slowest_sets_the_pace_and_memory_is_bounded() -> None:
    async def main() -> None:
        source = ScriptedSource(texts(1000), batch=1)
        fast, slow = GenerationStream(source).tee(max_buffer=8)
        reading = asyncio.ensure_future(read(fast))
        await asyncio.sleep(1)
        assert source.pushed <= 9
        assert source.paused
        assert not reading.done()
        assert len(await read(slow)) == 1001
        assert len(await reading) == 1001

    run_virtual(main())


def test_tee_drop_ends_the_slow_branch_after_what_it_holds() -> None:
    async def main() -> None:
        fast, slow = GenerationStream(ScriptedSource(texts(1000))).tee(max_buffer=8, slow="drop")
        assert len(await read(fast)) == 1001
        got: list[Any] = []
        with pytest.raises(SlowReader, match="the bound is 8"):
            await read(slow.tap(got.append))
        assert got[:8] == texts(8)

    run_virtual(main())


def test_tee_when_all_branches_were_dropped_the_source_is_closed() -> None:
    async def main() -> None:
        source = ScriptedSource(texts(1000), interval_s=0.1)
        one, two = GenerationStream(source).tee(max_buffer=2, slow="drop")
        await anext(one)
        await asyncio.sleep(10)
        assert source.ended
        for branch in (one, two):
            with pytest.raises(SlowReader):
                await read(branch)

    run_virtual(main())


def test_tee_a_dropped_branch_can_be_closed_with_what_it_holds() -> None:
    async def main() -> None:
        fast, slow = GenerationStream(ScriptedSource(texts(100))).tee(max_buffer=4, slow="drop")
        await read(fast)
        await slow.aclose()
        assert await read(slow) == []

    run_virtual(main())


def test_tee_closing_one_branch_leaves_the_others() -> None:
    async def main() -> None:
        source = ScriptedSource(texts(200), batch=1)
        one, two = GenerationStream(source).tee(max_buffer=4)
        await anext(one)
        await asyncio.sleep(1)
        assert source.paused  # for the second, which nobody reads
        await two.aclose()
        assert len(await read(one)) == 200
        assert not source.cancelled
        assert await read(two) == []

    run_virtual(main())


def test_tee_closing_all_branches_closes_the_source() -> None:
    async def main() -> None:
        source = ScriptedSource(texts(200), interval_s=1)
        one, two = GenerationStream(source).tee()
        await anext(one)
        await one.aclose()
        assert not source.ended
        await two.aclose()
        assert source.ended

    run_virtual(main())


def test_tee_a_failure_reaches_each() -> None:
    async def main() -> None:
        failing = ScriptedSource(texts(2), Failure.of(Unavailable("down")))
        for branch in GenerationStream(failing).tee(3):
            with pytest.raises(Unavailable):
                await branch.collect()

    run_virtual(main())


def test_a_stream_cannot_be_merged_with_itself() -> None:
    async def main() -> None:
        source = ScriptedSource(texts(2), interval_s=1)
        stream = GenerationStream(source)
        with pytest.raises(RuntimeError, match="once"):
            await read(stream.merge(stream))
        await asyncio.sleep(0)
        assert source.cancelled

    run_virtual(main())
