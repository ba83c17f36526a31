"""What the server has done since it began, as plain numbers."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Any

import msgspec

from headrace.core.chunk import Cancelled, Failure, Finish, Terminal
from headrace.core.usage import Usage
from headrace.metrics.clock import StreamClock
from headrace.metrics.histogram import TTFT_BUCKETS_S


class Tally(msgspec.Struct, frozen=True):
    """One answered request for a model.

    ttft_s: from the whole request read to the first content out, None where none came. usage: None where
    nobody told. lost: the client went away first. relayed: frames passed through without re-encoding.
    clock: of a streamed answer, read at its end. queue_s: how long it waited for its turn, within duration_s
    and ttft_s; None where it did not wait.
    """

    model: str
    terminal: Terminal
    duration_s: float
    ttft_s: float | None = None
    usage: Usage | None = None
    lost: bool = False
    relayed: bool = False
    clock: StreamClock | None = None
    queue_s: float | None = None


@dataclass(slots=True)
class Counters:
    """Totals. ttft_counts: how many first contents came within each of `TTFT_BUCKETS_S`, and beyond.

    requests: of any kind; answers: of models. lost: answers that ended because their client went away;
    disconnects: responses of any kind that their client did not wait for. resumed: streams read again.
    """

    requests: int = 0
    refused: int = 0
    answers: int = 0
    relayed: int = 0
    finished: int = 0
    failed: int = 0
    cancelled: int = 0
    lost: int = 0
    disconnects: int = 0
    resumed: int = 0
    bytes_out: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    usage_unknown: int = 0
    queued: int = 0
    queue_sum_s: float = 0.0
    ttft_sum_s: float = 0.0
    ttft_counts: list[int] = field(default_factory=lambda: [0] * (len(TTFT_BUCKETS_S) + 1))

    def add(self, tally: Tally) -> None:
        """Count one answer."""
        self.answers += 1
        self.relayed += tally.relayed
        self.lost += tally.lost
        self.finished += isinstance(tally.terminal, Finish)
        self.failed += isinstance(tally.terminal, Failure)
        self.cancelled += isinstance(tally.terminal, Cancelled)
        if tally.queue_s is not None:
            self.queued += 1
            self.queue_sum_s += tally.queue_s
        if tally.usage is None:
            self.usage_unknown += 1
        else:
            self.input_tokens += tally.usage.input_tokens
            self.output_tokens += tally.usage.output_tokens
        if tally.ttft_s is not None:
            self.ttft_sum_s += tally.ttft_s
            self.ttft_counts[bisect_left(TTFT_BUCKETS_S, tally.ttft_s)] += 1

    def as_data(self) -> dict[str, Any]:
        """The totals as plain data."""
        return {name: getattr(self, name) for name in self.__slots__}
