"""Every figure that a server gives to Prometheus, a row each: what the collector and the reference read."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from headrace.metrics.counters import Counters
from headrace.metrics.histogram import Histogram
from headrace.metrics.totals import Totals


class Live(NamedTuple):
    """What is so just now. log_bytes: None where the log does not know."""

    requests: int
    streams: int
    readers: int
    queued: int
    log_bytes: int | None


class CounterRow(NamedTuple):
    """A total of the whole server, by its name without "_total"."""

    name: str
    says: str
    value: Callable[[Counters], float]


class TotalRow(NamedTuple):
    """A total by model, protocol and outcome."""

    name: str
    says: str
    value: Callable[[Totals], float]


class HistogramRow(NamedTuple):
    """A histogram by model, protocol and outcome."""

    name: str
    says: str
    value: Callable[[Totals], Histogram]


class GaugeRow(NamedTuple):
    """What is so just now."""

    name: str
    says: str
    value: Callable[[Live], float | None]


LABELS = ("model", "protocol", "outcome")
COUNTERS = (
    CounterRow("headrace_requests", "Requests of any kind.", lambda all: all.requests),
    CounterRow("headrace_refused_requests", "Requests that could not be read.", lambda all: all.refused),
    CounterRow("headrace_relayed_answers", "Answers whose frames passed unchanged.", lambda all: all.relayed),
    CounterRow(
        "headrace_disconnects", "Responses that the client did not wait for.", lambda all: all.disconnects
    ),
    CounterRow("headrace_resumes", "Streams read again by their id.", lambda all: all.resumed),
    CounterRow("headrace_response_bytes", "Bytes of response bodies.", lambda all: all.bytes_out),
)
GAUGES = (
    GaugeRow("headrace_live_requests", "Requests that are being answered.", lambda live: live.requests),
    GaugeRow("headrace_live_streams", "Streams that are being made.", lambda live: live.streams),
    GaugeRow("headrace_live_readers", "Clients that read them.", lambda live: live.readers),
    GaugeRow("headrace_queued_answers", "Answers that wait for their turn.", lambda live: live.queued),
    GaugeRow("headrace_log_bytes", "Bytes of records in the log of streams.", lambda live: live.log_bytes),
)
TOTALS = (
    TotalRow("headrace_answers", "Answers of models, streamed or whole.", lambda sum: sum.answers),
    TotalRow("headrace_streams", "Streamed answers.", lambda sum: sum.streams),
    TotalRow("headrace_lost_answers", "Answers that ended because their client left.", lambda sum: sum.lost),
    TotalRow("headrace_input_tokens", "Tokens of prompts, as reported.", lambda sum: sum.input_tokens),
    TotalRow("headrace_output_tokens", "Tokens of answers, as reported.", lambda sum: sum.output_tokens),
    TotalRow(
        "headrace_usage_unknown_answers", "Answers without reported tokens.", lambda sum: sum.usage_unknown
    ),
    TotalRow("headrace_pieces", "Pieces of content that were streamed.", lambda sum: sum.pieces),
    TotalRow(
        "headrace_stream_bytes", "Bytes of streams, without the events' ids.", lambda sum: sum.sent_bytes
    ),
    TotalRow("headrace_stalls", "Gaps above the bound of a stall.", lambda sum: sum.stalls),
    TotalRow("headrace_stalled_seconds", "Seconds of those gaps.", lambda sum: sum.stalled_s),
    TotalRow(
        "headrace_held_seconds", "Seconds that sources waited for readers or the log.", lambda sum: sum.held_s
    ),
    TotalRow("headrace_deadlines", "Deadlines of pieces; see fluidity.", lambda sum: sum.deadlines),
    TotalRow("headrace_missed_deadlines", "Those that were missed.", lambda sum: sum.missed),
)
HISTOGRAMS = (
    HistogramRow(
        "headrace_time_to_first_byte_seconds", "Until the client's first bytes.", lambda sum: sum.ttfb_s
    ),
    HistogramRow("headrace_time_to_first_token_seconds", "Until the first content.", lambda sum: sum.ttft_s),
    HistogramRow(
        "headrace_time_to_first_answer_seconds",
        "Until the first content that is no reasoning.",
        lambda sum: sum.first_answer_s,
    ),
    HistogramRow("headrace_queue_seconds", "Of those that waited for their turn.", lambda sum: sum.queue_s),
    HistogramRow("headrace_gap_seconds", "Between two pieces of content.", lambda sum: sum.gap_s),
    HistogramRow("headrace_time_per_output_token_seconds", "Mean of one stream.", lambda sum: sum.tpot_s),
    HistogramRow(
        "headrace_answer_duration_seconds", "From the whole request to the end.", lambda sum: sum.duration_s
    ),
)
