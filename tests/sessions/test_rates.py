"""How much a minute: what is left, when it begins anew, and that keys do not take from each other."""

from __future__ import annotations

import pytest

from headrace.config.door import RateSettings
from headrace.sessions.rates import LocalRates, Verdict


class Clock:
    def __init__(self) -> None:
        self.now_s = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now_s


def left(verdict: Verdict, kind: str = "requests") -> int:
    return int(dict(verdict.fields)[f"x-ratelimit-remaining-{kind}".encode()])


def test_requests_of_a_minute_and_the_next() -> None:
    clock = Clock()
    rates, bounds = LocalRates(clock), RateSettings(requests_per_minute=2)
    assert [left(rates.ask("a", bounds)) for _ in range(2)] == [1, 0]
    clock.now_s += 20
    refused = rates.ask("a", bounds)
    assert refused.failure is not None
    assert (refused.failure.http_status, refused.failure.code) == (429, "rate_limit_exceeded")
    assert refused.failure.detail["retry_after_s"] == 40
    assert dict(refused.fields)[b"x-ratelimit-reset-requests"] == b"40s"
    assert rates.ask("b", bounds).failure is None  # another key's
    clock.now_s += 40
    assert left(rates.ask("a", bounds)) == 1


def test_tokens_are_counted_past_the_bound_and_refuse_what_is_next() -> None:
    rates, bounds = LocalRates(Clock()), RateSettings(tokens_per_minute=10, requests_per_minute=5)
    rates.spend("a", bounds, 4)
    assert left(rates.ask("a", bounds), "tokens") == 6
    rates.spend("a", bounds, 100)
    verdict = rates.ask("a", bounds)
    assert verdict.failure is not None
    assert "10 tokens a minute" in verdict.failure.message
    assert left(verdict, "tokens") == 0


def test_what_has_no_bound_is_neither_counted_nor_told() -> None:
    rates = LocalRates(Clock())
    rates.spend("a", RateSettings(), 7)
    assert rates.ask("a", RateSettings()) == Verdict()


@pytest.mark.parametrize("back_s", [30, 3600, 10**9])
def test_a_clock_that_is_set_back_locks_nobody_out(back_s: float) -> None:
    clock = Clock()
    rates, bounds = LocalRates(clock), RateSettings(requests_per_minute=1)
    assert rates.ask("a", bounds).failure is None
    clock.now_s -= back_s
    rates.ask("a", bounds)
    clock.now_s += 61
    assert rates.ask("a", bounds).failure is None
