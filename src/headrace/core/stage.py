"""One shape for everything between two sockets: a batch in, a batch out, no I/O.

A stage never raises on input: it appends one `Failure` to what it already has and goes inert. So a result
never depends on where the bytes were cut. Stages match `Stage` by structure; no room imports another for it.
A terminal (`Finish`, `Failure`, `Cancelled`) is the last thing a stage of chunks ever gives out, and a stage
that meets a `Failure` in its input passes it on and goes inert.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar, overload

I_contra = TypeVar("I_contra", contravariant=True)
O_co = TypeVar("O_co", covariant=True)
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
E = TypeVar("E")


class Stage(Protocol[I_contra, O_co]):
    """Turns a batch of I into a batch of O; keeps what is unfinished."""

    def feed(self, batch: Sequence[I_contra], /) -> Sequence[O_co]:
        """What `batch`, after all that came before, makes complete."""

    def close(self) -> Sequence[O_co]:
        """What was held back, or the failure that says the input was cut. Then the stage is inert."""


class Pipe:
    """Stages one behind the other, which is a stage too."""

    __slots__ = ("stages",)

    def __init__(self, stages: Sequence[Stage[Any, Any]]) -> None:
        self.stages = tuple(stages)

    def feed(self, batch: Sequence[Any]) -> Sequence[Any]:
        for stage in self.stages:
            if not batch:
                return []
            batch = stage.feed(batch)
        return batch

    def close(self) -> Sequence[Any]:
        batch: Sequence[Any] = []
        for stage in self.stages:
            fed = stage.feed(batch) if batch else []
            batch = [*fed, *stage.close()]
        return batch


@overload
def pipe(a: Stage[A, B], /) -> Stage[A, B]: ...
@overload
def pipe(a: Stage[A, B], b: Stage[B, C], /) -> Stage[A, C]: ...
@overload
def pipe(a: Stage[A, B], b: Stage[B, C], c: Stage[C, D], /) -> Stage[A, D]: ...
@overload
def pipe(a: Stage[A, B], b: Stage[B, C], c: Stage[C, D], d: Stage[D, E], /) -> Stage[A, E]: ...
@overload
def pipe(*stages: Stage[Any, Any]) -> Stage[Any, Any]: ...
def pipe(*stages: Stage[Any, Any]) -> Stage[Any, Any]:
    """Put stages one behind the other. The result is a stage: feed it, then close it once."""
    return stages[0] if len(stages) == 1 else Pipe(stages)
