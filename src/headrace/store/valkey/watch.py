"""One blocked connection a node: it waits for every stream that a reader here waits for, and for requests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

from headrace.errors import StreamingError
from headrace.store.valkey.keys import Keys
from headrace.store.valkey.link import RETRY_S, Address, Link
from headrace.store.valkey.scripts import Command

_BLOCK_S = 5.0  # then it is asked again, so that a dead connection is noticed
_GATHER_S = 0.003  # between two turns: each names every stream that is waited for
_PAUSE_S = 0.5  # after the server could not be reached
_MOST_ASKED = 1000  # requests that are kept for a node that does not read them


class _Waiting(NamedTuple):
    after: int
    woken: asyncio.Future[None]


class Watch:
    """Belongs to one event loop.

    The node's inbox is among what is waited for: an entry there is a stream to stop, or only says that there
    is more to wait for. Entries are read from the inbox's beginning, so none that came earlier is missed.
    asks: another connection, for what must not wait. on_stop: is given the ids of streams to stop.
    """

    def __init__(
        self,
        node: str,
        keys: Keys,
        address: Address,
        asks: Link,
        on_stop: Callable[[str], None],
        *,
        retry_s: float = RETRY_S,
    ) -> None:
        self._keys = keys
        self._inbox = keys.inbox(node)
        self._link = Link(address, answer_s=_BLOCK_S * 2, retry_s=retry_s)
        self._asks = asks
        self._on_stop = on_stop
        self._read = "0"  # the last entry of the inbox that was seen
        self._waiting: dict[str, list[_Waiting]] = {}
        self._blocked = False
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Watch from now on."""
        self._task = asyncio.get_running_loop().create_task(self._work())

    async def aclose(self) -> None:
        """End the watch; whoever waits is woken."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
        await self._link.aclose()
        self._wake_all()

    async def wait(self, id: str, after: int, timeout_s: float) -> None:
        """Return when there is more than `after`, or an end, after that time, or when nobody can tell."""
        if self._task is None:
            return
        one = _Waiting(after, asyncio.get_running_loop().create_future())
        self._waiting.setdefault(id, []).append(one)
        if self._blocked:
            self._blocked = False
            self._asks.submit((self.nudge(),), _nothing)
        try:
            async with asyncio.timeout(timeout_s):
                await one.woken
        except TimeoutError:
            return
        finally:
            waiting = self._waiting.get(id, [])
            if one in waiting:
                waiting.remove(one)
                if not waiting:
                    del self._waiting[id]

    def nudge(self) -> Command:
        """What ends the block."""
        return ("XADD", self._inbox, "MAXLEN", "~", _MOST_ASKED, "*", "more", "")

    async def _work(self) -> None:
        while True:
            try:
                await self._turn()
            except StreamingError:
                self._wake_all()  # each asks for itself, and is told
                await asyncio.sleep(_PAUSE_S)
            await asyncio.sleep(_GATHER_S)

    async def _turn(self) -> None:
        afters = {id: min(one.after for one in waiting) for id, waiting in self._waiting.items()}
        names = [self._inbox, *map(self._keys.log, afters)]
        self._blocked = True
        try:
            (found,) = await self._link.run(
                (
                    *("XREAD", "COUNT", 1, "BLOCK", int(_BLOCK_S * 1000), "STREAMS"),
                    *names,
                    *(self._read, *(f"{after}-0" for after in afters.values())),
                )
            )
        finally:
            self._blocked = False
        ids = dict(zip(names[1:], afters, strict=True))
        for name, entries in found or ():
            if name.decode() == self._inbox:
                self._obey(entries)
            else:
                self._wake(ids[name.decode()])

    def _obey(self, entries: list[Any]) -> None:
        for number, (what, about) in entries:
            self._read = number
            if what == b"stop":
                self._on_stop(about.decode())

    def _wake(self, id: str) -> None:
        for one in self._waiting.pop(id, ()):
            if not one.woken.done():
                one.woken.set_result(None)

    def _wake_all(self) -> None:
        for id in list(self._waiting):
            self._wake(id)


def asked_to_stop(inbox: str, id: str) -> Command:
    """Tell the node of that inbox, if it has one, to stop a stream."""
    return ("XADD", inbox, "NOMKSTREAM", "MAXLEN", "~", _MOST_ASKED, "*", "stop", id)


def _nothing(_: object) -> None:
    """A nudge that is lost costs a reader the time of one block."""
