"""Pacing: items at intervals, for a reader's eye or ear. No task and no sleep, one timer at a time."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable, Sequence
from typing import TypeVar

from headrace.core.chunk import Cancelled, Finish, Terminal
from headrace.core.model import Source
from headrace.stream.push import Node

T = TypeVar("T")


class Paced(Node[T, T]):
    """At most one item each `interval_s` seconds; nothing is dropped and the order stays.

    The first item goes at once, and the end comes with the last item: there is no sleep after it. A failure
    is not kept waiting: what is held goes at once, then the failure.

    max_backlog: items held before the source is paused (plus what it had already read).
    max_lag_s: None keeps the interval strictly. Otherwise several items go at a time when more are held than
    this many seconds are good for, so that the reader never falls much further behind.
    counts: which items take an interval; the others go along free. All, where not given.
    """

    def __init__(
        self,
        above: Source[T],
        interval_s: float,
        *,
        max_backlog: int = 64,
        max_lag_s: float | None = None,
        counts: Callable[[T], object] | None = None,
    ) -> None:
        if interval_s < 0 or max_backlog < 1:
            raise ValueError("an interval is at least 0 seconds and a backlog at least 1 item")
        super().__init__(above)
        self._interval_s = interval_s
        self._max_backlog = max_backlog
        # How many items may be held without hurry.
        self._calm = math.inf if max_lag_s is None or not interval_s else max(max_lag_s / interval_s, 1.0)
        self._counts = counts
        self._held: deque[T] = deque()
        self._due_s = -math.inf
        self._timer: asyncio.TimerHandle | None = None
        self._terminal: Terminal | None = None
        self._full = False
        self._paused = False

    def pause(self) -> None:
        self._paused = True
        self._drop_timer()

    def resume(self) -> None:
        self._paused = False
        self._go_on()

    def cancel(self) -> None:
        if self._terminal is None:
            self._above.cancel()
        else:
            self._finish(Cancelled("cancelled by the reader"))

    def push(self, batch: Sequence[T], /) -> None:
        if self._over:
            return
        self._held.extend(batch)
        if len(self._held) >= self._max_backlog and not self._full:
            self._full = True
            self._above.pause()
        self._go_on()

    def end(self, terminal: Terminal, /) -> None:
        self._terminal = terminal
        if isinstance(terminal, Finish) and self._held:
            return  # at the same pace to the end
        if not isinstance(terminal, Cancelled):
            self._give(list(self._held))
        self._finish(terminal)

    def _go_on(self) -> None:
        """Give what is due, and set the timer for the rest."""
        if self._paused or self._over or self._timer is not None:
            return
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        out = self._take(now_s >= self._due_s)
        if out:
            self._give(out)
            if self._full and len(self._held) <= self._max_backlog // 2:
                self._full = False
                self._above.resume()
        if self._held:
            if not self._paused and self._timer is None:
                self._timer = loop.call_at(max(self._due_s, now_s), self._tick)
        elif self._terminal is not None:
            self._finish(self._terminal)

    def _tick(self) -> None:
        self._timer = None
        self._go_on()

    def _take(self, due: bool) -> list[T]:
        """Free items, and where `due` as many others as it is time for."""
        out: list[T] = []
        if not self._interval_s:
            self._held, all_held = deque(), self._held
            return list(all_held)
        left = math.ceil(len(self._held) / self._calm) or 1 if due else 0
        while self._held:
            if self._counts is None or self._counts(self._held[0]):
                if not left:
                    break
                left -= 1
                self._due_s = asyncio.get_running_loop().time() + self._interval_s
            out.append(self._held.popleft())
        return out

    def _drop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _free(self) -> None:
        self._drop_timer()
        self._held.clear()
