"""The conformance suite of stream logs: whatever keeps the records, a log behaves so.

    import pytest
    from headrace.testing.logs import CHECKS

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
    def test_my_log(check):
        asyncio.run(check(lambda: MyLog(...)))

`make` gives a log on fresh storage; the checks open and close it. A log on storage that outlives it is also
held to `DURABLE_CHECKS`, which take the log twice: `make(fresh)`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeAlias

from headrace.errors import Gap, StreamingError
from headrace.store.log import StreamEnd, StreamHead, StreamLog

MakeLog: TypeAlias = Callable[[], StreamLog]
Check: TypeAlias = Callable[[MakeLog], Awaitable[None]]
ALL = 1 << 30
PATIENCE_S = 30.0


class RecordingTail:
    """A writer that notes how its log calls it back, and holds it to its order."""

    def __init__(self) -> None:
        self.last = 0
        self.ends = 0
        self.rooms = 0
        self.stopped = asyncio.Event()
        self.trouble: StreamingError | None = None
        self._changed = asyncio.Event()

    def committed(self, last: int, ended: bool = False, /) -> None:
        assert last >= self.last, "commits go forward"
        assert not self.ends, "nothing is committed behind the end"
        self.last = last
        self.ends += ended
        self._changed.set()

    def room(self) -> None:
        self.rooms += 1
        self._changed.set()

    def stop(self) -> None:
        self.stopped.set()

    def broke(self, error: StreamingError, /) -> None:
        self.trouble = error
        self._changed.set()

    async def until(self, last: int) -> None:
        """Wait for the commit of record `last`."""
        async with asyncio.timeout(PATIENCE_S):
            while self.last < last and self.trouble is None:
                self._changed.clear()
                await self._changed.wait()
        assert self.trouble is None, self.trouble

    async def until_ended(self) -> None:
        """Wait for the commit of the end."""
        async with asyncio.timeout(PATIENCE_S):
            while not self.ends and self.trouble is None:
                self._changed.clear()
                await self._changed.wait()
        assert self.trouble is None, self.trouble


@asynccontextmanager
async def opened(log: StreamLog) -> AsyncIterator[StreamLog]:
    """The log, open, and closed at the end."""
    await log.open()
    try:
        yield log
    finally:
        await log.aclose()


async def everything(log: StreamLog, id: str, after: int = 0, max_bytes: int = ALL) -> list[bytes]:
    """All committed records behind `after`, read piece by piece."""
    found: list[bytes] = []
    while more := await log.read(id, after + len(found), max_bytes):
        found += more
    return found


def _numbered(count: int, at: int = 1) -> list[bytes]:
    return [b"record %d \x00\xff\n" % (at + place) for place in range(count)]


async def check_records_come_back_in_their_order(make: MakeLog) -> None:
    """Appended in any batches, read from any place in any portions."""
    async with opened(make()) as log:
        tail = RecordingTail()
        log.begin(StreamHead("s", owner="o", facts={"protocol": "p"}), tail)
        records = _numbered(20)
        for batch in (records[:1], records[1:2], records[2:15], records[15:]):
            assert log.append("s", batch)
        await tail.until(20)
        for after in (0, 1, 7, 19, 20, 50):
            assert await everything(log, "s", after) == records[after:]
            assert await everything(log, "s", after, max_bytes=1) == records[after:], "at least one a time"
        first = await log.read("s", 0, len(records[0]) * 3)
        assert list(first) == records[: len(first)]
        assert 1 <= len(first) <= 3
        state = await log.state("s")
        assert state is not None
        assert (state.first, state.last, state.end) == (1, 20, None)
        assert (state.head.owner, state.head.facts) == ("o", {"protocol": "p"})


async def check_streams_are_apart(make: MakeLog) -> None:
    """Two streams written in turns do not mix; one that is not known is nothing."""
    async with opened(make()) as log:
        tails = {id: RecordingTail() for id in ("a", "b")}
        for id, tail in tails.items():
            log.begin(StreamHead(id), tail)
        for round in range(10):
            log.append("a", [b"a%d" % round])
            log.append("b", [b"b%d" % round, b"bb%d" % round])
        await tails["a"].until(10)
        await tails["b"].until(20)
        assert await everything(log, "a") == [b"a%d" % round for round in range(10)]
        assert len(await everything(log, "b")) == 20
        assert await log.state("c") is None
        assert await everything(log, "c") == []
        log.append("c", [b"nobody began it"])
        assert await log.state("c") is None


async def check_only_what_is_committed_is_read(make: MakeLog) -> None:
    """Whatever `read` gives, `committed` has told (or tells now)."""
    async with opened(make()) as log:
        tail = RecordingTail()
        log.begin(StreamHead("s"), tail)
        for number in range(1, 200):
            log.append("s", [b"%d" % number])
            seen = len(await everything(log, "s"))
            state = await log.state("s")
            assert state is not None
            assert seen <= state.last
            assert tail.last <= number
        await tail.until(199)


async def check_an_end_is_an_end(make: MakeLog) -> None:
    """Its last records come with it, nothing after it; whoever asks is told how it ended."""
    async with opened(make()) as log:
        tail = RecordingTail()
        log.begin(StreamHead("s"), tail)
        log.append("s", [b"1"])
        end = StreamEnd("finished", time.time(), {"tokens": 3})
        log.end("s", end, [b"2", b"3"])
        log.append("s", [b"4"])
        log.end("s", StreamEnd("failed"))
        await tail.until(3)
        assert await everything(log, "s") == [b"1", b"2", b"3"]
        state = await _ended(log, "s")
        assert state == end
        await log.ask_to_stop("s")
        assert not tail.stopped.is_set()


async def check_an_end_without_records_is_committed_by_itself(make: MakeLog) -> None:
    """What was begun or written before it may be committed earlier: that is not the end yet."""
    async with opened(make()) as log:
        for records in ([], [b"1"]):
            for turns in range(12):
                id = f"{len(records)}-{turns}"
                tail = RecordingTail()
                log.begin(StreamHead(id), tail)
                log.append(id, records)
                for _ in range(turns):
                    await asyncio.sleep(0)
                end = StreamEnd("failed", time.time())
                log.end(id, end)
                await tail.until_ended()
                state = await log.state(id)
                assert state is not None
                assert (state.last, state.end) == (len(records), end)


async def _ended(log: StreamLog, id: str) -> StreamEnd | None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            state = await log.state(id)
            if state is None or state.end is not None:
                return state.end if state is not None else None
            await log.wait(id, state.last, 0.05)


async def check_a_waiting_reader_wakes(make: MakeLog) -> None:
    """`wait` ends with the next record, with the end, and with its time."""
    async with opened(make()) as log:
        tail = RecordingTail()
        log.begin(StreamHead("s"), tail)
        async with asyncio.timeout(PATIENCE_S):
            await log.wait("s", 0, 0.01)
            waiting = asyncio.create_task(log.wait("s", 0, 60))
            await asyncio.sleep(0)
            log.append("s", [b"1"])
            await waiting
            await log.wait("s", 0, 60)
            waiting = asyncio.create_task(log.wait("s", 1, 60))
            await asyncio.sleep(0)
            log.end("s", StreamEnd("finished"))
            await waiting
            await log.wait("nobody", 0, 60)


async def check_several_read_at_once(make: MakeLog) -> None:
    """Readers that begin at any time see the same bytes."""
    async with opened(make()) as log:
        tail = RecordingTail()
        log.begin(StreamHead("s"), tail)
        records = _numbered(100)

        async def reader(after: int) -> Sequence[bytes]:
            found: list[bytes] = []
            while after + len(found) < len(records):
                await log.wait("s", after + len(found), 1.0)
                found += await log.read("s", after + len(found), 64)
            return found

        async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as group:
            readers = [group.create_task(reader(after)) for after in (0, 0, 10, 99)]
            for number in range(0, 100, 7):
                log.append("s", records[number : number + 7])
                await asyncio.sleep(0)
        assert [one.result() for one in readers] == [records, records, records[10:], records[99:]]


async def check_a_stop_reaches_the_writer(make: MakeLog) -> None:
    """`ask_to_stop` calls the writer, and nobody where there is none."""
    async with opened(make()) as log:
        tail, other = RecordingTail(), RecordingTail()
        log.begin(StreamHead("s"), tail)
        log.begin(StreamHead("t"), other)
        await log.ask_to_stop("s")
        await log.ask_to_stop("nobody")
        async with asyncio.timeout(PATIENCE_S):
            await tail.stopped.wait()
        assert not other.stopped.is_set()


async def check_streams_are_listed_and_forgotten(make: MakeLog) -> None:
    """The newest first, of one owner where asked; what is forgotten is gone."""
    async with opened(make()) as log:
        tails = [RecordingTail() for _ in range(4)]
        for number, tail in enumerate(tails):
            log.begin(StreamHead(f"s{number}", owner=f"o{number % 2}", began_s=float(number)), tail)
            log.append(f"s{number}", [b"x"])
        for tail in tails:
            await tail.until(1)
        assert [one.head.id for one in await log.states()] == ["s3", "s2", "s1", "s0"]
        assert [one.head.id for one in await log.states("o1")] == ["s3", "s1"]
        assert len(await log.states("", 2)) == 2
        await log.forget("s3")
        assert await log.state("s3") is None
        assert await everything(log, "s3") == []
        assert [one.head.id for one in await log.states("o1")] == ["s1"]


CHECKS: tuple[Check, ...] = (
    check_records_come_back_in_their_order,
    check_streams_are_apart,
    check_only_what_is_committed_is_read,
    check_an_end_is_an_end,
    check_an_end_without_records_is_committed_by_itself,
    check_a_waiting_reader_wakes,
    check_several_read_at_once,
    check_a_stop_reaches_the_writer,
    check_streams_are_listed_and_forgotten,
)


async def check_old_records_go_first(make: MakeLog) -> None:
    """For a log that keeps little of a stream (about 1,000 bytes): the newest stay, the oldest are a Gap."""
    async with opened(make()) as log:
        tail = RecordingTail()
        log.begin(StreamHead("s"), tail)
        records = [b"%03d" % number * 10 for number in range(200)]
        for record in records:
            log.append("s", [record])
        await tail.until(200)
        state = await log.state("s")
        assert state is not None
        assert 1 < state.first <= 200
        assert await everything(log, "s", state.first - 1) == records[state.first - 1 :]
        try:
            await log.read("s", 0, ALL)
        except Gap:
            return
        raise AssertionError("records that are gone were read as if there had been none")


async def check_what_was_committed_outlives_the_log(make: MakeLog) -> None:
    """For a log on storage that outlives it: a second log on it finds the streams, and ends the open one."""
    log = make()
    await log.open()
    ended, cut = RecordingTail(), RecordingTail()
    log.begin(StreamHead("ended", facts={"n": 1}), ended)
    log.begin(StreamHead("cut"), cut)
    log.append("ended", [b"1", b"2"])
    log.append("cut", [b"a", b"b", b"c"])
    log.end("ended", StreamEnd("finished", time.time(), {"why": "done"}))
    await ended.until(2)
    await cut.until(3)
    await log.aclose()
    async with opened(make()) as again:
        assert await everything(again, "ended") == [b"1", b"2"]
        assert await everything(again, "cut", 1) == [b"b", b"c"]
        for id, outcome in (("ended", "finished"), ("cut", "interrupted")):
            end = await _ended(again, id)
            assert end is not None
            assert end.outcome == outcome
        fresh = RecordingTail()
        again.begin(StreamHead("new"), fresh)
        again.append("new", [b"x"])
        await fresh.until(1)
        assert await everything(again, "new") == [b"x"]
