"""The stream that users hold: a pull stream with every operator as a method.

Each operator takes the stream over and returns a new one; the old one is only good for closing, which closes
the new one too. Nothing runs before the result is read.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, Self, TypeVar, cast, overload

from headrace.core.model import Source
from headrace.core.stage import Stage
from headrace.stream.awaiting import Awaited
from headrace.stream.build import IterableSource, Streamable, as_source
from headrace.stream.combine import Merged, Prefixed
from headrace.stream.pace import Paced
from headrace.stream.pull import MAX_BUFFER, PullStream
from headrace.stream.push import Staged
from headrace.stream.shape import Filter, Map, TakeWhile, Tap, is_async
from headrace.stream.share import SlowBranch, Tee
from headrace.stream.time import Buffered, Timed

T = TypeVar("T")
U = TypeVar("U")


class Stream(PullStream[T]):
    """An async iterator with operators. See `PullStream` for reading, closing and failures."""

    @overload
    def map(self, turn: Callable[[T], Coroutine[Any, Any, U]]) -> Stream[U]: ...
    @overload
    def map(self, turn: Callable[[T], U]) -> Stream[U]: ...
    def map(self, turn: Callable[[T], Any]) -> Stream[Any]:
        """Each item turned into another, by a plain function or a coroutine function (one call at a time)."""
        if is_async(turn):

            async def turned(item: T) -> Sequence[Any]:
                return (await turn(item),)

            return Stream(self._hand_on(lambda source: Awaited(source, turned)))
        return self.through(Map(turn))

    def filter(self, keep: Callable[[T], Any]) -> Self:
        """Only the items that `keep` (plain or a coroutine function) answers with true."""
        return self._kept(keep, Filter(keep), otherwise=())

    def take_while(self, keep: Callable[[T], Any]) -> Self:
        """Items up to the first that `keep` answers with false; then the source is closed."""
        return self._kept(keep, TakeWhile(keep), otherwise=None)

    def prefixed(self, items: Iterable[T]) -> Self:
        """`items` at once, then the stream."""
        return self._like(lambda source: Prefixed(source, items))

    def merge(self, *others: Streamable[T]) -> Self:
        """Items of this and the other streams as they come. The first failure ends all of them."""
        return self._like(lambda source: Merged([source, *map(as_source, others)]))

    def tee(self, count: int = 2, *, max_buffer: int = 64, slow: SlowBranch = "wait") -> tuple[Self, ...]:
        """The stream for `count` readers. Closing one leaves the others; closing all closes the source.

        max_buffer: items held for a reader that is behind (or has not begun). slow: at that bound "wait"
        makes all wait for the slowest, "drop" ends the slow reader's branch with SlowReader.
        """
        shared = self._hand_on(lambda source: Tee(source, count, max_buffer=max_buffer, slow=slow))
        return tuple(self._same(branch, min(max_buffer, self._max_buffer)) for branch in shared.branches)

    def throttle(self, interval_s: float, *, max_backlog: int = 64) -> Self:
        """At most one item each `interval_s` seconds; a full backlog holds the source back."""
        return self._like(lambda source: Paced(source, interval_s, max_backlog=max_backlog))

    def timeout(
        self,
        idle_s: float | None = None,
        *,
        total_s: float | None = None,
        first_s: float | None = None,
    ) -> Self:
        """Fail with StreamTimeoutException (a TimeoutError) where the source takes too long.

        idle_s: seconds between two items, and before the first where `first_s` is not given. total_s: for
        all of them. The clocks stand still while a slow reader holds the source back.
        """
        return self._like(lambda source: Timed(source, idle_s=idle_s, total_s=total_s, first_s=first_s))

    def tap(self, look: Callable[[T], Any]) -> Self:
        """Show each item to `look`. What it raises is counted and logged once, and harms no stream."""
        tap = Tap(look)
        return self._like(lambda source: Staged(source, tap))

    def buffered(self, max_count: int = 10, timeout: float | None = 0.1) -> BufferedStream[T]:
        """Items in lists of up to `max_count`, none waiting longer than `timeout` seconds for its list."""
        return BufferedStream(self, max_count, timeout)

    def through(self, stage: Stage[T, U], *, max_buffer: int = MAX_BUFFER) -> Stream[U]:
        """What `stage` makes of the items. A stage with a true `done` closes the source."""
        return Stream(self._hand_on(lambda source: Staged(source, stage)), max_buffer=max_buffer)

    def _kept(self, keep: Callable[[T], Any], stage: Stage[T, T], otherwise: tuple[()] | None) -> Self:
        """`stage`, or the same with a coroutine function: an item that is not kept gives `otherwise`."""
        if not is_async(keep):
            return self._like(lambda source: Staged(source, stage))

        async def kept(item: T) -> Sequence[T] | None:
            return (item,) if await keep(item) else otherwise

        return self._like(lambda source: Awaited(source, kept))

    def _like(self, make: Callable[[Source[T]], Source[T]]) -> Self:
        return self._same(self._hand_on(make), self._max_buffer)

    def _same(self, source: Source[T], max_buffer: int) -> Self:
        return type(self)(source, max_buffer=max_buffer)


class BufferedStream(Stream[list[T]]):
    """Items of `base` in lists: `max_count` at a time, or what is there `timeout` seconds after the first.

    A quiet source does not end the stream and gives no empty list. A failure comes after the last partial
    list. timeout: None waits for the count or the end.
    """

    def __init__(self, base: Streamable[T], max_count: int = 10, timeout: float | None = 0.1) -> None:
        chunks = isinstance(base, PullStream) and base.terminals

        def listed(source: Source[T]) -> Buffered[T]:
            return Buffered(source, max_count, timeout, keep_finish=chunks)

        lists = base._hand_on(listed) if isinstance(base, PullStream) else listed(as_source(base))
        super().__init__(lists, max_buffer=max(1, MAX_BUFFER // max_count))

    def _same(self, source: Source[list[T]], max_buffer: int) -> Self:
        # Operators on the lists give plain streams of lists, which are used in the same way.
        return cast(Self, Stream(source, max_buffer=max_buffer))


def from_iterable(items: Streamable[T], *, max_buffer: int = MAX_BUFFER) -> Stream[T]:
    """A stream of the items of any iterable, sync or async. Closing it closes the iterable."""
    return Stream(as_source(items), max_buffer=max_buffer)


def from_source(source: Source[T], *, max_buffer: int = MAX_BUFFER) -> Stream[T]:
    """A stream that reads `source`."""
    return Stream(source, max_buffer=max_buffer)


def of(*items: T) -> Stream[T]:
    """A stream of these items."""
    return Stream(IterableSource(items))


def empty() -> Stream[Any]:
    """A stream that ends at once."""
    return Stream(IterableSource(()))


@overload
def merge() -> Stream[Any]: ...
@overload
def merge(*streams: Streamable[T]) -> Stream[T]: ...
def merge(*streams: Streamable[Any]) -> Stream[Any]:
    """Items of all `streams` as they come, fairly. The first failure ends all of them."""
    return Stream(Merged([as_source(one) for one in streams]))


def tee(
    stream: Streamable[T], count: int = 2, *, max_buffer: int = 64, slow: SlowBranch = "wait"
) -> tuple[Stream[T], ...]:
    """`stream` for `count` readers: see `Stream.tee`."""
    return from_iterable(stream).tee(count, max_buffer=max_buffer, slow=slow)


def through(stream: Streamable[T], stage: Stage[T, U]) -> Stream[U]:
    """What `stage` makes of the items of `stream`."""
    return from_iterable(stream).through(stage)
