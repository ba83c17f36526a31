"""A SQLite log whose disk says no: a stream that has lost records ends there, and nobody waits for it."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from headrace.errors import StreamingError
from headrace.store.log import Keeping, StreamEnd, StreamHead
from headrace.store.sqlite import SqliteLog
from headrace.store.sqlite_file import Batch, SqliteFile
from headrace.testing.logs import RecordingTail, everything, opened

Done = Callable[[StreamingError | None], None]


class FullDisk:
    """Keeps batches back until it is told whether there is room."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[tuple[Batch, Done]] = []
        self._write = SqliteFile.write
        self._monkeypatch = monkeypatch
        self._files: list[SqliteFile] = []

        def keep_back(file: SqliteFile, batch: Batch, done: Done) -> None:
            self._files.append(file)
            self.asked.append((batch, done))

        monkeypatch.setattr(SqliteFile, "write", keep_back)

    def refuse(self) -> None:
        """The batch that waits fails, and there is room again."""
        ((_, done),) = self.asked
        self._monkeypatch.setattr(SqliteFile, "write", self._write)
        done(StreamingError("the disk is full", code="log_failed"))

    def give_room(self) -> None:
        """The batch that waits is written after all."""
        ((batch, done),) = self.asked
        self._monkeypatch.setattr(SqliteFile, "write", self._write)
        self._files[0].write(batch, done)

    async def until_asked(self) -> None:
        async with asyncio.timeout(30):
            while not self.asked:
                await asyncio.sleep(0)


async def broken_log(log: SqliteLog, monkeypatch: pytest.MonkeyPatch, *, first: int) -> RecordingTail:
    """A stream of records 1 and 2, whose next two from `first` on are lost while two more wait."""
    tail = RecordingTail()
    log.begin(StreamHead("s", alias="chat"), tail)
    if first > 1:
        log.append("s", [b"1", b"2"])
        await tail.until(2)
    disk = FullDisk(monkeypatch)
    log.append("s", [b"3", b"4"])
    await disk.until_asked()
    log.append("s", [b"5", b"6"])
    disk.refuse()
    return tail


@pytest.mark.parametrize("first", [1, 3])
def test_what_was_taken_after_a_loss_does_not_stand_in_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: int
) -> None:
    asyncio.run(_loses(tmp_path, monkeypatch, first))


async def _loses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: int) -> None:
    kept = [b"1", b"2"][: first - 1]
    path = tmp_path / "streams.db"
    async with opened(SqliteLog(path, flush_s=0.0)) as log:
        tail = await broken_log(log, monkeypatch, first=first)
        other = RecordingTail()
        log.begin(StreamHead("other"), other)
        log.append("other", [b"fine"])
        log.end("other", StreamEnd("finished", time.time()))
        await other.until_ended()
        assert tail.trouble is not None
        assert tail.last == first - 1
        assert await everything(log, "s") == kept
        state = await log.state("s")
        assert state is not None
        assert (state.last, state.end and state.end.outcome) == (first - 1, "interrupted")
        assert log.held_bytes == len(b"".join(kept)) + len(b"fine")
    db = sqlite3.connect(path)
    assert db.execute("select count(*) from records").fetchone() == (first,)
    db.close()
    async with opened(SqliteLog(path)) as log:
        assert await everything(log, "s") == kept
        assert await everything(log, "other") == [b"fine"]


def test_a_broken_stream_is_forgotten_like_any_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asyncio.run(_is_forgotten(tmp_path, monkeypatch))


async def _is_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 1000.0
    log = SqliteLog(tmp_path / "s.db", Keeping(ended_s=60.0), flush_s=0.0, now_s=lambda: now_s)
    async with opened(log):
        await broken_log(log, monkeypatch, first=3)
        assert await log.aliased("", "chat") == "s"
        now_s += 61
        assert await log.state("s") is None
        assert await log.aliased("", "chat") == ""


def test_whoever_waits_for_a_broken_stream_is_woken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asyncio.run(_is_woken(tmp_path, monkeypatch))


async def _is_woken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(SqliteLog(tmp_path / "s.db", flush_s=0.0)) as log:
        tail = RecordingTail()
        log.begin(StreamHead("s"), tail)
        log.append("s", [b"1"])
        await tail.until(1)
        disk = FullDisk(monkeypatch)
        waiting = asyncio.create_task(log.wait("s", 1, 60.0))
        log.append("s", [b"2"])
        await disk.until_asked()
        disk.refuse()
        async with asyncio.timeout(30):
            await waiting


def test_a_read_that_fails_is_an_error_of_the_stream(tmp_path: Path) -> None:
    asyncio.run(_read_fails(tmp_path))


async def _read_fails(tmp_path: Path) -> None:
    async with opened(SqliteLog(tmp_path / "s.db", flush_s=0.0)) as log:
        tail = RecordingTail()
        log.begin(StreamHead("s"), tail)
        log.append("s", [b"1"])
        await tail.until(1)
        db = sqlite3.connect(tmp_path / "s.db")
        db.execute("drop table records")
        db.close()
        with pytest.raises(StreamingError) as caught:
            await log.read("s", 0, 100)
        assert caught.value.code == "log_failed"
