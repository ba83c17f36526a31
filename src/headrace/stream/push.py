"""The push pipe: plain calls from a `Source` to a `Sink`, no task, queue or `await` a chunk.

The driver calls `Source.start(sink)` once. The source then calls `sink.push(batch)` as chunks come and
`sink.end(terminal)` exactly once, on the event loop's thread, never from inside `start` itself (so that a
caller can finish wiring up) and never after `end`. `pause` and `resume` are the only flow control: a paused
source may still push what it had already read. `cancel` works from every state, more than once, before the
first chunk too; a cancelled source frees what it holds at once and ends with `Cancelled`. A source that was
never started has nothing to end.

An operator is a `Node`: a sink to the source above it and a source to the sink below it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import msgspec

from headrace.core.chunk import TERMINALS, Cancelled, Failure, Finish, Terminal
from headrace.core.model import Sink, Source
from headrace.core.stage import Stage
from headrace.errors import HeadraceError

__all__ = ["Node", "Raised", "Sink", "Source", "Staged", "failed", "raised"]

A = TypeVar("A")
B = TypeVar("B")


class Raised(Failure, frozen=True, gc=True, dict=True, tag="failure"):
    """A failure that user code raised: like any other as data; the reader gets the exception itself."""

    @property
    def exception(self) -> Exception:
        """What was raised. It is kept beside the fields, so that the failure can still be written as data."""
        error: Exception = self.__dict__["exception"]
        return error


def failed(error: Exception) -> Failure:
    """`error` as the end of a stream: as data where it is one of ours, itself where it is user code's."""
    return Failure.of(error) if isinstance(error, HeadraceError) else raised(error)


def raised(error: Exception) -> Raised:
    """`error` as the end of a stream whose reader gets this very exception."""
    known = Failure.of(error) if isinstance(error, HeadraceError) else None
    if known is None:
        end = Raised("generation", f"{type(error).__name__}: {error}", "generation")
    else:
        end = Raised(**msgspec.structs.asdict(known))
    end.__dict__["exception"] = error
    return end


class Node(Generic[A, B]):
    """What every operator shares: one source above, one sink below, one end.

    A subclass overrides `push`, and `end` where it holds something back. It gives out by `self._give` and
    ends by `self._finish`; after that it is deaf.
    """

    def __init__(self, above: Source[A]) -> None:
        self._above = above
        self._below: Sink[B] | None = None
        self._over = False

    def start(self, sink: Sink[B], /) -> None:
        self._below = sink
        self._above.start(self)

    def pause(self) -> None:
        self._above.pause()

    def resume(self) -> None:
        self._above.resume()

    def cancel(self) -> None:
        self._above.cancel()

    def push(self, batch: Sequence[A], /) -> None:
        raise NotImplementedError

    def end(self, terminal: Terminal, /) -> None:
        self._finish(terminal)

    def _give(self, batch: Sequence[B]) -> None:
        if batch and self._below is not None and not self._over:
            self._below.push(batch)

    def _finish(self, terminal: Terminal) -> None:
        """End once. Frees what the node holds (`_free`) before the sink hears of it."""
        if self._over:
            return
        self._over = True
        self._free()
        if self._below is not None:
            self._below.end(terminal)

    def _stop(self, terminal: Terminal) -> None:
        """End before the source above has: it is cancelled, and nobody waits for it."""
        if not self._over:
            self._finish(terminal)
            self._above.cancel()

    def _free(self) -> None:
        """Drop timers and what was held back. Nothing to drop by default."""


class Staged(Node[A, B]):
    """Runs a stage over a source.

    A stage with a true `done` has had enough: the source above is cancelled and the stream finishes. A
    terminal that the stage gives out is the end. What a stage holds back comes out before a failure, and is
    dropped when the reader itself has cancelled.
    """

    def __init__(self, above: Source[A], stage: Stage[A, B]) -> None:
        super().__init__(above)
        self._stage = stage

    def push(self, batch: Sequence[A], /) -> None:
        if self._over:
            return
        try:
            out = self._stage.feed(batch)
        except Exception as error:  # noqa: BLE001 - becomes the stream's failure; a sink must not raise
            self._stop(failed(error))
            return
        end = self._forward(out)
        if end is not None:
            self._stop(end)
        elif getattr(self._stage, "done", False):
            self._stop(Finish("stop", raw_reason=type(self._stage).__name__))

    def end(self, terminal: Terminal, /) -> None:
        if self._over:
            return
        if not isinstance(terminal, Cancelled):
            try:
                held = self._forward(self._stage.close())
            except Exception as error:  # noqa: BLE001 - as above
                held = failed(error)
            # The first thing that went wrong is the one to tell.
            terminal = held if held is not None and isinstance(terminal, Finish) else terminal
        self._finish(terminal)

    def _forward(self, out: Sequence[Any]) -> Terminal | None:
        """Give `out`, less the terminal it may end in."""
        if not out:
            return None
        last = out[-1]
        if isinstance(last, TERMINALS):
            self._give(out[:-1])
            return last
        self._give(out)
        return None
