"""The one event loop that runs beside synchronous code, in a daemon thread, started on first use."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import threading

_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None
_thread: threading.Thread | None = None


def background_loop() -> asyncio.AbstractEventLoop:
    """The process's background loop, running. All synchronous streams share it and its connections."""
    global _loop, _thread
    with _lock:
        if _loop is None or _loop.is_closed() or _thread is None or not _thread.is_alive():
            _loop = asyncio.new_event_loop()
            _thread = threading.Thread(target=_run, args=(_loop,), name="headrace-sync", daemon=True)
            _thread.start()
        return _loop


def in_background_thread() -> bool:
    """Whether the caller is the background loop's own thread, which must never wait for itself."""
    return _thread is not None and threading.get_ident() == _thread.ident


def stop_background_loop(timeout_s: float = 5.0) -> None:
    """Cancel what still runs and end the thread; the next synchronous stream starts a new one."""
    global _loop, _thread
    with _lock:
        loop, thread = _loop, _thread
        _loop = _thread = None
    if loop is None or thread is None or not thread.is_alive():
        return
    with contextlib.suppress(RuntimeError):  # closed in this very moment
        loop.call_soon_threadsafe(loop.stop)
    thread.join(timeout_s)


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        if tasks:
            loop.run_until_complete(asyncio.wait(tasks, timeout=1.0))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


def _forget() -> None:
    """In a forked child the thread is gone and the loop belongs to the parent."""
    global _loop, _thread, _lock
    _lock = threading.Lock()
    _loop = _thread = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
atexit.register(stop_background_loop)
