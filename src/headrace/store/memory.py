"""Stream logs in this process's memory: committed at once, gone with the process."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from headrace.errors import Gap
from headrace.store.log import Keeping, StreamEnd, StreamHead, StreamState, Tail, forgotten, weight_of


class _Kept:
    """One stream."""

    __slots__ = ("bytes", "end", "first", "gone", "head", "last", "records", "tail", "waiting", "weight")

    def __init__(self, head: StreamHead, tail: Tail) -> None:
        self.head = head
        self.tail: Tail | None = tail
        self.records: list[bytes] = []
        self.gone = 0  # of `records`, from the left: taken out together, so that each costs little
        self.bytes = 0
        self.first = 1
        self.last = 0
        self.end: StreamEnd | None = None
        self.weight = weight_of(head)
        self.waiting: asyncio.Event | None = None  # made for the first who waits


class _Ended(NamedTuple):
    at_s: float
    id: str


class MemoryLog:
    """See `StreamLog`. now_s: monotonic seconds."""

    keeps = True

    def __init__(self, keeping: Keeping | None = None, now_s: Callable[[], float] = time.monotonic) -> None:
        self._keeping = keeping = keeping or Keeping()
        self._stream_bytes = keeping.stream_bytes
        self._total_bytes = self._record_bytes = keeping.total_bytes
        self._head_bytes = 0
        self._now_s = now_s
        self._streams: dict[str, _Kept] = {}
        self._aliases: dict[tuple[str, str], str] = {}
        self._ended: deque[_Ended] = deque()
        self.held_bytes = 0

    async def open(self) -> None:
        """Nothing is needed."""

    async def aclose(self) -> None:
        self._streams.clear()
        self._aliases.clear()
        self._ended.clear()
        self.held_bytes = 0
        self._weigh_heads(-self._head_bytes)

    def begin(self, head: StreamHead, tail: Tail, /) -> None:
        self._sweep()
        if head.id in self._streams:
            raise ValueError(f"there is a stream {head.id} already")
        kept = self._streams[head.id] = _Kept(head, tail)
        if head.alias:
            self._aliases[head.owner, head.alias] = head.id
        self._weigh_heads(kept.weight)
        if self.held_bytes + self._head_bytes > self._total_bytes:
            self._make_room()

    def append(self, id: str, records: Sequence[bytes], /) -> bool:
        kept = self._streams.get(id)
        if kept is None or kept.tail is None:
            return True
        self._take(kept, records)
        kept.tail.committed(kept.last)
        return True

    def _take(self, kept: _Kept, records: Sequence[bytes]) -> None:
        kept.records += records
        if len(records) == 1:
            kept.last += 1
            size = len(records[0])
        else:
            kept.last += len(records)
            size = sum(map(len, records))
        kept.bytes += size
        self.held_bytes += size
        if kept.bytes > self._stream_bytes or self.held_bytes > self._record_bytes:
            self._bound(kept)
        if kept.waiting is not None:
            kept.waiting.set()
            kept.waiting = None

    def _bound(self, kept: _Kept) -> None:
        while kept.bytes > self._stream_bytes and kept.last > kept.first:
            self._shed(kept)
        if self.held_bytes > self._record_bytes:
            self._make_room()

    def _shed(self, kept: _Kept) -> None:
        oldest = len(kept.records[kept.gone])
        kept.records[kept.gone] = b""
        kept.gone += 1
        if kept.gone * 2 > len(kept.records):
            del kept.records[: kept.gone]
            kept.gone = 0
        kept.first += 1
        kept.bytes -= oldest
        self.held_bytes -= oldest

    def end(self, id: str, end: StreamEnd, records: Sequence[bytes] = (), /) -> None:
        kept = self._streams.get(id)
        if kept is None or kept.tail is None:
            return
        tail, kept.tail = kept.tail, None
        kept.end = end
        self._ended.append(_Ended(self._now_s(), id))
        self._take(kept, records)
        tail.committed(kept.last, True)

    async def state(self, id: str, /) -> StreamState | None:
        self._sweep()
        kept = self._streams.get(id)
        return None if kept is None else _state(kept)

    async def read(self, id: str, after: int, max_bytes: int, /) -> Sequence[bytes]:
        kept = self._streams.get(id)
        if kept is None or after >= kept.last:
            return []
        if after + 1 < kept.first:
            raise Gap(f"record {after + 1} is not kept any more: the oldest is {kept.first}")
        found: list[bytes] = []
        for at in range(kept.gone + after + 1 - kept.first, len(kept.records)):
            record = kept.records[at]
            if found and max_bytes < len(record):
                break
            max_bytes -= len(record)
            found.append(record)
        return found

    async def wait(self, id: str, after: int, timeout_s: float, /) -> None:
        kept = self._streams.get(id)
        if kept is None or kept.last > after or kept.end is not None:
            return
        if kept.waiting is None:
            kept.waiting = asyncio.Event()
        try:
            async with asyncio.timeout(timeout_s):
                await kept.waiting.wait()
        except TimeoutError:
            return

    async def states(self, owner: str = "", limit: int = 1000, /) -> Sequence[StreamState]:
        self._sweep()
        found: list[StreamState] = []
        for kept in reversed(self._streams.values()):
            if len(found) >= limit:
                break
            if not owner or kept.head.owner == owner:
                found.append(_state(kept))
        return found

    async def aliased(self, owner: str, alias: str, /) -> str:
        self._sweep()
        return self._aliases.get((owner, alias), "")

    async def ask_to_stop(self, id: str, /) -> None:
        kept = self._streams.get(id)
        if kept is not None and kept.tail is not None:
            kept.tail.stop()

    async def forget(self, id: str, /) -> None:
        self._drop(id)

    def _drop(self, id: str) -> None:
        kept = self._streams.pop(id, None)
        if kept is not None:
            self.held_bytes -= kept.bytes
            self._weigh_heads(-kept.weight)
            if self._aliases.get((kept.head.owner, kept.head.alias)) == id:
                del self._aliases[kept.head.owner, kept.head.alias]
            if kept.waiting is not None:
                kept.waiting.set()
            if kept.tail is not None:
                kept.tail.broke(forgotten())

    def _sweep(self) -> None:
        """Forget what ended long ago."""
        until_s = self._now_s() - self._keeping.ended_s
        while self._ended and self._ended[0].at_s <= until_s:
            self._drop(self._ended.popleft().id)

    def _weigh_heads(self, more_bytes: int) -> None:
        """Records have what heads leave; at least half, as a few long heads must not cost others theirs."""
        self._head_bytes += more_bytes
        self._record_bytes = max(self._total_bytes - self._head_bytes, self._total_bytes // 2)

    def _make_room(self) -> None:
        """Forget ended streams, the longest ended first; then every stream's oldest records."""
        while self._ended and self.held_bytes + self._head_bytes > self._total_bytes:
            self._drop(self._ended.popleft().id)
        if self.held_bytes > self._record_bytes:
            share = self._record_bytes // max(1, len(self._streams))
            for kept in self._streams.values():
                while kept.bytes > share and kept.last > kept.first:
                    self._shed(kept)


def _state(kept: _Kept) -> StreamState:
    return StreamState(kept.head, kept.first, kept.last, kept.end)
