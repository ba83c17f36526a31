"""Stages that map, choose, put before, cut off and look: no clock, any T."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar

from headrace.core.chunk import TERMINALS, Failure
from headrace.stream.push import failed

T = TypeVar("T")
U = TypeVar("U")

log = logging.getLogger("headrace.stream")


def is_async(function: Callable[..., Any]) -> bool:
    """Whether calling `function` gives something to await."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004 - an object with an async __call__
    )


class _Inert(Generic[T, U]):
    """What the stages here share: items through `_one`, deaf after `close`, a failure or enough."""

    def __init__(self) -> None:
        self.done = False  # tells the driver that no more input is wanted

    def feed(self, batch: Sequence[T]) -> list[Any]:
        out: list[Any] = []
        for item in batch:
            if self.done:
                break
            if isinstance(item, TERMINALS):
                self.done = True
                out.append(item)
                break
            try:
                self._one(item, out)
            except Exception as error:  # noqa: BLE001 - user code; a stage never raises on input
                self.done = True
                out.append(failed(error))
        return out

    def close(self) -> list[Any]:
        self.done = True
        return []

    def _one(self, item: T, out: list[Any]) -> None:
        raise NotImplementedError


class Map(_Inert[T, U]):
    """Each item turned into another."""

    def __init__(self, turn: Callable[[T], U]) -> None:
        super().__init__()
        self._turn = turn

    def _one(self, item: T, out: list[Any]) -> None:
        out.append(self._turn(item))


class Filter(_Inert[T, T]):
    """Only the items that `keep` answers with true."""

    def __init__(self, keep: Callable[[T], Any]) -> None:
        super().__init__()
        self._keep = keep

    def _one(self, item: T, out: list[Any]) -> None:
        if self._keep(item):
            out.append(item)


class TakeWhile(_Inert[T, T]):
    """Items up to the first that `keep` answers with false; that one is dropped and the source closed."""

    def __init__(self, keep: Callable[[T], Any]) -> None:
        super().__init__()
        self._keep = keep

    def _one(self, item: T, out: list[Any]) -> None:
        if self._keep(item):
            out.append(item)
        else:
            self.done = True


class Prefix(_Inert[T, T]):
    """`items` before everything else; given at the first feed, or at the close of an empty stream."""

    def __init__(self, items: Iterable[T]) -> None:
        super().__init__()
        self._items: list[T] = list(items)

    def feed(self, batch: Sequence[T]) -> list[Any]:
        if self.done:
            return []
        first, self._items = self._items, []
        return first + super().feed(batch)

    def close(self) -> list[Any]:
        first, self._items = self._items, []
        return ([] if self.done else first) + super().close()

    def _one(self, item: T, out: list[Any]) -> None:
        out.append(item)


class Tap(Generic[T]):
    """Shows each item to `look` and passes it on, whatever happens there.

    errors: how often `look` raised. The first time is logged with its trace, the rest are only counted.
    """

    def __init__(self, look: Callable[[T], Any]) -> None:
        if is_async(look):
            raise TypeError("a tap only looks: give it a plain function, not a coroutine function")
        self._look = look
        self._over = False
        self.errors = 0

    def feed(self, batch: Sequence[T]) -> Sequence[T]:
        if self._over:
            return []
        for item in batch:
            self.show(item)
        self._over = isinstance(batch[-1], Failure) if batch else False
        return batch

    def close(self) -> Sequence[T]:
        self._over = True
        return []

    def show(self, item: T) -> None:
        """Let `look` see one item."""
        try:
            self._look(item)
        except Exception:
            self.errors += 1
            if self.errors == 1:
                log.exception("an observer raised; the stream goes on, further errors are only counted")
