"""Operators that watch the clock: time limits and batches."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from typing import TypeVar

from headrace.core.chunk import Cancelled, Failure, Finish, Terminal
from headrace.core.model import Sink, Source
from headrace.errors import StreamTimeoutException
from headrace.stream.push import Node

T = TypeVar("T")
_RAN_OUT = {"idle": "nothing came for", "first_token": "no first item in", "total": "not complete in"}


class Timed(Node[T, T]):
    """Ends the stream with a StreamTimeoutException when the source takes too long.

    idle_s: between two items, and before the first where `first_s` is not given. first_s: from the start to
    the first item that `counts` (any, where not given). total_s: for the whole. None sets no limit.
    A slow reader is not a slow source: while the reader holds the source back, the clocks stand still.
    The source is cancelled and not waited for, so a source that hangs is timed out on time.
    """

    def __init__(
        self,
        above: Source[T],
        *,
        idle_s: float | None = None,
        total_s: float | None = None,
        first_s: float | None = None,
        counts: Callable[[T], object] | None = None,
    ) -> None:
        for limit in (idle_s, total_s, first_s):
            if limit is not None and not limit > 0:
                raise ValueError(f"a time limit is more than 0 seconds, not {limit}")
        super().__init__(above)
        self._idle_s, self._total_s, self._first_s = idle_s, total_s, first_s
        self._counts = counts
        self._began_s = 0.0
        self._last_s = 0.0
        self._waiting = True  # for the first item that counts
        self._paused_s: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def start(self, sink: Sink[T], /) -> None:
        self._began_s = self._last_s = asyncio.get_running_loop().time()
        super().start(sink)
        self._arm()

    def pause(self) -> None:
        if self._paused_s is None:
            self._paused_s = asyncio.get_running_loop().time()
        self._free()
        self._above.pause()

    def resume(self) -> None:
        if self._paused_s is not None:
            stood_s = asyncio.get_running_loop().time() - self._paused_s
            self._paused_s = None
            self._began_s += stood_s
            self._last_s += stood_s
            self._arm()
        self._above.resume()

    def push(self, batch: Sequence[T], /) -> None:
        if self._over:
            return
        # No timer is touched here: the one that is set looks at this when it fires.
        self._last_s = asyncio.get_running_loop().time()
        if self._waiting and (self._counts is None or any(map(self._counts, batch))):
            self._waiting = False
            self._free()  # except once: the idle limit may be nearer than the one for the first item
            self._arm()
        self._give(batch)

    def _next(self) -> tuple[float, str, float]:
        """The nearest limit: when it runs out, its name, and its length."""
        found = [(math.inf, "", math.inf)]
        first_s = self._first_s if self._waiting else None
        if first_s is not None:
            found.append((self._began_s + first_s, "first_token", first_s))
        elif self._idle_s is not None:
            found.append((self._last_s + self._idle_s, "idle", self._idle_s))
        if self._total_s is not None:
            found.append((self._began_s + self._total_s, "total", self._total_s))
        return min(found)

    def _arm(self) -> None:
        when_s, _, _ = self._next()
        if when_s < math.inf and not self._over and self._paused_s is None:
            self._timer = asyncio.get_running_loop().call_at(when_s, self._ring)

    def _ring(self) -> None:
        self._timer = None
        loop = asyncio.get_running_loop()
        when_s, code, limit_s = self._next()
        if when_s > loop.time() + 1e-9:
            self._arm()
            return
        what = {
            "idle": "nothing came for",
            "first_token": "nothing came in the first",
            "total": "not done in",
        }
        error = StreamTimeoutException(f"{what[code]} {limit_s:g} s", code=code)
        self._stop(Failure.of(error))

    def _free(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Buffered(Node[T, list[T]]):
    """Items in lists: when `max_count` are there, or `timeout_s` after the first of them came.

    A quiet source gives no empty list and does not end the stream. The end, or the failure, comes after the
    last partial list. timeout_s: None waits for the count or the end.
    keep_finish: put the `Finish` into the last list (for streams of chunks).
    """

    def __init__(
        self, above: Source[T], max_count: int, timeout_s: float | None, *, keep_finish: bool = False
    ) -> None:
        if max_count < 1 or (timeout_s is not None and timeout_s < 0):
            raise ValueError("a batch holds at least 1 item and waits at least 0 seconds")
        super().__init__(above)
        self._max_count = max_count
        self._timeout_s = timeout_s
        self._keep_finish = keep_finish
        self._held: list[T] = []
        self._timer: asyncio.TimerHandle | None = None

    def push(self, batch: Sequence[T], /) -> None:
        if self._over:
            return
        self._held.extend(batch)
        if len(self._held) >= self._max_count:
            self._drop_timer()
            whole = len(self._held) - len(self._held) % self._max_count
            out = [self._held[at : at + self._max_count] for at in range(0, whole, self._max_count)]
            self._held = self._held[whole:]
            self._give(out)
        if self._held and self._timer is None and self._timeout_s is not None and not self._over:
            self._timer = asyncio.get_running_loop().call_later(self._timeout_s, self._flush)

    def end(self, terminal: Terminal, /) -> None:
        if self._over:
            return
        if isinstance(terminal, Finish) and self._keep_finish:
            self._held.append(terminal)  # type: ignore[arg-type]
        if not isinstance(terminal, Cancelled):
            self._flush()
        self._finish(terminal)

    def _flush(self) -> None:
        self._drop_timer()
        held, self._held = self._held, []
        if held:
            self._give([held])

    def _drop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _free(self) -> None:
        self._drop_timer()
        self._held.clear()
