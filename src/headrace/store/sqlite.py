"""Stream logs in one SQLite file: what is committed survives the death of the process.

A writer thread commits what has come since its last commit, for all streams at once, so a commit costs a
chunk little under load; the first record of a stream does not wait for others. Write-ahead logging without
a sync a commit: the operating system has the data, so killing the process loses nothing that was committed
(a power cut may lose the latest; that is the usual bargain of `synchronous = NORMAL`).

Rows are only ever appended: an index by stream would cost a chunk five times the row. Which rows are a
stream's is kept in memory, 8 bytes a record, and read from the file once, when it is opened.
"""

from __future__ import annotations

import asyncio
import time
from array import array
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from headrace.errors import Gap, StreamingError
from headrace.store.log import Keeping, StreamEnd, StreamHead, StreamState, Tail, forgotten, weight_of
from headrace.store.sqlite_file import Batch, SqliteFile

FLUSH_S = 0.01  # how long records wait for others, unless a stream waits for its first


class _Stream:
    """One stream. rows: of its records, from `first` on. committed: the last that is in the file. lost: what
    came behind that could not be written."""

    __slots__ = (
        "bytes",
        "committed",
        "end",
        "first",
        "head",
        "key",
        "last",
        "lost",
        "rows",
        "tail",
        "waiting",
        "weight",
    )

    def __init__(self, key: int, head: StreamHead, tail: Tail | None) -> None:
        self.key = key
        self.head = head
        self.tail = tail
        self.rows = array("q")
        self.first = 1
        self.last = 0
        self.committed = 0
        self.bytes = 0
        self.lost = False
        self.end: StreamEnd | None = None
        self.weight = weight_of(head)
        self.waiting: asyncio.Event | None = None


class SqliteLog:
    """See `StreamLog`. path: the file, made where there is none; one process may have it open at a time."""

    keeps = True

    def __init__(
        self,
        path: Path | str,
        keeping: Keeping | None = None,
        *,
        flush_s: float = FLUSH_S,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._keeping = keeping or Keeping()
        self._file = SqliteFile(Path(path))
        self._flush_s = flush_s
        self._now_s = now_s
        self._streams: dict[str, _Stream] = {}
        self._aliases: dict[tuple[str, str], str] = {}
        self._ended: deque[tuple[float, str]] = deque()
        self._next_row = 1
        self._next_key = 1
        self._held_bytes = 0
        self._head_bytes = 0
        self._batch = Batch()
        self._writing: Batch | None = None
        self._timer: asyncio.Handle | None = None
        self._blocked: set[str] = set()  # streams whose writer was told to pause
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self._quiet = asyncio.Event()

    # Life.

    @property
    def held_bytes(self) -> int:
        """Of all records that are kept."""
        return self._held_bytes

    async def open(self) -> None:
        """Read what is there, and end what another process left open. Raises ConfigError (file in use)."""
        self._loop = asyncio.get_running_loop()
        found = await self._file.open()
        self._next_row, self._next_key = found.next_row, found.next_key
        for id, told in found.streams.items():
            stream = self._streams[id] = _Stream(told.key, told.head, None)
            stream.rows, stream.first, stream.bytes, stream.end = told.rows, told.first, told.bytes, told.end
            stream.last = stream.committed = told.first + len(told.rows) - 1
            self._held_bytes += told.bytes
            self._head_bytes += stream.weight
            self._name(told.head)
            if told.end is not None:
                self._ended.append((told.end.ended_s, id))
        self._ended = deque(sorted(self._ended))
        for id, stream in self._streams.items():
            if stream.end is None:
                self._finish(id, stream, StreamEnd("interrupted", self._now_s()))
        self._sweep()

    async def aclose(self) -> None:
        if self._loop is None or self._closed:
            return
        self._flush()
        while self._writing is not None or self._batch:
            self._quiet.clear()
            await self._quiet.wait()
        self._closed = True
        await self._file.aclose()

    # Writing.

    def begin(self, head: StreamHead, tail: Tail, /) -> None:
        self._sweep()
        if head.id in self._streams:
            raise ValueError(f"there is a stream {head.id} already")
        key, self._next_key = self._next_key, self._next_key + 1
        stream = self._streams[head.id] = _Stream(key, head, tail)
        self._head_bytes += stream.weight
        self._name(head)
        self._batch.begin(key, head)
        self._soon()

    def _name(self, head: StreamHead) -> None:
        if head.alias:
            self._aliases[head.owner, head.alias] = head.id

    def append(self, id: str, records: Sequence[bytes], /) -> bool:
        stream = self._streams.get(id)
        if stream is None or stream.tail is None or stream.end is not None:
            return True
        urgent = stream.last == 0
        self._take(id, stream, records)
        if urgent:
            self._flush_now()
        else:
            self._soon()
        if self._batch.bytes <= self._keeping.pending_bytes:
            return True
        self._blocked.add(id)
        return False

    def _take(self, id: str, stream: _Stream, records: Sequence[bytes]) -> None:
        row = self._next_row
        self._next_row = row + len(records)
        size = self._batch.append(row, stream.key, id, stream.last + 1, records)
        stream.rows.extend(range(row, self._next_row))
        stream.last += len(records)
        stream.bytes += size
        self._held_bytes += size
        if stream.bytes > self._keeping.stream_bytes and len(stream.rows) > 1:
            self._halve(stream)

    def _halve(self, stream: _Stream) -> None:
        """Forget the older half of a stream that is too long: seldom, so that it costs a record little."""
        count = len(stream.rows) // 2
        gone = stream.bytes * count // len(stream.rows)  # near enough: sizes are not kept
        self._batch.forget("", stream.rows[:count])
        del stream.rows[:count]
        stream.first += count
        stream.bytes -= gone
        self._held_bytes -= gone

    def end(self, id: str, end: StreamEnd, records: Sequence[bytes] = (), /) -> None:
        stream = self._streams.get(id)
        if stream is None or stream.tail is None or stream.end is not None:
            return
        if records:
            self._take(id, stream, records)
        self._finish(id, stream, end)
        self._flush_now()

    def _finish(self, id: str, stream: _Stream, end: StreamEnd) -> None:
        stream.end = end
        self._ended.append((end.ended_s, id))
        self._batch.end(id, end)
        self._soon()

    # Committing.

    def _soon(self) -> None:
        if self._timer is None and self._writing is None and self._loop is not None:
            self._timer = self._loop.call_later(self._flush_s, self._flush)

    def _flush_now(self) -> None:
        """At the end of this turn of the loop, so that what comes in it goes together."""
        if self._writing is not None or self._loop is None:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._writing is not None or not self._batch:
            return
        self._writing, self._batch = self._batch, Batch()
        self._file.write(self._writing, self._written)

    def _written(self, trouble: StreamingError | None) -> None:
        """The writer thread has committed a batch, or could not. On the loop's thread."""
        batch, self._writing = self._writing, None
        if batch is None:
            return
        if trouble is not None:
            self._lose(batch, trouble)
        else:
            for id, last in batch.lasts.items():
                stream = self._streams.get(id)
                if stream is not None and not stream.lost:
                    self._tell(stream, last, ended=id in batch.ended)
        if self._batch.urgent:
            self._flush()
        elif self._batch:
            self._soon()
        else:
            self._quiet.set()
        blocked, self._blocked = self._blocked, set()
        for id in blocked:
            stream = self._streams.get(id)
            if stream is not None and stream.tail is not None:
                stream.tail.room()

    def _tell(self, stream: _Stream, last: int, *, ended: bool) -> None:
        tail = stream.tail
        if ended:
            stream.tail = None
        stream.committed = max(stream.committed, last)
        _wake(stream)
        if tail is not None:
            tail.committed(stream.committed, ended)

    def _lose(self, batch: Batch, trouble: StreamingError) -> None:
        """A batch could not be written: its streams end with what was committed before it.

        What they said meanwhile may not stand in for what is lost.
        """
        sizes = batch.sizes() + self._batch.sizes()
        for id in dict.fromkeys((*batch.lasts, *(id for _, id, _ in batch.heads))):
            stream = self._streams.get(id)
            if stream is None or stream.lost:
                continue
            stream.lost = True
            tail, stream.tail = stream.tail, None
            kept = max(0, stream.committed + 1 - stream.first)
            self._batch.forget("", stream.rows[kept:])
            del stream.rows[kept:]
            stream.first = min(stream.first, stream.committed + 1)
            stream.last = stream.committed
            gone = min(sizes[stream.key], stream.bytes)
            stream.bytes -= gone
            self._held_bytes -= gone
            self._finish(id, stream, StreamEnd("interrupted", self._now_s()))
            _wake(stream)
            if tail is not None:
                tail.broke(trouble)

    # Reading.

    async def state(self, id: str, /) -> StreamState | None:
        self._sweep()
        stream = self._streams.get(id)
        return None if stream is None else _state(stream)

    async def read(self, id: str, after: int, max_bytes: int, /) -> Sequence[bytes]:
        stream = self._streams.get(id)
        if stream is None or after >= stream.committed:
            return []
        if after + 1 < stream.first:
            raise Gap(f"record {after + 1} is not kept any more: the oldest is {stream.first}")
        begin = after + 1 - stream.first
        rows = stream.rows[begin : begin + min(stream.committed - after, _MOST_ROWS)]
        return await self._file.read(rows, max_bytes)

    async def wait(self, id: str, after: int, timeout_s: float, /) -> None:
        stream = self._streams.get(id)
        if stream is None or stream.committed > after or (stream.end is not None and stream.tail is None):
            return
        if stream.waiting is None:
            stream.waiting = asyncio.Event()
        try:
            async with asyncio.timeout(timeout_s):
                await stream.waiting.wait()
        except TimeoutError:
            return

    async def states(self, owner: str = "", limit: int = 1000, /) -> Sequence[StreamState]:
        self._sweep()
        found: list[StreamState] = []
        for stream in reversed(self._streams.values()):
            if len(found) >= limit:
                break
            if not owner or stream.head.owner == owner:
                found.append(_state(stream))
        return found

    async def aliased(self, owner: str, alias: str, /) -> str:
        self._sweep()
        return self._aliases.get((owner, alias), "")

    async def ask_to_stop(self, id: str, /) -> None:
        stream = self._streams.get(id)
        if stream is not None and stream.tail is not None:
            stream.tail.stop()

    # Forgetting.

    async def forget(self, id: str, /) -> None:
        self._drop(id)

    def _drop(self, id: str) -> None:
        stream = self._streams.pop(id, None)
        if stream is None:
            return
        self._held_bytes -= stream.bytes
        self._head_bytes -= stream.weight
        if self._aliases.get((stream.head.owner, stream.head.alias)) == id:
            del self._aliases[stream.head.owner, stream.head.alias]
        self._batch.forget(id, stream.rows)
        self._soon()
        _wake(stream)
        if stream.tail is not None:
            stream.tail.broke(forgotten())

    def _sweep(self) -> None:
        """Forget what ended long ago, and, above the bound of all, what ended longest ago."""
        until_s = self._now_s() - self._keeping.ended_s
        most_bytes = self._keeping.total_bytes
        while self._ended and (
            self._ended[0][0] <= until_s or self._held_bytes + self._head_bytes > most_bytes
        ):
            stream = self._streams.get(self._ended[0][1])
            if stream is not None and stream.tail is not None:
                return  # its end is not committed yet
            self._drop(self._ended.popleft()[1])


_MOST_ROWS = 4096  # of one read


def _wake(stream: _Stream) -> None:
    if stream.waiting is not None:
        stream.waiting.set()
        stream.waiting = None


def _state(stream: _Stream) -> StreamState:
    end = stream.end if stream.tail is None else None
    return StreamState(stream.head, stream.first, stream.committed, end)
