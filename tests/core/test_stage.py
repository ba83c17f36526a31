"""Stages put one behind the other are a stage."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from headrace.core.stage import pipe


class Pairs:
    """Joins items two by two; an odd one is held until close."""

    def __init__(self) -> None:
        self.held: list[str] = []

    def feed(self, batch: Sequence[str]) -> list[str]:
        self.held += batch
        whole = len(self.held) // 2 * 2
        out = ["".join(self.held[i : i + 2]) for i in range(0, whole, 2)]
        del self.held[:whole]
        return out

    def close(self) -> list[str]:
        out, self.held = self.held, []
        return out


@given(st.lists(st.text(max_size=2), max_size=30), st.lists(st.integers(0, 30), max_size=6))
def test_a_pipe_gives_the_same_whatever_the_batches(items: list[str], cuts: list[int]) -> None:
    whole = pipe(Pairs(), Pairs(), Pairs())
    expected = [*whole.feed(items), *whole.close()]
    parts = pipe(Pairs(), Pairs(), Pairs())
    edges = [0, *sorted(cuts), len(items)]
    got: list[str] = []
    for start, end in pairwise(edges):
        got += parts.feed(items[start:end])
    got += parts.close()
    assert got == expected
    assert "".join(got) == "".join(items)


def test_one_stage_is_its_own_pipe() -> None:
    stage = Pairs()
    assert pipe(stage) is stage


def test_closing_flushes_every_stage_in_order() -> None:
    both = pipe(Pairs(), Pairs())
    assert list(both.feed(["a", "b", "c"])) == []
    assert list(both.close()) == ["abc"]
    assert list(both.close()) == []
