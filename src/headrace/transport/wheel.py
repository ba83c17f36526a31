"""One coarse timer for every deadline of a loop: long clocks cost no timer of their own.

A deadline is filed under its tick (50 ms). It never fires early and at most one tick plus the loop's own
delay late. One that is far off is filed under a coarse tick before it, and filed again when that comes: most
are cancelled long before, and the places of an hour's ticks would each be held for that hour. Whoever moves a
deadline often (an idle clock) does not move the handle: it notes the time, and when called back files itself
again for what is left.
"""

from __future__ import annotations

import asyncio
import heapq
import math
from collections.abc import Callable

TICK_S = 0.05
_FAR_S = 60.0
_FAR_TICKS = 400  # 20 s


class Deadline:
    """A filed callback. `when_s` is in the loop's time."""

    __slots__ = ("_bucket", "_callback", "when_s")

    def __init__(self, when_s: float, callback: Callable[[], None], bucket: set[Deadline]) -> None:
        self.when_s = when_s
        self._callback: Callable[[], None] | None = callback
        self.file(bucket)

    def file(self, bucket: set[Deadline]) -> None:
        """It stands there from now on, unless it was cancelled."""
        if self._callback is not None:
            self._bucket = bucket
            bucket.add(self)

    def cancel(self) -> None:
        """Never call back; does nothing when it has."""
        self._callback = None
        self._bucket.discard(self)

    def fire(self) -> None:
        """Call back, unless cancelled in the meantime (by another callback of the same tick)."""
        callback, self._callback = self._callback, None
        if callback is not None:
            callback()


class Wheel:
    """All deadlines of one loop, behind one timer.

    now_s: the loop's monotonic time, which `at` is measured in (the loop's own method: it is called a lot).
    """

    __slots__ = ("_buckets", "_loop", "_ticks", "_timer", "now_s")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.now_s: Callable[[], float] = loop.time
        self._buckets: dict[int, set[Deadline]] = {}
        self._ticks: list[int] = []  # heap of the buckets' keys
        self._timer: asyncio.TimerHandle | None = None

    def at(self, when_s: float, callback: Callable[[], None]) -> Deadline:
        """Call `callback` once, at `when_s` or up to a tick later. It must not raise."""
        return Deadline(when_s, callback, self._bucket(when_s))

    def after(self, delay_s: float, callback: Callable[[], None]) -> Deadline:
        """`at`, counted from now."""
        return self.at(self._loop.time() + delay_s, callback)

    def close(self) -> None:
        """Forget every deadline."""
        self._buckets.clear()
        self._ticks.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def __len__(self) -> int:
        return sum(map(len, self._buckets.values()))

    def _bucket(self, when_s: float) -> set[Deadline]:
        """Where a deadline of that time stands now."""
        tick = math.ceil(when_s / TICK_S)
        if when_s - self._loop.time() > _FAR_S:
            tick -= tick % _FAR_TICKS
        bucket = self._buckets.get(tick)
        if bucket is None:
            bucket = self._buckets[tick] = set()
            heapq.heappush(self._ticks, tick)
            if self._ticks[0] == tick:
                self._arm()
        return bucket

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._ticks[0] * TICK_S, self._turn) if self._ticks else None

    def _turn(self) -> None:
        self._timer = None
        now_s = self._loop.time()
        # A loop may call a timer a clock resolution early: such a tick is armed again, not fired.
        due: list[Deadline] = []
        while self._ticks and self._ticks[0] * TICK_S <= now_s:
            bucket = self._buckets.pop(heapq.heappop(self._ticks))
            due += bucket
            bucket.clear()  # its deadlines know it: else only the garbage collector would free them
        self._arm()
        for deadline in sorted(due, key=lambda each: each.when_s):
            if deadline.when_s > now_s:  # it was far off
                deadline.file(self._bucket(deadline.when_s))
            else:
                deadline.fire()
