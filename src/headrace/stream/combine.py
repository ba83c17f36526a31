"""Several streams into one, and items put before a stream."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Generic, TypeVar

from headrace.core.chunk import Cancelled, Failure, Finish, Terminal
from headrace.core.model import Sink, Source
from headrace.stream.push import Node, failed

T = TypeVar("T")


class Prefixed(Node[T, T]):
    """`items` at once, without waiting for the source, then the source."""

    def __init__(self, above: Source[T], items: Iterable[T]) -> None:
        super().__init__(above)
        self._items: list[T] = list(items)
        self._handle: asyncio.Handle | None = None

    def start(self, sink: Sink[T], /) -> None:
        self._below = sink
        self._handle = asyncio.get_running_loop().call_soon(self._before)
        self._above.start(self)

    def push(self, batch: Sequence[T], /) -> None:
        self._before()
        self._give(batch)

    def end(self, terminal: Terminal, /) -> None:
        if not isinstance(terminal, Cancelled):
            self._before()
        self._finish(terminal)

    def _before(self) -> None:
        items, self._items = self._items, []
        self._give(items)

    def _free(self) -> None:
        if self._handle is not None:
            self._handle.cancel()


class _Input(Generic[T]):
    """The sink of one of the merged sources."""

    def __init__(self, merged: Merged[T], source: Source[T]) -> None:
        self.merged = merged
        self.source = source
        self.open = True

    def push(self, batch: Sequence[T], /) -> None:
        self.merged.took(batch)

    def end(self, terminal: Terminal, /) -> None:
        self.open = False
        self.merged.ended(terminal)


class Merged(Generic[T]):
    """Items of all `sources` as they come; ends when the last of them has.

    Nothing is held here: when the reader is slow all sources are paused, and they are resumed in turn, so
    that a fast one does not starve the others. The first failure ends the whole and cancels the rest. A
    source that somebody cancelled just leaves; when all were cancelled, so is the whole.
    """

    def __init__(self, sources: Iterable[Source[T]]) -> None:
        self._inputs = [_Input(self, source) for source in sources]
        self._below: Sink[T] | None = None
        self._over = False
        self._paused = False
        self._first = 0  # who is resumed first next time
        self._terminal: Terminal | None = None  # of those that ended well

    def start(self, sink: Sink[T], /) -> None:
        self._below = sink
        if not self._inputs:
            asyncio.get_running_loop().call_soon(partial(self._finish, Finish()))
        for one in self._inputs:
            if self._over:
                break
            try:
                one.source.start(one)
            except Exception as error:  # noqa: BLE001 - the failure of one is the failure of all
                one.end(failed(error))

    def pause(self) -> None:
        self._paused = True
        for one in self._inputs:
            if one.open:
                one.source.pause()

    def resume(self) -> None:
        self._paused = False
        self._first += 1
        turn = self._first % len(self._inputs) if self._inputs else 0
        for one in self._inputs[turn:] + self._inputs[:turn]:
            if one.open and not self._paused:  # what resumed may have filled the reader's buffer at once
                one.source.resume()

    def cancel(self) -> None:
        for one in self._inputs:
            if one.open:
                one.source.cancel()

    def took(self, batch: Sequence[T]) -> None:
        """A source pushed."""
        if self._below is not None and not self._over:
            self._below.push(batch)

    def ended(self, terminal: Terminal) -> None:
        """A source ended."""
        if self._over:
            return
        if isinstance(terminal, Failure):
            self._finish(terminal)
            self.cancel()
            return
        if self._terminal is None or isinstance(terminal, Finish):
            self._terminal = terminal
        if not any(one.open for one in self._inputs):
            self._finish(self._terminal)

    def _finish(self, terminal: Terminal) -> None:
        if not self._over and self._below is not None:
            self._over = True
            self._below.end(terminal)
