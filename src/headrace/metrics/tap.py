"""Taps: stages that only look, or that add what they measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from headrace.core.chunk import Chunk, TextDelta


class SpeedTap:
    """Sets `tokens_per_second` on text deltas: tokens so far over the time since the first of them.

    clock_ns: a monotonic clock in nanoseconds. The first delta has no speed yet and keeps None.
    """

    def __init__(self, clock_ns: Callable[[], int]) -> None:
        self._clock_ns = clock_ns
        self._first_ns = 0
        self._tokens = 0

    def feed(self, batch: Sequence[Chunk]) -> list[Chunk]:
        now_ns = self._clock_ns()
        tokens = self._tokens
        if not tokens:
            self._first_ns = now_ns
        elapsed_s = (now_ns - self._first_ns) / 1e9
        out: list[Chunk] = []
        for chunk in batch:
            if type(chunk) is TextDelta:
                tokens += len(chunk.tokens) or 1
                if elapsed_s > 0:
                    chunk = TextDelta(
                        chunk.block,
                        chunk.text,
                        chunk.tokens,
                        chunk.candidate,
                        chunk.vendor,
                        tokens / elapsed_s,
                    )
            out.append(chunk)
        self._tokens = tokens
        return out

    def close(self) -> list[Chunk]:
        return []
