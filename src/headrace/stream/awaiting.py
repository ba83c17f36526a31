"""Operators whose function must be awaited: one task for the stream, one item at a time, in order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from headrace.core.chunk import Cancelled, Finish, Terminal
from headrace.core.model import Sink, Source
from headrace.stream.push import Node, failed

A = TypeVar("A")
B = TypeVar("B")
# Items that wait for the function before the source is paused.
MAX_WAITING = 16


class Awaited(Node[A, B]):
    """Gives what `turn` answers for each item: zero or more items, or None to finish the stream there.

    Items that wait are held, at most `MAX_WAITING` and what the source had already read. Cancelling cancels
    the running call.
    """

    def __init__(self, above: Source[A], turn: Callable[[A], Awaitable[Sequence[B] | None]]) -> None:
        super().__init__(above)
        self._turn = turn
        self._waiting: deque[A] = deque()
        self._terminal: Terminal | None = None  # of the source above
        self._task: asyncio.Task[None] | None = None
        self._wake: asyncio.Future[None] | None = None
        self._paused = False
        self._full = False
        self._cancelled = False
        self._begun = False

    def start(self, sink: Sink[B], /) -> None:
        self._below = sink
        self._above.start(self)
        self._task = asyncio.get_running_loop().create_task(self._run())

    def pause(self) -> None:
        self._paused = True
        self._above.pause()

    def resume(self) -> None:
        self._paused = False
        if not self._full:
            self._above.resume()
        self._stir()

    def cancel(self) -> None:
        if self._over or self._cancelled:
            return
        self._cancelled = True
        self._waiting.clear()
        self._above.cancel()
        if self._task is not None and self._begun and self._wake is None:
            self._task.cancel()  # it is inside the function
        self._stir()

    def push(self, batch: Sequence[A], /) -> None:
        if self._over or self._cancelled:
            return
        self._waiting.extend(batch)
        if len(self._waiting) >= MAX_WAITING and not self._full:
            self._full = True
            self._above.pause()
        self._stir()

    def end(self, terminal: Terminal, /) -> None:
        self._terminal = terminal
        if isinstance(terminal, Cancelled):
            self._waiting.clear()
        self._stir()

    def _stir(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    async def _run(self) -> None:
        self._begun = True
        terminal: Terminal = Cancelled("its task was cancelled")
        try:
            try:
                terminal = await self._each()
            except asyncio.CancelledError:
                if not self._cancelled:
                    raise
                terminal = await self._each()  # nothing waits any more: only for the source to end
        except Exception as error:  # noqa: BLE001 - the function's own fault is the stream's failure
            terminal = failed(error)
        finally:
            self._finish(terminal)
            self._above.cancel()

    async def _each(self) -> Terminal:
        while True:
            if self._waiting and not self._paused:
                out = await self._turn(self._waiting.popleft())
                if out is None:
                    return Finish("stop", raw_reason="TakeWhile")
                self._give(out)
                self._drained()
            elif self._terminal is not None and not self._waiting:
                return self._terminal
            else:
                await self._stirred()

    def _drained(self) -> None:
        if self._full and len(self._waiting) <= MAX_WAITING // 2:
            self._full = False
            if not self._paused:
                self._above.resume()

    async def _stirred(self) -> None:
        self._wake = asyncio.get_running_loop().create_future()
        try:
            await self._wake
        finally:
            self._wake = None
