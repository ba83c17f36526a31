"""A node among others: it says that it lives, and ends the streams of those that do not any more."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable

import msgspec

from headrace.errors import StreamingError
from headrace.store.log import StreamEnd, StreamHead
from headrace.store.valkey.keys import Keys
from headrace.store.valkey.link import Link
from headrace.store.valkey.scripts import INTERRUPT, Command

HEARTBEAT_S = 2.0
_LIVES_BEATS = 2  # a node that was silent for longer may be dead; it is if another beat finds it so again
_INBOX_BEATS = 30
_MOST_EXPIRED = 500  # forgotten a beat
logger = logging.getLogger("headrace.store")


class Node:
    """Belongs to one event loop. So a dead node's streams have ended after 4 beats at most.

    life_s: of what has ended. own: streams of this node itself that must be ended, as others cannot do it;
    those that are ended are taken out.
    """

    def __init__(
        self, node: str, keys: Keys, asks: Link, *, beat_s: float, life_s: float, own: set[str]
    ) -> None:
        self._node = node
        self._keys = keys
        self._asks = asks
        self._beat_s = beat_s
        self._life_s = life_s
        self._own = own
        self._suspects: set[str] = set()
        self._task: asyncio.Task[None] | None = None
        self.on_beat: Callable[[], Awaitable[None]] | None = None

    async def open(self) -> None:
        """The first beat, and all that follow."""
        await self.beat()
        self._task = asyncio.get_running_loop().create_task(self._work())

    async def aclose(self, open_streams: Iterable[str]) -> None:
        """Leave: nobody will write these streams any more."""
        task, self._task = self._task, None
        if task is None:
            return
        task.cancel()
        await asyncio.wait([task])
        await self.interrupt(self._node, {*open_streams, *self._own})
        keys, node = self._keys, self._node
        await self._asks.run(
            ("DEL", keys.node(node), keys.inbox(node), keys.streams(node)), ("SREM", keys.nodes, node)
        )

    async def _work(self) -> None:
        warned = False
        while True:
            await asyncio.sleep(self._beat_s)
            try:
                await self.beat()
                warned = False
            except StreamingError as error:
                if not warned:
                    logger.warning("%s", error)
                warned = True

    async def beat(self) -> None:
        """Say that this node lives, and look after the others."""
        keys, node = self._keys, self._node
        inbox = keys.inbox(node)
        await self._asks.run(
            ("SET", keys.node(node), 1, "PX", int(self._beat_s * _LIVES_BEATS * 1000)),
            ("SADD", keys.nodes, node),
            ("XADD", inbox, "MAXLEN", 1000, "*", "more", ""),
            ("PEXPIRE", inbox, int(self._beat_s * _INBOX_BEATS * 1000)),
        )
        if self._own:
            ended = set(self._own)
            await self.interrupt(node, ended)
            self._own -= ended
        await self._look_around()
        await self._forget_expired()
        if self.on_beat is not None:
            await self.on_beat()

    async def _look_around(self) -> None:
        """Whoever was not there at two beats is dead."""
        (members,) = await self._asks.run(("SMEMBERS", self._keys.nodes))
        others = [member.decode() for member in members if member.decode() != self._node]
        if not others:
            return
        alive = await self._asks.run(*(("EXISTS", self._keys.node(other)) for other in others))
        silent = {other for other, lives in zip(others, alive, strict=True) if not lives}
        dead, self._suspects = silent & self._suspects, silent
        for other in dead:
            await self._bury(other)

    async def _bury(self, other: str) -> None:
        keys = self._keys
        (members,) = await self._asks.run(("SMEMBERS", keys.streams(other)))
        await self.interrupt(other, [member.decode() for member in members])
        await self._asks.run(("SREM", keys.nodes, other), ("DEL", keys.inbox(other)))

    async def interrupt(self, node: str, ids: Iterable[str]) -> None:
        """End those of the node's streams that have no end; of all who try it, one does it."""
        keys, ids = self._keys, list(ids)
        if not ids:
            return
        end = msgspec.json.encode(StreamEnd("interrupted", time.time()))
        life_ms = int(self._life_s * 1000)
        heads = await self._asks.run(
            *(INTERRUPT(keys.meta(id), keys.log(id), node, end, life_ms) for id in ids)
        )
        commands: list[Command] = [("SREM", keys.streams(node), *ids)]
        for head in heads:
            if head is not None:
                read = msgspec.json.decode(head, type=StreamHead)
                commands += keys.ended(node, read, self._life_s)
        await self._asks.run(*commands)

    async def _forget_expired(self) -> None:
        """The server forgets streams by itself; the lists of them are ours."""
        keys = self._keys
        (members,) = await self._asks.run(
            ("ZRANGEBYSCORE", keys.expiry, "-inf", time.time(), "LIMIT", 0, _MOST_EXPIRED)
        )
        commands: list[Command] = []
        for member in members:
            id, _, owner = member.decode().partition(" ")
            commands += keys.unlisted(id, owner)
        if commands:
            await self._asks.run(*commands)
