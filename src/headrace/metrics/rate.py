"""How many a second, over the last minute."""

from __future__ import annotations

_SLOTS = 60  # of a second each


class Rate:
    """Counts in slots of a second; time is an argument, monotonic seconds."""

    __slots__ = ("_began_s", "_counts", "_seconds")

    def __init__(self, now_s: float) -> None:
        self._began_s = now_s
        self._counts = [0] * _SLOTS
        self._seconds = [-1] * _SLOTS  # which second each slot is of

    def add(self, count: int, now_s: float) -> None:
        """So many now."""
        second = int(now_s)
        slot = second % _SLOTS
        if self._seconds[slot] != second:
            self._seconds[slot], self._counts[slot] = second, 0
        self._counts[slot] += count

    def per_second(self, now_s: float) -> float | None:
        """Over the last minute, or as long as there is; None in the first second, which tells nothing."""
        span_s = min(now_s - self._began_s, float(_SLOTS))
        if span_s < 1.0:
            return None
        oldest = int(now_s) - _SLOTS
        recent = sum(
            count for count, second in zip(self._counts, self._seconds, strict=True) if second > oldest
        )
        return recent / span_s
