"""What Prometheus scrapes: the totals as OpenMetrics text by its own client; loaded when asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import copy
from math import inf
from typing import NamedTuple

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST, generate_latest

from headrace.metrics.counters import Counters
from headrace.metrics.histogram import Histogram
from headrace.metrics.names import COUNTERS, GAUGES, HISTOGRAMS, LABELS, TOTALS, Live
from headrace.metrics.totals import Key, Totals, TotalsTable

CONTENT_TYPE = CONTENT_TYPE_LATEST


class Snapshot(NamedTuple):
    """All figures of one moment. Taken in the thread that counts; written in any."""

    counters: Counters
    totals: list[tuple[Key, Totals]]
    live: Live


def snapshot(counters: Counters, totals: TotalsTable, live: Live) -> Snapshot:
    """The figures now: about 10 us for each key."""
    return Snapshot(copy(counters), [(key, sums.copied()) for key, sums in totals], live)


def text_of(figures: Snapshot) -> bytes:
    """They as text of the type `CONTENT_TYPE`. A full table takes hundreds of milliseconds: not on a loop."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(figures))
    text: bytes = generate_latest(registry)  # type: ignore[no-untyped-call]
    return text


class _Collector:
    """What the client's registry asks."""

    def __init__(self, figures: Snapshot) -> None:
        self._figures = figures

    def describe(self) -> Iterable[Metric]:
        """Nothing in advance: no other collector is here."""
        return ()

    def collect(self) -> Iterator[Metric]:
        counters, totals, live = self._figures
        for row in COUNTERS:
            yield CounterMetricFamily(row.name, row.says, value=row.value(counters))
        for gauge in GAUGES:
            value = gauge.value(live)
            if value is not None:
                yield GaugeMetricFamily(gauge.name, gauge.says, value=value)
        for total in TOTALS:
            family = CounterMetricFamily(total.name, total.says, labels=LABELS)
            for key, sums in totals:
                family.add_metric(key, total.value(sums))
            yield family
        for histogram in HISTOGRAMS:
            filled = HistogramMetricFamily(histogram.name, histogram.says, labels=LABELS)
            for key, sums in totals:
                values = histogram.value(sums)
                if values.count:
                    filled.add_metric(key, list(_buckets(values)), values.total)
            yield filled


def _buckets(values: Histogram) -> Iterator[tuple[str, float]]:
    """(upper bound, how many are not above it)."""
    below = 0
    for bound, count in zip((*values.bounds, inf), values.counts, strict=True):
        below += count
        yield "+Inf" if bound == inf else str(bound), below
