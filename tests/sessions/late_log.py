"""A log double that does everything a log may do to its writers, when the test says so."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from headrace.errors import StreamingError
from headrace.store.log import StreamEnd, StreamHead, StreamState, Tail


class LateLog:
    """A log of one stream: it commits so many records at a time, refuses room, breaks, asks to stop.

    records: taken; committed: how many of them are. full: whether `append` says so; told_full: whether it
    has, and no room has been told since.
    """

    keeps = True

    def __init__(self) -> None:
        self.records: list[bytes] = []
        self.committed = 0
        self.full = False
        self.told_full = False
        self.broken = False
        self.head: StreamHead | None = None
        self.taken_end: StreamEnd | None = None
        self.end_committed: StreamEnd | None = None
        self.tail: Tail | None = None
        self._changed = asyncio.Event()

    # What a test does to it.

    @property
    def late(self) -> int:
        """Records that are taken and not committed."""
        return len(self.records) - self.committed

    def commit(self, count: int, *, with_end: bool) -> None:
        """Commit the next records; with the end, where it has come and they are the last."""
        self.committed += min(count, self.late)
        ended = with_end and not self.late and self.taken_end is not None and self.end_committed is None
        tail = self.tail
        if ended:
            self.end_committed, self.tail = self.taken_end, None
        self._wake()
        if tail is not None:
            tail.committed(self.committed, ended)

    def give_room(self) -> None:
        self.full = self.told_full = False
        if self.tail is not None:
            self.tail.room()

    def break_off(self) -> None:
        """What was not committed will not be; whoever reads later hears of it from the log."""
        tail, self.tail, self.broken = self.tail, None, True
        del self.records[self.committed :]
        self.end_committed = StreamEnd("interrupted")
        self._wake()
        if tail is not None:
            tail.broke(StreamingError("the disk is full", code="log_failed"))

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    # `StreamLog`.

    async def open(self) -> None:
        """Nothing is needed."""

    async def aclose(self) -> None:
        """Nothing is held."""

    def begin(self, head: StreamHead, tail: Tail, /) -> None:
        self.head, self.tail = head, tail

    def append(self, id: str, records: Sequence[bytes], /) -> bool:
        if self.tail is not None and self.taken_end is None:
            self.records += records
            self.told_full = self.told_full or self.full
        return not self.full

    def end(self, id: str, end: StreamEnd, records: Sequence[bytes] = (), /) -> None:
        if self.tail is not None and self.taken_end is None:
            self.records += records
            self.taken_end = end

    async def state(self, id: str, /) -> StreamState | None:
        await asyncio.sleep(0)
        assert self.head is not None
        return StreamState(self.head, 1, self.committed, self.end_committed)

    async def read(self, id: str, after: int, max_bytes: int, /) -> Sequence[bytes]:
        found = self.records[after : min(self.committed, after + 2)]
        await asyncio.sleep(0)  # what comes meanwhile is not in it
        return found

    async def wait(self, id: str, after: int, timeout_s: float, /) -> None:
        if self.committed <= after and self.end_committed is None:
            await self._changed.wait()

    async def states(self, owner: str = "", limit: int = 1000, /) -> Sequence[StreamState]:
        found = await self.state("")
        return [] if found is None else [found]

    async def aliased(self, owner: str, alias: str, /) -> str:
        return ""

    async def ask_to_stop(self, id: str, /) -> None:
        if self.tail is not None:
            self.tail.stop()

    async def forget(self, id: str, /) -> None:
        raise NotImplementedError("nothing here forgets")
