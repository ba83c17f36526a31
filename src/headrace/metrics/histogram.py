"""Histograms of fixed buckets: cheap to fill, exact to merge, small for ever."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

# OpenTelemetry's GenAI conventions (docs/gen-ai/gen-ai-metrics.md, read 2026-11-25), seconds.
TTFT_BUCKETS_S = (0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
DURATION_BUCKETS_S = (
    *(0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28),
    *(2.56, 5.12, 10.24, 20.48, 40.96, 81.92),
)
# Those of time_per_output_token, with three below: a fast model's gaps all lie in the conventions' first.
GAP_BUCKETS_S = (
    *(0.001, 0.0025, 0.005),
    *(0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5),
)


class Histogram:
    """How many values lie within each bound (`<=`), and beyond the last.

    bounds: ascending. counts: one more than bounds. total: the sum of the values.
    """

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    @property
    def count(self) -> int:
        """How many values."""
        return sum(self.counts)

    def add(self, value: float) -> None:
        """Count one value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def copied(self) -> Histogram:
        """The same counts, which later values do not change."""
        other = Histogram(self.bounds)
        other.counts, other.total = self.counts.copy(), self.total
        return other

    def merge(self, counts: Sequence[int], total: float) -> None:
        """Count another's values, of the same bounds."""
        self.counts = [mine + other for mine, other in zip(self.counts, counts, strict=True)]
        self.total += total


def quantile(bounds: Sequence[float], counts: Sequence[int], share: float, most: float) -> float | None:
    """About the value that `share` of the values do not exceed; None where there are none.

    It is told apart no finer than the buckets are: within one, values are taken to lie evenly. most: the
    largest value there was, which no answer exceeds.
    """
    count = sum(counts)
    if not count:
        return None
    rank, below = share * count, 0
    for place, (bound, here) in enumerate(zip(bounds, counts, strict=False)):
        if here and below + here >= rank:
            low = bounds[place - 1] if place else 0.0
            return min(most, low + (bound - low) * (rank - below) / here)
        below += here
    return most
