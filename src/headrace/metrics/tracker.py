"""`MetricsTracker`: requests, tokens and errors by endpoint, as plain numbers."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec

from headrace.metrics.histogram import DURATION_BUCKETS_S, Histogram, quantile
from headrace.metrics.rate import Rate
from headrace.metrics.totals import OTHER

MOST_NAMES = 50  # endpoints, and codes of errors at each


class EndpointMetrics(msgspec.Struct, frozen=True):
    """One endpoint. Rates are of the last minute, None in the first second.

    Latencies are None where nothing ended well; latency_p95_seconds is no finer than `DURATION_BUCKETS_S`.
    error_rate: of what has ended.
    """

    requests: int
    responses: int
    tokens: int
    errors: int
    errors_by_code: dict[str, int]
    error_rate: float | None
    requests_per_second: float | None
    responses_per_second: float | None
    tokens_per_second: float | None
    latency_mean_seconds: float | None
    latency_p95_seconds: float | None


class MetricsTracker:
    """The basic figures: request and response rates, tokens, errors.

    Endpoints, and codes of errors, beyond `MOST_NAMES` count together as "other". now_s: monotonic seconds.
    """

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._endpoints: dict[str, _Endpoint] = {}

    def record_request(self, endpoint: str, model: str = "") -> None:
        """A request has come."""
        now_s = self._now_s()
        known = self._endpoint(endpoint)
        known.requests += 1
        known.request_rate.add(1, now_s)

    def record_tokens(self, endpoint: str, count: int) -> None:
        """So many tokens were given out. Raises ValueError for a count below 0."""
        if count < 0:
            raise ValueError("count must be at least 0")
        known = self._endpoint(endpoint)
        known.tokens += count
        known.token_rate.add(count, self._now_s())

    def record_response(self, endpoint: str, latency_seconds: float) -> None:
        """A request has been answered well, so long after it came. Raises ValueError for less than 0 s."""
        if not latency_seconds >= 0:
            raise ValueError("latency_seconds must be at least 0")
        known = self._endpoint(endpoint)
        known.responses += 1
        known.latency_most_s = max(known.latency_most_s, latency_seconds)
        known.latency_s.add(latency_seconds)
        known.response_rate.add(1, self._now_s())

    def record_error(self, endpoint: str, error_code: str) -> None:
        """A request has ended otherwise."""
        errors = self._endpoint(endpoint).errors
        errors[error_code if error_code in errors or len(errors) < MOST_NAMES else OTHER] += 1

    def get_metrics(self) -> dict[str, EndpointMetrics]:
        """The figures by endpoint, now."""
        now_s = self._now_s()
        return {name: endpoint.figures(now_s) for name, endpoint in self._endpoints.items()}

    def as_data(self) -> dict[str, Any]:
        """The same as plain data."""
        found: dict[str, Any] = msgspec.to_builtins(self.get_metrics())
        return found

    def _endpoint(self, name: str) -> _Endpoint:
        known = self._endpoints.get(name)
        if known is None:
            if len(self._endpoints) >= MOST_NAMES:
                name = OTHER
            known = self._endpoints.setdefault(name, _Endpoint(self._now_s()))
        return known


class _Endpoint:
    """What is added up for one endpoint."""

    def __init__(self, now_s: float) -> None:
        self.requests = self.responses = self.tokens = 0
        self.errors: Counter[str] = Counter()
        self.latency_s = Histogram(DURATION_BUCKETS_S)
        self.latency_most_s = 0.0
        self.request_rate, self.response_rate, self.token_rate = Rate(now_s), Rate(now_s), Rate(now_s)

    def figures(self, now_s: float) -> EndpointMetrics:
        errors = self.errors.total()
        ended = self.responses + errors
        latency = self.latency_s
        return EndpointMetrics(
            requests=self.requests,
            responses=self.responses,
            tokens=self.tokens,
            errors=errors,
            errors_by_code=dict(self.errors),
            error_rate=errors / ended if ended else None,
            requests_per_second=self.request_rate.per_second(now_s),
            responses_per_second=self.response_rate.per_second(now_s),
            tokens_per_second=self.token_rate.per_second(now_s),
            latency_mean_seconds=latency.total / self.responses if self.responses else None,
            latency_p95_seconds=quantile(latency.bounds, latency.counts, 0.95, self.latency_most_s),
        )
