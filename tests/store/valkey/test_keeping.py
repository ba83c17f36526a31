"""How much is kept, and how long."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.store.valkey.nodes import link_of, run, until

from headrace.errors import Gap
from headrace.store.log import Keeping, StreamEnd, StreamHead
from headrace.store.valkey import ValkeyLog
from headrace.testing.logs import RecordingTail, everything, opened


def test_old_records_are_a_gap_on_every_node(make: Callable[..., ValkeyLog]) -> None:
    async def main() -> None:
        async with opened(make(Keeping(stream_bytes=1000))) as a, opened(make()) as b:
            tail = RecordingTail()
            a.begin(StreamHead("s"), tail)
            for number in range(1, 101):
                a.append("s", [b"%03d" % number * 10])
                if number % 7 == 0:
                    await tail.until(number)
            await tail.until(100)
            state = await b.state("s")
            assert state is not None
            assert 1 < state.first <= 100 - 1000 // 30 // 2
            assert (await everything(b, "s", state.first - 1))[0] == b"%03d" % state.first * 10
            for log in (a, b):
                with pytest.raises(Gap):
                    await log.read("s", state.first - 2, 100)
            (kept,) = await link_of(b).run(("XLEN", b._keys.log("s")))
            assert kept == 100 - state.first + 1

    run(main())


def test_an_ended_stream_goes_after_its_time(make: Callable[..., ValkeyLog]) -> None:
    async def main() -> None:
        async with opened(make(Keeping(ended_s=0.2))) as a, opened(make()) as b:
            tail = RecordingTail()
            a.begin(StreamHead("s", "o", 1.0, alias="name"), tail)
            a.end("s", StreamEnd("finished"), [b"1"])
            await tail.until(1)
            assert await b.aliased("o", "name") == "s"
            await until(lambda: is_gone(b))
            assert await b.aliased("o", "name") == ""
            await until(lambda: only_nodes_are_left(b))

    async def is_gone(log: ValkeyLog) -> bool:
        return await log.state("s") is None

    async def only_nodes_are_left(log: ValkeyLog) -> bool:
        (keys,) = await link_of(log).run(("KEYS", f"{log._keys.index.removesuffix('index')}*"))
        return all(key.endswith((b":alive", b":inbox", b"nodes")) for key in keys)

    run(main())


def test_what_is_too_much_of_all_goes_the_longest_ended_first(make: Callable[..., ValkeyLog]) -> None:
    async def main() -> None:
        async with opened(make(Keeping(total_bytes=250_000))) as a:
            for id in ("s", "t", "u"):
                tail = RecordingTail()
                a.begin(StreamHead(id), tail)
                a.end(id, StreamEnd("finished"), [b"x" * 100_000])
                await tail.until(1)
            await until(lambda: is_gone(a))
            assert await a.state("t") is not None
            assert [one.head.id for one in await a.states()] == ["u", "t"]

    async def is_gone(log: ValkeyLog) -> bool:
        return await log.state("s") is None

    run(main())


def test_a_writer_that_is_faster_than_the_server_pauses(make: Callable[..., ValkeyLog]) -> None:
    async def main() -> None:
        async with opened(make(Keeping(pending_bytes=1000))) as a:
            tail = RecordingTail()
            a.begin(StreamHead("s"), tail)
            assert a.append("s", [b"x" * 900])
            assert not a.append("s", [b"x" * 900])
            await tail.until(2)
            assert tail.rooms == 1
            assert a.append("s", [b"x" * 900])

    run(main())
