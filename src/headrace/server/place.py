"""One answer's place among the others: its ticket, its pace, and what it took when it has ended."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any

from headrace.core.estimate import estimated_usage
from headrace.core.model import Source
from headrace.core.request import Request
from headrace.metrics.counters import Tally
from headrace.server.door import Door
from headrace.server.exchange import Exchange
from headrace.server.problem import failure_of
from headrace.sessions.admission import Admission, Claim
from headrace.sessions.pace import PacedSource
from headrace.sessions.produce import Report
from headrace.transport.wheel import Wheel


class Place:
    """Taken when the answer is let in; `report` gives it back, when the answer has ended.

    What is done between the two until the source runs is done `with` the place: where that raises, nobody
    else would give it back.
    Raises RateLimited where there is no place.
    """

    __slots__ = (
        "_began_s",
        "_door",
        "_estimate_tokens",
        "_key",
        "_report",
        "_source",
        "_ticket",
        "_wheel",
    )

    def __init__(
        self,
        door: Door,
        admission: Admission,
        exchange: Exchange,
        model: str,
        request: Request,
        claim: Claim,
        report: Report,
    ) -> None:
        self._door = door
        self._report: Report | None = report
        self._key = exchange.key
        self._wheel: Wheel = exchange.wheel
        self._began_s = exchange.began_s
        self._source: Source[Any] | None = None
        counted = door.counts_tokens(self._key)
        # Where nobody tells what an answer took: the prompt by our rule of thumb, and the answer not at all.
        self._estimate_tokens = estimated_usage(request).input_tokens if counted else -1
        self._ticket = admission.admit(model, claim)  # the last step: what raises before it holds no place

    def __enter__(self) -> Place:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        source, self._source = self._source, None
        if error is None:
            return
        duration_s = self._wheel.now_s() - self._began_s
        self.report(Tally(self._ticket.model, failure_of(error), duration_s))
        if source is not None:
            # It may have begun all the same; once the client has been told why.
            asyncio.get_running_loop().call_soon(source.cancel)

    def waiting(self, source: Source[Any]) -> Source[Any]:
        """The source to start in this one's place: it waits for its turn, and keeps the key's pace."""
        events_per_s = self._door.bounds_of(self._key).events_per_s
        if events_per_s is not None:
            source = PacedSource(source, events_per_s, self._wheel)
        self._source = found = self._ticket.waiting(source)
        return found

    def report(self, tally: Tally) -> None:
        """The answer has ended: the place is free. Told twice, the first counts."""
        report, self._report = self._report, None
        if report is None:
            return
        tally = self._ticket.ended(tally)
        if self._estimate_tokens >= 0:
            usage = tally.usage
            self._door.spend(self._key, usage.total_tokens if usage is not None else self._estimate_tokens)
        report(tally)
