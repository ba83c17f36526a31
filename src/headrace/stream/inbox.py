"""The bounded buffer between a source that pushes and a reader that pulls."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Generic, TypeVar

from headrace.core.chunk import Cancelled, Terminal
from headrace.core.model import Sink, Source
from headrace.stream.push import failed

T = TypeVar("T")


class Inbox(Generic[T]):
    """A sink that keeps what came until it is taken, and pauses its source at `max_buffer` items.

    It holds at most `max_buffer` items plus what the source had already read when it was paused; it resumes
    the source at half of that. It can be handed on, once, as a source for an operator: then nothing is
    buffered any more, and what was held goes first.
    """

    __slots__ = (
        "_below",
        "_closers",
        "_flushed",
        "_high",
        "_loop",
        "_low",
        "_reader",
        "_stopped",
        "items",
        "paused",
        "source",
        "started",
        "terminal",
    )

    def __init__(self, source: Source[T], max_buffer: int) -> None:
        if max_buffer < 1:
            raise ValueError(f"max_buffer must be at least 1, not {max_buffer}")
        self.source = source
        self.items: deque[T] = deque()
        self.terminal: Terminal | None = None
        self.started = False
        self.paused = False
        self._high = max_buffer
        self._low = max_buffer // 2
        self._loop: asyncio.AbstractEventLoop | None = None
        self._reader: asyncio.Future[None] | None = None
        self._closers: list[asyncio.Future[None]] = []
        self._below: Sink[T] | None = None
        self._flushed = False
        self._stopped = False  # by the sink it was handed on to

    # Reader's side

    def begin(self) -> None:
        """Start the source, unless that was done."""
        if not self.started:
            self.started = True
            self._loop = asyncio.get_running_loop()
            try:
                self.source.start(self)
            except Exception as error:  # noqa: BLE001 - the reader gets it, and nobody waits for an end
                self.end(failed(error))

    async def filled(self) -> None:
        """Wait until there is an item or a terminal. One waiter at a time."""
        self.begin()
        while not self.items and self.terminal is None:
            if self._reader is not None:
                raise RuntimeError("another task is reading this stream: use tee() for two readers")
            self._reader = asyncio.get_running_loop().create_future()
            try:
                await self._reader
            finally:
                self._reader = None

    def take(self) -> T:
        """The next item. There must be one."""
        item = self.items.popleft()
        if self.paused and len(self.items) <= self._low:
            self.paused = False
            self.source.resume()
        return item

    def take_all(self) -> list[T]:
        """Everything that is there."""
        batch = list(self.items)
        self.items.clear()
        if self.paused:
            self.paused = False
            self.source.resume()
        return batch

    def close(self) -> bool:
        """Cancel the source and drop what was not read. False where the stream had ended already."""
        self.items.clear()
        if self.terminal is not None:
            return False
        if self.started:
            self.source.cancel()
        else:
            self.started = True
            self.source.cancel()
            self.end(Cancelled("closed before it began"))
        return True

    async def settled(self) -> None:
        """Wait until the source has ended, that is, has freed what it held."""
        while self.terminal is None:
            closer = asyncio.get_running_loop().create_future()
            self._closers.append(closer)
            try:
                await closer
            finally:
                if closer in self._closers:
                    self._closers.remove(closer)

    def abandon(self) -> None:
        """The reader was garbage collected, in whatever thread: cancel from the loop's own."""
        if self.terminal is not None:
            return
        if self._loop is None:
            self.source.cancel()
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.close)

    # Source's side (what pushes here)

    def push(self, batch: Sequence[T], /) -> None:
        if self._flushed and self._below is not None:
            self._below.push(batch)
            return
        self.items.extend(batch)
        if not self.paused and len(self.items) >= self._high:
            self.paused = True
            self.source.pause()
        self._wake_reader()

    def end(self, terminal: Terminal, /) -> None:
        if self.terminal is not None:
            return
        self.terminal = terminal
        if self._flushed and self._below is not None:
            self._below.end(terminal)
        self._wake_reader()
        closers, self._closers = self._closers, []
        for closer in closers:
            if not closer.done():
                closer.set_result(None)

    def _wake_reader(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    # Handed on: a source for an operator

    def start(self, sink: Sink[T], /) -> None:
        if self._below is not None:
            raise RuntimeError("a source is started once")
        self._below = sink
        if self.started:
            asyncio.get_running_loop().call_soon(self._flush)
        else:
            self._flushed = True
            self.begin()

    def _flush(self) -> None:
        self._flushed = True
        if self._below is None:
            return
        batch = list(self.items)
        self.items.clear()
        if batch:
            self._below.push(batch)
        if self.terminal is not None:
            self._below.end(self.terminal)
        elif self.paused and not self._stopped:
            self.resume()

    def pause(self) -> None:
        self._stopped = True
        self.source.pause()

    def resume(self) -> None:
        self._stopped = self.paused = False
        self.source.resume()

    def cancel(self) -> None:
        self.source.cancel()
