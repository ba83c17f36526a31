"""What a local engine must offer to live in a worker process.

An engine is named by its place, such as `headrace.runners.llama:LlamaEngine`, so the worker stays free of
any engine's imports and a new engine is one file. The parent never imports it either: it sends a `job`
(plain data that the engine's own planner made from a `Request`) and gets chunks back.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from importlib import import_module
from typing import Any, Protocol, TypeAlias

import msgspec

from headrace.core.chunk import Chunk, Terminal
from headrace.core.request import Request
from headrace.errors import HeadraceError

Emit: TypeAlias = Callable[[Sequence[Chunk]], Awaitable[None]]
"""Takes chunks; an empty batch is a sign of life, for work that has nothing to show yet."""


class Facts(msgspec.Struct, frozen=True):
    """What an engine tells of itself once loaded.

    slots: requests it computes at once. context_tokens: of one slot. load_s: how long loading took.
    """

    slots: int
    context_tokens: int = 0
    load_s: float = 0.0


class Plan(msgspec.Struct, frozen=True):
    """A request turned into an engine's own job. warnings: what it cannot take, one sentence each."""

    job: dict[str, Any]
    warnings: tuple[str, ...] = ()


Planner: TypeAlias = Callable[[Request], Plan]
"""Pure: runs in the parent, before anything is loaded. Raises RequestError naming the field at fault."""


class Wedged(Exception):
    """An engine is at work that it cannot stop: the reply fails with `error`, the process is replaced."""

    def __init__(self, error: HeadraceError) -> None:
        super().__init__(error.message)
        self.error = error


class Engine(Protocol):
    """One loaded model inside a worker process. The process's end is what unloads it."""

    def load(self, options: dict[str, Any], /) -> Facts:
        """Load the model. May block. Raises RunnerError (E502 load, E503 hardware, E504 memory)."""

    async def run(self, job: dict[str, Any], emit: Emit, /) -> Terminal:
        """One reply: chunks through `emit`, which waits while the reader is behind, then the terminal.

        Cancelling the task that runs it must stop the computation, or wait until it is over, or raise
        `Wedged` after a stated time.
        """

    async def health(self) -> str:
        """Empty where all is well, else one sentence."""


def engine_at(place: str) -> Engine:
    """A new engine by its place, `module:Class`."""
    module, _, name = place.partition(":")
    engine: Engine = getattr(import_module(module), name)()
    return engine
