"""A scripted transport: the same `send` as the pool's, no socket behind it. For tests, ours and our users'.

```python
fake = FakeSender(
    Play(status=429, headers={"retry-after": "2"}, body=b'{"error": {"message": "slow down"}}'),
    Play(body=[b'data: {"choices":[]}', b"\\n\\ndata: [DONE]\\n\\n"], headers=EVENT_STREAM),
)
source = provider_model(row, "gpt-4o", fake).open(request).source
```
Each request plays the next script, one step a loop turn, so every interleaving is the same each time.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import msgspec

from headrace.core.chunk import Failure
from headrace.transport.failures import connect_timeout, cut, unanswered, unavailable
from headrace.transport.http import CONNECT_S, HttpRequest, Receiver
from headrace.transport.url import parse_url
from headrace.transport.wheel import Wheel

EVENT_STREAM: Mapping[str, str] = {"content-type": "text/event-stream"}
End = Literal["done", "cut", "reset", "silence"]
Fault = Literal["connect_refused", "dns", "tls", "connect_timeout", "closed", "silence"]


class Play(msgspec.Struct, frozen=True):
    """One scripted exchange.

    fault: what happens instead of an answer; "silence" never answers. body: the pieces as reads, or bytes
    that are cut into pieces of `cut_bytes` (0: one piece). end: after the last piece; "silence" leaves the
    stream open.
    """

    status: int = 200
    headers: Mapping[str, str] = msgspec.field(default_factory=lambda: EVENT_STREAM)
    body: bytes | Sequence[bytes] = b""
    cut_bytes: int = 0
    end: End = "done"
    fault: Fault | None = None

    def pieces(self) -> list[bytes]:
        """The reads, none of them empty."""
        if not isinstance(self.body, bytes):
            return [piece for piece in self.body if piece]
        size = self.cut_bytes or len(self.body) or 1
        return [self.body[start : start + size] for start in range(0, len(self.body), size)]


class FakeSender:
    """Plays its scripts in order. requests: what was sent. calls: the exchanges, to look at afterwards."""

    def __init__(self, *plays: Play) -> None:
        self._plays = deque(plays)
        self._wheel: Wheel | None = None
        self.requests: list[HttpRequest] = []
        self.calls: list[FakeCall] = []

    @property
    def wheel(self) -> Wheel:
        """The running loop's, made on first use."""
        if self._wheel is None:
            self._wheel = Wheel(asyncio.get_running_loop())
        return self._wheel

    def send(self, request: HttpRequest, receiver: Receiver, *, connect_s: float = CONNECT_S) -> FakeCall:
        """See `Sender.send`. Raises AssertionError where more is sent than was scripted."""
        url = parse_url(request.url)
        if not self._plays:
            raise AssertionError(f"nothing is scripted for request {len(self.requests) + 1}")
        self.requests.append(request)
        call = FakeCall(self._plays.popleft(), receiver, f"{url.host}:{url.port}", connect_s)
        self.calls.append(call)
        return call


class FakeCall:
    """One exchange being played. cancelled, paused: what its owner did."""

    def __init__(self, play: Play, receiver: Receiver, where: str, connect_s: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._receiver = receiver
        self._steps = deque(_steps(play, receiver, where, connect_s))
        self._due: asyncio.Handle | None = None
        self.cancelled = False
        self.paused = False
        self._next()

    @property
    def ended(self) -> bool:
        """Whether there is nothing more to come."""
        return not self._steps

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False
        self._next()

    def cancel(self) -> None:
        if self._steps:
            self.cancelled = True
        self._steps.clear()

    def _next(self) -> None:
        silent = bool(self._steps) and self._steps[0] is _forever
        if self._steps and not silent and self._due is None and not self.paused:
            self._due = self._loop.call_soon(self._step)

    def _step(self) -> None:
        self._due = None
        if not self._steps or self.paused:
            return
        self._steps.popleft()()
        self._next()


def _steps(play: Play, receiver: Receiver, where: str, connect_s: float) -> list[Callable[[], None]]:
    if play.fault is not None:
        failure = _fault(play.fault, where, connect_s)
        return [_forever] if failure is None else [lambda: receiver.lost(failure)]
    steps: list[Callable[[], None]] = [lambda: receiver.head(play.status, dict(play.headers))]
    steps += [lambda piece=piece: receiver.data(piece) for piece in play.pieces()]  # type: ignore[misc]
    if play.end == "done":
        steps.append(receiver.done)
    elif play.end == "silence":
        steps.append(_forever)
    else:
        error = ConnectionResetError() if play.end == "reset" else None
        steps.append(lambda: receiver.lost(cut(where, error)))
    return steps


def _fault(fault: Fault, where: str, connect_s: float) -> Failure | None:
    match fault:
        case "silence":
            return None
        case "connect_timeout":
            return connect_timeout(where, connect_s)
        case "closed":
            return unanswered(where, None)
        case "connect_refused" | "dns" | "tls":
            return unavailable(fault, f"{where}: {fault}")


def _forever() -> None:
    """The step that is never taken: the call stays open until it is cancelled."""
