"""One answer's place among the others: its ticket, its pace, and what it took when it has ended."""

from __future__ import annotations

from typing import Any

from headrace.core.estimate import estimated_usage
from headrace.core.model import Source
from headrace.core.request import Request
from headrace.metrics.counters import Tally
from headrace.server.door import Door
from headrace.server.keys import Key
from headrace.sessions.admission import Ticket
from headrace.sessions.pace import PacedSource
from headrace.sessions.produce import Report
from headrace.transport.wheel import Wheel


class Place:
    """Made when the answer is let in; `report` is called once, when it has ended."""

    __slots__ = ("_door", "_estimate_tokens", "_key", "_report", "_ticket")

    def __init__(self, door: Door, report: Report, ticket: Ticket, key: Key, request: Request) -> None:
        self._door = door
        self._report = report
        self._ticket = ticket
        self._key = key
        counted = door.counts_tokens(key)
        # Where nobody tells what an answer took: the prompt by our rule of thumb, and the answer not at all.
        self._estimate_tokens = estimated_usage(request).input_tokens if counted else -1

    def waiting(self, source: Source[Any], wheel: Wheel) -> Source[Any]:
        """The source to start in this one's place: it waits for its turn, and keeps the key's pace."""
        events_per_s = self._door.bounds_of(self._key).events_per_s
        if events_per_s is not None:
            source = PacedSource(source, events_per_s, wheel)
        return self._ticket.waiting(source)

    def report(self, tally: Tally) -> None:
        """The answer has ended: the place is free."""
        tally = self._ticket.ended(tally)
        if self._estimate_tokens >= 0:
            usage = tally.usage
            self._door.spend(self._key, usage.total_tokens if usage is not None else self._estimate_tokens)
        self._report(tally)
