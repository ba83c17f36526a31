"""The pull face: a source as `async for`, through one small bounded buffer and no task."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Generic, NoReturn, Self, TypeVar, cast

from headrace.core.chunk import Cancelled, Failure
from headrace.core.model import Source
from headrace.errors import StreamCancelledException
from headrace.stream.inbox import Inbox
from headrace.stream.push import Raised

T = TypeVar("T")
U = TypeVar("U")
# Items a stream buffers before it pauses its source.
MAX_BUFFER = 256


class PullStream(Generic[T]):
    """An async iterator over a source, owned by one reader.

    Nothing begins before the first read; `await stream.start()` begins at once. The source is paused while
    `max_buffer` items wait to be read, so a slow reader slows the source.

    The stream owns its source. It is cancelled by `aclose` (from any task and any state), at the end of
    `async with stream`, when a task that waits for the next item is cancelled, and when the stream is garbage
    collected. After `await aclose()` the source has freed what it held. So a timeout around one read ends
    the whole stream; `timeout()` and `buffered()` of `Stream` wait without that.

    A failure is raised after everything that came before it was read; then iteration is over. With
    `terminals` (streams of chunks) `Finish` or `Cancelled` is the last item; without, a stream that somebody
    else cancelled raises StreamCancelledException, so that half a stream is never taken for a whole one.
    """

    # Chunk streams give their terminal out as the last item.
    terminals = False

    def __init__(self, source: Source[T], *, max_buffer: int = MAX_BUFFER) -> None:
        self._inbox: Inbox[T] = Inbox(source, max_buffer)
        self._max_buffer = max_buffer
        self._closed = False  # by its own reader
        self._over = False  # the terminal was told
        self._handed = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        inbox = self._inbox
        if self._over or self._closed or self._handed:
            self._refuse()
        if not inbox.items:
            await self._fill()
            if not inbox.items:
                return self._last()
        return inbox.take()

    def batches(self) -> Batches[T]:
        """The same items in lists: what arrived together is read together."""
        return Batches(self)

    async def start(self) -> Self:
        """Begin now, and wait for the first sign of life.

        Raises the stream's failure where it fails before its first item, so that a refused key or a full
        provider is known before anything is read.
        """
        if not (self._over or self._closed):
            if self._handed:
                self._refuse()
            await self._fill()
            if not self._inbox.items and isinstance(self._inbox.terminal, Failure):
                self._last()
        return self

    async def aclose(self) -> None:
        """Cancel the source, and wait until it has freed what it held. From any state, any number of times.

        Raises what the source's own clean-up raised, once.
        """
        cut_short = not self._closed and self._inbox.close()
        self._closed = True
        await self._inbox.settled()
        if cut_short and isinstance(self._inbox.terminal, Raised):
            raise self._inbox.terminal.exception

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __del__(self) -> None:
        if not getattr(self, "_handed", True) and not self._closed:
            self._inbox.abandon()

    def release(self) -> Source[T]:
        """What remains of this stream, as a source for an operator. Closing this stream still cancels it."""
        return self._hand_on(lambda source: source)

    def _hand_on(self, make: Callable[[Source[T]], U]) -> U:
        """What `make` builds on the rest of this stream; where it raises, the stream stays as it was."""
        if self._over or self._closed or self._handed:
            self._refuse(ended="this stream has ended: there is nothing left to hand on")
        made = make(self._inbox)
        self._handed = True
        return made

    def _require_unread(self) -> None:
        """Raise where nothing is left to gather: an empty whole would look like an empty answer."""
        if self._over or self._closed:
            raise RuntimeError("this stream was read or closed before: what it gave is gone")

    async def _fill(self) -> None:
        try:
            await self._inbox.filled()
        except BaseException as error:
            if not isinstance(error, RuntimeError):  # a second reader is refused; the first one goes on
                self._closed = True
                self._inbox.close()
            raise

    def _last(self) -> T:
        """The end of the stream, told once."""
        self._over = True
        terminal = self._inbox.terminal
        if isinstance(terminal, Raised):
            raise terminal.exception
        if isinstance(terminal, Failure):
            raise terminal.error()
        if self.terminals:
            return cast(T, terminal)
        if isinstance(terminal, Cancelled) and not self._closed:
            raise StreamCancelledException(terminal.why or "the stream was cancelled")
        raise StopAsyncIteration

    def _refuse(self, ended: str = "") -> NoReturn:
        if self._handed:
            raise RuntimeError("this stream was handed on to an operator: read what the operator returned")
        if ended:
            raise RuntimeError(ended)
        raise StopAsyncIteration


class Batches(Generic[T]):
    """A stream read in lists. It shares the stream: closing either closes both."""

    def __init__(self, stream: PullStream[T]) -> None:
        self._stream = stream

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[T]:
        first = await anext(self._stream)
        inbox = self._stream._inbox
        return [first, *inbox.take_all()] if inbox.items else [first]

    async def aclose(self) -> None:
        await self._stream.aclose()
