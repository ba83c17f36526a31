"""Operators that only look at a stream of chunks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import msgspec

from headrace.core.chunk import Chunk, Terminal
from headrace.core.model import Sink, Source
from headrace.stream.push import Node
from headrace.stream.shape import Tap


class StreamProgress(msgspec.Struct, frozen=True):
    """How far a generation has come. elapsed_time: seconds since the stream was started."""

    tokens_generated: int
    elapsed_time: float
    tokens_per_second: float


class Watched(Node[Chunk, Chunk]):
    """Shows every chunk to `tap`, the terminal too."""

    def __init__(self, above: Source[Chunk], tap: Tap[Chunk]) -> None:
        super().__init__(above)
        self._tap = tap

    def push(self, batch: Sequence[Chunk], /) -> None:
        if not self._over:
            self._give(self._tap.feed(batch))

    def end(self, terminal: Terminal, /) -> None:
        if not self._over:
            self._tap.show(terminal)
            self._finish(terminal)


class Progress(Node[Chunk, Chunk]):
    """Tells `tell` the progress after each chunk that carries tokens. What `tell` raises harms no stream."""

    def __init__(self, above: Source[Chunk], tell: Callable[[StreamProgress], object]) -> None:
        super().__init__(above)
        self._tap: Tap[StreamProgress] = Tap(tell)
        self._tokens = 0
        self._began_s = 0.0

    def start(self, sink: Sink[Chunk], /) -> None:
        self._began_s = asyncio.get_running_loop().time()
        super().start(sink)

    def push(self, batch: Sequence[Chunk], /) -> None:
        elapsed_s = asyncio.get_running_loop().time() - self._began_s
        for chunk in batch:
            if chunk.token_count:
                self._tokens += chunk.token_count
                speed = self._tokens / elapsed_s if elapsed_s > 0 else 0.0
                self._tap.show(StreamProgress(self._tokens, elapsed_s, speed))
        self._give(batch)
