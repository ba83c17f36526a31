"""The speed line says what was measured, and marks what was only counted."""

import pytest

from headrace.cli.speed import Speed
from headrace.core.chunk import Chunk, ReasoningDelta, Start, TextDelta
from headrace.core.usage import Usage

MS = 1_000_000
HI, START, THOUGHT = TextDelta(0, "hi"), Start("1"), ReasoningDelta(0, "hm")
CASES: dict[str, tuple[list[tuple[int, list[Chunk]]], Usage | None, str]] = {
    "nothing came": ([(5, [START])], None, "no tokens"),
    "one token": ([(250, [START, HI])], None, "~1 token · first token after 250 ms"),
    "two batches": (
        [(100, [HI]), (600, [HI, HI])],
        None,
        "~3 tokens · 4.0 tok/s · first token after 100 ms",
    ),
    "reasoning is tokens too": (
        [(100, [THOUGHT]), (1100, [HI])],
        None,
        "~2 tokens · 1.0 tok/s · first token after 100 ms",
    ),
    "the provider's count wins": (
        [(100, [HI]), (1100, [HI])],
        Usage(7, 11),
        "11 tokens · 10.0 tok/s · first token after 100 ms",
    ),
    "an estimate is marked": (
        [(100, [HI])],
        Usage(7, 1, estimated=True),
        "~1 token · first token after 100 ms",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_line(name: str) -> None:
    batches, usage, expected = CASES[name]
    clock_ns = [0]
    speed = Speed(lambda: clock_ns[0])
    for at_ms, batch in batches:
        clock_ns[0] = at_ms * MS
        speed.see(batch)
    assert speed.line(usage) == expected
