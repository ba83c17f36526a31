"""What is a SQLite log's own: what waits for whom, and what is left in its file."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from pathlib import Path

import pytest
from tests.store.test_sqlite_failing import FullDisk

from headrace.store.log import Keeping, StreamEnd, StreamHead
from headrace.store.sqlite import SqliteLog
from headrace.testing.logs import RecordingTail, everything, opened

LONG_S = 3600.0


def test_a_first_record_and_an_end_do_not_wait_for_others(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(SqliteLog(tmp_path / "s.db", flush_s=LONG_S)) as log:
            tail = RecordingTail()
            log.begin(StreamHead("s"), tail)
            log.append("s", [b"1"])
            await tail.until(1)
            log.append("s", [b"2"])
            log.end("s", StreamEnd("finished", time.time()))
            await tail.until_ended()
            assert tail.last == 2

    asyncio.run(main())


def test_a_path_may_be_a_string(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(SqliteLog(str(tmp_path / "s.db"))):
            assert (tmp_path / "s.db").exists()

    asyncio.run(main())


def test_what_is_forgotten_is_not_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "s.db"

    async def main() -> None:
        async with opened(SqliteLog(path)) as log:
            for id in ("gone", "stays"):
                tail = RecordingTail()
                log.begin(StreamHead(id, facts={"said": f"{id} head"}), tail)
                log.append(id, [f"{id} record".encode()])
                log.end(id, StreamEnd("finished", time.time()))
                await tail.until_ended()
            await log.forget("gone")
        db = sqlite3.connect(path)
        assert db.execute("select id from streams").fetchall() == [("stays",)]
        assert db.execute("select data from records").fetchall() == [(b"stays record",)]
        db.close()
        async with opened(SqliteLog(path)) as log:
            assert await log.state("gone") is None
            assert await everything(log, "stays") == [b"stays record"]

    asyncio.run(main())


def test_a_stream_whose_end_is_on_its_way_is_not_what_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with opened(SqliteLog(tmp_path / "s.db", Keeping(total_bytes=10_000))) as log:
            disk = FullDisk(monkeypatch)
            tail = RecordingTail()
            log.begin(StreamHead("s"), tail)
            log.end("s", StreamEnd("finished", time.time()), [b"x" * 20_000])
            await disk.until_asked()
            log.begin(StreamHead("t"), RecordingTail())
            assert tail.trouble is None
            disk.give_room()
            await tail.until_ended()
            assert tail.last == 1
            assert await log.state("s") is None, "now it may go"

    asyncio.run(main())
