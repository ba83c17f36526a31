"""Figures of streams whose times a test sets by hand; sums are checked against the plain list of all gaps."""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.metrics.hand import Hand, clocked

from headrace.core.usage import Usage
from headrace.metrics.clock import StreamClock, Targets
from headrace.metrics.figures import Figures, figures_of
from headrace.metrics.histogram import GAP_BUCKETS_S


def _figures(clock: StreamClock, hand: Hand, usage: Usage | None = None) -> Figures:
    return figures_of(clock, hand.now_s, usage)


def test_nothing_is_invented_where_nothing_came() -> None:
    clock, hand = clocked([])
    hand.after(3)
    told = msgspec.structs.asdict(_figures(clock, hand))
    assert told.pop("duration_s") == 3
    zero = {"pieces", "stalls", "stalled_s", "holds", "held_s", "sent_bytes"}  # counts of what did not happen
    assert {name for name, value in told.items() if value == 0} == zero
    assert {value for name, value in told.items() if name not in zero} == {None}


def test_one_piece_has_a_first_and_no_gap() -> None:
    clock, hand = clocked([(0.5, 1)])
    figures = _figures(clock, hand)
    assert (figures.ttft_s, figures.first_answer_s, figures.first_chunk_s) == (0.5, 0.5, 0.5)
    assert (figures.gap_mean_s, figures.gap_p95_s, figures.tpot_s, figures.jitter_s) == (None,) * 4
    assert figures.fluidity == 1.0


def test_the_firsts_are_told_apart() -> None:
    hand = Hand()
    clock = StreamClock(hand.now_s, hand)
    hand.after(0.125)
    clock.push(0, False)  # a role, say
    hand.after(0.125)
    clock.sent()
    hand.after(0.25)
    clock.push(2, False)  # reasoning
    hand.after(0.5)
    clock.sent()  # the first counts
    clock.push(1, True)
    figures = _figures(clock, hand)
    assert figures.first_chunk_s == 0.125
    assert figures.ttfb_s == 0.25
    assert figures.ttft_s == 0.5
    assert figures.first_answer_s == 1.0


def test_a_push_without_content_is_no_end_of_a_gap() -> None:
    clock, hand = clocked([(1, 1), (0.5, 0), (0.5, 1)])
    assert _figures(clock, hand).gap_most_s == 1.0


def test_jitter_is_the_mean_difference_of_neighbouring_gaps() -> None:
    clock, hand = clocked([(1, 1), (0.25, 1), (0.5, 1), (0.25, 1)])
    assert _figures(clock, hand).jitter_s == 0.25


def test_stalls_are_gaps_above_the_bound() -> None:
    clock, hand = clocked([(9, 1), (1, 1), (1.5, 1), (2, 3)], Targets(stall_s=1))
    figures = _figures(clock, hand)
    assert (figures.stalls, figures.stalled_s) == (2, 3.5)  # the wait for the first is no gap


FLUID = {
    "each in time": ([(1, 1), (0.25, 1), (0.25, 1)], 3, 0),
    "early ones leave slack": (
        [(1, 1), (0.0, 1), (0.0, 1), (1.5, 1)],
        4,
        0,
    ),  # 1 s of the first's is left too
    "a stall misses all that passes by": ([(2, 1), (1.125, 1), (0.25, 1)], 2 + 4, 4),
    "just on the deadline": ([(2, 1), (0.25, 1)], 2, 0),
    "the first is late": ([(2.25, 1), (0.25, 1)], 2 + 1, 2),
    "a push of four": ([(2, 4), (1.0, 1)], 5, 0),
}


@pytest.mark.parametrize(("pushes", "deadlines", "missed"), FLUID.values(), ids=FLUID)
def test_fluidity(pushes: list[tuple[float, int]], deadlines: int, missed: int) -> None:
    clock, hand = clocked(pushes, Targets(first_s=2, token_s=0.25))
    assert (clock.deadlines, clock.missed) == (deadlines, missed)
    assert _figures(clock, hand).fluidity == 1 - missed / deadlines


def test_a_token_takes_what_was_reported() -> None:
    clock, hand = clocked([(1, 1), (1, 1), (2, 1)])
    assert _figures(clock, hand).tpot_s == 1.5  # nobody told: a piece is a token
    assert _figures(clock, hand, Usage(5, 13)).tpot_s == 0.25
    assert _figures(clock, hand, Usage(5, 13)).tokens_per_second == 4
    assert _figures(clock, hand, Usage(5, 13, reasoning_tokens=10)).tpot_s == 1.5  # unseen: before the first


def test_reasoning_that_was_seen_is_among_the_tokens() -> None:
    hand = Hand()
    clock = StreamClock(hand.now_s, hand)
    for answer in (False, False, True):
        hand.after(1)
        clock.push(1, answer)
    assert _figures(clock, hand, Usage(5, 5, reasoning_tokens=3)).tpot_s == 0.5


def test_a_gap_in_which_the_source_was_held_is_not_the_models() -> None:
    clock, hand = clocked([(1, 1), (0.25, 1)], Targets(stall_s=1))
    clock.hold()
    hand.after(50)
    clock.go_on()
    hand.after(0.25)
    clock.push(1, True)
    hand.after(0.25)
    clock.push(1, True)
    figures = _figures(clock, hand)
    assert (figures.holds, figures.held_s) == (1, 50)
    assert (figures.gap_most_s, figures.stalls, figures.fluidity) == (0.25, 0, 1.0)
    assert figures.tpot_s == 0.25  # 0.75 s for three tokens behind the first
    assert figures.pieces == 4


def test_what_was_under_way_may_still_come_while_held() -> None:
    clock, hand = clocked([(1, 1)])
    clock.hold()
    clock.hold()  # twice is once
    hand.after(5)
    clock.push(2, True)
    hand.after(5)
    clock.go_on()
    clock.go_on()
    hand.after(1)
    clock.push(1, True)
    figures = _figures(clock, hand)
    assert (figures.holds, figures.held_s, figures.pieces) == (1, 10, 4)
    assert figures.gap_most_s == 0.0  # of the two that came together; the others were not measured
    assert figures.tpot_s == pytest.approx(1 / 3)


def test_held_to_the_end_is_not_counted_into_the_tokens() -> None:
    clock, hand = clocked([(1, 1), (1, 1)])
    clock.hold()
    hand.after(7)
    assert clock.end() == hand.now_s
    figures = _figures(clock, hand)
    assert (figures.held_s, figures.tpot_s, figures.duration_s) == (7, 1, 9)


def test_held_before_anything_came() -> None:
    hand = Hand(0.0)  # a clock may begin at zero
    clock = StreamClock(0.0, hand)
    clock.hold()
    hand.after(2)
    clock.go_on()
    clock.push(1, True)
    hand.after(1)
    clock.push(1, True)
    figures = _figures(clock, hand)
    assert (figures.held_s, figures.ttft_s, figures.tpot_s) == (2, 2, 1)


def test_one_read_of_the_clock_a_push() -> None:
    pushes = [(0.125, 1), (0.125, 0), (0.125, 7), (4.0, 1)]
    _, hand = clocked(pushes)
    assert hand.reads == len(pushes)


_PUSHES = st.lists(st.tuples(st.integers(0, 400).map(lambda n: n / 64), st.integers(0, 4)), max_size=30)


@given(_PUSHES)
def test_sums_are_those_of_the_list_of_all_gaps(pushes: list[tuple[float, int]]) -> None:
    targets = Targets(stall_s=1, first_s=2, token_s=0.25)
    clock, hand = clocked(pushes, targets)
    at_s, times = 0.0, []
    for seconds, pieces in pushes:
        at_s += seconds
        times += [at_s] * pieces
    gaps = [later - earlier for earlier, later in pairwise(times)]
    counts = [0] * (len(GAP_BUCKETS_S) + 1)
    for gap in gaps:
        counts[bisect_left(GAP_BUCKETS_S, gap)] += 1
    jitters = [abs(later - earlier) for earlier, later in pairwise(gaps)]
    figures = _figures(clock, hand)
    assert clock.gap_counts == counts
    assert figures.pieces == len(times)
    assert figures.gap_most_s == max(gaps, default=None)
    assert figures.jitter_s == (pytest.approx(sum(jitters) / len(jitters)) if jitters else None)
    assert figures.stalls == sum(gap > 1 for gap in gaps)
    assert (clock.deadlines, clock.missed) == _deadlines([times[0], *gaps] if times else [], targets)


def _deadlines(waits: list[float], targets: Targets) -> tuple[int, int]:
    """The paper's loop over every token, one by one."""
    slack = deadlines = missed = 0.0
    for place, wait in enumerate(waits):
        due = targets.token_s if place else targets.first_s
        if wait <= due + slack:
            slack += due - wait
            deadlines += 1
        else:
            misses = (wait - slack - due) // targets.token_s + 1
            missed += misses
            deadlines += misses
            slack = 0
    return int(deadlines), int(missed)
