"""Threads for plain functions that models call: a thread a call, and never more than a bound in the process.

A thread cannot be stopped. A call that ran out of time or was cancelled leaves its thread to end by itself;
it counts until then, and its result is dropped. The threads are daemons: a function that hangs does not keep
the process.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import Callable
from typing import Any

MAX_THREADS = 64


class NoThread(Exception):
    """As many calls as may be are running."""


class _Count:
    """Threads that run now."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running = 0

    def begin(self) -> None:
        with self._lock:
            if self._running >= MAX_THREADS:
                raise NoThread(f"{self._running} calls of tools are running, and no more may")
            self._running += 1

    def end(self) -> None:
        with self._lock:
            self._running -= 1


_count = _Count()


async def in_thread(call: Callable[[], Any]) -> Any:
    """What `call` returns or raises in a thread of its own, with the caller's context variables.

    Raises: NoThread where `MAX_THREADS` are running in this process.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[tuple[Any, Exception | None]] = loop.create_future()
    context = contextvars.copy_context()

    def settle(returned: Any, error: Exception | None) -> None:
        if not answer.done():  # nobody waits any more where it was cancelled
            answer.set_result((returned, error))

    def run() -> None:
        returned: Any = None
        error: Exception | None = None
        try:
            returned = context.run(call)
        except Exception as raised:  # noqa: BLE001 - it is raised again where the call is awaited
            error = raised
        except BaseException as raised:  # noqa: BLE001 - a tool that exits ends its call, not the process
            error = RuntimeError(f"{type(raised).__name__}: {raised}")
        finally:
            _count.end()
        with contextlib.suppress(RuntimeError):  # the loop was closed in the meantime
            loop.call_soon_threadsafe(settle, returned, error)

    _count.begin()
    try:
        threading.Thread(target=run, name="headrace-tool", daemon=True).start()
    except BaseException:
        _count.end()
        raise
    returned, error = await answer
    if error is not None:
        raise error
    return returned
