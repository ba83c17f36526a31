"""What Prometheus scrapes: the totals as OpenMetrics text by its own client; loaded when asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from math import inf

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST, generate_latest

from headrace.metrics.counters import Counters
from headrace.metrics.histogram import Histogram
from headrace.metrics.names import COUNTERS, GAUGES, HISTOGRAMS, LABELS, TOTALS, Live
from headrace.metrics.totals import TotalsTable

CONTENT_TYPE = CONTENT_TYPE_LATEST


class Exposition:
    """Writes what it is given to read; nothing is kept beside the totals themselves."""

    def __init__(self, counters: Counters, totals: TotalsTable, live: Callable[[], Live]) -> None:
        self._counters = counters
        self._totals = totals
        self._live = live
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def text(self) -> bytes:
        """All of it now, of the type `CONTENT_TYPE`."""
        text: bytes = generate_latest(self._registry)  # type: ignore[no-untyped-call]
        return text

    def collect(self) -> Iterator[Metric]:
        """What the client's registry asks for."""
        live = self._live()
        for row in COUNTERS:
            yield CounterMetricFamily(row.name, row.says, value=row.value(self._counters))
        for gauge in GAUGES:
            value = gauge.value(live)
            if value is not None:
                yield GaugeMetricFamily(gauge.name, gauge.says, value=value)
        for total in TOTALS:
            family = CounterMetricFamily(total.name, total.says, labels=LABELS)
            for key, sums in self._totals:
                family.add_metric(key, total.value(sums))
            yield family
        for histogram in HISTOGRAMS:
            filled = HistogramMetricFamily(histogram.name, histogram.says, labels=LABELS)
            for key, sums in self._totals:
                values = histogram.value(sums)
                if values.count:
                    filled.add_metric(key, list(_buckets(values)), values.total)
            yield filled

    def describe(self) -> Iterable[Metric]:
        """Nothing in advance: the names are fixed and no other collector is here."""
        return ()


def _buckets(values: Histogram) -> Iterator[tuple[str, float]]:
    """(upper bound, how many are not above it)."""
    below = 0
    for bound, count in zip((*values.bounds, inf), values.counts, strict=True):
        below += count
        yield "+Inf" if bound == inf else str(bound), below
