"""A local worker's clocks: which of its replies are late, and whether it lives at all. Pure.

One timer a worker turns this, and only while replies are under way. Silence is counted in turns of the
parent's loop, not read off a clock: a machine that slept, or a parent that was held up, accuses nobody. A
reply whose reader has all it may have (no credit left) waits for the reader, so its clock stands still.
"""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

from headrace.errors import HeadraceError, StreamTimeoutException

R = TypeVar("R")


class WorkerClocks(msgspec.Struct, frozen=True):
    """How long a worker may be silent, in seconds.

    load_s: until the engine is loaded. first_token_s: of a reply before its first content; idle_s: after it.
    Both begin anew with every sign of life, such as a step of reading the prompt. answer_s: of the whole
    process, which answers a ping every tick_s whatever the engine is at. stop_s: from a cancel to its end.
    """

    load_s: float = 600.0
    first_token_s: float = 300.0
    idle_s: float = 120.0
    answer_s: float = 10.0
    stop_s: float = 60.0
    tick_s: float = 1.0


class Watched(Generic[R]):
    """One reply under way."""

    __slots__ = ("begun", "credit", "quiet_s", "reader", "stopping")

    def __init__(self, reader: R, credit: int) -> None:
        self.reader = reader
        self.credit = credit
        self.quiet_s = 0.0  # since its last sign of life, or since it was told to stop
        self.begun = self.stopping = False


class Late(msgspec.Struct, frozen=True):
    """Reply `id` was silent for too long."""

    id: int
    error: HeadraceError


class Watch(Generic[R]):
    """The replies of one worker and how long they have been silent."""

    def __init__(self, clocks: WorkerClocks) -> None:
        self.replies: dict[int, Watched[R]] = {}
        self._clocks = clocks
        self._silent_s = 0.0

    @property
    def silent_s(self) -> float:
        """How long the process has not said a word though it was asked. Below two ticks nothing is wrong."""
        return self._silent_s

    def begin(self, id: int, reader: R, credit: int) -> None:
        """Reply `id` is under way."""
        if not self.replies:
            self._silent_s = 0.0
        self.replies[id] = Watched(reader, credit)

    def heard(self) -> None:
        """Bytes came from the worker."""
        self._silent_s = 0.0

    def progress(self, id: int) -> None:
        """A sign of life of one reply."""
        reply = self.replies.get(id)
        if reply is not None and not reply.stopping:
            reply.quiet_s = 0.0

    def granted(self, id: int, more: int) -> None:
        """Its reader takes `more` chunks."""
        reply = self.replies.get(id)
        if reply is not None:
            reply.credit += more
            self.progress(id)

    def stopped(self, id: int) -> None:
        """It was told to stop: from now on its end is waited for."""
        reply = self.replies.get(id)
        if reply is not None and not reply.stopping:
            reply.stopping, reply.quiet_s = True, 0.0

    def tick(self) -> tuple[list[Late], str]:
        """`tick_s` have passed: who is late now, and why the process must end ("" where not)."""
        self._silent_s += self._clocks.tick_s
        if self._silent_s >= self._clocks.answer_s:
            return [], f"the local engine's process has not answered for {self._silent_s:g} s"
        late: list[Late] = []
        for id, reply in self.replies.items():
            if reply.credit > 0 or reply.stopping:
                reply.quiet_s += self._clocks.tick_s
            if reply.stopping:
                if reply.quiet_s >= self._clocks.stop_s:
                    text = f"the local engine did not stop a reply in {reply.quiet_s:g} s"
                    return late, text
            elif (error := self._lateness(reply)) is not None:
                late.append(Late(id, error))
        return late, ""

    def _lateness(self, reply: Watched[R]) -> HeadraceError | None:
        clock = "idle" if reply.begun else "first_token"
        limit_s = self._clocks.idle_s if reply.begun else self._clocks.first_token_s
        if reply.quiet_s < limit_s:
            return None
        text = f"the local engine gave no sign of life for {limit_s:g} s ({clock} clock)"
        return StreamTimeoutException(text, code=clock)
