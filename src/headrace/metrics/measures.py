"""What is done with each answer when it has ended: it is counted, and told to whoever wants to know."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Sequence
from typing import TypeAlias

import msgspec

from headrace.metrics.clock import TARGETS, Targets
from headrace.metrics.counters import Counters, Tally
from headrace.metrics.figures import Figures, figures_of
from headrace.metrics.totals import TotalsTable

logger = logging.getLogger("headrace.metrics")


class Call(msgspec.Struct, frozen=True):
    """What was asked, for whoever accounts for it. Nothing of the prompt.

    id: of the answer, and of its stream. model: its id; asked: as the client named it. protocol: the front's
    name. owner: whose model it is, a provider's name. request_id: of the exchange. traceparent: of the
    request, as sent (W3C Trace Context).
    """

    id: str
    model: str
    asked: str
    protocol: str
    owner: str = ""
    request_id: str = ""
    traceparent: str = ""


class Ended(msgspec.Struct, frozen=True):
    """One answer that has ended. label: the model's, of bounded number. figures: where it was streamed.
    ended_s: Unix seconds."""

    call: Call
    tally: Tally
    label: str
    figures: Figures | None
    ended_s: float


Watcher: TypeAlias = Callable[[Ended], None]


class Measures:
    """Counts every answer of a server, and tells its watchers.

    counters: the plain totals. totals: by model, protocol and outcome. A watcher that raises is logged and
    harms no stream. known: see `TotalsTable`. now_s: Unix seconds.
    """

    def __init__(
        self,
        known: Callable[[], Collection[str]],
        targets: Targets = TARGETS,
        watchers: Sequence[Watcher] = (),
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self.counters = Counters()
        self.totals = TotalsTable(known)
        self.targets = targets
        self._watchers = tuple(watchers)
        self._now_s = now_s

    def account(self, call: Call) -> Callable[[Tally], None]:
        """What takes the tally of that call's answer."""
        return _Account(self, call)

    def add(self, call: Call, tally: Tally) -> None:
        """One answer has ended."""
        self.counters.add(tally)
        clock = tally.clock
        figures = None if clock is None else figures_of(clock, clock.began_s + tally.duration_s, tally.usage)
        key = self.totals.add(call.protocol, tally, figures)
        if not self._watchers:
            return
        ended = Ended(call, tally, key.model, figures, self._now_s())
        for watcher in self._watchers:
            try:
                watcher(ended)
            except Exception:
                logger.exception("a watcher of streams failed")


class _Account:
    __slots__ = ("_call", "_measures")

    def __init__(self, measures: Measures, call: Call) -> None:
        self._measures = measures
        self._call = call

    def __call__(self, tally: Tally) -> None:
        self._measures.add(self._call, tally)
