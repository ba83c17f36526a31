"""Totals by (model, protocol, outcome): of bounded number, whatever clients ask for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from copy import copy
from typing import NamedTuple

from headrace.core.outcome import Outcome, outcome_of
from headrace.metrics.counters import Tally
from headrace.metrics.figures import Figures
from headrace.metrics.histogram import DURATION_BUCKETS_S, GAP_BUCKETS_S, TTFT_BUCKETS_S, Histogram

OTHER = "other"
MOST_MODELS = 50
MOST_SERIES = 200
_HISTOGRAMS = ("duration_s", "ttfb_s", "ttft_s", "first_answer_s", "gap_s", "tpot_s", "queue_s")


class Key(NamedTuple):
    """What totals are told apart by."""

    model: str
    protocol: str
    outcome: Outcome


class Totals:
    """What the answers of one key add up to.

    answers: all of them; streams: those that were streamed, of which the figures are.
    """

    __slots__ = (
        "answers",
        "deadlines",
        "duration_s",
        "first_answer_s",
        "gap_s",
        "held_s",
        "input_tokens",
        "lost",
        "missed",
        "output_tokens",
        "pieces",
        "queue_s",
        "sent_bytes",
        "stalled_s",
        "stalls",
        "streams",
        "tpot_s",
        "ttfb_s",
        "ttft_s",
        "usage_unknown",
    )

    def __init__(self) -> None:
        self.answers = self.streams = self.lost = 0
        self.input_tokens = self.output_tokens = self.usage_unknown = 0
        self.pieces = self.sent_bytes = 0
        self.stalls = self.deadlines = self.missed = 0
        self.stalled_s = self.held_s = 0.0
        self.duration_s = Histogram(DURATION_BUCKETS_S)
        self.ttfb_s = Histogram(TTFT_BUCKETS_S)
        self.ttft_s = Histogram(TTFT_BUCKETS_S)
        self.first_answer_s = Histogram(TTFT_BUCKETS_S)
        self.gap_s = Histogram(GAP_BUCKETS_S)
        self.tpot_s = Histogram(GAP_BUCKETS_S)
        self.queue_s = Histogram(DURATION_BUCKETS_S)

    def add(self, tally: Tally, figures: Figures | None) -> None:
        """Count one answer. figures: where it was streamed."""
        self.answers += 1
        self.lost += tally.lost
        self.duration_s.add(tally.duration_s)
        if tally.queue_s is not None:
            self.queue_s.add(tally.queue_s)
        if tally.usage is None:
            self.usage_unknown += 1
        else:
            self.input_tokens += tally.usage.input_tokens
            self.output_tokens += tally.usage.output_tokens
        clock = tally.clock
        if clock is None or figures is None:
            return
        self.streams += 1
        self.pieces += clock.pieces
        self.sent_bytes += clock.sent_bytes
        self.stalls += clock.stalls
        self.stalled_s += clock.stalled_s
        self.deadlines += clock.deadlines
        self.missed += clock.missed
        self.held_s += clock.held_s
        self.gap_s.merge(clock.gap_counts, clock.gap_sum_s)
        for histogram, value in (
            (self.ttfb_s, figures.ttfb_s),
            (self.ttft_s, figures.ttft_s),
            (self.first_answer_s, figures.first_answer_s),
            (self.tpot_s, figures.tpot_s),
        ):
            if value is not None:
                histogram.add(value)

    def copied(self) -> Totals:
        """The same figures, which what is counted later does not change."""
        other = copy(self)
        for name in _HISTOGRAMS:
            setattr(other, name, getattr(self, name).copied())
        return other


class TotalsTable:
    """Totals by key.

    known: the models that the runtime knows. One that it does not know has a label of its own only once it
    has answered well; beyond `MOST_MODELS` models or `MOST_SERIES` keys, and for what clients invent, the
    model's label is `OTHER`.
    """

    def __init__(self, known: Callable[[], Collection[str]]) -> None:
        self._known = known
        self._models: set[str] = set()
        self._totals: dict[Key, Totals] = {}

    def __iter__(self) -> Iterator[tuple[Key, Totals]]:
        return iter(self._totals.items())

    def add(self, protocol: str, tally: Tally, figures: Figures | None) -> Key:
        """Count one answer; its key. protocol: one of the server's own names."""
        outcome = outcome_of(tally.terminal)
        key = Key(self._label(tally.model, outcome), protocol, outcome)
        totals = self._totals.get(key)
        if totals is None:
            if len(self._totals) >= MOST_SERIES:
                key = key._replace(model=OTHER)
            totals = self._totals.setdefault(key, Totals())
        totals.add(tally, figures)
        return key

    def _label(self, model: str, outcome: Outcome) -> str:
        if model in self._models:
            return model
        if len(self._models) >= MOST_MODELS or not (outcome == "finished" or model in self._known()):
            return OTHER
        self._models.add(model)
        return model
