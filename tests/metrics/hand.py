"""A clock that a test moves by hand."""

from __future__ import annotations

from collections.abc import Sequence

from headrace.metrics.clock import StreamClock, Targets


class Hand:
    """now_s: what it says. reads: how often it was asked."""

    def __init__(self, now_s: float = 100.0) -> None:
        self.now_s = now_s
        self.reads = 0

    def __call__(self) -> float:
        self.reads += 1
        return self.now_s

    def after(self, seconds: float) -> None:
        self.now_s += seconds


def clocked(pushes: Sequence[tuple[float, int]], targets: Targets | None = None) -> tuple[StreamClock, Hand]:
    """A clock after pushes of (seconds since the one before, pieces of content), from a request at 100 s."""
    hand = Hand()
    clock = StreamClock(hand.now_s, hand, targets or Targets())
    for seconds, pieces in pushes:
        hand.after(seconds)
        clock.push(pieces, True)
    return clock, hand
