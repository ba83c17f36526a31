"""What is said of a stream: each figure with its unit in its name, None where there is nothing to measure."""

from __future__ import annotations

import msgspec

from headrace.core.usage import Usage
from headrace.metrics.clock import StreamClock
from headrace.metrics.histogram import GAP_BUCKETS_S, quantile


class Figures(msgspec.Struct, frozen=True):
    """One stream in numbers. Times count from the whole request; seconds.

    ttfb_s: the client's first bytes. first_chunk_s: the source's first piece of any kind. ttft_s: the first
    content. first_answer_s: the first content that is no reasoning. duration_s: until the end, or until now.
    pieces: of content that came. gap_*_s: between pieces; p50 and p95 no finer than `GAP_BUCKETS_S`.
    tpot_s: the mean time per token after the first. tokens_per_second: its inverse.
    jitter_s: the mean of |gap - the gap before it|. stalls: gaps above `Targets.stall_s`; stalled_s: their
    sum. fluidity: the share of deadlines kept, see `Targets`. holds, held_s: how often and how long the
    source waited for its readers or its log. sent_bytes: of the protocol's body.
    """

    duration_s: float
    ttfb_s: float | None = None
    first_chunk_s: float | None = None
    ttft_s: float | None = None
    first_answer_s: float | None = None
    pieces: int = 0
    gap_mean_s: float | None = None
    gap_p50_s: float | None = None
    gap_p95_s: float | None = None
    gap_most_s: float | None = None
    tpot_s: float | None = None
    tokens_per_second: float | None = None
    jitter_s: float | None = None
    stalls: int = 0
    stalled_s: float = 0.0
    fluidity: float | None = None
    holds: int = 0
    held_s: float = 0.0
    sent_bytes: int = 0


def figures_of(clock: StreamClock, until_s: float, usage: Usage | None) -> Figures:
    """The figures of a stream at `until_s`, on the clock's own time. usage: where somebody has told it."""
    began_s = clock.began_s
    counts = clock.gap_counts
    gaps = sum(counts)
    tpot_s = _tpot_s(clock, usage)
    return Figures(
        until_s - began_s,
        _since(began_s, clock.first_bytes_s),
        _since(began_s, clock.first_chunk_s),
        _since(began_s, clock.first_content_s),
        _since(began_s, clock.first_answer_s),
        clock.pieces,
        clock.gap_sum_s / gaps if gaps else None,
        quantile(GAP_BUCKETS_S, counts, 0.5, clock.gap_most_s),
        quantile(GAP_BUCKETS_S, counts, 0.95, clock.gap_most_s),
        clock.gap_most_s if gaps else None,
        tpot_s,
        1.0 / tpot_s if tpot_s else None,
        clock.jitter_sum_s / clock.jitter_count if clock.jitter_count else None,
        clock.stalls,
        clock.stalled_s,
        1.0 - clock.missed / clock.deadlines if clock.deadlines else None,
        clock.holds,
        clock.held_s,
        clock.sent_bytes,
    )


def _since(began_s: float, at_s: float | None) -> float | None:
    return None if at_s is None else at_s - began_s


def _tpot_s(clock: StreamClock, usage: Usage | None) -> float | None:
    """Seconds a token behind the first, less what the source was held.

    Tokens are those that the model told; where none are told, or none reasoned where we could see it, a piece
    counts as a token.
    """
    first_s, last_s = clock.first_content_s, clock.last_content_s
    tokens = streamed_tokens(clock, usage)
    if first_s is None or last_s is None or tokens < 2 or last_s <= first_s:
        return None
    return (last_s - first_s - clock.held_between_s) / (tokens - 1)


def streamed_tokens(clock: StreamClock, usage: Usage | None) -> int:
    """How many tokens came as content: not the reasoning that usage tells of and nobody saw."""
    if usage is None or not usage.output_tokens:
        return clock.pieces
    if usage.reasoning_tokens and clock.first_answer_s == clock.first_content_s:
        return usage.output_tokens - usage.reasoning_tokens
    return usage.output_tokens
