"""A virtual clock for asyncio: time jumps to the next timer when nothing else can run.

    from headrace.testing.clock import run_virtual

    def test_it_gives_up_after_a_minute() -> None:
        async def main() -> float:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(60):
                    await asyncio.Event().wait()
            return asyncio.get_running_loop().time()

        assert run_virtual(main()) == 60  # at once, by the wall clock

`asyncio.sleep`, timeouts and everything else on `loop.time()` follow the virtual clock; `time.monotonic()`
does not. While a thread of `run_in_executor` or `to_thread` works, time stands still. Sockets and pipes work,
but their peers live on the wall clock; so does the kernel, where both ends are here: give
`VirtualClockLoop(quiet_s=0.01)` then, and bytes on their way hold the clock.
"""

from __future__ import annotations

import asyncio
import contextvars
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar, TypeVarTuple, Unpack

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

# How long (wall clock) a loop without any timer waits for sockets and threads before it is called stuck.
STUCK_S = 2.0


class _JumpingSelector(selectors.DefaultSelector):
    """Instead of waiting for `timeout` seconds it lets the clock jump by as much."""

    def __init__(self, quiet_s: float) -> None:
        super().__init__()
        self._quiet_s = quiet_s
        self.jump: Callable[[float], None] = lambda seconds: None
        self.busy: Callable[[], bool] = lambda: False
        self.stuck: Callable[[], None] = lambda: None

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready: list[tuple[selectors.SelectorKey, int]] = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None or self.busy():
            ready = super().select(STUCK_S)
            if not ready and not self.busy():
                self.stuck()
            return ready
        ready = super().select(self._quiet_s) if self._quiet_s else ready
        if not ready:
            self.jump(timeout)
        return ready


class VirtualClockLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock begins at 0 and moves only when everything waits for it.

    quiet_s: how long (wall clock) its sockets must be quiet before it moves.
    """

    def __init__(self, *, quiet_s: float = 0.0) -> None:
        self._now_s = 0.0
        self._working = 0
        selector = _JumpingSelector(quiet_s)
        super().__init__(selector)
        selector.jump = self.advance
        selector.busy = lambda: self._working > 0
        selector.stuck = self._stuck
        self._clock_resolution = 1e-9

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._now_s

    def advance(self, seconds: float) -> None:
        """Move the clock on."""
        self._now_s += seconds

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Ts]], T], *args: *Ts
    ) -> asyncio.Future[T]:
        working = super().run_in_executor(executor, func, *args)
        self._working += 1
        working.add_done_callback(self._worked, context=contextvars.Context())
        return working

    def _worked(self, _: object) -> None:
        self._working -= 1

    def _stuck(self) -> None:
        waiting = [task for task in asyncio.all_tasks(self) if not task.done()]
        names = ", ".join(sorted(repr(task.get_coro()) for task in waiting))
        raise RuntimeError(f"stuck: no timer is set and every task waits for another: {names}")


def run_virtual(main: Coroutine[Any, Any, T]) -> T:
    """`asyncio.run` on a virtual clock. A program that can never go on is a RuntimeError naming its tasks."""
    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        return runner.run(main)
