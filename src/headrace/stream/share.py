"""One stream for several readers."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Generic, Literal, TypeAlias, TypeVar

from headrace.core.chunk import Cancelled, Failure, Terminal
from headrace.core.model import Sink, Source
from headrace.errors import SlowReader

T = TypeVar("T")
SlowBranch: TypeAlias = Literal["wait", "drop"]


class Branch(Generic[T]):
    """What one reader of a shared stream gets. A source like any other."""

    def __init__(self, tee: Tee[T]) -> None:
        self._tee = tee
        self._below: Sink[T] | None = None
        self._flowing = False  # started, and what was held may go
        self._told = False
        self._cancelled = False
        self.held: deque[T] = deque()
        self.paused = False
        self.deaf = False  # cancelled or dropped: takes nothing more
        self.terminal: Terminal | None = None

    def start(self, sink: Sink[T], /) -> None:
        self._below = sink
        asyncio.get_running_loop().call_soon(self._flush)
        self._tee.begin()

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False
        if self._flowing:
            self._flush()

    def cancel(self) -> None:
        if self._told or self._cancelled:
            return
        self._cancelled = self.deaf = True
        self.held.clear()
        if self.terminal is not None or not self._tee.left():
            self._tell(Cancelled("this branch was closed"))
        # Otherwise it was the last one: it ends when the source has.

    def took(self, batch: Sequence[T]) -> None:
        """The source pushed."""
        if self._flowing and not self.paused and not self.held and self._below is not None:
            self._below.push(batch)
        else:
            self.held.extend(batch)

    def ended(self, terminal: Terminal) -> None:
        """The source ended, or this reader was dropped: what is held still goes first."""
        if self.terminal is None:
            self.terminal = terminal
            if self._flowing or self._cancelled:
                self._flush()

    def _flush(self) -> None:
        self._flowing = True
        if self._below is None:
            return
        if self.held and not self.paused:
            batch = list(self.held)
            self.held.clear()
            self._below.push(batch)
            self._tee.drained()
        if self.terminal is not None and not self.held:
            self._tell(self.terminal)

    def _tell(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self._told = True
        below, self._below = self._below, None
        if below is not None:
            below.end(terminal)


class Tee(Generic[T]):
    """Gives every item of one source to each of `branches`; starts it when the first of them is read.

    A branch holds at most `max_buffer` items (plus what the source had already read) for a reader that is
    behind or has not begun. When it is full, "wait" pauses the source, so the slowest reader sets the pace
    for all; "drop" ends that branch with SlowReader after what it holds, and the others go on. A branch that
    is closed leaves the others; closing the last one cancels the source.
    """

    def __init__(
        self, source: Source[T], count: int, *, max_buffer: int = 64, slow: SlowBranch = "wait"
    ) -> None:
        if count < 1 or max_buffer < 1:
            raise ValueError("a tee needs at least one branch and a buffer of at least one item")
        if slow not in ("wait", "drop"):
            raise ValueError(f"slow must be 'wait' or 'drop', not {slow!r}")
        self._source = source
        self._max_buffer = max_buffer
        self._slow = slow
        self._begun = False
        self._paused = False
        self._over = False
        self.branches = tuple(Branch(self) for _ in range(count))

    def begin(self) -> None:
        """The first reader is there."""
        if not self._begun:
            self._begun = True
            self._source.start(self)

    def left(self) -> bool:
        """A reader closed its branch. True where it was the last and the source's end is still to come."""
        if any(not one.deaf for one in self.branches):
            self.drained()
            return False
        self._source.cancel()
        return self._begun and not self._over

    def drained(self) -> None:
        """A branch has room again, or is gone."""
        if self._paused and not any(self._full(one) for one in self.branches):
            self._paused = False
            self._source.resume()

    def _full(self, branch: Branch[T]) -> bool:
        return not branch.deaf and len(branch.held) >= self._max_buffer

    # The source's side

    def push(self, batch: Sequence[T], /) -> None:
        for branch in self.branches:
            if branch.deaf:
                continue
            branch.took(batch)
            if not self._full(branch):
                continue
            if self._slow == "drop":
                self._drop(branch)
            elif not self._paused:
                self._paused = True
                self._source.pause()

    def end(self, terminal: Terminal, /) -> None:
        self._over = True
        for branch in self.branches:
            branch.ended(terminal)

    def _drop(self, branch: Branch[T]) -> None:
        held = f"{len(branch.held)} items behind, the bound is {self._max_buffer}"
        branch.deaf = True
        branch.ended(Failure.of(SlowReader(f"this branch of the stream was dropped: {held}")))
        if all(one.deaf for one in self.branches):
            self._source.cancel()
