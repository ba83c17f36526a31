"""One of a thing for each event loop, made on first use and closed when its loop shuts down."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from typing import Generic, Protocol, TypeVar
from weakref import WeakKeyDictionary


class Closable(Protocol):
    """What has something to free at the end."""

    async def aclose(self) -> None: ...


T = TypeVar("T", bound=Closable)


class PerLoop(Generic[T]):
    """The running loop's own T.

    `asyncio.run` (and what is built on it) ends by closing the async generators that are still open: each T
    hangs on one, so nobody has to close it.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: WeakKeyDictionary[asyncio.AbstractEventLoop, T] = WeakKeyDictionary()
        self._leases: WeakKeyDictionary[asyncio.AbstractEventLoop, AsyncGenerator[None, None]]
        self._leases = WeakKeyDictionary()

    def here(self) -> T:
        """The running loop's. Raises RuntimeError outside a running loop."""
        loop = asyncio.get_running_loop()
        known = self._made.get(loop)
        if known is not None:
            return known
        made = self._made[loop] = self._make()
        lease = self._leases[loop] = self._lease(loop, made)
        # The loop hears of a generator when it is first asked; this one yields without waiting.
        with contextlib.suppress(StopIteration):
            lease.__anext__().send(None)
        return made

    async def _lease(self, loop: asyncio.AbstractEventLoop, made: T) -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            self._made.pop(loop, None)
            self._leases.pop(loop, None)
            await made.aclose()
