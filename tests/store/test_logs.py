"""Every log behaves as the suite says; what is each log's own is tested beside it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.store.servers import Server, valkey_server

from headrace.errors import Gap
from headrace.store.log import Keeping, StreamEnd, StreamHead, StreamLog
from headrace.store.memory import MemoryLog
from headrace.store.none import NoLog
from headrace.store.sqlite import SqliteLog
from headrace.store.valkey import ValkeyLog
from headrace.testing import logs

Make = Callable[[Path, Keeping], StreamLog]
_server: list[Server] = []  # one for all tests, each with a prefix of its own


@pytest.fixture(scope="module", autouse=True)
def server() -> Iterator[None]:
    with valkey_server() as running:
        _server.append(running)
        yield
        _server.clear()


def _valkey(folder: Path, keeping: Keeping) -> StreamLog:
    return ValkeyLog(_server[0].url, keeping, prefix=f"{folder.name}:", heartbeat_s=0.2)


LOGS: dict[str, Make] = {
    "memory": lambda _, keeping: MemoryLog(keeping),
    "sqlite": lambda folder, keeping: SqliteLog(folder / "log.db", keeping),
    "valkey": _valkey,
}


@pytest.mark.parametrize("check", logs.CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("kind", LOGS)
def test_conformance(kind: str, check: logs.Check, tmp_path: Path) -> None:
    asyncio.run(check(lambda: LOGS[kind](tmp_path, Keeping())))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", LOGS)
def test_what_is_too_much_goes(kind: str, tmp_path: Path) -> None:
    asyncio.run(logs.check_old_records_go_first(lambda: LOGS[kind](tmp_path, Keeping(stream_bytes=1000))))


@pytest.mark.parametrize("kind", ["sqlite", "valkey"])
def test_what_is_committed_outlives_its_process(kind: str, tmp_path: Path) -> None:
    asyncio.run(logs.check_what_was_committed_outlives_the_log(lambda: LOGS[kind](tmp_path, Keeping())))


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_many_small_streams_and_long_heads_are_too_much_too(kind: str, tmp_path: Path) -> None:
    """What is bounded is what clients make a server hold: an answer of one word costs more than its word."""
    keeping = Keeping(total_bytes=100_000)

    async def main() -> None:
        async with logs.opened(LOGS[kind](tmp_path, keeping)) as log:
            for head_bytes in (0, 10_000):
                for at in range(200):
                    id, tail = f"{head_bytes}-{at}", logs.RecordingTail()
                    log.begin(StreamHead(id, facts={"pending": "x" * head_bytes}), tail)
                    log.end(id, StreamEnd("finished", time.time()), [b"word"])
                    await tail.until_ended()
                assert 1 <= len(await log.states()) <= 100_000 // (1000 + head_bytes) + 1
                assert await log.state(id) is not None, "the latest stays"

    asyncio.run(main())


@pytest.mark.parametrize("kind", [*LOGS, "none"])
def test_the_writer_of_what_is_forgotten_is_told(kind: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with logs.opened(NoLog() if kind == "none" else LOGS[kind](tmp_path, Keeping())) as log:
            tail = logs.RecordingTail()
            log.begin(StreamHead("s"), tail)
            log.append("s", [b"1"])
            await tail.until(1)
            await log.forget("s")
            assert tail.trouble is not None
            assert tail.trouble.code == "stream_gone"
            log.append("s", [b"2"])
            log.end("s", StreamEnd("finished"))
            assert await log.state("s") is None

    asyncio.run(main())


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_a_long_head_does_not_cost_others_their_records(kind: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with logs.opened(LOGS[kind](tmp_path, Keeping(total_bytes=100_000))) as log:
            long, other = logs.RecordingTail(), logs.RecordingTail()
            log.begin(StreamHead("long", facts={"pending": "x" * 200_000}), long)
            log.append("long", [b"1"])
            log.begin(StreamHead("other"), other)
            records = [b"%03d" % at * 100 for at in range(100)]
            for record in records:
                log.append("other", [record])
            await other.until(100)
            assert await logs.everything(log, "other") == records

    asyncio.run(main())


def test_in_memory_running_streams_share_what_there_is() -> None:
    """Nothing has ended, so the oldest records of whoever has more than his share go."""

    async def main() -> None:
        async with logs.opened(MemoryLog(Keeping(total_bytes=100_000))) as log:
            assert isinstance(log, MemoryLog)
            for at in range(20):
                log.begin(StreamHead(f"s{at}"), logs.RecordingTail())
            log.append("s0", [b"small"])
            for _ in range(50):
                for at in range(1, 20):
                    log.append(f"s{at}", [b"x" * 500])
                    assert log.held_bytes <= 100_000 - 20 * 1024
            assert await logs.everything(log, "s0") == [b"small"]
            state = await log.state("s7")
            assert state is not None
            assert 1 < state.first < state.last == 50
            with pytest.raises(Gap):
                await log.read("s7", 0, 1)
            assert len(await logs.everything(log, "s7", state.first - 1)) == 51 - state.first

    asyncio.run(main())
