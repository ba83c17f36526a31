"""No stream log: nothing is kept, so nothing can be read again, and readers must keep up."""

from __future__ import annotations

from collections.abc import Sequence

from headrace.errors import Gap
from headrace.store.log import StreamEnd, StreamHead, StreamState, Tail, forgotten


class NoLog:
    """See `StreamLog`. It knows the streams that are being made, and forgets each with its end.

    keeps: False: an event's number is of no use, so it is not told.
    """

    keeps = False

    def __init__(self) -> None:
        self._streams: dict[str, _Live] = {}

    async def open(self) -> None:
        """Nothing is needed."""

    async def aclose(self) -> None:
        self._streams.clear()

    def begin(self, head: StreamHead, tail: Tail, /) -> None:
        if head.id in self._streams:
            raise ValueError(f"there is a stream {head.id} already")
        self._streams[head.id] = _Live(head, tail)

    def append(self, id: str, records: Sequence[bytes], /) -> bool:
        live = self._streams.get(id)
        if live is not None:
            live.last += len(records)
            live.tail.committed(live.last)
        return True

    def end(self, id: str, end: StreamEnd, records: Sequence[bytes] = (), /) -> None:
        live = self._streams.pop(id, None)
        if live is not None:
            live.tail.committed(live.last + len(records), True)

    async def state(self, id: str, /) -> StreamState | None:
        live = self._streams.get(id)
        return None if live is None else _state(live)

    async def read(self, id: str, after: int, max_bytes: int, /) -> Sequence[bytes]:
        live = self._streams.get(id)
        if live is not None and after < live.last:
            raise Gap(f"record {after + 1} is not kept: this server has no stream log")
        return []

    async def wait(self, id: str, after: int, timeout_s: float, /) -> None:
        """Nothing will ever be there to read."""

    async def states(self, owner: str = "", limit: int = 1000, /) -> Sequence[StreamState]:
        found = [_state(live) for live in self._streams.values() if not owner or live.head.owner == owner]
        return found[::-1][:limit]

    async def aliased(self, owner: str, alias: str, /) -> str:
        for live in reversed(self._streams.values()):
            if alias and (live.head.owner, live.head.alias) == (owner, alias):
                return live.head.id
        return ""

    async def ask_to_stop(self, id: str, /) -> None:
        live = self._streams.get(id)
        if live is not None:
            live.tail.stop()

    async def forget(self, id: str, /) -> None:
        live = self._streams.pop(id, None)
        if live is not None:
            live.tail.broke(forgotten())


class _Live:
    __slots__ = ("head", "last", "tail")

    def __init__(self, head: StreamHead, tail: Tail) -> None:
        self.head = head
        self.tail = tail
        self.last = 0


def _state(live: _Live) -> StreamState:
    return StreamState(live.head, live.last + 1, live.last, None)
