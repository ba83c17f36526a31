"""Where streams come from: iterables of every kind, and sources."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Generator, Iterable, Iterator
from itertools import islice
from typing import Any, Generic, TypeAlias, TypeVar, cast

from headrace.core.chunk import TERMINALS, Cancelled, Finish, Terminal
from headrace.core.model import Sink, Source
from headrace.stream.pull import PullStream
from headrace.stream.push import failed

T = TypeVar("T")
Streamable: TypeAlias = "PullStream[T] | Source[T] | AsyncIterable[T] | Iterable[T]"

# What a list gives in one turn of the loop: enough to be fast, few enough to be fair.
TURN_ITEMS = 64


class IterableSource(Generic[T]):
    """Pushes the items of any iterable, in one task for the whole stream.

    A chunk that is a terminal ends the stream there; running out is `Finish`. What the iterable raises is the
    stream's failure. While paused, nothing is asked of the iterable. Cancelling cancels the task where it
    waits, then closes the iterable: its `finally` blocks have run when the end is told.
    """

    def __init__(self, items: AsyncIterable[T] | Iterable[T]) -> None:
        self._items = items
        self._sink: Sink[T] | None = None
        self._task: asyncio.Task[None] | None = None
        self._begun = False
        self._cancelled = False
        self._go: asyncio.Future[None] | None = None
        self._paused = False

    def start(self, sink: Sink[T], /) -> None:
        if self._task is not None:
            raise RuntimeError("a source is started once")
        self._sink = sink
        self._task = asyncio.get_running_loop().create_task(self._run(sink))

    def pause(self) -> None:
        self._paused = True

    def resume(self) -> None:
        self._paused = False
        if self._go is not None and not self._go.done():
            self._go.set_result(None)

    def cancel(self) -> None:
        if self._cancelled:
            return
        self._cancelled = True
        # A task cancelled before its first step never runs: it looks at the flag by itself.
        if self._task is not None and self._begun:
            self._task.cancel()

    async def _run(self, sink: Sink[T]) -> None:
        self._begun = True
        terminal: Terminal = Cancelled("the event loop was shut down")
        try:
            try:
                terminal = await self._all(sink)
            finally:
                await _close(self._items)
        except asyncio.CancelledError:
            terminal = Cancelled("cancelled by the reader" if self._cancelled else "its task was cancelled")
            if not self._cancelled:
                raise
        except Exception as error:  # noqa: BLE001 - whatever the iterable raises is the stream's failure
            terminal = failed(error)
        finally:
            sink.end(terminal)

    async def _all(self, sink: Sink[T]) -> Terminal:
        if self._cancelled:
            return Cancelled("cancelled before it began")
        if isinstance(self._items, AsyncIterable):
            return await self._asynchronous(self._items, sink)
        return await self._synchronous(self._items, sink)

    async def _asynchronous(self, items: AsyncIterable[T], sink: Sink[T]) -> Terminal:
        async for item in items:
            if isinstance(item, TERMINALS):
                return item
            sink.push((item,))
            if self._paused:
                await self._resumed()
            if self._cancelled:  # by the sink, or the iterable swallowed the cancellation
                return Cancelled("cancelled by the reader")
        return Finish()

    async def _synchronous(self, items: Iterable[T], sink: Sink[T]) -> Terminal:
        # A container has its items ready; anything else may take its time, or raise, at each.
        turn = TURN_ITEMS if isinstance(items, (list, tuple, set, frozenset, dict, range)) else 1
        iterator: Iterator[T] = iter(items)
        try:
            while batch := list(islice(iterator, turn)):
                for at, item in enumerate(batch):
                    if isinstance(item, TERMINALS):
                        if at:
                            sink.push(batch[:at])
                        return item
                sink.push(batch)
                await (self._resumed() if self._paused else asyncio.sleep(0))
                if self._cancelled:
                    return Cancelled("cancelled by the reader")
            return Finish()
        finally:
            if isinstance(iterator, Generator):
                iterator.close()

    async def _resumed(self) -> None:
        while self._paused:
            self._go = asyncio.get_running_loop().create_future()
            try:
                await self._go
            finally:
                self._go = None


async def _close(items: Any) -> None:
    if hasattr(items, "aclose"):
        await items.aclose()


def as_source(items: Streamable[T]) -> Source[T]:
    """Anything that gives items, as a source. A stream that is given is handed over: read the result."""
    if isinstance(items, PullStream):
        return items.release()
    if hasattr(items, "start") and hasattr(items, "cancel"):
        return cast("Source[T]", items)
    if isinstance(items, (AsyncIterable, Iterable)):
        return IterableSource(items)
    raise TypeError(f"expected a stream, a source or an iterable, not {type(items).__name__}")
