"""`StreamingMetricsTracker`: each stream token by token, by the same clock and totals as the server's own."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import get_args

import msgspec

from headrace.core.chunk import Failure, Finish, FinishReason, Terminal
from headrace.core.outcome import OUTCOMES, Outcome, outcome_of
from headrace.errors import StreamCancelledException
from headrace.metrics.clock import TARGETS, StreamClock, Targets
from headrace.metrics.counters import Tally
from headrace.metrics.figures import Figures, figures_of
from headrace.metrics.measures import Call, Measures, Watcher
from headrace.metrics.totals import TotalsTable

MOST_STREAMS = 10_000  # that have not ended: whoever forgets to end them holds no more
MOST_ENDED = 1000
MOST_CLIENTS = 1000
_REASONS = frozenset(get_args(FinishReason))


class StreamingMetrics(msgspec.Struct, frozen=True):
    """All streams together. outcomes: of those that have ended."""

    active: int
    outcomes: dict[Outcome, int]
    tokens: int


class ClientBehaviour(msgspec.Struct, frozen=True):
    """One client. tokens_before_cancel: the mean of the streams that it did not read to the end; None where
    it read all."""

    streams: int
    completed: int
    cancelled: int
    tokens: int
    tokens_before_cancel: float | None


class StreamingMetricsTracker:
    """The detailed figures of streams: the timing of tokens, jitter, smoothness, stalls, what clients do.

    A stream that is told of but was never started is a KeyError; one told to start twice begins anew. The
    latest `MOST_ENDED` streams and `MOST_CLIENTS` clients are kept.

    targets: what streams are measured against (`Figures.fluidity` is their smoothness). watchers: are told of
    every stream that has ended, such as `headrace.metrics.otel.otlp_telemetry(url)`. totals: by model, for
    `headrace.metrics.prometheus`. now_s: monotonic seconds.
    """

    def __init__(
        self,
        targets: Targets = TARGETS,
        watchers: Sequence[Watcher] = (),
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._measures = Measures(tuple, targets, watchers)
        self._now_s = now_s
        self._live: OrderedDict[str, _Stream] = OrderedDict()
        self._ended: OrderedDict[str, Figures] = OrderedDict()
        self._clients: OrderedDict[str, _Client] = OrderedDict()
        self._tokens = 0

    @property
    def totals(self) -> TotalsTable:
        """What ended streams add up to, by model and outcome."""
        return self._measures.totals

    def start_stream(
        self,
        stream_id: str,
        model: str,
        prompt_tokens: int | None = None,
        temperature: float | None = None,
        max_tokens: int | None = None,
        client_id: str = "",
    ) -> None:
        """A stream has begun. Settings of its request are taken, as the documented call gives them; none of
        the figures depends on them."""
        clock = StreamClock(self._now_s(), self._now_s, self._measures.targets)
        self._live[stream_id] = _Stream(model, clock)
        self._live.move_to_end(stream_id)
        if len(self._live) > MOST_STREAMS:
            self._live.popitem(last=False)
        self._client(client_id).streams += 1

    def record_token(self, stream_id: str, token: str = "", *, reasoning: bool = False) -> None:
        """A token has come, now; its text is not kept. Raises KeyError."""
        clock = self._live[stream_id].clock
        clock.push(1, not reasoning)
        clock.sent_bytes += len(token.encode("utf-8", "surrogatepass"))
        self._tokens += 1

    def complete_stream(self, stream_id: str, finish_reason: str = "stop", client_id: str = "") -> None:
        """It has ended well. Raises KeyError."""
        known = finish_reason in _REASONS
        terminal = Finish(finish_reason if known else "stop", finish_reason)  # type: ignore[arg-type]
        self._end(stream_id, terminal, client_id)

    def cancel_stream(self, stream_id: str, error_message: str = "", client_id: str = "") -> None:
        """It has ended otherwise. Raises KeyError."""
        why = error_message or "the stream was cancelled"
        self._end(stream_id, Failure.of(StreamCancelledException(why)), client_id)

    def fail_stream(self, stream_id: str, failure: Failure, client_id: str = "") -> None:
        """It has failed: like `cancel_stream`, and the kind of the failure is told. Raises KeyError."""
        self._end(stream_id, failure, client_id)

    def get_stream_metrics(self, stream_id: str) -> Figures | None:
        """A stream's figures, until now or until its end; None where it is not known (any more)."""
        live = self._live.get(stream_id)
        if live is None:
            return self._ended.get(stream_id)
        return figures_of(live.clock, self._now_s(), None)

    def get_client_behaviour(self, client_id: str) -> ClientBehaviour | None:
        """What a client does with its streams; None where it is not known (any more)."""
        client = self._clients.get(client_id)
        return None if client is None else client.behaviour()

    def get_metrics(self) -> StreamingMetrics:
        """All streams together."""
        outcomes = dict.fromkeys(OUTCOMES, 0)
        for key, totals in self.totals:
            outcomes[key.outcome] += totals.streams
        return StreamingMetrics(len(self._live), outcomes, self._tokens)

    def _end(self, stream_id: str, terminal: Terminal, client_id: str) -> None:
        stream = self._live.pop(stream_id)
        clock = stream.clock
        until_s = clock.end()
        first_s = clock.first_content_s
        ttft_s = None if first_s is None else first_s - clock.began_s
        self._measures.add(
            Call(stream_id, stream.model, stream.model, ""),
            Tally(stream.model, terminal, until_s - clock.began_s, ttft_s, clock=clock),
        )
        self._ended[stream_id] = figures_of(clock, until_s, None)
        if len(self._ended) > MOST_ENDED:
            self._ended.popitem(last=False)
        self._client(client_id).count(outcome_of(terminal), clock.pieces)

    def _client(self, client_id: str) -> _Client:
        client = self._clients.setdefault(client_id, _Client())
        self._clients.move_to_end(client_id)
        if len(self._clients) > MOST_CLIENTS:
            self._clients.popitem(last=False)
        return client


class _Stream:
    __slots__ = ("clock", "model")

    def __init__(self, model: str, clock: StreamClock) -> None:
        self.model = model
        self.clock = clock


class _Client:
    """What one client did."""

    __slots__ = ("cancelled", "cancelled_tokens", "completed", "streams", "tokens")

    def __init__(self) -> None:
        self.streams = self.completed = self.cancelled = self.tokens = self.cancelled_tokens = 0

    def count(self, outcome: Outcome, tokens: int) -> None:
        self.tokens += tokens
        self.completed += outcome == "finished"
        if outcome == "cancelled":
            self.cancelled += 1
            self.cancelled_tokens += tokens

    def behaviour(self) -> ClientBehaviour:
        mean = self.cancelled_tokens / self.cancelled if self.cancelled else None
        return ClientBehaviour(self.streams, self.completed, self.cancelled, self.tokens, mean)
