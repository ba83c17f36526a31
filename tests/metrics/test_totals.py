"""Totals, and labels of bounded number whatever clients ask for."""

from __future__ import annotations

import logging

import pytest
from tests.metrics.answers import call, measures, tally

from headrace.core.chunk import Cancelled, Failure, Finish
from headrace.core.outcome import OUTCOMES, outcome_of
from headrace.core.usage import Usage
from headrace.errors import StreamCancelledException, StreamTimeoutException, Unavailable
from headrace.metrics.histogram import Histogram, quantile
from headrace.metrics.totals import MOST_MODELS, MOST_SERIES, OTHER, TotalsTable

FAILED = Failure.of(Unavailable("no"))
ENDS = {
    "finished": Finish(),
    "failed": FAILED,
    "cancelled": Cancelled("gone"),
    "timeout": Failure.of(StreamTimeoutException("late")),
}


def test_every_outcome_has_its_word() -> None:
    assert tuple(ENDS) == OUTCOMES
    assert {word: outcome_of(end) for word, end in ENDS.items()} == {word: word for word in OUTCOMES}
    assert outcome_of(Failure.of(StreamCancelledException("stopped"))) == "cancelled"


def test_totals_are_told_apart_by_model_protocol_and_outcome() -> None:
    room = measures(known=("a", "b"))
    room.add(call("a"), tally("a"))
    room.add(call("a"), tally("a", queue_s=4.0))
    room.add(call("a", protocol="anthropic"), tally("a"))
    room.add(call("b"), tally("b", FAILED, pushes=[], usage=None))
    room.add(call("a"), tally("a", pushes=None))
    found = {tuple(key): totals for key, totals in room.totals}
    assert set(found) == {
        ("a", "openai_chat", "finished"),
        ("a", "anthropic", "finished"),
        ("b", "openai_chat", "failed"),
    }
    twice = found["a", "openai_chat", "finished"]
    assert (twice.answers, twice.streams, twice.pieces, twice.sent_bytes) == (3, 2, 8, 200)
    assert (twice.input_tokens, twice.output_tokens, twice.usage_unknown) == (21, 15, 0)
    assert (twice.ttft_s.count, twice.ttft_s.total, twice.gap_s.count, twice.gap_s.total) == (2, 1.0, 6, 1.0)
    assert (twice.duration_s.count, twice.duration_s.total) == (3, 5.0)
    assert (twice.queue_s.count, twice.queue_s.total) == (1, 4.0)  # of those that waited
    nothing = found["b", "openai_chat", "failed"]
    assert (nothing.streams, nothing.ttft_s.count, nothing.gap_s.count, nothing.tpot_s.count) == (1, 0, 0, 0)
    assert nothing.usage_unknown == 1


def test_what_clients_invent_is_other_until_it_has_answered() -> None:
    table = TotalsTable(lambda: ("known",))
    assert table.add("p", tally("known", FAILED), None).model == "known"
    assert table.add("p", tally("up/invented", FAILED), None).model == OTHER
    assert table.add("p", tally("up/real"), None).model == "up/real"
    assert table.add("p", tally("up/real", FAILED), None).model == "up/real"


def test_models_are_of_bounded_number() -> None:
    table = TotalsTable(tuple)
    labels = {table.add("p", tally(f"up/{n}"), None).model for n in range(MOST_MODELS * 3)}
    assert len(labels) == MOST_MODELS + 1
    assert OTHER in labels


def test_keys_are_of_bounded_number_and_nothing_is_left_out() -> None:
    table = TotalsTable(tuple)
    for model in range(MOST_MODELS + 5):
        for protocol in range(12):
            table.add(f"p{protocol}", tally(f"up/{model}"), None)
    kept = list(table)
    assert len(kept) <= MOST_SERIES + 12  # one of "other" for each protocol
    assert sum(totals.answers for _, totals in kept) == (MOST_MODELS + 5) * 12


def test_a_watcher_that_raises_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    seen = []

    def broken(_ended: object) -> None:
        raise ValueError("broken")

    room = measures(broken, seen.append)
    with caplog.at_level(logging.ERROR, "headrace.metrics"):
        room.account(call())(tally())
    assert len(seen) == 1
    assert room.counters.answers == 1
    assert "a watcher of streams failed" in caplog.text


def test_a_histogram_counts_what_lies_on_a_bound_below_it() -> None:
    histogram = Histogram((1.0, 2.0))
    for value in (1.0, 1.5, 2.0, 3.0):
        histogram.add(value)
    histogram.merge([1, 0, 1], 9.5)
    assert (histogram.counts, histogram.total, histogram.count) == ([2, 2, 2], 17.0, 6)


QUANTILES = {
    "none": ([0, 0, 0], 0.5, 0.0, None),
    "in the middle of a bucket": ([10, 0, 0], 0.5, 1.0, 0.5),
    "never above the largest": ([10, 0, 0], 0.95, 0.25, 0.25),
    "beyond the last bound": ([0, 0, 4], 0.5, 9.0, 9.0),
    "in the second": ([5, 5, 0], 0.75, 2.0, 1.5),
}


@pytest.mark.parametrize(("counts", "share", "most", "value"), QUANTILES.values(), ids=QUANTILES)
def test_quantiles(counts: list[int], share: float, most: float, value: float | None) -> None:
    assert quantile((1.0, 2.0), counts, share, most) == value


def test_usage_without_output_is_no_token() -> None:
    room = measures()
    room.add(call(), tally(usage=Usage(7, 0)))
    (_, totals), *_ = room.totals
    assert totals.tpot_s.count == 1  # the pieces count as tokens
