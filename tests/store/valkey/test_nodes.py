"""Many nodes on one server: they read and stop each other's streams, and end those of the dead."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest
from tests.store.servers import Server
from tests.store.valkey.nodes import BEAT_S, die, link_of, prefixes, read_live, run, until

from headrace.config.secret import Secret
from headrace.store.log import StreamEnd, StreamHead
from headrace.store.valkey import ValkeyLog
from headrace.store.valkey.keys import Keys
from headrace.store.valkey.link import Address, Link
from headrace.store.valkey.scripts import APPEND, BEGIN, INTERRUPT
from headrace.store.valkey.watch import Watch, asked_to_stop
from headrace.testing.logs import RecordingTail, everything, opened


def test_readers_on_another_node_late_and_live(make: Callable[..., ValkeyLog]) -> None:
    records = [b"record %d" % number for number in range(1, 201)]

    async def main() -> None:
        async with opened(make()) as a, opened(make()) as b:
            tail = RecordingTail()
            a.begin(StreamHead("s", "o", 1.0, {"p": 1}, "name"), tail)
            a.append("s", records[:50])
            await tail.until(50)
            live = [asyncio.create_task(read_live(b, "s", after)) for after in (0, 0, 30, 50)]
            for at in range(50, 190, 7):
                a.append("s", records[at : min(at + 7, 190)])
                await asyncio.sleep(0.001)
            a.end("s", StreamEnd("finished", 2.0, {"n": 3}), records[190:])
            for task, after in zip(live, (0, 0, 30, 50), strict=True):
                assert await task == (records[after:], StreamEnd("finished", 2.0, {"n": 3}))
            assert await read_live(b, "s", 120) == (records[120:], StreamEnd("finished", 2.0, {"n": 3}))
            assert await b.aliased("o", "name") == "s"
            assert [one.head.id for one in await b.states("o")] == ["s"]

    run(main())


def test_a_reader_that_waits_is_woken_from_another_node(
    make: Callable[..., ValkeyLog], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headrace.store.valkey.watch._BLOCK_S", 3600)  # not by a new turn

    async def main() -> None:
        async with opened(make()) as a, opened(make(heartbeat_s=3600)) as b:
            await until(lambda: is_blocked(b))
            tails = [RecordingTail() for _ in range(50)]
            for number, tail in enumerate(tails):
                a.begin(StreamHead(f"s{number}"), tail)
                a.append(f"s{number}", [b"1"])
            await tails[-1].until(1)
            waiting = [asyncio.create_task(b.wait(f"s{number}", 1, 60)) for number in range(50)]
            clients = await link_of(a).run(("CLIENT", "LIST"))
            await until(lambda: all_wait(b))
            for number in range(50):
                a.append(f"s{number}", [b"2"])
            await asyncio.gather(*waiting)
            assert len(await read_clients(a)) == len(clients[0].splitlines()), "no connection a reader"

    async def is_blocked(log: ValkeyLog) -> bool:
        return log._watch._blocked and log._watch._read != "0"

    async def all_wait(log: ValkeyLog) -> bool:
        return len(log._watch._waiting) == 50

    async def read_clients(log: ValkeyLog) -> list[bytes]:
        (told,) = await link_of(log).run(("CLIENT", "LIST"))
        lines: list[bytes] = told.splitlines()
        return lines

    run(main())


def test_a_dead_nodes_streams_end_once(make: Callable[..., ValkeyLog]) -> None:
    async def main() -> None:
        a = make()
        await a.open()
        tail = RecordingTail()
        a.begin(StreamHead("s", "o"), tail)
        a.append("s", [b"1", b"2"])
        await tail.until(2)
        async with opened(make()) as b, opened(make()) as c:
            reading = [asyncio.create_task(read_live(log, "s")) for log in (b, c, b)]
            await die(a)
            died_s = time.monotonic()
            for task in reading:
                records, end = await task
                assert records == [b"1", b"2"]
                assert end.outcome == "interrupted"
            assert time.monotonic() - died_s < 60 * BEAT_S  # four beats; the rest is a slow machine's
            (entries,) = await link_of(b).run(("XRANGE", b._keys.log("s"), "2-1", "+"))
            assert len(entries) == 1, "one node has ended it"
            await until(lambda: nobody_but(b, c))

    async def nobody_but(*logs: ValkeyLog) -> bool:
        (members,) = await link_of(logs[0]).run(("SMEMBERS", logs[0]._keys.nodes))
        return set(members) == {log.node.encode() for log in logs}

    run(main())


def test_a_node_is_dead_when_two_beats_find_it_gone(shared: Server) -> None:
    prefix = next(prefixes)

    async def main() -> None:
        async with (
            opened(ValkeyLog(shared.url, prefix=prefix, heartbeat_s=3600)) as a,
            opened(ValkeyLog(shared.url, prefix=prefix, heartbeat_s=3600)) as b,
        ):
            tail = RecordingTail()
            a.begin(StreamHead("s"), tail)
            a.append("s", [b"1"])
            await tail.until(1)
            for again in (
                True,
                False,
            ):  # as after a restart of the server: its key ran out, and it comes back
                await link_of(b).run(("DEL", a._keys.node(a.node)))
                await b._beats.beat()
                if again:
                    await a._beats.beat()
                    await b._beats.beat()
                assert await b._asks.run(("HGET", b._keys.meta("s"), "end")) == [None]
            await b._beats.beat()
            state = await b.state("s")
            assert state is not None
            assert state.end is not None

    run(main())


def test_a_node_that_was_taken_for_dead_writes_no_more(make: Callable[..., ValkeyLog]) -> None:
    async def main() -> None:
        async with opened(make()) as a, opened(make()) as b:
            tail = RecordingTail()
            a.begin(StreamHead("s"), tail)
            a.append("s", [b"1"])
            await tail.until(1)
            await b._beats.interrupt(a.node, ["s"])
            a.append("s", [b"2"])
            await until(lambda: said(tail))
            assert tail.trouble is not None
            assert "ended the stream" in tail.trouble.message
            assert await everything(b, "s") == [b"1"]

    async def said(tail: RecordingTail) -> bool:
        return tail.trouble is not None

    run(main())


def test_what_a_node_leaves_open_ends_with_it(make: Callable[..., ValkeyLog]) -> None:
    async def main() -> None:
        async with opened(make()) as b:
            tail = RecordingTail()
            async with opened(make()) as a:
                a.begin(StreamHead("s"), tail)
                a.append("s", [b"1"])
                await tail.until(1)
            state = await b.state("s")
            assert state is not None
            assert state.end is not None
            assert state.end.outcome == "interrupted"

    run(main())


def test_a_stop_from_another_node(make: Callable[..., ValkeyLog]) -> None:
    async def main() -> None:
        async with opened(make()) as a, opened(make()) as b:
            tail, other = RecordingTail(), RecordingTail()
            a.begin(StreamHead("s"), tail)
            a.begin(StreamHead("t"), other)
            a.append("s", [b"1"])
            await tail.until(1)
            await b.ask_to_stop("s")
            await b.ask_to_stop("nobody")
            await tail.stopped.wait()
            assert not other.stopped.is_set()

    run(main())


def test_a_stop_that_came_before_anybody_listened(shared: Server) -> None:
    async def main() -> None:
        address, keys = Address(Secret(shared.url)), Keys(next(prefixes))
        asks = Link(address)
        heard: asyncio.Queue[str] = asyncio.Queue()
        watch = Watch("n", keys, address, asks, heard.put_nowait)
        await asks.run(watch.nudge(), asked_to_stop(keys.inbox("n"), "s"))
        watch.begin()
        assert await heard.get() == "s"
        await watch.aclose()
        await asks.aclose()

    run(main())


def test_a_stop_whose_message_was_lost_is_seen_at_the_next_record(make: Callable[..., ValkeyLog]) -> None:
    async def main() -> None:
        async with opened(make()) as a, opened(make()) as b:
            tail = RecordingTail()
            a.begin(StreamHead("s"), tail)
            a.append("s", [b"1"])
            await tail.until(1)
            await a._watch.aclose()
            await b.ask_to_stop("s")
            assert not tail.stopped.is_set()
            a.append("s", [b"2"])
            await tail.until(2)
            assert tail.stopped.is_set()

    run(main())


def test_only_an_open_stream_of_that_node_is_interrupted_and_once(make: Callable[..., ValkeyLog]) -> None:
    async def main() -> None:
        async with opened(make()) as a:
            link, meta, log = link_of(a), a._keys.meta("s"), a._keys.log("s")
            await link.run(BEGIN(meta, "n", "head"), APPEND(meta, log, "n", 1, 0, "", 0, b"1"))
            ended = [await link.run(INTERRUPT(meta, log, node, node, 60_000)) for node in ("m", "n", "n")]
            assert ended == [[None], [b"head"], [None]]
            assert await link.run(("HGET", meta, "end")) == [b"n"]

    run(main())


class EagerTail(RecordingTail):
    """Writes on from inside the call that tells it of a commit."""

    def __init__(self, log: ValkeyLog, records: list[bytes]) -> None:
        super().__init__()
        self._log = log
        self._records = records

    def committed(self, last: int, ended: bool = False, /) -> None:
        super().committed(last, ended)
        asyncio.get_running_loop().call_soon(self._log.append, "t", [b"x"])
        self._log.append("s", self._records[last : last + 1])


def test_a_writer_that_writes_on_when_it_is_told(make: Callable[..., ValkeyLog]) -> None:
    records = [b"%d" % number for number in range(1, 31)]

    async def main() -> None:
        async with opened(make()) as a:
            tail, other = EagerTail(a, records), RecordingTail()
            a.begin(StreamHead("s"), tail)
            a.begin(StreamHead("t"), other)
            a.append("s", records[:1])
            await tail.until(30)
            await other.until(30)
            assert await everything(a, "s") == records

    run(main())


def test_an_id_of_another_node_is_refused(make: Callable[..., ValkeyLog]) -> None:
    async def main() -> None:
        async with opened(make()) as a, opened(make()) as b:
            tail, other = RecordingTail(), RecordingTail()
            a.begin(StreamHead("s"), tail)
            a.append("s", [b"1"])
            await tail.until(1)
            b.begin(StreamHead("s"), other)
            b.append("s", [b"2"])
            with pytest.raises(AssertionError, match="does not know"):
                await other.until(1)
            a.append("s", [b"2"])
            await tail.until(2)
            assert await everything(a, "s") == [b"1", b"2"]

    run(main())
