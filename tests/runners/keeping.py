"""A sink that keeps what it gets, for the runners' tests."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from headrace.core.chunk import CandidateEnd, Chunk, Terminal, Token, UsageReport
from headrace.core.model import Source
from headrace.core.usage import Usage


class Kept:
    """A sink that keeps what it gets."""

    def __init__(self, source: Source[Chunk]) -> None:
        self.source = source
        self.chunks: list[Chunk] = []
        self.terminal: Terminal | None = None
        self.done = asyncio.Event()
        self._more = asyncio.Event()

    def push(self, batch: Sequence[Chunk], /) -> None:
        assert batch, "an empty batch"
        assert self.terminal is None, "a push after the end"
        self.chunks += batch
        self._more.set()

    def end(self, terminal: Terminal, /) -> None:
        assert self.terminal is None, "two ends"
        self.terminal = terminal
        self.done.set()
        self._more.set()

    async def some(self, count: int) -> None:
        """Until `count` chunks came, or the end."""
        while len(self.chunks) < count and self.terminal is None:
            self._more.clear()
            await self._more.wait()

    @property
    def text(self) -> str:
        return "".join(chunk.text for chunk in self.chunks)

    @property
    def tokens(self) -> list[Token]:
        return [token for chunk in self.chunks for token in getattr(chunk, "tokens", ())]

    @property
    def usage(self) -> Usage:
        (report,) = [chunk.usage for chunk in self.chunks if isinstance(chunk, UsageReport)]
        return report

    @property
    def ending(self) -> CandidateEnd:
        (end,) = [chunk for chunk in self.chunks if isinstance(chunk, CandidateEnd)]
        return end
