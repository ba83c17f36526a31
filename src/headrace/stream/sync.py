"""The synchronous face: a stream as a plain iterator, for scripts, notebooks and threads."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import os
import threading
from collections import deque
from collections.abc import AsyncIterable, Awaitable, Callable, Sequence
from types import TracebackType
from typing import Generic, NoReturn, Self, TypeAlias, TypeVar, cast

from headrace.core.chunk import Cancelled, Failure, Terminal
from headrace.core.model import Source
from headrace.errors import StreamCancelledException
from headrace.stream.build import as_source
from headrace.stream.loop_thread import background_loop, in_background_thread
from headrace.stream.push import Raised, raised

T = TypeVar("T")
Opened: TypeAlias = "AsyncIterable[T] | Source[T]"
MakeStream: TypeAlias = "Callable[[], Opened[T] | Awaitable[Opened[T]]]"

# Where a lock cannot be interrupted by Ctrl-C, the wait for it comes up for air this often.
_WAIT_S = 0.2 if os.name == "nt" else None
# How long closing waits for the source to free what it holds before it goes on without.
CLOSE_S = 5.0


class _Bridge(Generic[T]):
    """The sink in the background loop, and the lock that the reader's thread waits at."""

    def __init__(self, max_buffer: int) -> None:
        self.changed = threading.Condition()
        self.items: deque[T] = deque()
        self.terminal: Terminal | None = None
        self.terminals = False  # the stream gives its terminal out as its last item
        self.loop: asyncio.AbstractEventLoop | None = None
        self._source: Source[T] | None = None
        self._opening: asyncio.Task[None] | None = None
        self._high = max(1, max_buffer // 2)  # the reader takes all that is there, so there are two of these
        self._paused = False
        self._cancelled = False

    # In the reader's thread

    def begin(self, make: MakeStream[T]) -> None:
        self.loop = background_loop()
        self.loop.call_soon_threadsafe(self._open_soon, make, context=contextvars.copy_context())

    def take(self) -> deque[T]:
        """Everything that is there, once there is something; nothing at the end."""
        with self.changed:
            while not self.items and self.terminal is None:
                self.changed.wait(_WAIT_S)
            batch, self.items = self.items, deque()
            held_back = self._paused and self.terminal is None
        if held_back and self.loop is not None:
            self.loop.call_soon_threadsafe(self._resume)
        return batch

    def cancel_soon(self) -> None:
        """From any thread, and from a garbage collector's: takes no lock."""
        if self.loop is not None and self.terminal is None and not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self._cancel)

    def settle(self) -> None:
        with self.changed:
            self.changed.wait_for(lambda: self.terminal is not None, CLOSE_S)

    # In the background loop

    def _open_soon(self, make: MakeStream[T]) -> None:
        self._opening = asyncio.get_running_loop().create_task(self._open(make))

    async def _open(self, make: MakeStream[T]) -> None:
        try:
            made = make()
            stream: Opened[T] = await made if inspect.isawaitable(made) else made
            self.terminals = bool(getattr(stream, "terminals", False))
            source = as_source(stream)
            if not self._cancelled:
                self._source = source
                source.start(self)
                return
            source.cancel()
        except asyncio.CancelledError:
            self.end(Cancelled("closed while it was opened"))
            raise
        except Exception as error:  # noqa: BLE001 - the reader's thread gets it
            self.end(raised(error))
        self.end(Cancelled("closed before it began"))

    def _resume(self) -> None:
        if self._source is not None and self._paused and len(self.items) < self._high:
            self._paused = False
            self._source.resume()

    def _cancel(self) -> None:
        self._cancelled = True
        if self._source is not None:
            self._source.cancel()
        elif self._opening is not None:
            self._opening.cancel()

    def push(self, batch: Sequence[T], /) -> None:
        with self.changed:
            self.items.extend(batch)
            # Under the lock: a reader that empties the buffer now must see that it has to resume.
            pause = len(self.items) >= self._high and not self._paused
            self._paused = self._paused or pause
            self.changed.notify()
        if pause and self._source is not None:
            self._source.pause()

    def end(self, terminal: Terminal, /) -> None:
        with self.changed:
            if self.terminal is None:
                self.terminal = terminal
            self.changed.notify_all()


class SyncStream(Generic[T]):
    """A plain iterator over a stream that runs in the background loop.

    Nothing begins before the first item is asked for. Close it, leave its `with` block, or let go of it, and
    the source is cancelled; so it is when Ctrl-C (or anything else) interrupts the wait for an item. Errors
    are raised where they stand in the stream. One reader at a time, in the process where it began: a fork
    takes the background loop away from the child, where reading on raises RuntimeError.
    """

    def __init__(self, make: MakeStream[T], *, max_buffer: int = 64) -> None:
        self._make = make
        self._bridge: _Bridge[T] = _Bridge(max_buffer)
        self._taken: deque[T] = deque()
        self._begun_in = 0  # the process
        self._over = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        if self._over:
            raise StopIteration
        if self._is_of_parent():
            raise RuntimeError(
                "this synchronous stream began in another process: a forked child opens its own"
            )
        if self._taken:
            return self._taken.popleft()
        if in_background_thread():
            raise RuntimeError("a synchronous stream cannot be read from inside its own event loop")
        try:
            self._begin()
            self._taken = self._bridge.take()
        except BaseException:
            self._over = True
            self._bridge.cancel_soon()
            raise
        return self._taken.popleft() if self._taken else self._last()

    def close(self) -> None:
        """Stop the source and wait (at most 5 seconds) until it has freed what it held."""
        self._taken.clear()
        self._over = True
        if self._begun_in and not self._is_of_parent():
            self._bridge.cancel_soon()
            if not in_background_thread():
                self._bridge.settle()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_begun_in", 0) == os.getpid():
            self._bridge.cancel_soon()

    def _begin(self) -> None:
        if not self._begun_in:
            self._begun_in = os.getpid()
            self._bridge.begin(self._make)

    def _is_of_parent(self) -> bool:
        """Whether it began before a fork: its loop, its locks and its source are not ours."""
        return self._begun_in not in (0, os.getpid())

    def _last(self) -> T:
        self._over = True
        terminal = self._bridge.terminal
        if isinstance(terminal, Failure):
            self._fail(terminal)
        if self._bridge.terminals:
            return cast(T, terminal)
        if isinstance(terminal, Cancelled):
            raise StreamCancelledException(terminal.why or "the stream was cancelled")
        raise StopIteration

    def _fail(self, failure: Failure) -> NoReturn:
        if isinstance(failure, Raised):
            raise failure.exception
        raise failure.error()


def iterate_sync(make: MakeStream[T], *, max_buffer: int = 64) -> SyncStream[T]:
    """A plain iterator over what `make` opens: an async iterable, a stream or a source, awaited if need be.

    make: called in the background loop, with the caller's context variables, at the first read. Works with
    and without an event loop in the caller's thread. max_buffer: items read ahead of the reader.
    """
    return SyncStream(make, max_buffer=max_buffer)
