"""What a log on a Valkey server promises beside the suite of all logs: many nodes, and a server that goes."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.store.servers import Server, valkey_server

from headrace.config.secret import Secret
from headrace.errors import ConfigError, StreamingError
from headrace.store.log import Gap, Keeping, StreamEnd, StreamHead
from headrace.store.valkey import ValkeyLog
from headrace.store.valkey.keys import Keys
from headrace.store.valkey.link import Address, Link
from headrace.store.valkey.watch import Watch, asked_to_stop
from headrace.testing.logs import RecordingTail, everything, opened

PATIENCE_S = 15.0
BEAT_S = 0.1
_prefixes = (f"t{number}:" for number in itertools.count())


@pytest.fixture(scope="module")
def shared() -> Iterator[Server]:
    with valkey_server() as server:
        yield server


@pytest.fixture
def own() -> Iterator[Server]:
    """A server that the test may stop."""
    with valkey_server() as server:
        yield server


@pytest.fixture
def make(shared: Server) -> Callable[..., ValkeyLog]:
    """Nodes of one installation."""
    prefix = next(_prefixes)

    def make(keeping: Keeping | None = None, **options: Any) -> ValkeyLog:
        return ValkeyLog(shared.url, keeping, prefix=prefix, heartbeat_s=BEAT_S, **options)

    return make


def run(main: Coroutine[Any, Any, None]) -> None:
    async def checked() -> None:
        async with asyncio.timeout(PATIENCE_S):
            await main
        assert len(asyncio.all_tasks()) == 1, "nothing that the logs began lives on"

    asyncio.run(checked())


async def until(what: Callable[[], Coroutine[Any, Any, bool]]) -> None:
    while not await what():
        await asyncio.sleep(0.01)


def link_of(log: ValkeyLog) -> Link:
    return log._asks


async def die(log: ValkeyLog) -> None:
    """The node is gone without a word: its key is left to run out."""
    log._open = False
    task = log._beats._task
    assert task is not None
    task.cancel()
    await asyncio.wait([task])
    await log._hang_up()


async def read_live(log: ValkeyLog, id: str, after: int = 0) -> tuple[list[bytes], StreamEnd]:
    """As a reader on another node does."""
    found: list[bytes] = []
    while True:
        records = await log.read(id, after + len(found), 64)
        found += records
        if records:
            continue
        state = await log.state(id)
        assert state is not None
        if state.end is None:
            await log.wait(id, after + len(found), 60)
        elif after + len(found) >= state.last:
            return found, state.end


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


def test_a_reader_that_waits_is_woken_from_another_node(make: Callable[..., ValkeyLog]) -> None:
    async def main() -> None:
        async with opened(make()) as a, opened(make()) as b:
            tails = [RecordingTail() for _ in range(50)]
            for number, tail in enumerate(tails):
                a.begin(StreamHead(f"s{number}"), tail)
                a.append(f"s{number}", [b"1"])
            await tails[-1].until(1)
            waiting = [asyncio.create_task(b.wait(f"s{number}", 1, 60)) for number in range(50)]
            clients = await link_of(a).run(("CLIENT", "LIST"))
            await asyncio.sleep(0.05)  # let them block; the test holds without it too
            for number in range(50):
                a.append(f"s{number}", [b"2"])
            await asyncio.gather(*waiting)
            assert len(await read_clients(a)) == len(clients[0].splitlines()), "no connection a reader"

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
        address, keys = Address(Secret(shared.url)), Keys(next(_prefixes))
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


def test_killed_connections_lose_and_double_nothing(make: Callable[..., ValkeyLog], shared: Server) -> None:
    records = [b"record %d" % number for number in range(1, 301)]

    async def main() -> None:
        async with opened(make()) as a, opened(make()) as b:
            killer = Link(Address(Secret(shared.url)))
            tail = RecordingTail()
            a.begin(StreamHead("s"), tail)
            a.append("s", records[:1])
            await tail.until(1)
            reading = asyncio.create_task(read_live(b, "s"))
            for at in range(1, 300, 13):
                a.append("s", records[at : at + 13])
                await killer.run(("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"))
            await killer.run(("SCRIPT", "FLUSH"))
            a.end("s", StreamEnd("finished"))
            await tail.until(300)
            assert (await reading)[0] == records
            await killer.aclose()

    run(main())


def test_a_server_that_comes_back_with_its_data(own: Server) -> None:
    async def main() -> None:
        async with opened(ValkeyLog(own.url)) as a:
            tail = RecordingTail()
            a.begin(StreamHead("s"), tail)
            a.append("s", [b"1"])
            await tail.until(1)
            await asyncio.to_thread(own.stop)
            a.append("s", [b"2"])
            assert tail.last == 1
            await asyncio.to_thread(own.start)
            await tail.until(2)
            a.end("s", StreamEnd("finished"), [b"3"])
            await tail.until(3)
            assert await everything(a, "s") == [b"1", b"2", b"3"]

    run(main())


def test_a_server_that_comes_back_empty(own: Server) -> None:
    async def main() -> None:
        async with opened(ValkeyLog(own.url)) as a:
            tail = RecordingTail()
            a.begin(StreamHead("s"), tail)
            a.append("s", [b"1"])
            await tail.until(1)
            await asyncio.to_thread(own.kill)
            await asyncio.to_thread(own.start)
            a.append("s", [b"2"])
            with pytest.raises(AssertionError, match="does not know the stream"):
                await tail.until(2)
            fresh = RecordingTail()
            a.begin(StreamHead("t"), fresh)
            a.append("t", [b"1"])
            await fresh.until(1)

    run(main())


def test_a_server_that_stays_away(own: Server, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        log = ValkeyLog(own.url, heartbeat_s=BEAT_S, retry_s=0.1)
        async with opened(log) as a:
            tail = RecordingTail()
            a.begin(StreamHead("s"), tail)
            a.append("s", [b"1"])
            await tail.until(1)
            own.kill()
            waiting = asyncio.create_task(log._watch.wait("s", 1, 60))
            a.append("s", [b"2"])
            with pytest.raises(AssertionError, match="cannot be used"):
                await tail.until(2)
            assert tail.trouble is not None
            assert (tail.trouble.code, tail.trouble.retryable) == ("log_failed", True)
            await waiting
            with pytest.raises(StreamingError, match="cannot be used"):
                await a.read("s", 0, 100)

    run(main())
    assert "cannot be used" in caplog.text


def test_what_nobody_could_be_told_is_ended_later(own: Server) -> None:
    """The server was away for longer than a writer waits: others must not believe that the stream goes on."""

    async def main() -> None:
        async with opened(ValkeyLog(own.url, heartbeat_s=BEAT_S, retry_s=0.05)) as a:
            tail = RecordingTail()
            a.begin(StreamHead("s"), tail)
            a.append("s", [b"1"])
            await tail.until(1)
            await asyncio.to_thread(own.stop)
            a.append("s", [b"2"])
            with pytest.raises(AssertionError, match="cannot be used"):
                await tail.until(2)
            await asyncio.to_thread(own.start)
            async with opened(ValkeyLog(own.url)) as b:
                records, end = await read_live(b, "s")
                assert (records, end.outcome) == ([b"1"], "interrupted")

    run(main())


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
        async with opened(make(Keeping(total_bytes=250))) as a:
            for id in ("s", "t", "u"):
                tail = RecordingTail()
                a.begin(StreamHead(id), tail)
                a.end(id, StreamEnd("finished"), [b"x" * 100])
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


BAD_URLS = ("http://u:sesame@h", "redis://u:sesame@h:port", "sesame", "redis://:sesame@h?sesame=1", "")


@pytest.mark.parametrize("url", BAD_URLS)
def test_a_bad_url_is_named_and_not_quoted(url: str) -> None:
    with pytest.raises(ConfigError, match=r"streams\.url") as caught:
        ValkeyLog(url)
    assert "sesame" not in repr(caught.value) + str(caught.value.__cause__)


def test_a_server_that_is_not_there_is_named_without_the_password(tmp_path: Path) -> None:
    async def main() -> None:
        log = ValkeyLog("redis://user:sesame@127.0.0.1:1/0", retry_s=0.05)
        with pytest.raises(ConfigError, match=r"127\.0\.0\.1:1 ") as caught:
            await log.open()
        assert "sesame" not in repr(caught.value) + repr(caught.value.__cause__) + repr(log)
        await log.aclose()

    run(main())


def test_a_wrong_password_is_not_tried_again(shared: Server) -> None:
    async def main() -> None:
        url = shared.url.replace("unix://", "unix://user:sesame@")
        log = ValkeyLog(url, retry_s=3600)
        with pytest.raises(ConfigError, match="cannot be used") as caught:
            await log.open()
        assert "sesame" not in str(caught.value)

    run(main())
