"""Stream logs on a Valkey or Redis server: many nodes write and read each other's streams.

What a node writes goes in one batch a round trip, and is committed when the server has answered. A stream is
written by one node, which proves by a key with a short life that it is there; whoever finds that key gone
ends the stream as interrupted, so a reader anywhere hears of it. How much survives the server's own restart
is the server's setting (`appendonly`), and a server that evicts keys (`maxmemory-policy`) forgets streams.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections import deque
from collections.abc import Callable, Sequence

import msgspec

from headrace.config.secret import Secret
from headrace.errors import ConfigError, Gap, StreamingError
from headrace.store.log import Keeping, StreamEnd, StreamHead, StreamState, Tail
from headrace.store.valkey.keys import Keys
from headrace.store.valkey.link import RETRY_S, Address, Link
from headrace.store.valkey.node import HEARTBEAT_S, Node
from headrace.store.valkey.scripts import FORGET, READ, STOP, Command
from headrace.store.valkey.watch import Watch, asked_to_stop
from headrace.store.valkey.writer import Writer

PREFIX = "headrace:"
_MOST_READ_BYTES = 2**20  # at once: the server does nothing else meanwhile
logger = logging.getLogger("headrace.store")
_FIELDS = ("head", "first", "last", "end")


class ValkeyLog:
    """See `StreamLog`. Servers from Redis 6.2 on, and every Valkey.

    url: redis://, rediss:// (TLS) or unix://. prefix: of every key. heartbeat_s: how often this node says
    that it lives; a dead node's streams have ended after four. retry_s: how long a lost connection is tried
    again before the streams that wait for it fail. now_s: monotonic seconds.
    """

    keeps = True

    def __init__(
        self,
        url: Secret | str,
        keeping: Keeping | None = None,
        *,
        prefix: str = PREFIX,
        heartbeat_s: float = HEARTBEAT_S,
        retry_s: float = RETRY_S,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keeping = keeping = keeping or Keeping()
        self._now_s = now_s
        self._keys = Keys(prefix)
        address = Address(url if isinstance(url, Secret) else Secret(url))
        self.node = secrets.token_hex(16)
        self._writes = Link(address, retry_s=retry_s)
        self._asks = Link(address, retry_s=retry_s)
        self._writer = Writer(self.node, self._keys, self._writes, keeping)
        self._watch = Watch(self.node, self._keys, address, self._asks, self._writer.stop, retry_s=retry_s)
        self._beats = Node(
            self.node,
            self._keys,
            self._asks,
            beat_s=heartbeat_s,
            life_s=keeping.ended_s,
            own=self._writer.lost,
        )
        self._ended: deque[tuple[float, str, int]] = deque()  # this node's: when, id, bytes
        self._ended_bytes = 0
        self._open = False

    # Life.

    async def open(self) -> None:
        """Reach the server and join the other nodes. Raises ConfigError where it cannot be used."""
        try:
            await self._beats.open()
        except StreamingError as error:
            await self._hang_up()
            raise ConfigError(error.message, field="streams.url") from error
        self._beats.on_beat = self._sweep
        self._watch.begin()
        self._open = True

    async def aclose(self) -> None:
        if not self._open:
            return
        self._open = False
        await self._writer.settled()
        try:
            await self._beats.aclose(self._writer.lives)
        except StreamingError as error:
            # The others will find this node gone.
            logger.warning("%s", error)
        finally:
            await self._hang_up()

    async def _hang_up(self) -> None:
        await self._watch.aclose()
        await self._asks.aclose()
        await self._writes.aclose()

    # Writing.

    def begin(self, head: StreamHead, tail: Tail, /) -> None:
        self._writer.begin(head, tail)

    def append(self, id: str, records: Sequence[bytes], /) -> bool:
        return self._writer.append(id, records)

    def end(self, id: str, end: StreamEnd, records: Sequence[bytes] = (), /) -> None:
        self._writer.end(id, end, records)

    # Reading.

    async def state(self, id: str, /) -> StreamState | None:
        live = self._writer.lives.get(id)
        if live is not None:
            return live.state()
        (found,) = await self._asks.run(self._state_of(id))
        return _state(found)

    def _state_of(self, id: str) -> Command:
        return ("HMGET", self._keys.meta(id), *_FIELDS)

    async def read(self, id: str, after: int, max_bytes: int, /) -> Sequence[bytes]:
        until = "+"
        live = self._writer.lives.get(id)
        if live is not None:
            if after >= live.committed:
                return []
            until = f"{live.committed}-0"
        most_bytes = max(0, min(max_bytes, _MOST_READ_BYTES))
        (found,) = await self._asks.run(READ(self._keys.log(id), after + 1, until, most_bytes))
        entry: bytes = found[0]
        records: list[bytes] = found[1:]
        if records:
            first = int(entry.partition(b"-")[0])
            if first != after + 1:
                raise Gap(f"record {after + 1} is not kept any more: the oldest is {first}")
        return records

    async def wait(self, id: str, after: int, timeout_s: float, /) -> None:
        state = await self.state(id)
        if state is not None and state.end is None and state.last <= after:
            await self._watch.wait(id, after, timeout_s)

    async def states(self, owner: str = "", limit: int = 1000, /) -> Sequence[StreamState]:
        keys = self._keys
        index = keys.owner(owner) if owner else keys.index
        (members,) = await self._asks.run(("ZREVRANGE", index, 0, limit - 1))
        if not members:
            return []
        ids = [member.decode() for member in members]
        found = await self._asks.run(*map(self._state_of, ids))
        expired = [id for id, fields in zip(ids, found, strict=True) if fields[0] is None]
        if expired:
            await self._asks.run(*(command for id in expired for command in keys.unlisted(id, owner)))
        return [state for state in map(_state, found) if state is not None]

    async def aliased(self, owner: str, alias: str, /) -> str:
        (id,) = await self._asks.run(("GET", self._keys.alias(owner, alias)))
        if id is None:
            return ""
        (there,) = await self._asks.run(("EXISTS", self._keys.meta(id.decode())))
        return id.decode() if there else ""

    # Stopping and forgetting.

    async def ask_to_stop(self, id: str, /) -> None:
        if id in self._writer.lives:
            self._writer.stop(id)
            return
        (node,) = await self._asks.run(STOP(self._keys.meta(id)))
        if node is not None:
            await self._asks.run(asked_to_stop(self._keys.inbox(node.decode()), id))

    async def forget(self, id: str, /) -> None:
        self._writer.forget(id)
        await self._writer.settled()
        await self._forget(id)

    async def _forget(self, id: str) -> None:
        keys = self._keys
        (head,) = await self._asks.run(FORGET(keys.meta(id), keys.log(id)))
        if head is None:
            return
        read = msgspec.json.decode(head, type=StreamHead)
        await self._asks.run(*keys.ended(self.node, read, 0), *keys.unlisted(id, read.owner))

    async def _sweep(self) -> None:
        """Of what this node has made: forget what ended longest ago, where all of it is too much."""
        now_s, keeping = self._now_s(), self._keeping
        fresh, self._writer.ended = self._writer.ended, []
        for id, size in fresh:
            self._ended.append((now_s, id, size))
            self._ended_bytes += size
        live_bytes = sum(live.bytes + live.weight for live in self._writer.lives.values())
        while self._ended:
            at_s, id, size = self._ended[0]
            expired = at_s <= now_s - keeping.ended_s
            if not expired and self._ended_bytes + live_bytes <= keeping.total_bytes:
                return
            self._ended.popleft()
            self._ended_bytes -= size
            if not expired:  # else the server has forgotten it by itself
                await self._forget(id)


def _state(fields: Sequence[bytes | None]) -> StreamState | None:
    head, first, last, end = fields
    if head is None:
        return None
    return StreamState(
        msgspec.json.decode(head, type=StreamHead),
        int(first or 1),
        int(last or 0),
        msgspec.json.decode(end, type=StreamEnd) if end is not None else None,
    )
