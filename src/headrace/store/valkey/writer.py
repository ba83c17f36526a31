"""What this node writes: streams that are being made, and one batch a round trip for all of them."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from redis.exceptions import ResponseError

from headrace.errors import StreamingError
from headrace.store.log import Keeping, StreamEnd, StreamHead, StreamState, Tail, forgotten, weight_of
from headrace.store.valkey.keys import Keys
from headrace.store.valkey.link import Answers, Link, refused
from headrace.store.valkey.scripts import APPEND, BEGIN, Command

_json = msgspec.json.encode
_REFUSALS = {
    b"taken": "another server writes a stream of this id",
    b"gone": "the stream log does not know the stream any more",
    b"lost": "the stream log has lost records of the stream",
    b"ended": "this server was silent for so long that the others have ended the stream",
}


class Live:
    """A stream that is being made here.

    sizes: in bytes, of its records from `first` on. trims: `first` has moved since it was told.
    """

    __slots__ = (
        "begun",
        "bytes",
        "committed",
        "end",
        "first",
        "head",
        "last",
        "pending",
        "sizes",
        "stopped",
        "tail",
        "trims",
        "weight",
    )

    def __init__(self, head: StreamHead, tail: Tail) -> None:
        self.head = head
        self.tail = tail
        self.begun = False
        self.pending: list[bytes] = []
        self.sizes = array("Q")
        self.bytes = 0
        self.first = 1
        self.last = 0
        self.committed = 0
        self.end: StreamEnd | None = None
        self.trims = False
        self.stopped = False
        self.weight = weight_of(head)

    def take(self, records: Sequence[bytes], most_bytes: int) -> int:
        """Take records; returns their size. Where it is too much, the older half goes: seldom, so cheaply."""
        sizes = array("Q", map(len, records))
        size = sum(sizes)
        self.pending += records
        self.sizes.extend(sizes)
        self.last += len(records)
        self.bytes += size
        if self.bytes > most_bytes and len(self.sizes) > 1:
            self._halve(most_bytes // 2)
        return size

    def _halve(self, wanted_bytes: int) -> None:
        count = 0
        while self.bytes > wanted_bytes and count < len(self.sizes) - 1:
            self.bytes -= self.sizes[count]
            count += 1
        del self.sizes[:count]
        self.first += count
        self.trims = True

    def state(self) -> StreamState:
        """As far as it is committed."""
        return StreamState(self.head, min(self.first, self.committed + 1), self.committed)


class _Sent(NamedTuple):
    """What of a batch is one stream's: its answers, and among them the one that tells."""

    live: Live
    answers: slice
    verdict: int
    last: int
    ends: bool


class Writer:
    """Writes this node's streams. lives: those without a committed end. lost: those that broke, and whose
    end nobody has been able to write yet."""

    def __init__(self, node: str, keys: Keys, link: Link, keeping: Keeping) -> None:
        self._node = node
        self._keys = keys
        self._link = link
        self._keeping = keeping
        self.lives: dict[str, Live] = {}
        self.lost: set[str] = set()
        self.ended: list[tuple[str, int]] = []  # streams and their bytes, for whoever bounds them
        self._dirty: dict[str, Live] = {}
        self._pending_bytes = 0
        self._flying_bytes = 0
        self._blocked: set[str] = set()  # streams whose writer was told to pause
        self._sent: list[_Sent] | None = None
        self._scheduled = False
        self._quiet = asyncio.Event()
        self._quiet.set()

    def begin(self, head: StreamHead, tail: Tail) -> None:
        if head.id in self.lives:
            raise ValueError(f"there is a stream {head.id} already")
        live = self.lives[head.id] = Live(head, tail)
        self._soon(live)

    def append(self, id: str, records: Sequence[bytes]) -> bool:
        live = self.lives.get(id)
        if live is None or live.end is not None or not records:
            return True
        self._pending_bytes += live.take(records, self._keeping.stream_bytes)
        self._soon(live)
        if self._pending_bytes + self._flying_bytes <= self._keeping.pending_bytes:
            return True
        self._blocked.add(id)
        return False

    def end(self, id: str, end: StreamEnd, records: Sequence[bytes]) -> None:
        live = self.lives.get(id)
        if live is None or live.end is not None:
            return
        if records:
            self._pending_bytes += live.take(records, self._keeping.stream_bytes)
        live.end = end
        self._soon(live)

    def stop(self, id: str) -> None:
        """Somebody asks for it; told once."""
        live = self.lives.get(id)
        if live is not None and live.end is None and not live.stopped:
            live.stopped = True
            live.tail.stop()

    def forget(self, id: str) -> None:
        """Nothing more is taken of it, as its writer is told."""
        live = self.lives.get(id)
        self.drop(id)
        if live is not None:
            live.tail.broke(forgotten())

    def drop(self, id: str) -> None:
        """Nothing more is taken of it or said to its writer."""
        live = self.lives.pop(id, None)
        if live is not None:
            self._dirty.pop(id, None)
            self._forget_pending(live)
        self.lost.discard(id)

    async def settled(self) -> None:
        """Wait until nothing is waiting to be committed."""
        while self._dirty or self._sent is not None:
            await self._quiet.wait()

    # Committing.

    def _soon(self, live: Live) -> None:
        """At the end of this turn of the loop, so that what comes in it goes together."""
        self._dirty[live.head.id] = live
        self._quiet.clear()
        if self._sent is None and not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        self._scheduled = False
        if self._sent is not None:
            return  # its answer sends the next
        dirty, self._dirty = self._dirty, {}
        if not dirty:
            self._look_quiet()
            return
        commands: list[Command] = []
        self._sent = [self._packed(live, commands) for live in dirty.values()]
        self._flying_bytes, self._pending_bytes = self._pending_bytes, 0
        self._link.submit(commands, self._answered)

    def _packed(self, live: Live, commands: list[Command]) -> _Sent:
        """Add what is new of the stream to `commands`."""
        at = len(commands)
        head, keys = live.head, self._keys
        if not live.begun:
            live.begun = True
            commands.append(keys.answers_for(self._node, head.id))
            commands.append(BEGIN(keys.meta(head.id), self._node, _json(head)))
            commands += keys.listed(head)
        verdict = at + 1  # of BEGIN
        ends = live.end is not None
        if live.pending or ends:
            first = live.first if live.trims else 0
            live.trims = False
            number = live.last - len(live.pending) + 1
            end = _json(live.end) if live.end is not None else b""
            life_ms = int(self._keeping.ended_s * 1000)
            meta, log = keys.meta(head.id), keys.log(head.id)
            verdict = len(commands)
            commands.append(APPEND(meta, log, self._node, number, first, end, life_ms, *live.pending))
            live.pending = []
        if ends:
            commands += keys.ended(self._node, head, self._keeping.ended_s)
        return _Sent(live, slice(at, len(commands)), verdict, live.last, ends)

    def _answered(self, answers: Answers | StreamingError) -> None:
        """The server has taken a batch, or has not."""
        sent, self._sent = self._sent or [], None
        self._flying_bytes = 0
        for one in sent:
            if self.lives.get(one.live.head.id) is one.live:
                self._tell(one, answers)
        if self._dirty:
            self._flush()
        else:
            self._look_quiet()
        blocked, self._blocked = self._blocked, set()
        for id in blocked:
            live = self.lives.get(id)
            if live is not None:
                live.tail.room()

    def _tell(self, sent: _Sent, answers: Answers | StreamingError) -> None:
        live = sent.live
        trouble = _trouble(sent, answers)
        if trouble is not None:
            self._broke(live, trouble)
            return
        live.committed = sent.last
        if sent.ends:
            del self.lives[live.head.id]
            self.ended.append((live.head.id, live.bytes + live.weight))
        live.tail.committed(sent.last, sent.ends)
        if not isinstance(answers, StreamingError) and answers[sent.verdict] == b"stop":
            self.stop(live.head.id)

    def _broke(self, live: Live, trouble: StreamingError) -> None:
        id = live.head.id
        self.drop(id)
        self.lost.add(id)
        live.tail.broke(trouble)

    def _forget_pending(self, live: Live) -> None:
        self._pending_bytes -= sum(map(len, live.pending))
        live.pending = []

    def _look_quiet(self) -> None:
        if not self._dirty and self._sent is None:
            self._quiet.set()


def _trouble(sent: _Sent, answers: Answers | StreamingError) -> StreamingError | None:
    """Why the stream cannot go on."""
    if isinstance(answers, StreamingError):
        return answers
    for answer in answers[sent.answers]:
        if isinstance(answer, ResponseError):
            return refused(answer)
    why = _REFUSALS.get(answers[sent.verdict])
    return StreamingError(why, code="log_failed", http_status=503) if why is not None else None
