"""The documented trackers: the same clock and the same totals, bounded, time by hand."""

from __future__ import annotations

import inspect

import pytest
from tests.metrics.hand import Hand

import headrace
from headrace.core.chunk import Failure
from headrace.errors import Unavailable
from headrace.metrics.measures import Ended
from headrace.metrics.rate import Rate
from headrace.metrics.streaming_tracker import MOST_CLIENTS, MOST_ENDED, StreamingMetricsTracker
from headrace.metrics.tracker import MOST_NAMES, MetricsTracker

CHAT = "/v1/chat/completions"


def test_they_are_made_without_arguments_from_the_packages_own_names() -> None:
    assert headrace.MetricsTracker is MetricsTracker
    assert headrace.StreamingMetricsTracker is StreamingMetricsTracker
    assert headrace.MetricsTracker().get_metrics() == {}
    assert headrace.StreamingMetricsTracker().get_metrics().active == 0


def test_requests_tokens_and_errors_by_endpoint() -> None:
    hand = Hand()
    tracker = MetricsTracker(hand)
    for latency_s in (0.5, 1.5):
        tracker.record_request(CHAT, "m")
        tracker.record_tokens(CHAT, 30)
        tracker.record_response(CHAT, latency_s)
    tracker.record_request(CHAT, "m")
    tracker.record_error(CHAT, "timeout")
    hand.after(10)
    figures = tracker.get_metrics()[CHAT]
    assert (figures.requests, figures.responses, figures.tokens, figures.errors) == (3, 2, 60, 1)
    assert figures.errors_by_code == {"timeout": 1}
    assert figures.error_rate == pytest.approx(1 / 3)
    assert (figures.requests_per_second, figures.tokens_per_second) == (0.3, 6.0)
    assert figures.latency_mean_seconds == 1.0
    assert figures.latency_p95_seconds == 1.5
    assert tracker.as_data()[CHAT]["tokens"] == 60


def test_nothing_is_invented() -> None:
    tracker = MetricsTracker(Hand())
    tracker.record_request(CHAT)
    figures = tracker.get_metrics()[CHAT]
    assert (figures.error_rate, figures.latency_mean_seconds, figures.latency_p95_seconds) == (None,) * 3
    assert figures.requests_per_second is None


@pytest.mark.parametrize("value", [-1, float("nan")])
def test_what_cannot_be_is_refused(value: float) -> None:
    tracker = MetricsTracker(Hand())
    with pytest.raises(ValueError, match="latency_seconds"):
        tracker.record_response(CHAT, value)
    with pytest.raises(ValueError, match="count"):
        tracker.record_tokens(CHAT, -1)
    assert tracker.get_metrics() == {}


def test_names_are_of_bounded_number() -> None:
    tracker = MetricsTracker(Hand())
    for n in range(MOST_NAMES * 2):
        tracker.record_error(f"/{n}", "x")
        tracker.record_error("/0", f"code {n}")
    found = tracker.get_metrics()
    assert len(found) == MOST_NAMES + 1
    assert found["other"].errors == MOST_NAMES
    assert len(found["/0"].errors_by_code) == MOST_NAMES + 1


def test_a_rate_forgets_what_is_older_than_a_minute() -> None:
    rate = Rate(0.0)
    rate.add(60, 0.5)
    assert rate.per_second(0.9) is None
    assert rate.per_second(10.0) == 6.0
    assert rate.per_second(59.9) == pytest.approx(60 / 59.9)
    assert rate.per_second(61.0) == 0.0
    rate.add(30, 60.5)
    assert rate.per_second(70.0) == 0.5


def test_a_stream_token_by_token() -> None:
    hand, seen = Hand(), list[Ended]()
    tracker = StreamingMetricsTracker(watchers=[seen.append], now_s=hand)
    tracker.start_stream("s", "m", 10, 0.7, 100, "ann")
    assert tracker.get_stream_metrics("s").ttft_s is None
    for wait_s in (0.5, 0.25, 1.25):
        hand.after(wait_s)
        tracker.record_token("s", "é")
    live = tracker.get_stream_metrics("s")
    assert (live.ttft_s, live.gap_most_s, live.jitter_s, live.stalls) == (0.5, 1.25, 1.0, 1)
    assert live.sent_bytes == 6
    assert tracker.get_metrics().active == 1
    hand.after(1)
    tracker.complete_stream("s", "length", "ann")
    hand.after(100)
    figures = tracker.get_stream_metrics("s")
    assert (figures.duration_s, figures.pieces) == (3, 3)
    assert tracker.get_metrics().outcomes["finished"] == 1
    assert seen[0].figures == figures
    assert seen[0].tally.terminal.finish_reason == "length"
    (_, totals), *_ = tracker.totals
    assert totals.pieces == 3


def test_what_clients_do_with_their_streams() -> None:
    tracker = StreamingMetricsTracker(now_s=Hand())
    for n, tokens in enumerate((4, 2, 0)):
        tracker.start_stream(f"s{n}", "m", client_id="ann")
        for _ in range(tokens):
            tracker.record_token(f"s{n}", "x")
    tracker.cancel_stream("s0", "left", "ann")
    tracker.complete_stream("s1", client_id="ann")
    tracker.fail_stream("s2", Failure.of(Unavailable("away")), "ann")
    behaviour = tracker.get_client_behaviour("ann")
    assert (behaviour.streams, behaviour.completed, behaviour.cancelled, behaviour.tokens) == (3, 1, 1, 6)
    assert behaviour.tokens_before_cancel == 4
    assert tracker.get_metrics().outcomes == {"finished": 1, "failed": 1, "cancelled": 1, "timeout": 0}
    assert tracker.get_client_behaviour("bob") is None


def test_a_stream_that_was_never_started_is_a_key_error() -> None:
    tracker = StreamingMetricsTracker()
    with pytest.raises(KeyError):
        tracker.record_token("s", "x")
    with pytest.raises(KeyError):
        tracker.complete_stream("s")
    assert tracker.get_stream_metrics("s") is None


def test_ended_streams_and_clients_are_of_bounded_number() -> None:
    tracker = StreamingMetricsTracker(now_s=Hand())
    for n in range(MOST_ENDED + 10):
        tracker.start_stream(f"s{n}", f"m{n}", client_id=f"c{n}")
        tracker.complete_stream(f"s{n}", client_id=f"c{n}")
    assert tracker.get_stream_metrics("s9") is None
    assert tracker.get_stream_metrics("s10") is not None
    assert tracker.get_client_behaviour(f"c{MOST_ENDED + 9 - MOST_CLIENTS}") is None
    assert tracker.get_metrics().outcomes["finished"] == MOST_ENDED + 10


def test_every_public_call_says_what_it_does() -> None:
    for kind in (MetricsTracker, StreamingMetricsTracker):
        for name, member in inspect.getmembers(kind, inspect.isfunction):
            assert name.startswith("_") or member.__doc__, name
