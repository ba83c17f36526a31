"""The speed tap adds a speed and changes nothing else."""

from __future__ import annotations

from headrace.core.chunk import BlockStart, Chunk, Finish, TextDelta
from headrace.metrics.tap import SpeedTap


def test_speed_is_tokens_over_the_time_since_the_first() -> None:
    times = iter([0, 500_000_000, 1_000_000_000])
    tap = SpeedTap(lambda: next(times))
    opening: list[Chunk] = [BlockStart(0, "text"), TextDelta(0, "a")]
    assert tap.feed(opening) == opening  # no time has passed: no speed is made up
    (second,) = tap.feed([TextDelta(0, "b")])
    assert second.text == "b"
    assert second.tokens_per_second == 4.0
    third, end = tap.feed([TextDelta(0, "c"), Finish()])
    assert third.tokens_per_second == 3.0
    assert end == Finish()
    assert tap.close() == []
