"""The clocks of one answer, on one deadline of the shared wheel: what a chunk costs is noting the time."""

from __future__ import annotations

from collections.abc import Callable

from headrace.config import Clocks
from headrace.core.chunk import Failure
from headrace.errors import StreamTimeoutException
from headrace.transport.wheel import Deadline, Wheel


class AnswerClock:
    """first_token, then idle, and total beside them. (The connect clock is the transport's.)

    Set `since_s` to the wheel's time at each piece; call `answering` at the first token, `pause` and `resume`
    with the reader, `stop` at the end. `expired(failure)` is called once, at most. While paused, first_token
    and idle stand still.
    """

    __slots__ = (
        "_clocks",
        "_code",
        "_deadline",
        "_end_s",
        "_expired",
        "_limit_s",
        "_paused_s",
        "_wheel",
        "since_s",
    )

    def __init__(self, wheel: Wheel, clocks: Clocks, expired: Callable[[Failure], None]) -> None:
        self._wheel = wheel
        self._clocks = clocks
        self._expired = expired
        self.since_s = wheel.now_s()
        self._end_s = self.since_s + clocks.total_s
        self._code = "first_token"
        self._limit_s = clocks.first_token_s
        self._paused_s: float | None = None
        self._deadline: Deadline | None = None
        self._file()

    def answering(self) -> None:
        """The first token came: from now on the idle clock runs."""
        self._code, self._limit_s = "idle", self._clocks.idle_s
        self.since_s = self._wheel.now_s()
        if self._deadline is not None:
            self._deadline.cancel()
        self._file()

    def pause(self) -> None:
        """The reader does not want more now."""
        if self._paused_s is None:
            self._paused_s = self._wheel.now_s()

    def resume(self) -> None:
        """It does again; the time between does not count."""
        if self._paused_s is not None:
            self.since_s += self._wheel.now_s() - self._paused_s
            self._paused_s = None

    def stop(self) -> None:
        """The answer has ended."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _due_s(self) -> float:
        # A touch during a pause (bytes that had been read) lies behind its begin: count from the later.
        paused_s = 0.0 if self._paused_s is None else self._wheel.now_s() - max(self._paused_s, self.since_s)
        return self.since_s + paused_s + self._limit_s

    def _file(self) -> None:
        self._deadline = self._wheel.at(min(self._due_s(), self._end_s), self._look)

    def _look(self) -> None:
        """The deadline as it was filed is reached: it may have moved since."""
        self._deadline = None
        now_s = self._wheel.now_s()
        if now_s >= self._end_s:
            self._expired(_timeout("total", self._clocks.total_s))
        elif self._paused_s is None and now_s >= self._due_s():
            self._expired(_timeout(self._code, self._limit_s))
        else:
            self._file()


def _timeout(code: str, seconds: float) -> Failure:
    what = {
        "first_token": f"no token within {seconds:g} s",
        "idle": f"nothing for {seconds:g} s in the middle of the answer",
        "total": f"the answer is not complete after {seconds:g} s",
    }[code]
    return Failure.of(StreamTimeoutException(what, code=code))
