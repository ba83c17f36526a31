"""How many answers are made at once, and what waits for its turn: a place, a deadline, a bound.

A `Ticket` stands between a source and whoever consumes it only until it starts: it is the source that the
consumer starts, and when its turn comes it starts the real one with the consumer itself as its sink. What
does not wait is the real source.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from headrace.config.door import DEFAULT_PRIORITY, QueueSettings
from headrace.core.chunk import Cancelled, Failure
from headrace.core.model import Sink, Source
from headrace.errors import RateLimited, StreamTimeoutException
from headrace.metrics.counters import Tally
from headrace.sessions.ending import INTERNAL
from headrace.sessions.queue import FairQueue
from headrace.transport.wheel import Deadline, Wheel

logger = logging.getLogger("headrace.server")
_SMOOTHING = 0.1  # of the mean time that an answer takes
_LONGEST_RETRY_S = 60.0


class Claim(NamedTuple):
    """Who asks for an answer, and how.

    owner: takes turns with others. priority: 0 first, 9 last. wait_s: for its turn at most, None: as long as
    the queue lets anybody. max_streams: of this owner at once; None: no bound. size: of the request, in
    bytes; it is held while it waits.
    """

    owner: str = ""
    priority: int = DEFAULT_PRIORITY
    wait_s: float | None = None
    max_streams: int | None = None
    size: int = 0


class Ticket:
    """One answer's place, from the asking to its end."""

    __slots__ = (
        "_admission",
        "_deadline",
        "_done",
        "_held",
        "_inner",
        "_sink",
        "_taken_s",
        "claim",
        "model",
        "queue_s",
    )

    def __init__(self, admission: Admission, model: str, claim: Claim) -> None:
        self._admission = admission
        self.model = model
        self.claim = claim
        self.queue_s: float | None = None
        self._inner: Source[Any] | None = None
        self._sink: Sink[Any] | None = None
        self._deadline: Deadline | None = None
        self._taken_s: float | None = None  # when its turn came
        self._done = False
        self._held = False

    def waiting(self, source: Source[Any]) -> Source[Any]:
        """The source to start: the given one, where it need not wait."""
        if self._taken_s is not None:
            return source
        self._inner = source
        return self

    def ended(self, tally: Tally) -> Tally:
        """The answer has ended, whoever ended it: the place is free. Gives the tally with the time waited."""
        if not self._done:
            self._done = True
            self._drop_deadline()
            self._admission.left(self, self._taken_s)
        return msgspec.structs.replace(tally, queue_s=self.queue_s) if self.queue_s is not None else tally

    # As a source that waits.

    def start(self, sink: Sink[Any], /) -> None:
        self._sink = sink
        self._deadline = self._admission.wheel.after(self._admission.wait_s(self.claim), self._too_late)

    def pause(self) -> None:
        self._held = True
        if self._taken_s is not None and self._inner is not None:
            self._inner.pause()

    def resume(self) -> None:
        self._held = False
        if self._taken_s is not None and self._inner is not None:
            self._inner.resume()

    def cancel(self) -> None:
        if self._taken_s is not None and self._inner is not None:
            self._inner.cancel()
        else:
            self._end(Cancelled())

    # What the admission calls.

    def take(self, now_s: float, waited_s: float | None) -> None:
        """Its turn has come. waited_s: None where it did not wait."""
        self._taken_s = now_s
        self.queue_s = waited_s
        self._drop_deadline()
        inner, sink = self._inner, self._sink
        self._sink = None
        if sink is None or inner is None:
            return
        try:
            inner.start(sink)
        except Exception:  # whoever is next must not suffer from it
            logger.exception("an answer of %s could not begin", self.model)
            self._inner = None
            asyncio.get_running_loop().call_soon(inner.cancel)  # it may have begun all the same
            sink.end(INTERNAL)
        else:
            if self._held:
                inner.pause()

    def _too_late(self) -> None:
        waited_s = self._admission.wait_s(self.claim)
        message = f"the model was busy for {waited_s:g} s: try again later, or wait longer"
        self._end(Failure.of(StreamTimeoutException(message, code="queue_deadline", http_status=504)))

    def _end(self, terminal: Cancelled | Failure) -> None:
        self._drop_deadline()
        sink, self._sink = self._sink, None
        if sink is not None:
            sink.end(terminal)  # whose report gives the place back

    def _drop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class Admission:
    """Places for answers. Belongs to one event loop. wheel: gives that loop's deadlines."""

    def __init__(self, settings: QueueSettings, wheel: Callable[[], Wheel]) -> None:
        self._settings = settings
        self._wheel = wheel
        self._queue: FairQueue[Ticket] = FairQueue(settings.ageing_turns)
        self._since_s: dict[Ticket, float] = {}
        self._waiting_bytes = 0
        self._of_model: Counter[str] = Counter()
        self._of_owner: Counter[str] = Counter()
        self._running = 0
        self._mean_s = 1.0
        self._turning = False

    @property
    def wheel(self) -> Wheel:
        return self._wheel()

    @property
    def running(self) -> int:
        """Answers that are being made."""
        return self._running

    @property
    def waiting(self) -> int:
        """Answers that wait for a place."""
        return len(self._queue)

    def admit(self, model: str, claim: Claim) -> Ticket:
        """A place, now or later. Whoever has a ticket lets it end.

        Raises RateLimited where the owner has enough under way, or too many wait.
        """
        self._check(claim)
        ticket = Ticket(self, model, claim)
        # Unless others are about to be let in, whoever waits waits for another model.
        if not self._turning and self._may_go(model):
            self._begin(ticket, None)
        else:
            self._check_room(claim)
            self._queue.add(ticket, model=model, priority=claim.priority, owner=claim.owner)
            self._since_s[ticket] = self.wheel.now_s()
            self._waiting_bytes += claim.size
        self._of_owner[claim.owner] += 1
        return ticket

    def wait_s(self, claim: Claim) -> float:
        """How long it may wait."""
        most = self._settings.max_wait_s
        return most if claim.wait_s is None else min(claim.wait_s, most)

    def left(self, ticket: Ticket, taken_s: float | None) -> None:
        """A ticket is done with. taken_s: when its turn came; None where it never did."""
        claim = ticket.claim
        _less(self._of_owner, claim.owner)
        if taken_s is None:
            self._queue.remove(ticket, model=ticket.model, priority=claim.priority, owner=claim.owner)
            self._waited_s(ticket)
            return
        self._running -= 1
        _less(self._of_model, ticket.model)
        self._mean_s += _SMOOTHING * (self.wheel.now_s() - taken_s - self._mean_s)
        if len(self._queue):
            self._turn_soon()

    def _check(self, claim: Claim) -> None:
        most = claim.max_streams
        if most is not None and self._of_owner[claim.owner] >= most:
            message = f"{most} answers of yours are under way, which is as many as may be: let one end first"
            raise RateLimited(message, code="too_many_streams", retry_after_s=self._retry_after_s())

    def _check_room(self, claim: Claim) -> None:
        settings = self._settings
        if len(self._queue) >= settings.max_waiting:
            message = f"{len(self._queue)} requests wait already: try again later"
        elif self._waiting_bytes + claim.size > settings.max_waiting_bytes:
            held = f"{self._waiting_bytes} of at most {settings.max_waiting_bytes} bytes"
            message = f"the requests that wait hold {held}, and this one has {claim.size}: try again later"
        else:
            return
        raise RateLimited(message, code="queue_full", retry_after_s=self._retry_after_s())

    def _may_go(self, model: str) -> bool:
        settings = self._settings
        if self._running >= settings.max_streams:
            return False
        most = settings.models.get(model)
        return most is None or self._of_model[model] < most

    def _begin(self, ticket: Ticket, waited_s: float | None) -> None:
        self._running += 1
        self._of_model[ticket.model] += 1
        ticket.take(self.wheel.now_s(), waited_s)

    def _turn_soon(self) -> None:
        """Not inside the end of another's answer, which must not suffer from what begins here."""
        if not self._turning:
            self._turning = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        self._turning = False
        while (ticket := self._queue.take(self._may_go)) is not None:
            self._begin(ticket, self._waited_s(ticket))

    def _waited_s(self, ticket: Ticket) -> float:
        """It waits no longer."""
        self._waiting_bytes -= ticket.claim.size
        return self.wheel.now_s() - self._since_s.pop(ticket)

    def _retry_after_s(self) -> float:
        """About when a place will be free: what an answer takes."""
        return float(min(max(math.ceil(self._mean_s), 1), _LONGEST_RETRY_S))


def _less(counter: Counter[str], name: str) -> None:
    """One less; what is at nothing is forgotten, so that names do not pile up."""
    if counter[name] <= 1:
        del counter[name]
    else:
        counter[name] -= 1
