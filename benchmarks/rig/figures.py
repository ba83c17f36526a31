"""The arithmetic of the benchmarks: medians, percentiles, ratios of interleaved runs."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from statistics import linear_regression, median


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least `percent` per cent of the values do not exceed (nearest rank).

    Raises: ValueError if there are no values or `percent` is outside (0, 100].
    """
    if not values or not 0 < percent <= 100:
        raise ValueError(f"no {percent}th percentile of {len(values)} values")
    return sorted(values)[ceil(len(values) * percent / 100) - 1]


def paired_ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Median of the ratios run by run: run i of one against run i of the other, taken one after the other.

    A machine that is slow for a while slows both of a pair, so the ratio stands where the medians drift.
    Raises: ValueError if the two have not the same number of runs, or none.
    """
    if not ours or len(ours) != len(theirs):
        raise ValueError(f"{len(ours)} runs cannot be paired with {len(theirs)}")
    return median(a / b for a, b in zip(ours, theirs, strict=True))


def paired_difference(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Median of the differences run by run, ours less theirs. Raises as `paired_ratio`."""
    if not ours or len(ours) != len(theirs):
        raise ValueError(f"{len(ours)} runs cannot be paired with {len(theirs)}")
    return median(a - b for a, b in zip(ours, theirs, strict=True))


def rotated(names: Sequence[str], turn: int) -> list[str]:
    """The names in the order for round `turn`, so that no contestant always runs first."""
    shift = turn % len(names)
    return [*names[shift:], *names[:shift]]


def growth_an_hour(at_s: Sequence[float], values: Sequence[float]) -> float:
    """The slope of the least-squares line through the values, in their unit an hour.

    Raises: ValueError of fewer than two moments, or of one moment only.
    """
    if len(at_s) != len(values) or len(set(at_s)) < 2:
        raise ValueError(f"no line through {len(values)} values at {len(set(at_s))} moments")
    return linear_regression(at_s, values).slope * 3600
