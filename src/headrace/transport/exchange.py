"""One request on its way through the pool: the `Call` that its sender holds."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from headrace.core.chunk import Failure
from headrace.transport.http import Receiver
from headrace.transport.wheel import Deadline

if TYPE_CHECKING:
    from headrace.transport.connection import Connection
    from headrace.transport.lane import Lane

# A stale connection shows within a round trip. Later than this the far end may have begun the work, and the
# same request sent again could do it twice.
STALE_S = 1.0


class _Nobody:
    """Whom an ended exchange calls back."""

    def head(self, status: int, headers: Mapping[str, str], /) -> None: ...

    def data(self, data: bytes, /) -> None: ...

    def done(self) -> None: ...

    def lost(self, failure: Failure, /) -> None: ...


_NOBODY = _Nobody()


class Exchange:
    """Waits for a connection, is carried by one, and ends exactly once."""

    __slots__ = (
        "_connection",
        "_ended",
        "_lane",
        "_paused",
        "_request",
        "_sent_s",
        "answered",
        "connect_s",
        "deadline_s",
        "head_only",
        "receiver",
        "waiting",
    )

    def __init__(
        self, lane: Lane, receiver: Receiver, request: bytes, connect_s: float, *, head_only: bool
    ) -> None:
        self._lane = lane
        self._connection: Connection | None = None
        self._request: bytes | None = request  # until the first byte of an answer: it may go out twice
        self._sent_s = 0.0
        self._paused = False
        self._ended = False
        self.receiver: Receiver = receiver
        self.answered = False
        self.connect_s = connect_s
        self.deadline_s = lane.wheel.now_s() + connect_s
        self.head_only = head_only
        # While no connection carries it: its deadline in the lane's queue, or the task that connects.
        self.waiting: Deadline | asyncio.Task[None] | None = None

    @property
    def ended(self) -> bool:
        """Whether done or lost was called, or it was cancelled."""
        return self._ended

    def carry_on(self, connection: Connection) -> None:
        """Go out on `connection`."""
        request = self._request
        if request is None:
            raise RuntimeError("an answered request cannot go out again")
        self.waiting = None
        self._connection = connection
        self._sent_s = self._lane.wheel.now_s()
        connection.carry(self, request, head_only=self.head_only)
        if self._paused:
            connection.pause()

    def touched(self) -> None:
        """A byte came back: from here on the request is not sent again, and need not be kept."""
        self._request = None

    def again(self) -> bool:
        """The connection was lost before any byte came back; whether the request goes out once more."""
        if self._request is None or self._lane.wheel.now_s() - self._sent_s > STALE_S:
            return False
        self._connection = None
        self._lane.dial_for(self)
        return True

    def end(self, failure: Failure | None) -> None:
        """Call back done or lost, unless it has ended."""
        if self._ended:
            return
        self._ended = True
        receiver = self.receiver
        self._forget()
        if failure is None:
            receiver.done()
        else:
            receiver.lost(failure)

    def pause(self) -> None:
        self._paused = True
        if self._connection is not None:
            self._connection.pause()

    def resume(self) -> None:
        self._paused = False
        if self._connection is not None:
            self._connection.resume()

    def cancel(self) -> None:
        if self._ended:
            return
        self._ended = True
        connection, waiting = self._connection, self.waiting
        self._forget()
        if connection is not None:
            connection.abort()
        elif waiting is not None:
            waiting.cancel()
            self._lane.left(self)

    def _forget(self) -> None:
        self._connection = self.waiting = self._request = None
        self.receiver = _NOBODY  # a receiver holds its call: no cycle may keep both
