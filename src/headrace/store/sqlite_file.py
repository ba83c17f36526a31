"""The file of a `SqliteLog`: its schema, the thread that writes it, the thread that reads it."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
from array import array
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

import msgspec

from headrace.errors import ConfigError, StreamingError
from headrace.store.log import StreamEnd, StreamHead

SCHEMA_VERSION = 1
_SCHEMA = """
create table records (
  row integer primary key, stream integer not null, number integer not null, data blob not null
);
create table streams (key integer primary key, id text unique not null, head blob not null, ended blob);
"""
_BUSY_MS = 200  # another process has the file: it will not be done soon
_CHECKPOINT_PAGES = 4000
_json = msgspec.json.encode
T = TypeVar("T")


class Batch:
    """What has come since the last commit. lasts: stream -> its last record in here. urgent: do not wait."""

    __slots__ = ("bytes", "ended", "forgotten", "gone", "heads", "lasts", "rows", "urgent")

    def __init__(self) -> None:
        self.rows: list[tuple[int, int, int, bytes]] = []
        self.heads: list[tuple[int, str, bytes]] = []
        self.ended: dict[str, bytes] = {}
        self.gone: list[str] = []  # streams
        self.forgotten: list[array[int]] = []  # rows
        self.lasts: dict[str, int] = {}
        self.bytes = 0
        self.urgent = False

    def __bool__(self) -> bool:
        return bool(self.rows or self.heads or self.ended or self.gone or self.forgotten)

    def begin(self, key: int, head: StreamHead) -> None:
        self.heads.append((key, head.id, _json(head)))

    def append(self, row: int, key: int, stream: str, number: int, records: Sequence[bytes]) -> int:
        """Take records; returns their size in bytes. key: the stream's number in the file."""
        if number == 1:
            self.urgent = True
        size = 0
        for record in records:
            self.rows.append((row, key, number, record))
            size += len(record)
            row += 1
            number += 1
        self.lasts[stream] = number - 1
        self.bytes += size
        return size

    def sizes(self) -> Counter[int]:
        """Bytes of records by stream, which goes by its number in the file."""
        sizes: Counter[int] = Counter()
        for _, key, _, record in self.rows:
            sizes[key] += len(record)
        return sizes

    def end(self, stream: str, end: StreamEnd) -> None:
        self.ended[stream] = _json(end)
        self.lasts.setdefault(stream, 0)
        self.urgent = True

    def forget(self, stream: str, rows: array[int]) -> None:
        """Forget `rows`, and the stream itself where it is named."""
        if stream:
            self.gone.append(stream)
        if rows:
            self.forgotten.append(rows)

    def carry_out(self, db: sqlite3.Connection) -> None:
        """One transaction."""
        db.execute("begin immediate")
        try:
            db.executemany("insert into streams (key, id, head) values (?, ?, ?)", self.heads)
            db.executemany("insert into records values (?, ?, ?, ?)", self.rows)
            for stream, end in self.ended.items():
                db.execute("update streams set ended = ? where id = ?", (end, stream))
            for rows in self.forgotten:
                db.executemany("delete from records where row = ?", ((row,) for row in rows))
            db.executemany("delete from streams where id = ?", ((stream,) for stream in self.gone))
            db.execute("commit")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                db.execute("rollback")
            raise


class FoundStream(msgspec.Struct):
    """A stream in a file that was opened. rows: of its records, from record `first` on."""

    key: int
    head: StreamHead
    end: StreamEnd | None = None
    rows: array[int] = msgspec.field(default_factory=lambda: array("q"))
    first: int = 1
    bytes: int = 0


class Found(msgspec.Struct):
    """What a file held when it was opened."""

    next_row: int
    next_key: int
    streams: dict[str, FoundStream]


class _Thread:
    """One thread that does what it is given, in order: a pool's books would cost as much as a commit."""

    def __init__(self, name: str) -> None:
        self._work: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._turn, name=name, daemon=True)
        self._started = False

    def run(self, work: Callable[[], None]) -> None:
        """Do it; `work` must not raise."""
        if not self._started:
            self._started = True
            self._thread.start()
        self._work.put(work)

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """Do it; the future has what it gives or raises."""
        future: Future[T] = Future()

        def carry_out() -> None:
            try:
                future.set_result(work())
            except BaseException as error:  # noqa: BLE001 - raised again where it is awaited
                future.set_exception(error)

        self.run(carry_out)
        return future

    def close(self) -> None:
        """End when all is done."""
        if self._started:
            self._work.put(None)
            self._thread.join()

    def _turn(self) -> None:
        while (work := self._work.get()) is not None:
            work()


class SqliteFile:
    """One file, two threads: a transaction never waits for a reader, nor a reader for a transaction."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer = _Thread("headrace-log-writer")
        self._reader = ThreadPoolExecutor(1, "headrace-log-reader")
        self._written: sqlite3.Connection | None = None
        self._read: sqlite3.Connection | None = None
        self._lock: sqlite3.Connection | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def open(self) -> Found:
        """Open or make the file. Raises ConfigError where it is in use, no database, or from the future."""
        self._loop = asyncio.get_running_loop()
        try:
            found = await asyncio.wrap_future(self._writer.submit(self._open))
        except sqlite3.Error as error:
            why = f"the stream log {self._path} cannot be used: {error}"
            raise ConfigError(why, field="log.path", source=str(self._path)) from error
        self._read = await self._loop.run_in_executor(self._reader, self._connected)
        return found

    def _connected(self) -> sqlite3.Connection:
        return sqlite3.connect(
            self._path, timeout=_BUSY_MS / 1000, isolation_level=None, check_same_thread=False
        )

    def _open(self) -> Found:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = _locked(self._path)
        db = self._written = self._connected()
        db.execute("pragma journal_mode = wal")
        db.execute("pragma synchronous = normal")
        db.execute(f"pragma wal_autocheckpoint = {_CHECKPOINT_PAGES}")
        (version,) = db.execute("pragma user_version").fetchone()
        if version == 0:
            db.executescript(f"begin; {_SCHEMA} pragma user_version = {SCHEMA_VERSION}; commit;")
        elif version != SCHEMA_VERSION:
            raise ConfigError(
                f"the stream log {self._path} is of version {version}, this Headrace reads {SCHEMA_VERSION}: "
                "choose another file",
                field="log.path",
                source=str(self._path),
            )
        return _found(db)

    def write(self, batch: Batch, done: Callable[[StreamingError | None], None]) -> None:
        """Commit a batch; `done` is called on the loop's thread, with what went wrong."""
        loop = self._loop
        if loop is None:
            raise RuntimeError("the log is not open")

        def carry_out() -> None:
            trouble: StreamingError | None = None
            try:
                if self._written is None:
                    raise sqlite3.ProgrammingError("the log is closed")
                batch.carry_out(self._written)
            except Exception as error:  # noqa: BLE001 - the streams that wait for it must hear of it
                trouble = StreamingError(f"the stream log cannot be written: {error}", code="log_failed")
            loop.call_soon_threadsafe(done, trouble)

        self._writer.run(carry_out)

    async def read(self, rows: array[int], max_bytes: int) -> list[bytes]:
        """The records of `rows`, at least one, up to `max_bytes`. Raises StreamingError."""
        if self._loop is None or self._read is None:
            raise RuntimeError("the log is not open")
        try:
            return await self._loop.run_in_executor(self._reader, self._records, rows, max_bytes)
        except sqlite3.Error as error:
            raise StreamingError(f"the stream log cannot be read: {error}", code="log_failed") from error

    def _records(self, rows: array[int], max_bytes: int) -> list[bytes]:
        assert self._read is not None
        found: list[bytes] = []
        for row in rows:
            got = self._read.execute("select data from records where row = ?", (row,)).fetchone()
            if got is None or (found and len(got[0]) > max_bytes):
                break
            found.append(got[0])
            max_bytes -= len(got[0])
        return found

    async def aclose(self) -> None:
        """Close the file and end the threads."""
        if self._loop is not None:
            if self._written is not None:
                await asyncio.wrap_future(self._writer.submit(self._written.close))
            if self._read is not None:
                await self._loop.run_in_executor(self._reader, self._read.close)
        if self._lock is not None:
            self._lock.close()
        self._written = self._read = self._lock = None
        self._writer.close()
        self._reader.shutdown(wait=True)


def _locked(path: Path) -> sqlite3.Connection:
    """Hold the file for this process, on every system, until the connection is closed or the process dies.

    Raises sqlite3.OperationalError where another process holds it.
    """
    lock = sqlite3.connect(
        f"{path}.lock", timeout=_BUSY_MS / 1000, isolation_level=None, check_same_thread=False
    )
    try:
        lock.execute("begin exclusive")
    except sqlite3.OperationalError as error:
        lock.close()
        raise sqlite3.OperationalError("another process has it open") from error
    return lock


def _found(db: sqlite3.Connection) -> Found:
    found = Found(1, 1, {})
    by_key: dict[int, FoundStream] = {}
    for key, head, ended in db.execute("select key, head, ended from streams order by key"):
        stream = FoundStream(key, msgspec.json.decode(head, type=StreamHead))
        stream.end = msgspec.json.decode(ended, type=StreamEnd) if ended is not None else None
        by_key[key] = found.streams[stream.head.id] = stream
        found.next_key = key + 1
    query = "select row, stream, number, length(data) from records order by row"
    for row, key, number, size in db.execute(query):
        found.next_row = row + 1
        found.next_key = max(found.next_key, key + 1)
        known = by_key.get(key)
        if known is not None:
            if not known.rows:
                known.first = number
            known.rows.append(row)
            known.bytes += size
    return found
