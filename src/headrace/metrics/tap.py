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
        return [self._timed(chunk, now_ns) if type(chunk) is TextDelta else chunk for chunk in batch]

    def close(self) -> list[Chunk]:
        return []

    def _timed(self, delta: TextDelta, now_ns: int) -> TextDelta:
        if not self._tokens:
            self._first_ns = now_ns
        self._tokens += delta.token_count
        elapsed_s = (now_ns - self._first_ns) / 1e9
        if elapsed_s <= 0:
            return delta
        return TextDelta(
            delta.block,
            delta.text,
            delta.tokens,
            delta.candidate,
            delta.vendor,
            self._tokens / elapsed_s,
        )
